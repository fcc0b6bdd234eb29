import Blobs
import Core
import Hub
import Jobs
import Store
import Testing
import Wire

/// What clients of the Hub committed, as OCI clients see it.
@Suite("The bridge")
struct BridgeTests {
    private static func hash(_ digit: Character) -> GitHash {
        guard let hash = GitHash(String(repeating: digit, count: 40)) else { preconditionFailure("40 digits") }
        return hash
    }

    /// A model with a branch, a tag and two files, one of them in a folder.
    private func commit(_ scene: FaceScene) async throws -> (weights: [UInt8], card: [UInt8]) {
        let caller = try await scene.point.authenticate(bearer: #require(scene.tokens[.member]))
        let path = try #require(RepositoryPath("demo/net"))
        let repository = try await scene.repositories.create(.model, path, caller)
        let (weights, card) = (content(100_000, seed: 5), Array("# A model".utf8))
        var entries: [TreeEntry] = []
        for (name, bytes, digit) in [("model.safetensors", weights, Character("a")), ("README.md", card, "b")] {
            let blob = try await scene.blobs.put(bytes)
            try await scene.repositories.grant(blob, in: repository, caller)
            entries.append(
                TreeEntry(name: name, kind: .file, oid: Self.hash(digit), digest: blob.digest, size: blob.size)
            )
        }
        let (inner, root, id) = (Self.hash("c"), Self.hash("d"), Self.hash("e"))
        let folder = TreeEntry(name: "weights", kind: .folder, oid: inner, digest: nil, size: 0)
        let revision = Revision(
            id: id,
            tree: root,
            parent: nil,
            title: "First",
            message: "First",
            author: name("mia"),
            at: Instant(milliseconds: 1_770_000_000_000)
        )
        let committed = Event.RevisionCommitted(
            repository: repository.id,
            revision: revision,
            folders: [
                .init(tree: inner, base: nil, put: [entries[0]], removed: []),
                .init(tree: root, base: nil, put: [entries[1], folder], removed: []),
            ],
            reference: .main
        )
        let tag = try #require(ReferenceName(.tag, "v1"))
        let (place, subject) = (repository.path.project, "\(repository.id)")
        try await scene.store.write { tx in
            try tx.append(
                .revisionCommitted(committed),
                project: place,
                subject: subject,
                actor: "user/mia",
                at: revision.at
            )
            let tagged = Event.ReferenceSet(repository: committed.repository, reference: tag, revision: id)
            try tx.append(.referenceSet(tagged), project: place, subject: subject, actor: "user/mia", at: revision.at)
        }
        return (weights, card)
    }

    @Test("a revision is a ModelPack artifact under its branch, tag and commit, with the files as its layers")
    func revision() async throws {
        try await withFaces { scene in
            let (weights, card) = try await commit(scene)
            let registry = Registry(scene: scene, name: "models/demo/net", who: .viewer)
            let names = ["main", "v1", Self.hash("e").text]
            var digests: Set<String> = []
            for name in names {
                for method in ["HEAD", "GET"] {
                    let reply = try await registry.call(method, "manifests/\(name)")
                    #expect(reply.status == 200, "\(name): \(reply)")
                    digests.insert(reply["Docker-Content-Digest"] ?? "none")
                }
            }
            #expect(digests.count == 1)
            let digest = try #require(digests.first)
            let manifest = try await registry.call("GET", "manifests/\(digest)")
            #expect(Algorithm.sha256.digest(manifest.body) == digest)
            let json = try manifest.json()
            #expect(json["artifactType"]?.stringValue == "application/vnd.cncf.model.manifest.v1+json")
            let config = try #require(json["config"]?["digest"]?.stringValue)
            let read = try await registry.call("GET", "blobs/\(config)").json()
            #expect(read["descriptor"]?["revision"]?.stringValue == Self.hash("e").text)
            let layers = try #require(json["layers"]?.arrayValue)
            let expected = [
                ("README.md", card, "application/vnd.cncf.model.doc.v1.raw"),
                ("weights/model.safetensors", weights, "application/vnd.cncf.model.weight.v1.raw"),
            ]
            #expect(layers.count == expected.count)
            for (layer, (path, bytes, type)) in zip(layers, expected) {
                #expect(layer["annotations"]?["org.cncf.model.filepath"]?.stringValue == path)
                #expect(layer["mediaType"]?.stringValue == type)
                let place = try #require(layer["digest"]?.stringValue)
                #expect(try await registry.call("GET", "blobs/\(place)").body == bytes)
            }
            let before = try await scene.store.read { try $0.lastSequence() }
            _ = try await registry.call("GET", "manifests/main")
            #expect(try await scene.store.read { try $0.lastSequence() } == before)
            #expect(try await registry.call("GET", "manifests/absent").status == 404)
            #expect(try await scene.call("GET", "/v2/models/demo/net/manifests/main", as: .foreigner).status == 404)
        }
    }

    @Test("a file of a revision cannot be deleted, and a tag of its name cannot be pushed")
    func kept() async throws {
        try await withFaces { scene in
            let (weights, _) = try await commit(scene)
            let registry = Registry(scene: scene, name: "models/demo/net")
            let blob = "blobs/\(Algorithm.sha256.digest(weights))"
            #expect(try await registry.call("DELETE", blob).status == 405)
            var set = DataSet("shadow")
            set.image(layers: 1)
            for bytes in set.blobs { try await registry.push(bytes) }
            #expect(try await registry.put(set.manifests[0], "main").status == 405)
            try await registry.push(set.manifests[0], "pushed")
        }
    }

    // MARK: The other way

    /// A manifest whose layers are files.
    private static func artifact(
        _ files: [(path: String, bytes: [UInt8])],
        _ set: inout DataSet,
        type: String = "application/vnd.cncf.model.weight.v1.raw"
    ) -> TestManifest {
        let layers = files.map { file in
            set.blobs.append(file.bytes)
            let annotations = JSON.object([("org.cncf.model.filepath", .string(file.path))])
            return set.descriptor(file.bytes, type, more: [("annotations", annotations)])
        }
        let kind = "application/vnd.cncf.model.manifest.v1+json"
        return set.manifests[set.image(layers: 0, artifactType: kind, extraLayers: layers)]
    }

    @Test("a pushed artifact is a revision for clients of the Hub and of git-lfs, byte for byte")
    func pushed() async throws {
        try await withFaces { scene in
            for (shelf, api, files) in [
                ("models", "models", ""), ("datasets", "datasets", "/datasets"), ("algorithms", "models", ""),
            ] {
                let (weights, card) = (content(300_000, seed: 9), Array("---\nlicense: mit\n---\n# Pushed".utf8))
                let name = "pushed-\(shelf)"
                let registry = Registry(scene: scene, name: "\(shelf)/demo/\(name)")
                var set = DataSet(name)
                let manifest = Self.artifact([("w/model.bin", weights), ("README.md", card)], &set)
                for bytes in set.blobs { try await registry.push(bytes) }
                for tag in ["v1", "latest"] {
                    let reply = try await registry.put(manifest, tag)
                    #expect(reply.status == 201 && reply["Warning"] == nil, "\(reply)")
                }
                let at = "/api/\(api)/demo/\(name)"
                let refs = try await scene.call("GET", "\(at)/refs", as: .viewer).json()
                let tags = try #require(refs["tags"]?.arrayValue)
                #expect(tags.map { $0["ref"]?.stringValue } == ["refs/tags/latest", "refs/tags/v1"])
                #expect(refs["branches"] == .array([]))
                let commit = try #require(tags.first?["targetCommit"]?.stringValue)
                for revision in ["v1", "main", commit] {
                    let info = try await scene.call("GET", "\(at)/revision/\(revision)", as: .viewer).json()
                    #expect(info["sha"]?.stringValue == commit)
                    #expect(info["cardData"]?["license"]?.stringValue == "mit")
                    let tree = "\(at)/tree/\(revision)?recursive=true"
                    let entries = try await scene.call("GET", tree, as: .viewer).json().arrayValue ?? []
                    #expect(entries.map { $0["path"]?.stringValue } == ["README.md", "w", "w/model.bin"])
                    for (path, bytes) in [("w/model.bin", weights), ("README.md", card)] {
                        let place = "\(files)/demo/\(name)/resolve/\(revision)/\(path)"
                        let file = try await scene.call("GET", place, as: .viewer)
                        #expect(file.status == 200 && file.body == bytes && file["X-Repo-Commit"] == commit)
                        #expect(try await scene.call("GET", place, as: .foreigner).status == 404)
                        #expect(try await scene.call("GET", place, as: .anonymous).status != 200)
                    }
                    let digest = Algorithm.sha256.digest(manifest.bytes)
                    try await registry.expectManifest(manifest, at: "manifests/\(revision)", digest, ["HEAD", "GET"])
                }
                let found = try await scene.call("GET", "/api/\(api)?filter=license:mit&search=\(name)").json()
                #expect(found.arrayValue?.count == 1)
                let oid = Algorithm.sha256.digest(weights).dropFirst(7)
                let batch = try await scene.call(
                    "POST",
                    "\(files)/demo/\(name).git/info/lfs/objects/batch",
                    as: .viewer,
                    body: Array(
                        #"{"operation":"download","objects":[{"oid":"\#(oid)","size":\#(weights.count)}]}"#.utf8
                    )
                )
                let object = try #require(try batch.json()["objects"]?.arrayValue?.first)
                let address = try #require(object["actions"]?["download"]?["href"]?.stringValue)
                #expect(try await scene.call("GET", address, as: .anonymous).body == weights)
            }
        }
    }

    @Test("what cannot be a revision is kept as an artifact, and the answer says why")
    func warned() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene, name: "models/demo/odd")
            let gzip = "application/vnd.cncf.model.weight.v1.tar+gzip"
            let cases: [([String], String?, String)] = [
                (["../../etc/passwd"], nil, "cannot have the path"), (["a", "a"], nil, "two layers are 'a'"),
                (["x/y", "x"], nil, "a file and a folder"), (["a\u{e9}\"b\\c"], nil, #"a??\"b\\c"#),
                (["weights"], gzip, "is packed"),
            ]
            for (index, (paths, type, why)) in cases.enumerated() {
                var set = DataSet("odd \(index)")
                let files = paths.map { (path: $0, bytes: content(100, seed: UInt64(index))) }
                let manifest =
                    type.map { Self.artifact(files, &set, type: $0) } ?? Self.artifact(files, &set)
                for bytes in Set(set.blobs) { try await registry.push(bytes) }
                let reply = try await registry.put(manifest, "t\(index)")
                #expect(reply.status == 201, "\(reply)")
                let warning = try #require(reply["Warning"])
                #expect(warning.hasPrefix("299 - \"") && warning.hasSuffix("\"") && warning.contains(why), "\(warning)")
                let digest = Algorithm.sha256.digest(manifest.bytes)
                try await registry.expectManifest(manifest, at: "manifests/t\(index)", digest, ["GET"])
                let tree = try await scene.call("GET", "/api/models/demo/odd/tree/t\(index)")
                #expect(tree.status == 404 && tree["X-Error-Code"] == "RevisionNotFound", "\(tree)")
            }
            #expect(try await scene.call("GET", "/api/models/demo/odd/refs").json()["tags"] == .array([]))
            // Too many layers are refused whole, as before.
            let layer = #"{"mediaType":"a/b","digest":"\#(Algorithm.sha256.digest([]))","size":0}"#
            let list = Array(repeating: layer, count: ManifestDocument.partsMax + 1).joined(separator: ",")
            let huge = #"{"schemaVersion":2,"mediaType":"\#(ManifestDocument.ociImage)","layers":[\#(list)]}"#
            let manifest = TestManifest(mediaType: ManifestDocument.ociImage, bytes: Array(huge.utf8))
            #expect(try await registry.put(manifest, "huge").status == 400)
        }
    }

    @Test("an artifact on the images' shelf is no revision, and an image on a model's is none either")
    func images() async throws {
        try await withFaces { scene in
            for (name, isImage) in [("demo/plain", false), ("models/demo/image", true)] {
                let registry = Registry(scene: scene, name: name)
                var set = DataSet(name)
                var manifest = Self.artifact([("a", content(10, seed: 1))], &set)
                if isImage { manifest = set.manifests[set.image(layers: 1)] }
                for bytes in set.blobs { try await registry.push(bytes) }
                let reply = try await registry.put(manifest, "v1")
                #expect(reply.status == 201 && reply["Warning"] == nil)
            }
            #expect(try await scene.call("GET", "/api/models/demo/image/refs").json()["tags"] == .array([]))
            #expect(try await scene.call("GET", "/api/models/demo/plain/refs").status == 404)
        }
    }
}
