import Core
import Entry
import Testing

@Suite("Connections")
struct ConnectionTests {
    /// What may still arrive before a refused caller is cut off: what is drained, and what sits in socket buffers.
    private static let sentMax = 64 << 20

    @Test(
        "a caller who is refused is cut off, however much they go on sending",
        arguments: [
            "Content-Length: 314572800\r\n", "Transfer-Encoding: chunked\r\n",
            "Authorization: Bearer TOKEN\r\nContent-Length: 314572800\r\n",
            "Authorization: Bearer TOKEN\r\nTransfer-Encoding: chunked\r\n",
        ]
    )
    func flood(_ headers: String) async throws {
        try await withScene { scene in
            let headers = headers.replacing("TOKEN", with: scene.tokens[.member] ?? "")
            let connection = try RawConnection(port: scene.port)
            let chunk = headers.contains("chunked") ? "12C00000\r\n" : ""
            try await connection.send("POST /v1/jobs HTTP/1.1\r\nHost: x\r\n\(headers)\r\n\(chunk)")
            let sent = try await connection.flood(upTo: 300 << 20)
            #expect(sent < Self.sentMax, "\(sent) bytes went into a refusal")
            #expect(try await scene.call("GET", "/healthz").status == 200)
        }
    }

    @Test("a job file of 10 MB is refused with a sentence that helps") func tooLarge() async throws {
        try await withScene { scene in
            let connection = try RawConnection(port: scene.port)
            try await connection.send(
                "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(scene.tokens[.member] ?? "")\r\n"
                    + "Content-Length: 10485760\r\n\r\n"
            )
            // Callers read when they have sent it all.
            try await connection.send([UInt8](repeating: 0x20, count: 10_485_760))
            let answer = try Answer(parsing: await connection.receiveAll())
            #expect(answer.status == 413)
            #expect(answer.text.contains("4 MiB") && answer.text.contains("10 MiB"), "\(answer)")
            #expect(answer.text.contains("artifacts"), "\(answer)")
        }
    }

    @Test("100 Continue comes when the body is wanted, and never when it is refused") func expect() async throws {
        try await withScene { scene in
            let head = "POST /v1/jobs?project=demo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            let body = #"{"name":"x","command":["true"]}"#
            let token = "Authorization: Bearer \(scene.tokens[.member] ?? "")\r\n"

            let good = try RawConnection(port: scene.port)
            try await good.send(head + token + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            #expect(try await good.receive(until: "\r\n\r\n").hasPrefix("HTTP/1.1 100"))
            try await good.send(body)
            #expect(try Answer(parsing: await good.receiveAll()).status == 201)

            let anonymous = try RawConnection(port: scene.port)
            try await anonymous.send(head + "Content-Length: 10\r\n\r\n")
            let refused = try Answer(parsing: await anonymous.receiveAll())
            #expect(refused.status == 401 && refused.headers["connection"] == "close")

            let large = try RawConnection(port: scene.port)
            try await large.send(head + token + "Content-Length: 20000000\r\n\r\n")
            #expect(try Answer(parsing: await large.receiveAll()).status == 413)
        }
    }

    @Test("a small body that nobody reads does not cost the connection") func keepAlive() async throws {
        try await withScene { scene in
            let connection = try RawConnection(port: scene.port)
            try await connection.send("POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789")
            _ = try await connection.receive(until: "unauthenticated")
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(try Answer(parsing: await connection.receiveAll()).status == 200)
        }
    }

    @Test("a body that ends early is not taken for a whole one") func truncated() async throws {
        try await withScene { scene in
            let connection = try RawConnection(port: scene.port)
            try await connection.send(
                "POST /v1/jobs?project=demo HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                    + "\(scene.tokens[.member] ?? "")\r\nContent-Length: 500\r\n\r\n"
                    + #"{"name":"x","command":["true"]}"#
            )
            connection.finish()
            #expect(try Answer(parsing: await connection.receiveAll()).status == 400)
        }
    }

    @Test("headers have a limit") func headers() async throws {
        try await withScene { scene in
            let connection = try RawConnection(port: scene.port)
            let long = String(repeating: "x", count: 20_000)
            try await connection.send("GET /healthz HTTP/1.1\r\nHost: x\r\nA: \(long)\r\n\r\n")
            #expect(try Answer(parsing: await connection.receiveAll()).status == 400)
        }
    }
}
