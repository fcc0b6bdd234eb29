import Core
import Curation
import Glibc
import Wire

extension PipelineRun {
    /// Reads all sources in order and works on several blocks at a time.
    ///
    /// - Parameters:
    ///   - known: What judging found, so that blocks need not be hashed again for their names.
    ///   - work: On the pool's threads.
    ///   - done: One at a time, in the order in which work ends.
    func forEachBlock<Result: Sendable>(
        known: [JudgedBlock]? = nil,
        work: @escaping @Sendable (RecordBlock) throws -> Result,
        done: (Result) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var active = 0
            var reader = SourceReader(file, limits: limits)
            while let block = try reader.next() {
                try Task.checkCancellation()
                if active == workers, let result = try await group.next() {
                    active -= 1
                    try done(result)
                }
                active += 1
                let judged = known?.dropFirst(block.ordinal).first
                guard known == nil || judged != nil else { throw Self.changed(block.path) }
                group.addTask { try work(records(of: block, known: judged)) }
            }
            for try await result in group { try done(result) }
        }
    }

    /// What is known of pages' records that are kept.
    private struct KeptPages: Codable {
        var setAside: [String: Int]
        var sha256: String
    }

    /// What a block's records are. What pages become is kept: taking the text out of HTML is the longest of all steps.
    ///
    /// - Parameter judged: What judging found of it, should it have been judged.
    /// - Throws: ``Failure`` when it is not what was judged.
    func records(of block: Block, known judged: JudgedBlock? = nil) throws(Failure) -> RecordBlock {
        let digest: Digest
        if let judged {
            guard block.check == judged.check, let known = Digest(hex: judged.digest) else {
                throw Self.changed(block.path)
            }
            digest = known
        } else {
            digest = block.digest
        }
        var setAside = block.setAside
        switch block.content {
        case .lines(let lines):
            let fields = file.sources[block.source].fields
            return RecordBlock(block: block, digest: digest, lines: lines, fields: fields, setAside: setAside)
        case .pages(let batch):
            setAside.merge(batch.setAside, uniquingKeysWith: +)
            let name = Disk.sha256(Array("\(digest.hex) \(PageReading.version)".utf8).span).hex
            let path = "\(file.outputFolder)/work/pages/\(name.prefix(2))/\(name).jsonl.zst"
            var fates: [String: Int] = [:]
            let lines: [UInt8]
            if let kept = try? readJSON(KeptPages.self, path + ".json"),
                let packed = try? Disk.read(path, bytesMax: 1 << 32), Disk.sha256(packed.span).hex == kept.sha256
            {
                fates = kept.setAside
                lines = try Packed.unpack(packed, path)
            } else {
                var reading = PageReading()
                lines = reading.records(of: batch, setAside: &fates)
                try Disk.makeFolder("\(file.outputFolder)/work/pages/\(name.prefix(2))")
                let packed = Packed.pack(lines)
                // A plan and a run may both be at it, and equal batches side by side.
                let draft = "\(path).\(getpid()).\(block.ordinal).draft"
                try Disk.publish(packed, at: path, draft: draft)
                let kept = KeptPages(setAside: fates, sha256: Disk.sha256(packed.span).hex)
                try Disk.publish(json(kept), at: path + ".json", draft: draft)
            }
            setAside.merge(fates, uniquingKeysWith: +)
            return RecordBlock(
                block: block,
                digest: digest,
                lines: lines,
                fields: PipelineDocument.Fields(),
                setAside: setAside
            )
        }
    }
}

/// Reads the files of all sources, one block after another.
struct SourceReader: ~Copyable {
    private let file: PipelineFile
    private let limits: BlockLimits
    private var source = 0
    private var input = 0
    private var ordinal = 0
    /// Bytes of the files that were read to their end.
    private var bytesBefore = 0
    private var open = Open.none

    private enum Open: ~Copyable {
        case none
        case lines(LineBlocks)
        case archive(WARCBlocks)
        case table(ParquetBlocks)
        case files(FileBlocks, count: Int)
    }

    init(_ file: PipelineFile, limits: BlockLimits) {
        self.file = file
        self.limits = limits
    }

    /// The next block; `nil` after the last file's last.
    mutating func next() throws(Failure) -> Block? {
        while source < file.sources.count {
            let files = file.sources[source].files
            guard input < files.count else {
                source += 1
                input = 0
                continue
            }
            if let block = try nextOfOpen(files) { return block }
        }
        return nil
    }

    private mutating func nextOfOpen(_ files: [PipelineFile.Source.File]) throws(Failure) -> Block? {
        let current = files[input]
        var state = Open.none
        swap(&state, &open)
        switch consume state {
        case .none:
            switch current.format.content {
            case .jsonl: open = .lines(try LineBlocks(current, limits: limits))
            case .warc: open = .archive(try WARCBlocks(current, limits: limits))
            case .text, .html:
                let count = files[input...].prefix { [.text, .html].contains($0.format.content) }.count
                let group = Array(files[input..<input + count])
                let root = file.sources[source].revision?.folder ?? file.folder
                open = .files(FileBlocks(group, root: root + "/", limits: limits), count: count)
            case .parquet:
                do throws(Failure) {
                    open = .table(try .open(current, limits: limits))
                } catch {
                    guard error.code == .invalid else { throw error }
                    // One file that is no table must not end a run over thousands.
                    close(current.bytes, 1)
                    return block(.lines([]), current.path, 0, ["no-parquet": 1])
                }
            }
            return nil
        case .lines(var blocks):
            guard let lines = try blocks.next() else {
                close(current.bytes, 1)
                return nil
            }
            let block = block(.lines(lines), current.path, blocks.fileOffset, blocks.setAside)
            open = .lines(blocks)
            return block
        case .table(var blocks):
            guard let lines = try blocks.next() else {
                close(current.bytes, 1)
                return nil
            }
            let block = block(.lines(lines), current.path, blocks.fileOffset, blocks.setAside)
            open = .table(blocks)
            return block
        case .archive(var blocks):
            guard let batch = try blocks.next() else {
                close(current.bytes, 1)
                return nil
            }
            let block = block(.pages(batch), current.path, blocks.fileOffset, [:])
            open = .archive(blocks)
            return block
        case .files(var blocks, let count):
            guard let batch = try blocks.batch() else {
                close(files[input..<input + count].reduce(0) { $0 + $1.bytes }, count)
                return nil
            }
            let block = block(.pages(batch), current.path, blocks.bytesRead, [:])
            open = .files(blocks, count: count)
            return block
        }
    }

    private mutating func close(_ bytes: Int, _ count: Int) {
        input += count
        bytesBefore += bytes
    }

    private mutating func block(
        _ content: Block.Content,
        _ path: String,
        _ offset: Int,
        _ setAside: [String: Int]
    ) -> Block {
        defer { ordinal += 1 }
        return Block(
            ordinal: ordinal,
            source: source,
            path: path,
            content: content,
            bytesBefore: bytesBefore + offset,
            setAside: setAside
        )
    }
}
