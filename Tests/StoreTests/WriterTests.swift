import Core
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Store

@Suite("The writer")
struct WriterTests {
    let folder = TemporaryFolder()

    struct Refused: Error, Equatable {}

    @Test("a closure that throws leaves nothing, and the others of its batch stay")
    func savepoints() async throws {
        let store = try await folder.open()
        let gate = Gate()
        async let first: Void = store.write { _ in gate.wait() }
        await waitFor("the gate to be reached") { gate.isReached }
        let refused = await withTaskGroup(of: Bool.self) { group in
            for number in 1...50 {
                group.addTask {
                    do {
                        try await store.write { tx in
                            try tx.submit(.number(UInt64(number)), key: "k\(number)")
                            if number % 3 == 0 { throw Refused() }
                        }
                        return false
                    } catch { return error is Refused }
                }
            }
            await waitFor("all commands to wait") { store.statistics.waiting == 50 }
            gate.open()
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        try await first
        #expect(refused == 16)
        let kept = try await store.read { tx throws in
            try (1...50).filter { try tx.job(.number(UInt64($0))) != nil }
        }
        #expect(kept == (1...50).filter { $0 % 3 != 0 })
        let events = try await store.read { try $0.events(after: 0, limit: 100).map(\.sequence) }
        #expect(events == Array(1...Int64(kept.count)))
        #expect(store.lastSequence == Int64(kept.count))
        #expect(store.statistics.commandsFailed == 16)
    }

    @Test("commands that wait together share one commit")
    func sharing() async throws {
        let store = try await folder.open()
        let gate = Gate()
        async let first: Void = store.write { _ in gate.wait() }
        await waitFor("the gate to be reached") { gate.isReached }
        let before = store.statistics.commits
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...200 {
                group.addTask { try await store.write { try $0.submit(.number(UInt64(number))) } }
            }
            await waitFor("all commands to wait") { store.statistics.waiting == 200 }
            gate.open()
            try await group.waitForAll()
        }
        try await first
        // One for the gate; the rest in as few as their work allows: a batch ends after 20 ms.
        let statistics = store.statistics
        #expect(statistics.commits - before <= 1 + 20)
        #expect(statistics.commands == 201)
        #expect(statistics.batchSizes.reduce(0) { $0 + $1.count } == statistics.commits)
    }

    @Test("a batch never holds more than its limit")
    func batchLimit() async throws {
        let store = try await folder.open()
        let gate = Gate()
        async let first: Void = store.write { _ in gate.wait() }
        await waitFor("the gate to be reached") { gate.isReached }
        let count = Writer.batchMax + 100
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<count { group.addTask { try await store.write { _ in } } }
            await waitFor("all commands to wait") { store.statistics.waiting == count }
            gate.open()
            try await group.waitForAll()
        }
        try await first
        #expect(store.statistics.commits >= 3)
        #expect(store.statistics.commands == Int64(count + 1))
    }

    @Test("a command whose caller gave up before its turn is never carried out")
    func cancellation() async throws {
        let store = try await folder.open()
        let gate = Gate()
        async let first: Void = store.write { _ in gate.wait() }
        await waitFor("the gate to be reached") { gate.isReached }
        let given = Task { try await store.write { try $0.submit(.number(1)) } }
        await waitFor("the command to wait") { store.statistics.waiting == 1 }
        given.cancel()
        await #expect(throws: CancellationError.self) { try await given.value }
        gate.open()
        try await first
        try await store.write { try $0.submit(.number(2)) }
        try await store.read { tx throws in
            #expect(try tx.job(.number(1)) == nil)
            #expect(try tx.job(.number(2)) != nil)
        }
    }

    @Test("a command under way is finished although its caller gave up")
    func lateCancellation() async throws {
        let store = try await folder.open()
        let gate = Gate()
        let started = Task {
            try await store.write { tx in
                gate.wait()
                try tx.submit(.number(1))
            }
        }
        await waitFor("the gate to be reached") { gate.isReached }
        started.cancel()
        gate.open()
        try await started.value
        let found = try await store.read { try $0.job(.number(1)) }
        #expect(found != nil)
    }

    @Test("what a rolled back submission held is not remembered for the next one at its place")
    func cacheAfterRollback() async throws {
        let store = try await folder.open()
        await #expect(throws: Refused.self) {
            try await store.write { tx in
                try tx.submit(.number(1), name: "first")
                #expect(try tx.job(.number(1))?.spec.name == "first")
                throw Refused()
            }
        }
        try await store.write { try $0.submit(.number(2), name: "second") }
        try await store.read { tx throws in
            #expect(try tx.job(.number(2))?.spec.name == "second")
            #expect(try tx.job(.number(2))?.sequence == 1)
        }
    }

    @Test("a command whose event could not be applied fails as a whole, even when its closure goes on")
    func swallowedError() async throws {
        let store = try await folder.open()
        let refused = await failure {
            try await store.write { tx in
                try tx.submit(.number(1))
                // The second event is in the log already when its job turns out to exist.
                do { try tx.submit(.number(1)) } catch {}
            }
        }
        #expect(refused?.code == .conflict)
        #expect(store.lastSequence == 0)
        #expect(try await store.read { try $0.lastSequence() } == 0)
    }

    @Test("a reader sees one moment, whatever is written meanwhile")
    func snapshot() async throws {
        let store = try await folder.open()
        try await store.write { try $0.submit(.number(1)) }
        let gate = Gate()
        async let counts = store.read { tx throws in
            let before = try tx.lastSequence()
            gate.wait()
            return (before, try tx.lastSequence())
        }
        await waitFor("the gate to be reached") { gate.isReached }
        try await store.write { try $0.submit(.number(2)) }
        gate.open()
        let (before, after) = try await counts
        #expect(before == 1 && after == 1)
    }

    @Test("a closed store refuses, and carries out what was asked before")
    func closing() async throws {
        let store = try await folder.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...20 {
                group.addTask { try await store.write { try $0.submit(.number(UInt64(number))) } }
            }
            try await group.waitForAll()
        }
        try await store.close()
        #expect(await failure { try await store.write { _ in } }?.code == .unavailable)
        #expect(await failure { try await store.read { _ in } }?.code == .unavailable)
        let again = try await folder.open()
        #expect(again.lastSequence == 20)
    }
}

/// Holds a database thread until the test lets it go.
final class Gate: Sendable {
    private let reached = Mutex(false)
    private let opened = DispatchSemaphore(value: 0)

    var isReached: Bool { reached.withLock { $0 } }

    func open() { opened.signal() }

    /// Blocks. Only for the store's own threads, and only for as long as the test needs to arrange its scene.
    func wait() {
        reached.withLock { $0 = true }
        opened.wait()
    }
}

/// Waits for a level, and says what it waited for when ten seconds were not enough.
func waitFor(_ what: String, _ condition: () -> Bool) async {
    let end = monotonicNanoseconds() + 10_000_000_000
    while !condition() {
        guard monotonicNanoseconds() < end else {
            Issue.record("waited 10 s for \(what)")
            return
        }
        await Task.yield()
    }
}
