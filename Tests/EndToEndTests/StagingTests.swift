import Core
import Foundation
import Synchronization
import Testing
import Wire

/// Large inputs over bad lines.
@Suite(.serialized)
struct StagingTests {
    @Test("an agent that is killed in the middle of a download fetches the rest of it and no more")
    func killedWhileStaging() async throws {
        let point = try await PointUnderTest()
        let line = try StallingLine(to: point.port)
        defer { line.close() }
        let joined = try await point.call("POST", "/v1/centres", json: #"{"name": "region-1", "tier": "region"}"#)
        let token = try #require(joined.json["token"]?.stringValue)
        let folder = point.folder.appendingPathComponent("agent")
        func agent(_ extra: [String]) throws -> Program {
            try Program(
                ["agent", "--data", folder.path, "--cores", "2", "--memory", "1GiB"] + extra,
                log: point.folder.appendingPathComponent("agent.log")
            )
        }
        let first = try agent(["--join", "http://127.0.0.1:\(line.port)", "--token", token])
        defer { first.abandon() }
        let bytes = 16 << 20
        let view = try await point.submit(
            """
            {"workflow": "w", "jobs": [
              {"name": "made", "outputs": ["big"], "isolation": "none", "placement": {"centres": ["hub-1"]},
               "command": ["/bin/sh", "-c", "head -c \(bytes) /dev/urandom > $ONEPOINT_OUTPUTS/big"]},
              {"name": "used", "inputs": {"big": {"job": "made", "output": "big"}}, "isolation": "none",
               "placement": {"centres": ["region-1"]},
               "command": ["/bin/sh", "-c", "test $(wc -c < $ONEPOINT_INPUTS/big) = \(bytes)"]}]}
            """
        )
        let workflow: WorkflowView = try await point.call("GET", "/v1/workflows/\(#require(view.workflow))").decode()
        let used = try #require(workflow.nodes.first { $0.name == "used" }?.job)
        let uploads = folder.appendingPathComponent("cache/uploads").path
        func kept() -> Int {
            let parts = (try? FileManager.default.contentsOfDirectory(atPath: uploads))?.compactMap {
                try? FileManager.default.attributesOfItem(atPath: "\(uploads)/\($0)/part")[.size] as? Int
            }
            return parts?.max() ?? 0
        }
        try await eventually("some of it to come", tail: { first.output + point.server.output }) {
            line.isStalled && kept() > 1 << 20
        }
        await first.kill()
        let before = kept()
        #expect(before < bytes)
        line.release()
        let second = try agent([])
        defer { second.abandon() }
        #expect(try await point.end(of: used).summary.state == .succeeded)
        let fetched = line.bytesSinceRelease
        #expect(fetched >= bytes - before)
        #expect(fetched < bytes - before + 1 << 20, "\(fetched) bytes came although \(before) were here")
    }
}

/// A line to a local port on which no connection brings back more than so many bytes, until it is released.
final class StallingLine: Sendable {
    static let bytesMax = 4 << 20

    let port: Int
    private let listener: Int32
    private struct State {
        var isStalled = false
        var isReleased = false
        var bytesSinceRelease = 0
    }
    private let state = Mutex(State())

    init(to target: Int) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0 && listen(listener, 64) == 0
            }
        }
        try #require(isListening)
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let near = accept(listener, nil, nil), near >= 0 {
                let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
                var address = Self.address(target)
                _ = withUnsafePointer(to: &address) {
                    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        connect(far, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                    }
                }
                Thread.detachNewThread { self.carry(from: near, to: far) { _ in true } }
                Thread.detachNewThread {
                    var total = 0
                    self.carry(from: far, to: near) { count in
                        total += count
                        return self.state.withLock { state in
                            if state.isReleased {
                                state.bytesSinceRelease += count
                            } else if total > Self.bytesMax {
                                state.isStalled = true
                            }
                            return state.isReleased || total <= Self.bytesMax
                        }
                    }
                }
            }
        }
    }

    private static func address(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        address.sin_port = UInt16(port).bigEndian
        return address
    }

    /// - Parameter admit: Whether these many more bytes may pass; once they may not, nothing does on this connection.
    private func carry(from source: Int32, to sink: Int32, _ admit: (Int) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = recv(source, &buffer, buffer.count, 0), count > 0, admit(count) {
            var sent = 0
            while sent < count {
                let more = buffer.withUnsafeBytes {
                    send(sink, $0.baseAddress! + sent, count - sent, Int32(MSG_NOSIGNAL))
                }
                guard more > 0 else { break }
                sent += more
            }
            if sent < count { break }
        }
        // What was stalled stays open, as over a line that has gone dead.
        if !state.withLock({ $0.isStalled && !$0.isReleased }) { shutdown(sink, Int32(SHUT_RDWR)) }
    }

    var isStalled: Bool { state.withLock { $0.isStalled } }
    var bytesSinceRelease: Int { state.withLock { $0.bytesSinceRelease } }

    func release() { state.withLock { $0.isReleased = true } }

    func close() { shutdown(listener, Int32(SHUT_RDWR)) }
}
