import Core
import Foundation
import Logging
import Synchronization
import TestKit
import Testing
import Wire

@testable import Engines

@Suite(
    "A real Kubernetes keeps the contract",
    .serialized,
    .enabled(if: KubernetesCluster.isPossible, "Kubernetes is not installed: scripts/setup-engines kubernetes does it"),
    KubernetesCluster()
)
struct KubernetesClusterTests {
    @Test("the engines' suite", arguments: EngineConformance.cases(for: [.processes, .gangs, .reopens, .fences]))
    func conformance(_ one: EngineConformance) async throws {
        try await with { rig, _ in try await one.check(rig) }
    }

    @Test("a check sends a job through and leaves nothing behind")
    func check() async throws {
        try await with { rig, _ in
            let engine = try await rig.kubernetes()
            let checks = await engine.check()
            #expect(
                checks.map(\.subject) == ["engine", "a job"] && checks.allSatisfy { $0.verdict == .passed },
                "\(checks)"
            )
            #expect(try await engine.list().isEmpty)
        }
    }

    @Test("cards, a node's label, and why a run waits, in the scheduler's words")
    func cards() async throws {
        try await with { rig, bench in
            let engine = try await rig.kubernetes()
            let nodes = try await engine.capacity().nodes
            #expect(
                nodes.map(\.cards)
                    == Array(repeating: [CardGroup(model: "h100-sxm5", count: 4, emulated: true)], count: 2)
            )
            var runs: [RunKey] = []
            for _ in 0..<2 {
                let order = try await bench.shell("echo $CUDA_VISIBLE_DEVICES; sleep 1000") {
                    $0.resources.cards = 3
                    $0.resources.card = "h100-sxm5"
                }
                try await bench.says("\n", order.run)
                #expect(try await bench.log(of: order.run) == "0,1,2\n")
                runs.append(order.run)
            }
            let waiting = try await bench.start(EngineProgram(prints: "no")) { $0.resources.cards = 3 }
            let seen = try await bench.wait("a reason", { try await bench.state(of: waiting.run) }) {
                if case .pending(let why?) = $0 { why.contains("Insufficient nvidia.com/gpu") } else { false }
            }
            #expect(seen != nil)
            try await engine.cancel(waiting.run, grace: .zero)
            #expect(try await bench.end(of: waiting.run).outcome.kind == .cancelled)
            for run in runs { try await engine.cancel(run, grace: .zero) }
            for run in runs { #expect(try await bench.end(of: run).outcome.kind == .cancelled) }
            #expect(try await rig.output("starts", of: waiting.run) == nil)
        }
    }

    @Test("when the control plane is killed and comes back, what ran runs on, and nothing starts twice")
    func crash() async throws {
        try await with { rig, bench in
            let folder = try #require(KubernetesCluster.folder)
            let engine = try await rig.kubernetes()
            let held = try await bench.submit(EngineProgram(prints: "late"))
            let running = try await bench.start(EngineProgram(prints: "ready", end: .never))
            try await bench.running(running.run)
            for part in ["apiserver", "etcd"] {
                let words = try #require(LocalEngineRig.text("\(folder)/pids/\(part)")).split(separator: " ")
                kill(try #require(Int32(words[0])), SIGKILL)
            }
            // What was seen before proves nothing now, and nothing vanishes.
            let seen = try await bench.wait("the engine to say that it sees nothing", { try? await engine.list() }) {
                $0 == nil
            }
            #expect(seen == nil)
            try RayCluster.script("kubernetes-down", [folder, "--kill"])
            try RayCluster.script("kubernetes-up", [folder, KubernetesCluster.portOfRunning, "2"])
            #expect(try await bench.state(of: held.run) == .held)
            try await engine.release(held.run)
            #expect(try await bench.end(of: held.run).outcome == RunOutcome(.succeeded))
            try await engine.cancel(running.run, grace: .seconds(1))
            #expect(try await bench.end(of: running.run).outcome.kind == .cancelled)
            #expect(try await rig.output("starts", of: running.run) == "started\n")
            #expect(try await rig.output("starts", of: held.run) == "started\n")
        }
    }

    @Test("a Job that somebody deletes at the cluster ends its run, which says so")
    func deleted() async throws {
        try await with { rig, bench in
            let engine = try await rig.kubernetes()
            let order = try await bench.start(EngineProgram(prints: "ready", end: .never))
            try await bench.says("ready", order.run)
            let job = try #require(try await engine.client.job(order.run))
            try await engine.client.delete(order.run, uid: "00000000-0000-0000-0000-000000000000")
            #expect(try await engine.client.job(order.run) != nil, "another uid deletes nothing")
            try await engine.client.delete(order.run, uid: job.uid)
            let outcome = try await bench.end(of: order.run).outcome
            #expect(outcome.isStopByEngine, "\(outcome)")
        }
    }

    /// The API server as its operator sees it, by certificate.
    private func admin(_ folder: String) throws -> KubernetesClient {
        func pem(_ name: String) throws -> [UInt8] {
            Array(try #require(LocalEngineRig.text("\(folder)/keys/\(name)")).utf8)
        }
        let certificate = KubernetesAccess.Credential.certificate(
            chain: try pem("admin.crt"),
            key: try pem("admin.key")
        )
        return try KubernetesClient(try KubernetesCluster.access(folder, credential: certificate), selector: "a=b")
    }

    @Test("the agent's manifest is taken as it is, and gives it the rights that the driver needs")
    func manifest() async throws {
        let admin = try admin(try #require(KubernetesCluster.folder))
        let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("packaging/agent.kubernetes.yaml")
        let objects = try String(contentsOf: path, encoding: .utf8).components(separatedBy: "\n---\n").map {
            try YAMLDocument.parse($0).json
        }
        let account = "/apis/rbac.authorization.k8s.io/v1"
        let paths = [
            "ServiceAccount": "/api/v1/namespaces/default/serviceaccounts",
            "Role": "\(account)/namespaces/default/roles",
            "RoleBinding": "\(account)/namespaces/default/rolebindings",
            "ClusterRole": "\(account)/clusterroles", "ClusterRoleBinding": "\(account)/clusterrolebindings",
            "PersistentVolumeClaim": "/api/v1/namespaces/default/persistentvolumeclaims",
            "ConfigMap": "/api/v1/namespaces/default/configmaps",
            "StatefulSet": "/apis/apps/v1/namespaces/default/statefulsets",
        ]
        #expect(objects.compactMap { $0["kind"]?.stringValue }.sorted() == paths.keys.sorted())
        for object in objects {
            let path = try #require(paths[object["kind"]?.stringValue ?? ""])
            // What is there already, made by the script with the same rights, is as good.
            let answer = try await admin.http.call("POST", "\(path)?dryRun=All", json: object)
            #expect([201, 409].contains(answer.status), "\(path): \(answer.status) \(answer.excerpt)")
        }
    }

    @Test("a client certificate, and a token without rights or none, are told apart")
    func credentials() async throws {
        let folder = try #require(KubernetesCluster.folder)
        let admin = try admin(folder)
        #expect(try await admin.version().minor == 20)
        #expect(try await admin.list(.jobs).items.isEmpty)
        let wrong = try KubernetesClient(
            try KubernetesCluster.access(folder, credential: .token("no")),
            selector: "a=b"
        )
        do {
            _ = try await wrong.list(.jobs)
            Issue.record("it was let in")
        } catch { #expect("\(error)".contains("401")) }
        // The agent's rights end at its namespace.
        var agent = try KubernetesCluster.agent(folder)
        agent.namespace = "kube-system"
        do {
            _ = try await KubernetesClient(agent, selector: "a=b").list(.jobs)
            Issue.record("it was let in")
        } catch { #expect("\(error)".contains("docs/protocols/kubernetes.md")) }
        var stranger = try KubernetesCluster.agent(folder)
        stranger.authority = nil
        let distrusting = try KubernetesClient(stranger, selector: "a=b")
        do {
            _ = try await distrusting.list(.jobs)
            Issue.record("it was trusted")
        } catch { #expect(error.sentence.contains("certificate"), "\(error)") }
    }

    @Test("a wrong token fails the check, which says what to do")
    func wrongToken() async throws {
        let folder = try #require(KubernetesCluster.folder)
        let rig = try KubernetesEngineRig(access: try KubernetesCluster.access(folder, credential: .token("no")))
        let checks = await (try await rig.kubernetes()).check()
        let engine = try #require(checks.first { $0.subject == "engine" })
        #expect(
            engine.verdict == .failed && engine.detail.contains("the configured token is missing, wrong or expired")
        )
        await rig.remove()
    }

    @Test("what the watches show is what lists do, also when the API server has forgotten where they stood")
    func watches() async throws {
        try await with { rig, bench in
            let engine = try await rig.kubernetes()
            var orders: [EngineOrder] = []
            for _ in 0..<6 { orders.append(try await bench.submit(EngineProgram(prints: "ready", end: .never))) }
            for order in orders.prefix(4) { try await engine.release(order.run) }
            for order in orders.prefix(4) { try await bench.says("ready", order.run) }
            for order in orders[1...3] { try await engine.cancel(order.run, grace: .zero) }
            for order in orders[1...3] { _ = try await bench.end(of: order.run) }
            let stray = try #require(try await engine.client.job(orders[5].run))
            try await engine.client.delete(stray.run, uid: stray.uid)
            let gone = try await bench.wait("the deletion", { try await engine.client.job(stray.run) }) { $0 == nil }
            #expect(gone == nil)
            func agree<Object: KubernetesObject>(
                _ kind: KubernetesKind,
                _ watch: KubernetesWatch<Object>
            ) async throws -> Int {
                let (seen, _) = try await bench.wait(
                    "the watched \(kind) to be the listed ones",
                    {
                        let listed = try await engine.client.list(kind).items.compactMap(Object.init)
                        return (Set(try await watch.objects()), Set(listed))
                    },
                    until: { $0 == $1 }
                )
                return seen.count
            }
            #expect(try await agree(.jobs, engine.jobs) == 5)
            #expect(try await agree(.pods, engine.pods) >= 1)
            #expect(try await agree(.nodes, engine.nodes) == 2)
            // Version 1 is long forgotten: the API server says so, as an event or as a status.
            let forgotten = Mutex(false)
            let path = try await engine.client.list(.jobs).path
            let answer = try await engine.client.watch(path, from: "1", for: .seconds(5), slack: .seconds(30)) {
            } each: { line throws(EngineError) in
                var mirror = KubernetesMirror<KubernetesJob>()
                let event = try engine.client.http.json(.init(status: 200, body: line), of: path)
                do throws(KubernetesMirror<KubernetesJob>.Fault) { _ = try mirror.take(event) } catch {
                    if error == .expired { forgotten.withLock { $0 = true } }
                }
            }
            #expect(answer?.status == 410 || forgotten.withLock { $0 })
        }
    }

    @Test("an API server that freezes is out of sight after a while, and in sight again when it goes on")
    func frozen() async throws {
        try await with { rig, bench in
            let folder = try #require(KubernetesCluster.folder)
            var pace = KubernetesPace()
            (pace.period, pace.slack, pace.silenceMax) = (.seconds(1), .seconds(1), .seconds(4))
            pace.shortest = .zero
            let watch = KubernetesWatch<KubernetesNode>(.nodes, try await rig.kubernetes().client, pace: pace)
            let before = Set(try await watch.objects().map(\.name))
            let words = try #require(LocalEngineRig.text("\(folder)/pids/apiserver")).split(separator: " ")
            let process = try #require(Int32(words[0]))
            kill(process, SIGSTOP)
            defer { kill(process, SIGCONT) }
            let frozen = try await bench.wait("no sight of it", { try? await watch.objects() }) { $0 == nil }
            #expect(frozen == nil)
            kill(process, SIGCONT)
            let after = try await bench.wait("sight of it", { try? await watch.objects() }) { $0 != nil }
            #expect(Set((after ?? []).map(\.name)) == before)
        }
    }

    @Test("what a pod printed whose script was never reached is the run's log, whatever becomes of the pod")
    func words() async throws {
        try await with { rig, bench in
            let engine = try await rig.kubernetes()
            let order = try await bench.submit(EngineProgram(prints: "never"))
            // As where the volume is not mounted.
            try FileManager.default.removeItem(atPath: "\(engine.configuration.folder)/runs/\(order.run)/script")
            try await engine.release(order.run)
            let outcome = try await bench.end(of: order.run).outcome
            #expect(outcome.kind == .rejected, "\(outcome)")
            let log = try await bench.log(of: order.run)
            #expect(log.contains("script"), "\(log)")
            let job = try #require(try await engine.client.job(order.run))
            try await engine.client.delete(order.run, uid: job.uid)
            _ = try await bench.wait("the pod to be gone", { try await engine.pods.objects() }) { pods in
                !pods.contains { $0.run == order.run }
            }
            let rest = try await engine.logs(order.run, task: 0, from: 3, countMax: 1 << 20)
            #expect("\(log.prefix(3))" + String(decoding: rest, as: UTF8.self) == log)
        }
    }

    @Test("what a newer version would be posted is accepted as far as this one knows it; a dropped hold is noticed")
    func newer() async throws {
        try await with { rig, bench in
            let engine = try await rig.kubernetes()
            let order = try await rig.order(bench.newRun(), program: EngineProgram(prints: "no"))
            var gang = order
            gang.tasks = 2
            let manifest = KubernetesManifest(
                order: gang,
                configuration: engine.configuration,
                abilities: .init(minor: 31),
                cards: nil,
                command: ["/bin/false"]
            )
            // 1.20 drops what it does not know: a suspended Job comes back as one that starts.
            let path = "/apis/batch/v1/namespaces/default/jobs?dryRun=All"
            let answer = try await engine.client.call("POST", path, json: manifest.job(orderDigest: "digest"))
            let job = try #require(KubernetesJob(try engine.client.http.json(answer, of: path)))
            #expect(answer.status == 201 && !job.isHeld && job.order == "digest")
            let service = KubernetesManifest.service(order.run, owner: "00000000-0000-0000-0000-000000000000")
            let services = "/api/v1/namespaces/default/services?dryRun=All"
            let made = try await engine.client.call("POST", services, json: service)
            #expect(made.status == 201, "\(made.excerpt)")
        }
    }

    @Test("Kueue's workloads are found in the version that the cluster has, and followed")
    func kueue() async throws {
        try await with { rig, bench in
            let admin = try admin(try #require(KubernetesCluster.folder))
            let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            let agent = try await rig.kubernetes().client
            let watch = KubernetesWatch<KubernetesWorkload>(.workloads, agent)
            do throws(EngineError) {
                _ = try await watch.objects()
                Issue.record("there is no Kueue yet")
            } catch { #expect(error.sentence.contains("has no Kueue"), "\(error.sentence)") }
            // Its interface, as far as it is looked at.
            let made = try await admin.call("POST", definitions, json: KubernetesFixtures.workloads)
            #expect(made.status == 201, "\(made.excerpt)")
            let workloads = "/apis/kueue.x-k8s.io/v1beta1/namespaces/default/workloads"
            _ = try await bench.wait("its interface", { try await admin.http.call("GET", workloads).status }) {
                $0 == 200
            }
            // Of a Job that is there, else it is cleared away.
            let run = try await bench.submit(EngineProgram(prints: "no")).run
            let uid = try #require(try await agent.job(run)).uid
            let condition = ("QuotaReserved", "False", "Pending", "couldn't assign flavors to pod set main")
            let workload = KubernetesFixtures.workload([condition], of: run, uid: uid)
            let posted = try await admin.call("POST", workloads, json: workload)
            #expect(posted.status == 201, "\(posted.excerpt)")
            let seen = try await bench.wait("the workload", { (try? await watch.objects())?.first }) { $0 != nil }
            #expect(seen?.run == run && seen?.waiting == "Pending: couldn't assign flavors to pod set main")
            let patch = KubernetesFixtures.workload(
                [("Evicted", "True", "Preempted", "for another")],
                of: run,
                uid: uid
            )
            let type = "application/merge-patch+json"
            let name = workload["metadata"]?["name"]?.stringValue ?? ""
            _ = try await admin.call("PATCH", "\(workloads)/\(name)", json: patch, contentType: type)
            _ = try await bench.wait("its eviction", { try await watch.objects().first }) {
                $0?.eviction == "Preempted"
            }
            _ = try await admin.call("DELETE", "\(definitions)/workloads.kueue.x-k8s.io")
            _ = try await bench.wait("nothing of it", { try? await watch.objects() }) { $0?.isEmpty ?? true }
        }
    }

    private func with(_ body: (KubernetesEngineRig, EngineBench) async throws -> Void) async throws {
        let cluster = try #require(KubernetesCluster.folder)
        let rig = try KubernetesEngineRig(access: try KubernetesCluster.agent(cluster))
        do { try await body(rig, EngineBench(rig)) } catch {
            await rig.remove()
            throw error
        }
        await rig.remove()
    }
}

extension KubernetesCluster {
    /// The API server's port, as the running cluster's address tells.
    static var portOfRunning: String {
        let address = folder.flatMap { LocalEngineRig.text("\($0)/address") } ?? ""
        return address.split(separator: ":").last.map { $0.filter(\.isNumber) } ?? port
    }
}
