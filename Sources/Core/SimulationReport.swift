/// What replays of one trace told of policies: figures, and the series that charts are drawn from. One self-contained
/// document of a bounded size, so that it can be kept where people look at it.
public struct SimulationReport: Hashable, Sendable, Codable {
    /// The form that this version writes and reads. A document of another form is refused.
    public static let currentFormat = 1

    public static let policiesMax = 16
    public static let centresMax = 100
    /// Of one series.
    public static let momentsMax = 240
    /// Of all series together.
    public static let valuesMax = 40_000
    /// Of one policy; those that got least of what was due to them.
    public static let projectsMax = 50
    /// Each is twice the one before.
    public static let sizesMax = 48
    public static let skippedMax = 32
    public static let outagesMax = 100
    /// Of the name of a trace, a centre or a project.
    public static let nameBytesMax = 100

    /// What was replayed.
    public struct Trace: Hashable, Sendable, Codable {
        public var name: String
        public var jobs: Int
        public var skipped: [Skipped]

        public init(name: String, jobs: Int, skipped: [Skipped]) {
            (self.name, self.jobs, self.skipped) = (name, jobs, skipped)
        }
    }

    /// Jobs that could not be replayed.
    public struct Skipped: Hashable, Sendable, Codable {
        public var reason: String
        public var jobs: Int

        public init(reason: String, jobs: Int) { (self.reason, self.jobs) = (reason, jobs) }
    }

    /// A centre that the trace was replayed on.
    public struct Centre: Hashable, Sendable, Codable {
        public var name: String
        public var tier: Tier
        public var nodes: Int
        public var cores: Int
        public var cards: Int

        public init(name: String, tier: Tier, nodes: Int, cores: Int, cards: Int) {
            (self.name, self.tier, self.nodes, self.cores, self.cards) = (name, tier, nodes, cores, cards)
        }
    }

    /// What happens in one second.
    public enum EventOrder: String, Hashable, Sendable, Codable, CaseIterable {
        case batch, sequential
    }

    /// Who counted as a project.
    public enum Owner: String, Hashable, Sendable, Codable, CaseIterable {
        case user, group, project, home
    }

    /// A centre that was away for a time.
    public struct Outage: Hashable, Sendable, Codable {
        /// Its place among the centres, from 0.
        public var centre: Int
        /// After the first submission.
        public var fromSeconds: Int
        public var seconds: Int

        public init(centre: Int, fromSeconds: Int, seconds: Int) {
            (self.centre, self.fromSeconds, self.seconds) = (centre, fromSeconds, seconds)
        }
    }

    /// How it was replayed.
    public struct Options: Hashable, Sendable, Codable {
        /// What times between submissions were divided by.
        public var scale: Double
        public var eventOrder: EventOrder
        public var stayHome: Bool
        /// `nil` when nobody was a project.
        public var projects: Owner?
        public var outages: [Outage]

        public init(
            scale: Double = 1,
            eventOrder: EventOrder = .batch,
            stayHome: Bool = false,
            projects: Owner? = nil,
            outages: [Outage] = []
        ) {
            (self.scale, self.eventOrder, self.stayHome) = (scale, eventOrder, stayHome)
            (self.projects, self.outages) = (projects, outages)
        }
    }

    /// What sizes of jobs and the use of centres are counted in: cards where any job has cards.
    public enum Unit: String, Hashable, Sendable, Codable, CaseIterable {
        case cards, cores
    }

    /// A figure of a policy, under the name that it has in every form of the report.
    public enum Figure: String, Hashable, Sendable, CaseIterable {
        case meanWait = "mean_wait_seconds"
        case medianWait = "median_wait_seconds"
        case p95Wait = "p95_wait_seconds"
        case p99Wait = "p99_wait_seconds"
        case maxWait = "max_wait_seconds"
        case meanSlowdown = "mean_bounded_slowdown"
        case p95Slowdown = "p95_bounded_slowdown"
        case areaWait = "area_weighted_wait_seconds"
        case largeWait = "large_mean_wait_seconds"
        case utilisation
        case fairness = "jain_fairness"
        case movedJobs = "moved_jobs"
        case movedBytes = "moved_bytes"
        case fragmentation
        case energy = "energy_kwh"
        case credits
        case makespan = "makespan_seconds"
        case preemptedRuns = "preempted_runs"
        case relocatedRuns = "relocated_runs"
        /// Of a card, else of a core.
        case lostHours = "lost_hours"
    }

    /// Jobs of about one size.
    public struct SizeClass: Hashable, Sendable, Codable {
        /// In cards or cores, a power of two; more than half of it.
        public var upTo: Int
        /// That started.
        public var jobs: Int
        public var meanWaitSeconds: Double

        public init(upTo: Int, jobs: Int, meanWaitSeconds: Double) {
            (self.upTo, self.jobs, self.meanWaitSeconds) = (upTo, jobs, meanWaitSeconds)
        }
    }

    /// What became of the jobs of one project, and what it got of its share.
    public struct Project: Hashable, Sendable, Codable {
        public var name: String
        /// Its part of everything by weight, 0 to 1.
        public var share: Double
        /// Jobs that started.
        public var started: Int
        public var meanWaitSeconds: Double
        public var meanBoundedSlowdown: Double
        /// Its part of everything while it had work.
        public var held: Double
        /// What it held then beside what was due to it.
        public var ofDue: Double

        public init(
            name: String,
            share: Double,
            started: Int,
            meanWaitSeconds: Double,
            meanBoundedSlowdown: Double,
            held: Double,
            ofDue: Double
        ) {
            (self.name, self.share, self.started) = (name, share, started)
            (self.meanWaitSeconds, self.meanBoundedSlowdown) = (meanWaitSeconds, meanBoundedSlowdown)
            (self.held, self.ofDue) = (held, ofDue)
        }
    }

    /// How often what was foretold of one kind came true.
    public struct Foretold: Hashable, Sendable, Codable {
        public var count: Int
        /// The part of them that took no longer than the p50 and the p90, 0 to 1.
        public var p50Held: Double
        public var p90Held: Double
        /// The typical p90 as a multiple of what came.
        public var p90OverTruth: Double

        public init(count: Int, p50Held: Double, p90Held: Double, p90OverTruth: Double) {
            (self.count, self.p50Held, self.p90Held) = (count, p50Held, p90Held)
            self.p90OverTruth = p90OverTruth
        }
    }

    /// Forecasts of starts of jobs that had to wait, and of run times.
    public struct Forecasts: Hashable, Sendable, Codable {
        public var starts: Foretold
        public var runs: Foretold

        public init(starts: Foretold, runs: Foretold) { (self.starts, self.runs) = (starts, runs) }
    }

    /// What one policy made of the trace.
    public struct Policy: Hashable, Sendable, Codable {
        public var name: String
        public var started: Int
        /// Jobs that fit no centre or limit.
        public var impossible: Int
        /// Runs that an outage ended.
        public var interrupted: Int
        /// By ``Figure``; without those that have no meaning here.
        public var figures: [String: Double]
        public var sizes: [SizeClass]
        /// Those first that got least of what was due to them; empty where nobody was a project.
        public var projects: [Project]
        /// Projects that are left out.
        public var projectsMore: Int
        /// Jain's index of the projects' slowdowns.
        public var jainProjects: Double?
        public var forecasts: Forecasts?
        /// The same wherever the same schedule came out.
        public var scheduleHash: String
        public var cpuSeconds: Double
        /// Jobs that wait, by moment.
        public var queued: [Int]
        /// By centre, then by moment: what is in use of its cards or cores, in thousandths.
        public var used: [[Int]]

        public init(
            name: String,
            started: Int,
            impossible: Int = 0,
            interrupted: Int = 0,
            figures: [String: Double],
            sizes: [SizeClass] = [],
            projects: [Project] = [],
            projectsMore: Int = 0,
            jainProjects: Double? = nil,
            forecasts: Forecasts? = nil,
            scheduleHash: String,
            cpuSeconds: Double,
            queued: [Int],
            used: [[Int]]
        ) {
            (self.name, self.started, self.impossible, self.interrupted) = (name, started, impossible, interrupted)
            (self.figures, self.sizes, self.projects) = (figures, sizes, projects)
            (self.projectsMore, self.jainProjects, self.forecasts) = (projectsMore, jainProjects, forecasts)
            (self.scheduleHash, self.cpuSeconds, self.queued, self.used) = (scheduleHash, cpuSeconds, queued, used)
        }

        public subscript(figure: Figure) -> Double? { figures[figure.rawValue] }
    }

    /// A mean difference, and between what it lies with 95 per cent confidence. Negative is better.
    public struct Difference: Hashable, Sendable, Codable {
        public var mean: Double
        public var low: Double
        public var high: Double

        public init(mean: Double, low: Double, high: Double) { (self.mean, self.low, self.high) = (mean, low, high) }
    }

    /// How one policy fared beside another, job by job.
    public struct Comparison: Hashable, Sendable, Codable {
        public var policy: String
        public var base: String
        public var waitSeconds: Difference
        public var boundedSlowdown: Difference

        public init(policy: String, base: String, waitSeconds: Difference, boundedSlowdown: Difference) {
            (self.policy, self.base) = (policy, base)
            (self.waitSeconds, self.boundedSlowdown) = (waitSeconds, boundedSlowdown)
        }
    }

    public var format: Int
    public var trace: Trace
    public var options: Options
    public var centres: [Centre]
    /// Dense FP16, of all cards that the catalogue knows.
    public var petaflops: Double
    public var unit: Unit
    /// Between two moments of the series. The first is the first submission.
    public var stepSeconds: Double
    public var policies: [Policy]
    /// Of policies after the first with the first.
    public var differences: [Comparison]

    public init(
        trace: Trace,
        options: Options,
        centres: [Centre],
        petaflops: Double,
        unit: Unit,
        stepSeconds: Double,
        policies: [Policy],
        differences: [Comparison]
    ) {
        format = Self.currentFormat
        (self.trace, self.options, self.centres) = (trace, options, centres)
        (self.petaflops, self.unit, self.stepSeconds) = (petaflops, unit, stepSeconds)
        (self.policies, self.differences) = (policies, differences)
    }

    /// How many moments a series has.
    public var moments: Int { policies.first?.queued.count ?? 0 }
    public var cores: Int { centres.reduce(0) { $0 + $1.cores } }
    public var cards: Int { centres.reduce(0) { $0 + $1.cards } }

    /// How many moments fit into the limits for so many policies and centres.
    public static func moments(policies: Int, centres: Int) -> Int {
        max(2, min(momentsMax, valuesMax / max(1, policies * (centres + 1))))
    }
}
