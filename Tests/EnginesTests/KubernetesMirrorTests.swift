import Core
import Testing

@testable import Engines

@Suite("What a watch shows is what a list would")
struct KubernetesMirrorTests {
    typealias Mirror = KubernetesMirror<KubernetesJob>

    /// A list of a few Jobs and all that ever happened to them, as etcd keeps it.
    struct History {
        var version: UInt64 = 10
        var objects: [String: JSON] = [:]
        var events: [(version: UInt64, event: JSON)] = []

        var listing: KubernetesListing {
            KubernetesListing(path: "/jobs", items: Array(objects.values), version: "\(version)")
        }

        /// - Returns: The Job when it was written, and not deleted.
        mutating func change(_ run: RunKey, using generator: inout some RandomNumberGenerator) -> JSON? {
            version += UInt64.random(in: 1...3, using: &generator)
            let name = "\(run)"
            if let old = objects[name], Bool.random(using: &generator) {
                objects[name] = nil
                events.append((version, KubernetesMirrorTests.event("DELETED", KubernetesMirrorTests.at(version, old))))
                return nil
            }
            let new = KubernetesMirrorTests.at(
                version,
                KubernetesFixtures.job(run, suspend: Bool.random(using: &generator), parallelism: Int64(version))
            )
            let isNew = objects.updateValue(new, forKey: name) == nil
            events.append((version, KubernetesMirrorTests.event(isNew ? "ADDED" : "MODIFIED", new)))
            return new
        }
    }

    static func at(_ version: UInt64, _ object: JSON) -> JSON {
        let metadata = JSON.object([("resourceVersion", .string("\(version)"))])
        return KubernetesServer.merged(object, .object([("metadata", metadata)]))
    }

    static func event(_ type: String, _ object: JSON) -> JSON {
        .object([("type", .string(type)), ("object", object)])
    }

    static func bookmark(_ version: UInt64) -> JSON { event("BOOKMARK", at(version, .object([]))) }

    @Test("whatever order of lists, events, bookmarks, breaks and writes of ours", arguments: 0..<200)
    func anyOrder(seed: UInt64) throws {
        var generator = Seeded(seed)
        let runs = (1...5).map { RunKey(job: JobID(now: Instant(milliseconds: $0), using: &generator), number: 1) }
        var (history, mirror) = (History(), Mirror())
        for _ in 0..<60 {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0: _ = mirror.take(history.listing)
            case 1 where mirror.version != nil: mirror.lose()
            case 2...3:
                // Events since where it stands, not always to the last; then the call ends.
                guard let version = mirror.version.flatMap({ UInt64($0) }) else { continue }
                let due = history.events.filter { $0.version > version }
                let count = Int.random(in: 0...due.count, using: &generator)
                for (_, event) in due.prefix(count) { _ = try mirror.take(event) }
                if count == due.count { _ = try mirror.take(Self.bookmark(history.version)) }
            default:
                let run = try #require(runs.randomElement(using: &generator))
                let job = history.change(run, using: &generator).flatMap { KubernetesJob($0) }
                // Some changes are ours.
                if let job, Bool.random(using: &generator) {
                    mirror.note(job, version: job.version)
                    if mirror.version != nil { #expect(mirror[job.name] == job, "a write of ours is shown at once") }
                }
            }
        }
        if mirror.version == nil { _ = mirror.take(history.listing) }
        let version = try #require(mirror.version.flatMap { UInt64($0) })
        for (at, event) in history.events where at > version { _ = try mirror.take(event) }
        _ = try mirror.take(Self.bookmark(history.version))
        var relisted = Mirror()
        _ = relisted.take(history.listing)
        #expect(Set(mirror.objects) == Set(relisted.objects), "seed \(seed)")
    }

    @Test("a cluster that was set back forgets our later writes, and an event from before is refused")
    func setBack() throws {
        var mirror = Mirror()
        let job = try #require(KubernetesJob(KubernetesFixtures.job()))
        _ = mirror.take(KubernetesListing(path: "/jobs", items: [], version: "50"))
        mirror.note(job, version: "60")
        #expect(mirror.objects == [job])
        #expect(mirror.take(KubernetesListing(path: "/jobs", items: [], version: "40")) == false)
        #expect(mirror.objects.isEmpty)
        #expect(throws: Mirror.Fault.nonsense("a version before the last one")) { try mirror.take(Self.bookmark(39)) }
    }

    @Test("versions that are no numbers are passed on as they are")
    func opaque() throws {
        var mirror = Mirror()
        let job = KubernetesFixtures.job()
        let old = KubernetesListing(path: "/jobs", items: [], version: "b")
        _ = mirror.take(old)
        mirror.note(try #require(KubernetesJob(job)), version: "c")
        #expect(mirror.objects.isEmpty)
        let metadata = JSON.object([("resourceVersion", .string("a"))])
        let event = Self.event("ADDED", KubernetesServer.merged(job, .object([("metadata", metadata)])))
        #expect(try mirror.take(event))
        #expect(mirror.version == "a" && mirror.objects.count == 1)
    }

    @Test("what is no event is told from an end of the server's memory and from its refusal")
    func faults() throws {
        func fault(_ text: String) throws -> Mirror.Fault? {
            var mirror = Mirror()
            _ = mirror.take(KubernetesListing(path: "/jobs", items: [], version: "50"))
            do {
                _ = try mirror.take(try JSON(parsing: Array(text.utf8)))
                return nil
            } catch let fault as Mirror.Fault { return fault }
        }
        #expect(try fault(#"{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Gone"}}"#) == .expired)
        #expect(try fault(#"{"type":"ERROR","object":{"kind":"Status","reason":"Expired"}}"#) == .expired)
        #expect(
            try fault(#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"no etcd"}}"#)
                == .refused("no etcd")
        )
        for text in ["{}", #"{"type":"ADDED"}"#, #"{"type":"ADDED","object":{"metadata":{"name":"x"}}}"#, "[]", "3"] {
            #expect(try fault(text) == .nonsense("an event without a version of its object"), "\(text)")
        }
        let unknown = #"{"type":"MOVED","object":{"metadata":{"resourceVersion":"51"}}}"#
        #expect(try fault(unknown) == .nonsense("an event of the type 'MOVED'"))
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
