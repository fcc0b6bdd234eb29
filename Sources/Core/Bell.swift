import Synchronization

/// Wakes whoever waits for something to change. A hint: waiters look again, and a timer is their guarantee.
///
/// Level-triggered: a ring between looking and waiting is not missed, because the waiter names the last ring it knows.
public final class Bell: Sendable {
    private struct State {
        var rings: UInt64 = 0
        var nextWaiter: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// How often it has rung.
    public var rings: UInt64 { state.withLock { $0.rings } }

    public func ring() {
        let waiters = state.withLock { state in
            state.rings += 1
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when it has rung more than `rings` times, the time is over, or the task is cancelled.
    public func wait(
        beyond rings: UInt64,
        atMost limit: Duration,
        on runtime: some Runtime = SystemRuntime()
    ) async {
        guard self.rings <= rings, limit > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(beyond: rings) }
            group.addTask { try? await runtime.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(beyond rings: UInt64) async {
        let id = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    // The handler below may have run before there was anything to resume.
                    if state.rings > rings || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }
}
