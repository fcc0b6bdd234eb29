/// What became of a block's records, in numbers. Sums of them are the report.
public struct BlockSummary: Sendable, Hashable, Codable {
    /// Lines, pages or rows.
    public var records = 0
    /// Records with a text.
    public var documents = Tally()
    public var kept = Tally()
    /// Records that are no documents, by reason.
    public var setAside: [String: Int] = [:]
    /// By the rule that dropped them.
    public var dropped: [String: Tally] = [:]
    /// Of all documents, by language and by the rule that dropped them, if one did, with a blank between.
    public var fates: [String: Tally] = [:]
    /// Of all documents, by code.
    public var languages: [String: Tally] = [:]
    /// Hits in what was kept, by type.
    public var personal: [String: Int] = [:]
    /// Hits in all documents, by category.
    public var keywords: [String: Int] = [:]
    /// Documents that have a part of an evaluation item, whatever was done with them.
    public var contaminated = 0
    /// Documents that a rule of several changed.
    public var edited = 0
    /// Of what was kept, where a tokenizer was named.
    public var tokens = 0

    public init() {}

    /// How many, and how large their texts are.
    public struct Tally: Sendable, Hashable, Codable {
        public var count = 0
        public var bytes = 0

        public init() {}

        public static func += (tally: inout Tally, other: Tally) {
            tally.count += other.count
            tally.bytes += other.bytes
        }

        public mutating func remove(_ bytes: Int) {
            count -= 1
            self.bytes -= bytes
        }

        public mutating func add(_ bytes: Int) {
            count += 1
            self.bytes += bytes
        }
    }

    public static func += (sum: inout BlockSummary, other: BlockSummary) {
        sum.records += other.records
        sum.documents += other.documents
        sum.kept += other.kept
        sum.setAside.merge(other.setAside, uniquingKeysWith: +)
        sum.personal.merge(other.personal, uniquingKeysWith: +)
        sum.keywords.merge(other.keywords, uniquingKeysWith: +)
        for (rule, tally) in other.dropped { sum.dropped[rule, default: Tally()] += tally }
        for (fate, tally) in other.fates { sum.fates[fate, default: Tally()] += tally }
        for (code, tally) in other.languages { sum.languages[code, default: Tally()] += tally }
        sum.edited += other.edited
        sum.contaminated += other.contaminated
        sum.tokens += other.tokens
    }
}
