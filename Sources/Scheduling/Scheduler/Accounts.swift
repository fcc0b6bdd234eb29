/// The projects of a scheduler as a tree, what each holds and has used, and whose turn it is.
///
/// Usage is in dominant-share seconds and decays. It is kept in units that grow as it would decay, so that time passing
/// changes nobody's account: what was used at a time counts `2^(time / half-life)`, and two accounts compare at any later
/// time as they would after decay. An account is touched only when something of it starts or ends.
///
/// > Source: Ghodsi et al., "Dominant Resource Fairness" (NSDI 2011), for the share; level by level of the tree as in
/// > Slurm's fair tree, or as in Bhattacharya et al., "Hierarchical Scheduling for Diverse Datacenter Workloads" (SoCC
/// > 2013).
struct Accounts {
    struct Account {
        /// -1 for the root.
        let parent: Int32
        var weight: Double
        var limits: Scheduler.Limits
        /// Of itself and everybody below.
        var held = Scheduler.Holdings()
        /// Dominant shares that are held now, in parts of ``Accounts/shareParts``: whole numbers, because they are added
        /// and taken away a million times.
        var share: Int64 = 0
        /// Share seconds that live runs are promised.
        var promised: Int64 = 0
        /// Share seconds that were used until `integral`, in growing units.
        var used = 0.0
        /// ``Accounts/integral`` up to which `used` counts.
        var integral = 0.0
        /// Stands for the account's own jobs beside those of the projects below it; -1 where there are none below.
        var own: Int32 = -1
        /// Whether an overdue job waits for a limit here, so that what is given back is kept for it.
        var isClosed = false
        /// The last pass in which a job of its own found no room.
        var blockedIn = 0

        // While a pass goes on:
        /// Those below that have a turn, the least standing first.
        var contenders: [Contender] = []
        /// Where its own jobs are in their queues, the first first.
        var turns: [Scheduler.Turn] = []
    }

    /// An account that has a turn among its siblings.
    struct Contender: HeapElement {
        /// Usage by weight.
        var standing: Double
        var account: Int32

        @inline(__always)
        static func < (a: Contender, b: Contender) -> Bool {
            a.standing != b.standing ? a.standing < b.standing : a.account < b.account
        }
    }

    static let shareParts = 1e12
    static let root: Int32 = 0
    /// Of all jobs without a project.
    static let nobody: Int32 = 1
    /// A project with less than this part of what the next has had is behind.
    private static let arrears = 0.95

    private(set) var all: [Account]
    private let halfLife: Double
    /// The time at which the growing unit is 1.
    private var reference: Int64 = 0
    private var now: Int64 = 0
    /// How much a unit has grown: `2^((now - reference) / half-life)`.
    private var growth = 1.0
    /// The growth summed over the time since the reference, in seconds.
    private var integral = 0.0
    /// Accounts with turns or contenders, to be forgotten before the next pass.
    private var touched: [Int32] = []
    private var closed: [Int32] = []

    /// Whether any project has a share: else nothing is reckoned.
    var isInUse = false

    init(halfLifeSeconds: Double) {
        halfLife = halfLifeSeconds
        all = [-1, Self.root].map {
            Account(parent: $0, weight: Double(Scheduler.standardWeight), limits: .init())
        }
        all[Int(Self.root)].own = Self.nobody
    }

    // MARK: the tree

    /// - Parameter own: Called with the account that the parent's own jobs belong to from now on, at its first child.
    mutating func add(
        under parent: Int32,
        weight: Int,
        limits: Scheduler.Limits,
        own: (Int32) -> Void
    ) -> Int32 {
        if all[Int(parent)].own < 0 {
            all[Int(parent)].own = append(under: parent, weight: Scheduler.standardWeight, limits: .init())
            own(all[Int(parent)].own)
        }
        return append(under: parent, weight: weight, limits: limits)
    }

    private mutating func append(under parent: Int32, weight: Int, limits: Scheduler.Limits) -> Int32 {
        all.append(Account(parent: parent, weight: Double(max(1, weight)), limits: limits))
        return Int32(all.count - 1)
    }

    mutating func setWeight(_ account: Int32, _ weight: Int) { all[Int(account)].weight = Double(max(1, weight)) }

    mutating func setLimits(_ account: Int32, _ limits: Scheduler.Limits) { all[Int(account)].limits = limits }

    /// What a project's own jobs belong to.
    func ownAccount(of project: Int32) -> Int32 { all[Int(project)].own >= 0 ? all[Int(project)].own : project }

    /// Whether an account is a project's, or of one below it.
    func isWithin(_ account: Int32, _ project: Int32) -> Bool {
        var at = account
        while at > project { at = all[Int(at)].parent }
        return at == project
    }

    // MARK: time

    mutating func advance(to time: Int64) {
        guard time > now else { return }
        now = time
        let halvings = Double(time - reference) / 1000 / halfLife
        if halvings > 64 { rebase(halvings) }
        growth = PortableMath.exp2(Double(time - reference) / 1000 / halfLife)
        integral = (growth - 1) * halfLife / Self.ln2
    }

    private static let ln2 = 0.693_147_180_559_945_3

    /// Brings the reference nearer, so that units stay small.
    private mutating func rebase(_ halvings: Double) {
        let whole = min(900, halvings.rounded(.down))
        reference += Int64(whole * halfLife * 1000)
        let factor = PortableMath.exp2(-whole)
        for index in all.indices {
            all[index].used *= factor
            all[index].integral = all[index].integral * factor + (factor - 1) * halfLife / Self.ln2
        }
        if Double(now - reference) / 1000 / halfLife > 64 { rebase(Double(now - reference) / 1000 / halfLife) }
    }

    /// Share seconds used and promised, in units of now.
    func usage(_ account: Int32) -> Double { grown(account) / growth }

    /// Counts share seconds, in units of now, as used by an account and by all above.
    mutating func addUsage(_ account: Int32, _ shareSeconds: Double) {
        var at = account
        while at >= 0 {
            settle(at)
            all[Int(at)].used += shareSeconds * growth
            at = all[Int(at)].parent
        }
    }

    /// Brings what an account has used up to now.
    @inline(__always)
    private mutating func settle(_ account: Int32) {
        let index = Int(account)
        all[index].used += Double(all[index].share) / Self.shareParts * (integral - all[index].integral)
        all[index].integral = integral
    }

    @inline(__always)
    private func grown(_ account: Int32) -> Double {
        let entry = all[Int(account)]
        return entry.used + Double(entry.share) / Self.shareParts * (integral - entry.integral)
            + Double(entry.promised) / Self.shareParts * growth
    }

    @inline(__always)
    private func standing(_ account: Int32) -> Double { grown(account) / all[Int(account)].weight }

    // MARK: charging

    /// Something starts (`sign` 1) or ends (-1) at the time of the last ``advance(to:)``.
    mutating func charge(_ account: Int32, _ charge: Charge, sign: Int) {
        var at = account
        while at >= 0 {
            settle(at)
            let index = Int(at)
            all[index].share += Int64(sign) * charge.share
            all[index].promised += Int64(sign) * charge.promised
            all[index].held.milliCores += sign * charge.milliCores
            all[index].held.cardMilli += sign * charge.cardMilli
            all[index].held.runs += sign
            at = all[index].parent
        }
    }

    /// What a run takes of its project's account and of all above.
    struct Charge {
        var share: Int64
        var promised: Int64
        var milliCores: Int
        var cardMilli: Int
    }

    /// The lowest account whose limits do not allow this; `nil` when all do.
    func obstacle(_ account: Int32, milliCores: Int, cardMilli: Int) -> Int32? {
        var at = account
        while at >= 0 {
            let entry = all[Int(at)]
            if entry.isClosed || entry.held.runs >= entry.limits.runs
                || milliCores > 0 && milliCores > entry.limits.milliCores - entry.held.milliCores
                || cardMilli > 0 && cardMilli > entry.limits.cardMilli - entry.held.cardMilli
            {
                return at
            }
            at = entry.parent
        }
        return nil
    }

    /// Keeps what is given back here for an overdue job that waits for it, unless it could never have it.
    mutating func close(_ account: Int32, for milliCores: Int, _ cardMilli: Int) {
        let limits = all[Int(account)].limits
        guard !all[Int(account)].isClosed, limits.runs > 0, milliCores <= limits.milliCores,
            cardMilli <= limits.cardMilli
        else { return }
        all[Int(account)].isClosed = true
        closed.append(account)
    }

    mutating func reopen() {
        for account in closed { all[Int(account)].isClosed = false }
        closed.removeAll(keepingCapacity: true)
    }

    // MARK: turns

    mutating func forgetTurns() {
        for account in touched {
            all[Int(account)].turns.removeAll(keepingCapacity: true)
            all[Int(account)].contenders.removeAll(keepingCapacity: true)
        }
        touched.removeAll(keepingCapacity: true)
    }

    /// Must be followed by ``orderTurns()``.
    mutating func add(_ turn: Scheduler.Turn, to account: Int32) {
        all[Int(account)].turns.append(turn)
        guard all[Int(account)].turns.count == 1 else { return }
        touched.append(account)
        var at = account
        while at != Self.root {
            let parent = all[Int(at)].parent
            let isFirst = all[Int(parent)].contenders.isEmpty
            all[Int(parent)].contenders.append(Contender(standing: standing(at), account: at))
            guard isFirst else { return }
            touched.append(parent)
            at = parent
        }
    }

    mutating func orderTurns() {
        for account in touched {
            all[Int(account)].turns.heapify()
            all[Int(account)].contenders.heapify()
        }
    }

    /// Whose turn it is: of the least standing on every level; `nil` when nobody has one.
    var first: Int32? {
        var at = Self.root
        while let contender = all[Int(at)].contenders.first { at = contender.account }
        return at == Self.root ? nil : at
    }

    /// Whether the account whose turn it is has had so much less than the next of its siblings, or somebody above it
    /// has, that room must be kept for it: waiting for luck, a project of large jobs would never come to its share
    /// beside those of small ones.
    func isBehind(_ account: Int32) -> Bool {
        var at = account
        while at != Self.root {
            let contenders = all[Int(all[Int(at)].parent)].contenders
            if let next = contenders.dropFirst().prefix(2).map(\.standing).min(),
                contenders[0].standing < Self.arrears * next
            {
                return true
            }
            at = all[Int(at)].parent
        }
        return false
    }

    /// Whether nobody of this account was blocked in a pass before.
    mutating func isFirstBlocked(_ account: Int32, in pass: Int) -> Bool {
        defer { all[Int(account)].blockedIn = pass }
        return all[Int(account)].blockedIn != pass
    }

    /// Whoever of this account was blocked does not count.
    mutating func letPass(_ account: Int32) { all[Int(account)].blockedIn = 0 }

    func turn(of account: Int32) -> Scheduler.Turn { all[Int(account)].turns[0] }

    /// The account whose turn it is goes on at another place in its queues, or with another queue.
    ///
    /// - Parameter turn: `nil` when nothing more of that queue can start.
    mutating func goOn(_ account: Int32, with turn: Scheduler.Turn?, hasStarted: Bool) {
        if let turn { all[Int(account)].turns.replaceFirst(turn) } else { all[Int(account)].turns.popFirst() }
        guard hasStarted || all[Int(account)].turns.isEmpty else { return }
        var at = account
        while at != Self.root {
            let parent = Int(all[Int(at)].parent)
            if all[Int(at)].turns.isEmpty, all[Int(at)].contenders.isEmpty {
                all[parent].contenders.popFirst()
            } else if hasStarted {
                all[parent].contenders.replaceFirst(Contender(standing: standing(at), account: at))
            }
            at = Int32(parent)
        }
    }
}

/// What stands in a heap, the least first.
protocol HeapElement {
    static func < (a: Self, b: Self) -> Bool
}

extension Array where Element: HeapElement {
    mutating func heapify() {
        guard count > 1 else { return }
        for index in stride(from: count / 2 - 1, through: 0, by: -1) { sink(index) }
    }

    mutating func replaceFirst(_ element: Element) {
        self[0] = element
        sink(0)
    }

    /// Takes the least out.
    mutating func popFirst() {
        let last = removeLast()
        if !isEmpty { replaceFirst(last) }
    }

    private mutating func sink(_ index: Int) {
        var at = index
        while true {
            var least = 2 * at + 1
            if least >= count { return }
            if least + 1 < count, self[least + 1] < self[least] { least += 1 }
            guard self[least] < self[at] else { return }
            swapAt(at, least)
            at = least
        }
    }
}
