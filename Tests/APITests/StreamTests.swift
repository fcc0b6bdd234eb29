import Core
import Jobs
import NIOCore
import Testing
import Wire

@testable import API
@testable import Entry

@Suite("Streams")
struct StreamTests {
    private func open(_ scene: Scene, _ path: String, _ headers: String = "") async throws -> RawConnection {
        let connection = try RawConnection(port: scene.port)
        try await connection.send(
            "GET \(path) HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n"
                + "Authorization: Bearer \(scene.tokens[.operator] ?? "")\r\n\(headers)\r\n"
        )
        return connection
    }

    private func ids(_ text: String) -> [Int] {
        text.split(whereSeparator: \.isNewline).compactMap {
            $0.hasPrefix("id: ") ? Int($0.dropFirst(4).filter(\.isNumber)) : nil
        }
    }

    @Test("events arrive in order, and a stream goes on after the last one seen") func events() async throws {
        try await withScene { scene in
            let last = try await scene.point.lastEvent()
            let stream = try await open(scene, "/v1/events?after=0")
            let seen = try await stream.receive(until: "id: \(last)\n")
            #expect(ids(seen) == Array(1...Int(last)))

            let resumed = try await open(scene, "/v1/events?after=0", "Last-Event-ID: \(last)\r\n")
            _ = try await resumed.receive(until: "retry:")
            _ = try await scene.call("POST", "/v1/users", json: #"{"name":"late"}"#)
            let more = try await resumed.receive(until: "user_created")
            #expect(ids(more) == [Int(last) + 1])
            for wrong in ["yesterday", "-1", "99999999999999999999", "1000000"] {
                let refused = try await open(scene, "/v1/events", "Last-Event-ID: \(wrong)\r\n")
                #expect(try await refused.receive(until: "\r\n").contains(" 400 "), "\(wrong)")
            }
        }
    }

    @Test("a stream about one thing is not woken for good by others") func filtered() async throws {
        try await withScene { scene in
            let stream = try await open(scene, "/v1/events?after=0&subject=user/wanted")
            _ = try await stream.receive(until: "retry:")
            for name in ["one", "two", "wanted"] {
                _ = try await scene.call("POST", "/v1/users", json: #"{"name":"\#(name)"}"#)
            }
            let seen = try await stream.receive(until: "user_created")
            #expect(seen.contains("wanted") && !seen.contains("\"two\""), "\(seen)")
        }
    }

    @Test("open streams end when the point shuts down") func shutdown() async throws {
        try await withScene { scene in
            let stream = try await open(scene, "/v1/events")
            _ = try await stream.receive(until: "retry:")
            await scene.shutDown()
            _ = try await stream.receiveAll()
        }
    }

    @Test("the stream of a cancelled job that never ran ends at once") func neverRan() async throws {
        try await withScene { scene in
            let made = try await scene.call(
                "POST",
                "/v1/jobs?project=demo",
                json: #"{"name":"x","command":["true"]}"#
            )
            let location = try #require(made.headers["location"], "\(made)")
            _ = try await scene.call("POST", location + "/cancel")
            let stream = try await open(scene, location + "/logs?follow=true")
            let seen = try await stream.receive(until: "event: end")
            #expect(ids(seen) == [0])
        }
    }

    @Test("what must be refused is refused before a stream begins") func refused() async throws {
        try await withScene { scene in
            let stream = try await open(scene, "/v1/events?project=nothing", "Connection: close\r\n")
            #expect(try Answer(parsing: await stream.receiveAll()).status == 404)
        }
    }

    @Test("an event is framed as the standard says") func framing() {
        var buffer = ByteBuffer()
        ServerSentEvent(id: "7", event: "log", data: "a\nb").write(into: &buffer)
        #expect(String(buffer: buffer) == "id: 7\nevent: log\ndata: a\ndata: b\n\n")
    }

    @Test("a piece of a log never ends inside a character") func characters() {
        let text = Array("aé漢😀".utf8)
        for count in 0...text.count {
            let piece = text[..<count].wholeCharacters
            #expect(String(validating: piece, as: UTF8.self) != nil, "\(count)")
            #expect(count - piece.count <= 3)
        }
        // Bytes that are no text at all are passed on as they are.
        let noise: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x80]
        #expect(noise[...].wholeCharacters.count == 5)
    }

    @Test("base64 agrees with RFC 4648, section 10") func base64Vectors() {
        let vectors = [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ]
        for (text, expected) in vectors { #expect(base64(text.utf8) == expected) }
    }
}
