import Core
import Foundation
import Logging
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
            await #expect(throws: EngineError.self) { try await engine.list() }
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
        #expect(try await admin.jobs().isEmpty)
        let wrong = try KubernetesClient(
            try KubernetesCluster.access(folder, credential: .token("no")),
            selector: "a=b"
        )
        do {
            _ = try await wrong.jobs()
            Issue.record("it was let in")
        } catch { #expect("\(error)".contains("401")) }
        // The agent's rights end at its namespace.
        var agent = try KubernetesCluster.agent(folder)
        agent.namespace = "kube-system"
        do {
            _ = try await KubernetesClient(agent, selector: "a=b").jobs()
            Issue.record("it was let in")
        } catch { #expect("\(error)".contains("docs/protocols/kubernetes.md")) }
        var stranger = try KubernetesCluster.agent(folder)
        stranger.authority = nil
        let distrusting = try KubernetesClient(stranger, selector: "a=b")
        await #expect(throws: EngineError.self) { try await distrusting.jobs() }
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
