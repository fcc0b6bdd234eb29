/// Work that brings what is seen to what is desired, again and again.
public struct Reconciler: Sendable {
    /// Rung when there may be something to do; `nil` where only time brings that.
    let bell: Bell?
    /// Between two looks when nothing rings, and after a failure.
    let tick: Duration
    /// Between two looks at least, however often it is rung.
    let pauseMin: Duration

    public init(bell: Bell?, tick: Duration, pauseMin: Duration) {
        (self.bell, self.tick, self.pauseMin) = (bell, tick, pauseMin)
    }

    /// Repeats it until the task is cancelled: at once when rung, at each tick anyway, and never more than a fifth of the
    /// time.
    ///
    /// - Parameter failed: Told of the first failure in a row, and of every sixtieth.
    public func run(
        on runtime: any Runtime,
        failed: (any Error) -> Void,
        _ look: () async throws -> Void
    ) async {
        var failures = 0
        while !Task.isCancelled {
            let rings = bell?.rings ?? 0
            let began = runtime.elapsed
            do {
                try await look()
                failures = 0
            } catch is CancellationError {
                return
            } catch {
                failures += 1
                if failures == 1 || failures.isMultiple(of: 60) { failed(error) }
            }
            let spent = runtime.elapsed - began
            try? await runtime.sleep(for: failures > 0 ? tick : max(pauseMin, min(spent * 4, tick)))
            if let bell {
                await bell.wait(beyond: rings, atMost: tick, on: runtime)
            } else {
                try? await runtime.sleep(for: tick)
            }
        }
    }
}
