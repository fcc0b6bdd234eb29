import Core
import Foundation
import Hub
import Testing

/// The checks of the specification's own conformance suite, by its names. None is skipped.
@Suite("OCI conformance")
struct OCIConformanceTests {
    /// Notes which checks were made.
    final class Checks {
        private(set) var made: Set<String> = []
        var prefix = ""
        func note(_ name: String) { made.insert(prefix + name) }
    }

    /// The names of the suite's checks, by their group.
    static let listed: [String: Set<String>] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Fixtures/oci-conformance-checks.txt")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [:] }
        let names = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        return Dictionary(grouping: names) { $0.split(separator: "/").first.map(String.init) ?? $0 }.mapValues(Set.init)
    }()

    private func expectAll(of group: String, _ checks: Checks) {
        let missing = (Self.listed[group] ?? ["no such group"]).subtracting(checks.made)
        #expect(missing.isEmpty, "not checked: \(missing.sorted())")
    }

    @Test("every group of the suite is one of ours")
    func groups() {
        let ours = Set(Self.dataSets.map(\.title)).union([
            "ping", "empty", "sha256 blobs", "sha512 blobs", "missing-manifest", "invalid-digest-format",
        ])
        #expect(Set(Self.listed.keys) == ours)
    }

    @Test("ping and an empty repository")
    func empty() async throws {
        try await withFaces { scene in
            let checks = Checks()
            let registry = Registry(scene: scene)
            #expect(try await registry.call("GET", "/v2/").status == 200)
            checks.note("ping")
            expectAll(of: "ping", checks)
            let list = try await registry.call("GET", "tags/list")
            #expect(list.status == 404 && list.codes == ["NAME_UNKNOWN"], "\(list)")
            checks.note("empty/tag list")
            #expect(try await registry.referrers(Algorithm.sha256.digest([1])).isEmpty)
            checks.note("empty/referrers")
            expectAll(of: "empty", checks)
        }
    }

    // MARK: Blobs

    @Test("blobs", arguments: Algorithm.allCases)
    func blobs(_ algorithm: Algorithm) async throws {
        try await withFaces { scene in
            let checks = Checks()
            checks.prefix = "\(algorithm) blobs/"
            let registry = Registry(scene: scene)
            var seed: UInt64 = 0
            func fresh(_ count: Int = 512) -> [UInt8] {
                seed += 1
                return content(count, seed: seed)
            }
            let missing = try await registry.call("GET", "blobs/\(algorithm.digest(fresh()))")
            #expect(missing.status == 404)
            checks.note("get-missing")
            let ways: [(String, Registry.Way, String, Int)] = [
                ("post only", .postOnly, "blob-post-only", 512), ("post+put", .postPut, "blob-post-put", 512),
                ("chunked single", .chunked, "blob-patch-chunked", 512), ("stream", .stream, "blob-patch-stream", 512),
                ("chunked multi", .chunked, "blob-patch-chunked", 3067),
                ("chunked multi and put chunk", .chunkedWithPut, "blob-patch-chunked", 3067),
            ]
            for (title, way, check, count) in ways {
                let bytes = fresh(count)
                try await registry.push(bytes, algorithm, way)
                checks.note("\(title)/\(check)")
                try await readAndDelete(bytes, algorithm, registry, title, checks)
            }
            for withPut in [false, true] {
                let title = "chunked out-of-order" + (withPut ? " and put chunk" : "")
                try await outOfOrder(fresh(3067), algorithm, registry, withPut: withPut)
                checks.note("\(title)/blob-patch-chunked")
                checks.note("\(title)/blob-delete")
            }
            try await mounts(algorithm, registry, checks, fresh)
            let cancelled = try await registry.begin()
            #expect(try await registry.call("DELETE", cancelled).status == 204)
            #expect(try await registry.call("GET", cancelled).codes == ["BLOB_UPLOAD_UNKNOWN"])
            checks.note("post cancel/blob-post-cancel")
            #expect(try await registry.call("DELETE", "blobs/\(algorithm.digest(fresh()))").status == 404)
            checks.note("post cancel/blob-delete")
            try await ranges(fresh(2048), algorithm, registry, checks)
            for (title, text) in [("empty", ""), ("emptyJSON", "{}")] {
                let bytes = Array(text.utf8)
                for way in Registry.Way.allCases {
                    try await registry.push(bytes, algorithm, way)
                    checks.note("\(title)/\(way.rawValue)")
                    try await readAndDelete(bytes, algorithm, registry, title, checks)
                }
            }
            let bad: [(String, Registry.Way, String)] = [
                ("post only", .postOnly, "blob-post-only"), ("post+put", .postPut, "blob-post-put"),
                ("chunked", .chunked, "blob-patch-chunked"),
                ("chunked and put chunk", .chunkedWithPut, "blob-patch-chunked"),
                ("stream", .stream, "blob-patch-stream"),
            ]
            for (title, way, check) in bad {
                let bytes = fresh(3067)
                let digest = algorithm.digest(bytes)
                let reply = try await registry.send(bytes + Array("oh no".utf8), as: digest, way)
                #expect(reply.status == 400 && reply.codes == ["DIGEST_INVALID"], "\(title): \(reply)")
                #expect(try await registry.call("HEAD", "blobs/\(digest)").status == 404)
                checks.note("bad digest \(title)/\(check)")
            }
            expectAll(of: "\(algorithm) blobs", checks)
        }
    }

    private func readAndDelete(
        _ bytes: [UInt8],
        _ algorithm: Algorithm,
        _ registry: Registry,
        _ title: String,
        _ checks: Checks
    ) async throws {
        let digest = algorithm.digest(bytes)
        try await registry.expectBlob(bytes, digest)
        checks.note("\(title)/blob-head")
        checks.note("\(title)/blob-get")
        try await registry.deleteBlob(digest)
        checks.note("\(title)/blob-delete")
    }

    /// Before each right chunk a wrong one is sent, ahead or at the beginning again.
    private func outOfOrder(
        _ bytes: [UInt8],
        _ algorithm: Algorithm,
        _ registry: Registry,
        withPut: Bool
    ) async throws {
        let digest = algorithm.digest(bytes)
        let size = 1024
        var location = try await registry.begin()
        func send(_ start: Int, _ count: Int, isLast: Bool) async throws -> Reply {
            try await registry.call(
                withPut && isLast ? "PUT" : "PATCH",
                withPut && isLast ? registry.with(location, digest: digest) : location,
                headers: [("Content-Range", "\(start)-\(start + count - 1)")],
                body: Array(bytes[start..<start + count])
            )
        }
        for start in stride(from: 0, to: bytes.count, by: size) {
            let wrong = start + size < bytes.count ? start + size : 0
            let wrongCount = min(size, bytes.count - wrong)
            let refused = try await send(wrong, wrongCount, isLast: wrong + wrongCount == bytes.count)
            #expect(refused.status == 416 && refused.codes == ["BLOB_UPLOAD_INVALID"], "\(refused)")
            #expect(refused["Range"] == "0-\(max(0, start - 1))" && refused["Location"] != nil)
            let status = try await registry.call("GET", location)
            #expect(status.status == 204 && status["Range"] == "0-\(max(0, start - 1))", "\(status)")
            location = try #require(status["Location"])
            let count = min(size, bytes.count - start)
            let sent = try await send(start, count, isLast: start + count == bytes.count)
            #expect(sent.status == (withPut && start + count == bytes.count ? 201 : 202), "\(sent)")
            location = try #require(sent["Location"])
        }
        if !withPut {
            let put = try await registry.call("PUT", registry.with(location, digest: digest), body: [])
            #expect(put.status == 201, "\(put)")
        }
        try await registry.expectBlob(bytes, digest)
        try await registry.deleteBlob(digest)
    }

    private func mounts(
        _ algorithm: Algorithm,
        _ registry: Registry,
        _ checks: Checks,
        _ fresh: (Int) -> [UInt8]
    ) async throws {
        var source = registry
        source.name = "demo/conformance/source"
        for (title, from) in [("mount", source.name), ("mount anonymous", nil)] {
            for way in Registry.Way.allCases {
                let bytes = fresh(512)
                let digest = algorithm.digest(bytes)
                try await source.push(bytes, algorithm, way)
                checks.note("\(title)/\(way.rawValue)")
                let query = "mount=\(digest)" + (from.map { "&from=" + $0.percentEncoded } ?? "")
                let mounted = try await registry.call("POST", "blobs/uploads/?\(query)", body: [])
                #expect(mounted.status == 201 && mounted["Docker-Content-Digest"] == digest, "\(mounted)")
                #expect(try await registry.call("GET", #require(mounted["Location"])).body == bytes)
                checks.note(from == nil ? "\(title)/blob-mount-anonymous" : "\(title)/blob-mount")
                try await readAndDelete(bytes, algorithm, registry, title, checks)
                try await source.deleteBlob(digest)
            }
        }
        let bytes = fresh(512)
        let digest = algorithm.digest(bytes)
        let absent = try await registry.call("POST", "blobs/uploads/?mount=\(digest)&from=\(source.name)", body: [])
        #expect(absent.status == 202)
        let put = try await registry.call(
            "PUT",
            registry.with(#require(absent["Location"]), digest: digest),
            body: bytes
        )
        #expect(put.status == 201, "\(put)")
        checks.note("mount missing/blob-mount")
        try await readAndDelete(bytes, algorithm, registry, "mount missing", checks)
    }

    private func ranges(_ bytes: [UInt8], _ algorithm: Algorithm, _ registry: Registry, _ checks: Checks) async throws {
        let digest = algorithm.digest(bytes)
        for way in Registry.Way.allCases {
            try await registry.push(bytes, algorithm, way)
            checks.note("range requests/\(way.rawValue)")
        }
        let cases: [(String, Range<Int>?)] = [
            ("500-1499", 500..<1500), ("500-", 500..<2048), ("-500", 1548..<2048), ("2000-5000", 2000..<2048),
            ("500-0", nil), ("5000-10000", nil),
        ]
        for (text, range) in cases {
            let reply = try await registry.call("GET", "blobs/\(digest)", headers: [("Range", "bytes=\(text)")])
            if let range {
                #expect(reply.status == 206 && reply.body == Array(bytes[range]), "\(text): \(reply.status)")
                #expect(reply["Content-Length"] == "\(range.count)")
                #expect(reply["Content-Range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/2048")
            } else {
                #expect(reply.status == 416, "\(text): \(reply)")
            }
            checks.note("range requests/range \(text)")
        }
        try await registry.deleteBlob(digest)
        checks.note("range requests/blob-delete")
    }

    // MARK: Data sets

    static let dataSets: [DataSet] = {
        var sets: [DataSet] = []
        func make(_ title: String, _ algorithm: Algorithm = .sha256, _ body: (inout DataSet) -> Void) {
            var set = DataSet(title, algorithm)
            body(&set)
            sets.append(set)
        }
        let annotations: [(key: String, value: JSON)] = [
            ("org.opencontainers.conformance", .string("hello conformance test"))
        ]
        make("image") { $0.tags = [("image", $0.image())] }
        make("image-uncompressed") { $0.tags = [("image-uncompressed", $0.image(type: DataSet.layer))] }
        make("large-manifest") {
            let many = (0..<390).map {
                (key: "large-annotation-\($0)", value: JSON.string(String(repeating: "A", count: 10_000)))
            }
            $0.tags = [("large-manifest", $0.image(annotations: many))]
        }
        make("index") { $0.tags = [("index", $0.fullIndex())] }
        make("nested-index") {
            let children = [$0.fullIndex(), $0.fullIndex()].map { [set = $0] in set.manifests[$0].descriptor() }
            $0.tags = [("index-of-index", $0.index(children))]
        }
        make("empty-index") { $0.tags = [("index", $0.index([]))] }
        make("artifact") {
            $0.tags = [("artifact", $0.image(layers: 1, type: DataSet.example, artifactType: DataSet.example))]
        }
        make("artifact-index") { $0.tags = [("artifact-index", $0.fullIndex(artifactType: DataSet.example))] }
        make("artifact-without-layers") {
            let place = $0.image(layers: 1, type: DataSet.empty, artifactType: DataSet.example)
            $0.tags = [("artifact-without-layers", place)]
        }
        make("artifacts-with-subject") {
            let image = $0.image()
            let subject = $0.manifests[image].descriptor()
            $0.image(subject: subject)
            let one = $0.image(
                layers: 1,
                type: DataSet.example,
                artifactType: DataSet.example,
                annotations: annotations,
                subject: subject
            )
            let two = $0.image(
                layers: 1,
                type: "application/octet-stream",
                artifactType: DataSet.example2,
                annotations: annotations,
                subject: subject
            )
            $0.tags = [("image", image), ("tagged-artifact1", one), ("tagged-artifact2", two)]
        }
        make("index-with-subject") {
            let index = $0.fullIndex()
            let subject = $0.manifests[index].descriptor()
            let artifact = $0.fullIndex(artifactType: DataSet.example, annotations: annotations, subject: subject)
            $0.tags = [("index", index), ("tagged-artifact", artifact)]
        }
        make("missing-subject") {
            let subject = JSON.object([
                ("mediaType", .string(ManifestDocument.ociImage)),
                ("digest", .string(Algorithm.sha256.digest(Array("missing content".utf8)))), ("size", .integer(123)),
            ])
            let place = $0.image(
                layers: 1,
                type: DataSet.example,
                artifactType: DataSet.example,
                annotations: annotations,
                subject: subject
            )
            $0.tags = [("tagged-artifact", place)]
        }
        make("data-field") { $0.tags = [("data-field", $0.image(withData: true))] }
        make("non-distributable-layers") {
            let foreign = ["tar+gzip", "tar"].map { kind in
                let digest = Algorithm.sha256.digest(Array("elsewhere \(kind)".utf8))
                return JSON.object([
                    ("mediaType", .string("application/vnd.oci.image.layer.nondistributable.v1.\(kind)")),
                    ("digest", .string(digest)), ("size", .integer(123_456)),
                    ("urls", .array([.string("https://store.example.com/blobs/sha256/\(digest.dropFirst(7))")])),
                ])
            }
            $0.tags = [("non-distributable-image", $0.image(layers: 1, extraLayers: foreign))]
        }
        make("custom-fields") { $0.tags = [("custom-fields", $0.fullIndex(withExtra: true))] }
        make("no-layers") { $0.tags = [("no-layers", $0.image(layers: 0))] }
        make("sha512", .sha512) { _ = $0.fullIndex() }
        make("bad-digest-image") { $0.image() }
        return sets
    }()

    @Test("data sets", arguments: dataSets.indices)
    func dataSet(_ place: Int) async throws {
        let set = Self.dataSets[place]
        try await withFaces { scene in
            let checks = Checks()
            checks.prefix = "\(set.title)/"
            let registry = Registry(scene: scene)
            try await push(set, registry, checks)
            try await read(set, registry, checks)
            try await referrers(of: set, registry)
            if set.manifests.contains(where: { $0.subject != nil }) { checks.note("referrers") }
            try await delete(set, registry, checks)
            expectAll(of: set.title, checks)
        }
    }

    private func push(_ set: DataSet, _ registry: Registry, _ checks: Checks) async throws {
        let ways = set.algorithm == .sha512 ? Registry.Way.allCases : [.postPut]
        for bytes in set.blobs {
            for way in ways {
                try await registry.push(bytes, set.algorithm, way)
                checks.note("push/\(way.rawValue)")
            }
        }
        for manifest in set.manifests {
            if set.title == "bad-digest-image" {
                let refused = try await registry.put(manifest, Algorithm.sha256.digest(manifest.bytes + [0]))
                #expect(refused.status == 400 && refused.codes == ["DIGEST_INVALID"], "\(refused)")
            } else {
                try await registry.push(manifest, set.algorithm.digest(manifest.bytes))
            }
            checks.note("push/manifest-by-digest")
        }
        for (tag, place) in set.tags {
            try await registry.push(set.manifests[place], tag)
            checks.note("push/manifest-by-tag")
        }
    }

    private func read(_ set: DataSet, _ registry: Registry, _ checks: Checks) async throws {
        let tags = try await registry.tags()
        #expect(Set(tags) == Set(set.tags.map(\.tag)) && tags == tags.sorted())
        if tags.count >= 2 {
            let last = tags[tags.count / 2 - 1]
            #expect(try await registry.tags("?last=\(last)") == Array(tags[(tags.count / 2)...]))
        }
        checks.note("tag-list")
        let isPushed = set.title != "bad-digest-image"
        for (tag, place) in set.tags {
            let digest = Algorithm.sha256.digest(set.manifests[place].bytes)
            try await registry.expectManifest(set.manifests[place], at: "manifests/\(tag)", digest, ["HEAD", "GET"])
            checks.note("head/manifest-head-by-tag")
            checks.note("pull/manifest-by-tag")
        }
        for manifest in set.manifests where isPushed {
            let digest = set.algorithm.digest(manifest.bytes)
            try await registry.expectManifest(manifest, at: "manifests/\(digest)", digest, ["HEAD", "GET"])
            checks.note("head/manifest-head-by-digest")
            checks.note("pull/manifest-by-digest")
        }
        for bytes in set.blobs {
            try await registry.expectBlob(bytes, set.algorithm.digest(bytes))
            checks.note("head/blob-head")
            checks.note("pull/blob-get")
        }
    }

    private func referrers(of set: DataSet, _ registry: Registry) async throws {
        for subject in Set(set.manifests.compactMap(\.subject)) {
            let attached = set.manifests.filter { $0.subject == subject }
            for type in [nil] + Set(attached.map(\.artifactType)) {
                let goal = attached.filter { type == nil || $0.artifactType == type }
                let found = try await registry.referrers(subject, artifactType: type)
                #expect(found.count == goal.count)
                for manifest in goal {
                    let entry = found.first { $0["digest"]?.stringValue == Algorithm.sha256.digest(manifest.bytes) }
                    #expect(entry?["mediaType"]?.stringValue == manifest.mediaType)
                    #expect(entry?["size"]?.integerValue == Int64(manifest.bytes.count))
                    #expect(entry?["artifactType"]?.stringValue == manifest.artifactType)
                    for (key, value) in manifest.annotations { #expect(entry?["annotations"]?[key] == value) }
                }
            }
            #expect(try await registry.referrers(subject, artifactType: "application/vnd.other").isEmpty)
        }
    }

    private func delete(_ set: DataSet, _ registry: Registry, _ checks: Checks) async throws {
        for (tag, place) in set.tags {
            #expect(try await registry.call("DELETE", "manifests/\(tag)").status == 202)
            #expect(try await registry.call("GET", "manifests/\(tag)").codes == ["MANIFEST_UNKNOWN"])
            // The manifest itself stays.
            let digest = set.algorithm.digest(set.manifests[place].bytes)
            #expect(try await registry.call("HEAD", "manifests/\(digest)").status == 200)
            checks.note("delete/tag-delete")
        }
        for manifest in set.manifests.reversed() {
            let digest = set.algorithm.digest(manifest.bytes)
            let expected = set.title == "bad-digest-image" ? 404 : 202
            #expect(try await registry.call("DELETE", "manifests/\(digest)").status == expected)
            #expect(try await registry.call("GET", "manifests/\(digest)").status == 404)
            checks.note("delete/manifest-delete")
        }
        for bytes in set.blobs {
            try await registry.deleteBlob(set.algorithm.digest(bytes))
            checks.note("delete/blob-delete")
        }
        #expect(try await registry.tags().isEmpty)
    }

    // MARK: Errors

    @Test("manifests that are missing, and digests in bad form")
    func manifestErrors() async throws {
        try await withFaces { scene in
            let checks = Checks()
            let registry = Registry(scene: scene)
            var set = DataSet("invalid-digest-format")
            let image = set.image(layers: 1)
            for bytes in set.blobs {
                try await registry.push(bytes)
                checks.note("invalid-digest-format/blob-post-put")
            }
            let absent = try await registry.call("GET", "manifests/\(Algorithm.sha256.digest([1, 2, 3]))")
            #expect(absent.status == 404 && absent.codes == ["MANIFEST_UNKNOWN"])
            checks.note("missing-manifest/by-digest")
            let untagged = try await registry.call("GET", "manifests/missing-tag")
            #expect(untagged.status == 404 && untagged.codes == ["MANIFEST_UNKNOWN"])
            checks.note("missing-manifest/by-tag")
            expectAll(of: "missing-manifest", checks)
            let put = try await registry.put(set.manifests[image], "sha256:baddigeststring")
            #expect(put.status == 400 && put.codes == ["DIGEST_INVALID"])
            checks.note("invalid-digest-format/manifest-put")
            #expect(try await registry.call("GET", "manifests/sha256:baddigeststring").status == 400)
            checks.note("invalid-digest-format/manifest-get")
            let digest = Algorithm.sha256.digest(set.manifests[image].bytes)
            #expect(try await registry.call("DELETE", "manifests/\(digest)").status == 404)
            checks.note("invalid-digest-format/delete/manifest-delete")
            for bytes in set.blobs {
                try await registry.deleteBlob(Algorithm.sha256.digest(bytes))
                checks.note("invalid-digest-format/delete/blob-delete")
            }
            expectAll(of: "invalid-digest-format", checks)
        }
    }
}
