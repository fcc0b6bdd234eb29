internal import Scheduling

/// A trace on a federation: replayed under one policy after the other.
public struct Experiment: Sendable {
    public let trace: Trace
    public let federation: Federation
    public let options: ReplayOptions
    let models: [String]
    /// Of the largest nodes.
    let cardsMax: Int
    private let coresMax: Int
    /// The trace's jobs in the order of the schedules, their times scaled.
    public let replayed: [TraceJob]
    let projects: ReplayProjects
    let bookings: [Federation.Booking]
    /// By reservation; `nil` for maintenance.
    let holders: [ReplayProjects.Holder?]

    /// What one policy made of it.
    public struct Outcome: Sendable {
        public var policy: String
        public var schedule: Schedule
        public var metrics: Metrics
        /// By project; empty where the options name none.
        public var projects: [ProjectMetrics]
        /// By reservation of the federation.
        public var reservations: [ReservationMetrics]
        /// Of this process, for the replay alone.
        public var cpuSeconds: Double
    }

    /// - Throws: ``TraceFault`` when the federation cannot be used.
    public init(_ trace: Trace, on federation: Federation, options: ReplayOptions) throws(TraceFault) {
        self.trace = trace
        self.federation = federation
        self.options = options
        models = try federation.models()
        var jobs = trace.jobs
        if options.scale != 1 {
            for index in jobs.indices { jobs[index].submit = Int64(Double(jobs[index].submit) / options.scale) }
            jobs.sortBySubmission()
        }
        replayed = jobs
        let projects = ReplayProjects(of: jobs, options.projects, trace.names, federation)
        self.projects = projects
        do {
            bookings = try federation.bookings(begin: jobs.first?.submit ?? 0, scale: options.scale)
        } catch {
            throw TraceFault(
                path: "reservation \(federation.reservations[error.index].name) of the federation",
                what: error.what
            )
        }
        var holders: [ReplayProjects.Holder?] = []
        for reservation in federation.reservations {
            let holder = reservation.project.flatMap { projects.holder($0) }
            if let project = reservation.project, holder == nil {
                throw TraceFault(
                    path: "reservation \(reservation.name) of the federation",
                    what: "is for '\(project)', which is neither among its projects nor one of the trace's"
                )
            }
            holders.append(holder)
        }
        self.holders = holders
        cardsMax = federation.centres.lazy.flatMap(\.nodes).map(\.cards).max() ?? 0
        coresMax = federation.centres.lazy.flatMap(\.nodes).map(\.milliCores).max() ?? 0
    }

    /// - Parameters:
    ///   - cpuTime: Seconds of processor time that this process has used.
    ///   - progress: Called now and then with how many jobs have come.
    public func run(
        _ policy: ReplayPolicy,
        cpuTime: () -> Double,
        progress: @escaping (Int) -> Void = { _ in }
    ) throws(TraceFault) -> Outcome {
        let schedule: Schedule
        let before: Double
        switch policy.mind {
        case .scheduler(let rules):
            let replay = replay(policy, rules, progress: progress)
            before = cpuTime()
            schedule = replay.run()
        case .plan:
            let replay = try pointReplay(policy.estimates, progress: progress)
            before = cpuTime()
            schedule = replay.run()
        }
        let seconds = cpuTime() - before
        return Outcome(
            policy: policy.name,
            schedule: schedule,
            metrics: Metrics(replayed, schedule, federation),
            projects: ProjectMetrics.all(replayed, projects, schedule, federation),
            reservations: schedule.reservations,
            cpuSeconds: seconds
        )
    }

    private func replay(_ policy: ReplayPolicy, _ rules: Rules, progress: @escaping (Int) -> Void) -> Replay {
        var scheduler = Scheduler(sites: federation.kinds(models), rules: rules)
        var classes = makeClasses(&scheduler)
        // Who knows no shares must know whose a reservation is.
        let needsProjects = policy.knowsProjects || holders.contains { $0 != nil }
        let numbers = needsProjects ? projects.add(to: &scheduler, sharing: policy.knowsProjects) : .init()
        for ((booking, reservation), holder) in zip(zip(bookings, federation.reservations), holders) {
            let shares = booking.nodes.map { Scheduler.Window.Share(node: Int32($0)) }
            scheduler.addWindow(
                Scheduler.Window(
                    from: booking.start * 1000,
                    to: booking.end * 1000,
                    project: holder?.number(numbers),
                    reservation.nodes == nil ? nil : shares
                ),
                at: Int32(reservation.centre)
            )
        }
        if policy.knowsProjects {
            for index in classes.indices where !projects.couldHold(index, need(replayed[index])) { classes[index] = -1 }
        }
        return Replay(
            jobs: replayed,
            classes: classes,
            needs: Dictionary(
                zip(classes, replayed).lazy.filter { $0.0 >= 0 }.map { ($0, need($1)) },
                uniquingKeysWith: { first, _ in first }
            ),
            projects: numbers.named.isEmpty ? [] : projects.owners.map { $0 < 0 ? -1 : numbers.named[Int($0)] },
            owners: projects.owners,
            reserved: reservedTime,
            scheduler: scheduler,
            federation: federation,
            policy: policy,
            options: options,
            progress: progress
        )
    }

    var reservedTime: ReservedTime {
        ReservedTime(
            federation,
            bookings,
            holders: holders.map { $0.map { projects.members(of: $0) } ?? projects.names.map { _ in false } }
        )
    }

    struct ClassKey: Hashable {
        var need: Need
        var home: Int32
        var places: Int32
    }

    /// - Returns: The class of each job; -1 for one that no centre could run.
    func makeClasses(_ scheduler: inout Scheduler) -> [Int32] {
        var known: [ClassKey: Int32] = [:]
        return replayed.map { job in
            let key = classKey(job)
            if let known = known[key] { return known }
            // Who does not fit at home goes where it does.
            let made =
                (key.home >= 0 ? scheduler.addClass(key.need, sites: [job.home]) : nil)
                ?? scheduler.addClass(key.need, sites: places(job))
            known[key] = made ?? -1
            return made ?? -1
        }
    }

    /// What jobs that are decided alike have in common.
    func classKey(_ job: TraceJob) -> ClassKey {
        let stays = options.staysHome && federation.centres.indices.contains(Int(job.home))
        return ClassKey(need: need(job), home: stays ? job.home : -1, places: job.places)
    }

    /// The numbers of the centres that will do for a job; `nil` where any will.
    func places(_ job: TraceJob) -> [Int32]? {
        guard job.places >= 0 else { return nil }
        return federation.centres.indices.filter {
            trace.placeSets[Int(job.places)].contains(federation.centres[$0].name)
        }.map { Int32($0) }
    }

    /// How a job stands on nodes: on one if any could hold it; else whole nodes, and the rest on another.
    func need(_ job: TraceJob) -> Need {
        var mask = UInt64.max
        if job.models >= 0 {
            mask = 0
            for name in trace.modelSets[Int(job.models)] {
                if let number = models.firstIndex(of: name) { mask |= 1 << UInt64(number) }
            }
        }
        if job.tasks > 1 {
            return Need(
                tasks: job.tasks,
                milliCores: job.milliCores / job.tasks,
                memoryMiB: job.memoryMiB / job.tasks,
                cards: job.cards / job.tasks,
                models: job.cards > 0 ? mask : .max
            )
        }
        if job.cards > cardsMax, cardsMax > 0 {
            let tasks = job.cards / cardsMax
            return Need(
                tasks: tasks,
                milliCores: job.milliCores * cardsMax / job.cards,
                memoryMiB: job.memoryMiB * cardsMax / job.cards,
                cards: cardsMax,
                restCards: job.cards % cardsMax,
                models: mask
            )
        }
        if job.cards == 0, job.milliCores > coresMax, coresMax > 0 {
            let tasks = (job.milliCores + coresMax - 1) / coresMax
            return Need(tasks: tasks, milliCores: job.milliCores / tasks, memoryMiB: job.memoryMiB / tasks)
        }
        return Need(
            milliCores: job.milliCores,
            memoryMiB: job.memoryMiB,
            cards: job.cards,
            cardMilli: job.cards == 1 ? job.cardMilli : 1000,
            models: job.cards > 0 ? mask : .max
        )
    }
}
