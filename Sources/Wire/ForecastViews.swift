public import Core

/// What a job may expect, and how sure that is: p50 is as likely too early as too late, p90 holds nine times of ten.
public struct ForecastView: Codable, Sendable, Hashable {
    public var madeAt: Instant
    /// Absent while it depends on something else than its turn.
    public var startP50: Instant?
    public var startP90: Instant?
    public var runP50Seconds: Int64
    public var runP90Seconds: Int64
    /// Of one run.
    public var costP50: MicroCredits
    public var costP90: MicroCredits

    /// - Parameter knowsStart: Whether its start is a matter of time alone.
    public init(_ forecast: Forecast, madeAt: Instant, knowsStart: Bool = true) {
        func cost(_ seconds: Int64) -> MicroCredits {
            .charge(perHour: forecast.pricePerHour, milliseconds: seconds * 1000, units: 1)
        }
        self.madeAt = madeAt
        startP50 = knowsStart ? madeAt + .seconds(forecast.wait.p50) : nil
        startP90 = knowsStart ? madeAt + .seconds(forecast.wait.p90) : nil
        runP50Seconds = forecast.run.p50
        runP90Seconds = forecast.run.p90
        costP50 = cost(forecast.run.p50)
        costP90 = cost(forecast.run.p90)
    }
}

/// What one job of a submission that was not made could expect if it were made now.
public struct EstimateView: Codable, Sendable, Hashable {
    public var name: String
    /// How many jobs it would make: 1, or the elements of an array, of which the first is foretold.
    public var count: Int
    /// As in ``WhyView``: `ready` when it would start at once.
    public var code: String
    public var headline: String
    public var evidence: [String]
    public var wayOut: String?
    public var timeLimitSeconds: Int
    /// Absent when the job would have to wait for something else than its turn.
    public var forecast: ForecastView?
    /// What would be set aside for one of its jobs: the price of the whole time limit at the cheapest centre.
    public var costMax: MicroCredits?

    public init(
        name: String,
        count: Int,
        code: String,
        headline: String,
        evidence: [String],
        wayOut: String?,
        timeLimitSeconds: Int,
        forecast: ForecastView?,
        costMax: MicroCredits?
    ) {
        self.name = name
        self.count = count
        self.code = code
        self.headline = headline
        self.evidence = evidence
        self.wayOut = wayOut
        self.timeLimitSeconds = timeLimitSeconds
        self.forecast = forecast
        self.costMax = costMax
    }
}

/// The answer to a submission that is only asked about.
public struct EstimatesView: Codable, Sendable, Hashable {
    public var project: ProjectName
    /// In the order of the document.
    public var jobs: [EstimateView]

    public init(project: ProjectName, jobs: [EstimateView]) { (self.project, self.jobs) = (project, jobs) }
}

/// How often forecasts came true, over the latest jobs of everybody.
public struct ForecastAccuracyView: Codable, Sendable, Hashable {
    public struct Held: Codable, Sendable, Hashable {
        /// Forecasts of which is known what came.
        public var count: Int
        /// Among them those that were not later than their p50: half, if they are right.
        public var p50: Int
        /// Not later than their p90: nine of ten, if they are right.
        public var p90: Int
        /// By what factor half of the p50 were off at most.
        public var medianFactor: Double

        public init(count: Int, p50: Int, p90: Int, medianFactor: Double) {
            (self.count, self.p50, self.p90, self.medianFactor) = (count, p50, p90, medianFactor)
        }
    }

    /// Forecasts of about the same length.
    public struct Class: Codable, Sendable, Hashable {
        /// The longest p50 that belongs here; absent for the last.
        public var atMostSeconds: Int64?
        public var starts: Held
        public var runs: Held

        public init(atMostSeconds: Int64?, starts: Held, runs: Held) {
            (self.atMostSeconds, self.starts, self.runs) = (atMostSeconds, starts, runs)
        }
    }

    /// When the oldest of them was made.
    public var since: Instant?
    public var starts: Held
    public var runs: Held
    public var classes: [Class]

    public init(since: Instant?, starts: Held, runs: Held, classes: [Class]) {
        (self.since, self.starts, self.runs, self.classes) = (since, starts, runs, classes)
    }
}
