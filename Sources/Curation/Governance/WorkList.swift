public import Core

/// Items that people judge: who did what to which item, and what came of it.
///
/// An item is drawn, judged by an annotator, then reviewed by somebody else. Where the two agree it is settled; where they
/// do not, a third settles it. Events go in and either change the state or are refused with a reason; an event that has
/// happened already changes nothing, so that repeats are harmless.
public struct WorkList: Hashable, Sendable {
    /// What somebody says of an item.
    public struct Judgement: Hashable, Sendable {
        public let person: String
        public let isGood: Bool
        /// What it is, where items are labelled; two who label differently do not agree.
        public let label: String?
        /// Which risks it is bad by: ids of a ``RiskTaxonomy``; of good items none.
        public let risks: [String]
        public let at: Instant
        public let note: String?

        public init(
            person: String,
            isGood: Bool,
            label: String? = nil,
            risks: [String] = [],
            at: Instant,
            note: String? = nil
        ) {
            (self.person, self.isGood, self.at, self.note) = (person, isGood, at, note)
            (self.label, self.risks) = (label, risks)
        }

        /// The label, or whether it is good where there are none.
        var answer: String { isGood ? label ?? "good" : "bad" }

        /// What two people agree or disagree on; by which risk it is bad they may see differently.
        fileprivate func agrees(with other: Judgement) -> Bool { answer == other.answer }
        fileprivate func repeats(_ other: Judgement) -> Bool {
            person == other.person && answer == other.answer && risks == other.risks
        }
    }

    public enum State: Hashable, Sendable {
        case drawn
        case judged(Judgement)
        /// Both agree.
        case reviewed(Judgement, Judgement)
        /// They do not: a third has to look.
        case disputed(Judgement, Judgement)
        case adjudicated(Judgement, Judgement, by: Judgement)
    }

    public struct Item: Hashable, Sendable {
        /// Its place in the list that it was drawn from.
        public let place: Int
        /// Of its content.
        public let digest: Digest
        /// By which people find it.
        public let id: String
        public internal(set) var state = State.drawn

        public init(place: Int, digest: Digest, id: String) {
            (self.place, self.digest, self.id) = (place, digest, id)
        }

        /// What it was found to be, once nobody has to look at it any more.
        public var verdict: Judgement? {
            switch state {
            case .drawn, .judged, .disputed: nil
            case .reviewed(let judgement, _): judgement
            case .adjudicated(_, _, let third): third
            }
        }
    }

    public enum Step: String, Hashable, Sendable, CaseIterable {
        case judge, review, adjudicate
    }

    /// What somebody did.
    public struct Event: Hashable, Sendable {
        public let step: Step
        /// Of the item.
        public let place: Int
        public let judgement: Judgement

        public init(_ step: Step, place: Int, judgement: Judgement) {
            (self.step, self.place, self.judgement) = (step, place, judgement)
        }
    }

    /// Why an event did not happen.
    public enum Refusal: String, Error, Hashable, Sendable, CaseIterable {
        case unknownItem
        /// Nobody judged it yet, or it needs no such step any more.
        case wrongState
        /// The person had a part in this item already.
        case samePerson
        /// Good by a risk, or nobody's name.
        case contradiction
        /// Of an annotation batch: not trained and examined for that role.
        case notQualified
        /// At a time before what it follows.
        case tooEarly

        /// What to do about it.
        public var sentence: String {
            switch self {
            case .unknownItem: "No such item was drawn for this list."
            case .wrongState: "The item is not waiting for this step; load its present state."
            case .samePerson: "Somebody who had no part in this item has to do this."
            case .contradiction: "Name yourself, and give risks for bad items only."
            case .notQualified: "Only people with the role, the training and the passed examination may do this."
            case .tooEarly: "The time is before that of the step which this one follows."
            }
        }
    }

    /// In the order of their places.
    public private(set) var items: [Item]

    /// - Parameter items: In any order; of two at one place the first counts.
    public init(items: [Item]) {
        var kept: [Item] = []
        kept.reserveCapacity(items.count)
        let order = items.indices.sorted { (items[$0].place, $0) < (items[$1].place, $1) }
        for index in order where kept.last?.place != items[index].place { kept.append(items[index]) }
        self.items = kept
    }

    /// Takes an event in.
    ///
    /// - Returns: Whether anything changed; a repeated event changes nothing.
    @discardableResult
    public mutating func apply(_ event: Event) throws(Refusal) -> Bool {
        guard let index = position(of: event.place) else { throw .unknownItem }
        let next = event.judgement
        guard !next.person.isEmpty, !next.isGood || next.risks.isEmpty else { throw .contradiction }
        switch (event.step, items[index].state) {
        case (.judge, .drawn):
            items[index].state = .judged(next)
        case (.review, .judged(let first)):
            if first.person == next.person { throw .samePerson }
            if next.at < first.at { throw .tooEarly }
            items[index].state = first.agrees(with: next) ? .reviewed(first, next) : .disputed(first, next)
        case (.adjudicate, .disputed(let first, let second)):
            if first.person == next.person || second.person == next.person { throw .samePerson }
            if next.at < second.at { throw .tooEarly }
            items[index].state = .adjudicated(first, second, by: next)
        case (let step, let state):
            if Self.repeats(step, next, state) { return false }
            throw .wrongState
        }
        return true
    }

    private static func repeats(_ step: Step, _ judgement: Judgement, _ state: State) -> Bool {
        let (first, second, third): (Judgement?, Judgement?, Judgement?) =
            switch state {
            case .drawn: (nil, nil, nil)
            case .judged(let first): (first, nil, nil)
            case .reviewed(let first, let second), .disputed(let first, let second): (first, second, nil)
            case .adjudicated(let first, let second, let third): (first, second, third)
            }
        let done =
            switch step {
            case .judge: first
            case .review: second
            case .adjudicate: third
            }
        return done.map { judgement.repeats($0) } ?? false
    }

    func position(of place: Int) -> Int? {
        var (low, high) = (0, items.count)
        while low < high {
            let middle = low + (high - low) / 2
            if items[middle].place < place { low = middle + 1 } else { high = middle }
        }
        return low < items.count && items[low].place == place ? low : nil
    }

    /// Whether that person could do something on the item now; for lists of what is left to do.
    public func awaits(_ step: Step, of place: Int, by person: String) -> Bool {
        guard let index = position(of: place) else { return false }
        switch (step, items[index].state) {
        case (.judge, .drawn): return true
        case (.review, .judged(let first)): return first.person != person
        case (.adjudicate, .disputed(let first, let second)): return first.person != person && second.person != person
        case (_, _): return false
        }
    }

    /// How far it is, and what was found.
    public struct Tally: Hashable, Sendable {
        public var drawn = 0
        /// By at least one person.
        public var judged = 0
        /// By at least two.
        public var reviewed = 0
        /// Of those reviewed, where the two did not agree, settled or not.
        public var disputed = 0
        /// Nothing left to do.
        public var settled = 0
        public var good = 0
        /// Of the settled bad items; one may be bad by several. In the order of the ids.
        public var risks: [(id: String, count: Int)] = []

        public static func == (a: Tally, b: Tally) -> Bool {
            a.drawn == b.drawn && a.judged == b.judged && a.reviewed == b.reviewed && a.disputed == b.disputed
                && a.settled == b.settled && a.good == b.good
                && a.risks.elementsEqual(b.risks) { $0.id == $1.id && $0.count == $1.count }
        }

        public func hash(into hasher: inout Hasher) { hasher.combine([drawn, judged, reviewed, settled, good]) }

        public var bad: Int { settled - good }
    }

    public var tally: Tally {
        var tally = Tally()
        var risks: [String: Int] = [:]
        tally.drawn = items.count
        for item in items {
            switch item.state {
            case .drawn: continue
            case .judged: tally.judged += 1
            case .reviewed:
                tally.judged += 1
                tally.reviewed += 1
            case .disputed, .adjudicated:
                tally.judged += 1
                tally.reviewed += 1
                tally.disputed += 1
            }
            guard let verdict = item.verdict else { continue }
            tally.settled += 1
            if verdict.isGood { tally.good += 1 }
            for risk in verdict.risks { risks[risk, default: 0] += 1 }
        }
        tally.risks = risks.sorted { $0.key < $1.key }.map { (id: $0.key, count: $0.value) }
        return tally
    }
}
