public import Core

/// A forecast, and what came of it.
public struct ForecastOutcome: Hashable, Sendable {
    public var forecast: Forecast
    public var madeAt: Instant
    public var timeLimitSeconds: Int
    /// Of the first run.
    public var startedAt: Instant?
    /// Of the first run, where its end tells how long the work takes; in seconds.
    public var ranSeconds: Int64?

    /// - Parameter run: The job's first.
    public init(_ foretold: (forecast: Forecast, madeAt: Instant), _ run: Run, of spec: JobSpec) {
        self.init(
            foretold,
            timeLimitSeconds: spec.timeLimitSeconds,
            startedAt: run.startedAt,
            endedAt: run.endedAt,
            kind: run.outcome?.kind
        )
    }

    fileprivate init(
        _ foretold: (forecast: Forecast, madeAt: Instant),
        timeLimitSeconds: Int,
        startedAt: Instant?,
        endedAt: Instant?,
        kind: RunOutcome.Kind?
    ) {
        (forecast, madeAt) = foretold
        self.timeLimitSeconds = timeLimitSeconds
        self.startedAt = startedAt
        if let startedAt, let endedAt, kind?.tellsRunTime == true {
            ranSeconds = Int64((endedAt - startedAt).seconds.rounded(.up))
        }
    }
}

extension ReadTransaction {
    public func forecast(of job: JobID) throws -> (forecast: Forecast, madeAt: Instant)? {
        try connection.first("SELECT \(Self.forecastColumns) FROM forecast WHERE job = ?", job) { Self.forecast($0) }
    }

    /// The queued jobs of which something was foretold.
    public func forecastQueued() throws -> Set<JobID> {
        let jobs = try connection.all(
            "SELECT job FROM forecast WHERE job IN (SELECT id FROM job WHERE state = 'queued')"
        ) { try $0.value(0, as: JobID.self) }
        return Set(jobs)
    }

    /// The forecasts of the newest jobs whose first run started, the newest first.
    public func forecastOutcomes(limit: Int) throws -> [ForecastOutcome] {
        let rows = try connection.all(
            """
            SELECT \(Self.forecastColumns), run.started_at, run.ended_at, run.outcome,
                (SELECT sequence FROM job WHERE id = forecast.job)
            FROM forecast JOIN run ON run.job = forecast.job AND run.number = 1
            WHERE run.started_at IS NOT NULL ORDER BY forecast.job DESC LIMIT ?
            """,
            limit
        ) { row in
            (
                foretold: Self.forecast(row), startedAt: row.optionalInstant(8), endedAt: row.optionalInstant(9),
                kind: try row.optionalChoice(10, as: RunOutcome.Kind.self), sequence: row.integer(11)
            )
        }
        return try rows.map { row in
            ForecastOutcome(
                row.foretold,
                timeLimitSeconds: try submission(at: row.sequence).spec.timeLimitSeconds,
                startedAt: row.startedAt,
                endedAt: row.endedAt,
                kind: row.kind
            )
        }
    }

    fileprivate static let forecastColumns =
        "made_at, wait_modelled, wait_p50, wait_p90, run_modelled, run_p50, run_p90, hour_price"

    private static func forecast(_ row: borrowing Row) -> (forecast: Forecast, madeAt: Instant) {
        func span(_ column: Int32) -> Forecast.Span {
            Forecast.Span(modelled: row.integer(column), p50: row.integer(column + 1), p90: row.integer(column + 2))
        }
        return (
            Forecast(wait: span(1), run: span(4), pricePerHour: MicroCredits(row.integer(7))), row.instant(0)
        )
    }
}

extension WriteTransaction {
    /// The first forecast of a job stands.
    func apply(_ forecast: Forecast, of job: JobID, _ at: Instant) throws {
        try connection.run(
            """
            INSERT INTO forecast (job, \(ReadTransaction.forecastColumns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (job) DO NOTHING
            """,
            job,
            at,
            forecast.wait.modelled,
            forecast.wait.p50,
            forecast.wait.p90,
            forecast.run.modelled,
            forecast.run.p50,
            forecast.run.p90,
            forecast.pricePerHour
        )
    }
}
