import Core
import Scheduling
import Store
import Wire

/// What lives at this moment, as far as placing goes: centres and their runs, projects, and the front of each project's
/// queue. Brought up to date from the log: what an event was about is read anew, so that a cycle costs what changed, and
/// what is known equals what would be read from nothing.
struct LiveState: Sendable {
    /// A queued job that waits for nobody, with what does not change while it waits.
    struct Waiting: Hashable, Sendable {
        var job: QueuedJob
        var kind: RunTimes.Kind
        /// What it takes with it to where it runs.
        var inputs: [Digest: Bytes]
    }

    fileprivate struct Place: Sendable {
        var key: RunKey
        var centre: CentreName
        var project: ProjectName
        var kind: RunTimes.Kind
    }

    /// What somebody else must add: who is silent, how much was used, what takes how long, which bytes are where.
    struct Memories {
        var silentSince: (CentreName) -> Instant?
        var usage: (ProjectName) -> Double
        var runTimes: RunTimes
        var claims: [JobID: CentreName]
        var moves: [JobID: Snapshot.Move]
        var whereabouts: Whereabouts
        var links: [CentreName: Link]
        var shared: SharedCentres
    }

    /// More than these at once are read from nothing.
    private static let changesMax = 20_000

    /// Of each project so many jobs are handed out; twice as many are kept, so that not every end asks the store.
    private let window: Int
    /// The place in the log that it is of; `nil` before the first look, and after one that failed.
    private var sequence: Int64?
    /// Counts the changes that placing may see.
    private(set) var revision: UInt64 = 0
    /// Nothing that was due is not due again when the clock is set back.
    private var moment = Instant(milliseconds: .min)
    /// By name.
    private var centres: [Centre] = []
    /// By centre, in the order of their keys. Also of centres that were removed.
    private var runs: [CentreName: [Snapshot.Run]] = [:]
    private var places: [JobID: Place] = [:]
    /// By name. Of a metered project with its balance.
    private var projects: [Snapshot.Project] = []
    private var queues: [ProjectName: QueueFront] = [:]
    /// What is kept in advance, by centre and start: all that was not over when it was read.
    private var reservations: [CentreName: [Reservation]] = [:]
    /// Those of them that lack nodes; `nil` when that is not known.
    private var lacking: [Reservation]?
    private var reservationsReadAt = Instant(milliseconds: .max)
    /// How many of those have begun, and how many have ended.
    private var reservationsTurned = 0

    init(window: Int) { self.window = max(1, window) }

    /// Something that placing sees has changed that is not in the log.
    mutating func touch() { revision += 1 }

    // MARK: reading

    /// Brings it up to date.
    mutating func follow(_ tx: ReadTransaction, now: Instant) throws {
        moment = max(moment, now)
        guard let known = sequence else { return try readAll(tx, now) }
        // Somebody with a newer view may have been here before.
        guard try tx.lastSequence() >= known else { return }
        let changes = try tx.changes(after: known, limit: Self.changesMax)
        guard let last = changes.last else { return try wake(tx, now) }
        sequence = nil
        guard changes.count < Self.changesMax, let touched = Touched(changes) else { return try readAll(tx, now) }
        if !touched.isEmpty { revision += 1 }
        for name in touched.centres { try readCentre(name, tx) }
        if touched.readsReservations { try readReservations(tx, now) }
        if touched.readsProjects {
            try readProjects(tx)
        } else {
            for project in touched.balances { try readBalance(project, tx) }
        }
        var submissions = touched.submissions
        for job in touched.ended { submissions.formUnion(try tx.submissions(awaiting: job)) }
        for job in touched.jobs { try readJob(job, tx) }
        for submission in submissions {
            let limit = window * 2 + 1
            let jobs = try tx.jobsWaiting(ofSubmission: submission, limit: limit)
            for job in jobs { try put(job, tx) }
            if jobs.count == limit, let last = jobs.last { queues[last.project]?.cut(after: QueueFront.Place(last)) }
        }
        try wake(tx, now)
        sequence = last.sequence
    }

    private mutating func readAll(_ tx: ReadTransaction, _ now: Instant) throws {
        sequence = nil
        revision += 1
        let last = try tx.lastSequence()
        centres = try tx.centres()
        (runs, places) = ([:], [:])
        for (run, spec) in try tx.liveRunsWithSpecs() {
            places[run.key.job] = Place(run, spec)
            runs[run.centre, default: []].append(Snapshot.Run(run, spec: spec, moves: try tx.moves(before: run.key)))
        }
        try readProjects(tx)
        try readReservations(tx, now)
        queues = [:]
        for job in try tx.jobsBackingOff(after: moment) { try put(job, tx) }
        for project in try tx.projectsWaiting() {
            queues[project, default: QueueFront()].isWhole = false
            try fill(project, tx)
        }
        sequence = last
    }

    private mutating func readCentre(_ name: CentreName, _ tx: ReadTransaction) throws {
        lacking = nil
        let fresh = try tx.centre(name).flatMap { $0.state == .removed ? nil : $0 }
        let at = centres.firstIndex { $0.name >= name } ?? centres.endIndex
        if at < centres.endIndex, centres[at].name == name { centres.remove(at: at) }
        if let fresh { centres.insert(fresh, at: at) }
    }

    private mutating func readReservations(_ tx: ReadTransaction, _ now: Instant) throws {
        reservations = Dictionary(grouping: try tx.liveReservations(now: now).map(\.reservation), by: \.centre)
        reservationsReadAt = now
        lacking = nil
        reservationsTurned = turned(by: now)
    }

    private func turned(by now: Instant) -> Int {
        reservations.values.joined().reduce(0) { $0 + ($1.startsAt <= now ? 1 : 0) + ($1.endsAt <= now ? 1 : 0) }
    }

    private mutating func readProjects(_ tx: ReadTransaction) throws {
        projects = try tx.projects().map { project in
            Snapshot.Project(
                name: project.name,
                parent: project.parent,
                weight: project.weight,
                quota: project.quota,
                balance: project.metered ? try tx.balance(.project(project.name)) : nil
            )
        }
    }

    private mutating func readBalance(_ name: ProjectName, _ tx: ReadTransaction) throws {
        guard let index = projects.firstIndex(where: { $0.name == name }), projects[index].balance != nil else {
            return
        }
        projects[index].balance = try tx.balance(.project(name))
    }

    private mutating func readJob(_ id: JobID, _ tx: ReadTransaction) throws {
        guard let job = try tx.job(id) else { return }
        let run = try job.run.flatMap { try tx.run($0) }
        if let place = places.removeValue(forKey: id) { runs[place.centre]?.remove(place.key) }
        if let run, !run.state.isTerminal {
            places[id] = Place(run, job.spec)
            runs[run.centre, default: []]
                .insert(Snapshot.Run(run, spec: job.spec, moves: try tx.moves(before: run.key)))
        }
        queues[job.project]?.remove(id, QueueFront.Place(job))
        if job.state == .queued, job.unmetDependencies == 0 { try put(job, tx) }
    }

    private mutating func put(_ job: Job, _ tx: ReadTransaction) throws {
        queues[job.project, default: QueueFront()].put(try Waiting(job, tx), at: moment, keeping: window * 2)
    }

    /// Lets those take part whose time has come, and fills up what has run low.
    private mutating func wake(_ tx: ReadTransaction, _ now: Instant) throws {
        // With the clock set back something may not be over after all.
        if now < reservationsReadAt { try readReservations(tx, now) }
        let turned = turned(by: now)
        if turned != reservationsTurned {
            reservationsTurned = turned
            revision += 1
        }
        for project in Array(queues.keys) {
            if queues[project]?.wake(at: moment, keeping: window * 2) == true { revision += 1 }
            try fill(project, tx)
        }
    }

    private mutating func fill(_ project: ProjectName, _ tx: ReadTransaction) throws {
        guard let queue = queues[project], !queue.isWhole, queue.ready.count <= window else { return }
        let jobs = try tx.jobsWaiting(in: project, limit: window * 2, now: moment)
        queues[project]?.ready = try jobs.map { try Waiting($0, tx) }
        queues[project]?.isWhole = jobs.count < window * 2
    }

    /// The reservations for projects that keep something on nodes that are down or gone.
    mutating func broken(at now: Instant) -> [ReservationName] {
        let known =
            lacking
            ?? centres.flatMap { centre in
                (reservations[centre.name] ?? []).filter { reservation in
                    guard reservation.project != nil, let capacity = centre.capacity else { return false }
                    return !Point.lost(reservation, capacity).isEmpty
                }
            }
        lacking = known
        return known.filter { $0.endsAt > now }.map(\.name)
    }

    // MARK: handing out

    /// How much there is.
    struct Extent: Hashable, Sendable {
        var revision: UInt64 = 0
        var runs = 0
        /// Waiting jobs that are kept in mind.
        var jobs = 0
        var nodes = 0
        /// Whether some project has more waiting jobs than are handed out.
        var isTruncated = false
    }

    var extent: Extent {
        var extent = Extent(revision: revision, runs: places.count)
        for queue in queues.values {
            extent.jobs += queue.ready.count + queue.resting.count
            if !queue.isWhole || queue.ready.count > window { extent.isTruncated = true }
        }
        for centre in centres { extent.nodes += centre.capacity?.nodes.count ?? 0 }
        return extent
    }

    /// Everything that a plan looks at.
    func snapshot(now: Instant, _ memories: Memories) -> Snapshot {
        Snapshot(
            now: now,
            centres: centres.map { centre in
                Snapshot.Centre(
                    centre,
                    unseenSince: centre.agent == nil ? nil : memories.silentSince(centre.name),
                    link: memories.links[centre.name],
                    runs: runs[centre.name] ?? [],
                    reservations: reservations[centre.name]?.filter { $0.endsAt > now } ?? [],
                    others: memories.shared.others(at: centre),
                    queue: memories.shared.queue(at: centre, now: now) {
                        (runs[centre.name] ?? []).lazy.filter { $0.startedAt == nil }.map(\.key)
                    }
                )
            },
            projects: projects.map { project in
                var project = project
                project.usage = memories.usage(project.name)
                return project
            },
            queue: queues.sorted { $0.key < $1.key }.flatMap { _, queue in
                (queue.ready.prefix(window) + queue.resting.values.sorted { $0.place < $1.place }.prefix(window))
                    .map { $0.queued(memories) }
            },
            moves: memories.moves.values.sorted { $0.job < $1.job }
        )
    }

    /// The runs that wait for long in the queues of centres' own engines, and where.
    func guests(now: Instant, _ shared: SharedCentres) -> [(run: Snapshot.Run, centre: CentreName)] {
        centres.flatMap { centre in
            let waiting = shared.guests(at: centre, now: now)
            guard !waiting.isEmpty else { return [(run: Snapshot.Run, centre: CentreName)]() }
            return (runs[centre.name] ?? []).filter { $0.startedAt == nil && waiting.contains($0.key) }
                .map { ($0, centre.name) }
        }
    }

    /// The same with how long each run is expected to take, for who looks ahead.
    func foreseeing(_ snapshot: Snapshot, _ runTimes: RunTimes) -> Snapshot {
        var snapshot = snapshot
        for centre in snapshot.centres.indices {
            for run in snapshot.centres[centre].runs.indices {
                let job = snapshot.centres[centre].runs[run].key.job
                snapshot.centres[centre].runs[run].estimateSeconds = places[job].map { runTimes.seconds($0.kind) }
            }
        }
        return snapshot
    }
}

extension LiveState {
    /// Which rows to read anew.
    private struct Touched {
        var centres: Set<CentreName> = []
        var readsProjects = false
        var readsReservations = false
        var balances: Set<ProjectName> = []
        var jobs: Set<JobID> = []
        /// Jobs that are over: others may have waited for them.
        var ended: Set<JobID> = []
        var submissions: Set<Int64> = []

        var isEmpty: Bool {
            centres.isEmpty && !readsProjects && !readsReservations && balances.isEmpty && jobs.isEmpty
                && submissions.isEmpty
        }

        /// `nil` when something happened of which this version does not know what follows.
        init?(_ changes: [Change]) {
            for change in changes {
                guard let kind = change.kind else { return nil }
                switch kind {
                case .projectCreated, .projectChanged: readsProjects = true
                case .reservationCreated, .reservationCancelled, .reservationMoved: readsReservations = true
                case .voucherGranted:
                    guard let project = change.project else { return nil }
                    balances.insert(project)
                case .centreCreated, .centreChanged, .agentJoined, .capacityReported:
                    let prefix = "centre/"
                    guard change.subject.hasPrefix(prefix),
                        let name = CentreName(String(change.subject.dropFirst(prefix.count)))
                    else { return nil }
                    centres.insert(name)
                case .jobsSubmitted: submissions.insert(change.sequence)
                case .jobRequeued, .jobEnded, .runLeased, .runStarted, .runStopRequested, .runEnded:
                    guard let job = JobID(change.subject) else { return nil }
                    jobs.insert(job)
                    if kind == .jobEnded { ended.insert(job) }
                    if kind == .runLeased || kind == .runEnded, let project = change.project {
                        balances.insert(project)
                    }
                case .userCreated, .memberSet, .memberRemoved, .tokenIssued, .tokenRevoked, .joinTokenIssued,
                    .agentSeated, .workflowSubmitted, .jobCancelRequested, .jobForecast, .runOffered, .runAccepted,
                    .runPending, .runWaiting, .runUnseen, .runSeen, .blobGranted, .repositoryCreated,
                    .repositoryChanged, .repositoryRemoved, .repositoryBlobGranted, .repositoryBlobsRevoked,
                    .revisionCommitted, .referenceSet, .referenceRemoved, .revisionsDropped, .manifestPut,
                    .manifestRemoved, .tagRemoved, .accessSet, .factNoted, .discussionSet, .discussionNoted,
                    .publicationSettled, .sampleJudged, .repositoryDuplicated, .downloadsCounted, .simulationPublished,
                    .simulationRemoved:
                    break
                }
            }
        }
    }
}

extension LiveState.Waiting {
    init(_ job: Job, waitingFor: [String] = [], _ tx: ReadTransaction) throws {
        self.job = QueuedJob(job, waitingFor: waitingFor)
        kind = RunTimes.Kind(job.spec, project: job.project)
        inputs = [:]
        guard !job.spec.inputs.isEmpty, job.unmetDependencies == 0 else { return }
        inputs = Dictionary(try Point.inputs(of: job, tx).map { ($0.input.digest, $0.size) }) { first, _ in first }
    }

    /// With what is known of it at this moment.
    func queued(_ memories: LiveState.Memories) -> QueuedJob {
        var job = job
        job.estimateSeconds = memories.runTimes.seconds(kind)
        job.claim = memories.claims[job.id]
        if !inputs.isEmpty {
            job.inputBytes = inputs.values.reduce(0) { $0 + $1 }
            job.near = memories.whereabouts.bytes(inputs, of: job.project)
        }
        return job
    }
}

extension LiveState.Place {
    fileprivate init(_ run: Run, _ spec: JobSpec) {
        (key, centre, project) = (run.key, run.centre, run.project)
        kind = RunTimes.Kind(spec, project: run.project)
    }
}

extension LiveState {
    /// In what it differs from another; `nil` when in nothing.
    func difference(from other: LiveState, at now: Instant, _ memories: Memories) -> String? {
        let (mine, theirs) = (snapshot(now: now, memories), other.snapshot(now: now, memories))
        func differ<Value: Equatable>(_ what: String, _ mine: Value, _ theirs: Value) -> String? {
            mine == theirs ? nil : "\(what) kept in mind differ from the stored: \(mine) instead of \(theirs)"
        }
        return differ("centres", mine.centres.map(\.name), theirs.centres.map(\.name))
            ?? differ("runs", mine.centres.map { $0.runs.map(\.key) }, theirs.centres.map { $0.runs.map(\.key) })
            ?? differ("centres", mine.centres, theirs.centres)
            ?? differ("projects", mine.projects, theirs.projects)
            ?? differ("jobs", mine.queue.map(\.id), theirs.queue.map(\.id))
            ?? differ("jobs", mine.queue, theirs.queue)
            ?? differ("owners", places.mapValues(\.project), other.places.mapValues(\.project))
            ?? differ("ends of the queue", extent.isTruncated, other.extent.isTruncated)
    }

    /// Whose a job is that runs.
    func owner(ofRunning job: JobID) -> ProjectName? { places[job]?.project }
}

extension [Snapshot.Run] {
    fileprivate func position(of key: RunKey) -> Int { partitioningIndex { $0.key >= key } }

    fileprivate mutating func insert(_ run: Snapshot.Run) { insert(run, at: position(of: run.key)) }

    fileprivate mutating func remove(_ key: RunKey) {
        let at = position(of: key)
        if at < count, self[at].key == key { remove(at: at) }
    }
}
