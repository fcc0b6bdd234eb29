import Core
import Entry
import Testing

@testable import API

@Suite("Artifacts over HTTP")
struct ArtifactTests {
    @Test("ranges are served as RFC 9110 says") func ranges() async throws {
        try await withScene { scene in
            let bytes = (0..<1000).map { UInt8($0 % 251) }
            let digest = try await scene.upload(bytes)
            let path = "/v1/blobs/\(digest)"
            let cases: [(String, Int, Range<Int>)] = [
                ("bytes=0-4", 206, 0..<5), ("bytes=-5", 206, 995..<1000), ("bytes=990-", 206, 990..<1000),
                ("bytes=990-2000", 206, 990..<1000), ("bytes=0-1,5-6", 200, 0..<1000), ("lines=1-2", 200, 0..<1000),
            ]
            for (header, status, range) in cases {
                let answer = try await scene.call("GET", path, as: .viewer, headers: ["Range": header])
                #expect(answer.status == status && answer.body == Array(bytes[range]), "\(header): \(answer.status)")
                if status == 206 {
                    let expected = "bytes \(range.lowerBound)-\(range.upperBound - 1)/1000"
                    #expect(answer.headers["content-range"] == expected)
                }
            }
            let outside = try await scene.call("GET", path, headers: ["Range": "bytes=1000-"])
            #expect(outside.status == 416 && outside.headers["content-range"] == "bytes */1000")
            let same = try await scene.call("GET", path, headers: ["If-None-Match": "\"\(digest)\""])
            #expect(same.status == 304 && same.body.isEmpty)
            let stale = try await scene.call("GET", path, headers: ["Range": "bytes=0-4", "If-Range": "\"other\""])
            #expect(stale.status == 200)
            let head = try await scene.call("HEAD", path)
            #expect(head.status == 200 && head.body.isEmpty && head.headers["content-length"] == "1000")
            #expect(head.headers["cache-control"]?.contains("immutable") == true)
            #expect(head.headers["content-disposition"]?.hasPrefix("attachment") == true)
        }
    }

    @Test("an upload goes on where it stopped, and only there") func resume() async throws {
        try await withScene { scene in
            let bytes = [UInt8](repeating: 7, count: 200_000)
            let digest = sha256(bytes)
            let begun = try await scene.call(
                "POST",
                "/v1/uploads",
                as: .member,
                json: #"{"project":"demo","digest":"\#(digest)","size":200000}"#
            )
            #expect(begun.status == 201)
            let path = try #require(begun.headers["location"])
            let first = try await scene.call(
                "PATCH",
                path,
                as: .member,
                headers: ["Upload-Offset": "0"],
                body: Array(bytes[..<120_000])
            )
            #expect(first.headers["upload-offset"] == "120000", "\(first)")

            let wrong = try await scene.call(
                "PATCH",
                path,
                as: .member,
                headers: ["Upload-Offset": "5"],
                body: [1]
            )
            #expect(wrong.status == 412, "\(wrong)")
            #expect(try await scene.call("PATCH", path, as: .member, body: [1]).status == 400)

            let position = try await scene.call("HEAD", path, as: .member)
            #expect(position.headers["upload-offset"] == "120000")
            _ = try await scene.call(
                "PATCH",
                path,
                as: .member,
                headers: ["Upload-Offset": "120000"],
                body: Array(bytes[120_000...])
            )
            let finished = try await scene.call("POST", path + "/finish", as: .member)
            #expect(finished.status == 200, "\(finished)")
            #expect(try await scene.call("GET", "/v1/blobs/\(digest)").body == bytes)
            let missing = try await scene.call(
                "POST",
                "/v1/blobs/missing",
                as: .member,
                json: #"{"project":"demo","digests":["\#(digest)"]}"#
            )
            #expect(missing.text == #"{"missing":[]}"#)
        }
    }

    @Test("bytes that do not match their digest are never published") func mismatch() async throws {
        try await withScene { scene in
            let digest = sha256([1, 2, 3])
            let begun = try await scene.call(
                "POST",
                "/v1/uploads",
                as: .member,
                json: #"{"project":"demo","digest":"\#(digest)","size":3}"#
            )
            let path = try #require(begun.headers["location"])
            _ = try await scene.call("PATCH", path, as: .member, headers: ["Upload-Offset": "0"], body: [1, 2, 4])
            let finished = try await scene.call("POST", path + "/finish", as: .member)
            #expect(finished.status == 422 && finished.text.contains("digest_mismatch"), "\(finished)")
            #expect(try await scene.call("GET", "/v1/blobs/\(digest)").status == 404)
        }
    }

    @Test(
        "a range header is read to the letter",
        arguments: [
            (nil, 10, ByteRange.whole), ("bytes=0-0", 10, .part(0..<1)), ("bytes=5-2", 10, .unsatisfiable),
            ("bytes=9-9", 10, .part(9..<10)), ("bytes=10-10", 10, .unsatisfiable),
            ("bytes=-0", 10, .unsatisfiable), ("bytes=-20", 10, .part(0..<10)),
            ("bytes=0-", 0, .unsatisfiable), ("bytes=", 10, .whole), ("bytes=-", 10, .whole),
            ("bytes=+1-2", 10, .whole), ("bytes=1--2", 10, .whole), ("bytes=99999999999999999999-", 10, .whole),
        ] as [(String?, Int64, ByteRange)]
    )
    func byteRange(_ header: String?, _ size: Int64, _ expected: ByteRange) {
        #expect(ByteRange(header, size: size) == expected)
    }
}
