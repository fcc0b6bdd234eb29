import Core
import Foundation
import Testing

@testable import Wire

@Suite struct AlgorithmManifestTests {
    static let algorithms = ["byte-transformer", "collect", "evaluate", "lennard-jones", "sample", "surrogate"]

    @Test(
        "every algorithm of this repository has a manifest that is read, with defaults that fit",
        arguments: algorithms
    )
    func repositoryManifests(_ name: String) throws {
        let text = try text(of: "algorithms/\(name)/algorithm.yaml")
        let manifest = try AlgorithmManifest.read(yaml: Array(text.utf8))
        #expect(manifest.name == name)
        #expect(manifest.entryPoint.first == "python3")
        let (values, violations) = manifest.resolve(parameters: [:])
        #expect(violations.isEmpty)
        #expect(values.count == manifest.parameters.count)
    }

    private var manifest: AlgorithmManifest {
        get throws {
            try AlgorithmManifest.read(
                yaml: Array(
                    """
                    name: demo
                    version: "1"
                    summary: s
                    licence: MIT
                    entry_point: [run, "{algorithm}/x"]
                    parameters:
                      steps: {type: integer, default: 5, minimum: 1, maximum: 10}
                      rate: {type: number, default: 0.5}
                      mode: {type: string, enum: [fast, slow], default: fast}
                      on: {type: boolean, default: true}
                      needed: {type: string}
                    inputs:
                      text: {description: d}
                      extra: {required: false}
                    outputs: {model: {}}
                    """.utf8
                )
            )
        }
    }

    @Test("given values win over defaults, and whole numbers are numbers")
    func resolve() throws {
        let (values, violations) = try manifest.resolve(parameters: ["needed": .string("x"), "rate": .integer(1)])
        #expect(violations.isEmpty)
        #expect(values["steps"] == .integer(5))
        #expect(values["rate"] == .integer(1))
        #expect(values["mode"] == .string("fast"))
    }

    @Test("every wrong value is reported at once")
    func violations() throws {
        let (_, violations) = try manifest.resolve(
            parameters: [
                "steps": .integer(11), "rate": .string("x"), "mode": .string("medium"), "on": .integer(1),
                "stepz": .integer(1),
            ],
            at: "/jobs/2/parameters"
        )
        let found = violations.map { "\($0.pointer): \($0.message)" }
        #expect(found.count == 6)
        #expect(found.contains("/jobs/2/parameters/steps: must be at most 10, not 11"))
        #expect(found.contains { $0.hasPrefix("/jobs/2/parameters/rate: must be a number") })
        #expect(found.contains { $0.hasPrefix(#"/jobs/2/parameters/mode: must be one of "fast", "slow""#) })
        #expect(found.contains { $0.hasPrefix("/jobs/2/parameters/on: must be true or false") })
        #expect(found.contains { $0.hasPrefix("/jobs/2/parameters/needed: is missing") })
        #expect(found.contains { $0.contains("did you mean 'steps'?") })
    }

    @Test("a job's inputs and outputs are held against the manifest")
    func edges() throws {
        var spec = JobSpec(name: "a", command: [])
        spec.inputs = [JobInput(name: "txt", source: .output(job: "b", output: "c"))]
        spec.outputs = ["modell"]
        let found = try manifest.violations(of: spec, at: "/jobs/1").map(\.pointer)
        #expect(found == ["/jobs/1/inputs/text", "/jobs/1/inputs/txt", "/jobs/1/outputs/0"])
    }

    static let cases: [(document: String, pointer: String, words: String)] = [
        ("{}", "/name", "is missing"), ("{}", "/version", "is missing"), ("{}", "/summary", "is missing"),
        ("{}", "/licence", "is missing"), ("{}", "/entry_point", "is missing"),
        ("[]", "", "must be an object"),
        ("{version: 1.0}", "/version", "in quotes"),
        ("{nam: x}", "/nam", "did you mean 'name'?"),
        ("{requirements: ../x}", "/requirements", "inside the algorithm's folder"),
        ("{parameters: {a: {}}}", "/parameters/a/type", "is missing"),
        ("{parameters: {a: {type: int}}}", "/parameters/a/type", "must be one of string, integer, number, boolean"),
        ("{parameters: {a: {type: integer, default: 1.5}}}", "/parameters/a/default", "must be an integer"),
        ("{parameters: {a: {type: integer, default: 3, maximum: 2}}}", "/parameters/a/default", "at most 2"),
        ("{parameters: {a: {type: integer, minimum: 3, maximum: 2}}}", "/parameters/a/minimum", "above the maximum"),
        ("{parameters: {a: {type: integer, minimum: x}}}", "/parameters/a/minimum", "must be a number"),
        ("{parameters: {a: {type: string, enum: [1]}}}", "/parameters/a/enum/0", "must be a string"),
        ("{parameters: {a: {type: string, defualt: x}}}", "/parameters/a/defualt", "did you mean 'default'?"),
        ("{parameters: {a b: {type: string}}}", "/parameters/a b", "not a parameter's name"),
        ("{inputs: {a: {required: 1}}}", "/inputs/a/required", "true or false"),
        ("{inputs: {a: {must: 1}}}", "/inputs/a/must", "not a known key"),
        ("{inputs: {.a: {}}}", "/inputs/.a", "is not a name"),
        ("{outputs: {a: {required: true}}}", "/outputs/a/required", "not a known key"),
        ("{outputs: [a]}", "/outputs", "must be an object"),
    ]

    @Test("each fault is found where it is, with its line", arguments: cases)
    func fault(_ fault: (document: String, pointer: String, words: String)) {
        let found = faults { _ = try AlgorithmManifest.read(yaml: Array(fault.document.utf8)) }
        #expect(
            found.contains { $0.hasPrefix(fault.pointer + ": algorithm.yaml, line 1: ") && $0.contains(fault.words) },
            "\(found)"
        )
    }

    @Test("a manifest that is no YAML, or too long, is refused with its line")
    func broken() {
        let found = faults { _ = try AlgorithmManifest.read(yaml: Array("name: a\nb: [".utf8)) }
        #expect(found.first?.contains("algorithm.yaml, line 2: is not YAML") == true)
        let long = faults { _ = try AlgorithmManifest.read(yaml: Array(repeating: 0x20, count: 262_145)) }
        #expect(long.first?.contains("may be 262144 bytes long") == true)
    }
}
