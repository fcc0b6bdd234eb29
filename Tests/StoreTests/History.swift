import Core
import TestKit

@testable import Store

/// Histories as the platform itself would write them: every step asks the state machines and appends what they say.
struct History {
    var generator: SeededGenerator
    /// Seconds since the start; each step takes some.
    var seconds = 0
    private var identifiers: UInt64

    static let projects: [ProjectName] = [.named("brain"), .named("apes"), .named("other")]
    static let centres: [CentreName] = [.named("hub-1"), .named("region-1"), .named("edge-1")]
    static let users: [UserName] = [.named("alice"), .named("bob")]

    /// - Parameter identifiersFrom: Below those of any other history in the same store.
    init(seed: UInt64, identifiersFrom: UInt64 = 0) {
        generator = SeededGenerator(seed)
        identifiers = identifiersFrom
    }

    private var now: Instant { .after(seconds) }

    /// What has to be there before anything else.
    func found(_ tx: WriteTransaction) throws {
        for user in Self.users { try tx.append(.userCreated(User(name: user, isOperator: user.text == "alice"))) }
        for project in Self.projects {
            try tx.append(.projectCreated(Project(name: project)))
            try tx.append(.memberSet(Membership(project: project, user: Self.users[0], role: .owner)))
        }
        for centre in Self.centres {
            try tx.append(.centreCreated(.init(centre: centre, tier: .hub, prices: PriceTable())))
        }
    }

    /// One thing that happens.
    mutating func step(_ tx: WriteTransaction) throws {
        seconds += Int.random(in: 0...900, using: &generator)
        switch Int.random(in: 0..<24, using: &generator) {
        case 0..<4: try submit(tx, count: 1)
        case 4: try submit(tx, count: Int.random(in: 2...6, using: &generator))
        case 5: try submitWorkflow(tx)
        case 6..<9: try lease(tx)
        case 9: try foretell(tx)
        case 10..<15: try observe(tx)
        case 15: try lookAway(tx)
        case 16: try cancel(tx)
        case 17: try tx.append(.voucherGranted(.init(project: project, amount: 5_000, note: "n")), at: now)
        case 18: try changeTenancy(tx)
        case 19, 20: try changeRepositories(tx)
        case 21: try reserve(tx)
        case 22: try simulate(tx)
        default: try changeCentre(tx)
        }
    }

    private var project: ProjectName {
        mutating get { Self.projects.randomElement(using: &generator) ?? .named("brain") }
    }

    private mutating func identifier<Tag>() -> ID<Tag> {
        identifiers += 1
        return .number(identifiers)
    }

    private mutating func submit(_ tx: WriteTransaction, count: Int, workflow: WorkflowID? = nil) throws {
        var dependencies: [Dependency] = []
        for job in try tx.jobs(JobFilter(), limit: 12) where Int.random(in: 0..<8, using: &generator) == 0 {
            guard !job.state.isTerminal || job.state == .succeeded else { continue }
            dependencies.append(job.array.map { .array($0) } ?? .job(job.id))
        }
        let project = try workflow.flatMap { try tx.workflow($0)?.project } ?? self.project
        try tx.submit(
            identifier(),
            count: count,
            array: count > 1 ? identifier() : nil,
            workflow: workflow,
            project: project,
            name: ["train", "eval", "sample"].randomElement(using: &generator) ?? "train",
            priority: Int.random(in: 0...1000, using: &generator),
            after: dependencies,
            key: Bool.random(using: &generator) ? "key-\(identifiers)" : nil,
            at: now
        )
    }

    private mutating func submitWorkflow(_ tx: WriteTransaction) throws {
        let submitted = Event.WorkflowSubmitted(
            workflow: identifier(),
            name: "tour",
            project: project,
            user: Self.users[0]
        )
        try tx.append(.workflowSubmitted(submitted), at: now)
        try submit(tx, count: 1, workflow: submitted.workflow)
        try submit(tx, count: 3, workflow: submitted.workflow)
    }

    private mutating func lease(_ tx: WriteTransaction) throws {
        guard let job = try tx.jobsWaiting(now: now).randomElement(using: &generator) else { return }
        var lifecycle = job.lifecycle
        guard let number = lifecycle.place() else { return }
        try tx.lease(
            RunKey(job: job.id, number: number),
            at: Self.centres.randomElement(using: &generator) ?? .named("hub-1"),
            reserved: MicroCredits(Int64.random(in: 0...2, using: &generator) * 500),
            cards: Int.random(in: 0...2, using: &generator),
            time: now
        )
    }

    private mutating func foretell(_ tx: WriteTransaction) throws {
        guard let job = try tx.jobsWaiting(now: now).randomElement(using: &generator) else { return }
        let wait = Int64.random(in: 0...1000, using: &generator)
        let forecast = Forecast(
            wait: .init(modelled: wait, p50: wait, p90: 2 * wait),
            run: .init(modelled: 60, p50: 50, p90: 90),
            pricePerHour: 500
        )
        try tx.append(.jobForecast(.init(job: job.id, forecast: forecast)), at: now)
    }

    private mutating func observe(_ tx: WriteTransaction) throws {
        guard let run = try tx.liveRuns().randomElement(using: &generator) else { return }
        var lifecycle = run.lifecycle
        if lifecycle.lease == .granted { return try write(lifecycle.offer(), run, tx) }
        let phases: [RunObservation.Phase] = [.submitting, .pending, .running, .ended, .ended]
        let phase = phases.randomElement(using: &generator) ?? .running
        var observation = RunObservation(phase: phase, engineJob: "77", startedAt: run.startedAt ?? run.leasedAt)
        if phase == .ended {
            let kinds: [RunOutcome.Kind] = [.succeeded, .succeeded, .succeeded, .exit, .lost, .preempted]
            observation.outcome = RunOutcome(kinds.randomElement(using: &generator) ?? .exit, code: 1)
            observation.artifacts = [Artifact(name: "out", kind: .file, digest: .number(identifiers), size: 9)]
        }
        try write(lifecycle.observe(observation, now: now), run, tx, observation.artifacts)
    }

    private mutating func lookAway(_ tx: WriteTransaction) throws {
        guard let run = try tx.liveRuns().randomElement(using: &generator) else { return }
        var lifecycle = run.lifecycle
        try write(
            lifecycle.loseSight(since: now) + (Bool.random(using: &generator) ? lifecycle.giveUp(now: now) : []),
            run,
            tx
        )
    }

    private mutating func cancel(_ tx: WriteTransaction) throws {
        let live = try tx.jobs(JobFilter(states: [.queued, .active]), limit: 20)
        guard let job = live.randomElement(using: &generator) else { return }
        var lifecycle = job.lifecycle
        for change in lifecycle.requestCancel(detail: "not needed") {
            try write(change, job.id, tx)
            guard case .cancelRequested = change, let run = try job.run.flatMap({ try tx.run($0) }) else { continue }
            var stopping = run.lifecycle
            try write(stopping.requestStop(.cancel, now: now), run, tx)
        }
    }

    private func write(
        _ changes: [RunLifecycle.Change],
        _ run: Run,
        _ tx: WriteTransaction,
        _ artifacts: [Artifact] = []
    ) throws {
        let key = run.key
        for change in changes {
            switch change {
            case .offered: try tx.append(.runOffered(.init(run: key)), at: now)
            case .accepted: try tx.append(.runAccepted(.init(run: key)), at: now)
            case .pending(let job): try tx.append(.runPending(.init(run: key, engineJob: job)), at: now)
            case .waits(let why): try tx.append(.runWaiting(.init(run: key, reason: why)), at: now)
            case .started(let at): try tx.append(.runStarted(.init(run: key, startedAt: at)), at: now)
            case .unseen(let since): try tx.append(.runUnseen(.init(run: key, since: since)), at: now)
            case .seen: try tx.append(.runSeen(.init(run: key)), at: now)
            case .stopRequested(let why): try tx.append(.runStopRequested(.init(run: key, reason: why)), at: now)
            case .ended(let outcome, let at):
                guard var ended = try tx.run(key) else { continue }
                ended.endedAt = at
                let payload = Event.RunEnded(
                    run: key,
                    outcome: outcome,
                    endedAt: at,
                    artifacts: artifacts,
                    usage: Usage.of(ended) { _ in 100 },
                    charged: ended.charge
                )
                try tx.append(.runEnded(payload), at: now)
                guard let job = try tx.job(key.job) else { continue }
                var lifecycle = job.lifecycle
                let policy = RetryPolicy(limit: 2, on: [.exit, .lost])
                for change in lifecycle.runEnded(number: key.number, outcome: outcome, retries: policy, now: now) {
                    try write(change, key.job, tx)
                }
            }
        }
    }

    private func write(_ change: JobLifecycle.Change, _ job: JobID, _ tx: WriteTransaction) throws {
        switch change {
        case .cancelRequested: try tx.append(.jobCancelRequested(.init(job: job)), at: now)
        case .requeued(let notBefore, let used):
            try tx.append(.jobRequeued(.init(job: job, notBefore: notBefore, retriesUsed: used)), at: now)
        case .ended(let state, let detail):
            try tx.endJob(job, state, detail: detail, at: now)
            guard state != .succeeded else { return }
            for dependant in try tx.dependants(of: job) where try tx.job(dependant)?.state == .queued {
                try write(.ended(.cancelled, detail: "what it needs has failed"), dependant, tx)
            }
        }
    }

    private mutating func changeTenancy(_ tx: WriteTransaction) throws {
        let bob = Self.users[1]
        let project = project
        if try tx.role(of: bob, in: project) == nil {
            try tx.append(.memberSet(Membership(project: project, user: bob, role: .member)), at: now)
        } else {
            try tx.append(.memberRemoved(.init(project: project, user: bob)), at: now)
        }
        let weight = Int.random(in: 1...1000, using: &generator)
        let parent = Self.projects.prefix { $0 != project }.randomElement(using: &generator)
        let changed = Project(name: project, title: "T", parent: parent, weight: weight, metered: true)
        try tx.append(.projectChanged(changed), at: now)
        let token = Token(id: identifier(), user: bob, hash: .number(1), scopes: [.read], label: "", createdAt: now)
        try tx.append(.tokenIssued(token), at: now)
        if Bool.random(using: &generator) { try tx.append(.tokenRevoked(.init(token: token.id)), at: now) }
        try tx.append(.blobGranted(.init(project: project, digest: .number(identifiers), size: 3)), at: now)
    }

    private mutating func changeCentre(_ tx: WriteTransaction) throws {
        let centre = Self.centres.randomElement(using: &generator) ?? .named("hub-1")
        let hash = Digest.number(identifiers + 1_000_000)
        let agent: AgentID = identifier()
        try tx.append(.joinTokenIssued(.init(centre: centre, hash: hash, expiresAt: now)), at: now)
        if Bool.random(using: &generator) {
            try tx.append(.agentJoined(.init(centre: centre, agent: agent, keyHash: hash)), at: now)
            try tx.append(.agentSeated(.init(centre: centre, agent: agent, seat: "seat-\(seconds)")), at: now)
        }
        let capacity = CentreCapacity(engine: .fake, engineVersion: "\(seconds)", nodes: [], isolates: true)
        try tx.append(.capacityReported(.init(centre: centre, capacity: capacity)), at: now)
        let state = [CentreState.open, .draining].randomElement(using: &generator)
        try tx.append(.centreChanged(.init(centre: centre, state: state)), at: now)
    }

    private mutating func reserve(_ tx: WriteTransaction) throws {
        if let known = try tx.liveReservations(now: now).randomElement(using: &generator) {
            if Bool.random(using: &generator) {
                let shares = [Reservation.Share(node: "n3", insteadOf: "n1")]
                try tx.append(.reservationMoved(.init(reservation: known.reservation.name, shares: shares)), at: now)
                return
            }
            try tx.append(.reservationCancelled(.init(reservation: known.reservation.name)), at: now)
            return
        }
        let part = Reservation.Amount(cores: 2000, memory: .gibi(1), cards: 1, card: "a100-80gb")
        let reservation = Reservation(
            name: .named("r-\(identifiers % 3)"),
            centre: Self.centres[0],
            project: Bool.random(using: &generator) ? project : nil,
            startsAt: now,
            endsAt: now + .seconds(600),
            shares: Bool.random(using: &generator) ? [.init(node: "n1"), .init(node: "n2", amount: part)] : nil,
            note: "n",
            user: Self.users[0]
        )
        try tx.append(.reservationCreated(reservation), at: now)
    }

    private mutating func simulate(_ tx: WriteTransaction) throws {
        if let known = try tx.simulations(limit: 10).randomElement(using: &generator), Bool.random(using: &generator) {
            try tx.append(.simulationRemoved(.init(simulation: known.summary.name)), at: now)
            return
        }
        var report = SimulationReport.sample
        report.trace.jobs = Int(identifiers) + 1
        let name: SimulationName = .named("s-\(Int.random(in: 0..<3, using: &generator))")
        try tx.append(.simulationPublished(.init(simulation: name, report: report, user: Self.users[0])), at: now)
    }

    private mutating func changeRepositories(_ tx: WriteTransaction) throws {
        let known = try tx.repositories(after: nil, limit: 100)
        guard let repository = known.randomElement(using: &generator), Int.random(in: 0..<4, using: &generator) > 0
        else {
            let repository = Repository(
                id: identifier(),
                kind: RepositoryKind.allCases.randomElement(using: &generator) ?? .model,
                path: RepositoryPath(project: project, name: .named("r\(identifiers)")),
                visibility: .private,
                creator: Self.users[0],
                createdAt: now,
                updatedAt: now
            )
            try tx.append(.repositoryCreated(.init(repository: repository)), at: now)
            return
        }
        let id = repository.id
        let digest = Digest.number(UInt64.random(in: 0..<20, using: &generator))
        switch Int.random(in: 0..<12, using: &generator) {
        case 9:
            identifiers += 1
            let copy = Repository(
                id: identifier(),
                kind: repository.kind,
                path: RepositoryPath(project: project, name: .named("c\(seconds)-\(identifiers)")),
                visibility: .private,
                creator: Self.users[0],
                createdAt: now,
                updatedAt: now
            )
            try tx.append(.repositoryDuplicated(.init(repository: copy, source: id)), at: now)
        case 10:
            let discussion = Discussion(
                number: 1,
                title: "t\(seconds)",
                text: "",
                author: Self.users[0],
                at: now,
                isPullRequest: false,
                state: .open
            )
            try tx.append(.discussionSet(.init(repository: id, discussion: discussion)), at: now)
            let note = DiscussionNote(
                place: Int.random(in: 0..<3, using: &generator),
                kind: .comment,
                author: Self.users[0],
                at: now,
                text: "n\(seconds)"
            )
            try tx.append(.discussionNoted(.init(repository: id, number: 1, note: note)), at: now)
        case 11:
            // Days go by fast enough for some to be forgotten.
            let counted = Event.DownloadsCounted(
                day: Int64(seconds / 10),
                counts: [.init(repository: id, downloads: Int64.random(in: 1...9, using: &generator))]
            )
            try tx.append(.downloadsCounted(counted), at: now)
        case 7:
            // A step is taken once: the place is a new one each time.
            identifiers += 1
            let judged = Event.SampleJudged(
                repository: id,
                root: digest,
                purpose: "spot-check",
                place: Int(identifiers),
                item: digest,
                shown: digest,
                step: "judge",
                person: Self.users[0],
                isGood: Bool.random(using: &generator),
                risks: ["A.1"],
                note: nil,
                revision: GitHash.number(1)
            )
            try tx.append(.sampleJudged(judged), at: now)
        case 0:
            let path = RepositoryPath(project: project, name: .named("m\(seconds)-\(identifiers)"))
            try tx.append(.repositoryChanged(.init(repository: id, path: path, visibility: .public)), at: now)
        case 1, 2:
            let granted = Event.RepositoryBlobGranted(
                repository: id,
                digest: digest,
                size: 7,
                aliases: ["xet:\(digest)"]
            )
            try tx.append(.repositoryBlobGranted(granted), at: now)
        case 3: try tx.append(.repositoryBlobsRevoked(.init(repository: id, digests: [digest])), at: now)
        case 4, 5: try commit(to: id, digest, tx)
        case 6:
            let head = try tx.reference(.main, of: id)
            let manifest = ManifestRecord(
                digest: digest,
                size: 7,
                mediaType: "application/x",
                subject: "sha256:\(seconds)",
                revision: Bool.random(using: &generator) ? head : nil
            )
            let put = Event.ManifestPut(repository: id, manifest: manifest, references: [digest], tags: ["v1"])
            try tx.append(.manifestPut(put), at: now)
        default:
            if Bool.random(using: &generator) { try tx.append(.repositoryRemoved(.init(repository: id)), at: now) }
        }
    }

    /// Adds a file beside those that are there, and now and then takes one away.
    private mutating func commit(to repository: RepositoryID, _ digest: Digest, _ tx: WriteTransaction) throws {
        let head = try tx.reference(.main, of: repository).flatMap { try tx.revision($0, of: repository) }
        let old = try head.map { try tx.entries(of: $0.tree) } ?? []
        identifiers += 1
        let tree = GitHash.number(identifiers)
        let name = "f\(Int.random(in: 0..<4, using: &generator))"
        let entry = TreeEntry(name: name, kind: .large, oid: tree, digest: digest, size: 7)
        let removed = old.map(\.name).filter { $0 != name }.prefix(Int.random(in: 0...1, using: &generator))
        let folder = Event.RevisionCommitted.Folder(tree: tree, base: head?.tree, put: [entry], removed: Array(removed))
        let revision = Revision(
            id: tree,
            tree: tree,
            parent: head?.id,
            title: "t",
            message: "t",
            author: Self.users[0],
            at: now
        )
        let committed = Event.RevisionCommitted(
            repository: repository,
            revision: revision,
            folders: [folder],
            reference: .main
        )
        try tx.append(.revisionCommitted(committed), at: now)
        let names = Set(old.map(\.name)).subtracting(removed).union([name])
        let found = try Set(tx.entries(of: tree).map(\.name))
        precondition(found == names, "a folder is its base and the difference")
    }
}
