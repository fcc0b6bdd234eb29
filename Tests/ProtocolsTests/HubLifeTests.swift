import Core
import Crypto
import FoundationEssentials
import Hub
import Testing
import Wire

/// What becomes of a repository after the uploads: merging, removing for good, copying, counting.
@Suite struct HubLifeTests {
    private static let api = "/api/models/demo/tiny"

    private static func post(
        _ scene: FaceScene,
        _ path: String,
        _ json: String,
        as who: Who = .member
    ) async throws -> Reply {
        try await scene.call("POST", path, as: who, body: Array(json.utf8))
    }

    private static func make(_ scene: FaceScene, _ name: String = "tiny", type: String = "model") async throws {
        let made = try await post(
            scene,
            "/api/repos/create",
            #"{"name":"\#(name)","organization":"demo","type":"\#(type)","private":true}"#
        )
        try #require(made.status == 200, "\(made)")
    }

    private static func commit(
        _ scene: FaceScene,
        _ path: String,
        _ text: String,
        to revision: String = "main"
    ) async throws {
        let content = Data(text.utf8).base64EncodedString()
        let lines = [
            #"{"key":"header","value":{"summary":"Change \#(path)","description":""}}"#,
            #"{"key":"file","value":{"path":"\#(path)","content":"\#(content)","encoding":"base64"}}"#,
        ]
        let reply = try await post(scene, "\(api)/commit/\(revision)", lines.joined(separator: "\n"))
        try #require(reply.status == 200, "\(reply)")
    }

    /// A large file by git-lfs, in a commit.
    private static func upload(_ scene: FaceScene, _ path: String, _ bytes: [UInt8]) async throws -> String {
        let oid = SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let batch = try await post(
            scene,
            "/demo/tiny.git/info/lfs/objects/batch",
            #"{"operation":"upload","transfers":["basic"],"objects":[{"oid":"\#(oid)","size":\#(bytes.count)}]}"#
        )
        let actions = try batch.json()["objects"]?.arrayValue?.first?["actions"]
        let href = try #require(actions?["upload"]?["href"]?.stringValue, "\(batch)")
        try #require(try await scene.call("PUT", href, as: .anonymous, body: bytes).status == 200)
        let lines = [
            #"{"key":"header","value":{"summary":"Add \#(path)","description":""}}"#,
            #"{"key":"lfsFile","value":{"path":"\#(path)","algo":"sha256","oid":"\#(oid)","size":\#(bytes.count)}}"#,
        ]
        let reply = try await post(scene, "\(api)/commit/main", lines.joined(separator: "\n"))
        try #require(reply.status == 200, "\(reply)")
        return oid
    }

    @Test("who may not write cannot merge, close, remove for good or copy from what they do not see")
    func rights() async throws {
        try await withFaces { scene in
            try await Self.make(scene)
            let oid = try await Self.upload(scene, "w.bin", content(5000, seed: 1))
            try await Self.commit(scene, "a.txt", "a", to: "main?create_pr=1")
            let deletion = #"{"deletions":{"sha":["\#(oid)"],"rewriteHistory":true}}"#
            let copy =
                #"{"target":{"type":"model","name":"other/x"},"files":[{"sha256":"\#(oid)","xetHash":"\#(oid)"}]}"#
            let calls = [
                ("\(Self.api)/discussions/1/merge", "{}"),
                ("\(Self.api)/discussions/1/status", #"{"status":"closed"}"#),
                ("\(Self.api)/discussions/1/title", #"{"title":"x"}"#), ("\(Self.api)/lfs-files/batch", deletion),
            ]
            for (path, body) in calls {
                for (who, status) in [(Who.anonymous, 404), (.foreigner, 404), (.viewer, 403)] {
                    let reply = try await Self.post(scene, path, body, as: who)
                    #expect(
                        reply.status == status || (who == .anonymous && reply.status == 401),
                        "\(who) \(path) \(reply)"
                    )
                }
            }
            for (path, body) in [
                ("\(Self.api)/lfs-files/duplicate", copy), ("\(Self.api)/duplicate", #"{"repository":"other/x"}"#),
            ] {
                let reply = try await Self.post(scene, path, body, as: .foreigner)
                #expect(reply.status == 404 && reply["X-Error-Code"] == "RepoNotFound", "\(path) \(reply)")
            }
            // A member who did not make the repository may not undo its history; its maker and owners may.
            let open = try await scene.call("GET", "\(Self.api)/discussions/1")
            #expect(try open.json()["status"]?.stringValue == "open")
            #expect(try await Self.post(scene, "\(Self.api)/lfs-files/batch", deletion, as: .owner).status == 200)
            let gone = try await scene.call("GET", "/demo/tiny/resolve/main/w.bin")
            #expect(gone.status == 404 && gone["X-Error-Code"] == "EntryNotFound", "\(gone)")
            #expect(try await Self.post(scene, "\(Self.api)/discussions/1/merge", "{}").status == 200)
            #expect(try await scene.call("GET", "/demo/tiny/resolve/main/a.txt").text == "a")
        }
    }

    @Test("a conflict is 409 with its files in the message, and what is no request is 400")
    func wrong() async throws {
        try await withFaces { scene in
            try await Self.make(scene)
            try await Self.commit(scene, "a.txt", "a")
            try await Self.commit(scene, "a.txt", "mine", to: "main?create_pr=1")
            try await Self.commit(scene, "a.txt", "theirs")
            let details = try await scene.call("GET", "\(Self.api)/discussions/1?diff=1").json()
            #expect(details["filesWithConflicts"]?.arrayValue?.map(\.stringValue) == ["a.txt"])
            #expect(details["changes"]?["base"]?.stringValue == "refs/heads/main")
            let refused = try await Self.post(scene, "\(Self.api)/discussions/1/merge", #"{"comment":"now"}"#)
            #expect(refused.status == 409 && refused["X-Error-Message"]?.contains("'a.txt'") ?? false, "\(refused)")
            #expect(try refused.json()["error"]?.stringValue?.contains("'a.txt'") ?? false)
            for (path, body) in [
                ("discussions/1/status", #"{"status":"merged"}"#), ("discussions/1/status", "{}"),
                ("discussions/1/comment", "{}"), ("discussions/1/title", #"{"title":""}"#),
                ("lfs-files/batch", #"{"deletions":{"sha":["main"]}}"#), ("lfs-files/batch", "{}"),
                ("lfs-files/batch", #"{"deletions":{"sha":[],"rewriteHistory":false}}"#),
                ("lfs-files/duplicate", #"{"files":[]}"#), ("duplicate", #"{"repository":"x"}"#), ("duplicate", "{}"),
            ] {
                let reply = try await Self.post(scene, "\(Self.api)/\(path)", body)
                #expect(reply.status == 400, "\(path) \(body): \(reply)")
            }
            for path in [
                "discussions/2/merge", "discussions/x/merge", "discussions/1/comment/1-9/edit",
                "discussions/1/comment/2-0/hide", "discussions/1/vote", "lfs-files/none",
            ] {
                let reply = try await Self.post(scene, "\(Self.api)/\(path)", #"{"content":"x"}"#)
                #expect(reply.status == 404 && reply["X-Error-Code"] == "EntryNotFound", "\(path): \(reply)")
            }
        }
    }

    @Test(
        "a copy whose owner is told as the caller is in the caller's project; a second one is 409 with the same address"
    )
    func duplicate() async throws {
        try await withFaces { scene in
            try await Self.make(scene)
            try await Self.commit(scene, "a.txt", "a")
            for status in [200, 409] {
                let reply = try await Self.post(scene, "\(Self.api)/duplicate", #"{"repository":"mia/copy"}"#)
                #expect(reply.status == status, "\(reply)")
                #expect(try reply.json()["url"]?.stringValue == "\(scene.address)/demo/copy")
            }
            #expect(try await scene.call("GET", "/demo/copy/resolve/main/a.txt").text == "a")
            let info = try await scene.call("GET", "/api/models/demo/copy").json()
            #expect(info["private"]?.boolValue == true)
        }
    }

    @Test("downloads are told with the repository, counted by user and by address, and order the list")
    func downloads() async throws {
        try await withFaces { scene in
            try await Self.make(scene)
            try await Self.make(scene, "unused")
            try await Self.commit(scene, "config.json", "{}")
            try await Self.commit(scene, "other.json", "{}")
            for (path, who) in [
                ("config.json", Who.member), ("config.json", .member), ("config.json", .owner), ("other.json", .viewer),
                ("none.json", .viewer), ("config.json", .foreigner),
            ] {
                for method in ["HEAD", "GET"] {
                    _ = try await scene.call(method, "/demo/tiny/resolve/main/\(path)", as: who)
                }
            }
            let info = try await scene.call("GET", Self.api).json()
            #expect(info["downloads"]?.integerValue == 2 && info["downloadsAllTime"]?.integerValue == 2, "\(info)")
            try await scene.repositories.saveDownloads()
            let list = try await scene.call("GET", "/api/models?sort=downloads&limit=1")
            #expect(try list.json().arrayValue?.map { $0["id"]?.stringValue } == ["demo/tiny"], "\(list)")
            #expect(try list.json().arrayValue?.first?["downloads"]?.integerValue == 2)
            let next = try #require(list["Link"].map { String($0.dropFirst().prefix { $0 != ">" }) })
            let rest = try await scene.call("GET", next).json()
            #expect(rest.arrayValue?.map { $0["id"]?.stringValue } == ["demo/unused"])
        }
    }
}
