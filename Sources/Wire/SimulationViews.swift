public import Core

/// A published report of a simulation with what lists show of it.
public struct SimulationDetail: Codable, Sendable, Hashable {
    public var summary: SimulationSummary
    /// Without the projects that its reader does not see at the point; they are counted.
    public var report: SimulationReport

    public init(summary: SimulationSummary, report: SimulationReport) {
        (self.summary, self.report) = (summary, report)
    }
}
