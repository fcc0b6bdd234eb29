public import Core

/// A sample of a corpus that people judge, from the draw to the verdict.
///
/// Of a ``StratifiedDraw`` every stratum is a spot check of its own, whose places are ranks among the stratum's items.
public struct SpotCheck: Hashable, Sendable {
    /// How its items were drawn; who has the list can draw them again.
    public let draw: SampleDraw
    public private(set) var work: WorkList

    /// - Parameters:
    ///   - draw: Against the root of the list.
    ///   - items: Exactly those that ``SampleDraw/places(hash:)`` drew.
    public init(draw: SampleDraw, items: [WorkList.Item]) {
        (self.draw, work) = (draw, WorkList(items: items))
    }

    /// Takes an event in; see ``WorkList/apply(_:)``.
    @discardableResult
    public mutating func apply(_ event: WorkList.Event) throws(WorkList.Refusal) -> Bool { try work.apply(event) }

    /// Whether its items are those that the draw gives, and no others.
    public func isRedrawn(hash: @escaping MerkleHash) -> Bool {
        // First the cheap question: a size that a stranger wrote may be any.
        draw.size == work.items.count && draw.places(hash: hash).sorted() == work.items.map(\.place)
    }

    /// What a profile asks of a spot check.
    public struct Rule: Hashable, Sendable {
        /// Items, or as many as there are.
        public var itemsMin: Int
        /// A fraction of the items.
        public var passMin: Double
        /// At which the sample is said to prove something of the whole.
        public var confidence: Double

        public init(itemsMin: Int, passMin: Double, confidence: Double) {
            (self.itemsMin, self.passMin, self.confidence) = (itemsMin, passMin, confidence)
        }
    }

    public struct Verdict: Hashable, Sendable {
        public enum Outcome: String, Hashable, Sendable, CaseIterable {
            case passed
            /// Too many are bad, whatever is still open.
            case failed
            /// There are items left to settle.
            case open
            /// The sample is smaller than the rule asks for.
            case tooSmall = "too_small"
        }

        public let outcome: Outcome
        /// Good of the settled.
        public let good: Proportion
        /// Still to settle.
        public let open: Int
        /// What the profile asks for.
        public let rule: Rule
        /// How many more may turn out bad; negative when it has failed.
        public let badLeft: Int
        /// One-sided: at most that fraction of the whole is bad, should all be settled.
        public let badUpperBound: Double

        /// What was found and what to do, for people.
        public var sentence: String {
            let found = "\(good.count) of \(good.total) settled items are good"
            let asked = "\(Percent.text(rule.passMin)) of at least \(rule.itemsMin) are asked for"
            switch outcome {
            case .passed:
                return
                    "\(found); \(asked). At most \(Percent.text(badUpperBound)) of the whole is bad, at \(Percent.text(rule.confidence)) confidence."
            case .failed: return "\(found); \(asked). Clean the corpus and draw a new sample for a new purpose."
            case .open: return "\(found); \(asked). \(open) are open, of which \(badLeft) may still turn out bad."
            case .tooSmall: return "\(found); \(asked). Draw more: a larger sample begins with this one."
            }
        }
    }

    public func verdict(_ rule: Rule) -> Verdict {
        let tally = work.tally
        let open = tally.drawn - tally.settled
        let badMax = Self.badMax(of: tally.drawn, passMin: rule.passMin)
        let outcome: Verdict.Outcome =
            if tally.bad > badMax {
                .failed
            } else if tally.drawn < min(rule.itemsMin, draw.population) || tally.drawn == 0 {
                .tooSmall
            } else if open > 0 {
                .open
            } else {
                .passed
            }
        return Verdict(
            outcome: outcome,
            good: Proportion(tally.good, of: tally.settled),
            open: open,
            rule: rule,
            badLeft: badMax - tally.bad,
            badUpperBound: Binomial.upperBound(tally.bad, of: tally.settled, confidence: rule.confidence)
        )
    }

    /// The most bad items with which the share of good ones is still asked for; no rounding decides it, since the quotient
    /// is compared as a verdict compares it.
    private static func badMax(of count: Int, passMin: Double) -> Int {
        guard count > 0 else { return 0 }
        var bad = Int((Double(count) * (1 - min(max(passMin, 0), 1))).rounded())
        while bad > 0, Double(count - bad) / Double(count) < passMin { bad -= 1 }
        while bad < count, Double(count - bad - 1) / Double(count) >= passMin { bad += 1 }
        return bad
    }
}

extension SpotCheck {
    /// Reads what ``json`` wrote.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: ["draw", "work"])
        let draw = SampleDraw.read(reader.value(fields, "draw", isRequired: true), at: "/draw", &reader)
        let work = reader.value(fields, "work", isRequired: true).flatMap { WorkList.read($0, at: "/work", &reader) }
        if let draw, let work {
            for item in work.items where item.place >= draw.population {
                reader.fault("/work/items", "has place \(item.place), but the list has \(draw.population) items")
            }
        }
        var check: SpotCheck?
        if let draw, let work { check = SpotCheck(draw: draw, work: work) }
        self = try reader.finish(check, "spot check")
    }

    private init(draw: SampleDraw, work: WorkList) { (self.draw, self.work) = (draw, work) }

    public var json: JSON { .object([("draw", draw.json), ("work", work.json)]) }
}

extension SampleDraw {
    /// Reads what ``json`` wrote.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let draw = Self.read(json, at: "", &reader)
        self = try reader.finish(draw, "draw")
    }

    static func read(_ json: JSON?, at pointer: String, _ reader: inout FieldReader) -> SampleDraw? {
        let fields = reader.fields(json, at: pointer, known: ["root", "purpose", "population", "size"])
        let root = reader.digest(fields, "root")
        let purpose = reader.text(fields, "purpose", bytesMax: 512)
        let population = reader.count(fields, "population")
        let size = reader.count(fields, "size")
        guard let root, let purpose, let population, let size else { return nil }
        return SampleDraw(root: root, purpose: purpose, population: population, size: size)
    }

    /// What has to be published before anybody judges.
    public var json: JSON {
        .sorted([
            ("root", .digest(root)), ("purpose", .string(purpose)), ("population", .count(population)),
            ("size", .count(size)),
        ])
    }
}
