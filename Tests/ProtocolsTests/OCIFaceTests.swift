import Blobs
import Core
import FoundationEssentials
import Hub
import Jobs
import NIOHTTP1
import Protocols
import Store
import Testing
import Wire

/// What the specification leaves to the registry: rights, credentials, limits, and what bad input leads to.
@Suite("OCI face")
struct OCIFaceTests {
    private static func basic(_ token: String, user: String = "somebody") -> (String, String) {
        ("Authorization", "Basic " + Data("\(user):\(token)".utf8).base64EncodedString())
    }

    /// Pushes an image of one layer, and says what it is made of.
    @discardableResult
    static func push(_ registry: Registry, tag: String = "v1", seed: UInt64 = 1) async throws -> DataSet {
        var set = DataSet("image \(seed)")
        set.image(layers: 1)
        for bytes in set.blobs { try await registry.push(bytes) }
        try await registry.push(set.manifests[0], tag)
        return set
    }

    // MARK: Credentials

    @Test("clients are sent for a token, which is their own, or the one for nobody")
    func tokens() async throws {
        try await withFaces { scene in
            let asked = try await scene.call("GET", "/v2/", as: .anonymous)
            #expect(asked.status == 401 && asked.codes == ["UNAUTHORIZED"])
            let challenge = try #require(asked["WWW-Authenticate"])
            #expect(challenge == "Bearer realm=\"\(scene.address)/v2/token\",service=\"onepoint\"")
            let place = "/v2/token?service=onepoint&scope=repository%3Ademo%2Fx%3Apull"
            let token = try #require(scene.tokens[.member])
            let mine = try await scene.call("GET", place, as: .anonymous, headers: [Self.basic(token)])
            #expect(try mine.json()["token"]?.stringValue == token && mine["Cache-Control"] == "no-store")
            #expect(try mine.json()["access_token"]?.stringValue == token)
            let wrong = try await scene.call("GET", place, as: .anonymous, headers: [Self.basic("wrong")])
            #expect(wrong.status == 401, "\(wrong)")
            let nobody = try await scene.call("GET", place, as: .anonymous)
            let constant = try #require(try nobody.json()["token"]?.stringValue)
            let bearer = ("Authorization", "Bearer \(constant)")
            #expect(try await scene.call("GET", "/v2/", headers: [bearer]).status == 200)
            let form = "grant_type=password&service=onepoint&username=mia&password=\(token.percentEncoded)"
            let posted = try await scene.call("POST", "/v2/token", as: .anonymous, body: Array(form.utf8))
            #expect(try posted.json()["access_token"]?.stringValue == token, "\(posted)")
            let bad = try await scene.call("POST", "/v2/token", as: .anonymous, body: Array("grant_type=x".utf8))
            #expect(bad.status == 400)
            for header in [Self.basic("wrong"), ("Authorization", "Bearer wrong"), ("Authorization", "nonsense")] {
                let refused = try await scene.call("GET", "/v2/", as: .anonymous, headers: [header])
                #expect(refused.status == 401 && refused["WWW-Authenticate"] == challenge, "\(refused)")
            }
            let secure = try await scene.call("GET", "/v2/", as: .anonymous, headers: [("X-Forwarded-Proto", "https")])
            #expect(secure["WWW-Authenticate"]?.hasPrefix("Bearer realm=\"https://") == true)
        }
    }

    @Test("Basic works everywhere, without asking for a token first")
    func basicEverywhere() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            try await Self.push(registry)
            let header = Self.basic(try #require(scene.tokens[.viewer]))
            let pulled = try await scene.call(
                "GET",
                "/v2/demo/conformance/manifests/v1",
                as: .anonymous,
                headers: [header]
            )
            #expect(pulled.status == 200)
        }
    }

    // MARK: Rights

    @Test("who may pull and push: by visibility and role")
    func rights() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let set = try await Self.push(registry)
            let blob = "/v2/demo/conformance/blobs/\(Algorithm.sha256.digest(set.blobs[0]))"
            let pulls = ["/v2/demo/conformance/manifests/v1", blob, "/v2/demo/conformance/tags/list"]
            let path = try #require(RepositoryPath("demo/conformance"))
            let owner = try await scene.point.authenticate(bearer: #require(scene.tokens[.owner]))
            let tables: [(Visibility, [Who: Int])] = [
                (
                    .private,
                    [.anonymous: 401, .foreigner: 404, .viewer: 200, .member: 200, .owner: 200, .operator: 200]
                ),
                (.internal, [.anonymous: 401, .foreigner: 200, .viewer: 200]),
                (.public, [.anonymous: 200, .foreigner: 200, .viewer: 200]),
            ]
            for (visibility, expected) in tables {
                _ = try await scene.repositories.change(.images, path, visibility: visibility, owner)
                for (who, status) in expected {
                    for pull in pulls {
                        let reply = try await scene.call("GET", pull, as: who)
                        #expect(reply.status == status, "\(visibility) \(who) \(pull): \(reply)")
                    }
                    let begun = try await scene.call(
                        "POST",
                        "/v2/demo/conformance/blobs/uploads/",
                        as: who,
                        body: []
                    )
                    let write =
                        switch who {
                        case .anonymous: 401
                        case .foreigner: visibility == .private ? 404 : 403
                        case .viewer: 403
                        case .member, .owner, .operator: 202
                        }
                    #expect(begun.status == write, "\(visibility) \(who): \(begun)")
                }
            }
            let asked = try await scene.call("POST", "/v2/demo/conformance/blobs/uploads/", as: .anonymous, body: [])
            #expect(asked["WWW-Authenticate"]?.hasSuffix(#"scope="repository:demo/conformance:pull,push""#) == true)
            for (method, place) in [("DELETE", "manifests/v1"), ("PUT", "manifests/v2"), ("DELETE", blob)] {
                let path = place.hasPrefix("/") ? place : "/v2/demo/conformance/\(place)"
                #expect(try await scene.call(method, path, as: .viewer, body: []).status == 403)
                #expect(try await scene.call(method, path, as: .anonymous, body: []).status == 401)
            }
        }
    }

    @Test("the first push makes a private repository, on the shelf that its name says")
    func firstPush() async throws {
        try await withFaces { scene in
            for (name, kind) in [
                ("demo/app/web", RepositoryKind.image), ("models/demo/net", .model), ("datasets/demo/text", .dataset),
                ("algorithms/demo/train", .algorithm),
            ] {
                let registry = Registry(scene: scene, name: name)
                try await Self.push(registry)
                let path = try #require(
                    RepositoryPath(kind == .image ? name : String(name.split(separator: "/", maxSplits: 1)[1]))
                )
                let found = try await scene.store.read { try $0.repository(kind.shelf, path) }
                #expect(found?.kind == kind && found?.visibility == .private && found?.creator.text == "mia")
            }
            for (who, name, status) in [
                (Who.viewer, "demo/other", 403), (.foreigner, "demo/other", 404), (.anonymous, "demo/other", 401),
                (.member, "absent/x", 404), (.member, "other/x", 404),
            ] {
                let reply = try await scene.call("POST", "/v2/\(name)/blobs/uploads/", as: who, body: [])
                #expect(reply.status == status, "\(who) \(name): \(reply)")
            }
        }
    }

    @Test("an upload belongs to who began it, in the repository where it began")
    func foreignUploads() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let location = try await registry.begin()
            var elsewhere = Registry(scene: scene, name: "demo/elsewhere")
            _ = try await elsewhere.begin()
            let moved = location.replacing("/conformance/", with: "/elsewhere/")
            elsewhere.name = "demo/elsewhere"
            for (place, who) in [(moved, Who.member), (location, .owner)] {
                for method in ["GET", "PATCH", "DELETE"] {
                    let reply = try await scene.call(method, place, as: who, body: method == "PATCH" ? [1] : nil)
                    #expect(reply.status == 404 && reply.codes == ["BLOB_UPLOAD_UNKNOWN"], "\(method) \(reply)")
                }
            }
            #expect(try await registry.call("GET", location).status == 204)
        }
    }

    @Test("bytes are not mounted from where the caller may not read, named or not")
    func mountRights() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene, name: "other/secret", who: .foreigner)
            let bytes = content(1000, seed: 9)
            try await registry.push(bytes)
            let digest = Algorithm.sha256.digest(bytes)
            for from in ["", "&from=other/secret", "&from=other/absent", "&from=%2e%2e", "&from=x"] {
                let reply = try await scene.call(
                    "POST",
                    "/v2/demo/mine/blobs/uploads/?mount=\(digest)\(from)",
                    body: []
                )
                #expect(reply.status == 202, "\(from): \(reply)")
            }
            #expect(try await scene.call("HEAD", "/v2/demo/mine/blobs/\(digest)").status == 404)
            let manifest = #"{"layers":[{"mediaType":"a/b","digest":"\#(digest)","size":1000}]}"#
            let put = try await scene.call(
                "PUT",
                "/v2/demo/mine/manifests/v1",
                headers: [("Content-Type", "a/b")],
                body: Array(manifest.utf8)
            )
            #expect(put.status == 400 && put.codes == ["MANIFEST_BLOB_UNKNOWN"], "\(put)")
        }
    }

    // MARK: Manifests

    @Test("a manifest is taken only when all that it is made of is there, with its sizes")
    func closure() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            var set = DataSet("closure")
            let index = set.fullIndex()
            let absent = try await registry.put(set.manifests[0], "v1")
            #expect(absent.status == 400 && Set(absent.codes) == ["MANIFEST_BLOB_UNKNOWN"])
            #expect(absent.codes.count == 3)
            for bytes in set.blobs { try await registry.push(bytes) }
            // A manifest that was pushed as a blob is no manifest of the repository.
            for manifest in set.manifests[0..<2] { try await registry.push(manifest.bytes) }
            let early = try await registry.put(set.manifests[index], "v1")
            #expect(early.codes == ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN"], "\(early)")
            for manifest in set.manifests[0..<2] {
                try await registry.push(manifest, Algorithm.sha256.digest(manifest.bytes))
            }
            try await registry.push(set.manifests[index], "v1")
            let lying =
                #"{"layers":[{"mediaType":"a/b","digest":"\#(Algorithm.sha256.digest(set.blobs[0]))","size":1}]}"#
            let refused = try await registry.call(
                "PUT",
                "manifests/v2",
                headers: [("Content-Type", "a/b")],
                body: Array(lying.utf8)
            )
            #expect(refused.status == 400 && refused.codes == ["MANIFEST_INVALID"], "\(refused)")
            // What something is made of stays.
            let blob = try await registry.call("DELETE", "blobs/\(Algorithm.sha256.digest(set.blobs[0]))")
            #expect(blob.status == 405 && blob.codes == ["UNSUPPORTED"])
            let child = Algorithm.sha256.digest(set.manifests[0].bytes)
            #expect(try await registry.call("DELETE", "manifests/\(child)").status == 405)
            #expect(try await registry.call("DELETE", "blobs/\(child)").status == 405)
        }
    }

    @Test("the same push again changes nothing and says the same; a tag moves")
    func repeats() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let one = try await Self.push(registry, seed: 1)
            let before = try await scene.store.read { try $0.lastSequence() }
            try await registry.push(one.manifests[0], "v1")
            #expect(try await scene.store.read { try $0.lastSequence() } == before)
            let two = try await Self.push(registry, seed: 2)
            let tagged = try await registry.call("HEAD", "manifests/v1")
            #expect(tagged["Docker-Content-Digest"] == Algorithm.sha256.digest(two.manifests[0].bytes))
            let digest = Algorithm.sha256.digest(one.manifests[0].bytes)
            #expect(try await registry.call("HEAD", "manifests/\(digest)").status == 200)
            let known = try await registry.call(
                "GET",
                "manifests/v1",
                headers: [("If-None-Match", tagged["ETag"] ?? "")]
            )
            #expect(known.status == 304 && known.body.isEmpty)
        }
    }

    @Test("one push sets several tags")
    func manyTags() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let set = try await Self.push(registry)
            let digest = Algorithm.sha256.digest(set.manifests[0].bytes)
            let reply = try await registry.put(set.manifests[0], digest, query: "?tag=b&tag=a&tag=b")
            #expect(reply.status == 201 && reply.headers["OCI-Tag"] == ["b", "a"], "\(reply)")
            #expect(try await registry.tags() == ["a", "b", "v1"])
            for query in ["?tag=", "?tag=.x", "?tag=a:b", "?" + String(repeating: "tag=x&", count: 101)] {
                let refused = try await registry.put(set.manifests[0], digest, query: query)
                #expect(
                    refused.status == 400 && refused.codes == ["MANIFEST_INVALID"],
                    "\(query.prefix(20)): \(refused)"
                )
            }
        }
    }

    @Test("lists come in pages that lead to each other")
    func pages() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let set = try await Self.push(registry)
            let digest = Algorithm.sha256.digest(set.manifests[0].bytes)
            let tags = (0..<25).map { "t\($0)" }
            _ = try await registry.put(set.manifests[0], digest, query: "?tag=" + tags.joined(separator: "&tag="))
            var (found, next): ([String], String?) = ([], "tags/list?n=10")
            while let path = next {
                let reply = try await registry.call("GET", path)
                found += (try reply.json()["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
                next = Self.next(reply)
            }
            #expect(found == (tags + ["v1"]).sorted())
            #expect(try await registry.tags("?n=0").isEmpty)
            #expect(try await registry.call("GET", "tags/list?n=-1").status == 400)
            #expect(try await registry.call("GET", "tags/list?n=x").status == 400)
            var attached: Set<String> = []
            for number in 0..<130 {
                let subject = set.manifests[0].descriptor()
                var more = DataSet("attached \(number)")
                let place = more.image(layers: 0, artifactType: DataSet.example, subject: subject)
                if number == 0 { for bytes in more.blobs { try await registry.push(bytes) } }
                var manifest = more.manifests[place]
                manifest.bytes.append(contentsOf: Array(repeating: UInt8(ascii: " "), count: number))
                #expect(try await registry.put(manifest, Algorithm.sha256.digest(manifest.bytes)).status == 201)
                attached.insert(Algorithm.sha256.digest(manifest.bytes))
            }
            var (seen, page): ([String], String?) = ([], "referrers/\(digest)?artifactType=\(DataSet.example)")
            while let path = page {
                let reply = try await registry.call("GET", path)
                #expect(reply["OCI-Filters-Applied"] == "artifactType")
                seen += (try reply.json()["manifests"]?.arrayValue ?? []).compactMap { $0["digest"]?.stringValue }
                page = Self.next(reply)
            }
            #expect(seen.count == 130 && Set(seen) == attached)
        }
    }

    private static func next(_ reply: Reply) -> String? {
        guard let link = reply["Link"], link.hasSuffix("; rel=\"next\"") else { return nil }
        return String(link.dropFirst().prefix { $0 != ">" })
    }

    // MARK: Bad input

    @Test("bad requests are refused in the right shape, and nothing is stored")
    func badInput() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            try await Self.push(registry)
            let before = try await scene.store.read { try $0.lastSequence() }
            let location = try await registry.begin()
            let large = [UInt8](repeating: UInt8(ascii: " "), count: ManifestDocument.bytesMax + 1)
            let digest = Algorithm.sha256.digest([])
            let cases: [(String, String, [(String, String)], [UInt8]?, Int, String)] = [
                ("PUT", "manifests/v2", [], Array("nonsense".utf8), 400, "MANIFEST_INVALID"),
                ("PUT", "manifests/v2", [], [], 400, "MANIFEST_INVALID"),
                ("PUT", "manifests/v2", [("Content-Type", "a/b")], large, 413, "SIZE_INVALID"),
                ("PUT", "manifests/..", [], Array("{}".utf8), 404, "UNSUPPORTED"),
                ("PUT", "manifests/\(digest)", [("Content-Type", "a/b")], Array("{}".utf8), 400, "DIGEST_INVALID"),
                ("POST", "blobs/uploads/?digest=sha256:x", [], [1], 400, "DIGEST_INVALID"),
                ("POST", "blobs/uploads/?mount=x", [], [], 400, "DIGEST_INVALID"),
                ("POST", "blobs/uploads/?digest-algorithm=md5", [], [], 400, "UNSUPPORTED"),
                ("PUT", location, [], [], 400, "DIGEST_INVALID"),
                ("PUT", location + "?digest=x", [], [], 400, "DIGEST_INVALID"),
                ("PATCH", location, [("Content-Range", "5")], [1], 400, "BLOB_UPLOAD_INVALID"),
                ("PATCH", location, [("Content-Range", "5-1")], [1], 400, "BLOB_UPLOAD_INVALID"),
                ("PATCH", location, [("Content-Range", "0-7")], [1], 400, "SIZE_INVALID"),
                ("PATCH", location, [("Content-Range", "7-7")], [1], 416, "BLOB_UPLOAD_INVALID"),
                ("PATCH", location + "x", [], [1], 404, "BLOB_UPLOAD_UNKNOWN"),
                ("GET", "referrers/x", [], nil, 400, "DIGEST_INVALID"),
                ("POST", "tags/list", [], [], 405, "UNSUPPORTED"),
                ("DELETE", "/v2/", [], nil, 405, "UNSUPPORTED"), ("GET", "/v2/x/y", [], nil, 404, "UNSUPPORTED"),
            ]
            for (method, path, headers, body, status, code) in cases {
                let reply = try await registry.call(method, path, headers: headers, body: body)
                #expect(reply.status == status && reply.codes == [code], "\(method) \(path): \(reply)")
            }
            #expect(try await registry.call("GET", location)["Range"] == "0-0")
            #expect(try await scene.store.read { try $0.lastSequence() } == before)
        }
    }

    @Test("a manifest that is refused makes no repository")
    func refusedFirst() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene, name: "demo/never")
            var set = DataSet("never")
            set.image(layers: 1)
            #expect(try await registry.put(set.manifests[0], "v1").status == 400)
            #expect(try await registry.put(set.manifests[0], "sha256:x").status == 400)
            let path = try #require(RepositoryPath("demo/never"))
            #expect(try await scene.store.read { try $0.repository(.images, path) } == nil)
            let index = set.index([])
            #expect(try await registry.put(set.manifests[index], "v1").status == 201)
        }
    }

    @Test("annotations that lists would have to carry are capped, others are kept in the manifest alone")
    func annotations() async throws {
        try await withFaces { scene in
            let registry = Registry(scene: scene)
            let image = try await Self.push(registry)
            let long = [(key: "a", value: JSON.string(String(repeating: "x", count: 300_000)))]
            var set = DataSet("annotated")
            set.image(layers: 0, annotations: long, subject: image.manifests[0].descriptor())
            set.image(layers: 0, annotations: long)
            for bytes in set.blobs { try await registry.push(bytes) }
            let refused = try await registry.put(set.manifests[0], "attached")
            #expect(refused.status == 413 && refused.codes == ["SIZE_INVALID"], "\(refused)")
            try await registry.push(set.manifests[1], "long")
        }
    }

    @Test("too many requests are told to wait")
    func limits() async throws {
        try await withFaces(limits: FaceLimits(perSecond: 0.001, burst: 3)) { scene in
            for _ in 0..<3 { #expect(try await scene.call("GET", "/v2/").status == 200) }
            let refused = try await scene.call("GET", "/v2/")
            #expect(refused.status == 429 && refused.codes == ["TOOMANYREQUESTS"] && refused["Retry-After"] != nil)
        }
    }

    @Test("a HEAD is refused without a body")
    func heads() async throws {
        try await withFaces { scene in
            let reply = try await scene.call("HEAD", "/v2/demo/x/blobs/\(Algorithm.sha256.digest([]))")
            #expect(reply.status == 404 && reply.body.isEmpty)
            #expect(reply["Docker-Distribution-API-Version"] == "registry/2.0")
        }
    }
}
