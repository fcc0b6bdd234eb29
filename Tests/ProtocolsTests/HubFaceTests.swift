import Core
import Crypto
import FoundationEssentials
import Hub
import Jobs
import Testing
import Wire

@testable import Protocols

/// One repository as a client of the Hub sees it.
private struct Hub: Sendable {
    let scene: FaceScene
    var id = "demo/tiny"

    func make() async throws {
        let (project, name) = (id.split(separator: "/")[0], id.split(separator: "/")[1])
        let made = try await scene.call(
            "POST",
            "/api/repos/create",
            body: Array(#"{"name":"\#(name)","organization":"\#(project)","type":"model","private":true}"#.utf8)
        )
        try #require(made.status == 200, "\(made)")
    }

    func commit(_ lines: [String], as who: Who = .member, revision: String = "main") async throws -> Reply {
        let header = #"{"key":"header","value":{"summary":"Change","description":""}}"#
        return try await scene.call(
            "POST",
            "/api/models/\(id)/commit/\(revision)",
            as: who,
            headers: [("Content-Type", "application/x-ndjson")],
            body: Array(([header] + lines).joined(separator: "\n").utf8)
        )
    }

    static func file(_ path: String, _ text: String) -> String {
        let content = Data(text.utf8).base64EncodedString()
        return #"{"key":"file","value":{"path":"\#(path)","content":"\#(content)","encoding":"base64"}}"#
    }

    static func large(_ path: String, _ oid: String, _ size: Int) -> String {
        #"{"key":"lfsFile","value":{"path":"\#(path)","algo":"sha256","oid":"\#(oid)","size":\#(size)}}"#
    }

    /// The answer to a batch for one object.
    func batch(
        _ operation: String,
        _ bytes: [UInt8],
        transfers: String = #"["basic"]"#,
        as who: Who = .member
    ) async throws -> JSON {
        let oid = sha256(bytes)
        let reply = try await scene.call(
            "POST",
            "/\(id).git/info/lfs/objects/batch",
            as: who,
            body: Array(
                #"{"operation":"\#(operation)","transfers":\#(transfers),"objects":[{"oid":"\#(oid)","size":\#(bytes.count)}]}"#
                    .utf8
            )
        )
        try #require(reply.status == 200, "\(reply)")
        return try #require(try reply.json()["objects"]?.arrayValue?.first)
    }

    /// An upload by git-lfs, as clients do it: without credentials at the address that they were given.
    func upload(_ bytes: [UInt8]) async throws {
        let actions = try #require(try await batch("upload", bytes)["actions"])
        let href = try #require(actions["upload"]?["href"]?.stringValue)
        let put = try await scene.call("PUT", href, as: .anonymous, body: bytes)
        try #require(put.status == 200, "\(put)")
    }
}

private func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

@Suite struct HubFaceTests {
    @Test("what a caller may not see is told from what is not there by nothing; what they may not do is refused")
    func roles() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            try #require(try await hub.commit([Hub.file("a.txt", "a")]).status == 200)
            for path in [
                "/api/models/demo/tiny", "/api/models/demo/tiny/tree/main", "/api/models/demo/tiny/refs",
                "/demo/tiny/resolve/main/a.txt", "/demo/tiny/resolve/main/none", "/api/models/demo/tiny/commits/main",
                "/api/models/demo/tiny/xet-read-token/main", "/api/models/demo/tiny/auth-check",
                "/api/models/demo/none",
            ] {
                for who in [Who.anonymous, .foreigner] {
                    let reply = try await scene.call("GET", path, as: who)
                    #expect(reply.status == 404 && reply["X-Error-Code"] == "RepoNotFound", "\(path) \(who) \(reply)")
                }
                guard !path.hasSuffix("none") else { continue }
                for who in [Who.viewer, .member, .owner, .operator] {
                    #expect(try await scene.call("GET", path, as: who).status == 200, "\(path) \(who)")
                }
            }
            let viewer = try await hub.commit([Hub.file("b.txt", "b")], as: .viewer)
            #expect(viewer.status == 403, "\(viewer)")
            #expect(try await hub.commit([Hub.file("b.txt", "b")], as: .foreigner).status == 404)
            let token = try await scene.call("GET", "/api/models/demo/tiny/xet-write-token/main", as: .viewer)
            #expect(token.status == 403)
            let stranger = try await scene.call("GET", "/api/whoami-v2", headers: [("Authorization", "Bearer wrong")])
            #expect(stranger.status == 401)
            #expect(stranger["X-Error-Message"] == "Invalid credentials in Authorization header")
        }
    }

    @Test("a file is served with what clients keep it by, whole, in part, and to those who only ask")
    func resolve() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let weights = content(50_000, seed: 1)
            try await hub.upload(weights)
            let made = try await hub.commit([
                Hub.file("sub/a b.txt", "hello\n"), Hub.large("w.bin", sha256(weights), weights.count),
            ])
            let commit = try #require(try made.json()["commitOid"]?.stringValue, "\(made)")
            let small = try await scene.call("GET", "/demo/tiny/resolve/main/sub/a%20b.txt")
            #expect(small.text == "hello\n" && small["ETag"] == "\"ce013625030ba8dba906f756967f9e9ca394464a\"")
            #expect(small["X-Repo-Commit"] == commit && small["X-Linked-Size"] == nil)
            let head = try await scene.call("HEAD", "/demo/tiny/resolve/\(commit)/w.bin")
            #expect(head.status == 200 && head["Content-Length"] == "50000" && head["X-Linked-Size"] == "50000")
            #expect(head["ETag"] == "\"\(sha256(weights))\"" && head["X-Linked-ETag"] == head["ETag"])
            let range = ("Range", "bytes=49990-")
            let part = try await scene.call("GET", "/demo/tiny/resolve/main/w.bin", headers: [range])
            #expect(part.status == 206 && part.body == Array(weights[49_990...]))
            #expect(part["Content-Range"] == "bytes 49990-49999/50000")
            let outside = try await scene.call(
                "GET",
                "/demo/tiny/resolve/main/w.bin",
                headers: [("Range", "bytes=50000-")]
            )
            #expect(outside.status == 416 && outside["Content-Range"] == "bytes */50000")
            for method in ["GET", "HEAD"] {
                let none = try await scene.call(method, "/demo/tiny/resolve/main/none.json")
                #expect(none.status == 404 && none["X-Error-Code"] == "EntryNotFound")
                #expect(none["X-Repo-Commit"] == commit)
                let nowhere = try await scene.call(method, "/demo/tiny/resolve/nowhere/w.bin")
                #expect(nowhere.status == 404 && nowhere["X-Error-Code"] == "RevisionNotFound")
            }
        }
    }

    @Test("an upload's address is good for its file and nothing else")
    func addresses() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let bytes = content(1000, seed: 2)
            let actions = try #require(try await hub.batch("upload", bytes)["actions"])
            let href = try #require(actions["upload"]?["href"]?.stringValue)
            let verify = try #require(actions["verify"]?["href"]?.stringValue)
            let early = try await scene.call("POST", verify, as: .anonymous, body: [])
            #expect(early.status == 404)
            for wrong in [
                href.replacing(sha256(bytes), with: sha256([1])), href.replacing("size=1000", with: "size=1001"),
                href.replacing("caller=mia..", with: "caller=olga.."), href.replacing("mia..", with: "mia..operator"),
                String(href.dropLast(1)),
            ] {
                let put = try await scene.call("PUT", wrong, as: .anonymous, body: bytes)
                #expect(put.status == 403, "\(wrong)")
            }
            #expect(try await scene.call("GET", href, as: .anonymous).status == 403)
            let other = try await scene.call("PUT", href, as: .anonymous, body: content(1000, seed: 3))
            #expect(other.status == 400, "\(other)")
            #expect(try await scene.call("PUT", href, as: .anonymous, body: Array(bytes.dropLast())).status == 400)
            #expect(try await scene.call("PUT", href, as: .anonymous, body: bytes).status == 200)
            #expect(try await scene.call("POST", verify, as: .anonymous, body: []).status == 200)
            #expect(try await hub.batch("upload", bytes)["actions"] == nil)
            // What is in one repository is not in another one.
            var second = Hub(scene: scene)
            second.id = "demo/second"
            try await second.make()
            #expect(try await second.batch("download", bytes)["error"]?["code"]?.integerValue == 404)
            #expect(try await second.batch("upload", bytes)["actions"] != nil)
            let refused = try await second.commit([Hub.large("w.bin", sha256(bytes), bytes.count)])
            #expect(refused.status == 400, "\(refused)")
            let download = try #require(try await hub.batch("download", bytes, as: .viewer)["actions"])
            let from = try #require(download["download"]?["href"]?.stringValue)
            #expect(try await scene.call("GET", from, as: .anonymous).body == bytes)
            #expect(try await scene.call("PUT", from, as: .anonymous, body: bytes).status == 403)
        }
    }

    @Test("a large file comes in parts, and nobody completes it with parts that they did not send")
    func parts() async throws {
        try await withFaces(hub: HubSettings(multipartAbove: 1000, partMin: 400)) { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let bytes = content(1100, seed: 4)
            let object = try await hub.batch("upload", bytes, transfers: #"["basic","multipart"]"#)
            let upload = try #require(object["actions"]?["upload"])
            guard case .object(let header)? = upload["header"] else { throw Failure(.invalid, "no header") }
            #expect(header.map(\.key) == ["chunk_size", "00001", "00002", "00003"])
            #expect(upload["header"]?["chunk_size"]?.stringValue == "400")
            var tags: [String] = []
            for (index, part) in header.dropFirst().enumerated() {
                let piece = Array(bytes[(index * 400)..<min(index * 400 + 400, bytes.count)])
                let href = try #require(part.value.stringValue)
                let put = try await scene.call("PUT", href, as: .anonymous, body: piece)
                tags.append(try #require(put["ETag"], "\(put)"))
            }
            func complete(_ tags: [String]) async throws -> Reply {
                let parts = tags.enumerated().map {
                    JSON.object([
                        (key: "partNumber", value: .integer(Int64($0.offset + 1))),
                        (key: "etag", value: .string($0.element)),
                    ])
                }
                let body = JSON.object([
                    (key: "oid", value: .string(sha256(bytes))), (key: "parts", value: .array(parts)),
                ])
                let href = try #require(upload["href"]?.stringValue)
                return try await scene.call("POST", href, as: .anonymous, body: Array(body.text.utf8))
            }
            // Bytes that are here already, but that the caller never sent.
            try await hub.upload(Array("secret".utf8))
            let forged = tags[0].replacing(tags[0].dropFirst().prefix(64), with: sha256(Array("secret".utf8)))
            #expect(try await complete([forged]).status == 400)
            #expect(try await complete([tags[1], tags[0], tags[2]]).status == 400)
            #expect(try await complete(Array(tags.dropLast())).status == 400)
            #expect(try await complete(tags).status == 200)
            // The answer got lost.
            #expect(try await complete(tags).status == 200)
            #expect(try await hub.batch("upload", bytes)["actions"] == nil)
        }
    }

    @Test(
        "a commit that cannot be read is refused with a reason",
        arguments: [
            ("{", 400), (#"{"key":"file"}"#, 400), (#"{"key":"other","value":{}}"#, 400),
            (#"{"key":"file","value":{"path":"../x","content":"","encoding":"base64"}}"#, 400),
            (#"{"key":"file","value":{"path":"x","content":"!","encoding":"base64"}}"#, 400),
            (#"{"key":"lfsFile","value":{"path":"x","algo":"sha256","oid":"12"}}"#, 400),
            (#"{"key":"deletedFile","value":{"path":"none"}}"#, 404),
            (#"{"key":"header","value":{"summary":"x","parentCommit":"\#(String(repeating: "0", count: 40))"}}"#, 412),
        ]
    )
    func refusals(_ line: String, _ status: Int) async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let reply = try await hub.commit([line])
            #expect(reply.status == status && reply["X-Error-Message"] != nil, "\(reply)")
            #expect(try await hub.commit([Hub.file("x", "x")], revision: "nowhere").status == 404)
        }
    }

    @Test("a line of a commit has a limit, however it is cut on its way")
    func lines() throws {
        var splitter = LineSplitter(lineBytesMax: 5)
        splitter.append(Array("ab\n\ncd".utf8))
        #expect(try splitter.next() == Array("ab".utf8))
        #expect(try splitter.next() == nil)
        splitter.append(Array("efg".utf8))
        #expect(try splitter.next() == nil)
        #expect(splitter.rest == Array("cdefg".utf8))
        splitter.append(Array("h".utf8))
        #expect(throws: Failure.self) { try splitter.next() }
    }

    @Test("a token of Xet is good for one repository and one right")
    func xetTokens() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            func token(_ right: String) async throws -> String {
                let reply = try await scene.call("GET", "/api/models/demo/tiny/xet-\(right)-token/main")
                #expect(reply["X-Xet-Cas-Url"]?.hasSuffix("/xet") ?? false, "\(reply)")
                return try #require(try reply.json()["accessToken"]?.stringValue)
            }
            func shard(_ token: String) async throws -> Int {
                try await scene.call(
                    "POST",
                    "/xet/v1/shards",
                    headers: [("Authorization", "Bearer \(token)")],
                    body: Array("no shard".utf8)
                ).status
            }
            let write = try await token("write")
            #expect(try await shard(write) == 400)
            #expect(try await shard(try await token("read")) == 403)
            #expect(try await shard(write.replacing("~write~mia..", with: "~write~olga..")) == 401)
            #expect(try await shard(String(write.dropLast())) == 401)
            // Nor is it good for anything else.
            let other = try await scene.call(
                "GET",
                "/api/models/demo/tiny",
                headers: [("Authorization", "Bearer \(write)")]
            )
            #expect(other.status == 404)
        }
    }

    @Test("addresses and tokens that a confined token asked for are confined as it is")
    func confined() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
            let other: ProjectName = name("elsewhere")
            _ = try await scene.point.createProject(Project(name: other), root)
            let mia: UserName = name("mia")
            _ = try await scene.point.setMember(Membership(project: other, user: mia, role: .owner), root)
            let token = try await scene.point.issueToken(
                TokenRequest(user: mia, scopes: Token.Scope.allCases, project: name("demo"), label: "narrow"),
                root
            )
            let bytes = content(100, seed: 5)
            let reply = try await scene.call(
                "POST",
                "/demo/tiny.git/info/lfs/objects/batch",
                headers: [("Authorization", "Bearer \(token.secret)")],
                body: Array(#"{"operation":"upload","objects":[{"oid":"\#(sha256(bytes))","size":100}]}"#.utf8)
            )
            let object = try #require(try reply.json()["objects"]?.arrayValue?.first, "\(reply)")
            let href = try #require(object["actions"]?["upload"]?["href"]?.stringValue)
            #expect(href.contains("caller=mia.demo."))
            #expect(try await scene.call("PUT", href, as: .anonymous, body: bytes).status == 200)
            let wider = href.replacing("mia.demo.", with: "mia..")
            #expect(try await scene.call("PUT", wider, as: .anonymous, body: bytes).status == 403)
            // Moved to a project that the caller is in and the token is not for.
            let moved = try await scene.call(
                "POST",
                "/api/repos/move",
                as: .operator,
                body: Array(#"{"fromRepo":"demo/tiny","toRepo":"elsewhere/tiny","type":"model"}"#.utf8)
            )
            try #require(moved.status == 200, "\(moved)")
            #expect(try await scene.call("PUT", href, as: .anonymous, body: bytes).status == 404)
        }
    }

    @Test("what a quota has no room for is refused before it is sent")
    func quota() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
            let quota = Quota(bytes: 20_000)
            _ = try await scene.point.changeProject(name("demo"), ProjectPatch(quota: quota), root)
            try await hub.upload(content(1000, seed: 6))
            let refused = try await hub.batch("upload", content(20_000, seed: 7))
            #expect(refused["error"]?["code"]?.integerValue == 507 && refused["actions"] == nil, "\(refused)")
            #expect(refused["error"]?["message"]?.stringValue?.contains("quota of project 'demo'") ?? false)
            #expect(try await hub.batch("upload", content(1000, seed: 6))["error"] == nil)
            #expect(try await hub.batch("upload", content(2000, seed: 8))["actions"] != nil)
        }
    }

    @Test("lists come in pages that lead to each other, whatever goes meanwhile")
    func search() async throws {
        try await withFaces { scene in
            for number in 0..<5 { try await Hub(scene: scene, id: "demo/m\(number)").make() }
            for order in ["createdAt", "lastModified"] {
                var seen: [String] = []
                var page: String? = "/api/models?author=demo&limit=2&sort=\(order)"
                while let path = page {
                    let reply = try await scene.call("GET", path)
                    let found = try reply.json().arrayValue?.compactMap { $0["id"]?.stringValue } ?? []
                    seen += found
                    page = reply["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
                    if order == "lastModified", seen.count == 2, let last = found.last {
                        let name = last.split(separator: "/")[1]
                        let body = Array(#"{"name":"\#(name)","organization":"demo","type":"model"}"#.utf8)
                        let gone = try await scene.call("DELETE", "/api/repos/delete", as: .owner, body: body)
                        try #require(gone.status == 200, "\(gone)")
                    }
                }
                #expect(Set(seen).count == 5 && seen.count == 5, "\(order): \(seen)")
            }
            #expect(try await scene.call("GET", "/api/models?cursor=x").status == 400)
            #expect(try await scene.call("GET", "/api/models?author=no%20name").text == "[]")
        }
    }

    @Test("a project cannot have a name that its files could not be reached under")
    func reserved() async throws {
        try await withFaces { scene in
            let root = try await scene.point.authenticate(bearer: try #require(scene.tokens[.operator]))
            for text in Project.reservedNames {
                await #expect(throws: Failure.self, "\(text)") {
                    _ = try await scene.point.createProject(Project(name: name(text)), root)
                }
            }
        }
    }

    @Test("words that are none of a setting's are refused")
    func settings() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            for body in [#"{"visibility":"secret"}"#, #"{"gated":"maybe"}"#, #"{"gated":true}"#] {
                let reply = try await scene.call(
                    "PUT",
                    "/api/models/demo/tiny/settings",
                    as: .owner,
                    body: Array(body.utf8)
                )
                #expect(reply.status == 400 || reply.status == 422, "\(body): \(reply)")
            }
        }
    }

    @Test("pages of a tree lead to the next one by their link")
    func links() async throws {
        try await withFaces { scene in
            let hub = Hub(scene: scene)
            try await hub.make()
            let files = (0..<5).map { Hub.file("d/f\($0).txt", "\($0)") }
            try #require(try await hub.commit(files).status == 200)
            var (next, paths): (String?, [String]) = ("/api/models/demo/tiny/tree/main?recursive=True&limit=2", [])
            while let path = next {
                let reply = try await scene.call("GET", path)
                paths += try reply.json().arrayValue?.compactMap { $0["path"]?.stringValue } ?? []
                next = reply["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) }
            }
            #expect(paths == [".gitattributes", "d"] + (0..<5).map { "d/f\($0).txt" })
        }
    }
}
