import Blobs
public import Core
import Glibc
import Scheduling
import Store
import Synchronization
public import Wire

extension Point {
    /// The front page: what there is, what runs, what waits and why. Costs the same however long the history is.
    public func overview(project: ProjectName?, _ caller: Principal) async throws -> OverviewView {
        let waiting = waiting.withLock { $0 }
        return try await store.read { tx in
            let projects = try Self.visible(to: caller, asking: project, tx)
            let counts = try Self.jobCounts(projects, tx)
            let running = try tx.jobs(JobFilter(projects: projects, states: [.active]), before: nil, limit: 12)
            let events = try tx.latestEvents(limit: 12, projects: projects)
            return OverviewView(
                capacity: try self.capacity(caller, tx),
                jobs: counts.byName,
                waiting: Self.groups(waiting, projects, queued: counts.queued),
                running: try running.map { try Self.view($0, waiting, tx) },
                recent: try events.map { try Self.view($0) }
            )
        }
    }

    /// Jobs by state over some projects; `nil` is all.
    static func jobCounts(_ projects: [ProjectName]?, _ tx: ReadTransaction) throws -> JobCounts {
        try tx.jobCounts(projects).values.reduce(into: JobCounts()) { sum, counts in
            for state in JobState.allCases { sum[state] += counts[state] }
        }
    }

    /// Waiting jobs by reason. Jobs that no cycle has looked at yet count as waiting for their turn.
    private static func groups(
        _ waiting: WaitingReasons,
        _ projects: [ProjectName]?,
        queued: Int
    ) -> [OverviewView.WaitingGroup] {
        var groups: [String: OverviewView.WaitingGroup] = [:]
        func add(_ code: String, _ headline: @autoclosure () -> String, _ count: Int) {
            guard count > 0 else { return }
            var group = groups[code] ?? .init(code: code, count: 0, headline: headline())
            group.count += count
            groups[code] = group
        }
        for (job, reason) in waiting.reasons {
            guard let project = waiting.projects[job], projects?.contains(project) ?? true else { continue }
            add(reason.code, reason.headline, 1)
        }
        let rest = queued - groups.values.reduce(0) { $0 + $1.count }
        if waiting.isWhole {
            add("dependency", "waits for other jobs to succeed", rest)
        } else {
            add("queue", "waits for its turn, or for other jobs to succeed", rest)
        }
        return groups.values.sorted { ($0.count, $1.code) > ($1.count, $0.code) }
    }
}

/// Counts since the process began.
final class Counters: Sendable {
    struct Placement: Sendable {
        var cycles = 0
        var placed = 0
        var seconds = 0.0
        var latestSeconds = 0.0

        mutating func note(cycle: Duration, placed count: Int) {
            cycles += 1
            placed += count
            seconds += cycle.seconds
            latestSeconds = cycle.seconds
        }
    }

    let jobsSubmitted = Mutex(0)
    let jobsEnded = Mutex<[JobState: Int]>([:])
    let runsEnded = Mutex<[RunOutcome.Kind: Int]>([:])
    let exchanges = Mutex(0)
    let placement = Mutex(Placement())
}

extension Point {
    /// The point's clock.
    public var time: Instant { now() }

    /// Whether the point can do its work: throws when the store cannot be written to, or the disk is nearly full.
    public func checkReady() async throws {
        try await blobs.checkSpace(atLeast: .mebi(8))
        try await store.write { try $0.probe() }
    }

    /// Prometheus text exposition format 0.0.4. Labels carry names of centres, tiers and states, never user input.
    public func metrics() async throws -> String {
        var text = MetricsText()
        let operatorView = Principal(
            user: Self.nobody,
            isOperator: true,
            scopes: [.read],
            project: nil
        )
        let (capacity, jobs, statistics) = try await store.read { tx in
            (try self.capacity(operatorView, tx), try Self.jobCounts(nil, tx), self.store.statistics)
        }
        text.family("onepoint_jobs", "gauge", "Jobs by state.")
        for state in JobState.allCases { text.sample(["state": state.rawValue], Double(jobs[state])) }
        for (name, help, path) in Self.capacityFamilies {
            text.family(name, "gauge", help)
            for row in capacity.centres {
                let figures = row.capacity[keyPath: path]
                let labels = ["centre": row.centre.text, "tier": row.tier.rawValue]
                for (kind, value) in [
                    ("nameplate", figures.nameplate), ("schedulable", figures.schedulable), ("free", figures.free),
                ] {
                    text.sample(labels.merging(["figure": kind]) { $1 }, value)
                }
                if let measured = figures.measured {
                    text.sample(labels.merging(["figure": "measured"]) { $1 }, measured)
                }
            }
        }
        text.family("onepoint_processor_gflops", "gauge", "FP32 GFLOPS of processors, as measured at joining.")
        for row in capacity.centres {
            guard let gflops = row.capacity.processorGflops else { continue }
            text.sample(["centre": row.centre.text, "tier": row.tier.rawValue], gflops)
        }
        text.family("onepoint_centre_connected", "gauge", "1 while the centre is heard of.")
        for row in capacity.centres {
            text.sample(["centre": row.centre.text, "tier": row.tier.rawValue], row.connected ? 1 : 0)
        }
        let shared = capacity.centres.compactMap { row in row.shared.map { (row.centre.text, $0) } }
        text.family("onepoint_centre_others_cores", "gauge", "Cores that a centre's other users hold.")
        for (centre, use) in shared { text.sample(["centre": centre], use.cores.cores) }
        text.family("onepoint_centre_others_cards", "gauge", "Cards that a centre's other users hold.")
        for (centre, use) in shared { text.sample(["centre": centre], Double(use.cards)) }
        text.family("onepoint_centre_queue_runs", "gauge", "Runs not started where others are, and how many may be.")
        for (centre, use) in shared {
            text.sample(["centre": centre, "figure": "waiting"], Double(use.waiting))
            text.sample(["centre": centre, "figure": "limit"], Double(use.waitingMax))
        }
        text.family("onepoint_centre_queue_wait_seconds", "gauge", "How long the latest waited there, in the median.")
        for (centre, use) in shared {
            if let wait = use.waitSeconds { text.sample(["centre": centre], Double(wait)) }
        }
        text.family("onepoint_project_cores", "gauge", "Cores held by live runs.")
        for row in capacity.projects { text.sample(["project": row.project.text], row.cores) }
        text.family("onepoint_project_cards", "gauge", "Cards held by live runs.")
        for row in capacity.projects { text.sample(["project": row.project.text], Double(row.cards)) }
        text.family("onepoint_jobs_submitted_total", "counter", "Jobs accepted since the process began.")
        text.sample([:], Double(counters.jobsSubmitted.withLock { $0 }))
        text.family("onepoint_jobs_ended_total", "counter", "Jobs ended since the process began.")
        for (state, count) in counters.jobsEnded.withLock({ $0 }).sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample(["state": state.rawValue], Double(count))
        }
        text.family("onepoint_runs_ended_total", "counter", "Runs ended since the process began, by outcome.")
        for (kind, count) in counters.runsEnded.withLock({ $0 }).sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            text.sample(["outcome": kind.rawValue], Double(count))
        }
        text.family("onepoint_exchanges_total", "counter", "Exchanges with agents since the process began.")
        text.sample([:], Double(counters.exchanges.withLock { $0 }))
        let placement = counters.placement.withLock { $0 }
        text.family("onepoint_placement_cycles_total", "counter", "Placement cycles that planned something.")
        text.sample([:], Double(placement.cycles))
        text.family("onepoint_placement_seconds_total", "counter", "Time spent on what changed and on planning.")
        text.sample([:], placement.seconds)
        text.family("onepoint_placement_cycle_seconds", "gauge", "The same, of the latest cycle.")
        text.sample([:], placement.latestSeconds)
        let extent = living.withLock { $0.extent }
        text.family("onepoint_placement_kept", "gauge", "What placing keeps in mind.")
        for (kind, count) in [("jobs", extent.jobs), ("nodes", extent.nodes), ("runs", extent.runs)] {
            text.sample(["kind": kind], Double(count))
        }
        text.family("onepoint_resident_bytes", "gauge", "Memory of this process.")
        text.sample([:], Double(Self.residentBytes))
        text.family("onepoint_store_bytes", "gauge", "Size of the database and of its log.")
        text.sample(["file": "database"], Double(statistics.databaseBytes))
        text.sample(["file": "wal"], Double(statistics.logBytes))
        text.family("onepoint_store_events", "gauge", "Events in the log.")
        text.sample([:], Double(statistics.lastSequence))
        return text.text
    }

    /// As the kernel counts it; 0 where it does not say.
    private static var residentBytes: Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        guard fgets(&line, Int32(line.count), file) != nil else { return 0 }
        let pages = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            .split(separator: " ")
        return pages.count > 1 ? (Int(pages[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) : 0
    }

    private static let nobody: UserName = {
        guard let name = UserName("metrics") else { preconditionFailure("a valid name") }
        return name
    }()

    private static let capacityFamilies: [(String, String, any KeyPath<CapacityFigures, Figures> & Sendable)] = [
        ("onepoint_centre_cores", "Cores of a centre.", \.cores),
        ("onepoint_centre_memory_bytes", "Memory of a centre.", \.memoryBytes),
        ("onepoint_centre_cards", "Real accelerators of a centre.", \.cards),
        ("onepoint_centre_emulated_cards", "Emulated accelerators of a centre.", \.emulatedCards),
        ("onepoint_centre_fp16_pflops", "Dense FP16 throughput of a centre's real accelerators.", \.pflops),
    ]
}

/// Writes the Prometheus text format. Source: Prometheus, "Exposition formats", version 0.0.4.
struct MetricsText {
    private(set) var text = ""
    private var name = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        self.name = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ labels: [String: String], _ value: Double) {
        let list = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }.joined(separator: ",")
        let number = value == value.rounded() && value.magnitude < 1e15 ? "\(Int64(value))" : "\(value)"
        text += "\(name)\(list.isEmpty ? "" : "{\(list)}") \(number)\n"
    }
}
