import Core
import Foundation
import Testing

@testable import Wire

@Suite struct PublishedSchemaTests {
    static let schemas = [
        ("job", PublishedSchema.job), ("workflow", PublishedSchema.workflow), ("algorithm", PublishedSchema.algorithm),
        ("pipeline", PublishedSchema.pipeline), ("crawl", PublishedSchema.crawl),
    ]

    @Test("the published files are what this version reads", arguments: schemas)
    func golden(_ schema: (name: String, text: String)) throws {
        let path = "docs/reference/\(schema.name).schema.json"
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try schema.text.write(to: repository.appending(path: path), atomically: true, encoding: .utf8)
        }
        #expect(try text(of: path) == schema.text, "UPDATE_GOLDEN=1 rewrites it")
    }

    @Test("every schema is JSON whose references lead somewhere", arguments: schemas)
    func references(_ schema: (name: String, text: String)) throws {
        let json = try json(schema.text)
        func visit(_ value: JSON) {
            if let reference = value["$ref"]?.stringValue {
                #expect(Validator(root: json).resolve(reference) != nil, "\(reference)")
            }
            switch value {
            case .object(let members): for (_, value) in members { visit(value) }
            case .array(let items): for item in items { visit(item) }
            default: break
            }
        }
        visit(json)
    }

    @Test("schema and reader know the same keys")
    func keys() throws {
        func keys(_ schema: JSON?) -> Set<String> {
            guard case .object(let members) = schema?["properties"] else { return [] }
            return Set(members.map(\.key))
        }
        let job = try json(PublishedSchema.job)
        #expect(keys(job) == Set(JobDocument.keys))
        #expect(keys(job["properties"]?["resources"]) == Set(JobDocument.resourceKeys))
        #expect(keys(job["properties"]?["placement"]) == Set(JobDocument.placementKeys))
        #expect(keys(job["properties"]?["retries"]) == Set(JobDocument.retryKeys))
        let workflow = try json(PublishedSchema.workflow)
        #expect(keys(workflow) == Set(WorkflowDocument.keys))
        #expect(keys(workflow["$defs"]?["job"]) == Set(JobDocument.memberKeys))
        #expect(keys(try json(PublishedSchema.pipeline)) == Set(PipelineDocument.keys))
        #expect(keys(try json(PublishedSchema.crawl)) == Set(CrawlDocument.keys))
        let algorithm = try json(PublishedSchema.algorithm)
        #expect(keys(algorithm) == Set(AlgorithmManifest.keys))
        #expect(
            keys(algorithm["properties"]?["parameters"]?["additionalProperties"])
                == Set(AlgorithmManifest.parameterKeys)
        )
    }

    @Test("the schema refuses the faults that the reader refuses, as far as a schema can")
    func judgements() throws {
        let validator = Validator(root: try json(PublishedSchema.job))
        // What a schema cannot say, or says more loosely.
        let beyond = [
            "only inside a workflow", "not a job's or an array's id", "NUL", "in all", "of JSON", "such as 90s",
            "1s to 30d",
            "0s to 1h", "such as 512MiB", "inside the repository", "name of a branch", "not among the job's outputs",
        ]
        var judged = 0
        for fault in JobDocumentTests.cases where !beyond.contains(where: fault.words.contains) {
            let document = try json(fault.document)
            #expect(validator.faults(document).isEmpty == false, "the schema accepts \(fault.document)")
            judged += 1
        }
        #expect(judged > 40)
    }

    @Test(
        "schema and reader judge mutated jobs alike, but for units of time and size"
    )
    func mutations() throws {
        var generator = Seeded()
        print("ONEPOINT_TEST_SEED=\(generator.seed)")
        let validator = Validator(root: try json(PublishedSchema.job))
        let base = try json(
            """
            {"name": "a", "command": ["x"], "tasks": 2, "resources": {"cores": 1, "memory": "1GiB", "cards": 1, "time_limit": "5m"},
             "array": 3, "placement": {"tiers": ["hub"], "centres": ["c"], "emulated": true}, "priority": 5, "preemptible": true,
             "grace_period": 5, "retries": {"limit": 1, "on": ["exit"], "backoff": "1s"}, "on_centre_loss": {"requeue_after": "1m"},
             "isolation": "auto", "inputs": {"i": {"digest": "\(someDigest)", "kind": "file"}}, "outputs": ["o"],
             "environment": {"A": "b"}, "parameters": {"p": 1}}
            """
        )
        let values = try [
            "null", "true", "0", "1", "-1", "1.5", "2.0", "1e9", #""""#, #""x""#, #""1m""#, #""hub""#, "[]", #"["x"]"#,
            "{}",
            #"{"x": 1}"#, "10001", #""1GiB""#,
        ].map { try json($0) }
        var accepted = 0
        for _ in 0..<3000 {
            let document = mutated(base, values, &generator)
            let found = faults { _ = try JobDocument.read(document, from: .file) }
            let schema = validator.faults(document)
            if found.isEmpty {
                accepted += 1
                #expect(schema.isEmpty, "only the schema refuses \(document.text): \(schema)")
            } else if schema.isEmpty {
                // Times and sizes have units; their ranges are beyond a schema.
                #expect(
                    found.allSatisfy { $0.contains("such as") },
                    "only the reader refuses \(document.text): \(found)"
                )
            }
        }
        #expect(accepted > 100)
    }

    private func mutated(_ value: JSON, _ values: [JSON], _ generator: inout Seeded) -> JSON {
        switch value {
        case .object(var members) where !members.isEmpty && Int.random(in: 0..<10, using: &generator) > 0:
            let at = Int.random(in: 0..<members.count, using: &generator)
            if Int.random(in: 0..<12, using: &generator) == 0 {
                members.remove(at: at)
            } else {
                members[at].value = mutated(members[at].value, values, &generator)
            }
            return .object(members)
        case .array(var items) where !items.isEmpty && Bool.random(using: &generator):
            items[0] = mutated(items[0], values, &generator)
            return .array(items)
        default: return values.randomElement(using: &generator) ?? .null
        }
    }

    @Test("schema and reader judge crawls and pipelines alike")
    func curation() throws {
        let crawl = Validator(root: try json(PublishedSchema.crawl))
        let base = "name: a\nproduct: p\ncontact: a@b\noutput: o\nseeds: ['https://a/']\n"
        let crawls = [
            "", "delay: 0.5", "scope: {hosts: [a, {name: b, allow_private: true}], paths: [/x]}",
            "limits: {pages: 1, depth: 0, timeout: 90s}", "limits: {timeout: 5}", "previous: old",
        ]
        let faultyCrawls = [
            "delay: -1", "scope: {hosts: [{allow_private: true}]}", "scope: {paths: [x]}", "limits: {pages: 0}",
            "limits: {timeout: 0}", "other: 1", "sitemaps: [x]", "limits: {requests: 257}",
        ]
        for (texts, isGood) in [(crawls, true), (faultyCrawls, false)] {
            for text in texts {
                let yaml = base + text + "\n"
                let found = faults { _ = try CrawlDocument.read(yaml: Array(yaml.utf8), file: "f") }
                #expect(found.isEmpty == isGood, "\(text): \(found)")
                #expect(crawl.faults(try YAMLDocument.parse(yaml).json).isEmpty == isGood, "\(text)")
            }
        }
        let pipeline = Validator(root: try json(PublishedSchema.pipeline))
        let duplicates: [(text: String, isGood: Bool)] = [
            ("{lines: {}, paragraphs: {}, substrings: {}}", true), ("{paragraphs: {count_min: 2, bytes_min: 1}}", true),
            ("{substrings: {bytes_min: 40}}", true), ("{substrings: {bytes_min: 39}}", false),
            ("{substrings: {count_min: 2}}", false), ("{paragraphs: {count_min: 1}}", false), ("{words: {}}", false),
        ]
        for (text, isGood) in duplicates {
            let yaml = "name: a\nsources: [{name: s, files: [f]}]\noutput: {folder: o}\nduplicates: \(text)\n"
            let found = faults { _ = try PipelineDocument.read(yaml: Array(yaml.utf8), file: "f") }
            #expect(found.isEmpty == isGood, "\(text): \(found)")
            #expect(pipeline.faults(try YAMLDocument.parse(yaml).json).isEmpty == isGood, "\(text)")
        }
    }

    @Test("the tour and its algorithms fit their schemas")
    func repositoryFiles() throws {
        let workflow = Validator(root: try json(PublishedSchema.workflow))
        #expect(workflow.faults(try YAMLDocument.parse(try text(of: "workflows/tour.yaml")).json) == [])
        let algorithm = Validator(root: try json(PublishedSchema.algorithm))
        for name in AlgorithmManifestTests.algorithms {
            let manifest = try YAMLDocument.parse(try text(of: "algorithms/\(name)/algorithm.yaml")).json
            #expect(algorithm.faults(manifest) == [], "\(name)")
        }
    }
}

/// As much of JSON Schema 2020-12 as our schemas use. An unknown keyword is a fault, so that none goes unheeded.
struct Validator {
    let root: JSON

    func resolve(_ reference: String) -> JSON? {
        reference.split(separator: "/").dropFirst().reduce(root as JSON?) { $0?[String($1)] }
    }

    func faults(_ value: JSON) -> [String] { faults(value, root, "") }

    private func faults(_ value: JSON, _ schema: JSON, _ at: String) -> [String] {
        guard case .object(let keywords) = schema else { return [] }
        var out: [String] = []
        func check(_ holds: Bool, _ words: String) { if !holds { out.append("\(at): \(words)") } }
        for (keyword, rule) in keywords {
            let limit = rule.numberValue ?? 0
            switch keyword {
            case "$schema", "$id", "$defs", "title", "description", "default": break
            case "$ref": out += resolve(rule.stringValue ?? "").map { faults(value, $0, at) } ?? ["\(at): dangling"]
            case "type": check(has(value, rule.stringValue ?? ""), "is no \(rule.text)")
            case "const": check(value == rule, "is not \(rule.text)")
            case "enum": check(rule.arrayValue?.contains(value) ?? false, "is none of \(rule.text)")
            case "oneOf":
                let fitting = (rule.arrayValue ?? []).count { faults(value, $0, at).isEmpty }
                check(fitting == 1, "fits \(fitting) of the alternatives")
            case "minimum": if let number = value.numberValue { check(number >= limit, "is below \(limit)") }
            case "maximum": if let number = value.numberValue { check(number <= limit, "is above \(limit)") }
            case "minLength":
                if let text = value.stringValue { check(Double(text.unicodeScalars.count) >= limit, "is short") }
            case "maxLength":
                if let text = value.stringValue { check(Double(text.unicodeScalars.count) <= limit, "is long") }
            case "pattern":
                if let text = value.stringValue, let pattern = rule.stringValue, let regex = try? Regex(pattern) {
                    check((try? regex.firstMatch(in: text)) != nil, "does not match \(pattern)")
                }
            case "minItems": if let items = value.arrayValue { check(Double(items.count) >= limit, "has few items") }
            case "maxItems": if let items = value.arrayValue { check(Double(items.count) <= limit, "has many items") }
            case "uniqueItems":
                if let items = value.arrayValue { check(Set(items).count == items.count, "has repeats") }
            case "prefixItems":
                for (index, (item, rule)) in zip(value.arrayValue ?? [], rule.arrayValue ?? []).enumerated() {
                    out += faults(item, rule, "\(at)/\(index)")
                }
            case "items":
                let first = schema["prefixItems"]?.arrayValue?.count ?? 0
                for (index, item) in (value.arrayValue ?? []).enumerated().dropFirst(first) {
                    out += faults(item, rule, "\(at)/\(index)")
                }
            case "maxProperties":
                if case .object(let members) = value { check(Double(members.count) <= limit, "has many members") }
            case "required":
                if case .object = value {
                    for key in rule.arrayValue ?? [] { check(value[key.stringValue ?? ""] != nil, "lacks \(key.text)") }
                }
            case "dependentRequired":
                if case .object(let rules) = rule, case .object = value {
                    for (key, needed) in rules where value[key] != nil {
                        for other in needed.arrayValue ?? [] {
                            check(value[other.stringValue ?? ""] != nil, "lacks \(other.text)")
                        }
                    }
                }
            case "propertyNames":
                if case .object(let members) = value {
                    for (key, _) in members { out += faults(.string(key), rule, "\(at)/\(key)") }
                }
            case "properties":
                if case .object(let members) = value {
                    for (key, member) in members {
                        if let rule = rule[key] { out += faults(member, rule, "\(at)/\(key)") }
                    }
                }
            case "additionalProperties":
                if case .object(let members) = value {
                    for (key, member) in members where schema["properties"]?[key] == nil {
                        if rule == .bool(false) { check(false, "has the unknown key \(key)") }
                        out += faults(member, rule, "\(at)/\(key)")
                    }
                }
            default: out.append("\(at): the schema has the unknown keyword \(keyword)")
            }
        }
        return out
    }

    private func has(_ value: JSON, _ type: String) -> Bool {
        switch (type, value) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .bool), ("number", .integer),
            ("number", .number),
            ("integer", .integer):
            true
        case ("integer", .number(let number)): number == number.rounded()
        default: false
        }
    }
}
