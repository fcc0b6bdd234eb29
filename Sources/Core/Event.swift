/// Everything that can happen, as it is written into the log. The views are functions of these and of nothing else.
///
/// A payload's fields are never renamed or given another meaning; new fields are optional.
public enum Event: Hashable, Sendable {
    case userCreated(User)
    case projectCreated(Project)
    /// The project's new settings, whole.
    case projectChanged(Project)
    case memberSet(Membership)
    case memberRemoved(MemberRemoved)
    case tokenIssued(Token)
    case tokenRevoked(TokenRevoked)
    case voucherGranted(VoucherGranted)
    case centreCreated(CentreCreated)
    case centreChanged(CentreChanged)
    case joinTokenIssued(JoinTokenIssued)
    case agentJoined(AgentJoined)
    case agentSeated(AgentSeated)
    case capacityReported(CapacityReported)
    case reservationCreated(Reservation)
    case reservationCancelled(ReservationCancelled)
    case simulationPublished(SimulationPublished)
    case simulationRemoved(SimulationRemoved)
    /// It keeps something on other nodes than before.
    case reservationMoved(ReservationMoved)
    case workflowSubmitted(WorkflowSubmitted)
    case jobsSubmitted(JobsSubmitted)
    case jobCancelRequested(JobCancelRequested)
    case jobForecast(JobForecast)
    case jobRequeued(JobRequeued)
    case jobEnded(JobEnded)
    case runLeased(RunLeased)
    case runOffered(RunMark)
    case runAccepted(RunMark)
    case runPending(RunPending)
    case runWaiting(RunWaiting)
    case runStarted(RunStarted)
    case runUnseen(RunUnseen)
    case runSeen(RunMark)
    case runStopRequested(RunStopRequested)
    case runEnded(RunEnded)
    case blobGranted(BlobGranted)
    case repositoryCreated(RepositoryCreated)
    case repositoryChanged(RepositoryChanged)
    case repositoryRemoved(RepositoryRemoved)
    case repositoryBlobGranted(RepositoryBlobGranted)
    case repositoryBlobsRevoked(RepositoryBlobsRevoked)
    case revisionCommitted(RevisionCommitted)
    case referenceSet(ReferenceSet)
    case referenceRemoved(ReferenceRemoved)
    case revisionsDropped(RevisionsDropped)
    case manifestPut(ManifestPut)
    case manifestRemoved(ManifestRemoved)
    case tagRemoved(TagRemoved)
    case accessSet(AccessSet)
    case factNoted(FactNoted)
    case discussionSet(DiscussionSet)
    case discussionNoted(DiscussionNoted)
    case publicationSettled(PublicationSettled)
    case sampleJudged(SampleJudged)
    case repositoryDuplicated(RepositoryDuplicated)
    case downloadsCounted(DownloadsCounted)

    public struct MemberRemoved: Hashable, Sendable, Codable {
        public var project: ProjectName
        public var user: UserName
        public init(project: ProjectName, user: UserName) { (self.project, self.user) = (project, user) }
    }

    public struct TokenRevoked: Hashable, Sendable, Codable {
        public var token: TokenID
        public init(token: TokenID) { self.token = token }
    }

    public struct VoucherGranted: Hashable, Sendable, Codable {
        public var project: ProjectName
        public var amount: MicroCredits
        public var note: String
        public init(project: ProjectName, amount: MicroCredits, note: String) {
            (self.project, self.amount, self.note) = (project, amount, note)
        }
    }

    public struct CentreCreated: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var tier: Tier
        public var prices: PriceTable
        public init(centre: CentreName, tier: Tier, prices: PriceTable) {
            (self.centre, self.tier, self.prices) = (centre, tier, prices)
        }
    }

    public struct CentreChanged: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var state: CentreState?
        public var prices: PriceTable?
        public init(centre: CentreName, state: CentreState? = nil, prices: PriceTable? = nil) {
            (self.centre, self.state, self.prices) = (centre, state, prices)
        }
    }

    /// A one-time right to join as a centre's agent; replaces an unused earlier one.
    public struct JoinTokenIssued: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var hash: Digest
        public var expiresAt: Instant
        public init(centre: CentreName, hash: Digest, expiresAt: Instant) {
            (self.centre, self.hash, self.expiresAt) = (centre, hash, expiresAt)
        }
    }

    /// Spends the centre's join token.
    public struct AgentJoined: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var agent: AgentID
        public var keyHash: Digest
        public init(centre: CentreName, agent: AgentID, keyHash: Digest) {
            (self.centre, self.agent, self.keyHash) = (centre, agent, keyHash)
        }
    }

    /// The agent speaks from another machine, boot or folder than before.
    public struct AgentSeated: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var agent: AgentID
        public var seat: String
        public init(centre: CentreName, agent: AgentID, seat: String) {
            (self.centre, self.agent, self.seat) = (centre, agent, seat)
        }
    }

    public struct CapacityReported: Hashable, Sendable, Codable {
        public var centre: CentreName
        public var capacity: CentreCapacity
        public init(centre: CentreName, capacity: CentreCapacity) { (self.centre, self.capacity) = (centre, capacity) }
    }

    /// Ends the newest reservation of that name before its time, or before it began.
    public struct ReservationMoved: Hashable, Sendable, Codable {
        public var reservation: ReservationName
        /// All that it keeps from now on.
        public var shares: [Reservation.Share]
        public init(reservation: ReservationName, shares: [Reservation.Share]) {
            (self.reservation, self.shares) = (reservation, shares)
        }
    }

    public struct ReservationCancelled: Hashable, Sendable, Codable {
        public var reservation: ReservationName
        public init(reservation: ReservationName) { self.reservation = reservation }
    }

    /// Takes the place of an earlier report of that name.
    public struct SimulationPublished: Hashable, Sendable, Codable {
        public var simulation: SimulationName
        public var report: SimulationReport
        public var user: UserName
        public init(simulation: SimulationName, report: SimulationReport, user: UserName) {
            (self.simulation, self.report, self.user) = (simulation, report, user)
        }
    }

    public struct SimulationRemoved: Hashable, Sendable, Codable {
        public var simulation: SimulationName
        public init(simulation: SimulationName) { self.simulation = simulation }
    }

    /// What makes a repeated request find the first: the client's key and a hash of what it asked.
    public struct Idempotency: Hashable, Sendable, Codable {
        public var key: String
        public var request: Digest
        public init(key: String, request: Digest) { (self.key, self.request) = (key, request) }
    }

    public struct WorkflowSubmitted: Hashable, Sendable, Codable {
        public var workflow: WorkflowID
        public var name: String
        public var project: ProjectName
        public var user: UserName
        public var idempotency: Idempotency?
        public init(
            workflow: WorkflowID,
            name: String,
            project: ProjectName,
            user: UserName,
            idempotency: Idempotency? = nil
        ) {
            (self.workflow, self.name, self.project) = (workflow, name, project)
            (self.user, self.idempotency) = (user, idempotency)
        }
    }

    /// One job, or an array of `count`: element `i` has the id `first.advanced(by: i)`.
    public struct JobsSubmitted: Hashable, Sendable, Codable {
        public var first: JobID
        public var count: Int
        public var array: ArrayID?
        public var workflow: WorkflowID?
        public var project: ProjectName
        public var user: UserName
        public var spec: JobSpec
        public var dependencies: [Dependency]
        public var idempotency: Idempotency?
        public init(
            first: JobID,
            count: Int,
            array: ArrayID? = nil,
            workflow: WorkflowID? = nil,
            project: ProjectName,
            user: UserName,
            spec: JobSpec,
            dependencies: [Dependency] = [],
            idempotency: Idempotency? = nil
        ) {
            (self.first, self.count, self.array, self.workflow) = (first, count, array, workflow)
            (self.project, self.user, self.spec, self.dependencies) = (project, user, spec, dependencies)
            self.idempotency = idempotency
        }
    }

    public struct JobCancelRequested: Hashable, Sendable, Codable {
        public var job: JobID
        public init(job: JobID) { self.job = job }
    }

    /// What is foretold of a job that was found waiting. A job that is placed at the first look has it in its lease.
    public struct JobForecast: Hashable, Sendable, Codable {
        public var job: JobID
        public var forecast: Forecast
        public init(job: JobID, forecast: Forecast) { (self.job, self.forecast) = (job, forecast) }
    }

    public struct JobRequeued: Hashable, Sendable, Codable {
        public var job: JobID
        public var notBefore: Instant?
        public var retriesUsed: Int
        public init(job: JobID, notBefore: Instant?, retriesUsed: Int) {
            (self.job, self.notBefore, self.retriesUsed) = (job, notBefore, retriesUsed)
        }
    }

    /// Success also meets the dependencies of others; any other end is followed by the ends of its dependants.
    public struct JobEnded: Hashable, Sendable, Codable {
        public var job: JobID
        public var state: JobState
        public var detail: String?
        public init(job: JobID, state: JobState, detail: String?) {
            (self.job, self.state, self.detail) = (job, state, detail)
        }
    }

    /// Makes the run, makes the job active, and sets `reserved` aside.
    public struct RunLeased: Hashable, Sendable, Codable {
        public var run: RunKey
        public var centre: CentreName
        public var nodes: [NodeShare]
        public var resources: TaskResources
        public var tasks: Int
        public var reason: String
        public var pricePerHour: MicroCredits
        public var reserved: MicroCredits
        /// Of the job, when nothing was foretold of it before.
        public var forecast: Forecast?
        public init(
            run: RunKey,
            centre: CentreName,
            nodes: [NodeShare],
            resources: TaskResources,
            tasks: Int,
            reason: String,
            pricePerHour: MicroCredits,
            reserved: MicroCredits,
            forecast: Forecast? = nil
        ) {
            self.forecast = forecast
            (self.run, self.centre, self.nodes, self.resources) = (run, centre, nodes, resources)
            (self.tasks, self.reason, self.pricePerHour, self.reserved) = (tasks, reason, pricePerHour, reserved)
        }
    }

    public struct RunMark: Hashable, Sendable, Codable {
        public var run: RunKey
        public init(run: RunKey) { self.run = run }
    }

    public struct RunPending: Hashable, Sendable, Codable {
        public var run: RunKey
        public var engineJob: String?
        public init(run: RunKey, engineJob: String?) { (self.run, self.engineJob) = (run, engineJob) }
    }

    public struct RunWaiting: Hashable, Sendable, Codable {
        public var run: RunKey
        /// In the words of its agent or engine; `nil` when neither tells any.
        public var reason: String?
        public init(run: RunKey, reason: String?) { (self.run, self.reason) = (run, reason) }
    }

    public struct RunStarted: Hashable, Sendable, Codable {
        public var run: RunKey
        public var startedAt: Instant
        /// Where it runs, when that is elsewhere at its centre than was planned.
        public var nodes: [NodeShare]?

        public init(run: RunKey, startedAt: Instant, nodes: [NodeShare]? = nil) {
            (self.run, self.startedAt, self.nodes) = (run, startedAt, nodes)
        }
    }

    public struct RunUnseen: Hashable, Sendable, Codable {
        public var run: RunKey
        public var since: Instant
        public init(run: RunKey, since: Instant) { (self.run, self.since) = (run, since) }
    }

    public struct RunStopRequested: Hashable, Sendable, Codable {
        public var run: RunKey
        public var reason: StopReason
        public init(run: RunKey, reason: StopReason) { (self.run, self.reason) = (run, reason) }
    }

    /// Ends the run, writes its usage, settles what was reserved, and grants its artifacts to the project.
    public struct RunEnded: Hashable, Sendable, Codable {
        public var run: RunKey
        public var outcome: RunOutcome
        public var endedAt: Instant
        public var artifacts: [Artifact]
        public var usage: [Usage]
        public var charged: MicroCredits
        public init(
            run: RunKey,
            outcome: RunOutcome,
            endedAt: Instant,
            artifacts: [Artifact],
            usage: [Usage],
            charged: MicroCredits
        ) {
            (self.run, self.outcome, self.endedAt) = (run, outcome, endedAt)
            (self.artifacts, self.usage, self.charged) = (artifacts, usage, charged)
        }
    }

    /// A project may read these bytes.
    public struct BlobGranted: Hashable, Sendable, Codable {
        public var project: ProjectName
        public var digest: Digest
        public var size: Bytes
        public init(project: ProjectName, digest: Digest, size: Bytes) {
            (self.project, self.digest, self.size) = (project, digest, size)
        }
    }
}

/// An event in its place in the log.
public struct EventRecord: Hashable, Sendable {
    /// From 1, without gaps, in the order of commits.
    public var sequence: Int64
    public var at: Instant
    /// Whose members may see it; `nil` for operators only.
    public var project: ProjectName?
    /// What it is about: an id or a name, such as `job-01j…` or `centre/hub-1`.
    public var subject: String
    /// Who caused it: `user/alice`, `agent/hub-1` or `point`.
    public var actor: String
    public var event: Event

    public init(
        sequence: Int64,
        at: Instant,
        project: ProjectName?,
        subject: String,
        actor: String,
        event: Event
    ) {
        self.sequence = sequence
        self.at = at
        self.project = project
        self.subject = subject
        self.actor = actor
        self.event = event
    }
}

extension ID {
    /// The identifier that many places further; what the elements of an array are numbered by.
    ///
    /// - Parameter offset: 0 or more. After the last identifier comes the first.
    public func advanced(by offset: Int) -> Self {
        let (sum, overflow) = low.addingReportingOverflow(UInt64(offset))
        return Self(high: overflow ? high &+ 1 : high, low: sum)
    }
}
