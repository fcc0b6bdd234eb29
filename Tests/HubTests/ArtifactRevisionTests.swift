import Blobs
import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("An artifact that was pushed is a revision")
struct ArtifactRevisionTests {
    private static let years = Duration.seconds(10 * 365 * 24 * 3600)
    private static let created = (key: "org.opencontainers.image.created", value: "2026-02-03T04:05:06Z")

    // MARK: Which, and which not

    @Test(
        "what could not be served as it is, is no revision, and why is said",
        arguments: [
            ([("../up", "raw")], "cannot have the path '../up'"), ([("/etc/passwd", "raw")], "cannot have the path"),
            ([("a//b", "raw")], "cannot have the path"), ([("a/.git/config", "raw")], "cannot have the path"),
            ([("a\\b", "raw")], "cannot have the path"), ([("a\nb", "raw")], "cannot have the path"),
            ([("a", "raw"), ("a", "raw")], "two layers are 'a'"),
            ([("a", "raw"), ("a/b", "raw")], "'a' is a file and a folder"),
            ([("a/b", "raw"), ("a", "raw")], "'a' is a file and a folder"),
            ([("a", "application/vnd.cncf.model.weight.v1.tar")], "is packed"),
            ([("a", "application/vnd.cncf.model.weight.v1.tar+zstd")], "is packed"),
            ([("a", "application/vnd.oci.image.layer.v1.tar+gzip")], "is packed"),
            ([("a", "application/vnd.kitops.modelkit.model.v1.tar+gzip; x=y")], "is packed"),
            ([("a", "raw"), (nil, "raw")], "layer 1 has no path"),
            ([(String(repeating: "a", count: 300), "raw")], "cannot have the path"),
        ] as [([(String?, String)], String)]
    )
    func refused(layers: [(String?, String)], why: String) throws {
        let manifest = Self.manifest(layers.map { ($0.0, Array("x".utf8), $0.1) })
        guard case .refused(let found) = try Self.read(manifest) else {
            Issue.record("\(layers) was taken")
            return
        }
        #expect(found.contains(why), "\(found)")
    }

    @Test("folders are counted before they are made, however many a short manifest names")
    func folders() throws {
        let layers = (0..<2000).map { number in
            ("\(number)/" + Array(repeating: "d", count: 60).joined(separator: "/"), Array("x".utf8), "raw")
        }
        guard case .refused(let why) = try Self.read(Self.manifest(layers)) else {
            Issue.record("120,000 folders were taken")
            return
        }
        #expect(why.contains("\(ArtifactRevision.foldersMax) folders"))
    }

    @Test("images, indexes, attachments and what is only annotations are none, and nothing is said of it")
    func others() throws {
        let file: [(String?, [UInt8], String)] = [("a", Array("x".utf8), "raw")]
        let subject = #","subject":{"mediaType":"a/b","digest":"\#(sha256([]))","size":0}"#
        let empty = "application/vnd.oci.empty.v1+json"
        for manifest in [
            Self.manifest(file, config: "application/vnd.oci.image.config.v1+json"),
            Self.manifest(file, config: "application/vnd.docker.container.image.v1+json"),
            Self.manifest(file, more: subject), Self.manifest([]), Self.manifest([(nil, Array("{}".utf8), empty)]),
            Array(#"{"schemaVersion":2,"manifests":[{"digest":"\#(sha256([]))","size":0}]}"#.utf8),
        ] {
            guard case .other = try Self.read(manifest) else {
                Issue.record("\(String(decoding: manifest, as: UTF8.self))")
                continue
            }
        }
    }

    @Test("a layer that is to be had elsewhere is no file, also when its bytes are here under another size")
    func foreign() throws {
        let descriptor = #""digest":"\#(sha256([1]))","annotations":{"org.opencontainers.image.title":"#
        let text = #"""
            {"schemaVersion":2,"config":{"mediaType":"a/b","digest":"\#(sha256([]))","size":0},"layers":[
            {"mediaType":"a/b","size":1,\#(descriptor)"a"}},
            {"mediaType":"application/vnd.oci.image.layer.nondistributable.v1","size":9,
            "urls":["https://example.org/layer"],\#(descriptor)"b"}}]}
            """#
        guard case .refused(let why) = try Self.read(Array(text.utf8)) else {
            Issue.record("a layer from elsewhere was taken")
            return
        }
        #expect(why.contains("elsewhere"), "\(why)")
    }

    @Test("a file that oras was not told the type of is a file, a folder that it packed is not")
    func byOras() throws {
        let type = "application/vnd.oci.image.layer.v1.tar"
        guard case .revision = try Self.read(Self.manifest([("a.bin", [1], type)])) else {
            Issue.record("a file by oras was not taken")
            return
        }
        let unpack = #","io.deis.oras.content.unpack":"true""#
        guard case .refused = try Self.read(Self.manifest([("a", [1], "x/y")], annotation: unpack)) else {
            Issue.record("a packed folder was taken")
            return
        }
    }

    // MARK: The same files

    @Test("a revision's manifest, pushed into another repository, is a revision of the same files", arguments: 0..<4)
    func roundTrip(_: Int) async throws {
        var random = SplitMix(seed: freshSeed("artifact round trip"))
        let names = (0..<Int.random(in: 1...40, using: &random)).map { number in
            let depth = Int.random(in: 0...4, using: &random)
            let folders = (0..<depth).map { _ in "d\(Int.random(in: 0...2, using: &random))/" }.joined()
            return "\(folders)f\(number)\(["", ".bin", ".json", " 文件.md"].randomElement(using: &random) ?? "")"
        }
        let files = Dictionary(uniqueKeysWithValues: names.map { ($0, "\(random.next())") })
        try await withShelf(hasFirstCommit: false) { shelf in
            let origin = try await shelf.commit(files: files)
            let made = try #require(try await shelf.manifest("main"))
            let bytes = try await made.bytes.whole()
            var commits: Set<GitHash> = []
            for name in ["copy", "second"] {
                let copy = RepositoryPath(project: shelf.model.project, name: Shelf.name(name))
                let repository = try await shelf.repositories.create(.model, copy, shelf.alice)
                let parts = try ManifestDocument(parsing: bytes.readableBytesView, contentType: nil).parts
                for part in parts {
                    guard case .sha256(let digest) = part.digest, let size = part.size else { continue }
                    let blob = StoredBlob(digest: digest, size: size)
                    try await shelf.repositories.grant(blob, in: repository, shelf.alice)
                }
                let outcome = try await shelf.put(Array(buffer: bytes), ["v1"], copy)
                #expect(outcome.record.digest == made.record.digest)
                #expect(try await shelf.files("v1", copy) == shelf.files("main", shelf.model))
                commits.insert(try #require(outcome.revision?.id))
            }
            #expect(commits.count == 1 && !commits.contains(origin.id))
            // Under a tag of its own in the same repository it is what it was made of.
            let tagged = try await shelf.put(Array(buffer: bytes), ["stable"])
            #expect(tagged.revision?.id == origin.id)
            #expect(try await shelf.files("stable", shelf.model) == shelf.files("main", shelf.model))
        }
    }

    @Test("the manifest comes back as it was pushed, by tag, commit and digest; pushed again it is the same revision")
    func same() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let first = try await shelf.push([("weights.bin", "w"), ("sub/config.json", "{}")], ["v1"], created: nil)
            let revision = try #require(first.revision)
            shelf.clock.advance(.seconds(100))
            let again = try await shelf.push([("weights.bin", "w"), ("sub/config.json", "{}")], ["v2"], created: nil)
            #expect(again.revision == revision)
            for name in ["v1", "v2", revision.id.text] {
                #expect(try await shelf.manifest(name)?.record.digest == first.record.digest)
                #expect(try await shelf.paths(name) == ["sub", "sub/config.json", "weights.bin"])
            }
            let references = try await shelf.repositories.references(.models, shelf.model, shelf.alice)
            #expect(references.map { "\($0.name)" } == ["tags/v1", "tags/v2"])
            #expect(references.allSatisfy { $0.revision == revision.id })
            #expect(try await shelf.paths("refs/tags/v1").count == 3)
            let before = try await shelf.store.read { try $0.lastSequence() }
            _ = try await shelf.push([("weights.bin", "w"), ("sub/config.json", "{}")], ["v2"], created: nil)
            #expect(try await shelf.store.read { try $0.lastSequence() } == before)
            // With its own time it is the same whoever pushes it, and another than without.
            let dated = try await shelf.push([("weights.bin", "w")], ["v3"])
            #expect(dated.revision?.at == Instant(rfc3339: Self.created.value))
            #expect(try await shelf.push([("weights.bin", "w")], ["v4"], shelf.bob).revision == dated.revision)
        }
    }

    @Test("a manifest that was here before it could be a revision is one once it is pushed again")
    func before() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let pushed = try await shelf.push([("a", "1")], ["v1"])
            var record = pushed.record
            record.revision = nil
            let old = Event.ManifestPut(repository: pushed.repository.id, manifest: record, references: [], tags: [])
            try await shelf.store.write { tx in
                try tx.append(.manifestPut(old), about: pushed.repository, shelf.alice, at: shelf.clock.now)
            }
            #expect(await failure { _ = try await shelf.paths("v1") }?.note == Repositories.revisionNote)
            #expect(try await shelf.push([("a", "1")], ["v1"]).revision == pushed.revision)
            #expect(try await shelf.paths("v1") == ["a"])
        }
    }

    // MARK: Names

    @Test("a pushed tag is moved and removed by the registry alone, and no name leads to two things")
    func readOnly() async throws {
        try await withShelf { shelf in
            let (repositories, model) = (shelf.repositories, shelf.model)
            _ = try await shelf.push([("a", "1")], ["v1"])
            let tag = try #require(ReferenceName(.tag, "v1"))
            let branch = try #require(ReferenceName(.branch, "v1"))
            let kept = try await repositories.keep(ByteBuffer(string: "x"), at: path("x"))
            let refusals = [
                await failure { _ = try await shelf.commit([kept.operation], brought: [kept], to: branch) },
                await failure { try await repositories.add(tag, at: shelf.main(), shelf.alice) },
                await failure { try await repositories.add(branch, at: shelf.main(), shelf.alice) },
                await failure { try await repositories.remove(tag, of: .models, model, shelf.alice) },
                await failure { _ = try await shelf.push([("a", "2")], ["main"]) },
            ]
            #expect(refusals.map { $0?.code } == Array(repeating: .conflict, count: refusals.count))
            #expect(refusals.dropLast().allSatisfy { $0?.detail.contains("registry") == true })
            let moved = try await shelf.push([("b", "2")], ["v1"])
            #expect(try await shelf.paths("v1") == ["b"])
            let dev = try #require(ReferenceName(.branch, "dev"))
            try await repositories.add(dev, at: shelf.main("v1"), shelf.alice)
            let next = try await shelf.commit([kept.operation], brought: [kept], to: dev)
            #expect(next.parent == moved.revision?.id)
            #expect(try await shelf.paths("dev") == ["b", "x"])
            #expect(try await repositories.removeManifest(.tag("v1"), in: .models, model, shelf.alice))
            #expect(await failure { _ = try await shelf.paths("v1") }?.note == Repositories.revisionNote)
            #expect(try await shelf.paths("main") == [".gitattributes"])
        }
    }

    @Test("'main' or 'latest' serves for a branch main that is not there, and the first commit builds on it")
    func main() async throws {
        for tag in ["main", "latest"] {
            try await withShelf(hasFirstCommit: false) { shelf in
                _ = try await shelf.push([("old", "0")], ["v0"])
                #expect(await failure { _ = try await shelf.paths() }?.note == Repositories.revisionNote)
                let pushed = try await shelf.push([("a", "1")], [tag])
                #expect(try await shelf.paths() == ["a"])
                #expect(try await shelf.manifest("main")?.record.digest == pushed.record.digest)
                let second = try await shelf.push([("b", "2")], [tag])
                #expect(try await shelf.paths() == ["b"])
                let parent = try #require(second.revision?.id)
                let kept = try await shelf.repositories.keep(ByteBuffer(string: "x"), at: path("x"))
                let commit = try await shelf.commit([kept.operation], brought: [kept], parent: parent)
                #expect(commit.parent == parent)
                #expect(try await shelf.paths() == ["b", "x"])
                let tags = try await shelf.repositories.tags(
                    in: .models,
                    shelf.model,
                    after: "",
                    limit: 10,
                    shelf.alice
                )
                #expect(tags == (tag == "main" ? ["v0"] : ["latest", "v0"]))
                #expect(try await shelf.manifest("main")?.record.digest != second.record.digest)
                #expect(try await shelf.manifest("\(second.record.digest)")?.record == second.record)
            }
        }
    }

    // MARK: How long

    @Test("layers, folders and revision stay while the manifest is there, and go with it")
    func collected() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let pushed = try await shelf.push([("a", "of a manifest"), ("d/b", "of a branch")], ["v1", "latest"])
            let other = try await shelf.push([("c", "alone")], ["v2"])
            let (id, repository) = (try #require(pushed.revision?.id), pushed.repository)
            #expect(try await shelf.repositories.removeManifest(.tag("v1"), in: .models, shelf.model, shelf.alice))
            shelf.clock.advance(Self.years)
            #expect(try await shelf.repositories.collect() == Collected())
            #expect(try await shelf.paths(id.text) == ["a", "d", "d/b"])
            // A branch keeps the revision without the manifest.
            let dev = try #require(ReferenceName(.branch, "dev"))
            try await shelf.repositories.add(dev, at: shelf.main(id.text), shelf.alice)
            for manifest in [pushed, other] {
                let reference = ManifestReference.digest(.sha256(manifest.record.digest))
                #expect(try await shelf.repositories.removeManifest(reference, in: .models, shelf.model, shelf.alice))
            }
            #expect(try await shelf.paths("dev") == ["a", "d", "d/b"])
            let gone = try #require(other.revision?.id)
            #expect(try await shelf.store.read { try $0.revision(gone, of: repository.id) } == nil)
            // Nothing is made of the layer any more, so it can be deleted at once.
            let layer = ContentDigest.sha256(sha256(Array("alone".utf8)))
            #expect(try await shelf.repositories.removeBlob(layer, in: .models, shelf.model, shelf.alice))
            let used = ContentDigest.sha256(sha256(Array("of a branch".utf8)))
            #expect(
                await failure {
                    _ = try await shelf.repositories.removeBlob(used, in: .models, shelf.model, shelf.alice)
                }?
                .code == .conflict
            )
            shelf.clock.advance(Self.years)
            _ = try await shelf.repositories.collect()
            #expect(try await shelf.paths("dev") == ["a", "d", "d/b"])
            try await shelf.repositories.remove(dev, of: .models, shelf.model, shelf.alice)
            shelf.clock.advance(Self.years)
            #expect(try await shelf.repositories.collect().revisions == 1)
            #expect(try await shelf.blobs.uses().isEmpty)
        }
    }

    @Test("a job reads it by its tag, and lineage tells of the revision")
    func pinned() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let pushed = try await shelf.push([("w/a.bin", "1"), ("README.md", "# x")], ["v1"])
            let source = RepositorySource(shelf: .models, path: shelf.model, revision: "v1", file: nil)
            let pin = try await shelf.repositories.pin(source, for: shelf.model.project, shelf.alice)
            #expect(pin.pin.revision == pushed.revision?.id)
            #expect(try await shelf.blobs.manifest(of: pin.digest).files.map(\.path) == ["README.md", "w/a.bin"])
            var spec = JobSpec(name: "read", command: ["true"])
            spec.inputs = [JobInput(name: "base", source: .artifact(pin.digest, pin.kind), origin: pin.pin)]
            let job = try await shelf.succeed(spec, leaving: [])
            let lineage = try await shelf.repositories.lineage(of: pushed.repository.id, at: "v1", shelf.alice)
            #expect(lineage.edges.map(\.job) == [job])
        }
    }

    @Test("whoever may not see the repository sees no pushed revision of it")
    func hidden() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let pushed = try await shelf.push([("a", "1")], ["v1"])
            let id = try #require(pushed.revision?.id)
            for revision in ["v1", id.text] {
                for caller in [shelf.eve, nil] {
                    let refusal = await failure {
                        _ = try await shelf.repositories.list(
                            at: shelf.main(revision),
                            isRecursive: true,
                            limit: 10,
                            caller
                        )
                    }
                    #expect(refusal?.code == .notFound && refusal?.note == nil)
                }
            }
        }
    }

    // MARK: Manifests

    /// Of layers with a path, bytes and a media type; `raw` stands for ModelPack's.
    static func manifest(
        _ layers: [(String?, [UInt8], String)],
        config: String = "application/vnd.oci.empty.v1+json",
        annotation: String = "",
        more: String = ""
    ) -> [UInt8] {
        let list = layers.map { path, bytes, type in
            let type = type == "raw" ? "application/vnd.cncf.model.weight.v1.raw" : type
            let title = path.map { #""org.opencontainers.image.title":\#(JSON.string($0).text)\#(annotation)"# } ?? ""
            return #"""
                {"mediaType":"\#(type)","digest":"\#(sha256(bytes))","size":\#(bytes.count),"annotations":{\#(title)}}
                """#
        }
        return Array(
            #"""
            {"schemaVersion":2,"mediaType":"\#(ManifestDocument.ociImage)",\#
            "config":{"mediaType":"\#(config)","digest":"\#(sha256(Array("{}".utf8)))","size":2},\#
            "layers":[\#(list.joined(separator: ","))]\#(more)}
            """#.utf8
        )
    }

    private static func read(_ bytes: [UInt8]) throws -> ArtifactRevision.Reading {
        let document = try ManifestDocument(parsing: bytes, contentType: nil)
        let parts = document.parts.map { part in
            guard case .sha256(let digest) = part.digest else { preconditionFailure("these are SHA-256") }
            return (part.digest, digest)
        }
        return ArtifactRevision.read(
            document,
            sha256(bytes),
            parts: Dictionary(parts) { first, _ in first },
            now: Instant(milliseconds: 1)
        )
    }
}

extension Shelf {
    /// Pushes files as an artifact.
    func push(
        _ files: [(path: String, text: String)],
        _ tags: [String],
        created: String? = "2026-02-03T04:05:06Z",
        _ caller: Principal? = nil
    ) async throws -> ManifestOutcome {
        let repository = try await repositories.repository(.models, model, for: .write, caller ?? alice)
        for text in files.map(\.text) + ["{}"] {
            let blob = try await blobs.put(ByteBuffer(string: text))
            try await repositories.grant(blob, in: repository, caller ?? alice)
        }
        let more = created.map { #","annotations":{"org.opencontainers.image.created":"\#($0)"}"# } ?? ""
        let layers = files.map { ($0.path, Array($0.text.utf8), "raw") }
        return try await put(ArtifactRevisionTests.manifest(layers, more: more), tags, nil, caller)
    }

    func put(
        _ manifest: [UInt8],
        _ tags: [String],
        _ path: RepositoryPath? = nil,
        _ caller: Principal? = nil
    ) async throws -> ManifestOutcome {
        try await repositories.put(
            manifest: ByteBuffer(bytes: manifest),
            contentType: nil,
            as: nil,
            tags: tags,
            in: .model,
            path ?? model,
            caller ?? alice
        )
    }

    /// By a tag, a commit or a digest.
    func manifest(_ reference: String) async throws -> (record: ManifestRecord, bytes: HeldBytes)? {
        guard let reference = ManifestReference(reference) else { return nil }
        return try await repositories.manifest(reference, in: .models, model, alice)
    }

    /// Digests by path.
    func files(_ revision: String, _ path: RepositoryPath) async throws -> [String: Core.Digest] {
        let list = try await repositories.list(
            at: RevisionAddress(.models, path, revision),
            isRecursive: true,
            limit: 10_000,
            alice
        )
        return Dictionary(
            uniqueKeysWithValues: list.entries.compactMap { file in file.entry.digest.map { (file.path, $0) } }
        )
    }
}
