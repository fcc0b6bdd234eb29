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
            try await expectArrays(of: bench, rig)
            try await expectCards(of: bench)
            try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(rig.folder)/token"))
            guard case .unreachable(let why)? = await fault({ _ = try await rig.engine().capacity() }) else {
                Issue.record("a wrong token was taken")
                return
            }
            #expect(why.contains("\(rig.folder)/token"), "\(why)")
        }

        @Test("submits what waits together as arrays", .timeLimit(.minutes(5)))
        func arrays() async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: .service)
            defer { rig.remove() }
            try await expectArrays(of: EngineBench(rig), rig)
        }

        @Test("looks up in accounting what the controller has forgotten", .timeLimit(.minutes(5)))
        func accounting() async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), access: .service, keepsAccounts: true)
            defer { rig.remove() }
            try await expectAccounting(of: rig)
        }

        @Test(
            "of the next generation does so too",
            .enabled(if: SlurmHere.nextGeneration != nil, "Slurm 24.11 is not here: scripts/setup-engines slurm24"),
            .timeLimit(.minutes(5))
        )
        func nextAccounting() async throws {
            let root = try #require(SlurmHere.nextGeneration)
            let rig = try SlurmRig(
                scripts: SlurmHere.scripts,
                port: freePorts(),
                access: .service,
                root: root,
                keepsAccounts: true
            )
            defer { rig.remove() }
            try await expectAccounting(of: rig)
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

/// Runs that are submitted together are few jobs at Slurm, and yet each starts, ends and is cancelled by itself.
private func expectArrays(of bench: EngineBench, _ rig: SlurmRig) async throws {
    let engine = try await rig.slurm()
    var orders: [EngineOrder] = []
    for _ in 0..<40 { orders.append(try await rig.order(bench.newRun(), program: EngineProgram(prints: "here"))) }
    let names = try await withThrowingTaskGroup(of: (RunKey, String).self) { group in
        for order in orders { group.addTask { (order.run, try await engine.submit(order)) } }
        return try await group.reduce(into: [RunKey: String]()) { $0[$1.0] = $1.1 }
    }
    #expect(Set(names.values).count == 40)
    let jobs = Set(names.values.map { $0.prefix { $0 != "_" } })
    #expect(jobs.count <= 4, "\(jobs)")
    for order in orders { #expect(try await engine.submit(order) == names[order.run]) }
    func states() async throws -> [RunKey: EngineRun] {
        let mine = Set(orders.map(\.run))
        return Dictionary(try await engine.list().filter { mine.contains($0.run) }.map { ($0.run, $0) }) { $1 }
    }
    let held = try await states()
    #expect(held.count == 40 && held.values.allSatisfy { $0.state == .held && $0.engineJob == names[$0.run] })
    // Some of an array go; some are cancelled while held; the others stay held, whatever Slurm was told.
    let (first, cancelled, last) = (orders[1..<11], orders[11..<21], orders[21...] + [orders[0]])
    try await withThrowingTaskGroup(of: Void.self) { group in
        for order in first { group.addTask { try await engine.release(order.run) } }
        for order in cancelled { group.addTask { try await engine.cancel(order.run, grace: .zero) } }
        try await group.waitForAll()
    }
    for order in first { #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded)) }
    for order in cancelled { #expect(try await bench.end(of: order.run).outcome.kind == .cancelled) }
    for order in last { #expect(try await states()[order.run]?.state == .held) }
    try await rig.reopen()
    let reopened = try await rig.slurm()
    try await withThrowingTaskGroup(of: Void.self) { group in
        for order in last {
            group.addTask {
                #expect(try await reopened.submit(order) == names[order.run])
                try await reopened.release(order.run)
            }
        }
        try await group.waitForAll()
    }
    for order in last { #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded)) }
    for order in first + last {
        #expect(try await rig.output("starts", of: order.run) == "started\n")
        #expect(try await bench.log(of: order.run) == "here")
    }
    let records = Set(orders.compactMap { reopened.batches.place(of: $0.run)?.name })
    for order in orders { try await reopened.forget(order.run) }
    for name in records { #expect(!Disk.exists(reopened.batches.folder(name))) }
}

/// What the controller has forgotten is looked up in accounting: it ended outside, and is not submitted again.
private func expectAccounting(of rig: SlurmRig) async throws {
    let bench = EngineBench(rig)
    let engine = try await rig.slurm()
    let blocker = try await bench.start(EngineProgram(end: .never)) {
        $0.resources.cores = .cores(64); $0.tasks = 2; $0.timeLimitSeconds = 3600
    }
    try await bench.running(blocker.run)
    /// One that waits, is cancelled by somebody else, and is forgotten by the controller before we look again.
    func forgotten() async throws -> (run: RunKey, number: String) {
        let order = try await bench.start(EngineProgram())
        _ = try await bench.wait("a reason", { try await bench.state(of: order.run) }) {
            if case .pending(let why?) = $0 { why.contains("Slurm: Resources") } else { false }
        }
        let number = try #require(engine.batches.place(of: order.run)?.number)
        _ = try rig.command("scancel \(number)")
        _ = try await bench.wait("forgetting", limit: .seconds(240)) {
            try rig.command("squeue --noheader --states=all --format=%i")
        } until: {
            !$0.split(separator: "\n").contains(Substring(number))
        }
        return (order.run, number)
    }
    let first = try await forgotten()
    let outcome = try await bench.end(of: first.run).outcome
    #expect(outcome.kind == .nodeFailure && outcome.detail?.contains("could not begin") == true, "\(outcome)")
    #expect(engine.batches.place(of: first.run)?.number == first.number)
    // Its database away, nobody knows what became of the next: it is neither ended nor submitted again.
    let second = try await forgotten()
    try rig.end("slurmdbd")
    for _ in 0..<5 {
        guard case .pending(let why?)? = try await bench.state(of: second.run), why.contains("does not answer") else {
            Issue.record("it was judged without accounting")
            break
        }
    }
    try rig.start("slurmdbd")
    let late = try await bench.end(of: second.run).outcome
    #expect(late.kind == .nodeFailure, "\(late)")
    #expect(engine.batches.place(of: second.run)?.number == second.number)
    try await engine.cancel(blocker.run, grace: .zero)
    _ = try await bench.end(of: blocker.run)
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
            let seen = try await bench.wait("the end", limit: .seconds(240), { try await bench.state(of: order.run) }) {
                if case .ended? = $0 { true } else { false }
            }
            guard case .ended(let outcome, _, _)? = seen else { return }
            let log = try await bench.log(of: order.run)
            // Slurm was seen to kill the script on its node and to miss the program, which then ended without a witness.
            #expect(outcome.kind == .nodeFailure || outcome.kind == .succeeded && log == "ended\n", "\(outcome)")
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
            let name = try #require(engine.batches.place(of: order.run)?.name)
            try engine.batches.note("99999", of: name)
            try await cancelAtSlurm(other.run)
            try await engine.release(order.run)
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            #expect(try await rig.output("starts", of: order.run) == "started\n")
            #expect(try await bench.end(of: other.run).outcome.kind == .cancelled)
        }

        private func cancelAtSlurm(_ run: RunKey) async throws {
            let number = try #require(try await rig.slurm().batches.place(of: run)?.number)
            try await SlurmCommandLine(configFile: rig.configFile).cancel(number, elements: [])
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

        @Test("what waits together is submitted as arrays", .timeLimit(.minutes(5)))
        func arrays() async throws { try await expectArrays(of: bench, rig) }

        @Test("what the controller has forgotten is looked up in accounting", .timeLimit(.minutes(5)))
        func accounting() async throws {
            let rig = try SlurmRig(scripts: SlurmHere.scripts, port: freePorts(), keepsAccounts: true)
            defer { rig.remove() }
            try await expectAccounting(of: rig)
        }

        @Test("a job that somebody else releases waits for us, and does nothing before", .timeLimit(.minutes(5)))
        func strangersRelease() async throws {
            let order = try await bench.submit(EngineProgram(prints: "here"))
            let engine = try await rig.slurm()
            let number = try #require(engine.batches.place(of: order.run)?.number)
            _ = try rig.command("scontrol release \(number)")
            _ = try await bench.wait("its start", { try rig.command("squeue --noheader --states=all --format=%i/%T") })
            {
                $0.contains("\(number)/RUNNING")
            }
            #expect(try await bench.state(of: order.run) == .held)
            try await engine.release(order.run)
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            #expect(try await rig.output("starts", of: order.run) == "started\n")
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
