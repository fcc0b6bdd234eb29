import Synchronization

/// What a lane carries out: erased so that commands of any result share one queue.
protocol LaneCommand<Transaction>: AnyObject, Sendable {
    associatedtype Transaction
    /// Whether the caller still wants it. From then on it is carried out to its end.
    func claim() -> Bool
    /// Runs the closure and keeps its result.
    func perform(_ transaction: Transaction) throws
    /// Tells the caller: the kept result, or the error.
    func finish(_ error: (any Error)?)
}

/// One caller's closure, from the asking to the answer.
final class Command<Value: Sendable, Transaction>: LaneCommand {
    private enum Phase { case waiting, cancelled, claimed }

    private struct State {
        var phase = Phase.waiting
        var continuation: CheckedContinuation<Value, any Error>?
        var value: Value?
    }

    private let body: @Sendable (Transaction) throws -> Value
    private let state = Mutex(State())

    init(_ body: @escaping @Sendable (Transaction) throws -> Value) { self.body = body }

    /// Enqueues the command and waits for its end. Cancelled before it is claimed, it is never carried out.
    func run(enqueue: (Command) -> Void) async throws -> Value {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let cancelled = state.withLock { state in
                    if state.phase == .cancelled { return true }
                    state.continuation = continuation
                    return false
                }
                if cancelled { continuation.resume(throwing: CancellationError()) } else { enqueue(self) }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Value, any Error>? in
                guard state.phase == .waiting else { return nil }
                state.phase = .cancelled
                return state.continuation.take()
            }
            continuation?.resume(throwing: CancellationError())
        }
    }

    func claim() -> Bool {
        state.withLock { state in
            guard state.phase == .waiting else { return false }
            state.phase = .claimed
            return true
        }
    }

    func perform(_ transaction: Transaction) throws {
        let value = try body(transaction)
        state.withLock { $0.value = value }
    }

    func finish(_ error: (any Error)?) {
        let (continuation, value) = state.withLock { ($0.continuation.take(), $0.value.take()) }
        guard let continuation else { return }
        if let value, error == nil {
            continuation.resume(returning: value)
        } else {
            continuation.resume(throwing: error ?? CancellationError())
        }
    }
}
