import Foundation
import Synchronization
import Testing

/// A line to a local port over which no more goes than it is allowed to, and whose connections may be cut.
final class Line: Sendable {
    enum Direction { case up, down }

    let port: Int
    private let listener: Int32
    private struct Way {
        var bytes = 0
        var allowed = Int.max
        /// Of each connection.
        var cutAfter = Int.max
        var isStalled = false
    }
    private struct State {
        var ways: [Direction: Way] = [.up: Way(), .down: Way()]
        var cuts = 0
        var isClosed = false

        subscript(direction: Direction) -> Way {
            get { ways[direction] ?? Way() }
            set { ways[direction] = newValue }
        }
    }
    private let state = Mutex(State())
    /// Whoever waits for leave to pass waits here; told under its lock, so that no word is missed.
    private let leave = NSCondition()

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
                Thread.detachNewThread { self.carry(.up, from: near, to: far) }
                Thread.detachNewThread { self.carry(.down, from: far, to: near) }
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

    private func carry(_ direction: Direction, from source: Int32, to sink: Int32) {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        var total = 0
        while case let count = recv(source, &buffer, buffer.count, 0), count > 0 {
            total += count
            guard admit(count, direction, total) else { break }
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
        for end in [source, sink] { shutdown(end, Int32(SHUT_RDWR)) }
    }

    /// Waits until these bytes may pass.
    /// - Returns: Whether they may; else the connection is cut.
    private func admit(_ count: Int, _ direction: Direction, _ total: Int) -> Bool {
        leave.lock()
        defer { leave.unlock() }
        while true {
            let verdict: Bool? = state.withLock { state in
                if state.isClosed { return false }
                if total > state[direction].cutAfter {
                    state.cuts += 1
                    return false
                }
                guard state[direction].bytes + count <= state[direction].allowed else {
                    state[direction].isStalled = true
                    return nil
                }
                state[direction].bytes += count
                return true
            }
            if let verdict { return verdict }
            leave.wait()
        }
    }

    /// Whether something waits for leave to pass.
    func isStalled(_ direction: Direction) -> Bool { state.withLock { $0[direction].isStalled } }

    /// What has passed over all connections.
    func bytes(_ direction: Direction) -> Int { state.withLock { $0[direction].bytes } }

    /// Connections that were cut.
    var cuts: Int { state.withLock { $0.cuts } }

    /// Lets so many bytes pass in all since the beginning.
    func allow(_ direction: Direction, _ bytes: Int) {
        state.withLock {
            $0[direction].allowed = bytes
            $0[direction].isStalled = false
        }
        tell()
    }

    /// Cuts each connection once so much has passed over it.
    func cut(_ direction: Direction, after bytes: Int) {
        state.withLock { $0[direction].cutAfter = bytes }
        tell()
    }

    private func tell() {
        leave.lock()
        leave.broadcast()
        leave.unlock()
    }

    func close() {
        state.withLock { $0.isClosed = true }
        tell()
        shutdown(listener, Int32(SHUT_RDWR))
    }
}
