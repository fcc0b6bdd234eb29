/// How the store is doing, for `/metrics`.
public struct StoreStatistics: Sendable, Hashable {
    /// Sizes of the files.
    public var databaseBytes: Int64
    public var logBytes: Int64
    /// Transactions that reached the disk, and those that failed as a whole.
    public var commits: Int64
    public var commitsFailed: Int64
    /// Commands carried out, and those of them that were refused or failed.
    public var commands: Int64
    public var commandsFailed: Int64
    /// Commands that wait for the writer now.
    public var waiting: Int
    /// The last commit alone, with its fsync.
    public var lastCommit: Duration
    /// All commits together.
    public var commitTotal: Duration
    /// Batches by how many commands they held.
    public var batchSizes: [Bucket]
    /// The last event on the disk.
    public var lastSequence: Int64

    public struct Bucket: Sendable, Hashable {
        /// Batches of up to this many commands, and more than the bucket before.
        public var upTo: Int
        public var count: Int64

        public init(upTo: Int, count: Int64) { (self.upTo, self.count) = (upTo, count) }
    }
}

/// What the writer counts.
struct WriterStatistics {
    static let bounds = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

    var commits: Int64 = 0
    var commitsFailed: Int64 = 0
    var commands: Int64 = 0
    var commandsFailed: Int64 = 0
    var waiting = 0
    var lastCommitNanoseconds: UInt64 = 0
    var commitNanoseconds: UInt64 = 0
    var batches = [Int64](repeating: 0, count: Self.bounds.count)

    mutating func record(_ result: WriterCore.BatchResult) {
        let count = result.finished.count
        guard count > 0 else { return }
        commands += Int64(count)
        commandsFailed += Int64(result.finished.count { $0.error != nil })
        batches[Self.bounds.firstIndex { count <= $0 } ?? Self.bounds.count - 1] += 1
        if result.failed {
            commitsFailed += 1
        } else {
            commits += 1
            lastCommitNanoseconds = result.commitNanoseconds
            commitNanoseconds += result.commitNanoseconds
        }
    }
}
