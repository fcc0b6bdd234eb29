package import Core
package import Wire

/// What an agent knows of one run. Written to disk when the lease is accepted, before the run is released and when it has
/// ended; everything else is learned anew from the engine after a restart.
package struct AgentRecord: Codable, Sendable {
    package var order: LeaseOrder
    var observation: RunObservation
    /// Counts changes of `observation`.
    var version: Int
    /// The last version that the point has acknowledged in this process's life.
    var acknowledged: Int
    /// What the point wants stopped, and how gently.
    var stop: ExchangeResponse.Stop?
    /// When the engine was first asked to release it, so that it may have begun; `nil` if it never was.
    var releasedAt: Instant?
    /// The point knows of the end.
    var settled: Bool

    init(order: LeaseOrder) {
        self.order = order
        observation = RunObservation(phase: .submitting)
        version = 1
        acknowledged = 0
        stop = nil
        settled = false
    }

    package var key: RunKey { order.run }
    var hasEnded: Bool { observation.phase == .ended }
    var needsReport: Bool { version > acknowledged }
}
