import Synchronization

/// Lets so many do something at a time; who comes then waits, in the order of coming.
final class Turns: Sendable {
    private struct State {
        var free: Int
        var comers: UInt64 = 0
        /// By the number of their coming.
        var waiters: [UInt64: CheckedContinuation<Bool, Never>] = [:]
    }

    private let state: Mutex<State>

    init(atOnceMax: Int) { state = Mutex(State(free: atOnceMax)) }

    /// How many wait.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// - Throws: `CancellationError` when the task is cancelled while it waits, beside what `body` throws.
    func callAsFunction<Value: Sendable>(_ body: () async throws -> Value) async throws -> Value {
        try await take()
        defer { giveBack() }
        return try await body()
    }

    private func take() async throws {
        let number: UInt64? = state.withLock { state in
            guard state.free == 0 else {
                state.free -= 1
                return nil
            }
            state.comers += 1
            return state.comers
        }
        guard let number else { return }
        let hasTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let answer: Bool? = state.withLock { state in
                    // The handler below may have run before there was anybody to tell.
                    if Task.isCancelled { return false }
                    if state.free > 0 {
                        // Given back since it was looked for.
                        state.free -= 1
                        return true
                    }
                    state.waiters[number] = waiter
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(returning: false)
        }
        guard hasTurn else { throw CancellationError() }
    }

    private func giveBack() {
        let waiter = state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if let first = state.waiters.keys.min() { return state.waiters.removeValue(forKey: first) }
            state.free += 1
            return nil
        }
        waiter?.resume(returning: true)
    }
}
