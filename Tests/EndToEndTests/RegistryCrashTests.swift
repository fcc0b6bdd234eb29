import AsyncHTTPClient
import Core
import Crypto
import Foundation
import NIOCore
import NIOHTTP1
import Testing

/// Pushes over the OCI face to a point that is killed again and again: what was acknowledged is there, and nothing
/// points at what is not.
@Suite(.serialized)
struct RegistryCrashTests {
    /// More for a long look: ONEPOINT_CRASH_OPERATIONS=100000, with ONEPOINT_BINARY naming a release build.
    static let operations = Int(ProcessInfo.processInfo.environment["ONEPOINT_CRASH_OPERATIONS"] ?? "") ?? 2400
    /// More kills for the same work: ONEPOINT_CRASH_OPERATIONS_PER_KILL=20.
    static let operationsPerKill =
        Int(ProcessInfo.processInfo.environment["ONEPOINT_CRASH_OPERATIONS_PER_KILL"] ?? "") ?? 200
    static let seed = UInt64(ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"] ?? "") ?? 1

    /// What the server acknowledged, by digest or tag.
    private struct Known: Sendable {
        var blobs: [String: Int] = [:]
        var manifests: Set<String> = []
        var tags: Set<String> = []
    }

    private actor Acknowledged {
        private(set) var all = Known()
        /// Since it was last asked for.
        private var fresh = Known()
        /// All that was ever acknowledged, to take samples without walking over it.
        private var history: (blobs: [String], manifests: [String], tags: [String]) = ([], [], [])
        private(set) var operations = 0

        func done() { operations += 1 }
        func blob(_ digest: String, _ count: Int) {
            (all.blobs[digest], fresh.blobs[digest]) = (count, count)
            history.blobs.append(digest)
            operations += 1
        }
        func manifest(_ digest: String, _ tag: String) {
            all.manifests.insert(digest)
            fresh.manifests.insert(digest)
            all.tags.insert(tag)
            fresh.tags.insert(tag)
            history.manifests.append(digest)
            history.tags.append(tag)
            operations += 1
        }
        /// Before a removal is asked for: from then on it may be there or not.
        func doubt(tag: String, manifest: String) {
            all.tags.remove(tag)
            fresh.tags.remove(tag)
            all.manifests.remove(manifest)
            fresh.manifests.remove(manifest)
        }
        func takeFresh() -> Known {
            defer { fresh = Known() }
            return fresh
        }
        /// Some of each kind of what is to be there.
        func sample(_ count: Int, seed: UInt64) -> Known {
            var random = SplitMix(seed)
            func some(_ history: [String], _ isKnown: (String) -> Bool) -> Set<String> {
                // As many looks as it takes where hardly anything was removed.
                Set(
                    (0..<2 * count).compactMap { _ in history.randomElement(using: &random) }.filter(isKnown).prefix(
                        count
                    )
                )
            }
            var sample = Known()
            for digest in some(history.blobs, { _ in true }) { sample.blobs[digest] = all.blobs[digest] }
            sample.manifests = some(history.manifests, all.manifests.contains)
            sample.tags = some(history.tags, all.tags.contains)
            return sample
        }
        var counts: String {
            "\(all.blobs.count) blobs, \(all.manifests.count) manifests, \(operations) operations"
        }
    }

    private struct Client: Sendable {
        let url: String
        let token: String

        struct Reply {
            var status: Int
            var headers: HTTPHeaders
            var body: [UInt8]
            var text: String { String(decoding: body, as: UTF8.self) }
        }

        func call(_ method: String, _ path: String, type: String? = nil, _ body: [UInt8]? = nil) async throws -> Reply {
            var request = HTTPClientRequest(url: url + path)
            request.method = HTTPMethod(rawValue: method)
            request.headers.add(name: "Authorization", value: "Bearer \(token)")
            if let type { request.headers.add(name: "Content-Type", value: type) }
            if let body { request.body = .bytes(body) }
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
            let bytes = try await response.body.collect(upTo: 64 << 20)
            return Reply(status: Int(response.status.code), headers: response.headers, body: Array(buffer: bytes))
        }
    }

    /// A model, so that each manifest is a revision of the Hub's too.
    private static let repository = "/v2/models/demo/crash"
    private static let hub = "/api/models/demo/crash"
    private static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    private static func digest(_ bytes: [UInt8]) -> String {
        "sha256:" + SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test("kill -9 during pushes, pulls, deletions and collections: nothing dangles, nothing acknowledged is unknown")
    func kills() async throws {
        print("registry crash seed \(Self.seed), \(Self.operations) operations")
        var random = SplitMix(Self.seed)
        let point = try await PointUnderTest()
        let client = Client(url: point.url, token: point.token)
        let acknowledged = Acknowledged()
        var kills = 0
        while await acknowledged.operations < Self.operations {
            let seeds = (0..<3).map { _ in random.next() }
            let target = await acknowledged.operations + Int.random(in: 1..<2 * Self.operationsPerKill, using: &random)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in seeds { group.addTask { await Self.push(client, acknowledged, seed) } }
                try await eventually("operations", tail: { point.server.output }) {
                    await acknowledged.operations >= target
                }
                // In the midst of whatever the three are doing.
                await point.server.kill()
                group.cancelAll()
                try await group.waitForAll()
            }
            kills += 1
            try await point.restart()
            try await Self.audit(client, await acknowledged.takeFresh(), "kill \(kills)")
            let some = await acknowledged.sample(50, seed: random.next())
            try await Self.audit(client, some, "long before kill \(kills)")
        }
        try await Self.audit(client, await acknowledged.all, "at the end")
        try await Self.auditTags(client, await acknowledged.all.tags)
        print("\(kills) kills, acknowledged: \(await acknowledged.counts)")
    }

    @Test("an upload goes on after kill -9 from where it stands", .timeLimit(.minutes(5)))
    func resumes() async throws {
        let point = try await PointUnderTest()
        let client = Client(url: point.url, token: point.token)
        var random = SplitMix(Self.seed)
        let bytes = (0..<300_000).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let begun = try await client.call("POST", "\(Self.repository)/blobs/uploads/", [])
        let place = try #require(begun.headers.first(name: "Location"))
        let sent = try await client.call("PATCH", place, Array(bytes[..<200_000]))
        #expect(sent.status == 202 && sent.headers.first(name: "Range") == "0-199999")
        await point.server.kill()
        try await point.restart()
        let status = try await client.call("GET", place)
        #expect(status.status == 204 && status.headers.first(name: "Range") == "0-199999", "\(status)")
        let rest = try await client.call("PATCH", place, Array(bytes[200_000...]))
        #expect(rest.status == 202, "\(rest)")
        let put = try await client.call("PUT", "\(place)?digest=\(Self.digest(bytes))", [])
        #expect(put.status == 201, "\(put)")
        let found = try await client.call("GET", "\(Self.repository)/blobs/\(Self.digest(bytes))")
        #expect(found.body == bytes)
    }

    /// Pushes artifacts, pulls what it pushed, removes one and has the rest collected now and then, until the server is
    /// gone.
    private static func push(_ client: Client, _ acknowledged: Acknowledged, _ seed: UInt64) async {
        var random = SplitMix(seed)
        var mine: [(tag: String, manifest: String)] = []
        do {
            while !Task.isCancelled {
                var parts: [(digest: String, count: Int)] = []
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let bytes = bytes(Int.random(in: 1...20_000, using: &random), &random)
                    parts.append((try await push(bytes, client, isStream: Bool.random(using: &random)), bytes.count))
                    await acknowledged.blob(digest(bytes), bytes.count)
                }
                let layers = parts.enumerated().map { index, part in
                    #"""
                    {"mediaType":"a/b","digest":"\#(part.digest)","size":\#(part.count),\#
                    "annotations":{"org.opencontainers.image.title":"d/\#(index)"}}
                    """#
                }
                let manifest = Array(
                    #"{"schemaVersion":2,"mediaType":"\#(manifestType)","layers":[\#(layers.joined(separator: ","))]}"#
                        .utf8
                )
                let tag = "t\(seed)-\(mine.count)"
                let put = try await client.call("PUT", "\(repository)/manifests/\(tag)", type: manifestType, manifest)
                guard put.status == 201 else {
                    Issue.record("manifest: \(put.status) \(String(decoding: put.body, as: UTF8.self))")
                    return
                }
                await acknowledged.manifest(digest(manifest), tag)
                mine.append((tag, digest(manifest)))
                for part in parts {
                    let pulled = try await client.call("GET", "\(repository)/blobs/\(part.digest)")
                    if pulled.status != 200 || digest(pulled.body) != part.digest {
                        Issue.record("pull: \(pulled.status) of \(part.digest)")
                    }
                    await acknowledged.done()
                }
                if Int.random(in: 0..<20, using: &random) == 0 {
                    let collected = try await client.call("POST", "/v1/repositories/collect", [])
                    if ![200, 409].contains(collected.status) { Issue.record("collection: \(collected.status)") }
                    await acknowledged.done()
                }
                guard Int.random(in: 0..<4, using: &random) == 0, let old = mine.randomElement(using: &random) else {
                    continue
                }
                await acknowledged.doubt(tag: old.tag, manifest: old.manifest)
                let removed = try await client.call("DELETE", "\(repository)/manifests/\(old.manifest)")
                if ![202, 404].contains(removed.status) { Issue.record("removal: \(removed.status)") }
                await acknowledged.done()
            }
        } catch {
            // The server was killed, which is the point.
        }
    }

    /// By words: tests are not optimised.
    private static func bytes(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count + 8) { space, initialised in
            for start in stride(from: 0, to: count, by: 8) {
                UnsafeMutableRawBufferPointer(space).storeBytes(of: random.next(), toByteOffset: start, as: UInt64.self)
            }
            initialised = count
        }
    }

    private static func push(_ bytes: [UInt8], _ client: Client, isStream: Bool) async throws -> String {
        let digest = digest(bytes)
        let begun = try await client.call("POST", "\(repository)/blobs/uploads/", [])
        var place = try #require(begun.headers.first(name: "Location"), "\(begun.status): \(begun.text)")
        if isStream {
            let sent = try await client.call("PATCH", place, bytes)
            place = try #require(sent.headers.first(name: "Location"))
        }
        let put = try await client.call("PUT", "\(place)?digest=\(digest)", isStream ? [] : bytes)
        if put.status != 201 { Issue.record("blob: \(put.status) \(String(decoding: put.body, as: UTF8.self))") }
        return digest
    }

    private static func audit(_ client: Client, _ known: Known, _ when: String) async throws {
        try await each(known.blobs.map { $0 }) { digest, count in
            let found = try await client.call("GET", "\(repository)/blobs/\(digest)")
            #expect(found.status == 200 && found.body.count == count, "\(when): blob \(digest) is \(found.status)")
            #expect(Self.digest(found.body) == digest, "\(when)")
        }
        try await each(Array(known.manifests)) { digest in
            let found = try await client.call("GET", "\(repository)/manifests/\(digest)")
            #expect(found.status == 200, "\(when): manifest \(digest) is \(found.status)")
        }
        try await each(Array(known.tags)) { try await audit(client, tag: $0, when) }
    }

    /// A few at a time.
    private static func each<Item: Sendable>(
        _ items: [Item],
        _ body: @escaping @Sendable (Item) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, item) in items.enumerated() {
                if index >= 6 { try await group.next() }
                group.addTask { try await body(item) }
            }
            try await group.waitForAll()
        }
    }

    /// Whatever a tag leads to is whole.
    private static func audit(_ client: Client, tag: String, _ when: String) async throws {
        let found = try await client.call("GET", "\(repository)/manifests/\(tag)")
        #expect(found.status == 200, "\(when): tag \(tag) is \(found.status)")
        let layers = ((try JSON(parsing: found.body))["layers"]?.arrayValue ?? []).map {
            $0["digest"]?.stringValue ?? ""
        }
        for digest in layers {
            let part = try await client.call("HEAD", "\(repository)/blobs/\(digest)")
            #expect(part.status == 200, "\(when): \(digest) of \(tag) is \(part.status)")
        }
        let tree = try JSON(parsing: try await client.call("GET", "\(hub)/tree/\(tag)/d").body).arrayValue ?? []
        let files = tree.map { "sha256:" + ($0["lfs"]?["oid"]?.stringValue ?? "") }
        #expect(files == layers, "\(when): the revision \(tag) is \(tree)")
    }

    /// Also what nobody was told of.
    private static func auditTags(_ client: Client, _ acknowledged: Set<String>) async throws {
        var tags: [String] = []
        while true {
            let after = tags.last.map { "&last=\($0)" } ?? ""
            let page = try await client.call("GET", "\(repository)/tags/list?n=1000\(after)")
            let found = try JSON(parsing: page.body)["tags"]?.arrayValue?.compactMap(\.stringValue) ?? []
            tags += found
            guard found.count == 1000 else { break }
        }
        #expect(acknowledged.subtracting(tags).isEmpty, "tags are gone")
        try await each(tags.filter { !acknowledged.contains($0) }) {
            try await audit(client, tag: $0, "unacknowledged")
        }
        let refs = try JSON(parsing: try await client.call("GET", "\(hub)/refs").body)
        let names = (refs["tags"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        // As many as are listed.
        #expect(names == Array(tags.prefix(10_000)))
    }
}
