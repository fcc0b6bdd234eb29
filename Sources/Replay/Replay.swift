internal import Core
internal import Scheduling

/// How a trace is replayed.
public struct ReplayOptions: Hashable, Sendable {
    /// Where estimates of run times come from.
    public enum Estimates: String, CaseIterable, Sendable {
        /// What users asked for.
        case requested
        /// The truth, which no scheduler knows: what perfect estimates would be worth.
        case actual
        /// Learned from the jobs that have ended.
        case predicted
    }

    /// The order of what happens in one second.
    public enum EventOrder: String, CaseIterable, Sendable {
        /// All ends, then all submissions, then one pass.
        case batch
        /// One pass for each event, submissions first, to which what is expected to end in that second counts as free:
        /// the order of the SC'15 studies.
        case sequential
    }

    /// A centre that is away for a time: its runs are lost at the start and wait again.
    public struct Outage: Hashable, Sendable {
        /// Index of the centre.
        public var centre: Int
        /// Seconds of the trace's time.
        public var start: Int64
        public var end: Int64

        public init(centre: Int, start: Int64, end: Int64) {
            self.centre = centre
            self.start = start
            self.end = end
        }
    }

    public var eventOrder = EventOrder.batch
    /// Times between submissions are divided by this: above 1 the load is higher.
    public var scale = 1.0
    /// Whether jobs stay at the centre they were sent to.
    public var staysHome = false
    public var outages: [Outage] = []
    /// Of one job in so many it is foretold when it starts and how long it runs, and scored; 0 for none.
    public var forecastEvery = 0
    /// Who counts as a project; `nil` when nobody does. Policies that know projects then share between them equally.
    public var projects: TraceJob.Owner?

    public init() {}

    /// A centre goes or comes back.
    struct Turn {
        var at: Int64
        var centre: Int
        var isOpening: Bool
    }

    /// The outages' begins and ends, in order.
    var turns: [Turn] {
        outages.flatMap { outage in
            [
                Turn(at: outage.start, centre: outage.centre, isOpening: false),
                Turn(at: outage.end, centre: outage.centre, isOpening: true),
            ]
        }.sorted { ($0.at, $0.isOpening ? 0 : 1) < ($1.at, $1.isOpening ? 0 : 1) }
    }
}

extension ReplayOptions.Estimates {
    /// How long a job is expected to run.
    func seconds(_ job: TraceJob, _ predictor: Predictor) -> Int64 {
        switch self {
        case .requested: job.requested ?? job.run
        case .actual: job.run
        case .predicted: predictor.seconds(Replay.contexts(job), limitSeconds: job.requested)
        }
    }

    /// How long it may run, as far as anybody knows.
    func limit(_ job: TraceJob, estimate: Int64) -> Int64 { self == .actual ? job.run : job.requested ?? estimate }
}

/// What became of each job of a trace.
public struct Schedule: Hashable, Sendable {
    /// By job, in seconds: of its last start; -1 for one that never started.
    public internal(set) var start: [Int64]
    /// By job: the index of the centre; -1 for one that never started.
    public internal(set) var centre: [Int32]
    /// Jobs that no centre could run, or no limit of their project allows.
    public internal(set) var impossible = 0
    /// Runs that an outage ended; their jobs ran again.
    public internal(set) var interrupted = 0
    /// `nil` where the policy asks nobody to stop.
    public internal(set) var stops: Stops?
    /// Of the card time that stood free from the first submission to the last, the part that a typical request could not
    /// have used; `nil` where nobody asked for cards, or none stood free.
    public internal(set) var fragmentation: Double?
    /// What runs drew above what idle nodes do, in joules; `nil` when the federation does not say.
    public internal(set) var joulesOfUse: Double?
    /// By reservation of the federation.
    var reservations: [ReservationMetrics] = []
    /// How the forecasts did, where any were asked for.
    public internal(set) var forecasts: ForecastScore?

    /// Runs that the policy ended; their jobs ran again from the beginning.
    public struct Stops: Hashable, Sendable {
        /// For a job of higher priority.
        public internal(set) var preempted = 0
        /// For a place in the same centre, so that a job finds its own.
        public internal(set) var relocated = 0
        /// What they had done, in hours of a card where they had any, else of a core.
        public internal(set) var lostHours = 0.0

        mutating func note(_ job: TraceJob, ran seconds: Int64, isMove: Bool) {
            if isMove { relocated += 1 } else { preempted += 1 }
            lostHours += job.size * Double(seconds) / 3600
        }
    }

    /// A number that two schedules share only when every job has the same start and place.
    public var hash: UInt64 {
        var hash = FNV()
        for index in start.indices {
            hash.combine(start[index])
            hash.combine(centre[index])
        }
        return hash.value
    }
}

/// Virtual time around the real ``Scheduling/Scheduler``: tells it what happens when, and what it decides happens.
struct Replay {
    private let jobs: [TraceJob]
    private let classes: [Int32]
    /// By job: the scheduler's number of its project; -1 for none.
    private let projects: [Int32]
    private let policy: ReplayPolicy
    private let options: ReplayOptions
    private var scheduler: Scheduler
    private var schedule: Schedule
    private var ends = EndHeap()
    private var predictor = Predictor()
    private var started: [Scheduler.Start] = []
    /// The scheduler's numbers are used again, so that what it knows of the living stays close together.
    private var indexOfNumber: [Int32] = []
    private var freeNumbers: [Int32] = []
    /// By job, in seconds.
    private var estimates: [Int64]
    /// By number: counts up when an outage ends a run, so that its end in the heap is known to be void.
    private var lives: [UInt32] = []
    private var forecasts: Forecasts?
    /// Jobs that came since the last pass and whose start is to be foretold.
    private var newcomers: [(index: Int, number: Int32)] = []
    private let federation: Federation
    /// By class.
    private let needs: [Int32: Need]
    private var gauge: FreeCards
    /// By job: the index of its project; -1 for none. Empty without projects.
    private let owners: [Int32]
    private var reserved: ReservedTime
    private let progress: (Int) -> Void

    /// - Parameters:
    ///   - classes: By job; -1 for one that no centre could run.
    ///   - needs: By class.
    ///   - projects: By job; empty when the scheduler knows none.
    ///   - owners: By job; empty when nobody counts as a project.
    ///   - progress: Called now and then with how many jobs have come.
    init(
        jobs: [TraceJob],
        classes: [Int32],
        needs: [Int32: Need],
        projects: [Int32],
        owners: [Int32],
        reserved: ReservedTime,
        scheduler: Scheduler,
        federation: Federation,
        policy: ReplayPolicy,
        options: ReplayOptions,
        progress: @escaping (Int) -> Void
    ) {
        self.jobs = jobs
        self.classes = classes
        self.projects = projects
        (self.owners, self.reserved) = (owners, reserved)
        self.scheduler = scheduler
        self.policy = policy
        self.options = options
        self.progress = progress
        self.federation = federation
        self.needs = needs
        gauge = FreeCards(jobs, classes, needs)
        estimates = Array(repeating: 0, count: jobs.count)
        if options.forecastEvery > 0 { forecasts = Forecasts(counted: jobs.count / 2) }
        schedule = Schedule(
            start: Array(repeating: -1, count: jobs.count),
            centre: Array(repeating: -1, count: jobs.count)
        )
        schedule.impossible = classes.count { $0 < 0 }
        if federation.knowsPower { schedule.joulesOfUse = 0 }
    }

    consuming func run() -> Schedule {
        var next = 0
        let turns = options.turns
        var turn = 0
        while true {
            while next < jobs.count, classes[next] < 0 { next += 1 }
            // What is reserved comes free at its end, whether anything else happens then or not.
            let windowEnd = scheduler.nextWindowEnd.map { $0 / 1000 } ?? .max
            let turnsUp = turn < turns.count || windowEnd < .max
            guard next < jobs.count || !ends.isEmpty || (turnsUp && scheduler.queued > 0) else { break }
            var now = min(windowEnd, next < jobs.count ? jobs[next].submit : Int64.max)
            if let first = ends.first { now = min(now, first) }
            if turn < turns.count { now = min(now, turns[turn].at) }
            gauge.read(scheduler, until: now)
            switch options.eventOrder {
            case .batch:
                while ends.first == now, let end = ends.pop() { self.end(end, now) }
                take(turns, &turn, now)
                while next < jobs.count, jobs[next].submit == now {
                    if classes[next] >= 0 { submit(next, now) }
                    next += 1
                }
                pass(now)
            case .sequential:
                take(turns, &turn, now)
                runSequentially(now, &next)
            }
        }
        schedule.forecasts = forecasts?.score
        schedule.fragmentation = gauge.fragmentation
        schedule.reservations = reserved.metrics
        return schedule
    }

    private mutating func take(_ turns: [ReplayOptions.Turn], _ turn: inout Int, _ now: Int64) {
        while turn < turns.count, turns[turn].at == now {
            if turns[turn].isOpening {
                scheduler.setOpen(Int32(turns[turn].centre), true)
            } else {
                close(turns[turn].centre, now)
            }
            turn += 1
        }
    }

    private mutating func runSequentially(_ now: Int64, _ next: inout Int) {
        var over: [EndHeap.End] = []
        while ends.first == now, let end = ends.pop() {
            if lives[Int(end.number)] == end.life { over.append(end) }
        }
        let isExpected = over.map { end in
            let index = Int(indexOfNumber[Int(end.number)])
            return schedule.start[index] + estimates[index] <= now
        }
        for (end, isExpected) in zip(over, isExpected) where isExpected { self.end(end, now) }
        while next < jobs.count, jobs[next].submit == now {
            if classes[next] >= 0 {
                submit(next, now)
                pass(now)
            }
            next += 1
        }
        for (end, isExpected) in zip(over, isExpected) {
            if !isExpected { self.end(end, now) }
            pass(now)
        }
        if over.isEmpty { pass(now) }
    }

    // MARK: what happens

    private mutating func submit(_ index: Int, _ now: Int64) {
        let job = jobs[index]
        estimates[index] = policy.estimates.seconds(job, predictor)
        let number = enqueue(index, now)
        if options.forecastEvery > 0, index % options.forecastEvery == 0 {
            newcomers.append((index, number))
            forecasts?.expectRun(index, seconds: estimates[index], limit: job.requested)
        }
        if index & 0x3FFF == 0 { progress(index) }
    }

    @discardableResult
    private mutating func enqueue(_ index: Int, _ now: Int64) -> Int32 {
        var number = Int32(indexOfNumber.count)
        if let free = freeNumbers.popLast() {
            number = free
            indexOfNumber[Int(number)] = Int32(index)
        } else {
            indexOfNumber.append(Int32(index))
            lives.append(0)
        }
        let job = jobs[index]
        let limit = policy.estimates.limit(job, estimate: estimates[index])
        scheduler.submit(
            number,
            class: classes[index],
            estimate: estimates[index] * 1000,
            limit: limit * 1000,
            project: projects.isEmpty || projects[index] < 0 ? nil : projects[index],
            at: now * 1000
        )
        return number
    }

    private mutating func end(_ end: EndHeap.End, _ now: Int64) {
        guard lives[Int(end.number)] == end.life else { return }
        noteReserved(end.number, now)
        scheduler.end(end.number, at: now * 1000)
        freeNumbers.append(end.number)
        let index = Int(indexOfNumber[Int(end.number)])
        let job = jobs[index]
        forecasts?.ended(index, ran: job.run)
        guard policy.estimates == .predicted else { return }
        predictor.learn(Self.contexts(job), seconds: job.run)
    }

    private mutating func noteReserved(_ number: Int32, _ now: Int64) {
        let index = Int(indexOfNumber[Int(number)])
        guard !reserved.isEmpty, let need = needs[classes[index]] else { return }
        reserved.note(
            scheduler.places(of: number),
            need,
            at: schedule.centre[index],
            from: schedule.start[index],
            to: now,
            owner: owners.isEmpty ? -1 : owners[index]
        )
    }

    private mutating func pass(_ now: Int64) {
        started.removeAll(keepingCapacity: true)
        scheduler.pass(at: now * 1000, started: &started)
        for start in started {
            let index = Int(indexOfNumber[Int(start.job)])
            schedule.start[index] = now
            schedule.centre[index] = start.site
            ends.push(now + jobs[index].run, start.job, life: lives[Int(start.job)])
            forecasts?.started(index, at: now)
            if let joules = schedule.joulesOfUse {
                schedule.joulesOfUse = joules + watts(start.job, at: Int(start.site)) * Double(jobs[index].run)
            }
        }
        if !newcomers.isEmpty { foretell(now) }
    }

    /// What a run draws above what its nodes do when they are idle.
    private func watts(_ number: Int32, at centre: Int) -> Double {
        guard let need = needs[classes[Int(indexOfNumber[Int(number)])]] else { return 0 }
        return federation.watts(need, scheduler.places(of: number), at: centre)
    }

    private mutating func foretell(_ now: Int64) {
        defer { newcomers.removeAll(keepingCapacity: true) }
        var wanted: [Int32: Int] = [:]
        for (index, number) in newcomers {
            if schedule.start[index] >= 0 { forecasts?.startedAtOnce(index) } else { wanted[number] = index }
        }
        guard !wanted.isEmpty else { return }
        let foreseen = scheduler.foresee(Set(wanted.keys), at: now * 1000)
        for (number, index) in wanted.sorted(by: { $0.key < $1.key }) {
            guard let start = foreseen[number] else { continue }
            forecasts?.expectStart(index, at: now, waiting: Double(start / 1000 - now))
        }
    }

    private mutating func close(_ centre: Int, _ now: Int64) {
        for number in scheduler.running(at: Int32(centre)) {
            let index = Int(indexOfNumber[Int(number)])
            if let joules = schedule.joulesOfUse {
                let rest = schedule.start[index] + jobs[index].run - now
                schedule.joulesOfUse = joules - watts(number, at: centre) * Double(rest)
            }
            noteReserved(number, now)
            scheduler.end(number, at: now * 1000)
            lives[Int(number)] &+= 1
            freeNumbers.append(number)
            schedule.start[index] = -1
            schedule.centre[index] = -1
            schedule.interrupted += 1
            enqueue(index, now)
        }
        scheduler.setOpen(Int32(centre), false)
    }

    /// From coarse to fine: where the trace names users, by what they ask for; else by centre and size.
    static func contexts(_ job: TraceJob) -> [UInt64] {
        let home = Int64(job.home)
        let size = Int64(job.cards > 0 ? job.cards : job.milliCores)
        let asked = job.requested ?? -1
        guard job.user >= 0 else {
            return [
                Predictor.context(0, home), Predictor.context(1, home, size), Predictor.context(2, home, size, asked),
            ]
        }
        let user = Int64(job.user)
        return [
            Predictor.context(0, home), Predictor.context(3, home, asked), Predictor.context(2, home, size, asked),
            Predictor.context(4, home, user), Predictor.context(5, home, user, size),
            Predictor.context(6, home, user, asked), Predictor.context(7, home, user, size, asked),
            Predictor.context(8, home, user, size, asked, Int64(job.program)),
        ]
    }
}
