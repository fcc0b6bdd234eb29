/// The JSON Schemas (draft 2020-12) of the files that people write, as editors and other tools read them.
///
/// `docs/reference/*.schema.json` holds the same texts. They describe files; what the point receives is the same but
/// for `algorithm`, which is never a path there. What a schema cannot say (unique names, references, cycles, sums)
/// only the readers check.
public enum PublishedSchema {
    static let base = "https://onepoint.dev/schemas/"

    /// Of a file that describes one job or one array.
    public static let job = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\(base)job.schema.json",
          "title": "Onepoint job",
          "description": "One job, or an array of jobs from one description.",
          "type": "object",
          "additionalProperties": false,
          "required": ["name"],
          "oneOf": [{"required": ["command"]}, {"required": ["algorithm"]}],
          "properties": {
            "name": {"$ref": "#/$defs/name", "description": "For people; need not be unique outside a workflow."},
            "project": {"$ref": "#/$defs/name", "description": "Who pays and who sees. Default: your only project."},
        \(jobProperties)
          },
          "$defs": {
        \(definitions)
          }
        }

        """

    /// Of a file that describes a graph of jobs.
    public static let workflow = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\(base)workflow.schema.json",
          "title": "Onepoint workflow",
          "description": "A directed acyclic graph of jobs; inputs and 'after' name other jobs of it.",
          "type": "object",
          "additionalProperties": false,
          "required": ["workflow", "jobs"],
          "properties": {
            "workflow": {"$ref": "#/$defs/name", "description": "The name of the workflow."},
            "project": {"$ref": "#/$defs/name", "description": "Who pays and who sees. Default: your only project."},
            "jobs": {"type": "array", "minItems": 1, "maxItems": \(JobLimits.workflowJobsMax), "items": {"$ref": "#/$defs/job"}}
          },
          "$defs": {
            "job": {
              "type": "object",
              "additionalProperties": false,
              "required": ["name"],
              "oneOf": [{"required": ["command"]}, {"required": ["algorithm"]}],
              "properties": {
                "name": {"$ref": "#/$defs/name", "description": "Unique in the workflow."},
        \(jobProperties)
              }
            },
        \(definitions)
          }
        }

        """

    /// Of `algorithm.yaml`.
    public static let algorithm = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "$id": "\(base)algorithm.schema.json",
          "title": "Onepoint algorithm",
          "description": "The manifest of an algorithm, algorithm.yaml in its folder.",
          "type": "object",
          "additionalProperties": false,
          "required": ["name", "version", "summary", "licence", "entry_point"],
          "properties": {
            "name": {"$ref": "#/$defs/name"},
            "version": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.versionBytesMax)},
            "summary": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.summaryBytesMax)},
            "licence": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.licenceBytesMax), "description": "An SPDX expression."},
            "entry_point": {"$ref": "#/$defs/command", "description": "{algorithm} stands for the algorithm's folder."},
            "requirements": {"type": "string", "minLength": 1, "maxLength": \(JobLimits.pathBytesMax), "description": "Path of a pip requirements file in the folder."},
            "parameters": {
              "type": "object",
              "maxProperties": \(JobLimits.parametersMax),
              "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,63}$"},
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "required": ["type"],
                "properties": {
                  "type": {"enum": ["string", "integer", "number", "boolean"]},
                  "default": {"description": "Without one, every job has to give the parameter."},
                  "minimum": {"type": "number"},
                  "maximum": {"type": "number"},
                  "enum": {"type": "array", "minItems": 1, "maxItems": \(JobLimits.choicesMax)},
                  "description": {"$ref": "#/$defs/description"}
                }
              }
            },
            "inputs": {
              "type": "object",
              "maxProperties": \(JobLimits.inputsMax),
              "propertyNames": {"$ref": "#/$defs/artifact_name"},
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                  "description": {"$ref": "#/$defs/description"},
                  "required": {"type": "boolean", "default": true}
                }
              }
            },
            "outputs": {
              "type": "object",
              "maxProperties": \(JobLimits.outputsMax),
              "propertyNames": {"$ref": "#/$defs/artifact_name"},
              "additionalProperties": {
                "type": "object",
                "additionalProperties": false,
                "properties": {"description": {"$ref": "#/$defs/description"}}
              }
            }
          },
          "$defs": {
        \(sharedDefinitions),
            "description": {"type": "string", "maxLength": \(JobLimits.descriptionBytesMax)}
          }
        }

        """
}
