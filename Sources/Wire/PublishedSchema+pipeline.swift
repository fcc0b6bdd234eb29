extension PublishedSchema {
    private static func names<Value: CaseIterable & RawRepresentable<String>>(_: Value.Type) -> String {
        Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    }

    /// Of a file that describes a pipeline for training data.
    public static let pipeline = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\(base)pipeline.schema.json",
          "title": "Onepoint pipeline",
          "description": "What is to become of raw pages and records: sources, operators, output.",
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "sources", "output"],
          "properties": {
            "name": {"$ref": "#/$defs/name"},
            "sources": {
              "type": "array", "minItems": 1, "maxItems": \(PipelineLimits.sourcesMax),
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["name", "files"],
                "properties": {
                  "name": {"$ref": "#/$defs/name", "description": "Unique in the pipeline."},
                  "files": {"$ref": "#/$defs/paths"},
                  "repository": {"type": "string", "minLength": 1, "maxLength": 256, "description": "Of the point; its revision has the files. Such as datasets/demo/corpus."},
                  "revision": {"type": "string", "minLength": 1, "maxLength": 256, "default": "main", "description": "A branch, a tag or a commit of the repository."},
                  "format": {"enum": [\(names(PipelineDocument.Format.self))], "description": "Default: by the ending of each file's name."},
                  "fields": {
                    "type": "object",
                    "additionalProperties": false,
                    "properties": {
                      "text": {"$ref": "#/$defs/field", "default": "text"},
                      "id": {"$ref": "#/$defs/field", "default": "id"},
                      "url": {"$ref": "#/$defs/field", "default": "url"}
                    }
                  },
                  "dossier": {"$ref": "#/$defs/path", "description": "Where it comes from and under what licence; an audit needs it."},
                  "reference": {"type": "boolean", "default": false, "description": "Only compared with; nothing of it is written."}
                }
              }
            },
            "languages": {
              "type": "object",
              "additionalProperties": false,
              "required": ["keep"],
              "properties": {
                "keep": {"type": "array", "minItems": 1, "maxItems": \(PipelineLimits.languagesMax), "items": {"type": "string", "minLength": 2, "maxLength": 16}},
                "probability_min": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}
              }
            },
            "rules": {
              "type": "object",
              "additionalProperties": false,
              "required": ["sets"],
              "properties": {
                "sets": {"type": "array", "minItems": 1, "maxItems": \(PipelineDocument.RuleSet.allCases.count), "items": {"enum": [\(names(PipelineDocument.RuleSet.self))]}},
                "thresholds": {
                  "type": "object",
                  "maxProperties": \(PipelineLimits.thresholdsMax),
                  "additionalProperties": {"type": "number"},
                  "description": "By the rule's name, as 'onepoint data explain' shows it."
                }
              }
            },
            "classifiers": {
              "type": "array", "minItems": 1, "maxItems": \(PipelineLimits.classifiersMax),
              "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["model", "keep"],
                "properties": {
                  "model": {"$ref": "#/$defs/path", "description": "What 'onepoint data train' made."},
                  "keep": {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "string", "minLength": 1, "maxLength": 64}},
                  "probability_min": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5}
                }
              }
            },
            "tokenizer": {"$ref": "#/$defs/path", "description": "A tokenizer.json that tokens of what is kept are counted with."},
            "keywords": {
              "type": "object",
              "additionalProperties": false,
              "required": ["packs"],
              "properties": {
                "packs": {"$ref": "#/$defs/paths"},
                "action": {"enum": [\(names(PipelineDocument.Keywords.Action.self))], "default": "drop"},
                "weight_min": {"type": "number", "minimum": 0, "default": 1}
              }
            },
            "personal": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "action": {"enum": [\(names(PipelineDocument.Personal.Action.self))], "default": "mask"},
                "types": {"type": "object", "additionalProperties": {"enum": [\(names(PipelineDocument.Personal.Action.self))]}}
              }
            },
            "contamination": {
              "type": "object",
              "additionalProperties": false,
              "required": ["against"],
              "properties": {
                "against": {"$ref": "#/$defs/paths"},
                "action": {"enum": [\(names(PipelineDocument.Contamination.Action.self))], "default": "drop"}
              }
            },
            "duplicates": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "exact": {"type": "boolean", "default": true},
                "near": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {"jaccard_min": {"type": "number", "minimum": 0.5, "maximum": 1, "default": 0.8}}
                },
                "lines": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "count_min": {"type": "integer", "minimum": 2, "maximum": 1000000000, "default": 3},
                    "bytes_min": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 30}
                  }
                },
                "paragraphs": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "count_min": {"type": "integer", "minimum": 2, "maximum": 1000000000, "default": 3},
                    "bytes_min": {"type": "integer", "minimum": 1, "maximum": 1000000, "default": 100}
                  }
                },
                "substrings": {
                  "type": "object",
                  "additionalProperties": false,
                  "properties": {
                    "bytes_min": {"type": "integer", "minimum": \(PipelineLimits.substringBytes.lowerBound), "maximum": \(PipelineLimits.substringBytes.upperBound), "default": 200}
                  }
                }
              }
            },
            "output": {
              "type": "object",
              "additionalProperties": false,
              "required": ["folder"],
              "properties": {
                "folder": {"$ref": "#/$defs/path"},
                "format": {"enum": [\(names(PipelineDocument.Output.Format.self))], "default": "jsonl.zst"}
              }
            }
          },
          "$defs": {
            "path": {"type": "string", "minLength": 1, "maxLength": \(PipelineLimits.pathBytesMax), "description": "From the pipeline file's folder."},
            "paths": {"type": "array", "minItems": 1, "maxItems": \(PipelineLimits.patternsMax), "items": {"$ref": "#/$defs/path"}},
            "field": {"type": "string", "minLength": 1, "maxLength": 256},
        \(sharedDefinitions)
          }
        }

        """
}
