public import Core

/// What a request is measured in.
public enum Dimension: String, Hashable, Sendable, CaseIterable {
    case cores, memory, cards, tasks, runs

    /// An amount for people: cores from milli-cores, memory from bytes, a count otherwise.
    public func text(_ amount: Int64) -> String {
        switch self {
        case .cores: MilliCores(amount).description
        case .memory: Bytes(amount).description
        case .cards, .tasks, .runs: String(amount)
        }
    }

    /// The amount with its name: `2 cores`, `1 card`, `512 MiB of memory`.
    public func phrase(_ amount: Int64) -> String {
        switch self {
        case .cores: "\(text(amount)) core\(amount == 1000 ? "" : "s")"
        case .memory: "\(text(amount)) of memory"
        case .cards: counted(amount, "card")
        case .tasks: counted(amount, "task")
        case .runs: counted(amount, "run")
        }
    }
}

/// One dimension, how much of it is needed and how much there is: per task on the node that comes nearest, or tasks of
/// a gang in the whole centre. In milli-cores, bytes or counts.
public struct Lack: Hashable, Sendable {
    public var dimension: Dimension
    public var need: Int64
    public var have: Int64

    public init(dimension: Dimension, need: Int64, have: Int64) {
        self.dimension = dimension
        self.need = need
        self.have = have
    }

    /// The part of the need that is there.
    public var ratio: Double { need > 0 ? Double(have) / Double(need) : 0 }

    /// `4 of 16 cores`, `1 GiB of 2 GiB of memory`.
    public var text: String { "\(dimension.text(have)) of \(dimension.phrase(need))" }
}

/// What one centre has to say to one request that it does not take now.
public struct Finding: Hashable, Sendable {
    public var centre: CentreName
    public var obstacle: Obstacle

    public init(centre: CentreName, obstacle: Obstacle) {
        self.centre = centre
        self.obstacle = obstacle
    }

    /// One line of evidence.
    public var text: String { "\(centre) \(obstacle.text)" }
}

/// Why a centre does not take a request now.
public enum Obstacle: Hashable, Sendable {
    // The job did not ask for it.
    case notNamed
    case tier(Tier)
    // Nobody can use it now.
    case removed
    case draining
    case unseen(since: Instant)
    case notReported
    // It can never run this.
    case noIsolation
    case noCards
    case onlyEmulated
    case otherCards([String])
    case tooSmall(Lack)
    // It could, with all its nodes up.
    case nodesDown(Lack)
    // It could, but not now.
    case dear(need: MicroCredits, balance: MicroCredits)
    case busy(Lack)
    /// Free at the beginning of the cycle, and given to jobs ahead in order.
    case taken(Lack)
    /// Free, but kept for a job ahead in order that starts at the time given.
    case held(for: JobID, from: Instant)
    /// Free, but reserved in advance for somebody else, or for maintenance, before the job would be over.
    case reserved(Reason.Window)

    /// A clause that follows the centre's name.
    public var text: String {
        switch self {
        case .notNamed: "is not among the centres that the job names"
        case .tier(let tier): "is of tier \(tier.rawValue), which the job does not allow"
        case .removed: "was removed"
        case .draining: "is draining and takes no new work"
        case .unseen(let since): "has not been heard of since \(since)"
        case .notReported: "has not reported its capacity yet"
        case .noIsolation: "cannot isolate jobs"
        case .noCards: "has no cards"
        case .onlyEmulated: "has only emulated cards, which the job does not accept"
        case .otherCards(let models): "has other cards (\(models.joined(separator: ", ")))"
        case .tooSmall(let lack): "is too small (\(lack.text))"
        case .nodesDown(let lack): "has the nodes for it, but not all are up (\(lack.text))"
        case .dear(let need, let balance): "costs \(need) credits and the project has \(balance)"
        case .busy(let lack): "lacks \(lack.dimension.rawValue) (\(lack.text) free)"
        case .taken(let lack): "gave its room to jobs ahead in this cycle (\(lack.text) left)"
        case .held(let job, let from): "keeps its room for \(job), which starts at \(from)"
        case .reserved(let window): "keeps its room for \(window.phrase)"
        }
    }

    /// Whether no change of load, state or money would help.
    var isPermanent: Bool {
        switch self {
        case .noIsolation, .noCards, .onlyEmulated, .otherCards, .tooSmall: true
        case .notNamed, .tier, .removed, .draining, .unseen, .notReported, .nodesDown, .dear, .busy, .taken, .held,
            .reserved:
            false
        }
    }

    /// What is lacking in numbers, where it is a matter of numbers.
    var lack: Lack? {
        switch self {
        case .tooSmall(let lack), .nodesDown(let lack), .busy(let lack), .taken(let lack): lack
        case .notNamed, .tier, .removed, .draining, .unseen, .notReported, .noIsolation, .noCards, .onlyEmulated,
            .otherCards, .dear, .held, .reserved:
            nil
        }
    }
}

/// `1 card`, `2 cards`.
func counted(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
}

/// `a`, `a and b`, `a, b and c`; after `limit` names, `and n more`.
func listed(_ names: [String], limit: Int = 3) -> String {
    guard names.count > 1 else { return names.first ?? "" }
    if names.count > limit {
        return names.prefix(limit).joined(separator: ", ") + " and \(names.count - limit) more"
    }
    return names.dropLast().joined(separator: ", ") + " and " + names[names.count - 1]
}
