public import Core

/// Why a job waits: one dominant cause, what each centre had to say, and the cheapest way out.
///
/// Texts are made when asked for; a plan over thousands of jobs makes none.
public struct Reason: Hashable, Sendable {
    /// The one cause that counts. Earlier cases hide later ones: what follows would not help while they hold.
    public enum Cause: Hashable, Sendable {
        /// It does not wait: the next plan places it.
        case ready(centre: CentreName, why: String)
        /// `count` jobs must succeed first; `waitingFor` names some of them.
        case dependency(waitingFor: [String], count: Int)
        /// Not to be tried before.
        case backoff(until: Instant)
        /// No centre could ever run it.
        case impossible
        /// No centre that could run it is open to it now.
        case centres
        /// In milli-cores or counts. `project` is the job's own or one that it is part of: the lowest that stood in the way.
        case quota(project: ProjectName, dimension: Dimension, used: Int64, limit: Int64, need: Int64)
        /// The cheapest centre that could run it asks for `need`.
        case voucher(project: ProjectName, balance: MicroCredits, need: MicroCredits, centre: CentreName)
        /// Centres that could run it are full. `centre` comes nearest, or frees up first where `freeAt` is known.
        case capacity(Busy)
        /// There is room, but it goes to jobs ahead in order: `ahead` of them passed the gates before it.
        case behind(ahead: Int, heldFor: JobID?)
        /// The same, and all of them are of projects that have used less for their weight than `project`: the highest of
        /// the job's own and those that it is part of of which nothing is ahead of it.
        case fairShare(project: ProjectName, ahead: Int, heldFor: JobID?)
        /// There is room, but it is reserved in advance before the job's time limit would be over.
        case reserved(centre: CentreName, Window)
    }

    /// A reservation in advance that stands in somebody's way.
    public struct Window: Hashable, Sendable {
        public var name: ReservationName
        public var isMaintenance: Bool
        public var from: Instant
        public var until: Instant

        public init(_ reservation: Reservation) {
            (name, isMaintenance) = (reservation.name, reservation.project == nil)
            (from, until) = (reservation.startsAt, reservation.endsAt)
        }

        var phrase: String { "\(isMaintenance ? "maintenance" : "reservation") \(name) from \(from) to \(until)" }
    }

    /// What is known of a full federation.
    public struct Busy: Hashable, Sendable {
        public var centre: CentreName
        public var lack: Lack
        /// When enough is expected to be free there; `nil` when that was not worked out.
        public var freeAt: Instant?
        /// The job whose end frees it.
        public var after: JobID?
        /// Whether that room is kept for this job.
        public var isReserved: Bool
        /// How many jobs passed the gates before it.
        public var ahead: Int
        /// Runs that are being stopped to make room for it.
        public var preempting: [RunKey]
        /// How many runs are being moved within the centre so that it finds its place.
        public var moving: Int
        /// What others than us hold there, of all that there is; `nil` where they hold nothing or it was not worked out.
        public var others: Lack?
    }

    /// The cheapest thing that somebody could do about it.
    public enum WayOut: Hashable, Sendable {
        case nothing
        /// It starts by itself when the job `after` ends.
        case wait(until: Instant?, after: JobID?)
        case dependencies
        /// `instead` is the nearest request that would start now (or, for the impossible, that would fit at all).
        case smaller(instead: Request, of: Request, centre: CentreName, now: Bool)
        case shorter(seconds: Int, insteadOf: Int, centre: CentreName)
        /// A centre that the job's own constraint shuts out has room now.
        case elsewhere(centre: CentreName, tier: Tier?)
        case quota(project: ProjectName, dimension: Dimension, from: Int64, to: Int64)
        case voucher(project: ProjectName, missing: MicroCredits)
        /// A centre has to come back: resumed, seen again, its nodes up, or connected at all.
        case centre(CentreName?, Obstacle?)
    }

    public var cause: Cause
    public var findings: [Finding]
    public var way: WayOut
    /// When it is expected to start: known while room is kept for it, while it is backing off, or when it is ready.
    public var predictedStart: Instant?

    public init(_ cause: Cause, findings: [Finding] = [], way: WayOut, predictedStart: Instant? = nil) {
        self.cause = cause
        self.findings = findings
        self.way = way
        self.predictedStart = predictedStart
    }

    /// Stable, for machines and translators.
    public var code: String {
        switch cause {
        case .ready: "ready"
        case .dependency: "dependency"
        case .backoff: "backoff"
        case .impossible: "impossible"
        case .centres: "centres"
        case .quota: "quota"
        case .voucher: "voucher"
        case .capacity: "capacity"
        case .behind: "behind"
        case .fairShare: "fair_share"
        case .reserved: "reserved"
        }
    }

    /// Whether it starts by itself once others have ended: then it can be foretold when.
    public var isMatterOfTime: Bool {
        switch cause {
        case .ready, .behind, .fairShare, .quota, .reserved: true
        // What is foretold knows of no runs that are moved.
        case .capacity(let busy): busy.moving == 0
        case .dependency, .backoff, .impossible, .centres, .voucher: false
        }
    }

    /// All codes there are, for tables of translations.
    public static let codes = [
        "ready", "dependency", "backoff", "impossible", "centres", "quota", "voucher", "capacity", "behind",
        "fair_share", "reserved",
    ]
}
