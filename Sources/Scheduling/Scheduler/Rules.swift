/// How the queue is served: the classical policies and our own are settings of these few.
public struct Rules: Hashable, Sendable {
    /// What comes first. Smaller is earlier; ties go by arrival.
    public enum Order: Hashable, Sendable {
        case arrival
        /// By estimated run time.
        case shortest
        /// By estimated run time times what is asked for.
        case smallest
        /// By arrival plus so many times the estimated run time, at most so many seconds: short jobs pass long ones,
        /// but whoever comes later than that after a job never passes it.
        case patience(factor: Double, atMost: Int)
    }

    /// Whom room is kept for.
    public enum Promises: Hashable, Sendable {
        /// Nobody: whoever fits starts.
        case none
        /// The first of the queue, as in EASY backfill.
        case head
        /// Everybody who waits, as in conservative backfill: nobody may put off anybody's start. Room is given out in the
        /// order of heads; shares between projects do not change it, their limits hold.
        case everybody
        /// The first of the queue once it has waited this many seconds plus its own estimated run time.
        case overdue(Int)
    }

    /// Which node a task goes to.
    public enum Placement: Hashable, Sendable {
        /// The one with the least left over, half by cores, half by cards.
        case bestFit
        /// The one where the expected fragmentation of cards grows least, by the FGD measure.
        case leastFragmentation
        /// The one where the least of its cards is lost, by our measure, where cards are shared; else best fit.
        case leastLoss
    }

    /// The order in which heads are taken.
    public var head: Order = .arrival
    /// The order in which others may pass a blocked head; `nil` when nobody may.
    public var fill: Order? = .arrival
    public var promises: Promises = .head
    public var placement = Placement.bestFit
    /// How many jobs of one class are looked at for one that is short enough to go before a promise.
    public var depth = Int.max

    /// After how long what a project has used counts half, in the order between projects.
    public var halfLifeSeconds = FairShare.halfLifeSeconds
    /// A run's promise counts towards its project's usage for at most this long: it may end at any time.
    public var commitmentHorizonSeconds = 3600

    public init() {}

    /// Our own: by patience, and whoever is past it has room kept. docs/scheduling.md says why these figures.
    public static var standard: Rules {
        let order = Order.patience(factor: Patience.factor, atMost: Patience.secondsMax)
        var rules = make(order, order, .overdue(Patience.secondsMax))
        rules.placement = .leastLoss
        rules.depth = 64
        return rules
    }

    public static var fcfs: Rules { make(.arrival, nil, .none) }
    public static var sjf: Rules { make(.shortest, nil, .none) }
    public static var easy: Rules { make(.arrival, .arrival, .head) }
    public static var conservative: Rules { make(.arrival, .arrival, .everybody) }
    public static var easySJBF: Rules { make(.arrival, .shortest, .head) }
    public static var easySPF: Rules { make(.shortest, .shortest, .head) }
    public static var easySAF: Rules { make(.smallest, .smallest, .head) }
    public static var greedy: Rules { make(.arrival, .arrival, .none) }
    public static var greedySJF: Rules { make(.shortest, .shortest, .none) }

    /// Whoever fits starts, where the least fragmentation is left.
    public static var fgd: Rules {
        var rules = greedy
        rules.placement = .leastFragmentation
        return rules
    }

    private static func make(_ head: Order, _ fill: Order?, _ promises: Promises) -> Rules {
        var rules = Rules()
        rules.head = head
        rules.fill = fill
        rules.promises = promises
        return rules
    }
}
