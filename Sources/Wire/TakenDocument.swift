/// What looking at all documents together took of one that every rule had kept: a line of `governance/taken/KEY.jsonl.zst`
/// in a release of training data, beside the decisions of the block `KEY`.
public struct TakenDocument: Codable, Sendable, Hashable {
    /// Among all documents of the block.
    public var index: Int
    /// What stands for it; absent for one that has no duplicate.
    public var duplicate: Duplicate?
    /// Bytes of its text that stood before, by `lines`, `paragraphs` and `substrings`; absent when it lost none.
    public var repeats: [String: Int]?
    /// Whether it is not written.
    public var isGone: Bool

    public struct Duplicate: Codable, Sendable, Hashable {
        /// `exact` or `near`.
        public var kind: String
        /// What the two have in common, 0 to 1.
        public var jaccard: Double
        /// The source of the other one.
        public var source: String
        /// Its block, by the name of its decisions, and its index there; absent where its source was only compared with.
        public var block: String?
        public var index: Int?

        public init(kind: String, jaccard: Double, source: String, block: String? = nil, index: Int? = nil) {
            (self.kind, self.jaccard, self.source) = (kind, jaccard, source)
            (self.block, self.index) = (block, index)
        }
    }

    public init(index: Int, duplicate: Duplicate) {
        (self.index, self.duplicate, isGone) = (index, duplicate, true)
    }

    public init(index: Int, repeats: [String: Int], isGone: Bool) {
        (self.index, self.repeats, self.isGone) = (index, repeats, isGone)
    }

    private enum CodingKeys: String, CodingKey {
        case index, duplicate, repeats
        case isGone = "gone"
    }
}
