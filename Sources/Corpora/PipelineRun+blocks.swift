import Core
import Curation
import Glibc
import Wire

extension PipelineRun {
    /// Reads all sources in order and works on several blocks at a time.
    ///
    /// - Parameters:
    ///   - part: Whose blocks; all when left out.
    ///   - known: What judging found, so that blocks need not be hashed again for their names.
    ///   - work: On the pool's threads.
    ///   - done: One at a time, in the order in which work ends.
    func forEachBlock<Result: Sendable>(
        of part: PipelinePart? = nil,
        known: [JudgedBlock]? = nil,
        work: @escaping @Sendable (RecordBlock) throws -> Result,
        done: (Result) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var active = 0
            var reader = SourceReader(file, limits: limits, part: part)
            if let known { reader.pass(over: known) { pages(of: $0).paths.contains(where: Disk.exists) } }
            while let block = try reader.next() {
                try Task.checkCancellation()
                if active == workers, let result = try await group.next() {
                    active -= 1
                    try done(result)
                }
                active += 1
                let judged = known?.dropFirst(block.ordinal).first
                guard known == nil || judged != nil else { throw Self.changed(block.path) }
                group.addTask {
                    do {
                        return try work(records(of: block, known: judged))
                    } catch let failure as Failure {
                        throw failure.of(block)
                    }
                }
            }
            for try await result in group { try done(result) }
        }
    }

    /// What is known of pages' records that are kept.
    private struct KeptPages: Codable {
        /// The name that they were kept under: what was moved or copied elsewhere is nobody's.
        var name: String
        var setAside: [String: Int]
        var sha256: String
    }

    /// The first of these that is whole. What is elsewhere stays there: it can be made again.
    private static func keptPages(
        _ name: String,
        at paths: [String]
    ) throws(Failure) -> (setAside: [String: Int], lines: [UInt8])? {
        for path in paths {
            if let kept = try? readJSON(KeptPages.self, path + ".json"), kept.name == name,
                let packed = try? Disk.read(path, bytesMax: 1 << 32), Disk.sha256(packed.span).hex == kept.sha256
            {
                return (kept.setAside, try Packed.unpack(packed, path))
            }
        }
        return nil
    }

    /// What a block's records are. What pages become is kept: taking the text out of HTML is the longest of all steps.
    ///
    /// - Parameter judged: What judging found of it, should it have been judged.
    /// - Throws: ``Failure`` when it is not what was judged.
    func records(of block: Block, known judged: JudgedBlock? = nil) throws(Failure) -> RecordBlock {
        let digest: Digest
        if let judged {
            // Of an archive that is still the same there is nothing else to look at.
            let isSame = if case .keptPages = block.content { true } else { block.check == judged.check }
            guard isSame, let known = Digest(hex: judged.digest) else {
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
            let (name, paths) = pages(of: digest)
            var fates: [String: Int] = [:]
            let lines: [UInt8]
            if let kept = try Self.keptPages(name, at: paths) {
                (fates, lines) = kept
            } else {
                var reading = PageReading()
                lines = reading.records(of: batch, setAside: &fates)
                let path = paths[0]
                try Disk.makeFolder(Disk.folder(of: path))
                let packed = Packed.pack(lines)
                // A plan and a run may both be at it, and equal batches side by side.
                let draft = "\(path).\(getpid()).\(block.ordinal).draft"
                try Disk.publish(packed, at: path, draft: draft)
                let kept = KeptPages(name: name, setAside: fates, sha256: Disk.sha256(packed.span).hex)
                try Disk.publish(json(kept), at: path + ".json", draft: draft)
            }
            setAside.merge(fates, uniquingKeysWith: +)
            return records(ofPages: block, digest, lines, setAside)
        case .keptPages:
            let (name, paths) = pages(of: digest)
            guard let (fates, lines) = try Self.keptPages(name, at: paths) else {
                throw Failure(.conflict, "\(paths[0]) is damaged or gone. Run it again.")
            }
            return records(ofPages: block, digest, lines, setAside.merging(fates, uniquingKeysWith: +))
        }
    }

    private func records(
        ofPages block: Block,
        _ digest: Digest,
        _ lines: [UInt8],
        _ setAside: [String: Int]
    ) -> RecordBlock {
        RecordBlock(
            block: block,
            digest: digest,
            lines: lines,
            fields: PipelineDocument.Fields(),
            setAside: setAside
        )
    }

    /// What names the records that pages became, and where they may be kept: here first, then where others left them.
    private func pages(of digest: Digest) -> (name: String, paths: [String]) {
        let key = Disk.sha256(Array("\(digest.hex) \(PageReading.version)".utf8).span)
        let here = "\(file.outputFolder)/work/pages/\(key.hex.prefix(2))/\(key.hex).jsonl.zst"
        return (key.hex, [here] + earlier.pagePaths(key))
    }
}

extension Failure {
    /// Says which block it was about, and where that is.
    fileprivate func of(_ block: Block) -> Failure {
        let place = detail.contains(block.path) ? "" : " of \(block.path)"
        return Failure(
            code,
            "\(detail) It was about block \(block.number)\(place).",
            note: note,
            violations: violations,
            retryAfter: retryAfter
        )
    }
}

/// Reads the files of all sources, or as far as a part needs them, one block after another.
struct SourceReader: ~Copyable {
    private let file: PipelineFile
    private let limits: BlockLimits
    private let stretch: PipelinePart.Stretch?
    private var source = 0
    private var input = 0
    private var ordinal = 0
    /// Blocks of the file that is open.
    private var number = 0
    /// Bytes of the files that were read to their end.
    private var bytesBefore = 0
    private var open = Open.none
    /// What an earlier pass of the same run found, if there was one, and whether pages are kept by their digest.
    private var known: (blocks: [JudgedBlock], hasPages: (Digest) -> Bool)?

    private enum Open: ~Copyable {
        case none
        case lines(LineBlocks)
        case archive(WARCBlocks)
        case keptArchive(KeptArchive)
        case table(ParquetBlocks)
        case files(FileBlocks, count: Int)
    }

    init(_ file: PipelineFile, limits: BlockLimits, part: PipelinePart? = nil) {
        self.file = file
        self.limits = limits
        stretch = part?.stretch(of: file.byteCount)
    }

    /// Reads again what was judged: archives whose pages are kept are only looked at whether they are still the same.
    mutating func pass(over judged: [JudgedBlock], hasPages: @escaping (Digest) -> Bool) {
        known = (judged, hasPages)
    }

    /// The next block; `nil` after the last.
    mutating func next() throws(Failure) -> Block? {
        guard let stretch else { return try nextOfAll() }
        while bytesBefore <= stretch.through, let block = try nextOfAll() {
            // Ends ascend.
            if block.bytesBefore > stretch.through { return nil }
            if block.bytesBefore > stretch.after { return block }
        }
        return nil
    }

    private mutating func nextOfAll() throws(Failure) -> Block? {
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
            number = 0
            let group = Self.group(of: files[input...])
            let bytes = group.reduce(0) { $0 + $1.bytes }
            if let stretch, bytesBefore + bytes <= stretch.after {
                close(bytes, group.count)
                return nil
            }
            switch current.format.content {
            case .jsonl: open = .lines(try LineBlocks(current, limits: limits))
            case .warc:
                if let kept = try keptArchive(current) {
                    open = .keptArchive(kept)
                } else {
                    open = .archive(try WARCBlocks(current, limits: limits))
                }
            case .text, .html:
                let count = group.count
                let root = file.sources[source].revision?.folder ?? file.folder
                open = .files(FileBlocks(Array(group), root: root + "/", limits: limits), count: count)
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
            var block = block(.pages(batch), current.path, blocks.fileOffset, [:])
            if known == nil { block.bytes = try blocks.batchBytes() }
            open = .archive(blocks)
            return block
        case .keptArchive(var blocks):
            guard let judged = try blocks.block(), let digest = Digest(hex: judged.digest) else {
                close(current.bytes, 1)
                return nil
            }
            let block = block(.keptPages(digest), current.path, judged.bytes?.range.upperBound ?? 0, [:])
            open = .keptArchive(blocks)
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

    /// The first file, with those after it that are cut into blocks together with it.
    private static func group(of files: ArraySlice<PipelineFile.Source.File>) -> ArraySlice<PipelineFile.Source.File> {
        let pages = files.prefix { [.text, .html].contains($0.format.content) }
        return pages.isEmpty ? files.prefix(1) : pages
    }

    /// The archive, if an earlier pass has read all of it and what its pages became is kept.
    private func keptArchive(_ current: PipelineFile.Source.File) throws(Failure) -> KeptArchive? {
        guard let known else { return nil }
        let name = file.relative(current.path, in: file.sources[source])
        return try KeptArchive.open(current, named: name, known.blocks.dropFirst(ordinal)) { block in
            Digest(hex: block.digest).map(known.hasPages) ?? false
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
        number += 1
        return Block(
            ordinal: ordinal,
            number: number,
            source: source,
            path: path,
            content: content,
            bytesBefore: bytesBefore + offset,
            setAside: setAside
        )
    }
}
