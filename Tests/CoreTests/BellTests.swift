import Core
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(10))) struct BellTests {
    @Test("a ring between looking and waiting is not missed")
    func ringBeforeWait() async {
        let bell = Bell()
        let seen = bell.rings
        bell.ring()
        await bell.wait(beyond: seen, atMost: .seconds(3600))
        #expect(bell.rings == 1)
    }

    @Test("every waiter of a ring wakes, and the time limit is the guarantee when nothing rings")
    func wakesAll() async {
        let bell = Bell()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { await bell.wait(beyond: 0, atMost: .seconds(3600)) } }
            group.addTask { bell.ring() }
        }
        await bell.wait(beyond: bell.rings, atMost: .milliseconds(5))
        await bell.wait(beyond: bell.rings, atMost: .zero)
        await bell.wait(beyond: bell.rings, atMost: .seconds(-1))
    }

    @Test("with many ringers and many waiters no ring is lost: every waiter sees the last value")
    func noLostRing() async {
        // Each step publishes a value, then rings. A waiter that missed the ring of the last value would hang.
        for _ in 0..<20 {
            let bell = Bell()
            let published = Published()
            let last = 400
            await withTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        while true {
                            let rings = bell.rings
                            let seen = published.value.withLock { $0 }
                            if seen == last { return seen }
                            await bell.wait(beyond: rings, atMost: .seconds(3600))
                        }
                    }
                }
                for _ in 0..<4 {
                    group.addTask {
                        for _ in 0..<(last / 4) {
                            published.value.withLock { $0 += 1 }
                            bell.ring()
                            await Task.yield()
                        }
                        return last
                    }
                }
                for await seen in group { #expect(seen == last) }
            }
            #expect(bell.rings == UInt64(last))
        }
    }

    @Test("a cancelled waiter returns, before it waits or while it does")
    func cancellation() async {
        let bell = Bell()
        for _ in 0..<200 {
            let waiter = Task { await bell.wait(beyond: bell.rings, atMost: .seconds(3600)) }
            if Bool.random() { await Task.yield() }
            waiter.cancel()
            await waiter.value
        }
        #expect(bell.rings == 0)
    }

    @Test("cancelling and ringing at once resumes each waiter exactly once")
    func cancelAgainstRing() async {
        for _ in 0..<200 {
            let bell = Bell()
            let waiters = (0..<4).map { _ in Task { await bell.wait(beyond: 0, atMost: .seconds(3600)) } }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { bell.ring() }
                group.addTask { for waiter in waiters { waiter.cancel() } }
            }
            for waiter in waiters { await waiter.value }
        }
    }
}

/// What a ring tells of.
private final class Published: Sendable {
    let value = Mutex(0)
}
