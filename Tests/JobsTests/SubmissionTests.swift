import Core
import Store
import Testing
import Wire

@testable import Jobs

@Suite struct SubmissionTests {
    @Test("a submission with several faults is told all of them at once")
    func allFaults() async throws {
        let bench = try await Bench.make()
        let failure = await expectFailure(.invalid) {
            try await bench.submit(#"{"name": "Bad Name", "tasks": 0, "colour": 1}"#)
        }
        let pointers = Set(failure?.violations.map(\.pointer) ?? [])
        #expect(pointers.isSuperset(of: ["/name", "/tasks", "/colour", "/command"]), "\(pointers)")
    }

    @Test("a repeat with the same key answers with the first job, even when it could not be asked for today")
    func idempotency() async throws {
        let bench = try await Bench.make()
        let document = #"{"name": "a", "command": ["true"], "resources": {"cores": 8}}"#
        let first = try await bench.submit(document, key: "k")
        _ = try await bench.centre(cores: 1000)
        let again = try await bench.submit(document, key: "k")
        #expect(again.replayed)
        #expect(again.job == first.job)
        await expectFailure(.conflict) { try await bench.submit(#"{"name": "b", "command": ["true"]}"#, key: "k") }
        await expectFailure(.malformed) { try await bench.submit(document, key: "") }
        let counts = try await bench.point.overview(project: nil, bench.alice).jobs
        #expect(counts == ["queued": 1])
    }

    @Test("strangers cannot tell another's project from none, even by naming its algorithms")
    func strangers() async throws {
        let bench = try await Bench.make()
        let tree = try await bench.algorithm()
        let document = #"{"name": "a", "algorithm": {"name": "sum", "tree": "\#(tree)"}}"#
        let known = await expectFailure(.notFound) { try await bench.submit(document, as: bench.eve) }
        let unknown = await expectFailure(.notFound) {
            try await bench.submit(document, project: "nothing", as: bench.eve)
        }
        #expect(known?.detail.replacing("brain", with: "nothing") == unknown?.detail)
        #expect(known?.violations.isEmpty == true)
        await expectFailure(.forbidden) { try await bench.submit(document, as: bench.bob) }
    }

    @Test("an algorithm is resolved by content, with defaults filled in and every violation named")
    func algorithms() async throws {
        let bench = try await Bench.make()
        let tree = try await bench.algorithm()
        let id = try #require(
            try await bench.submit(
                #"{"name": "a", "algorithm": {"name": "sum", "tree": "\#(tree)"}, "parameters": {"terms": 3}}"#
            ).job
        )
        let spec = try await bench.point.job(id, bench.alice).spec
        #expect(spec.command == ["python3", "{algorithm}/sum.py"])
        #expect(spec.parameters == ["terms": .integer(3), "scale": .number(0.5)])
        #expect(spec.algorithm?.version == "1.0.0")
        let failure = await expectFailure(.invalid) {
            try await bench.submit(
                """
                {"name": "a", "algorithm": {"name": "sum", "version": "2", "tree": "\(tree)"},
                 "parameters": {"term": 3}, "outputs": ["nothing"]}
                """
            )
        }
        let pointers = Set(failure?.violations.map(\.pointer) ?? [])
        #expect(
            pointers.isSuperset(of: ["/algorithm/version", "/parameters/terms", "/parameters/term", "/outputs/0"]),
            "\(pointers)"
        )
    }

    @Test("an array and a workflow become jobs whose names were resolved")
    func workflows() async throws {
        let bench = try await Bench.make()
        let view = try await bench.submit(
            """
            {"workflow": "tour", "jobs": [
              {"name": "train", "command": ["true"], "inputs": {"text": {"job": "collect", "output": "text"}}},
              {"name": "collect", "command": ["true"], "array": 3, "outputs": ["text"]},
              {"name": "last", "command": ["true"], "after": ["train"]}]}
            """
        )
        #expect(view.count == 5)
        let workflow = try await bench.point.workflow(try #require(view.workflow), bench.alice)
        let edges = Dictionary(uniqueKeysWithValues: workflow.nodes.map { ($0.name, $0.after.map(\.node)) })
        #expect(edges == ["train": ["collect"], "collect": [], "last": ["train"]])
        let train = try #require(workflow.nodes.first { $0.name == "train" }?.job)
        let array = try #require(workflow.nodes.first { $0.name == "collect" }?.array)
        #expect(
            try await bench.point.job(train, bench.alice).spec.inputs.first?.source
                == .output(job: "\(array)", output: "text")
        )
        #expect(try await bench.point.why(train, bench.alice).code == "dependency")
        await expectFailure(.notFound) { try await bench.point.workflow(#require(view.workflow), bench.eve) }
    }

    @Test("a failure takes along everything that waits for it, however long the chain")
    func cascades() async throws {
        let bench = try await Bench.make()
        let first = try await bench.submitJob("first")
        var last = try await bench.submitJob("second", #""after": ["\#(first)"]"#)
        for index in 1..<300 {
            last = try await bench.submitJob("j\(index)", #""after": ["\#(last)", "\#(first)"]"#)
        }
        let agent = try await bench.centre()
        try await bench.point.place()
        let run = try #require(try await agent.start().first)
        try await agent.end(run, .exit, code: 3)
        let detail = try await bench.point.job(last, bench.alice).summary
        #expect(detail.state == .cancelled)
        #expect(detail.detail?.contains("which it waits for") == true)
        #expect(try await bench.point.overview(project: nil, bench.alice).jobs == ["failed": 1, "cancelled": 300])
    }

    @Test("a long chain of jobs is cancelled without running out of stack")
    func deepChain() async throws {
        let bench = try await Bench.make()
        let first = try await bench.submitJob("first")
        let (alice, brain, now) = (bench.alice.user, bench.brain, bench.clock.now)
        let last = try await bench.point.store.write { tx in
            var last = first
            for index in 1...5_000 {
                let next = first.advanced(by: index)
                try tx.append(
                    .jobsSubmitted(
                        .init(
                            first: next,
                            count: 1,
                            project: brain,
                            user: alice,
                            spec: JobSpec(name: "j", command: ["true"]),
                            dependencies: [.job(last)]
                        )
                    ),
                    project: brain,
                    subject: "\(next)",
                    actor: "user/alice",
                    at: now
                )
                last = next
            }
            return last
        }
        _ = try await bench.point.cancel(first, bench.alice)
        #expect(try await bench.state(last) == .cancelled)
    }

    @Test("a job may depend on what has succeeded or may yet, never on what has failed or is another's")
    func dependencies() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let good = try await bench.submitJob("good", #""outputs": ["x"]"#)
        let bad = try await bench.submitJob("bad")
        try await bench.point.place()
        try await agent.start()
        let digest = try await bench.upload("x")
        let artifact = Artifact(name: "x", kind: .file, digest: digest, size: 1)
        try await agent.end(RunKey(job: good, number: 1), artifacts: [artifact])
        try await agent.end(RunKey(job: bad, number: 1), .exit, code: 1)
        let next = try await bench.submitJob("next", #""inputs": {"in": {"job": "\#(good)", "output": "x"}}"#)
        try await bench.point.place()
        #expect(try await agent.accept().first?.inputs == [.init(path: "in", kind: .file, digest: digest)])
        #expect(try await bench.run(next).state == .submitting)
        for (document, project) in [
            (#""after": ["\#(bad)"]"#, "brain"), (#""inputs": {"in": {"job": "\#(good)", "output": "y"}}"#, "brain"),
        ] {
            await expectFailure(.invalid) { try await bench.submitJob("no", document, project: project) }
        }
        let failure = await expectFailure(.invalid) {
            try await bench.submitJob("no", #""after": ["\#(good)"]"#, project: "other", as: bench.eve)
        }
        #expect(failure?.violations.first?.message == "there is no \(good) in this project")
    }

    @Test("what no centre could ever run is refused with the nearest request that one could")
    func impossible() async throws {
        let bench = try await Bench.make()
        _ = try await bench.centre(cores: 4000)
        let failure = await expectFailure(.impossible) {
            try await bench.submit(#"{"name": "a", "command": ["true"], "resources": {"cores": 16}}"#)
        }
        #expect(failure?.detail.contains("4 instead of 16 cores") == true, "\(failure?.detail ?? "")")
        #expect(failure?.violations.first?.pointer == "/resources")
    }

    @Test("only operators run jobs without isolation")
    func isolation() async throws {
        let bench = try await Bench.make()
        await expectFailure(.invalid) { try await bench.submitJob("a", #""isolation": "none""#) }
        _ = try await bench.submitJob("a", #""isolation": "none""#, as: bench.root)
    }
}

extension Bench {
    /// Uploads a small algorithm and says its tree.
    func algorithm() async throws -> Digest {
        let manifest = """
            name: sum
            version: 1.0.0
            summary: Adds.
            licence: MIT
            entry_point: [python3, "{algorithm}/sum.py"]
            parameters:
              terms: {type: integer, description: How many.}
              scale: {type: number, default: 0.5, description: Of each.}
            outputs:
              total: {description: The sum.}
            """
        var files: [TreeManifest.File] = []
        for (path, text) in [("algorithm.yaml", manifest), ("sum.py", "print(1)")] {
            files.append(
                .init(
                    path: path,
                    digest: try await upload(text),
                    size: Bytes(Int64(text.utf8.count)),
                    executable: false
                )
            )
        }
        return try await upload(String(decoding: TreeManifest(files: files).canonical, as: UTF8.self))
    }
}
