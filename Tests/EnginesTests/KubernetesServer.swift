import Core
import Synchronization
import TestKit

@testable import Engines

/// Keeps objects as an API server does: names are unique, patches and deletes are fenced by uid, every change has a
/// version and is told to whoever watches.
final class KubernetesServer: Sendable {
    static let jobs = "/apis/batch/v1/namespaces/ns/jobs"
    static let pods = "/api/v1/namespaces/ns/pods"
    static let nodes = "/api/v1/nodes"
    static let allPods = "/api/v1/pods"
    static let services = "/api/v1/namespaces/ns/services"
    static let workloads = "/apis/kueue.x-k8s.io/v1beta1/namespaces/ns/workloads"

    struct State {
        var minor = 28
        /// By the path of their list, then by name.
        var objects: [String: [String: JSON]] = [:]
        var history: [(version: Int, path: String, line: String)] = []
        /// What is before this is not remembered.
        var compacted = 0
        var version = 100
        var watches: [(path: String, stream: LoopbackHTTP.Stream)] = []
        var calls: [String] = []
        /// By the path of a pod.
        var logs: [String: String] = [:]
        var hasKueue = false
        /// The queue that Kueue gives to whatever comes without one.
        var defaultQueue: String?
        /// The gate of suspension is off: the field is dropped.
        var dropsSuspension = false
        var losesCreations = 0
        var uids = 0
        /// Answers everything instead.
        var instead: LoopbackHTTP.Answer?
        /// Answers the next watches instead, the first of them first.
        var insteadOfWatches: [LoopbackHTTP.Answer] = []
    }
    let state = Mutex(State())
    /// Rings when something was asked, and where a test has it so when what was told has arrived.
    let bell = Bell()

    init() { for node in KubernetesNodes.list["items"]?.arrayValue ?? [] { put(Self.nodes, node) } }

    // MARK: What tests do

    @discardableResult
    func put(_ path: String, _ object: JSON) -> JSON { state.withLock { Self.put(path, object, &$0) } }
    func remove(_ path: String, _ name: String) { state.withLock { Self.remove(path, name, &$0) } }

    func job(_ run: RunKey) -> JSON? { state.withLock { $0.objects[Self.jobs]?["\(run)"] } }
    func count(_ call: String) -> Int { state.withLock { $0.calls.count { $0 == call } } }

    /// Ends every watch, as a server does that goes down.
    func breakWatches() {
        state.withLock { state in
            for watch in state.watches { watch.stream.breakOff() }
            state.watches = []
        }
    }

    /// Tells whoever watches how far they are.
    func bookmark() {
        state.withLock { state in
            state.version += 1
            let object = KubernetesFixtures.object([
                ("metadata", KubernetesFixtures.object([("resourceVersion", .string("\(state.version)"))]))
            ])
            for watch in state.watches { watch.stream.send(Self.line("BOOKMARK", object)) }
        }
    }

    /// Says something to whoever watches.
    func say(_ text: String, _ path: String) {
        state.withLock { for watch in $0.watches where watch.path == path { watch.stream.send(text) } }
    }

    /// Forgets everything that happened until now.
    func compact() {
        state.withLock { state in
            state.version += 1
            state.compacted = state.version
        }
    }

    /// Looks whenever the bell rings, and now and then besides, until there is something to see; `nil` after a minute.
    func until<T>(_ look: () async throws -> T?) async throws -> T? {
        let deadline = ContinuousClock.now + .seconds(240)
        while ContinuousClock.now < deadline {
            let rings = bell.rings
            if let found = try await look() { return found }
            await bell.wait(beyond: rings, atMost: .milliseconds(100))
        }
        return nil
    }

    // MARK: Answers

    func answer(_ request: LoopbackHTTP.Request) -> LoopbackHTTP.Answer {
        defer { bell.ring() }
        return state.withLock { state in
            let parts = request.target.split(separator: "?", maxSplits: 1).map(String.init)
            let path = parts[0]
            let query = parts.count > 1 ? parts[1].split(separator: "&").map(String.init) : []
            let isWatch = query.contains("watch=1")
            state.calls.append("\(isWatch ? "WATCH" : request.method) \(path)")
            if let answer = state.instead { return answer }
            let body = (try? JSON(parsing: request.body)) ?? .null
            let lists = [Self.jobs, Self.pods, Self.nodes, Self.allPods] + (state.hasKueue ? [Self.workloads] : [])
            switch (request.method, path) {
            case ("GET", "/version"):
                return .init(200, #"{"major":"1","minor":"\#(state.minor)+","gitVersion":"v1.\#(state.minor).2"}"#)
            case ("GET", _) where isWatch && lists.contains(path): return Self.watch(path, query, &state)
            case ("GET", _) where lists.contains(path): return Self.list(path, state)
            case ("POST", Self.services):
                Self.put(path, body, &state)
                return .init(201, body.text)
            case ("POST", Self.jobs): return Self.create(body, &state)
            case ("GET", _) where path.hasSuffix("/log"):
                guard let text = state.logs[String(path.dropLast(4))] else { return Self.status(404, "NotFound") }
                return .init(200, text)
            default: return Self.one(request.method, path, body, &state)
            }
        }
    }

    private static func one(
        _ method: String,
        _ path: String,
        _ body: JSON,
        _ state: inout State
    ) -> LoopbackHTTP.Answer {
        let parts = path.split(separator: "/")
        let name = parts.last.map(String.init) ?? ""
        let list = "/" + parts.dropLast().joined(separator: "/")
        guard list == jobs else { return .init(404, "404 page not found") }
        guard let job = state.objects[list]?[name] else { return status(404, "NotFound") }
        let uid = job["metadata"]?["uid"]
        switch method {
        case "GET": return .init(200, job.text)
        case "PATCH":
            guard body["metadata"]?["uid"] == uid else { return status(409, "Conflict") }
            return .init(200, put(list, merged(job, body), &state).text)
        case "DELETE":
            guard body["preconditions"]?["uid"] == uid else { return status(409, "Conflict") }
            remove(list, name, &state)
            return .init(200, "{}")
        default: return status(405, "MethodNotAllowed")
        }
    }

    private static func create(_ body: JSON, _ state: inout State) -> LoopbackHTTP.Answer {
        guard let name = body["metadata"]?["name"]?.stringValue else { return status(422, "Invalid") }
        guard state.objects[jobs]?[name] == nil else { return status(409, "AlreadyExists") }
        state.uids += 1
        var job = merged(body, .object([("metadata", .object([("uid", .string("uid-\(state.uids)"))]))]))
        if state.dropsSuspension { job = merged(job, .object([("spec", .object([("suspend", .null)]))])) }
        if let queue = state.defaultQueue {
            let label = JSON.object([(KubernetesManifest.queueLabel, .string(queue))])
            job = merged(job, .object([("metadata", .object([("labels", label)]))]))
        }
        job = put(jobs, job, &state)
        if state.losesCreations > 0 {
            state.losesCreations -= 1
            return .init(201, "", breaksOffAfter: 0)
        }
        return .init(201, job.text)
    }

    private static func list(_ path: String, _ state: State) -> LoopbackHTTP.Answer {
        let items = state.objects[path].map { Array($0.values) } ?? []
        let metadata = JSON.object([("resourceVersion", .string("\(state.version)"))])
        // As Go does it.
        return .init(
            200,
            JSON.object([("metadata", metadata), ("items", items.isEmpty ? .null : .array(items))]).text
        )
    }

    private static func watch(_ path: String, _ query: [String], _ state: inout State) -> LoopbackHTTP.Answer {
        if !state.insteadOfWatches.isEmpty { return state.insteadOfWatches.removeFirst() }
        let version =
            query.first { $0.hasPrefix("resourceVersion=") }.flatMap { Int($0.split(separator: "=").last ?? "") } ?? 0
        let stream = LoopbackHTTP.Stream()
        guard version >= state.compacted else {
            let fault = #"{"kind":"Status","code":410,"reason":"Expired","message":"too old resource version"}"#
            stream.send(#"{"type":"ERROR","object":\#(fault)}"# + "\n")
            stream.end()
            return .init(stream)
        }
        for event in state.history where event.path == path && event.version > version { stream.send(event.line) }
        state.watches.append((path, stream))
        return .init(stream)
    }

    // MARK: Changes

    @discardableResult
    private static func put(_ path: String, _ object: JSON, _ state: inout State) -> JSON {
        state.version += 1
        let name = object["metadata"]?["name"]?.stringValue ?? ""
        let version = JSON.object([("resourceVersion", .string("\(state.version)"))])
        let new = merged(object, .object([("metadata", version)]))
        let isNew = state.objects[path, default: [:]].updateValue(new, forKey: name) == nil
        tell(path, isNew ? "ADDED" : "MODIFIED", new, &state)
        return new
    }

    private static func remove(_ path: String, _ name: String, _ state: inout State) {
        guard let old = state.objects[path]?.removeValue(forKey: name) else { return }
        state.version += 1
        let version = JSON.object([("resourceVersion", .string("\(state.version)"))])
        tell(path, "DELETED", merged(old, .object([("metadata", version)])), &state)
    }

    private static func tell(_ path: String, _ type: String, _ object: JSON, _ state: inout State) {
        let text = line(type, object)
        state.history.append((state.version, path, text))
        for watch in state.watches where watch.path == path { watch.stream.send(text) }
    }

    static func line(_ type: String, _ object: JSON) -> String {
        JSON.object([("type", .string(type)), ("object", object)]).text + "\n"
    }

    static func status(_ code: Int, _ reason: String) -> LoopbackHTTP.Answer {
        .init(code, #"{"kind":"Status","reason":"\#(reason)","message":"\#(reason) it is","code":\#(code)}"#)
    }

    /// RFC 7396.
    static func merged(_ target: JSON, _ patch: JSON) -> JSON {
        guard case .object(let changes) = patch else { return patch }
        var members: [(key: String, value: JSON)] = []
        if case .object(let old) = target { members = old }
        for (key, value) in changes {
            let at = members.firstIndex { $0.key == key }
            if value == .null {
                if let at { members.remove(at: at) }
            } else if let at {
                members[at].value = merged(members[at].value, value)
            } else {
                members.append((key, merged(.object([]), value)))
            }
        }
        return .object(members)
    }
}

/// A list of nodes as the API server gives it.
enum KubernetesNodes {
    static func node(
        _ name: String,
        ready: String = "True",
        unschedulable: Bool = false,
        _ allocatable: [(String, String)],
        labels: [(String, String)] = []
    ) -> JSON {
        KubernetesFixtures.object([
            (
                "metadata",
                KubernetesFixtures.object([
                    ("name", .string(name)), ("labels", .object(labels.map { ($0.0, .string($0.1)) })),
                ])
            ), ("spec", KubernetesFixtures.object([("unschedulable", .bool(unschedulable))])),
            (
                "status",
                KubernetesFixtures.object([
                    ("allocatable", .object(allocatable.map { ($0.0, .string($0.1)) })),
                    (
                        "conditions",
                        .array([
                            KubernetesFixtures.object([("type", .string("Ready")), ("status", .string(ready))])
                        ])
                    ),
                ])
            ),
        ])
    }

    static let list: JSON = .object([
        (
            "items",
            .array([
                node("plain", [("cpu", "3920m"), ("memory", "16Gi")]), node("down", ready: "Unknown", [("cpu", "8")]),
                node("cordoned", unschedulable: true, [("cpu", "8")]),
                node(
                    "gpu",
                    [("cpu", "64"), ("memory", "1000000Ki"), ("nvidia.com/gpu", "8")],
                    labels: [("nvidia.com/gpu.product", "NVIDIA-H100-80GB-HBM3"), ("nvidia.com/gpu.memory", "81559")]
                ), node("huawei", [("cpu", "64"), ("memory", "1000000Ki"), ("huawei.com/Ascend910", "16")]),
            ])
        )
    ])
}
