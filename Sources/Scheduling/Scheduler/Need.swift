/// What a job asks of a centre's nodes, in plain numbers. A task never spreads over nodes; all tasks of a job start
/// together or not at all.
public struct Need: Hashable, Sendable {
    /// How many equal tasks, at least 1.
    public var tasks: Int
    /// Of one task, in thousandths of a core.
    public var milliCores: Int
    /// Of one task, in MiB.
    public var memoryMiB: Int
    /// Of one task.
    public var cards: Int
    /// How much of its card a task with one card takes, in thousandths: 1000 is the whole card.
    public var cardMilli: Int
    /// The cards of one further, smaller task; 0 for none. It takes cores and memory in proportion.
    public var restCards: Int
    /// Which card models will do: bit `i` stands for model `i` of the federation. All bits when any will.
    public var models: UInt64

    public init(
        tasks: Int = 1,
        milliCores: Int = 0,
        memoryMiB: Int = 0,
        cards: Int = 0,
        cardMilli: Int = 1000,
        restCards: Int = 0,
        models: UInt64 = .max
    ) {
        self.tasks = tasks
        self.milliCores = milliCores
        self.memoryMiB = memoryMiB
        self.cards = cards
        self.cardMilli = cardMilli
        self.restCards = restCards
        self.models = models
    }

    /// Whether it takes part of a card only.
    var isShare: Bool { cards == 1 && cardMilli < 1000 }

    var isGang: Bool { tasks > 1 || restCards > 0 }

    /// Of all tasks, in thousandths of a card.
    public var totalCardMilli: Int { (tasks * cards + restCards) * (isShare ? cardMilli : 1000) }

    /// Of all tasks.
    public var totalMilliCores: Int {
        tasks * milliCores + (restCards > 0 ? milliCores * restCards / max(1, cards) : 0)
    }

    /// Of all tasks.
    public var totalMemoryMiB: Int {
        tasks * memoryMiB + (restCards > 0 ? memoryMiB * restCards / max(1, cards) : 0)
    }

    /// The smaller task alone.
    var rest: Need {
        var rest = self
        rest.tasks = 1
        rest.cards = restCards
        rest.milliCores = milliCores * restCards / max(1, cards)
        rest.memoryMiB = memoryMiB * restCards / max(1, cards)
        rest.restCards = 0
        return rest
    }

    /// One of the equal tasks alone.
    var one: Need {
        var one = self
        one.tasks = 1
        one.restCards = 0
        return one
    }
}

/// A kind of node: nodes of one kind differ only in what is free on them.
public struct NodeKind: Hashable, Sendable {
    public var milliCores: Int
    public var memoryMiB: Int
    public var cards: Int
    /// The number of its cards' model, 0 to 63; meaningless without cards.
    public var model: Int

    public init(milliCores: Int, memoryMiB: Int, cards: Int = 0, model: Int = 0) {
        self.milliCores = milliCores
        self.memoryMiB = memoryMiB
        self.cards = cards
        self.model = model
    }
}
