/// What long-running code needs of the machine under it: time that passes, chance, and threads for what takes long.
///
/// The system's in production. A simulation hands in one whose time moves only when nothing is left to do, so that the
/// same code does the same again for the same seed.
public protocol Runtime: Sendable {
    /// Time since some fixed moment, never going back: for measuring, not for telling the time.
    var elapsed: Duration { get }
    /// From 0 up to and without 1.
    var chance: Double { get }
    /// Whether long work goes to threads of its own. Without them it is done where it is asked for.
    var hasThreads: Bool { get }
    /// - Throws: `CancellationError` as soon as the task is cancelled.
    func sleep(for duration: Duration) async throws
}

/// The machine itself.
public struct SystemRuntime: Runtime {
    private static let start = ContinuousClock.now

    public init() {}

    public var elapsed: Duration { ContinuousClock.now - Self.start }
    public var chance: Double { Double.random(in: 0..<1) }
    public var hasThreads: Bool { true }
    public func sleep(for duration: Duration) async throws { try await Task.sleep(for: duration) }
}
