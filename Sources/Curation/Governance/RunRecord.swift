public import Core

/// A run as it stands: what `run.json` in the output folder says.
public struct RunRecord: Sendable, Hashable, Codable {
    public var pipeline: String
    /// As in `3/8`, of a run that only judges some of the blocks.
    public var part: String?
    /// SHA-256 of everything that judging depends on beside the sources, in hexadecimal digits.
    public var configuration: String
    public var started: Instant
    public var finished: Instant?
    /// Of the process that is at work; `nil` when none is.
    public var process: Int?
    public var stage = Stage.judge
    /// Of the source files, as they are on the disk, in this stage.
    public var bytesDone = 0
    public var bytesTotal = 0
    public var blocks = 0
    /// Blocks whose results were there already.
    public var blocksReused = 0
    /// Of those, blocks whose results were brought from elsewhere.
    public var blocksBrought: Int?
    /// Blocks that were judged although somebody else had something under their result's name: it was damaged.
    public var blocksDamaged: Int?
    /// Over all blocks of all sources that are written; without what duplicates took.
    public var summary = BlockSummary()
    /// Documents that were kept until they turned out to be somebody's duplicate, by how.
    public var duplicates: [String: BlockSummary.Tally] = [:]
    /// Documents that lost `lines`, `paragraphs` or `substrings` which others had before them, and the bytes of those.
    public var repeats: [String: BlockSummary.Tally] = [:]
    /// What was written.
    public var written = BlockSummary.Tally()
    /// The files that hold it, in order.
    public var parts: [Part] = []

    public enum Stage: String, Sendable, Codable { case judge, merge, write }

    /// A file of the output.
    public struct Part: Sendable, Hashable, Codable {
        /// From the output folder.
        public var path: String
        /// In hexadecimal digits.
        public var sha256: String
        public var bytes: Int
        public var documents: Int
        public var textBytes: Int
        /// As the run's.
        public var repeats: [String: BlockSummary.Tally]
        /// The block's digest and its result's name.
        public var block: String
        public var key: String

        /// The digits of its name, which are the ordinal of the block that it was made of.
        public var number: Substring {
            path.split(separator: "/").last?.prefix { $0 != "." }.dropFirst("part-".count) ?? ""
        }

        public init(
            path: String,
            sha256: String,
            bytes: Int,
            documents: Int,
            textBytes: Int,
            repeats: [String: BlockSummary.Tally],
            block: String,
            key: String
        ) {
            (self.path, self.sha256, self.bytes, self.documents) = (path, sha256, bytes, documents)
            (self.textBytes, self.repeats, self.block, self.key) = (textBytes, repeats, block, key)
        }
    }

    public init(pipeline: String, configuration: String, started: Instant) {
        self.pipeline = pipeline
        self.configuration = configuration
        self.started = started
    }
}
