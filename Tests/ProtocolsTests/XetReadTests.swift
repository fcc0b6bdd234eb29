import Core
import Crypto
import Foundation
import Hub
import Protocols
import Testing
import Wire

/// Files that are so large that clients of the Hub load them by Xet and no other way; here, all that are not small.
@Suite struct XetReadTests {
    private static let settings = HubSettings(xetAbove: 100_000)
    /// More than one xorb, and no whole number of chunks.
    private static let weights = content(40_000_001, seed: 41)

    private static func hex(_ bytes: [UInt8]) -> String { sha256(bytes).hex }

    private static func sha256(_ bytes: [UInt8]) -> Core.Digest {
        guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: bytes))) else {
            preconditionFailure("SHA-256 makes 32 bytes")
        }
        return digest
    }

    /// A repository `demo/tiny` with one large file, which git-lfs brought, and a small one.
    private static func fill(_ scene: FaceScene) async throws {
        let created = try await scene.call(
            "POST",
            "/api/repos/create",
            body: Array(#"{"name":"tiny","organization":"demo","type":"model"}"#.utf8)
        )
        try #require(created.status == 200, "\(created)")
        let object = #"{"oid":"\#(hex(weights))","size":\#(weights.count)}"#
        let batch = try await scene.call(
            "POST",
            "/demo/tiny.git/info/lfs/objects/batch",
            body: Array(#"{"operation":"upload","objects":[\#(object)]}"#.utf8)
        )
        let answer = try batch.json()["objects"]?.arrayValue?.first
        let href = try #require(answer?["actions"]?["upload"]?["href"]?.stringValue, "\(batch)")
        try #require(try await scene.call("PUT", href, as: .anonymous, body: weights).status == 200)
        let lines = [
            #"{"key":"header","value":{"summary":"Change"}}"#,
            #"{"key":"lfsFile","value":{"path":"weights.bin","algo":"sha256","oid":"\#(hex(weights))"}}"#,
            #"{"key":"file","value":{"path":"config.json","content":"e30=","encoding":"base64"}}"#,
        ]
        let committed = try await scene.call(
            "POST",
            "/api/models/demo/tiny/commit/main",
            headers: [("Content-Type", "application/x-ndjson")],
            body: Array(lines.joined(separator: "\n").utf8)
        )
        try #require(committed.status == 200, "\(committed)")
    }

    @Test("a large file is read in runs of chunks, whole or in part, at addresses that are good for nothing else")
    func reconstruction() async throws {
        try await withFaces(hub: Self.settings) { scene in
            try await Self.fill(scene)
            let small = try await scene.call("HEAD", "/demo/tiny/resolve/main/config.json")
            #expect(small.status == 200 && small["X-Xet-Hash"] == nil)
            let head = try await scene.call("HEAD", "/demo/tiny/resolve/main/weights.bin")
            let name = try #require(head["X-Xet-Hash"], "\(head)")
            let route = try #require(head["X-Xet-Refresh-Route"])
            let tree = try await scene.call("GET", "/api/models/demo/tiny/tree/main")
            #expect(try tree.json().arrayValue?.compactMap { $0["xetHash"]?.stringValue } == [name])
            #expect(try await scene.call("GET", route, as: .foreigner).status == 404)
            let token = try #require(try await scene.call("GET", route, as: .viewer)["X-Xet-Access-Token"])
            func plan(_ version: String, _ name: String, range: String? = nil) async throws -> Reply {
                let headers = [("Authorization", "Bearer \(token)")] + (range.map { [("Range", $0)] } ?? [])
                return try await scene.call("GET", "/xet/\(version)/reconstructions/\(name)", headers: headers)
            }
            let whole = try await plan("v2", name).json()
            #expect(try await Self.assemble(whole, scene) == Self.weights)
            for (range, expected) in [
                ("bytes=0-0", 0..<1), ("bytes=33554430-33554440", 33_554_430..<33_554_441),
                ("bytes=39999999-99999999", 39_999_999..<40_000_001),
            ] {
                let part = try await Self.assemble(try await plan("v2", name, range: range).json(), scene)
                #expect(part.starts(with: Self.weights[expected]) && part.count < expected.count + 65_536, "\(range)")
            }
            let first = try await plan("v1", name).json()
            #expect(first["fetch_info"] != nil && first["xorbs"] == nil && first["terms"] == whole["terms"])
            #expect(try await plan("v2", name, range: "bytes=40000001-").status == 416)
            #expect(try await plan("v2", Self.hex([1])).status == 404)
            #expect(try await plan("v2", "nonsense").status == 404)
            let anonymous = try await scene.call("GET", "/xet/v2/reconstructions/\(name)")
            #expect(anonymous.status == 401)
            // An address is good for its xorb of its file in its repository.
            guard case .object(let xorbs)? = whole["xorbs"] else { return #expect(Bool(false), "\(whole)") }
            let address = try #require(xorbs[0].value.arrayValue?[0]["url"]?.stringValue)
            for wrong in [
                address.replacing("/0?", with: "/1?"), address.replacing(name, with: Self.hex([1])),
                address.replacing("size=40000001", with: "size=400000010"), String(address.dropLast()),
            ] {
                #expect(try await scene.call("GET", wrong, as: .anonymous).status == 403, "\(wrong)")
            }
            let gone = try await scene.call(
                "DELETE",
                "/api/repos/delete",
                as: .owner,
                body: Array(#"{"name":"tiny","organization":"demo","type":"model"}"#.utf8)
            )
            #expect(gone.status == 200)
            #expect(try await scene.call("GET", address, as: .anonymous).status == 404)
        }
    }

    /// What a client makes of a plan: the bytes of its runs, without what comes before the range that was asked for.
    private static func assemble(_ plan: JSON, _ scene: FaceScene) async throws -> [UInt8] {
        var plain: [UInt8] = []
        for term in plan["terms"]?.arrayValue ?? [] {
            let name = try #require(term["hash"]?.stringValue)
            let place = try #require(plan["xorbs"]?[name]?.arrayValue?.first)
            let range = try #require(place["ranges"]?.arrayValue?.first)
            #expect(range["chunks"] == term["range"])
            let first = try #require(range["bytes"]?["start"]?.integerValue)
            let last = try #require(range["bytes"]?["end"]?.integerValue)
            let reply = try await scene.call(
                "GET",
                try #require(place["url"]?.stringValue),
                as: .anonymous,
                headers: [("Range", "bytes=\(first)-\(last)")]
            )
            #expect(reply.status == 206 && Int64(reply.body.count) == last - first + 1)
            var rest = reply.body[...]
            while rest.count > 8 {
                let length = (1...3).reduce(0) { $0 | Int(rest[rest.startIndex + $1]) << (8 * ($1 - 1)) }
                plain += rest.dropFirst(8).prefix(length)
                rest = rest.dropFirst(8 + length)
            }
        }
        return Array(plain.dropFirst(Int(plan["offset_into_first_range"]?.integerValue ?? 0)))
    }

    private static let clients =
        ProcessInfo.processInfo.environment["ONEPOINT_CLIENTS"] ?? NSHomeDirectory() + "/.cache/onepoint-clients"

    private static func python(_ name: String) -> String { "\(clients)/\(name)/bin/python3" }

    @Test(
        "huggingface_hub loads it by Xet",
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: python("hub-2.4.0")),
            "huggingface_hub is not installed: scripts/setup-clients does it"
        ),
        arguments: ["hub-0.36.2", "hub-1.19.0", "hub-1.33.0", "hub-2.4.0"]
    )
    func client(_ name: String) async throws {
        try await withFaces(hub: Self.settings) { scene in
            try await Self.fill(scene)
            let folder = FileManager.default.temporaryDirectory.appending(path: "xet-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // A leftover folder in /tmp hurts nobody; a failing removal must not hide the test's own failure.
            defer { try? FileManager.default.removeItem(at: folder) }
            let program = """
                import hashlib, huggingface_hub.file_download as files
                calls = []
                load = files.xet_get
                def spy(**arguments):
                    calls.append(arguments)
                    return load(**arguments)
                files.xet_get = spy
                path = files.hf_hub_download("demo/tiny", "weights.bin")
                print(hashlib.sha256(open(path, "rb").read()).hexdigest(), len(calls))
                """
            let process = Process()
            process.executableURL = URL(filePath: Self.python(name))
            process.arguments = ["-c", program]
            process.environment = ProcessInfo.processInfo.environment.merging([
                "HF_ENDPOINT": scene.address, "HF_TOKEN": scene.tokens[.viewer] ?? "", "HF_HOME": folder.path,
                "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_XET_TELEMETRY_ENABLED": "0", "NO_PROXY": "127.0.0.1",
            ]) { $1 }
            let output = try await process.output(by: folder.appending(path: "log"))
            #expect(output.contains("\(Self.hex(Self.weights)) 1"), "\(name): \(output)")
        }
    }
}
