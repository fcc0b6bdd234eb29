extension PublishedSchema {
    /// Of a file that describes what is to be collected from the web.
    public static let crawl = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\(base)crawl.schema.json",
          "title": "Onepoint crawl",
          "description": "What is to be collected from the web, and how politely.",
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "product", "contact", "output"],
          "properties": {
            "name": {"$ref": "#/$defs/name"},
            "product": {"type": "string", "pattern": "^[A-Za-z_-]{1,64}$", "description": "By which sites know the crawler in robots.txt."},
            "contact": {
              "type": "string", "minLength": 3, "maxLength": \(CrawlLimits.contactBytesMax), "pattern": "^([!-'*-~]*@[!-'*-~]*|https?://[!-'*-~]*)$",
              "description": "Where a site's owner reaches you: a mail address or the address of a page."
            },
            "seeds": {"$ref": "#/$defs/addresses", "description": "Where it begins; there must be seeds or sitemaps."},
            "sitemaps": {"$ref": "#/$defs/addresses"},
            "scope": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "hosts": {
                  "type": "array", "minItems": 1, "maxItems": \(CrawlLimits.hostsMax),
                  "items": {
                    "oneOf": [
                      {"$ref": "#/$defs/host"},
                      {
                        "type": "object",
                        "additionalProperties": false,
                        "required": ["name"],
                        "properties": {
                          "name": {"$ref": "#/$defs/host"},
                          "allow_private": {"type": "boolean", "default": false, "description": "Its address may be one of this machine or of a private network."}
                        }
                      }
                    ]
                  },
                  "description": "Default: the hosts of the seeds and of the sitemaps."
                },
                "paths": {
                  "type": "array", "minItems": 1, "maxItems": \(CrawlLimits.pathsMax),
                  "items": {"type": "string", "pattern": "^/", "maxLength": \(CrawlLimits.addressBytesMax)},
                  "description": "What a path must begin with, one of them; default: all paths."
                }
              }
            },
            "limits": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "pages": {"type": "integer", "minimum": 1, "maximum": 1000000000, "default": 100000},
                "host_pages": {"type": "integer", "minimum": 1, "maximum": 1000000000, "default": 10000},
                "depth": {"type": "integer", "minimum": 0, "maximum": 100, "default": 8},
                "bytes": {"type": "integer", "minimum": 1, "maximum": 1125899906842624, "default": 107374182400},
                "body_bytes": {"type": "integer", "minimum": 1024, "maximum": 268435456, "default": 16777216, "description": "Of one body; what is longer is cut."},
                "requests": {"type": "integer", "minimum": 1, "maximum": 256, "default": 16, "description": "Under way at a time, each to another host."},
                "attempts": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
                "timeout": {"$ref": "#/$defs/time", "default": 60, "description": "Of one request, from a second to an hour."}
              }
            },
            "delay": {"type": "number", "minimum": 0, "maximum": \(Int(CrawlLimits.delaySecondsMax)), "default": 1, "description": "Seconds between two requests to one host, at least."},
            "output": {"$ref": "#/$defs/path"},
            "previous": {"$ref": "#/$defs/path", "description": "The output of an earlier crawl, whose unchanged pages are not sent again."}
          },
          "$defs": {
            "path": {"type": "string", "minLength": 1, "maxLength": \(PipelineLimits.pathBytesMax), "description": "From the crawl file's folder."},
            "host": {"type": "string", "minLength": 1, "maxLength": 255, "description": "As in addresses, or '*.' and a name for all below it."},
            "addresses": {
              "type": "array", "minItems": 1, "maxItems": \(CrawlLimits.seedsMax),
              "items": {"type": "string", "pattern": "^https?://", "maxLength": \(CrawlLimits.addressBytesMax)}
            },
            "time": {
              "oneOf": [
                {"type": "integer", "minimum": 1, "maximum": 3600},
                {"type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2}
              ]
            },
        \(sharedDefinitions)
          }
        }

        """
}
