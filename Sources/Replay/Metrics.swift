/// What a schedule was worth. Times in seconds.
public struct Metrics: Hashable, Sendable {
    /// Jobs that started.
    public var jobs = 0
    public var meanWait = 0.0
    public var medianWait = 0.0
    public var p95Wait = 0.0
    public var p99Wait = 0.0
    public var maxWait = 0.0
    /// Bounded: a run below ten seconds counts as ten.
    public var meanSlowdown = 0.0
    public var p95Slowdown = 0.0
    /// The mean wait, weighted by run time times size: what it is to a large job.
    public var areaWait = 0.0
    /// Of jobs of more than eight cards.
    public var largeWait = 0.0
    /// Of cards where jobs have any, else of cores, from the first submission to the last.
    public var utilisation = 0.0
    public var makespan = 0.0
    /// Jain's index over users (or centres of origin) of their mean slowdown: 1 when all fare alike.
    public var fairness = 1.0
    /// Jobs that ran elsewhere than at their home.
    public var moved = 0
    /// What those brought along, by the trace, or by what the federation says of a job; `nil` when neither says it.
    public var movedBytes: Double?
    /// Of the card time that stood free while jobs came, the part that a typical request of the trace could not have used;
    /// `nil` where no job asks for cards.
    public var fragmentation: Double?
    /// From the first submission to the last end, of all nodes; `nil` when the federation does not say what they draw.
    public var kilowattHours: Double?
    /// What the policy stopped; `nil` for one that stops nobody.
    public var stops: Schedule.Stops?
    /// By the federation's prices.
    public var credits = 0.0

    /// Every figure under the name it has in JSON and CSV, as in ``Core/SimulationReport/Figure``; `nil` for one that has no
    /// meaning here.
    public static let columns: [(name: String, value: @Sendable (Metrics) -> Double?)] = [
        ("mean_wait_seconds", { $0.meanWait }), ("median_wait_seconds", { $0.medianWait }),
        ("p95_wait_seconds", { $0.p95Wait }), ("p99_wait_seconds", { $0.p99Wait }),
        ("max_wait_seconds", { $0.maxWait }), ("mean_bounded_slowdown", { $0.meanSlowdown }),
        ("p95_bounded_slowdown", { $0.p95Slowdown }), ("area_weighted_wait_seconds", { $0.areaWait }),
        ("large_mean_wait_seconds", { $0.largeWait }), ("utilisation", { $0.utilisation }),
        ("jain_fairness", { $0.fairness }), ("moved_jobs", { Double($0.moved) }), ("moved_bytes", { $0.movedBytes }),
        ("fragmentation", { $0.fragmentation }), ("energy_kwh", { $0.kilowattHours }), ("credits", { $0.credits }),
        ("makespan_seconds", { $0.makespan }), ("preempted_runs", { $0.stops.map { Double($0.preempted) } }),
        ("relocated_runs", { $0.stops.map { Double($0.relocated) } }), ("lost_hours", { $0.stops?.lostHours }),
    ]

    /// > Source: Feitelson et al., "Theory and Practice in Parallel Job Scheduling" (JSSPP 1997).
    static let slowdownFloorSeconds = 10.0

    /// 1 when all values are alike, 1 / n when one has everything.
    ///
    /// > Source: Jain, Chiu and Hawe, "A Quantitative Measure of Fairness" (DEC research report TR-301, 1984).
    static func jain(_ values: [Double]) -> Double {
        let sum = values.reduce(0, +)
        let squares = values.reduce(0) { $0 + $1 * $1 }
        return squares > 0 ? sum * sum / (Double(values.count) * squares) : 1
    }

    static func slowdown(wait: Double, run: Double) -> Double { max(1, (wait + run) / max(run, slowdownFloorSeconds)) }

    init(_ jobs: [TraceJob], _ schedule: Schedule, _ federation: Federation) {
        var waits: [Double] = []
        var slowdowns: [Double] = []
        var byOwner: [Int32: (sum: Double, count: Double)] = [:]
        var area = 0.0
        var waitedArea = 0.0
        var large = (sum: 0.0, count: 0.0)
        var inWindow = 0.0
        let ran = jobs.indices.filter { schedule.start[$0] >= 0 }
        guard let first = ran.first, let last = ran.last else { return }
        let (begin, close) = (jobs[first].submit, jobs[last].submit)
        var end = Int64.min
        let hasCards = ran.contains { jobs[$0].cards > 0 }
        waits.reserveCapacity(ran.count)
        slowdowns.reserveCapacity(ran.count)
        for index in ran {
            let job = jobs[index]
            let wait = Double(schedule.start[index] - job.submit)
            let run = Double(job.run)
            let slowdown = Self.slowdown(wait: wait, run: run)
            waits.append(wait)
            slowdowns.append(slowdown)
            area += run * job.size
            waitedArea += wait * run * job.size
            if job.cards > 8 { large = (large.sum + wait, large.count + 1) }
            let owner = byOwner[job.user >= 0 ? job.user : job.home] ?? (0, 0)
            byOwner[job.user >= 0 ? job.user : job.home] = (owner.sum + slowdown, owner.count + 1)
            if job.home >= 0, federation.centres.count > 1 {
                let bytes = (job.inputBytes ?? federation.inputBytesPerJob).map { Double($0) }
                if let bytes { movedBytes = (movedBytes ?? 0) + (schedule.centre[index] == job.home ? 0 : bytes) }
                if schedule.centre[index] != job.home { moved += 1 }
            }
            end = max(end, schedule.start[index] + job.run)
            if !hasCards || job.cards > 0, schedule.start[index] < close {
                inWindow += Double(min(schedule.start[index] + job.run, close) - schedule.start[index]) * job.size
            }
            let centre = federation.centres[Int(schedule.centre[index])]
            credits +=
                run / 3600
                * (Double(job.milliCores) / 1000 * centre.coreHour
                    + Double(job.cards * job.cardMilli) / 1000 * centre.cardHour)
        }
        self.jobs = ran.count
        let count = Double(ran.count)
        meanWait = waits.reduce(0, +) / count
        meanSlowdown = slowdowns.reduce(0, +) / count
        waits.sort()
        slowdowns.sort()
        func quantile(_ sorted: [Double], _ part: Double) -> Double { sorted[min(ran.count - 1, Int(part * count))] }
        medianWait = quantile(waits, 0.5)
        p95Wait = quantile(waits, 0.95)
        p99Wait = quantile(waits, 0.99)
        maxWait = waits[ran.count - 1]
        p95Slowdown = quantile(slowdowns, 0.95)
        areaWait = area > 0 ? waitedArea / area : 0
        largeWait = large.count > 0 ? large.sum / large.count : 0
        makespan = Double(end - begin)
        fragmentation = schedule.fragmentation
        stops = schedule.stops
        if let used = schedule.joulesOfUse {
            let idle = federation.centres.reduce(0) { sum, centre in
                sum
                    + centre.nodes.reduce(0) { sum, node in
                        sum + (node.power.map { $0.idle + Double(node.cards) * $0.cardIdle } ?? 0)
                    }
            }
            kilowattHours = (idle * makespan + used) / 3_600_000
        }
        let capacity = federation.centres.reduce(0) { $0 + (hasCards ? $1.cards : $1.cores) }
        utilisation = inWindow / (Double(max(1, capacity)) * Double(max(1, close - begin)))
        // In the order of their numbers: a sum of doubles depends on its order.
        fairness = Self.jain(byOwner.sorted { $0.key < $1.key }.map { $0.value.sum / $0.value.count })
    }
}
