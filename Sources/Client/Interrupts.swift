import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs an operation during which Ctrl-C asks rather than kills: the first one is handed to `ask`, the second leaves at
/// once with status 130.
func withInterrupts<Value: Sendable>(
    ask: @escaping @Sendable () async -> Void,
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    signal(SIGINT, SIG_IGN)
    // Two are all that matter: ask, then leave.
    let (interrupts, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(2))
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    source.setEventHandler { continuation.yield() }
    source.resume()
    defer {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
    return try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            for await _ in interrupts {
                // Beside the next wait, so that a point that does not answer cannot keep the second Ctrl-C from working.
                async let asked: Void = ask()
                for await _ in interrupts { exit(ExitStatus.interrupted.rawValue) }
                await asked
            }
            return nil
        }
        defer { group.cancelAll() }
        while let value = try await group.next() {
            if let value { return value }
        }
        throw CancellationError()
    }
}

/// Runs an operation that the first Ctrl-C cancels; the second leaves at once with status 130.
///
/// - Throws: `CancellationError` when it was cancelled so.
func cancelledByInterrupt<Value: Sendable>(
    _ operation: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    signal(SIGINT, SIG_IGN)
    let (interrupts, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingOldest(1))
    let source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
    let count = Atomic(0)
    source.setEventHandler {
        // The queue may see two as one, and then they are one.
        if count.add(1, ordering: .relaxed).oldValue > 0 { exit(ExitStatus.interrupted.rawValue) }
        continuation.yield()
    }
    source.resume()
    defer {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }
    return try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await operation() }
        group.addTask {
            for await _ in interrupts { break }
            throw CancellationError()
        }
        defer { group.cancelAll() }
        // Whichever is first: the end, or the wish for it.
        guard let value = try await group.next() else { throw CancellationError() }
        return value
    }
}
