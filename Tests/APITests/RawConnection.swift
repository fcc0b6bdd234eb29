import Core
import FoundationEssentials
import Glibc
import NIOPosix

/// A TCP connection that does exactly what the test says: it can flood, stall, ignore answers and hang up.
///
/// Its calls block and run on the tests' thread pool, each at most `patience` long.
final class RawConnection: Sendable {
    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    static let patienceSeconds = 20

    private let file: Int32

    init(port: Int) throws {
        file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var patience = timeval(tv_sec: Self.patienceSeconds, tv_usec: 0)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let file = file
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Broken(description: "connect: \(errno)") }
    }

    deinit { close(file) }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) async throws {
        let file = file
        try await pool.runIfActive {
            var sent = 0
            while sent < bytes.count {
                let count = bytes.withUnsafeBytes {
                    Glibc.send(file, $0.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
                guard count > 0 else { throw Broken(description: "send: \(errno) after \(sent) bytes") }
                sent += count
            }
        }
    }

    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Sends zeros until the other side has enough of it, and tells how many went out.
    func flood(upTo limit: Int) async throws -> Int {
        let file = file
        return try await pool.runIfActive {
            let piece = [UInt8](repeating: 0x78, count: 65_536)
            var sent = 0
            while sent < limit {
                let count = Glibc.send(file, piece, piece.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { break }
                sent += count
            }
            return sent
        }
    }

    /// Says that nothing more will be sent.
    func finish() { shutdown(file, Int32(SHUT_WR)) }

    /// Whatever arrives next; empty at the end.
    func receive() async throws -> [UInt8] {
        let file = file
        return try await pool.runIfActive {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = recv(file, &buffer, buffer.count, 0)
            guard count >= 0 else { throw Broken(description: "receive: \(errno)") }
            return Array(buffer.prefix(count))
        }
    }

    /// Everything until the other side closes.
    func receiveAll() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try await receive()
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// Everything until the text is in it.
    func receive(until text: String) async throws -> String {
        var bytes: [UInt8] = []
        while true {
            let more = try await receive()
            bytes += more
            let seen = String(decoding: bytes, as: UTF8.self)
            if seen.contains(text) { return seen }
            guard !more.isEmpty else { throw Broken(description: "ended without '\(text)': \(seen)") }
        }
    }
}

/// An answer, read whole.
struct Answer: Sendable, CustomStringConvertible {
    let status: Int
    /// By name in lower case; the last of each.
    let headers: [String: String]
    let body: [UInt8]

    init(parsing bytes: [UInt8]) throws {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) else {
            throw RawConnection.Broken(description: "no HTTP: \(String(decoding: bytes.prefix(200), as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(separator: "\r\n")
        status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
        }
        self.headers = headers
        let rest = Array(bytes[(end + 4)...])
        body = headers["transfer-encoding"] == "chunked" ? Self.joined(rest) : rest
    }

    private static func joined(_ chunked: [UInt8]) -> [UInt8] {
        var (bytes, rest): ([UInt8], ArraySlice<UInt8>) = ([], chunked[...])
        while let end = rest.firstIndex(of: 0x0D) {
            guard let size = Int(String(decoding: rest[..<end], as: UTF8.self), radix: 16), size > 0 else { break }
            bytes += rest.dropFirst(end - rest.startIndex + 2).prefix(size)
            rest = rest.dropFirst(end - rest.startIndex + 2 + size + 2)
        }
        return bytes
    }

    var text: String { String(decoding: body, as: UTF8.self) }

    func json() throws -> JSON { try JSON(parsing: body) }

    var description: String { "\(status) \(text.prefix(600))" }
}
