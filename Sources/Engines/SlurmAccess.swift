internal import Core

/// How a Slurm cluster is spoken to: by its REST service or its command line. What both say, in one form.
protocol SlurmAccess: Sendable {
    /// What the controller is asked by one list of jobs or nodes.
    var callsOfReading: Int { get }
    /// Such as `22.05.8`.
    func version() async throws(EngineError) -> String
    /// Every job of ours that the controller remembers, in one call.
    func jobs() async throws(EngineError) -> [SlurmJob]
    /// The same, or what it said less than a minute ago where a cheaper question shows that no state has changed since.
    ///
    /// - Parameter numbers: Who is among these and was not found then is looked for anew.
    func jobs(among numbers: Set<String>) async throws(EngineError) -> [SlurmJob]
    /// Jobs of those names that have ended, by the cluster's accounting, in one call.
    ///
    /// - Returns: `nil` where there is no accounting.
    func past(_ names: [String]) async throws(EngineError) -> [SlurmJob]?
    /// - Returns: The job's number, or that of its array.
    /// - Throws: ``EngineError/refused(_:)`` only when the controller said that it will not have it.
    func submit(_ submission: SlurmSubmission) async throws(EngineError) -> String
    /// Lets a job go, or these elements of an array in one call. Where the way in cannot name elements it lets the whole
    /// array go: a script that is not to start yet waits by itself. What is gone or has started is no error.
    func release(_ number: String, elements: [Int]) async throws(EngineError)
    /// Ends a job, or these elements of an array in one call, hard if it must be. What is gone is no error.
    func cancel(_ number: String, elements: [Int]) async throws(EngineError)
    func nodes() async throws(EngineError) -> [SlurmNode]
}

extension SlurmAccess {
    func jobs(among numbers: Set<String>) async throws(EngineError) -> [SlurmJob] { try await jobs() }
}

/// One job as the controller tells of it, or some elements of an array.
struct SlurmJob: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        /// A job that is no array.
        case whole
        case element(Int)
        /// Elements that wait together, as `2,6-9`; cut with dots when it is long.
        case waiting(String)
    }

    /// Of the array, for its elements.
    var number: String
    var part = Part.whole
    var name: String
    var state: SlurmState
    /// Why it waits, as `squeue` says it.
    var reason: String
    /// Where it runs; empty while it does not.
    var nodes: [String] = []

    /// Held by its owner: nothing starts before a release.
    var isHeld: Bool { state == .pending && reason == "JobHeldUser" }

    var hasEnded: Bool { if case .ended = state { true } else { false } }
}

extension SlurmJob.Part {
    /// - Parameter text: What stands behind `_` in a job's number: `3`, `[2,6-9%4]`, or nothing.
    init(_ text: Substring?) {
        guard let text else {
            self = .whole
            return
        }
        self = Int(text).map { .element($0) } ?? .waiting(String(text.filter { $0 != "[" && $0 != "]" }))
    }

    /// Whether an element is among those that wait together. Of a list that was cut, all may be.
    func mayHold(_ index: Int) -> Bool {
        guard case .waiting(let text) = self else { return false }
        if text.contains("...") { return true }
        return text.prefix { $0 != "%" }.split(separator: ",").contains { item in
            let ends = item.split(separator: "-").compactMap { Int($0) }
            return ends.count == 2 ? ends[0] <= index && index <= ends[1] : ends.first == index
        }
    }
}

/// The jobs of one answer, to be found by number and name together: numbers are handed out again when a controller was
/// killed.
struct SlurmListing: Sendable {
    private struct Place: Hashable {
        var number: String
        var index: Int?
    }

    private var jobs: [Place: SlurmJob] = [:]
    private var waiting: [String: [SlurmJob]] = [:]
    /// By name, each number and whether all of it is held.
    private(set) var numbers: [String: [String: Bool]] = [:]

    init(_ all: [SlurmJob]) {
        for job in all {
            switch job.part {
            case .whole: jobs[Place(number: job.number)] = job
            case .element(let index): jobs[Place(number: job.number, index: index)] = job
            case .waiting: waiting[job.number, default: []].append(job)
            }
            numbers[job.name, default: [:]][job.number] =
                numbers[job.name]?[job.number].map { $0 && job.isHeld } ?? job.isHeld
        }
    }

    func job(_ place: SlurmBatches.Place) -> SlurmJob? {
        guard let number = place.number else { return nil }
        let job =
            jobs[Place(number: number, index: place.index)]
            ?? place.index.flatMap { index in waiting[number]?.first { $0.part.mayHold(index) } }
        return job?.name == place.name ? job : nil
    }

    /// Whether the job, or anything of its array, is there.
    func has(_ place: SlurmBatches.Place) -> Bool {
        place.number.map { numbers[place.name]?[$0] != nil } ?? true
    }
}

/// A job's state without its flags.
///
/// > Source: `squeue(1)`, JOB STATE CODES, Slurm 22.05 and 24.11.
enum SlurmState: Sendable, Hashable {
    case pending
    /// Also what is configuring, completing, suspended, stopped, signalling, staging out or resizing: not over.
    case running
    case ended(RunOutcome.Kind)
    /// A word that this version does not know. Nothing follows from it.
    case unknown(String)

    /// - Parameter words: One state, with or without flags: `RUNNING`, `CANCELLED by 0`, or the members of an array.
    init(_ words: [String]) {
        let words = words.flatMap { $0.split(separator: "+") }.map {
            $0.split(separator: " ").first.map(String.init) ?? ""
        }
        // Flags that keep a job alive count more than its base state: what completes has not ended.
        let alive = ["COMPLETING", "CONFIGURING", "STAGE_OUT", "SIGNALING", "RESIZING", "STOPPED", "SUSPENDED"]
        if words.contains(where: { alive.contains($0) }) {
            self = .running
            return
        }
        // A job that is queued again by its controller waits, whatever it was before.
        if words.contains(where: {
            ["REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"].contains($0)
        }) {
            self = .pending
            return
        }
        self =
            switch words.first ?? "" {
            case "PENDING": .pending
            case "RUNNING": .running
            case "COMPLETED": .ended(.succeeded)
            case "CANCELLED", "REVOKED": .ended(.cancelled)
            case "FAILED": .ended(.exit)
            case "TIMEOUT", "DEADLINE": .ended(.timeLimit)
            case "OUT_OF_MEMORY": .ended(.outOfMemory)
            case "NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED", "RECONFIG_FAIL": .ended(.nodeFailure)
            case "PREEMPTED": .ended(.preempted)
            case let word: .unknown(word)
            }
    }
}

/// What a job asks of Slurm. Runs that ask the same may be elements of one array.
struct SlurmShape: Sendable, Hashable {
    var tasks: Int
    /// Whole cores, at least one.
    var coresPerTask: Int
    var mebibytesPerCore: Int64
    /// Such as `a100:2`, `2` for any type, or `nil` for none.
    var cardsPerTask: String?
    /// Longer than the run's own limit, which its script keeps.
    var minutes: Int
    var partition: String?
    var account: String?
}

/// A job as Slurm is given it. Always held, and never to be queued again by the controller itself.
struct SlurmSubmission: Sendable, Hashable {
    var name: String
    var shape: SlurmShape
    /// `nil` for a plain job; else an array with so many elements, from 0 on.
    var elements: Int?
    /// What the batch node runs.
    var script: String
    /// Of the job; a file of that script is in it as `batch`.
    var folder: String
    /// Where the batch script's own words go; `%a` stands for the element.
    var output: String
}

/// One machine as the controller tells of it.
struct SlurmNode: Sendable, Hashable {
    var name: String
    var partitions: [String]
    /// All of them, such as `IDLE`, `DRAIN`.
    var states: Set<String>
    var cores: Int64
    var mebibytes: Int64
    /// As configured, such as `gpu:a100:8(S:0-1),gpu:2`.
    var gres: String
    /// What is given out, to whomever; the cards as `gpu:a100:3(IDX:0-2)`.
    var usedCores: Int64 = 0
    var usedMebibytes: Int64 = 0
    var usedGres = ""

    /// Up and open to work.
    var isSchedulable: Bool {
        let closed: Set = [
            "DOWN", "DRAIN", "DRAINED", "DRAINING", "FAIL", "FAILING", "MAINT", "RESERVED", "NOT_RESPONDING", "UNKNOWN",
            "FUTURE", "POWERED_DOWN", "POWERING_DOWN", "REBOOT", "REBOOT_ISSUED", "INVAL", "ERROR", "INVALID_REG",
        ]
        return states.isDisjoint(with: closed)
    }

    /// Cards by type; `gpu` where Slurm was told of none.
    ///
    /// > Source: `slurm.conf(5)`, NodeName Gres: `name[:type]:count`, with sockets or indices in parentheses behind it.
    static func cards(_ gres: String) -> [(type: String, count: Int)] {
        var plain = ""
        var depth = 0
        for character in gres {
            if character == "(" {
                depth += 1
            } else if character == ")" {
                depth -= 1
            } else if depth == 0 {
                plain.append(character)
            }
        }
        return plain.split(separator: ",").compactMap { item in
            let parts = item.split(separator: ":").map(String.init)
            guard parts.first == "gpu", let count = parts.last.flatMap({ Int($0) }), count > 0, count <= 100_000 else {
                return nil
            }
            return (parts.count > 2 ? parts[1] : "gpu", count)
        }
    }
}

extension SlurmJob {
    /// Why a job waits, in plain words.
    ///
    /// > Source: `squeue(1)`, JOB REASON CODES.
    var waiting: String {
        let meaning: String? =
            switch reason {
            case "", "None": nil
            case "Resources": "its nodes or cards are in use"
            case "Priority": "jobs of higher priority are before it"
            case "JobHeldAdmin": "an administrator of the cluster holds it"
            case "JobHeldUser": "it is held"
            case "BeginTime": "its time has not come, or the cluster starts it again after a pause"
            case "Licenses": "it waits for licences"
            case "Reservation", "ReservationDeleted": "it waits for a reservation"
            case "Dependency", "DependencyNeverSatisfied": "it waits for another job"
            case "InvalidAccount", "InvalidQOS": "the cluster does not accept its account or QOS; ask its administrator"
            case _ where reason.hasPrefix("ReqNodeNotAvail"): "the nodes it could have are down or reserved"
            case _ where reason.hasPrefix("Partition"): "its partition does not take it now"
            case _ where reason.hasPrefix("QOS"): "a limit of its QOS is reached"
            case _ where reason.hasPrefix("Assoc"): "a limit of its account is reached"
            default: nil
            }
        return meaning.map { "\($0) (Slurm: \(reason))" }
            ?? (reason.isEmpty || reason == "None" ? "Slurm says no reason" : "Slurm: \(reason)")
    }
}
