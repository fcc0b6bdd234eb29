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
}
