extension PublishedSchema {
    /// What jobs alone and jobs of workflows have in common.
    static let jobProperties = """
            "algorithm": {
              "description": "The folder of an algorithm, relative to this file; or one by content.",
              "oneOf": [
                {"type": "string", "minLength": 1, "maxLength": \(JobLimits.pathBytesMax)},
                {
                  "type": "object",
                  "additionalProperties": false,
                  "required": ["name", "tree"],
                  "properties": {
                    "name": {"$ref": "#/$defs/name"},
                    "version": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.versionBytesMax)},
                    "tree": {"$ref": "#/$defs/digest"}
                  }
                }
              ]
            },
            "command": {"$ref": "#/$defs/command", "description": "The program and its arguments, or one line for /bin/sh."},
            "parameters": {
              "type": "object",
              "maxProperties": \(JobLimits.parametersMax),
              "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"},
              "description": "At most \(JobLimits.parametersBytesMax) bytes as JSON."
            },
            "environment": {
              "type": "object",
              "maxProperties": \(JobLimits.environmentMax),
              "propertyNames": {"pattern": "^(?!ONEPOINT_)[A-Za-z_][A-Za-z0-9_]{0,255}$"},
              "additionalProperties": {"type": "string", "maxLength": \(JobLimits.environmentValueBytesMax)},
              "description": "Not for secrets: members of the project can read them."
            },
            "tasks": {"type": "integer", "minimum": 1, "maximum": \(JobLimits.tasksMax), "default": 1, "description": "Above 1 a gang: all start together inside one centre."},
            "resources": {
              "type": "object",
              "description": "Of each task.",
              "additionalProperties": false,
              "dependentRequired": {"card": ["cards"]},
              "properties": {
                "cores": {"type": "number", "minimum": 0.001, "maximum": \(JobLimits.milliCoresMax / 1000), "default": 1},
                "memory": {
                  "default": "512MiB",
                  "oneOf": [
                    {"type": "integer", "minimum": \(JobLimits.memoryBytesMin), "maximum": \(JobLimits.memoryBytesMax)},
                    {"type": "string", "pattern": "^[0-9]+([.][0-9]+)? ?(B|[kK]B|[MGTP]B|[KMGTP]iB)?$"}
                  ]
                },
                "cards": {"type": "integer", "minimum": 0, "maximum": \(JobLimits.cardsMax), "default": 0, "description": "Accelerators."},
                "card": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.cardNameBytesMax), "description": "Catalogue model, such as h100-sxm5."},
                "time_limit": {"$ref": "#/$defs/time", "description": "From 1s to 30d.", "default": "1h"}
              }
            },
            "array": {"type": "integer", "minimum": 1, "maximum": \(JobLimits.arrayMax), "description": "How many elements; each sees its own ONEPOINT_ARRAY_INDEX."},
            "placement": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "tiers": {"type": "array", "maxItems": 4, "items": {"enum": ["hub", "region", "edge", "device"]}},
                "centres": {"type": "array", "maxItems": \(JobLimits.centresMax), "items": {"$ref": "#/$defs/name"}},
                "emulated": {"type": "boolean", "default": false, "description": "Whether emulated cards will do."}
              }
            },
            "priority": {"type": "integer", "minimum": 0, "maximum": \(JobLimits.priorityMax), "default": 500, "description": "Higher goes first within the project."},
            "preemptible": {"type": "boolean", "default": false},
            "grace_period": {"$ref": "#/$defs/time", "description": "From the request to stop until it is enforced: up to 1h.", "default": "10s"},
            "retries": {
              "type": "object",
              "additionalProperties": false,
              "properties": {
                "limit": {"type": "integer", "minimum": 0, "maximum": \(JobLimits.retriesMax), "default": 0},
                "on": {"type": "array", "maxItems": 6, "items": {"enum": ["exit", "time_limit", "out_of_memory", "node_failure", "lost", "rejected"]}, "default": ["node_failure", "lost", "rejected"]},
                "backoff": {"$ref": "#/$defs/time", "description": "Before the first repeat; doubles each time, up to 1h.", "default": "1s"}
              }
            },
            "on_centre_loss": {
              "default": "wait",
              "oneOf": [
                {"const": "wait"},
                {"type": "object", "additionalProperties": false, "required": ["requeue_after"], "properties": {"requeue_after": {"$ref": "#/$defs/time"}}}
              ]
            },
            "isolation": {"enum": ["auto", "required", "none"], "default": "auto"},
            "inputs": {
              "type": "object",
              "maxProperties": \(JobLimits.inputsMax),
              "propertyNames": {"$ref": "#/$defs/artifact_name"},
              "additionalProperties": {
                "oneOf": [
                  {"type": "object", "additionalProperties": false, "required": ["digest", "kind"], "properties": {"digest": {"$ref": "#/$defs/digest"}, "kind": {"enum": ["file", "tree"]}}},
                  {"type": "object", "additionalProperties": false, "required": ["job", "output"], "properties": {"job": {"$ref": "#/$defs/job_reference"}, "output": {"$ref": "#/$defs/artifact_name"}}},
                  {"type": "object", "additionalProperties": false, "required": ["repository"], "properties": {"repository": {"$ref": "#/$defs/repository"}, "revision": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.revisionBytesMax), "default": "main", "description": "A branch, a tag or a commit."}, "path": {"$ref": "#/$defs/inside_path"}}}
                ]
              }
            },
            "outputs": {"type": "array", "uniqueItems": true, "maxItems": \(JobLimits.outputsMax), "items": {"$ref": "#/$defs/artifact_name"}},
            "publish": {
              "type": "object",
              "maxProperties": \(JobLimits.outputsMax),
              "propertyNames": {"$ref": "#/$defs/artifact_name"},
              "description": "Outputs that are committed to a repository once the job has succeeded.",
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": ["repository"],
                "properties": {
                  "repository": {"$ref": "#/$defs/repository"},
                  "branch": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.revisionBytesMax), "default": "main"},
                  "path": {"$ref": "#/$defs/inside_path"},
                  "replace": {"type": "boolean", "default": false, "description": "Whether the folders at the top of the output take the place of those of their names."}
                }
              }
            },
            "after": {"type": "array", "uniqueItems": true, "maxItems": \(JobLimits.dependenciesMax), "items": {"$ref": "#/$defs/job_reference"}}
        """

    static let sharedDefinitions = """
            "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
            "artifact_name": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"},
            "command": {
              "oneOf": [
                {"type": "string", "minLength": 1, "maxLength": \(JobLimits.argumentBytesMax)},
                {
                  "type": "array",
                  "minItems": 1,
                  "maxItems": \(JobLimits.argumentsMax),
                  "prefixItems": [{"type": "string", "minLength": 1, "maxLength": \(JobLimits.argumentBytesMax)}],
                  "items": {"type": "string", "maxLength": \(JobLimits.argumentBytesMax)}
                }
              ]
            }
        """

    static let definitions =
        sharedDefinitions + """
            ,
                "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
                "time": {
                  "oneOf": [
                    {"type": "integer", "minimum": 0, "maximum": \(JobLimits.timeLimitSecondsMax)},
                    {"type": "string", "pattern": "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$", "minLength": 2}
                  ]
                },
                "repository": {"type": "string", "pattern": "^(models|datasets|algorithms)/[a-z0-9-]{1,63}/[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"},
                "inside_path": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.pathBytesMax), "description": "Of a file or folder in the repository."},
                "job_reference": {"type": "string", "minLength": 1, "maxLength": 63, "description": "A name in this workflow, or the id of a job or an array."}
            """
}
