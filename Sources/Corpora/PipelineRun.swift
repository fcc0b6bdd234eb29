public import Core
public import Curation
import Glibc
import Wire

/// Carries a pipeline out: judges every block, finds duplicates over all of them, writes what is kept.
///
/// Everything under the output folder is a function of the sources and the pipeline. What is there from an earlier run,
/// also one that was killed, is used where it is of the same block and the same configuration.
public struct PipelineRun: Sendable {
    public let file: PipelineFile
    public let limits: BlockLimits
    /// Blocks that are worked on at a time.
    public let workers: Int
    let runtime: any Runtime
    let now: @Sendable () -> Instant
    let operators: Operators
    /// Of everything that judging depends on beside the blocks.
    let configuration: Digest
    let cache: BlockCache

    /// - Parameters:
    ///   - workers: At most so many blocks at a time; each takes memory for about three of it.
    ///   - now: The time of day, for the record of the run.
    /// - Throws: ``Failure`` when a file that the pipeline names cannot be used.
    public init(
        _ file: PipelineFile,
        workers: Int,
        limits: BlockLimits = BlockLimits(),
        runtime: any Runtime,
        now: @escaping @Sendable () -> Instant
    ) throws(Failure) {
        self.file = file
        self.workers = max(1, workers)
        self.limits = limits
        self.runtime = runtime
        self.now = now
        operators = try Operators(file)
        configuration = try Self.configuration(of: file, operators)
        cache = BlockCache(folder: file.outputFolder + "/work/blocks")
    }

    /// What operators do to a text changes with it; results of an earlier version are not used.
    private static let version = 2

    static func configuration(of file: PipelineFile, _ operators: Operators) throws(Failure) -> Digest {
        var judged = file.document
        judged.name = ""
        judged.sources = []
        judged.output.folder = ""
        judged.output.format = .jsonl
        let text = try json(judged) + Array("\(version) \(operators.files.map(\.hex).joined(separator: " "))".utf8)
        return Disk.sha256(text.span)
    }

    /// Runs it to the end.
    ///
    /// - Throws: ``Failure``; `CancellationError` when the task was cancelled. What was done stays done.
    public func run(progress: @escaping @Sendable (RunRecord) -> Void) async throws -> RunRecord {
        try Disk.makeFolder(file.outputFolder + "/work/blocks")
        let lock = try RunLock(file.outputFolder)
        defer { lock.release() }
        var record = RunRecord(pipeline: file.document.name, configuration: configuration.hex, started: now())
        record.bytesTotal = file.sources.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.bytes } }
        record.process = Int(getpid())
        var reporter = Reporter(runtime: runtime, path: recordPath, show: progress)
        try reporter.tell(record, isFinal: true)
        let blocks = try await judge(&record, &reporter)
        try Disk.publish(blocks.reduce(into: []) { $0 += try json($1) }, at: file.outputFolder + "/blocks.jsonl")
        let removals = try await merge(blocks, &record, &reporter)
        try await write(blocks, removals, &record, &reporter)
        record.finished = now()
        record.process = nil
        try reporter.tell(record, isFinal: true)
        return record
    }

    var recordPath: String { file.outputFolder + "/run.json" }

    /// Writes the run's record down and shows it, not more often than somebody reads.
    struct Reporter {
        let runtime: any Runtime
        let path: String
        let show: @Sendable (RunRecord) -> Void
        private var last: Duration?

        private static let period = Duration.milliseconds(500)

        init(runtime: any Runtime, path: String, show: @escaping @Sendable (RunRecord) -> Void) {
            self.runtime = runtime
            self.path = path
            self.show = show
        }

        mutating func tell(_ record: RunRecord, isFinal: Bool = false) throws(Failure) {
            if let last, runtime.elapsed - last < Self.period, !isFinal { return }
            last = runtime.elapsed
            try Disk.publish(json(record), at: path)
            show(record)
        }
    }

    // MARK: judging

    private func judge(_ record: inout RunRecord, _ reporter: inout Reporter) async throws -> [JudgedBlock] {
        record.stage = .judge
        var judged: [JudgedBlock] = []
        try await forEachBlock { records in
            let block = records.block
            let key = key(of: records)
            let isThere = cache.has(key)
            if !isThere {
                var judge = try Judge(operators)
                let result = judge.judge(records.lines, fields: records.fields)
                try cache.store(result, under: key, by: block.ordinal)
            }
            return (
                block.ordinal, block.source, block.path, records.setAside, records.digest, block.check, key,
                block.bytesBefore,
                isThere
            )
        } done: { done in
            let (ordinal, source, path, setAside, digest, check, key, bytesBefore, isThere) = done
            let summary = try cache.summary(key).summary
            if !file.sources[source].isReference {
                record.summary += summary
                // Not the result's: blocks of the same records may have lost other ones.
                record.summary.setAside.merge(setAside, uniquingKeysWith: +)
            }
            judged.append(
                JudgedBlock(
                    ordinal: ordinal,
                    source: source,
                    sourceName: file.sources[source].name,
                    path: path,
                    digest: digest.hex,
                    check: check,
                    key: key.hex,
                    documents: summary.documents.count
                )
            )
            record.blocks += 1
            record.blocksReused += isThere ? 1 : 0
            record.bytesDone = max(record.bytesDone, bytesBefore)
            try reporter.tell(record)
        }
        judged.sort { $0.ordinal < $1.ordinal }
        return judged
    }

    /// What names a block's result.
    func key(of records: RecordBlock) -> Digest { key(of: records.block, records.digest.hex, records.fields) }

    /// - Parameter digest: Of the block's bytes, in hexadecimal digits.
    func key(of block: Block, _ digest: String, _ fields: PipelineDocument.Fields) -> Digest {
        var text = "\(digest) \(configuration.hex)"
        for name in [fields.text, fields.id, fields.url] { text += " \(name.utf8.count) \(name)" }
        if case .pages = block.content { text += " pages \(PageReading.version)" }
        return Disk.sha256(Array(text.utf8).span)
    }
}
