import Core
import Foundation
import Logging
import TestKit
import Testing

@testable import Engines

enum SlurmHere {
    static let scripts = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("scripts/engines").path

    /// The folder of a Debian with Slurm 24.11, where `scripts/setup-engines` made one and it is mounted.
    static var nextGeneration: String? {
        let all = ProcessInfo.processInfo.environment
        let cache = all["ONEPOINT_ENGINES"] ?? "\(all["HOME"] ?? "/root")/.cache/onepoint-engines"
        let root = "\(cache)/debian13"
        let files = FileManager.default
        let isThere = files.isExecutableFile(atPath: "\(root)/usr/sbin/slurmrestd")
        return isThere && files.fileExists(atPath: "\(root)/proc/self") ? root : nil
    }

    static var isPossible: Bool {
        getuid() == 0
            && ["slurmctld", "slurmd", "munged"].allSatisfy {
                FileManager.default.isExecutableFile(atPath: "/usr/sbin/\($0)")
            }
    }
}

private func freePorts() -> Int { 26_000 + 20 * Int.random(in: 0..<250) }

/// One real cluster at a time: a small machine has no room for more.
@Suite(.serialized) enum SlurmClusters {}

extension SlurmClusters {
    /// A real cluster, spoken to by its REST service.
    @Suite(
        "Slurm's REST service",
        .serialized,
        .enabled(if: SlurmHere.isPossible, "Slurm is not installed, or we are not root")
    )
    struct SlurmServiceTests {
        @Test("keeps the contract", .timeLimit(.minutes(15)), arguments: [SlurmRig.Access.service, .socket])
        func conformance(_ access: SlurmRig.Access) async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: access)
            defer { rig.remove() }
            try await expectContract(of: rig, "\(access)")
        }

        @Test(
            "of the next generation keeps it too",
            .enabled(if: SlurmHere.nextGeneration != nil, "Slurm 24.11 is not here: scripts/setup-engines slurm24"),
            .timeLimit(.minutes(15))
        )
        func nextGeneration() async throws {
            let root = try #require(SlurmHere.nextGeneration)
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: .service, root: root)
            defer { rig.remove() }
            let capacity = try await rig.engine().capacity()
            #expect(capacity.engineVersion.hasPrefix("Slurm 24."))
            #expect(capacity.nodes.count == 2 && capacity.nodes[0].cards == [CardGroup(model: "a100-80gb", count: 8)])
            try await expectContract(of: rig, "24.11")
            let bench = EngineBench(rig)
            try await expectCards(of: bench)
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(rig.folder)/token"))
            guard case .unreachable(let why)? = await fault({ _ = try await rig.engine().capacity() }) else {
                Issue.record("a wrong token was taken")
                return
            }
            #expect(why.contains("\(rig.folder)/token"), "\(why)")
        }

        private func expectContract(of rig: SlurmRig, _ name: String) async throws {
            for one in EngineConformance.cases(for: SlurmRig.features) {
                do { try await one.check(rig) } catch { Issue.record("\(name), \(one): \(error)") }
            }
        }

        @Test("counts the same nodes and cards as the commands do, and refuses in Slurm's words")
        func capacity() async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: .service)
            defer { rig.remove() }
            let bench = EngineBench(rig)
            let capacity = try await rig.engine().capacity()
            let other = try await SlurmEngine(
                .init(configFile: rig.configFile, cardAliases: ["a100": "a100-80gb"]),
                sharedFolder: "\(rig.folder)/other",
                log: Logger(label: "test")
            )
            #expect(try await other.capacity() == capacity)
            try await expectCards(of: bench)
            await expectRefusal(of: bench, "Slurm refuses it: ")
        }

        @Test(
            "a wrong token, an expired one, a dead controller and a dead service end nothing, and each says what to do"
        )
        func outages() async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: .service)
            defer { rig.remove() }
            let bench = EngineBench(rig)
            let engine = try await rig.engine()
            let order = try await bench.shell("echo up; until [ -e $ONEPOINT_OUTPUTS/go ]; do sleep 0.1; done") {
                $0.timeLimitSeconds = 600
            }
            try await bench.says("up", order.run)
            let token = "\(rig.folder)/token"
            func expectUnreachable(_ words: String) async {
                guard case .unreachable(let why)? = await fault({ _ = try await engine.list() }) else {
                    Issue.record("a list without '\(words)'")
                    return
                }
                #expect(why.contains(words), "\(why)")
            }
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: token))
            await expectUnreachable("the token in \(token)")
            try FileManager.default.removeItem(atPath: token)
            await expectUnreachable("cannot be read")
            try rig.renewToken(lifespanSeconds: 3600)
            try rig.end("slurmctld")
            await expectUnreachable("controller is down")
            try rig.start("slurmctld")
            try rig.end("slurmrestd", signal: "KILL")
            await expectUnreachable("cannot be reached")
            try rig.start("slurmrestd")
            try await bench.running(order.run)
            #expect(FileManager.default.createFile(atPath: "\(rig.outputs(order.run))/go", contents: nil))
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
        }
    }
}

/// Two cards are given to a job that asks for two.
private func expectCards(of bench: EngineBench) async throws {
    let order = try await bench.shell("echo $CUDA_VISIBLE_DEVICES") {
        $0.resources.cards = 2
        $0.resources.card = "a100-80gb"
    }
    #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
    #expect(try await bench.log(of: order.run) == "0,1\n")
}

/// What no node can give is refused, in Slurm's words.
private func expectRefusal(of bench: EngineBench, _ words: String) async {
    let large = await fault { _ = try await bench.submit(EngineProgram()) { $0.resources.cores = .cores(1000) } }
    guard case .refused(let why)? = large else {
        Issue.record("1000 cores: \(String(describing: large))")
        return
    }
    #expect(why.contains(words), "\(why)")
}

private func fault(_ body: () async throws -> Void) async -> EngineError? {
    do { try await body() } catch { return error as? EngineError }
    return nil
}

extension SlurmClusters {
    /// A real cluster of Slurm, for each of these its own.
    @Suite("Slurm", .serialized, .enabled(if: SlurmHere.isPossible, "Slurm is not installed, or we are not root"))
    final class SlurmTests {
        private let rig: SlurmRig
        private let bench: EngineBench

        init() throws {
            rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts())
            bench = EngineBench(rig)
        }

        deinit { rig.remove() }

        @Test("keeps the contract, by its commands", .timeLimit(.minutes(15)))
        func conformance() async throws {
            for one in EngineConformance.cases(for: SlurmRig.features) {
                let began = ContinuousClock.now
                do { try await one.check(rig) } catch { Issue.record("\(one): \(error)") }
                print("slurm: \(one): \(ContinuousClock.now - began)")
            }
        }

        @Test("a job that Slurm starts twice, after its controller was killed, runs once")
        func twin() async throws {
            // Slurm's state on disk lags: killed at once, the controller takes up what runs as still waiting.
            let order = try await bench.shell("echo started >> $ONEPOINT_OUTPUTS/starts; sleep 12; echo ended")
            try await bench.running(order.run)
            try rig.end("slurmctld", signal: "KILL")
            #expect(await fault { _ = try await rig.engine().list() } != nil)
            try rig.start("slurmctld")
            // It may start the job again, end it on its nodes, or remember. Whichever: one start, and one end that is true.
            let seen = try await bench.wait("the end", limit: .seconds(120), { try await bench.state(of: order.run) }) {
                if case .ended? = $0 { true } else { false }
            }
            guard case .ended(let outcome, _, _)? = seen else { return }
            let log = try await bench.log(of: order.run)
            #expect(outcome.kind == (log == "ended\n" ? .succeeded : .nodeFailure), "\(outcome)")
            #expect(try await rig.output("starts", of: order.run) == "started\n")
            let hadTwin = try await rig.slurm().runs.look(at: order.run)?.hasTwin == true
            print("slurm: the run \(outcome.summary); a second start \(hadTwin ? "was turned away" : "was not tried")")
        }

        @Test("a controller that is down, and a node that goes, end nothing by themselves")
        func outages() async throws {
            let order = try await bench.shell("echo up; until [ -e $ONEPOINT_OUTPUTS/go ]; do sleep 0.1; done")
            try await bench.says("up", order.run)
            let engine = try await rig.engine()
            try rig.end("slurmctld")
            for _ in 0..<2 {
                guard case .unreachable(let why)? = await fault({ _ = try await engine.list() }) else {
                    Issue.record("a controller that is down was listed")
                    continue
                }
                #expect(why.contains("squeue failed"), "\(why)")
            }
            let held = try await rig.order(bench.newRun(), program: EngineProgram(prints: "once"))
            #expect(await fault { _ = try await engine.submit(held) } != nil)
            try rig.start("slurmctld")
            try rig.end("slurmd-1", signal: "KILL")
            try rig.start("slurmd-1")
            try await bench.running(order.run)
            _ = try await engine.submit(held)
            try await engine.release(held.run)
            #expect(try await bench.end(of: held.run).outcome == RunOutcome(.succeeded))
            #expect(FileManager.default.createFile(atPath: "\(rig.outputs(order.run))/go", contents: nil))
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            #expect(try await rig.output("starts", of: held.run) == "started\n")
        }

        @Test(
            "a job that the controller has lost before it started is submitted again, and one cancelled outside has ended"
        )
        func lost() async throws {
            let (order, other) = (
                try await bench.submit(EngineProgram(prints: "here")), try await bench.submit(EngineProgram())
            )
            let engine = try await rig.slurm()
            // As if it had never been: a number that Slurm does not know.
            _ = try await engine.note("99999", for: order.run)
            try await cancelAtSlurm(other.run)
            try await engine.release(order.run)
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            #expect(try await rig.output("starts", of: order.run) == "started\n")
            #expect(try await bench.end(of: other.run).outcome.kind == .cancelled)
        }

        private func cancelAtSlurm(_ run: RunKey) async throws {
            let id = try #require(SlurmEngine.engineJob(run, try await rig.slurm().runs))
            try await SlurmCommandLine(configFile: rig.configFile).cancel(id)
        }

        @Test(
            "cards are counted by the catalogue's names and given to the job; what cannot be is refused in Slurm's words"
        )
        func cards() async throws {
            let capacity = try await rig.engine().capacity()
            #expect(capacity.nodes.map(\.name) == ["n1", "n2"])
            #expect(capacity.nodes.allSatisfy { $0.schedulable && $0.cores == .cores(64) })
            #expect(capacity.nodes[0].cards == [CardGroup(model: "a100-80gb", count: 8)])
            #expect(capacity.engineVersion.hasPrefix("Slurm 2"))
            try await expectCards(of: bench)
            await expectRefusal(of: bench, "Slurm refuses it: sbatch: error: ")
        }

        @Test("a check sends a job through, and says what keeps one from it")
        func check() async throws {
            let engine = try await rig.engine()
            let checks = await engine.check()
            #expect(
                checks.map(\.subject) == ["engine", "a job"] && checks.allSatisfy { $0.verdict == .passed },
                "\(checks)"
            )
            let elsewhere = try await SlurmEngine(
                .init(configFile: rig.configFile, partition: "none", cardAliases: ["a100": "a100-80gb"]),
                sharedFolder: "\(rig.folder)/elsewhere",
                log: Logger(label: "test")
            )
            let closed = await elsewhere.check()
            #expect(closed.first?.verdict == .failed && closed.first?.detail.contains("partition") == true, "\(closed)")
            try rig.end("slurmctld")
            let dead = await engine.check()
            #expect(dead.first?.verdict == .failed, "\(dead)")
        }

        @Test("hundreds of waiting jobs cost one call a look, and say why they wait")
        func many() async throws {
            let engine = try await rig.slurm()
            var runs: [RunKey] = []
            for _ in 0..<100 {
                let order = try await bench.submit(EngineProgram()) { $0.resources.cores = .cores(64) }
                runs.append(order.run)
            }
            #expect(try await engine.list().filter { runs.contains($0.run) }.count == 100)
            for run in runs.prefix(4) { try await engine.release(run) }
            for run in runs.prefix(4) { _ = try await bench.end(of: run) }
            let blocker = try await bench.start(EngineProgram(end: .never)) {
                $0.resources.cores = .cores(64); $0.tasks = 2
            }
            try await bench.running(blocker.run)
            try await engine.release(runs[4])
            let seen = try await bench.wait("a reason", { try await bench.state(of: runs[4]) }) {
                if case .pending(let why?) = $0 { why.contains("Slurm: ") } else { false }
            }
            print("slurm: waits because \(String(describing: seen))")
            for run in runs.dropFirst(4) + [blocker.run] { try await engine.cancel(run, grace: .zero) }
            for run in runs.dropFirst(4) + [blocker.run] {
                #expect(try await bench.end(of: run).outcome.kind == .cancelled)
            }
        }
    }
}

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
        script: "#!/bin/sh\n",
        tasks: 2,
        coresPerTask: 4,
        mebibytesPerCore: 512,
        cardsPerTask: "a100:2",
        minutes: 10,
        folder: "/shared/op-x-1",
        partition: "main",
        account: nil
    )

    @Test("each generation is sent what it takes")
    func bodies() throws {
        let environment = [(name: "PATH", value: "/bin")]
        for dialect in SlurmDialect.known {
            let body = dialect.body(submission, environment: environment)
            let job = try #require(body["job"])
            #expect(job["hold"] == .bool(true) && job["name"] == .string("op-x-1"))
            #expect((dialect.version >= 41 ? job : body)["script"] == .string("#!/bin/sh\n"))
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
        #expect(job.id == "7" && job.isHeld)
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
        let error = await fault { _ = try await service.jobs() }
        await server.close()
        guard case .unreachable(let why)? = error else {
            Issue.record("\(answer) was understood")
            return
        }
        #expect(why.contains(words) && !why.contains("secret"), "\(why)")
    }
}
