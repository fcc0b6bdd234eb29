import Core
import Foundation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Engines

/// Against a loopback server that keeps Jobs as API servers of several versions do, with the scripts executed as pods
/// would. A real control plane is in ``KubernetesClusterTests``.
@Suite("Kubernetes is driven by Jobs")
struct KubernetesEngineTests {
    private struct World {
        var server: KubernetesServer
        var engine: KubernetesEngine
        var folder: String
        /// Its own: scripts end what carries their run's name, and other worlds are on the same machine.
        var run: RunKey

        func order(_ command: [String] = ["true"], tasks: Int = 1, cards: Int = 0) -> EngineOrder {
            var order = EngineOrder.plain(run, folder: folder)
            order.command = command
            order.tasks = tasks
            order.resources = TaskResources(cores: 1500, memory: .mebi(64), cards: cards)
            order.nodes = []
            return order
        }

        var job: JSON? { server.job(run) }
        func seen() async throws -> EngineRun.State? { try await engine.list().first?.state }

        /// The first state that is right, or the last that was seen within the limit.
        func state(_ isRight: (EngineRun.State?) -> Bool) async throws -> EngineRun.State? {
            var last: EngineRun.State?
            _ = try await server.until {
                last = try? await seen()
                return isRight(last) ? true : nil
            }
            return last
        }

        /// Runs what the Job's pods would run, all of them at once, to its end.
        func runPods() async throws {
            let job = try #require(job)
            let words =
                job["spec"]?["template"]?["spec"]?["containers"]?.arrayValue?.first?["command"]?.arrayValue ?? []
            let text = words.compactMap { $0.stringValue.map(RunScript.quoted) }.joined(separator: " ")
            let isIndexed = job["spec"]?["completionMode"] != nil
            // By one shell, so that waiting for them all takes one thread.
            var script = ""
            for index in 0..<Int(job["spec"]?["completions"]?.integerValue ?? 1) {
                if isIndexed { script += "JOB_COMPLETION_INDEX=\(index) " }
                script += "\(text) &\n"
            }
            let all = script + "wait"
            _ = try await blocking { () throws(EngineError) -> Bool in (try? LocalEngineRig.shell(all)) != nil }
        }
    }

    private func with(queue: String? = nil, minor: Int = 28, _ body: (World) async throws -> Void) async throws {
        let server = KubernetesServer()
        server.state.withLock { $0.minor = minor }
        let loopback = try await LoopbackHTTP { server.answer($0) }
        var generator = SystemRandomNumberGenerator()
        let run = RunKey(job: JobID(now: Instant(milliseconds: 1_790_000_000_000), using: &generator), number: 1)
        let folder = "/tmp/onepoint-kubernetes-\(UUID().uuidString)"
        for name in ["in", "out"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let result: Result<Void, any Error>
        do {
            let access = KubernetesAccess(server: loopback.address, namespace: "ns", authority: nil, credential: .none)
            let engine = try await KubernetesEngine(
                .init(access: access, centre: "c", image: "i", folder: "\(folder)/centre", mount: folder, queue: queue),
                log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            )
            try await body(World(server: server, engine: engine, folder: folder, run: run))
            result = .success(())
        } catch { result = .failure(error) }
        await loopback.close()
        try? FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    @Test("a run is created held, released, carried out, and forgotten", arguments: [20, 22, 24, 28, 31])
    func life(minor: Int) async throws {
        try await with(minor: minor) { world in
            let order = world.order(["/bin/sh", "-c", "echo hello; exit 3"])
            #expect(try await world.engine.submit(order) == "\(order.run)")
            let held: JSON = minor >= 22 ? .bool(true) : .integer(0)
            #expect(world.job?["spec"]?[minor >= 22 ? "suspend" : "parallelism"] == held)
            #expect(try await world.seen() == .held)
            #expect(try await world.engine.submit(order) == "\(order.run)")
            try await world.engine.release(order.run)
            #expect(world.job?["spec"]?["parallelism"] == .integer(1))
            #expect(world.job?["spec"]?["suspend"] != .bool(true))
            try await world.engine.release(order.run)
            try await world.runPods()
            guard case .ended(let outcome, let started, _) = try await world.seen() else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome == RunOutcome(.exit, code: 3))
            #expect(started != nil)
            let log = try await world.engine.logs(order.run, task: 0, from: 2, countMax: 100)
            #expect(String(decoding: log, as: UTF8.self) == "llo\n")
            try await world.engine.forget(order.run)
            #expect(world.job == nil)
            #expect(try await world.engine.list().isEmpty)
            let creations = world.server.state.withLock { $0.calls.count { $0.hasPrefix("POST") } }
            #expect(creations == 2, "one that made it, and the repeat that found it")
        }
    }

    @Test("a gang's tasks find their ranks, wait for each other and meet", arguments: [20, 28])
    func gang(minor: Int) async throws {
        try await with(minor: minor) { world in
            let order = world.order(
                ["/bin/sh", "-c", "echo $RANK of $WORLD_SIZE at $MASTER_ADDR:$MASTER_PORT"],
                tasks: 3
            )
            _ = try await world.engine.submit(order)
            let services = world.server.state.withLock { $0.objects[KubernetesServer.services]?.keys.sorted() ?? [] }
            #expect(services == (minor >= 24 ? ["\(order.run)"] : []))
            try await world.engine.release(order.run)
            try await world.runPods()
            guard case .ended(let outcome, _, _) = try await world.seen() else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome == RunOutcome(.succeeded))
            var places: Set<Substring> = []
            for task in 0..<3 {
                let bytes = try await world.engine.logs(order.run, task: task, from: 0, countMax: 1000)
                let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
                #expect(words.prefix(3) == ["\(task)", "of", "3"])
                places.formUnion(words.suffix(1))
            }
            #expect(places.count == 1, "\(places)")
            if minor >= 24 { #expect(places.first?.hasPrefix("\(order.run)-0.\(order.run):") == true) }
        }
    }

    @Test("when one task of a gang fails, the others end and its status counts")
    func failingGang() async throws {
        try await with { world in
            let order = world.order(["/bin/sh", "-c", "[ $RANK = 2 ] && exit 5; sleep 1000"], tasks: 3)
            _ = try await world.engine.submit(order)
            try await world.engine.release(order.run)
            try await world.runPods()
            guard case .ended(let outcome, _, _) = try await world.seen() else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome.kind == .exit && outcome.code == 5, "\(outcome)")
        }
    }

    @Test("a pod that comes twice starts nothing the second time")
    func twin() async throws {
        try await with { world in
            let order = world.order(["/bin/sh", "-c", "echo x >> '\(world.folder)/out/starts'"])
            _ = try await world.engine.submit(order)
            try await world.engine.release(order.run)
            try await world.runPods()
            try await world.runPods()
            #expect(LocalEngineRig.text("\(world.folder)/out/starts") == "x\n")
        }
    }

    @Test("a creation whose answer was lost is found by its repeat")
    func lostCreation() async throws {
        try await with { world in
            world.server.state.withLock { $0.losesCreations = 1 }
            await #expect(throws: EngineError.self) { try await world.engine.submit(world.order()) }
            let again = try await world.engine.submit(world.order())
            #expect(again == "\(world.run)")
            #expect(world.server.state.withLock { $0.uids } == 1)
        }
    }

    @Test("a Job that somebody deleted before it began is made anew at the release")
    func deleted() async throws {
        try await with { world in
            _ = try await world.engine.submit(world.order())
            world.server.remove(KubernetesServer.jobs, "\(world.run)")
            try await world.engine.release(world.run)
            #expect(world.job?["spec"]?["suspend"] == .bool(false))
            #expect(world.job?["metadata"]?["uid"] == .string("uid-2"))
        }
    }

    @Test("a Job of that name that is not ours is refused, and stays")
    func foreign() async throws {
        try await with { world in
            let theirs = world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(world.run))
            await #expect(throws: EngineError.self) { try await world.engine.submit(world.order()) }
            #expect(world.job == theirs)
        }
    }

    @Test("a server that drops the suspension is refused before anything can start for long")
    func dropped() async throws {
        try await with { world in
            world.server.state.withLock { $0.dropsSuspension = true }
            do {
                _ = try await world.engine.submit(world.order())
                Issue.record("it was taken")
            } catch EngineError.refused(let why) { #expect(why.contains("SuspendJob")) }
            #expect(world.job == nil)
        }
    }

    @Test("a cancel before the start takes the claim and deletes the Job; its pod would start nothing")
    func cancelled() async throws {
        try await with { world in
            let order = world.order(["/bin/sh", "-c", "echo x > '\(world.folder)/out/starts'"])
            _ = try await world.engine.submit(order)
            try await world.engine.release(order.run)
            let job = world.job
            try await world.engine.cancel(order.run, grace: .zero)
            #expect(world.job == nil)
            world.server.put(KubernetesServer.jobs, try #require(job))
            try await world.runPods()
            #expect(LocalEngineRig.text("\(world.folder)/out/starts") == nil)
            guard case .ended(let outcome, _, _) = try await world.seen() else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome.kind == .cancelled)
        }
    }

    @Test("with a queue of Kueue the release names the queue and leaves the suspension to it")
    func kueue() async throws {
        try await with(queue: "team-a") { world in
            _ = try await world.engine.submit(world.order())
            #expect(world.job?["metadata"]?["labels"]?["kueue.x-k8s.io/queue-name"] == nil)
            try await world.engine.release(world.run)
            #expect(world.job?["metadata"]?["labels"]?["kueue.x-k8s.io/queue-name"] == .string("team-a"))
            #expect(world.job?["spec"]?["suspend"] == .bool(true))
        }
        try await with(queue: "team-a", minor: 20) { world in
            await #expect(throws: EngineError.self) { try await world.engine.submit(world.order()) }
        }
    }

    @Test("cards become a resource and a label of the node; what no open node has is refused")
    func cards() async throws {
        try await with { world in
            _ = try await world.engine.submit(world.order(cards: 2))
            let pod = world.job?["spec"]?["template"]?["spec"]
            let limits = pod?["containers"]?.arrayValue?.first?["resources"]?["limits"]
            #expect(limits?["nvidia.com/gpu"] == .string("2"))
            #expect(limits?["cpu"] == .string("1500m"))
            #expect(pod?["nodeSelector"]?["nvidia.com/gpu.product"] == .string("NVIDIA-H100-80GB-HBM3"))
            let nodes = try await world.engine.capacity().nodes
            #expect(nodes.map(\.name) == ["cordoned", "down", "gpu", "huawei", "plain"])
            #expect(nodes.map(\.schedulable) == [false, false, true, true, true])
            #expect(nodes[2].cards == [CardGroup(model: "h100-sxm5", count: 8)])
            #expect(nodes[3].cards == [CardGroup(model: "huawei.com/Ascend910", count: 16)])
            #expect(nodes[4].cores == 3920 && nodes[4].memory == Bytes(16 << 30))
        }
        try await with { world in
            await #expect(throws: EngineError.self) { try await world.engine.submit(world.order(cards: 32)) }
            #expect(world.job == nil)
        }
    }

    @Test("what pods of others ask for is told by node; daemons are a part of their node")
    func others() async throws {
        func pod(
            _ name: String,
            in namespace: String,
            on node: String?,
            _ requests: [(String, String)],
            first: [(String, String)] = [],
            owner: String = "ReplicaSet"
        ) -> JSON {
            func containers(_ requests: [(String, String)]) -> JSON {
                let amounts = JSON.object(requests.map { ($0.0, .string($0.1)) })
                return .array([.object([("resources", .object([("requests", amounts)]))])])
            }
            return .object([
                (
                    "metadata",
                    .object([
                        ("name", .string(name)), ("namespace", .string(namespace)),
                        ("ownerReferences", .array([.object([("kind", .string(owner))])])),
                    ])
                ),
                (
                    "spec",
                    KubernetesFixtures.object([
                        ("nodeName", node.map { .string($0) }), ("containers", containers(requests)),
                        ("initContainers", containers(first)),
                    ])
                ), ("status", .object([("phase", .string("Running"))])),
            ])
        }
        try await with { world in
            let server = world.server
            let whole = try await world.engine.capacity().nodes
            #expect(try await world.engine.others().isEmpty)
            server.put(
                KubernetesServer.allPods,
                pod("web-0", in: "a", on: "gpu", [("cpu", "1500m"), ("memory", "1Gi"), ("nvidia.com/gpu", "3")])
            )
            server.put(
                KubernetesServer.allPods,
                pod("db", in: "b", on: "gpu", [("cpu", "1")], first: [("cpu", "4"), ("memory", "2Gi")])
            )
            server.put(KubernetesServer.allPods, pod("waits", in: "b", on: nil, [("cpu", "9")]))
            server.put(
                KubernetesServer.allPods,
                pod("proxy", in: "kube-system", on: "plain", [("cpu", "920m")], owner: "DaemonSet")
            )
            let use = try await server.until { try await world.engine.others().first { $0.cores == 5500 } }
            #expect(use?.node == "gpu" && use?.memory == .gibi(3))
            #expect(use?.cards.map(\.count) == [3])
            #expect(try await world.engine.others().map(\.node) == ["gpu"])
            let plain = try await server.until {
                try await world.engine.capacity().nodes.first { $0.name == "plain" && $0.cores == 3000 }
            }
            #expect(plain != nil && whole.first { $0.name == "plain" }?.cores == 3920)
            server.remove(KubernetesServer.allPods, "web-0")
            let rest = try await server.until { try await world.engine.others().first { $0.cores == 4000 } }
            #expect(rest?.cards.isEmpty == true)
        }
    }

    @Test("a namespace whose default queue would start what is held is refused, with its name")
    func defaultQueue() async throws {
        try await with(queue: "team-a") { world in
            world.server.state.withLock { $0.defaultQueue = "default" }
            do {
                _ = try await world.engine.submit(world.order())
                Issue.record("it was taken")
            } catch EngineError.refused(let why) { #expect(why.contains("'default'"), "\(why)") }
            #expect(world.job == nil)
        }
    }

    @Test("with Kueue a released run waits in Kueue's words until it is admitted")
    func admission() async throws {
        try await with(queue: "team-a") { world in
            let order = world.order(["/bin/sh", "-c", "exit 4"])
            do {
                _ = try await world.engine.list()
                Issue.record("there is no Kueue")
            } catch EngineError.refused(let why) { #expect(why.contains("no Kueue"), "\(why)") }
            world.server.state.withLock { $0.hasKueue = true }
            _ = try await world.engine.submit(order)
            #expect(try await world.state { $0 == .held } == .held)
            try await world.engine.release(order.run)
            let unseen = try await world.state { if case .pending = $0 { true } else { false } }
            #expect(unseen == .pending("Kueue has not looked at it yet"))
            func kueue(_ type: String, _ status: String, _ reason: String) {
                let condition = (type, status, reason, "2 more needed")
                world.server.put(
                    KubernetesServer.workloads,
                    KubernetesFixtures.workload([condition], of: order.run)
                )
            }
            kueue("QuotaReserved", "False", "Pending")
            let waiting = EngineRun.State.pending("Pending: 2 more needed")
            #expect(try await world.state { $0 == waiting } == waiting)
            kueue("Admitted", "True", "Admitted")
            let job = try #require(world.job)
            let lifted = JSON.object([("spec", .object([("suspend", .bool(false))]))])
            world.server.put(KubernetesServer.jobs, KubernetesServer.merged(job, lifted))
            let admitted = EngineRun.State.pending(
                "its pod has not been made yet; a quota of the namespace may be used up"
            )
            #expect(try await world.state { $0 == admitted } == admitted)
            try await world.runPods()
            let seen = try await world.seen()
            guard case .ended(let outcome, _, _) = seen else {
                Issue.record("\(String(describing: seen))")
                return
            }
            #expect(outcome == RunOutcome(.exit, code: 4))
        }
    }

    @Test("a run costs few calls, and looking at it none")
    func calls() async throws {
        try await with { world in
            _ = try await world.engine.list()
            _ = try await world.engine.capacity()
            let before = world.server.state.withLock { $0.calls.count }
            let order = world.order()
            _ = try await world.engine.submit(order)
            try await world.engine.release(order.run)
            try await world.runPods()
            for _ in 0..<100 { _ = try await world.engine.list() }
            try await world.engine.forget(order.run)
            let calls = world.server.state.withLock { $0.calls.dropFirst(before).filter { !$0.hasPrefix("WATCH") } }
            let path = "\(KubernetesServer.jobs)/\(order.run)"
            #expect(Array(calls) == ["POST \(KubernetesServer.jobs)", "PATCH \(path)", "DELETE \(path)"])
        }
    }

    @Test("when the API server is out of sight, runs are neither gone nor ended; they are as they were when it is back")
    func outOfSight() async throws {
        try await with { world in
            _ = try await world.engine.submit(world.order())
            #expect(try await world.seen() == .held)
            world.server.state.withLock { $0.instead = .init(502, "<html>") }
            world.server.breakWatches()
            _ = try await world.server.until { (try? await world.engine.list()) == nil ? true : nil }
            await #expect(throws: EngineError.self) { try await world.engine.list() }
            world.server.state.withLock { $0.instead = nil }
            #expect(try await world.state { $0 == .held } == .held)
        }
    }

    @Test("what a pod printed whose script was never reached is kept once, and read by offset")
    func words() async throws {
        try await with { world in
            let order = world.order()
            _ = try await world.engine.submit(order)
            try await world.engine.release(order.run)
            let pod = KubernetesFixtures.pod(state: ("terminated", "Error", 127), of: order.run)
            let path = "\(KubernetesServer.pods)/pod-1"
            world.server.state.withLock { $0.logs[path] = "sh: no such file\n" }
            world.server.put(KubernetesServer.pods, pod)
            let failed = KubernetesFixtures.job(order.run, condition: ("Failed", "BackoffLimitExceeded"))
            world.server.put(KubernetesServer.jobs, KubernetesServer.merged(try #require(world.job), failed))
            func log(_ from: Int64) async throws -> String {
                _ = try await world.engine.list()
                return String(
                    decoding: try await world.engine.logs(order.run, task: 0, from: from, countMax: 100),
                    as: UTF8.self
                )
            }
            _ = try await world.server.until { try await log(0).isEmpty ? nil : true }
            world.server.remove(KubernetesServer.pods, "pod-1")
            world.server.state.withLock { $0.logs = [:] }
            #expect(try await log(4) == "no such file\n")
            #expect(world.server.count("GET \(path)/log") == 1)
        }
    }

    @Test("a list that is too long is not read to its end")
    func endless() async throws {
        let bytes = [UInt8](repeating: UInt8(ascii: " "), count: 2 << 20)
        let loopback = try await LoopbackHTTP { _ in .init(200, bytes: bytes) }
        let access = KubernetesAccess(server: loopback.address, namespace: "ns", authority: nil, credential: .none)
        var client = try KubernetesClient(access, selector: "a=b")
        client.http.answerBytesMax = 1 << 20
        do throws(EngineError) {
            _ = try await client.list(.jobs)
            Issue.record("it was read")
        } catch { #expect(error.sentence.contains("more than 1 MiB"), "\(error.sentence)") }
        await loopback.close()
    }

    static let strangers: [(LoopbackHTTP.Answer, String)] = [
        (KubernetesServer.status(401, "Unauthorized"), "Name a file that holds one"),
        (KubernetesServer.status(403, "Forbidden"), "docs/protocols/kubernetes.md"),
        (.init(200, "<!DOCTYPE html><title>Sign in</title>"), "web page"),
        (.init(200, #"{"major":"1","minor":"19","gitVersion":"v1.19.16"}"#), "v1.19.16"),
        (.init(200, #"{"major":"2","minor":"0","gitVersion":"v2.0.0"}"#), "not Kubernetes 1.x"),
        (.init(200, #"{"major":"1","minor":"2"#), "cut on the way"),
        (.init(200, #"{"major":"1"}"#, breaksOffAfter: 5), "cannot be reached"),
    ]

    @Test("a check tells what is wrong with what answers, and what to do", arguments: strangers.indices)
    func check(_ index: Int) async throws {
        let (answer, words) = Self.strangers[index]
        try await with { world in
            world.server.state.withLock { $0.instead = answer }
            let checks = await world.engine.check()
            let engine = try #require(checks.first { $0.subject == "engine" })
            #expect(engine.verdict == .failed && engine.detail.contains(words), "\(engine.detail)")
            #expect(!checks.contains { $0.subject == "a job" }, "nothing is sent to a stranger")
        }
    }

    @Test("rights that are missing are named, and a proxy's page is not the API server's word")
    func faults() async throws {
        func fault(_ answer: LoopbackHTTP.Answer) async throws -> EngineError? {
            let loopback = try await LoopbackHTTP { _ in answer }
            let access = KubernetesAccess(server: loopback.address, namespace: "ns", authority: nil, credential: .none)
            let client = try KubernetesClient(access, selector: "a=b")
            var fault: EngineError?
            do throws(EngineError) { _ = try await client.job(RayFixtures.run) } catch { fault = error }
            await loopback.close()
            return fault
        }
        let answers: [(LoopbackHTTP.Answer, String)] = [
            (KubernetesServer.status(403, "Forbidden"), "docs/protocols/kubernetes.md"),
            (.init(404, "404 page not found"), "404"),
            (KubernetesServer.status(401, "Unauthorized"), "401"), (.init(200, "<html>"), "web page"),
            (.init(200, "{"), "no JSON"),
        ]
        for (answer, words) in answers {
            guard case .unreachable(let sentence) = try await fault(answer) else {
                Issue.record("\(answer.status) proves something")
                continue
            }
            #expect(sentence.contains(words), "\(sentence)")
        }
    }
}
