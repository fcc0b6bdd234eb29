/// The way of a run's documents from what was read to what was written: what is left after each step, and what it took.
public struct RunFunnel: Sendable, Hashable {
    /// What a step is about.
    public enum Stage: Hashable, Sendable {
        case read
        /// Rules of one family: what stands before the slash of their names.
        case rules(String)
        /// Families beyond ``familiesMax``.
        case otherRules
        /// By how they were found.
        case duplicates(String)
        case written
    }

    public struct Step: Sendable, Hashable {
        public var stage: Stage
        public var dropped: Int
        /// Never below 0.
        public var left: Int
    }

    /// Steps of rules that are told apart.
    public static let familiesMax = 24
    /// In the order in which documents pass them.
    private static let order = [
        "size", "language", "gopher-repetition", "gopher-quality", "c4", "fineweb", "chinese", "classifier", "keywords",
        "contamination", "personal",
    ]

    public let steps: [Step]

    public init(_ record: RunRecord) {
        var left = record.summary.documents.count
        var steps = [Step(stage: .read, dropped: 0, left: left)]
        func take(_ stage: Stage, _ dropped: Int) {
            left = max(0, left.subtractingReportingOverflow(dropped).partialValue)
            steps.append(Step(stage: stage, dropped: dropped, left: left))
        }
        var families: [String: Int] = [:]
        for (rule, tally) in record.summary.dropped {
            let family = String(rule.prefix { $0 != "/" })
            families[family, default: 0] = Self.sum(families[family, default: 0], tally.count)
        }
        let ordered = families.sorted { (Self.rank($0.key), $0.key) < (Self.rank($1.key), $1.key) }
        for (family, count) in ordered.prefix(Self.familiesMax) { take(.rules(family), count) }
        let others = ordered.dropFirst(Self.familiesMax).reduce(0) { Self.sum($0, $1.value) }
        if others > 0 { take(.otherRules, others) }
        for (kind, tally) in record.duplicates.sorted(by: { $0.key < $1.key }).prefix(Self.familiesMax) {
            take(.duplicates(kind), tally.count)
        }
        // Documents of which repeated stretches left nothing are counted by no rule.
        let written = record.written.count
        steps.append(Step(stage: .written, dropped: max(0, left - written), left: written))
        self.steps = steps
    }

    private static func rank(_ family: String) -> Int { order.firstIndex(of: family) ?? order.count }

    private static func sum(_ a: Int, _ b: Int) -> Int {
        let (sum, isOver) = a.addingReportingOverflow(b)
        return isOver ? .max : sum
    }
}

extension [String: BlockSummary.Tally] {
    /// The largest first, equal ones by name.
    public var largestFirst: [(key: String, value: BlockSummary.Tally)] {
        sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
    }
}

extension [String: Int] {
    /// The largest first, equal ones by name.
    public var largestFirst: [(key: String, value: Int)] { sorted { ($1.value, $0.key) < ($0.value, $1.key) } }
}
