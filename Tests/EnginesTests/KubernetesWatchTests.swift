import Core
import Foundation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Engines

/// Against a server of ours on the loopback interface. A real API server is in ``KubernetesClusterTests``.
@Suite("A cluster is kept in sight by watches")
struct KubernetesWatchTests {
    private struct World {
        var server: KubernetesServer
        var client: KubernetesClient
        var watch: KubernetesWatch<KubernetesJob>

        /// What a new list shows.
        func listed() async throws -> Set<KubernetesJob> {
            Set(try await client.list(.jobs).items.compactMap(KubernetesJob.init))
        }

        /// Waits until the watch shows what a new list does.
        func agree() async throws {
            let seen = try await until("the watch shows what a list does") {
                let seen = Set(try await watch.objects())
                return try await seen == listed() ? seen : nil
            }
            #expect(seen != nil)
        }

        /// Waits for a level; `nil` after a minute.
        func until<T>(_ what: String, _ look: () async throws -> T?) async throws -> T? {
            if let found = try await server.until(look) { return found }
            Issue.record("never seen: \(what)")
            return nil
        }

        /// Waits until nothing is seen, and says why.
        func blind() async throws -> String {
            try await until("the watch says that it sees nothing") {
                do throws(EngineError) {
                    _ = try await watch.objects()
                    return nil
                } catch { return error.sentence }
            } ?? ""
        }

        var lists: Int { server.count("GET \(KubernetesServer.jobs)") }
        var watches: Int { server.count("WATCH \(KubernetesServer.jobs)") }
    }

    private func with(pace: KubernetesPace = Self.pace, _ body: (World) async throws -> Void) async throws {
        let server = KubernetesServer()
        let loopback = try await LoopbackHTTP { server.answer($0) }
        let access = KubernetesAccess(server: loopback.address, namespace: "ns", authority: nil, credential: .none)
        let client = try KubernetesClient(access, selector: "a=b")
        let result: Result<Void, any Error>
        do {
            try await body(
                World(
                    server: server,
                    client: client,
                    watch: KubernetesWatch(.jobs, client, pace: pace) { server.bell.ring() }
                )
            )
            result = .success(())
        } catch { result = .failure(error) }
        await loopback.close()
        try result.get()
    }

    private static let pace: KubernetesPace = {
        var pace = KubernetesPace()
        pace.retryMin = .milliseconds(1)
        pace.retryMax = .milliseconds(20)
        return pace
    }()

    private static let runs: [RunKey] = {
        var generator = Seeded(1)
        return (1...8).map { RunKey(job: JobID(now: Instant(milliseconds: $0), using: &generator), number: 1) }
    }()

    @Test("many looks cost one list and one watch; what changes comes by itself")
    func quiet() async throws {
        try await with { world in
            #expect(try await world.watch.objects().isEmpty)
            for run in Self.runs { world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(run)) }
            for _ in 0..<50 { _ = try await world.watch.objects() }
            let count = try await world.until("all of them") {
                try await world.watch.objects().count == Self.runs.count ? Self.runs.count : nil
            }
            #expect(count == Self.runs.count)
            world.server.remove(KubernetesServer.jobs, "\(Self.runs[0])")
            _ = try await world.until("one less") { world.watch.known("\(Self.runs[0])") == nil ? true : nil }
            #expect(world.lists == 1 && world.watches == 1)
            try await world.agree()
        }
    }

    @Test("a stream that breaks is gone on with from the last bookmark, without a list")
    func resume() async throws {
        try await with { world in
            _ = try await world.watch.objects()
            _ = try await world.until("a watch") { world.watches == 1 ? true : nil }
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            // Everything before the bookmark is forgotten: only from it can the watch go on.
            world.server.bookmark()
            world.server.state.withLock { $0.compacted = $0.version }
            _ = try await world.until("the Job") { world.watch.known("\(Self.runs[0])") }
            world.server.breakWatches()
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[1]))
            _ = try await world.until("what happened meanwhile") { world.watch.known("\(Self.runs[1])") }
            #expect(world.watches >= 2)
            try await world.agree()
        }
    }

    @Test("a server that has forgotten where the watch stood is listed anew", arguments: [true, false])
    func expired(byStatus: Bool) async throws {
        try await with { world in
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            _ = try await world.until("the Job") { try await world.watch.objects().first }
            _ = try await world.until("a watch") { world.watches == 1 ? true : nil }
            if byStatus {
                world.server.state.withLock { $0.insteadOfWatches = [KubernetesServer.status(410, "Expired")] }
            } else {
                world.server.compact()
            }
            world.server.breakWatches()
            world.server.remove(KubernetesServer.jobs, "\(Self.runs[0])")
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[1]))
            _ = try await world.until("a second list") { world.lists >= 2 ? true : nil }
            try await world.agree()
            #expect(try await world.watch.objects().map(\.run) == [Self.runs[1]])
        }
    }

    /// What a watch may be answered with instead of events, and a word of what is said of it.
    static let nonsense: [(text: String, word: String)] = [
        ("<html><body>Sign in</body></html>\n", "web page"), ("<html><body>Sign in", "web page"),
        (#"{"type":"ADDED","object":{"meta"#, "cut"), ("{}\n", "without a version"),
        (#"{"type":"ERROR","object":{"kind":"Status","code":500,"message":"etcd is gone"}}"# + "\n", "etcd is gone"),
        (String(repeating: "x", count: KubernetesKind.eventBytesMax + 1), "KiB"),
    ]

    @Test("pages, cut and endless lines and errors prove nothing, and are got over", arguments: nonsense.indices)
    func refused(_ index: Int) async throws {
        try await with { world in
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            _ = try await world.until("the Job") { try await world.watch.objects().first }
            _ = try await world.until("a watch") { world.watches == 1 ? true : nil }
            world.server.say(Self.nonsense[index].text, KubernetesServer.jobs)
            world.server.breakWatches()
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[1]))
            _ = try await world.until("what came after") { world.watch.known("\(Self.runs[1])") }
            try await world.agree()
        }
    }

    @Test("the sentence says what came instead of events", arguments: nonsense.indices)
    func sentence(_ index: Int) async throws {
        let (text, word) = Self.nonsense[index]
        let stream = LoopbackHTTP.Stream()
        stream.send(text)
        stream.end()
        let loopback = try await LoopbackHTTP { _ in .init(stream) }
        let access = KubernetesAccess(server: loopback.address, namespace: "ns", authority: nil, credential: .none)
        let client = try KubernetesClient(access, selector: "a=b")
        var mirror = KubernetesMirror<KubernetesJob>()
        _ = mirror.take(KubernetesListing(path: "/jobs", items: [], version: "1"))
        let start = mirror
        do throws(EngineError) {
            _ = try await client.watch("/jobs", from: "1", for: .seconds(30), slack: .seconds(30)) {
            } each: { line throws(EngineError) in
                let event = try client.http.json(.init(status: 200, body: line), of: "it")
                var mirror = start
                do throws(KubernetesMirror<KubernetesJob>.Fault) { _ = try mirror.take(event) } catch {
                    throw .unreachable("\(error)")
                }
            }
            Issue.record("it was taken")
        } catch { #expect(error.sentence.contains(word), "\(error.sentence)") }
        await loopback.close()
    }

    @Test("who has not been heard for a while is not believed; nothing vanishes, and a word is enough to be back")
    func silence() async throws {
        var pace = Self.pace
        pace.silenceMax = .milliseconds(300)
        try await with(pace: pace) { world in
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            _ = try await world.until("a watch") {
                _ = try? await world.watch.objects()
                return world.watches == 1 ? true : nil
            }
            let why = try await world.blind()
            #expect(why.contains(/Nothing was heard for \d+ s of the jobs/), "\(why)")
            #expect(world.watch.known("\(Self.runs[0])") == nil)
            let runs = try await world.until("the Job, again") {
                world.server.bookmark()
                return try? await world.watch.objects().map(\.run)
            }
            #expect(runs == [Self.runs[0]])
            #expect(world.lists == 1 && world.watches == 1)
        }
    }

    @Test("an API server that is down is a fault at once; when it is back the same is seen, and what happened since")
    func down() async throws {
        try await with { world in
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            let before = try await world.watch.objects().map(\.run)
            #expect(before == [Self.runs[0]])
            _ = try await world.until("a watch") { world.watches == 1 ? true : nil }
            world.server.state.withLock { $0.instead = .init(503, "<html>Bad gateway</html>") }
            world.server.breakWatches()
            let why = try await world.blind()
            #expect(why.contains("503"), "\(why)")
            world.server.state.withLock { $0.instead = nil }
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[1]))
            // The first question after it is answered: it makes the next try.
            _ = try await world.until("both") {
                (try? await world.watch.objects())?.count == 2 ? true : nil
            }
            try await world.agree()
        }
    }

    @Test("a right to list without one to watch is told with what to do, and costs little")
    func forbidden() async throws {
        try await with { world in
            let answers = Array(repeating: KubernetesServer.status(403, "Forbidden"), count: 10_000)
            world.server.state.withLock { $0.insteadOfWatches = answers }
            let why = try await world.blind()
            #expect(why.contains("docs/protocols/kubernetes.md"), "\(why)")
            #expect(world.lists == 1)
        }
    }

    @Test("a server that ends every watch at once is not asked without end")
    func hurried() async throws {
        try await with { world in
            let answers = (0..<10_000).map { _ in
                let stream = LoopbackHTTP.Stream()
                stream.end()
                return LoopbackHTTP.Answer(stream)
            }
            world.server.state.withLock { $0.insteadOfWatches = answers }
            world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(Self.runs[0]))
            _ = try await world.until("the Job") { try await world.watch.objects().first }
            _ = try await world.until("some watches") { world.watches >= 4 ? true : nil }
            // It could be listed, and each watch began: what is seen is true.
            #expect(try await world.watch.objects().count == 1)
        }
    }

    @Test(
        "whatever is changed, broken off, forgotten and bookmarked, in the end it shows what a list does",
        arguments: 0..<8
    )
    func storm(seed: UInt64) async throws {
        try await with { world in
            var generator = Seeded(seed)
            _ = try await world.watch.objects()
            for _ in 0..<200 {
                let run = try #require(Self.runs.randomElement(using: &generator))
                switch Int.random(in: 0..<20, using: &generator) {
                case 0: world.server.breakWatches()
                case 1: world.server.compact()
                case 2: world.server.bookmark()
                case 3: world.server.say("{\"type\":\"ADDED\",\"obj", KubernetesServer.jobs)
                case 4...9: world.server.remove(KubernetesServer.jobs, "\(run)")
                case 10: await Task.yield()
                default:
                    let parallelism = Int64.random(in: 0...1_000_000, using: &generator)
                    world.server.put(KubernetesServer.jobs, KubernetesFixtures.job(run, parallelism: parallelism))
                }
            }
            world.server.breakWatches()
            try await world.agree()
        }
    }

    @Test("a watch that is let go ends its work")
    func letGo() async throws {
        try await with { world in
            weak var gone: KubernetesWatch<KubernetesJob>?
            do {
                let watch = KubernetesWatch<KubernetesJob>(.jobs, world.client, pace: Self.pace)
                gone = watch
                _ = try await watch.objects()
            }
            #expect(gone == nil)
        }
    }
}
