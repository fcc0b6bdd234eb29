import Core
import Foundation
import Synchronization
import TestKit
import Testing

@testable import Engines

@Suite("What Slurm says") struct SlurmReadingTests {
    @Test(
        "every state of a job is understood, in the words of all versions",
        arguments: [
            (["PENDING"], SlurmState.pending), (["RUNNING"], .running), (["SUSPENDED"], .running),
            (["COMPLETED"], .ended(.succeeded)), (["CANCELLED"], .ended(.cancelled)),
            (["CANCELLED by 0"], .ended(.cancelled)),
            (["FAILED"], .ended(.exit)), (["TIMEOUT"], .ended(.timeLimit)), (["DEADLINE"], .ended(.timeLimit)),
            (["OUT_OF_MEMORY"], .ended(.outOfMemory)), (["NODE_FAIL"], .ended(.nodeFailure)),
            (["BOOT_FAIL"], .ended(.nodeFailure)), (["PREEMPTED"], .ended(.preempted)),
            (["REVOKED"], .ended(.cancelled)),
            (["COMPLETING"], .running), (["FAILED", "COMPLETING"], .running), (["CONFIGURING"], .running),
            (["STAGE_OUT"], .running), (["SIGNALING"], .running), (["RESIZING"], .running), (["STOPPED"], .running),
            (["REQUEUED"], .pending), (["PENDING", "REQUEUED"], .pending), (["REQUEUE_HOLD"], .pending),
            (["SPECIAL_EXIT"], .pending), (["NEW_WORD"], .unknown("NEW_WORD")), ([], .unknown("")),
        ]
    )
    func states(words: [String], state: SlurmState) { #expect(SlurmState(words) == state) }

    @Test("generic resources are read in all their forms")
    func gres() {
        func read(_ text: String) -> [String] { SlurmNode.cards(text).map { "\($0.type)=\($0.count)" } }
        #expect(read("gpu:a100:8(S:0-1)") == ["a100=8"])
        #expect(read("gpu:2") == ["gpu=2"])
        #expect(read("gpu:h100:4(IDX:0,1,2,3),gpu:a30:1,nic:2") == ["h100=4", "a30=1"])
        #expect(read("(null)").isEmpty && read("").isEmpty && read("gpu:a100:-1").isEmpty && read("gpu").isEmpty)
    }

    @Test(
        "lists of nodes are read in all their forms, and what is none is none",
        arguments: [
            ("n1", ["n1"]), ("a[1-3,07],b", ["a1", "a2", "a3", "a07", "b"]), ("r[08-10]", ["r08", "r09", "r10"]),
            ("r[1-2]n[0-1]", ["r1n0", "r1n1", "r2n0", "r2n1"]), ("", []), ("(null)", []), ("None assigned", []),
            ("a[1-", []), ("a]", []), ("a[3-1]", []), ("a[x]", []), ("a[0-99999999]", []), ("a[1-2-3]", []),
            ("a[0-99999]b[0-99999]", []), ("a[1][2][3][4][5][6]", []),
        ]
    )
    func hosts(text: String, names: [String]) { #expect(SlurmHosts.expanded(text) == names) }

    @Test("what a node has given out is read from its line")
    func given() throws {
        let line =
            "NodeName=n1 CPUAlloc=6 CPUTot=64 Gres=gpu:a100:8 GresUsed=gpu:a100:3(IDX:0-2) RealMemory=256000 AllocMem=900 "
            + "State=MIXED Partitions=main"
        let node = try #require(SlurmCommandLine.node(Substring(line)))
        #expect(node.usedCores == 6 && node.usedMebibytes == 900)
        #expect(SlurmNode.cards(node.usedGres).map(\.count) == [3])
    }

    @Test("a node is read from its line, and one that is not open is not schedulable")
    func node() throws {
        let line =
            "NodeName=n1 CPUTot=64 CPUEfctv=62 Gres=gpu:a100:8 RealMemory=256000 State=%S Partitions=main,long OS=Linux 6"
        func node(_ state: String) -> SlurmNode? {
            SlurmCommandLine.node(Substring(line.replacingOccurrences(of: "%S", with: state)))
        }
        let idle = try #require(node("IDLE"))
        #expect(
            idle.cores == 62 && idle.mebibytes == 256_000 && idle.partitions == ["main", "long"] && idle.isSchedulable
        )
        for state in ["MIXED", "ALLOCATED", "COMPLETING", "PLANNED", "IDLE+POWERED_UP"] {
            #expect(node(state)?.isSchedulable == true)
        }
        for state in [
            "DOWN*", "IDLE+DRAIN", "MIXED+MAINT", "IDLE*", "DOWN+NOT_RESPONDING", "RESERVED", "IDLE+REBOOT_ISSUED",
        ] {
            #expect(node(state)?.isSchedulable == false, "\(state)")
        }
        #expect(SlurmCommandLine.node("No nodes in the system") == nil)
    }

    @Test("a job's line is read, alone and of an array, and elements are found by number and name together")
    func listing() {
        let lines = [
            "12_3|op-x-1|RUNNING|n[1-2]|None", "12_[0-2,5%4]|op-x-1|PENDING||JobHeldUser", "13|op-y-1|PENDING||a|b",
            "14|other|RUNNING|n1|None",
            "15_[0-1,7-...]|op-z-1|PENDING||JobHeldUser", "CLUSTER: a",
        ]
        let jobs = lines.compactMap { SlurmCommandLine.job(Substring($0)) }
        #expect(jobs.map(\.number) == ["12", "12", "13", "15"])
        #expect(jobs.map(\.nodes) == [["n1", "n2"], [], [], []] && jobs[2].reason == "a|b")
        let listing = SlurmListing(jobs)
        func state(_ name: String, _ number: String, _ index: Int?) -> SlurmState? {
            listing.job(SlurmBatches.Place(name: name, index: index, number: number))?.state
        }
        #expect(state("op-x-1", "12", 3) == .running && state("op-x-1", "12", 1) == .pending)
        #expect(state("op-x-1", "12", 4) == nil && state("op-y-1", "12", 3) == nil)
        #expect(state("op-y-1", "13", nil) == .pending && state("op-z-1", "15", 99) == .pending)
        #expect(listing.numbers["op-x-1"] == ["12": false] && listing.numbers["op-z-1"] == ["15": true])
        #expect(
            SlurmCommandLine.name("12", [7, 0, 1, 2, 4]) == "12_[0-2,4,7]" && SlurmCommandLine.name("12", []) == "12"
        )
    }

    @Test("what waits while a call is under way goes along with the next one")
    func gathering() async throws {
        let gathering = Gathering<Int, Int>(CallBudget(perMinute: 60_000), countMax: 100)
        let calls = Mutex<[Int]>([])
        let (began, go) = (Bell(), Bell())
        let work: @Sendable ([Int]) async -> [Result<Int, EngineError>] = { items in
            calls.withLock { $0.append(items.count) }
            if items == [0] {
                began.ring()
                await go.wait(beyond: 0, atMost: .seconds(600))
            }
            return items.map { $0 == 13 ? .failure(.refused("13")) : .success(2 * $0) }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let answer = try await gathering.ask(0, work)
                #expect(answer == 0)
            }
            await began.wait(beyond: 0, atMost: .seconds(600))
            for item in 1...150 {
                group.addTask {
                    do throws(EngineError) {
                        let answer = try await gathering.ask(item, work)
                        #expect(answer == 2 * item)
                    } catch { #expect(item == 13 && error == .refused("13")) }
                }
            }
            while await gathering.waitingCount < 150 { await Task.yield() }
            go.ring()
            try await group.waitForAll()
        }
        #expect(calls.withLock { $0 } == [1, 100, 50])
    }

    @Test("batches are found again after a restart, and go with the last of their runs")
    func batches() throws {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("batches-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: root) }
        let runs = try SharedRuns(root: root)
        var random = SystemRandomNumberGenerator()
        let members = (0..<3).map { _ in
            RunKey(job: JobID(now: Instant(milliseconds: 0), using: &random), number: 1)
        }
        for run in members { try Disk.makeFolder(runs.folder(run).path) }
        let shape = SlurmShape(tasks: 1, coresPerTask: 2, mebibytesPerCore: 3, minutes: 4)
        let batches = try SlurmBatches(runs)
        let batch = try batches.open(members, shape)
        #expect(batches.place(of: members[2])?.text == nil && batches.unanswered == [members[0].description])
        #expect(!batches.isSuperseded(batch.name, "5"))
        try batches.note("5", of: batch.name)
        #expect(batches.place(of: members[2])?.text == "5_2" && batches.isSuperseded(batch.name, "6"))
        // Slurm has lost one of them.
        let again = try batches.open([members[0]], shape)
        #expect(again.name == "\(members[0]).1")
        let reopened = try SlurmBatches(runs)
        #expect(reopened.place(of: members[0]) == .init(name: again.name, index: nil, number: nil))
        #expect(reopened.place(of: members[1])?.text == "5_1" && reopened.shape(of: members[1]) == shape)
        for run in members {
            #expect(Disk.exists(reopened.folder(batch.name)))
            Disk.remove(runs.folder(run).path)
            reopened.forget(run)
        }
        #expect(Disk.names(in: "\(root)/batches") == [])
    }

    @Test("calls are spread over the minute once a short burst is spent")
    func budget() async {
        let budget = CallBudget(perMinute: 600)
        let began = ContinuousClock.now
        for _ in 0..<75 { await budget.take() }
        #expect(ContinuousClock.now - began >= .milliseconds(1300))
    }
}

@Suite("What Slurm's REST service says and wants") struct SlurmDialectTests {
    private let submission = SlurmSubmission(
        name: "op-x-1",
        shape: SlurmShape(
            tasks: 2,
            coresPerTask: 4,
            mebibytesPerCore: 512,
            cardsPerTask: "a100:2",
            minutes: 10,
            partition: "main",
            account: nil
        ),
        elements: 3,
        script: "#!/bin/sh\n",
        folder: "/shared/op-x-1",
        output: "/shared/op-x-1/%a/engine.log"
    )

    @Test("each generation is sent what it takes")
    func bodies() throws {
        let environment = [(name: "PATH", value: "/bin")]
        for dialect in SlurmDialect.known {
            let body = dialect.body(submission, environment: environment)
            let job = try #require(body["job"])
            #expect(job["hold"] == .bool(true) && job["name"] == .string("op-x-1"))
            #expect((dialect.version >= 41 ? job : body)["script"] == .string("#!/bin/sh\n"))
            #expect(job["array"] == .string("0-2"))
            #expect(SlurmDialect.number(job["time_limit"]) == 10)
            #expect(SlurmDialect.number(job["memory_per_cpu"]) == 512)
            if dialect.version >= 39 {
                #expect(job["environment"] == .array([.string("PATH=/bin")]) && job["requeue"] == .bool(false))
                #expect(job["tres_per_task"] == .string("gres/gpu:a100:2"))
            } else {
                #expect(job["environment"]?["PATH"] == .string("/bin") && job["no_requeue"] == .bool(true))
                #expect(job["gpus_per_task"] == .string("a100:2"))
            }
        }
    }

    @Test(
        "answers of both generations are read alike",
        arguments: [
            #"{"job_id": 7, "name": "op-x-1", "job_state": "PENDING", "state_reason": "JobHeldUser"}"#,
            """
            {"job_id": {"set": true, "infinite": false, "number": 7}, "name": "op-x-1", "job_state": ["PENDING"],
             "state_reason": "JobHeldUser"}
            """,
        ]
    )
    func jobs(_ text: String) throws {
        let job = try #require(SlurmDialect.job(try JSON(parsing: Array(text.utf8))))
        #expect(job.number == "7" && job.part == .whole && job.isHeld)
    }

    @Test(
        "elements of an array are read alike, by themselves and waiting together",
        arguments: [
            (#""array_job_id": 7, "array_task_id": 3, "array_task_string": """#, SlurmJob.Part.element(3)),
            (#""array_job_id": 7, "array_task_id": null, "array_task_string": "0-2,5""#, .waiting("0-2,5")),
            (
                #""array_job_id": {"set": true, "number": 7}, "array_task_id": {"set": true, "number": 0}"#,
                .element(0)
            ),
            (
                #""array_job_id": {"set": true, "number": 7}, "array_task_id": {"set": false}, "array_task_string": "1""#,
                .waiting("1")
            ),
            (#""array_job_id": {"set": true, "number": 0}, "array_task_id": {"set": false}"#, .whole),
        ]
    )
    func elements(_ text: String, _ part: SlurmJob.Part) throws {
        let json = "{\"job_id\": 9, \"name\": \"op-x-1\", \"job_state\": \"PENDING\", \(text)}"
        let job = try #require(SlurmDialect.job(try JSON(parsing: Array(json.utf8))))
        #expect(job.part == part && job.number == (part == .whole ? "9" : "7"))
    }

    @Test("an unset number is none, and the errors' numbers are found under each of their names")
    func readings() throws {
        func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }
        #expect(SlurmDialect.number(try json(#"{"set": false, "infinite": false, "number": 0}"#)) == nil)
        #expect(SlurmDialect.number(try json(#"{"set": true, "infinite": true, "number": 0}"#)) == nil)
        let faults = SlurmDialect.faults(
            try json(#"{"errors": [{"errno": -1}, {"error_code": 2042, "error": "held"}, {"error_number": 2017}]}"#)
        )
        #expect(faults.map(\.number) == [-1, 2042, 2017])
        #expect(SlurmDialect.job(try json(#"{"job_id": 7, "name": "other"}"#)) == nil)
        let node = SlurmDialect.node(
            try json(
                #"{"name": "n", "cpus": 64, "real_memory": 5, "state": "idle", "state_flags": ["DRAIN"], "gres": ""}"#
            )
        )
        #expect(node?.states == ["IDLE", "DRAIN"] && node?.isSchedulable == false)
    }

    @Test(
        "what is no slurmrestd, or of no known version, is named so",
        arguments: [
            ("<html>login</html>", "web page"), (#"{"paths": {"/slurm/v0.0.99/jobs": {}}}"#, "none of the versions"),
            (#"{"pa"#, "no JSON"), ("{}", "no paths"),
        ]
    )
    func foreign(_ answer: String, _ words: String) async throws {
        let server = try await LoopbackHTTP { _ in LoopbackHTTP.Answer(200, answer) }
        let token = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID())")
        try Data("secret".utf8).write(to: token)
        defer { try? FileManager.default.removeItem(at: token) }
        let service = SlurmREST(.init(address: server.address, user: "u", tokenFile: token.path))
        let error: EngineError?
        do throws(EngineError) {
            _ = try await service.jobs()
            error = nil
        } catch let thrown { error = thrown }
        await server.close()
        guard case .unreachable(let why)? = error else {
            Issue.record("\(answer) was understood")
            return
        }
        #expect(why.contains(words) && !why.contains("secret"), "\(why)")
    }

    @Test("a long list is asked for again only when a state, or something of ours, has changed, or a job is missed")
    func unchanged() async throws {
        let states = Mutex([("7", "RUNNING"), ("8_0", "PENDING"), ("8_1", "PENDING"), ("9", "RUNNING")])
        let asked = Mutex<[String]>([])
        let server = try await LoopbackHTTP { request in
            let path = request.target.prefix { $0 != "?" }
            asked.withLock { $0.append(request.target) }
            let jobs = states.withLock { states in
                states.map { id, state in
                    let parts = id.split(separator: "_")
                    return path.hasSuffix("/state/")
                        ? #"{"job_id": "\#(id)", "state": ["\#(state)"]}"#
                        : #"{"job_id": \#(parts[0]), "array_job_id": \#(parts.count > 1 ? parts[0] : "0"), "#
                            + #""array_task_id": \#(parts.last ?? ""), "name": "\#(id == "9" ? "theirs" : "op-x")", "#
                            + #""job_state": ["\#(state)"], "state_reason": "None"}"#
                }
            }
            return switch path {
            case "/openapi/v3": .init(200, #"{"paths": {"/slurm/v0.0.42/jobs/": {}}}"#)
            case "/slurm/v0.0.42/jobs/", "/slurm/v0.0.42/jobs/state/":
                .init(200, #"{"jobs": [\#(jobs.joined(separator: ", "))], "errors": []}"#)
            default: .init(200, #"{"errors": []}"#)
            }
        }
        let token = FileManager.default.temporaryDirectory.appendingPathComponent("token-\(UUID())")
        try Data("secret".utf8).write(to: token)
        defer { try? FileManager.default.removeItem(at: token) }
        let service = SlurmREST(.init(address: server.address, user: "u", tokenFile: token.path))
        /// Looks, and says whether the list was asked for.
        func lists(_ numbers: Set<String> = ["7", "8"]) async throws -> Bool {
            asked.withLock { $0 = [] }
            let jobs = try await service.jobs(among: numbers)
            #expect(Set(jobs.map(\.number)) == ["7", "8"])
            return asked.withLock { $0 }.contains("/slurm/v0.0.42/jobs/")
        }
        #expect(try await lists())
        // What the first list was of is known from here on.
        #expect(try await lists())
        #expect(try await !lists())
        #expect(asked.withLock { $0 } == ["/slurm/v0.0.42/jobs/state/?job_id=7&job_id=8"])
        // A stranger's end is none of our business.
        states.withLock { $0[3].1 = "COMPLETED" }
        #expect(try await !lists())
        states.withLock { $0[1].1 = "RUNNING" }
        #expect(try await lists())
        #expect(try await !lists())
        states.withLock { _ = $0.remove(at: 2) }
        #expect(try await lists())
        #expect(try await !lists())
        try await service.release("7", elements: [])
        #expect(try await lists())
        #expect(try await !lists())
        #expect(try await lists(["7", "8", "11"]))
        await server.close()
    }
}
