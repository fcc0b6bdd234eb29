import Core
import Foundation
import Testing

@testable import Wire

@Suite struct JobDocumentTests {
    @Test("a full job becomes the spec it describes")
    func full() throws {
        let draft = try JobDocument.read(
            json(
                """
                {"name": "train", "project": "demo", "command": ["python3", "t.py", ""], "parameters": {"steps": 5},
                 "environment": {"LANG": "C"}, "tasks": 2,
                 "resources": {"cores": 0.5, "memory": "2GiB", "cards": 1, "card": "h100-sxm5", "time_limit": "1h30m"},
                 "array": 4, "placement": {"tiers": ["hub", "edge"], "centres": ["north"], "emulated": true},
                 "priority": 7, "preemptible": true, "grace_period": 30,
                 "retries": {"limit": 3, "on": ["exit", "lost"], "backoff": "5s"},
                 "on_centre_loss": {"requeue_after": "10m"}, "isolation": "required",
                 "inputs": {"text": {"digest": "\(someDigest)", "kind": "tree"},
                            "model": {"job": "\(someJobID)", "output": "model"}},
                 "outputs": ["model", "report.json"], "after": ["\(someArrayID)"]}
                """
            )
        )
        let spec = draft.spec
        #expect(draft.project?.text == "demo")
        #expect(spec.name == "train")
        #expect(spec.command == ["python3", "t.py", ""])
        #expect(spec.parameters == ["steps": .integer(5)])
        #expect(spec.environment == ["LANG": "C"])
        #expect(spec.tasks == 2)
        #expect(spec.resources == TaskResources(cores: 500, memory: .gibi(2), cards: 1, card: "h100-sxm5"))
        #expect(spec.timeLimitSeconds == 5400)
        #expect(spec.array == 4)
        #expect(spec.placement.tiers == [.hub, .edge])
        #expect(spec.placement.centres.map(\.text) == ["north"])
        #expect(spec.placement.emulated)
        #expect(spec.priority == 7)
        #expect(spec.preemptible)
        #expect(spec.gracePeriodSeconds == 30)
        #expect(spec.retries == RetryPolicy(limit: 3, on: [.exit, .lost], backoffSeconds: 5))
        #expect(spec.onCentreLoss == .requeue(afterSeconds: 600))
        #expect(spec.isolation == .required)
        #expect(spec.inputs.map(\.name) == ["text", "model"])
        #expect(spec.inputs[1].source == .output(job: someJobID, output: "model"))
        #expect(spec.outputs == ["model", "report.json"])
        #expect(spec.after == [someArrayID])
    }

    @Test("inputs come from a repository's revision, and outputs are published to one")
    func repositories() throws {
        let draft = try JobDocument.read(
            json(
                """
                {"name": "tune", "command": "x",
                 "inputs": {"base": {"repository": "models/demo/Llama-2.b", "revision": "v1", "path": "weights"},
                            "text": {"repository": "datasets/demo/corpus"}},
                 "outputs": ["model"],
                 "publish": {"model": {"repository": "algorithms/demo/tuned", "branch": "next", "path": "epoch/1", "replace": true}}}
                """
            )
        )
        let (base, text) = (try #require(draft.sources["base"]), try #require(draft.sources["text"]))
        #expect(base.shelf == .models)
        #expect(base.path.description == "demo/Llama-2.b")
        #expect(base.revision == "v1")
        #expect(base.file == "weights")
        #expect(text.shelf == .datasets)
        #expect(text.revision == "main")
        #expect(draft.spec.inputs.isEmpty)
        let publication = try #require(draft.spec.publish?.first)
        #expect(publication.kind == .algorithm)
        #expect(publication.path.description == "demo/tuned")
        #expect(publication.branch == "next")
        #expect(publication.folder == "epoch/1" && publication.replace == true)
    }

    @Test("what a job leaves out has the documented defaults")
    func defaults() throws {
        let draft = try JobDocument.read(json(#"{"name": "a", "command": "echo hi | wc"}"#))
        var expected = JobSpec(name: "a", command: ["/bin/sh", "-c", "echo hi | wc"])
        expected.timeLimitSeconds = 3600
        #expect(draft == JobDraft(spec: expected))
    }

    @Test("an algorithm is given by content to the point and may be a path in a file")
    func algorithm() throws {
        let text = #"{"name": "a", "algorithm": {"name": "collect", "version": "1", "tree": "\#(someDigest)"}}"#
        let draft = try JobDocument.read(json(text))
        #expect(
            draft.algorithm == AlgorithmDraft(name: "collect", version: "1", tree: try #require(Digest(someDigest)))
        )
        #expect(draft.spec.command == [])
        let path = #"{"name": "a", "algorithm": "../algorithms/collect"}"#
        #expect(try JobDocument.read(json(path), from: .file).algorithmPath == "../algorithms/collect")
        #expect(jobFaults(path).first?.hasPrefix("/algorithm: must be an object with name, version and tree") == true)
    }

    @Test("all faults are reported at once")
    func allAtOnce() {
        let found = jobFaults(
            #"{"nam": "x", "command": [], "tasks": 0, "resources": {"memory": "lots"}, "after": ["b"]}"#
        )
        #expect(found.count == 6)
        #expect(found.contains { $0.hasPrefix("/name: is missing") })
    }

    static let cases: [(document: String, pointer: String, words: String)] = [
        (#"[]"#, "", "must be an object"),
        (#"{"command": "x"}"#, "/name", "is missing"),
        (#"{"name": "A", "command": "x"}"#, "/name", "is not a name"),
        (#"{"name": 7, "command": "x"}"#, "/name", #"write "7" in quotes"#),
        (#"{"name": "a"}"#, "/command", "needs a 'command' or an 'algorithm'"),
        (
            #"{"name": "a", "command": "x", "algorithm": {"name": "b", "tree": "\#(someDigest)"}}"#, "/command",
            "one of the two"
        ),
        (#"{"name": "a", "algorithm": {"name": "b"}}"#, "/algorithm/tree", "is missing"),
        (
            #"{"name": "a", "algorithm": {"name": "b", "tree": "sha256:12"}}"#, "/algorithm/tree",
            "64 hexadecimal digits"
        ),
        (
            #"{"name": "a", "algorithm": {"name": "b", "tree": "\#(someDigest)", "tag": 1}}"#, "/algorithm/tag",
            "not a known key"
        ),
        (#"{"name": "a", "command": "x", "resorces": {}}"#, "/resorces", "did you mean 'resources'?"),
        (#"{"name": "a", "command": "x", "time_limit": "1h"}"#, "/time_limit", "not a known key"),
        (#"{"name": "a", "command": "x", "a/b~c": 1}"#, "/a~1b~0c", "not a known key"),
        (#"{"name": "a", "command": []}"#, "/command", "must not be empty"),
        (#"{"name": "a", "command": [""]}"#, "/command/0", "must not be empty"),
        (#"{"name": "a", "command": ["x", 1]}"#, "/command/1", "must be a string"),
        (#"{"name": "a", "command": 1}"#, "/command", "list of strings, or one string"),
        (#"{"name": "a", "command": ["x\u0000"]}"#, "/command/0", "NUL"),
        (#"{"name": "a", "command": "x", "parameters": {"1a": 1}}"#, "/parameters/1a", "not a parameter's name"),
        (#"{"name": "a", "command": "x", "parameters": []}"#, "/parameters", "must be an object"),
        (#"{"name": "a", "command": "x", "environment": {"A=B": "1"}}"#, "/environment/A=B", "not a variable's name"),
        (
            #"{"name": "a", "command": "x", "environment": {"ONEPOINT_JOB": "1"}}"#, "/environment/ONEPOINT_JOB",
            "set by the platform"
        ),
        (#"{"name": "a", "command": "x", "environment": {"A": 1}}"#, "/environment/A", #"write "1" in quotes"#),
        (#"{"name": "a", "command": "x", "tasks": 1.5}"#, "/tasks", "an integer from 1 to 10000"),
        (#"{"name": "a", "command": "x", "resources": {"cores": 0}}"#, "/resources/cores", "from 0.001 to 4096"),
        (#"{"name": "a", "command": "x", "resources": {"cores": "2"}}"#, "/resources/cores", "from 0.001 to 4096"),
        (
            #"{"name": "a", "command": "x", "resources": {"memory": "2 potatoes"}}"#, "/resources/memory",
            "such as 512MiB"
        ),
        (#"{"name": "a", "command": "x", "resources": {"memory": 10}}"#, "/resources/memory", "from 1MiB"),
        (#"{"name": "a", "command": "x", "resources": {"cards": -1}}"#, "/resources/cards", "from 0 to 1024"),
        (#"{"name": "a", "command": "x", "resources": {"card": "h100"}}"#, "/resources/cards", "say how many"),
        (#"{"name": "a", "command": "x", "resources": {"time_limit": "10"}}"#, "/resources/time_limit", "such as 90s"),
        (#"{"name": "a", "command": "x", "resources": {"time_limit": "31d"}}"#, "/resources/time_limit", "1s to 30d"),
        (
            #"{"name": "a", "command": "x", "resources": {"time_limit": "5m1h"}}"#, "/resources/time_limit",
            "such as 90s"
        ),
        (#"{"name": "a", "command": "x", "array": 0}"#, "/array", "from 1 to 10000"),
        (#"{"name": "a", "command": "x", "array": 100000}"#, "/array", "at most 10000 elements; split 100000"),
        (
            #"{"name": "a", "command": "x", "placement": {"tiers": ["hubb"]}}"#, "/placement/tiers/0",
            "did you mean 'hub'?"
        ),
        (#"{"name": "a", "command": "x", "placement": {"centres": ["-"]}}"#, "/placement/centres/0", "is not a name"),
        (#"{"name": "a", "command": "x", "placement": {"emulated": "no"}}"#, "/placement/emulated", "true or false"),
        (#"{"name": "a", "command": "x", "placement": {"tier": "hub"}}"#, "/placement/tier", "did you mean 'tiers'?"),
        (#"{"name": "a", "command": "x", "priority": 1001}"#, "/priority", "from 0 to 1000"),
        (#"{"name": "a", "command": "x", "preemptible": 1}"#, "/preemptible", "true or false"),
        (#"{"name": "a", "command": "x", "grace_period": "2h"}"#, "/grace_period", "0s to 1h"),
        (#"{"name": "a", "command": "x", "retries": {"limit": 101}}"#, "/retries/limit", "from 0 to 100"),
        (#"{"name": "a", "command": "x", "retries": {"on": ["sadness"]}}"#, "/retries/on/0", "must be one of exit"),
        (#"{"name": "a", "command": "x", "retries": {"backoff": "2h"}}"#, "/retries/backoff", "0s to 1h"),
        (#"{"name": "a", "command": "x", "retries": {"times": 1}}"#, "/retries/times", "not a known key"),
        (#"{"name": "a", "command": "x", "on_centre_loss": "requeue"}"#, "/on_centre_loss", "must be 'wait' or"),
        (#"{"name": "a", "command": "x", "on_centre_loss": {}}"#, "/on_centre_loss/requeue_after", "is missing"),
        (#"{"name": "a", "command": "x", "on_centre_loss": {"after": 1}}"#, "/on_centre_loss/after", "not a known key"),
        (#"{"name": "a", "command": "x", "isolation": "maybe"}"#, "/isolation", "must be one of auto, required, none"),
        (#"{"name": "a", "command": "x", "inputs": {".x": {}}}"#, "/inputs/.x", "not beginning with '.'"),
        (#"{"name": "a", "command": "x", "inputs": {"x": {}}}"#, "/inputs/x", "must have 'digest' and 'kind'"),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"digest": "\#(someDigest)"}}}"#, "/inputs/x/kind",
            "is missing"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"digest": "1", "kind": "file"}}}"#, "/inputs/x/digest",
            "64 hexadecimal"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"digest": "\#(someDigest)", "kind": "zip"}}}"#,
            "/inputs/x/kind", "file, tree"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"kind": "file", "job": "\#(someJobID)"}}}"#, "/inputs/x",
            "only one of them"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"repository": "images/demo/m"}}}"#, "/inputs/x/repository",
            "models/…, datasets/… or algorithms/…"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"repository": "models/demo/m", "path": "../etc"}}}"#,
            "/inputs/x/path", "inside the repository"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"repository": "models/demo/m", "kind": "tree"}}}"#,
            "/inputs/x/kind", "one or the other"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"repository": "models/demo/m", "rev": "v1"}}}"#,
            "/inputs/x/rev", "not a known key"
        ),
        (#"{"name": "a", "command": "x", "publish": {"m": {}}}"#, "/publish/m/repository", "is missing"),
        (
            #"{"name": "a", "command": "x", "publish": {"m": {"repository": "models/demo/m"}}}"#, "/publish/m",
            "not among the job's outputs"
        ),
        (
            #"{"name": "a", "command": "x", "publish": {"m": {"repository": "models/demo/m", "branch": "a..b"}}}"#,
            "/publish/m/branch", "name of a branch"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"job": "\#(someJobID)"}}}"#, "/inputs/x/output",
            "is missing"
        ),
        (
            #"{"name": "a", "command": "x", "inputs": {"x": {"job": "b", "output": "c"}}}"#, "/inputs/x/job",
            "only inside a workflow"
        ),
        (#"{"name": "a", "command": "x", "outputs": ["a/b"]}"#, "/outputs/0", "is not a name"),
        (#"{"name": "a", "command": "x", "outputs": ["a", "a"]}"#, "/outputs/1", "repeats 'a'"),
        (#"{"name": "a", "command": "x", "outputs": "a"}"#, "/outputs", "must be a list"),
        (#"{"name": "a", "command": "x", "after": ["b"]}"#, "/after/0", "not a job's or an array's id"),
        (#"{"name": "a", "command": "x", "after": [1]}"#, "/after/0", "must be a string"),
        (#"{"name": "a", "command": "x", "after": ["\#(someJobID)", "\#(someJobID)"]}"#, "/after/1", "repeats"),
        (#"{"name": "a", "command": "x", "project": "-"}"#, "/project", "is not a name"),
    ]

    @Test("each fault is found where it is", arguments: cases)
    func fault(_ fault: (document: String, pointer: String, words: String)) {
        let found = jobFaults(fault.document)
        #expect(found.contains { $0.hasPrefix(fault.pointer + ": ") && $0.contains(fault.words) }, "\(found)")
    }

    @Test("every length and count has a cap that is named")
    func caps() {
        func list(_ count: Int, _ item: (Int) -> String) -> String { (0..<count).map(item).joined(separator: ",") }
        func job(_ rest: String) -> String { #"{"name": "a", "command": "x", \#(rest)}"# }
        let documents: [(String, String, String)] = [
            (#"{"name": "a", "command": [\#(list(1025) { _ in #""x""# })]}"#, "/command", "at most 1024"),
            (
                #"{"name": "a", "command": ["\#(String(repeating: "x", count: 131_072))"]}"#, "/command/0",
                "131071 bytes"
            ),
            (
                #"{"name": "a", "command": [\#(list(3) { _ in "\"" + String(repeating: "x", count: 100_000) + "\"" })]}"#,
                "/command", "262144 bytes long in all"
            ),
            (job(#""parameters": {\#(list(257) { "\"p\($0)\": 1" })}"#), "/parameters", "at most 256"),
            (
                job(#""parameters": {"p": "\#(String(repeating: "x", count: 65_536))"}"#), "/parameters",
                "65536 bytes of JSON"
            ),
            (job(#""environment": {\#(list(257) { "\"P\($0)\": \"1\"" })}"#), "/environment", "at most 256"),
            (
                job(#""environment": {"P": "\#(String(repeating: "x", count: 32_769))"}"#), "/environment/P",
                "32768 bytes"
            ),
            (
                job(
                    #""environment": {\#(list(9) { "\"P\($0)\": \"" + String(repeating: "x", count: 32_000) + "\"" })}"#
                ),
                "/environment", "262144 bytes long in all"
            ),
            (job(#""inputs": {\#(list(257) { "\"i\($0)\": {}" })}"#), "/inputs", "at most 256"),
            (job(#""outputs": [\#(list(65) { "\"o\($0)\"" })]"#), "/outputs", "at most 64"),
            (job(#""after": [\#(list(1001) { _ in "\"x\"" })]"#), "/after", "at most 1000"),
            (job(#""placement": {"centres": [\#(list(101) { "\"c\($0)\"" })]}"#), "/placement/centres", "at most 100"),
        ]
        for (document, pointer, words) in documents {
            let found = jobFaults(document)
            #expect(
                found.contains { $0.hasPrefix(pointer + ": ") && $0.contains(words) },
                "\(pointer) \(found.prefix(3))"
            )
        }
    }

    @Test("at most a hundred faults are listed, and the rest counted")
    func manyFaults() throws {
        let keys = (0..<150).map { "\"key\($0)\": 1" }.joined(separator: ",")
        do {
            _ = try JobDocument.read(json("{\"name\": \"a\", \"command\": \"x\", \(keys)}"))
            Issue.record("accepted")
        } catch let failure as Failure {
            #expect(failure.violations.count == 100)
            #expect(failure.detail.contains("150 faults"))
        }
    }

    @Test(
        "times are read in seconds, minutes, hours and days",
        arguments: [
            ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86_400), ("1d2h3m4s", 93_784),
        ]
    )
    func times(_ text: String, seconds: Int) {
        #expect(WireDuration.seconds(text) == seconds)
        #expect(WireDuration.seconds(WireDuration.text(seconds)) == seconds)
    }

    @Test("what is no time is refused", arguments: ["", "s", "10", "1x", "-1s", "1.5h", "1s1s", "1m1h", "9999999999s"])
    func noTimes(_ text: String) {
        #expect(WireDuration.seconds(text) == nil)
    }

    @Test("no mutation of a document crashes the reader")
    func mutations() throws {
        var generator = Seeded()
        print("ONEPOINT_TEST_SEED=\(generator.seed)")
        let base = Array(try text(of: "workflows/tour.yaml").utf8)
        for _ in 0..<2000 {
            var bytes = base
            for _ in 0..<Int.random(in: 1...8, using: &generator) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[at] = UInt8.random(in: 0...127, using: &generator)
                case 1: bytes.remove(at: at)
                case 2:
                    bytes.insert(
                        contentsOf: Array("[]{}:-#&*'\"|> \n\t?!,".utf8).shuffled(using: &generator).prefix(2),
                        at: at
                    )
                default:
                    let end = min(bytes.count, at + Int.random(in: 0..<200, using: &generator))
                    bytes.removeSubrange(at..<end)
                }
            }
            guard let document = try? YAMLDocument.parse(utf8: bytes) else { continue }
            _ = try? SubmissionDraft.read(document.json, from: .file)
            _ = try? AlgorithmManifest.read(document.json)
            _ = try? SubmissionDraft.read(JSON(parsing: Array(document.json.text.utf8)))
        }
    }
}
