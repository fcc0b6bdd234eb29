/// What was foretold of a job when it was first looked at: kept, and held against what came.
public struct Forecast: Hashable, Sendable, Codable {
    /// A length of time, in seconds.
    public struct Span: Hashable, Sendable, Codable {
        /// What the model said.
        public var modelled: Int64
        /// Corrected by how far the model was off so far: as likely less as more.
        public var p50: Int64
        /// Likewise: not more in nine of ten cases.
        public var p90: Int64

        public init(modelled: Int64, p50: Int64, p90: Int64) {
            (self.modelled, self.p50, self.p90) = (modelled, p50, p90)
        }
    }

    /// From the forecast to the start of the first run.
    public var wait: Span
    /// Of the first run.
    public var run: Span
    /// Where the job was placed, or at the cheapest centre that could run it.
    public var pricePerHour: MicroCredits

    public init(wait: Span, run: Span, pricePerHour: MicroCredits) {
        (self.wait, self.run, self.pricePerHour) = (wait, run, pricePerHour)
    }
}

extension RunOutcome.Kind {
    /// Whether the run took the time that its work takes: what was stopped, lost or never began says nothing of that.
    public var tellsRunTime: Bool {
        switch self {
        case .succeeded, .exit, .signal, .timeLimit, .outOfMemory, .missingOutput: true
        case .rejected, .nodeFailure, .cancelled, .preempted, .lost: false
        }
    }
}
