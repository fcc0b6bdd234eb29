/// What has been asked for so far: the measure of how much of a node's free cards is lost to cutting up.
///
/// The loss of a state is how much of its free cards could not be used if the node were filled with jobs of one
/// request, on average over the requests for cards of this mix. Placing where the loss grows least is the idea of
/// fragmentation gradient descent; its measure asks only whether the *next* job fits, ours how many would, so that a
/// node that runs out of cores counts as losing its cards before the last of them are gone.
///
/// > Source: Weng et al., "Beware of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient
/// > Descent" (USENIX ATC 2023), sections 3 and 4, where the mix is known beforehand. Here it is learned as jobs come.
struct Mix {
    private struct Request: Hashable {
        var milliCores: Int
        var cards: Int
        var cardMilli: Int
        var models: UInt64

        static func precedes(_ a: Request, _ b: Request) -> Bool {
            (a.milliCores, a.cards, a.cardMilli, a.models) < (b.milliCores, b.cards, b.cardMilli, b.models)
        }
    }

    private struct Part {
        var request: Request
        /// How much of the mix it is.
        var weight: Double
    }

    private var counts: [Request: Int] = [:]
    private var total = 0
    private var parts: [Part] = []
    /// How much of it asks for no cards.
    private var withoutCards = 0.0
    /// When the measure is made anew.
    private var nextBuild = 1
    /// Whether part of a card was ever asked for. Where cards are only taken whole, the tightest node loses least and
    /// no measure is needed.
    private(set) var hasShares = false
    /// Counts the measures made: what was worked out by an earlier one is old.
    private(set) var epoch = 0

    /// Beyond so many jobs the old ones count half.
    private static let memoryMax = 1 << 17
    /// Rare requests are left out: as in the source, the typical 95 per cent count.
    private static let typical = 0.95

    mutating func learn(_ need: Need) {
        if need.isShare { hasShares = true }
        counts[Self.request(need), default: 0] += 1
        total += 1
        if total >= nextBuild { build() }
    }

    init() {}

    /// A mix that is known as a whole, of requests for cards only.
    init(_ needs: some Sequence<(need: Need, count: Int)>) {
        for (need, count) in needs where need.cards > 0 {
            counts[Self.request(need), default: 0] += count
            total += count
        }
        measure()
    }

    var isEmpty: Bool { parts.isEmpty }

    private static func request(_ need: Need) -> Request {
        Request(
            milliCores: need.milliCores,
            cards: need.cards,
            cardMilli: need.cards == 0 ? 0 : need.isShare ? need.cardMilli : 1000,
            models: need.cards > 0 ? need.models : .max
        )
    }

    private mutating func build() {
        if total > Self.memoryMax {
            counts = counts.compactMapValues { $0 > 1 ? $0 / 2 : nil }
            total = counts.values.reduce(0, +)
        }
        nextBuild = total + max(1, total / 4)
        epoch += 1
        measure()
    }

    /// Keeps what is typical of the counts.
    private mutating func measure() {
        let common = counts.sorted { a, b in
            a.value != b.value ? a.value > b.value : Request.precedes(b.key, a.key)
        }
        var covered = 0
        parts = []
        for (request, count) in common {
            guard Double(covered) < Self.typical * Double(total) else { break }
            covered += count
            if request.cards > 0 { parts.append(Part(request: request, weight: Double(count))) }
        }
        for index in parts.indices { parts[index].weight /= Double(covered) }
        withoutCards = 1 - parts.reduce(0) { $0 + $1.weight }
    }

    /// The expected fragmentation of a state by the source's own measure, in thousandths of a card: all that is free
    /// for a request that does not fit, else what is free of the cards that have too little for it.
    func fragmentation(_ state: NodeState, model: Int) -> Double {
        let free = Double(state.freeCardMilli)
        guard free > 0 else { return 0 }
        var sum = withoutCards * free
        for part in parts {
            var unused = free
            if part.request.models >> UInt64(model) & 1 == 1, Int(state.milliCores) >= part.request.milliCores {
                var fitting = Int(state.wholeCards)
                var scraps = 0
                for lane in 0..<8 {
                    if Int(state.shared[lane]) >= part.request.cardMilli {
                        fitting += 1
                    } else {
                        scraps += Int(state.shared[lane])
                    }
                }
                if fitting >= part.request.cards { unused = Double(scraps) }
            }
            sum += part.weight * unused
        }
        return sum
    }

    /// How much of a state's free cards is lost, in thousandths of a card.
    func loss(_ state: NodeState, model: Int) -> Double {
        let free = Double(state.freeCardMilli)
        guard free > 0 else { return 0 }
        var sum = 0.0
        for part in parts {
            guard part.request.models >> UInt64(model) & 1 == 1 else {
                sum += part.weight * free
                continue
            }
            let milli = part.request.cardMilli
            var fitting = 0
            if milli == 1000 {
                fitting = Int(state.wholeCards) / part.request.cards
            } else {
                fitting = Int(state.wholeCards) * (1000 / milli)
                for lane in 0..<8 { fitting += Int(state.shared[lane]) / milli }
            }
            if part.request.milliCores > 0 { fitting = min(fitting, Int(state.milliCores) / part.request.milliCores) }
            sum += part.weight * (free - Double(fitting * part.request.cards * milli))
        }
        return sum
    }
}
