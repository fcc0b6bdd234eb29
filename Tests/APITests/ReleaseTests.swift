import Core
import Curation
import Hub
import Jobs
import NIOCore
import Testing
import Wire

@Suite("Samples over the API")
struct ReleaseTests {
    @Test("a verdict is given once; what is wrong with one is told, each fault with its place")
    func verdicts() async throws {
        try await withScene { scene in
            let base = "/v1/repositories/\(try await scene.publishRelease(records: 3))/samples/check"
            let good = #"{"step":"judge","place":1,"good":true}"#
            let first = try await scene.call("POST", base + "/verdicts", as: .member, json: good)
            #expect(first.status == 201, "\(first)")
            let again = try await scene.call("POST", base + "/verdicts", as: .member, json: good)
            #expect(try again.json() == first.json())
            let bad = #"{"step":"judge","place":1,"good":false,"risks":["unlawful"]}"#
            #expect(try await scene.call("POST", base + "/verdicts", as: .owner, json: bad).status == 409)
            let own = #"{"step":"review","place":1,"good":true}"#
            #expect(try await scene.call("POST", base + "/verdicts", as: .member, json: own).status == 403)
            for (body, status, pointer) in [
                (#"{"step":"judge","place":9,"good":true}"#, 404, ""),
                (#"{"step":"see","place":1,"good":true}"#, 422, "/step"),
                (#"{"step":"judge","place":-1,"good":true}"#, 422, "/place"),
                (#"{"step":"judge","place":2,"good":true,"risks":["a"]}"#, 422, ""),
                (#"{"step":"judge","place":2,"good":false,"risks":["a","a"]}"#, 422, "/risks"),
                (#"{"step":"judge","place":2,"good":false,"risks":["<b>"]}"#, 422, "/risks/0"),
                (#"{"step":"judge","place":2,"good":false,"why":"x"}"#, 422, "/why"),
            ] {
                let answer = try await scene.call("POST", base + "/verdicts", as: .owner, json: body)
                #expect(answer.status == status, "\(body): \(answer)")
                let pointers = try answer.json()["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? []
                #expect(pointer.isEmpty || pointers.contains(pointer), "\(body): \(answer)")
            }
            let list = try await scene.call("GET", base + "/verdicts?limit=1", as: .viewer)
            #expect(try list.json()["items"]?.arrayValue?.map { $0["person"]?.stringValue } == ["mia"])
            let waiting = try await scene.call("GET", base + "/items?awaiting=true&limit=2", as: .member)
            #expect(try waiting.json()["items"]?.arrayValue?.map { $0["place"]?.integerValue } == [0, 2])
            let item = try await scene.call("GET", base + "/items/1", as: .owner)
            #expect(try item.json()["record"]?["text"]?.stringValue == "Text 1")
            #expect(try item.json()["summary"]?["awaits"]?.stringValue == "review")
            for path in ["/items/7", "/items/x", "/../check/items"] {
                #expect(try await scene.call("GET", base + path, as: .owner).status == 404, "\(path)")
            }
        }
    }
}

extension Scene {
    /// Publishes a data set of the owner's with a sample of all its records, for the purpose `check`.
    ///
    /// - Returns: Its identifier.
    func publishRelease(records: Int) async throws -> String {
        let owner = try await point.authenticate(bearer: tokens[.owner] ?? "")
        let path = RepositoryPath(project: Scene.demo, name: try #require(RepositoryName("corpus")))
        let repository = try await repositories.create(.dataset, path, owner)
        let lines = (0..<records).map { #"{"id":"doc-\#($0)","text":"Text \#($0)"}"# }
        let hash: MerkleHash = { bytes in sha256(bytes.withUnsafeBufferPointer { Array($0) }) }
        var tree = MerkleTree(hash: hash)
        let digests = lines.map { sha256(Array($0.utf8)) }
        for digest in digests {
            var bytes: [UInt8] = []
            digest.append(to: &bytes)
            tree.append(bytes.span)
        }
        let draw = SampleDraw(root: tree.root, purpose: "check", population: records, size: records)
        let items = digests.enumerated().map {
            WorkList.Item(place: $0.offset, digest: $0.element, id: "doc-\($0.offset)")
        }
        let texts = lines.enumerated().map { #"{"place":\#($0.offset),"record":\#($0.element)}"# + "\n" }.joined()
        var kept: [KeptFile] = []
        for (name, text) in [
            ("governance/run.json", "{}"),
            ("governance/samples/check.json", SpotCheck(draw: draw, items: items).json.text),
            ("governance/samples/check.jsonl", texts),
        ] {
            kept.append(try await repositories.keep(ByteBuffer(string: text), at: try #require(FilePath(name))))
        }
        let request = CommitRequest(
            reference: .main,
            message: "Publish",
            parent: nil,
            operations: kept.map(\.operation),
            brought: kept
        )
        _ = try await repositories.commit(request, to: .datasets, path, owner)
        return "\(repository.id)"
    }
}
