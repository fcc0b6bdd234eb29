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
    /// More for a long look: ONEPOINT_CRASH_KILLS=200.
    static let kills = Int(ProcessInfo.processInfo.environment["ONEPOINT_CRASH_KILLS"] ?? "") ?? 12
    static let seed = UInt64(ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"] ?? "") ?? 1

    /// What the server acknowledged, by digest or tag.
    private actor Acknowledged {
        private(set) var blobs: [String: Int] = [:]
        private(set) var manifests: [String: [String]] = [:]
        private(set) var tags: [String: String] = [:]
        private(set) var operations = 0

        func blob(_ digest: String, _ count: Int) { (blobs[digest], operations) = (count, operations + 1) }
        func manifest(_ digest: String, _ parts: [String], _ tag: String) {
            (manifests[digest], tags[tag], operations) = (parts, digest, operations + 1)
        }
        /// Before a removal is asked for: from then on it may be there or not.
        func doubt(tag: String, manifest: String) { (tags[tag], manifests[manifest]) = (nil, nil) }
        func removed() { operations += 1 }
        var counts: String { "\(blobs.count) blobs, \(manifests.count) manifests, \(operations) operations" }
    }

    private struct Client: Sendable {
        let url: String
        let token: String

        struct Reply {
            var status: Int
            var headers: HTTPHeaders
            var body: [UInt8]
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

    @Test("kill -9 during pushes and deletions: no dangling reference, nothing acknowledged is unknown")
    func kills() async throws {
        print("registry crash seed \(Self.seed), \(Self.kills) kills")
        var random = SplitMix(Self.seed)
        let point = try await PointUnderTest()
        let client = Client(url: point.url, token: point.token)
        let acknowledged = Acknowledged()
        for kill in 0..<Self.kills {
            let seeds = (0..<3).map { _ in random.next() }
            let target = await acknowledged.operations + Int.random(in: 1...60, using: &random)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in seeds { group.addTask { await Self.push(client, acknowledged, seed) } }
                try await eventually("pushes", tail: { point.server.output }) {
                    await acknowledged.operations >= target
                }
                // In the midst of whatever the three are doing.
                await point.server.kill()
                group.cancelAll()
                try await group.waitForAll()
            }
            try await point.restart()
            try await Self.audit(client, acknowledged, "kill \(kill)")
        }
        print("acknowledged: \(await acknowledged.counts)")
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

    /// Pushes images, and removes one now and then, until the server is gone.
    private static func push(_ client: Client, _ acknowledged: Acknowledged, _ seed: UInt64) async {
        var random = SplitMix(seed)
        var mine: [(tag: String, manifest: String)] = []
        do {
            while !Task.isCancelled {
                var parts: [(digest: String, count: Int)] = []
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let bytes = (0..<Int.random(in: 1...20_000, using: &random)).map { _ in
                        UInt8.random(in: .min ... .max, using: &random)
                    }
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
                await acknowledged.manifest(digest(manifest), parts.map(\.digest), tag)
                mine.append((tag, digest(manifest)))
                guard Int.random(in: 0..<4, using: &random) == 0, let old = mine.randomElement(using: &random) else {
                    continue
                }
                await acknowledged.doubt(tag: old.tag, manifest: old.manifest)
                let removed = try await client.call("DELETE", "\(repository)/manifests/\(old.manifest)")
                if ![202, 404].contains(removed.status) { Issue.record("removal: \(removed.status)") }
                await acknowledged.removed()
            }
        } catch {
            // The server was killed, which is the point.
        }
    }

    private static func push(_ bytes: [UInt8], _ client: Client, isStream: Bool) async throws -> String {
        let digest = digest(bytes)
        let begun = try await client.call("POST", "\(repository)/blobs/uploads/", [])
        var place = try #require(begun.headers.first(name: "Location"))
        if isStream {
            let sent = try await client.call("PATCH", place, bytes)
            place = try #require(sent.headers.first(name: "Location"))
        }
        let put = try await client.call("PUT", "\(place)?digest=\(digest)", isStream ? [] : bytes)
        if put.status != 201 { Issue.record("blob: \(put.status) \(String(decoding: put.body, as: UTF8.self))") }
        return digest
    }

    private static func audit(_ client: Client, _ acknowledged: Acknowledged, _ when: String) async throws {
        for (digest, count) in await acknowledged.blobs {
            let found = try await client.call("GET", "\(repository)/blobs/\(digest)")
            #expect(found.status == 200 && found.body.count == count, "\(when): blob \(digest) is \(found.status)")
            #expect(Self.digest(found.body) == digest, "\(when)")
        }
        for (digest, _) in await acknowledged.manifests {
            let found = try await client.call("GET", "\(repository)/manifests/\(digest)")
            #expect(found.status == 200, "\(when): manifest \(digest) is \(found.status)")
        }
        let list = try JSON(parsing: try await client.call("GET", "\(repository)/tags/list?n=1000").body)
        let tags = (list["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
        for (tag, _) in await acknowledged.tags { #expect(tags.contains(tag), "\(when): tag \(tag) is gone") }
        // Also what nobody was told of: whatever a tag leads to is whole.
        for tag in tags {
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
        let refs = try JSON(parsing: try await client.call("GET", "\(hub)/refs").body)
        #expect((refs["tags"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue } == tags, "\(when)")
    }
}
