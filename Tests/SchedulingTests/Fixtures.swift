import Core
import Scheduling
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// A seeded generator (splitmix64), so that a failure can be repeated.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The seeds to try: one from `ONEPOINT_TEST_SEED`, or a fixed handful.
func seeds(_ count: Int) -> [UInt64] {
    if let text = getenv("ONEPOINT_TEST_SEED"), let seed = UInt64(String(cString: text)) { return [seed] }
    return (1...UInt64(count)).map { $0 }
}

let noon = Instant(milliseconds: 1_800_000_000_000)

func centreName(_ text: String) -> CentreName {
    guard let name = CentreName(text) else { preconditionFailure("\(text) is not a name") }
    return name
}

func projectName(_ text: String) -> ProjectName {
    guard let name = ProjectName(text) else { preconditionFailure("\(text) is not a name") }
    return name
}

/// A job id that reads as its number.
func jobID(_ number: Int) -> JobID { JobID(high: 0, low: UInt64(number)) }

extension Node {
    static func fixture(_ name: String, cores: Int = 16, gibi: Int64 = 64, cards: [CardGroup] = [], up: Bool = true)
        -> Node
    {
        Node(name: name, schedulable: up, cores: .cores(cores), memory: .gibi(gibi), cards: cards)
    }
}

extension Snapshot.Centre {
    static func fixture(
        _ name: String,
        tier: Tier = .hub,
        state: CentreState = .open,
        unseenSince: Instant? = nil,
        nodes: [Node]? = [.fixture("n1")],
        isolates: Bool = true,
        prices: PriceTable = PriceTable(),
        runs: [Snapshot.Run] = []
    ) -> Snapshot.Centre {
        Snapshot.Centre(
            name: centreName(name),
            tier: tier,
            state: state,
            unseenSince: unseenSince,
            capacity: nodes.map {
                CentreCapacity(engine: .fake, engineVersion: "1", nodes: $0, isolates: isolates)
            },
            prices: prices,
            runs: runs
        )
    }
}

extension Request {
    static func fixture(
        tasks: Int = 1,
        cores: Int = 1,
        gibi: Int64 = 1,
        cards: Int = 0,
        card: String? = nil,
        seconds: Int = 3600,
        tiers: [Tier] = [],
        centres: [String] = [],
        emulated: Bool = false,
        isolation: Isolation = .auto
    ) -> Request {
        Request(
            tasks: tasks,
            resources: TaskResources(cores: .cores(cores), memory: .gibi(gibi), cards: cards, card: card),
            timeLimitSeconds: seconds,
            placement: PlacementConstraint(tiers: tiers, centres: centres.map(centreName), emulated: emulated),
            isolation: isolation
        )
    }
}

extension QueuedJob {
    static func fixture(
        _ number: Int,
        _ request: Request = .fixture(),
        project: String = "p",
        priority: Int = 500,
        preemptible: Bool = false
    ) -> QueuedJob {
        QueuedJob(
            id: jobID(number),
            project: projectName(project),
            sequence: Int64(number),
            submittedAt: noon,
            priority: priority,
            preemptible: preemptible,
            request: request
        )
    }
}

extension Snapshot.Run {
    static func fixture(
        _ number: Int,
        on nodes: [NodeShare],
        cores: Int = 16,
        gibi: Int64 = 1,
        cards: Int = 0,
        project: String = "other",
        startedAt: Instant = noon,
        seconds: Int = 3600,
        priority: Int = 500,
        preemptible: Bool = false
    ) -> Snapshot.Run {
        Snapshot.Run(
            key: RunKey(job: jobID(number), number: 1),
            project: projectName(project),
            nodes: nodes,
            resources: TaskResources(cores: .cores(cores), memory: .gibi(gibi), cards: cards),
            leasedAt: startedAt,
            startedAt: startedAt,
            timeLimitSeconds: seconds,
            priority: priority,
            preemptible: preemptible
        )
    }
}

extension Snapshot {
    static func fixture(
        _ centres: [Snapshot.Centre],
        _ queue: [QueuedJob],
        projects: [Snapshot.Project] = [],
        now: Instant = noon
    ) -> Snapshot {
        Snapshot(now: now, centres: centres, projects: projects, queue: queue)
    }
}

/// A federation in virtual time: plans, starts, ends. What a server does, without the server.
struct Federation {
    var snapshot: Snapshot
    /// What a job really takes; its time limit when missing.
    var seconds: [JobID: Int] = [:]
    var started: [JobID: Instant] = [:]
    /// Of every run.
    var graceSeconds = 10
    var preempted: [JobID: Int] = [:]
    /// How often jobs were moved, and the seconds of work that each lost by it.
    var moved: [JobID: [Double]] = [:]
    private var stops: [RunKey: Instant] = [:]
    private var jobs: [JobID: QueuedJob] = [:]

    init(_ centres: [Snapshot.Centre], projects: [Snapshot.Project] = []) {
        snapshot = .fixture(centres, [], projects: projects)
    }

    mutating func submit(_ job: QueuedJob, seconds: Int? = nil) {
        snapshot.queue.append(job)
        jobs[job.id] = job
        self.seconds[job.id] = seconds ?? job.request.timeLimitSeconds
    }

    /// Runs one cycle and moves the clock on. Ended runs are charged to their projects' usage.
    @discardableResult
    mutating func step(seconds stepSeconds: Int, policy: Policy = Policy()) -> Plan {
        let plan = plan(snapshot, policy: policy)
        for preemption in plan.preemptions {
            guard let centre = snapshot.centres.firstIndex(where: { $0.name == preemption.centre }),
                let run = snapshot.centres[centre].runs.firstIndex(where: { $0.key == preemption.run })
            else { continue }
            preempted[preemption.run.job, default: 0] += 1
            snapshot.centres[centre].runs[run].stopping = true
            let stopping = snapshot.centres[centre].runs[run]
            stops[preemption.run] = snapshot.now + .seconds(stopping.gracePeriodSeconds)
            if let nodes = preemption.destination {
                let (job, centre) = (preemption.run.job, preemption.centre)
                moved[job, default: []].append((snapshot.now - (stopping.startedAt ?? snapshot.now)).seconds)
                snapshot.moves.append(.init(job: job, centre: centre, nodes: nodes, cause: .room(for: preemption.job)))
            }
            if let index = snapshot.queue.firstIndex(where: { $0.id == preemption.job }) {
                snapshot.queue[index].claim = preemption.centre
            }
        }
        for placement in plan.placements {
            guard let job = jobs[placement.job],
                let centre = snapshot.centres.firstIndex(where: { $0.name == placement.centre })
            else { continue }
            snapshot.queue.removeAll { $0.id == job.id }
            snapshot.moves.removeAll { $0.job == job.id }
            started[job.id] = snapshot.now
            snapshot.centres[centre].runs.append(
                Snapshot.Run(
                    key: RunKey(job: job.id, number: 1 + preempted[job.id, default: 0]),
                    project: job.project,
                    nodes: placement.nodes,
                    resources: job.request.resources,
                    leasedAt: snapshot.now,
                    startedAt: snapshot.now,
                    timeLimitSeconds: job.request.timeLimitSeconds,
                    priority: job.priority,
                    preemptible: job.preemptible,
                    gracePeriodSeconds: graceSeconds,
                    moves: moved[job.id, default: []].count
                )
            )
        }
        snapshot.now = snapshot.now + .seconds(stepSeconds)
        let totals = FairShare.Totals(snapshot.centres)
        for centre in snapshot.centres.indices {
            for run in snapshot.centres[centre].runs {
                let share = FairShare.dominantShare(tasks: run.tasks, resources: run.resources, of: totals)
                if let project = snapshot.projects.firstIndex(where: { $0.name == run.project }) {
                    snapshot.projects[project].usage += share * Double(stepSeconds) / 3600
                }
                let end = (run.startedAt ?? noon) + .seconds(seconds[run.key.job] ?? run.timeLimitSeconds)
                let isStopped = run.stopping && stops[run.key] ?? snapshot.now <= snapshot.now
                guard isStopped || end <= snapshot.now else { continue }
                snapshot.centres[centre].runs.removeAll { $0.key == run.key }
                if isStopped, end > snapshot.now, let job = jobs[run.key.job] {
                    snapshot.queue.append(job)
                } else {
                    snapshot.moves.removeAll { $0.job == run.key.job }
                }
            }
        }
        return plan
    }
}
