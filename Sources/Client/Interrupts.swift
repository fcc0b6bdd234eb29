import Dispatch

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
