import Core
@preconcurrency import Dispatch
import Synchronization

/// Something read from the store that is kept until it may have changed.
final class Remembered<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var generation: UInt64 = 0
    }

    private let state = Mutex(State())

    func forget() {
        state.withLock {
            $0.value = nil
            $0.generation += 1
        }
    }

    /// What is known, else what `read` finds. What was read before a change is returned but not kept.
    func value(_ read: () async throws -> Value) async throws -> Value {
        let (known, generation) = state.withLock { ($0.value, $0.generation) }
        if let known { return known }
        let fresh = try await read()
        state.withLock { if $0.generation == generation { $0.value = fresh } }
        return fresh
    }
}

/// Works on one long computation at a time, on a thread that is not one of the cooperative pool's.
struct Workbench: Sendable {
    /// `nil` where there are no threads but the caller's.
    private let queue: DispatchQueue?

    init(_ label: String, _ runtime: any Runtime) { queue = runtime.hasThreads ? DispatchQueue(label: label) : nil }

    func run<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
        guard let queue else { return body() }
        return await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: body()) }
        }
    }
}
