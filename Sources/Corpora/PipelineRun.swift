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
    let earlier: EarlierResults

    /// - Parameters:
    ///   - results: Output folders of other runs or of parts of this one, or folders of such: what they found of a block
    ///     is taken where it is whole and of the same configuration.
    ///   - workers: At most so many blocks at a time; each takes memory for about three of it.
    ///   - now: The time of day, for the record of the run.
    /// - Throws: ``Failure`` when a file that the pipeline names cannot be used.
    public init(
        _ file: PipelineFile,
        results: [String] = [],
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
        earlier = try EarlierResults(results)
    }

    /// What operators do to a text changes with it; results of an earlier version are not used.
    private static let version = 3

    static func configuration(of file: PipelineFile, _ operators: Operators) throws(Failure) -> Digest {
        var judged = file.document
        judged.name = ""
        judged.sources = []
        judged.output.folder = ""
        judged.output.format = .jsonl
        // Their digests count, and of which operator they are, not where they lie.
        for index in judged.classifiers.indices { judged.classifiers[index].model = "" }
        let packs = judged.keywords?.packs ?? []
        judged.keywords?.packs = packs.map { _ in "" }
        judged.contamination?.against = []
        judged.tokenizer = judged.tokenizer.map { _ in "" }
        let text = try json(judged) + Array("\(version) \(operators.files.map(\.hex).joined(separator: " "))".utf8)
        return Disk.sha256(text.span)
    }

    /// Runs it to the end.
    ///
    /// - Throws: ``Failure``; `CancellationError` when the task was cancelled. What was done stays done.
    public func run(progress: @escaping @Sendable (RunRecord) -> Void) async throws -> RunRecord {
        try await carryOut(progress) { record, reporter in
            record.bytesTotal = file.byteCount
            let blocks = try await judge(&record, &reporter)
            try Disk.publish(blocks.reduce(into: []) { $0 += try json($1) }, at: file.outputFolder + "/blocks.jsonl")
            let removals = try await merge(blocks, &record, &reporter)
            try await write(blocks, removals, &record, &reporter)
        }
    }

    /// Judges the blocks of one part and ends; a run that is given the output folder takes the results from there.
    ///
    /// - Throws: As ``run(progress:)``.
    public func judge(
        _ part: PipelinePart,
        progress: @escaping @Sendable (RunRecord) -> Void
    ) async throws -> RunRecord {
        try await carryOut(progress) { record, reporter in
            record.part = "\(part)"
            record.bytesTotal = part.stretch(of: file.byteCount).bytes
            _ = try await judge(&record, &reporter, part)
        }
    }

    private func carryOut(
        _ progress: @escaping @Sendable (RunRecord) -> Void,
        _ body: (inout RunRecord, inout Reporter) async throws -> Void
    ) async throws -> RunRecord {
        try Disk.makeFolder(file.outputFolder + "/work/blocks")
        let lock = try RunLock(file.outputFolder)
        defer { lock.release() }
        var record = RunRecord(pipeline: file.document.name, configuration: configuration.hex, started: now())
        record.process = Int(getpid())
        var reporter = Reporter(runtime: runtime, path: recordPath, show: progress)
        try reporter.tell(record, isFinal: true)
        try await body(&record, &reporter)
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

    /// Where a block's result came from.
    private enum Provenance: Sendable {
        case wasThere, brought, judged
        /// Judged, although somebody else had something under its name.
        case judgedAgain
    }

    private func judge(
        _ record: inout RunRecord,
        _ reporter: inout Reporter,
        _ part: PipelinePart? = nil
    ) async throws -> [JudgedBlock] {
        record.stage = .judge
        var judged: [JudgedBlock] = []
        let bytesOfOthers = max(0, part?.stretch(of: file.byteCount).after ?? 0)
        try await forEachBlock(of: part) { records in
            let block = records.block
            let key = key(of: records)
            return (
                block.ordinal, block.source, block.path, records.setAside, records.digest, block.check, key,
                block.bytesBefore - bytesOfOthers, block.bytes,
                try result(of: records, key)
            )
        } done: { done in
            let (ordinal, source, path, setAside, digest, check, key, bytesBefore, bytes, provenance) = done
            let summary = try cache.summary(key).summary
            if !file.sources[source].isReference {
                record.summary += summary
                // Not the result's: blocks of the same records may have lost other ones.
                record.summary.setAside.merge(setAside, uniquingKeysWith: +)
            }
            var block = JudgedBlock(
                ordinal: ordinal,
                source: source,
                sourceName: file.sources[source].name,
                path: file.relative(path, in: file.sources[source]),
                digest: digest.hex,
                check: check,
                key: key.hex,
                documents: summary.documents.count
            )
            block.bytes = bytes
            judged.append(block)
            record.blocks += 1
            record.blocksReused += provenance == .wasThere || provenance == .brought ? 1 : 0
            record.blocksBrought = (record.blocksBrought ?? 0) + (provenance == .brought ? 1 : 0)
            record.blocksDamaged = (record.blocksDamaged ?? 0) + (provenance == .judgedAgain ? 1 : 0)
            record.bytesDone = max(record.bytesDone, bytesBefore)
            try reporter.tell(record)
        }
        judged.sort { $0.ordinal < $1.ordinal }
        return judged
    }

    /// Sees to it that a block's result is in the cache.
    private func result(of records: RecordBlock, _ key: Digest) throws(Failure) -> Provenance {
        if cache.has(key) { return .wasThere }
        let arrival = try earlier.bring(key, to: cache, by: records.block.ordinal)
        if case .brought = arrival { return .brought }
        var judge = try Judge(operators)
        let result = judge.judge(records.lines, fields: records.fields)
        try cache.store(result, under: key, by: records.block.ordinal)
        if case .damaged = arrival { return .judgedAgain }
        return .judged
    }

    /// What names a block's result.
    func key(of records: RecordBlock) -> Digest { key(of: records.block, records.digest.hex, records.fields) }

    /// - Parameter digest: Of the block's bytes, in hexadecimal digits.
    func key(of block: Block, _ digest: String, _ fields: PipelineDocument.Fields) -> Digest {
        var text = "\(digest) \(configuration.hex)"
        for name in [fields.text, fields.id, fields.url] { text += " \(name.utf8.count) \(name)" }
        switch block.content {
        case .lines: break
        case .pages, .keptPages: text += " pages \(PageReading.version)"
        }
        return Disk.sha256(Array(text.utf8).span)
    }
}
