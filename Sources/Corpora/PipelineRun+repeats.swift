import Core
import Curation
import Glibc

extension PipelineRun {
    /// Finds what documents have of those before them, in what duplicates left: nothing must go because of a document
    /// that goes itself.
    ///
    /// - Parameter folder: Keeps what was found.
    func repeats(_ numbering: Numbering, without removals: Removals, in folder: String) throws(Failure) -> Repeats {
        var repeats = Repeats()
        if let settings = operators.lines {
            let repeated = try repeatedLines(numbering, removals, settings) { key throws(Failure) in
                try cache.lines(key)
            }
            repeats.lines = (LineScanner(settings), repeated)
        }
        if let settings = operators.paragraphs {
            let repeated = try repeatedLines(numbering, removals, settings) { key throws(Failure) in
                try cache.paragraphs(key)
            }
            repeats.paragraphs = (LineScanner(settings), repeated)
        }
        if let selector = operators.passages {
            repeats.passages = (selector, try repeatedStretches(numbering, removals, selector, in: folder))
        }
        return repeats
    }

    /// Ranks of a block's kept documents that duplicates took.
    private func ranksGone(_ block: Numbering.NumberedBlock, _ removals: Removals) throws(Failure) -> Set<Int> {
        let removed = Set(try removals.of(block.ordinal).map(\.document.index))
        guard !removed.isEmpty else { return [] }
        let kept = Numbering.keptIndexes(try cache.items(block.key))
        return Set(kept.indices.filter { removed.contains(kept[$0]) })
    }

    private func repeatedLines(
        _ numbering: Numbering,
        _ removals: Removals,
        _ settings: RepeatedLineSettings,
        _ entries: (Digest) throws(Failure) -> [UInt8]
    ) throws(Failure) -> RepeatedLines {
        // About a line to sixty bytes.
        let bytes = file.sources.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.bytes } }
        let count = PartitionFiles.count(for: bytes / 60 * MemoryLayout<LineEntry>.stride)
        let partitions = try PartitionFiles(file.outputFolder + "/work/lines.draft", count: count)
        for block in numbering.blocks {
            let lines = try entries(block.key)
            let gone = try ranksGone(block, removals)
            for at in stride(from: 0, to: lines.count, by: 16) {
                let rank = UInt64(lines, at: at + 8)
                guard !gone.contains(Int(rank)) else { continue }
                let hash = UInt64(lines, at: at)
                try partitions.append(LineEntry(hash: hash, document: block.first + rank), to: Int(hash >> 40) % count)
            }
        }
        var repeated = RepeatedLines()
        for partition in 0..<count {
            var entries = try partitions.take(LineEntry.self, partition)
            repeated.count(&entries, settings)
        }
        return repeated
    }

    private struct StoredStretches: Codable {
        var offsets: [Int]
        /// Of the stretches: of the SHA-256 of each block's, one after another.
        var sha256: String
    }

    private func repeatedStretches(
        _ numbering: Numbering,
        _ removals: Removals,
        _ selector: PassageSelector,
        in folder: String
    ) throws(Failure) -> StretchFile {
        let path = folder + "/stretches.bin"
        let blocks = (numbering.blocks.map(\.ordinal).max() ?? -1) + 1
        if let kept = try? readJSON(StoredStretches.self, folder + "/stretches.json"),
            let file = StretchFile(path: path, offsets: kept.offsets), kept.offsets.count == blocks + 1,
            (try? file.digest().hex) == kept.sha256
        {
            return file
        }
        let bytes = file.sources.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.bytes } }
        let entryBytes = MemoryLayout<PassageEntry>.stride
        let count = PartitionFiles.count(for: bytes / selector.bytesMin * 8 * entryBytes)
        let partitions = try PartitionFiles(file.outputFolder + "/work/passages.draft", count: count)
        var total = 0
        for block in numbering.blocks {
            let gone = try ranksGone(block, removals)
            try Stretches.forEachPassage(
                try cache.passages(block.key),
                of: block,
                isGone: { gone.contains($0) }
            ) { entry throws(Failure) in
                total += 1
                try partitions.append(entry, to: Int(entry.hash >> 40) % count)
            }
        }
        // By document, in ranges that ascend.
        let ranges = PartitionFiles.count(for: total * MemoryLayout<RepeatedStretch>.stride)
        let width = UInt64(numbering.total / ranges + 1)
        let found = try PartitionFiles(file.outputFolder + "/work/stretches.draft", count: ranges)
        for partition in 0..<count {
            var entries = try partitions.take(PassageEntry.self, partition)
            try RepeatedPassages.find(
                among: &entries,
                bytesMin: selector.bytesMin,
                firstOwn: numbering.firstOwn
            ) { stretch throws(Failure) in
                try found.append(stretch, to: Int(stretch.document / width))
            }
        }
        try Disk.makeFolder(folder)
        var output = try OutputFile(path + ".draft")
        // Blocks that are ours ascend with their numbers; of others nothing goes.
        var stretchCounts = [Int](repeating: 0, count: blocks)
        for range in 0..<ranges {
            var stretches = try found.take(RepeatedStretch.self, range)
            RepeatedPassages.join(&stretches)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(stretches.count * StretchFile.rowBytes)
            for stretch in stretches {
                StretchFile.write(stretch, to: &bytes)
                stretchCounts[numbering.block(of: stretch.document).ordinal] += 1
            }
            try output.append(bytes.span)
        }
        try output.close()
        guard rename(path + ".draft", path) == 0 else { throw Disk.failure("replaced", path) }
        var offsets = [0]
        for count in stretchCounts { offsets.append((offsets.last ?? 0) + count * StretchFile.rowBytes) }
        guard let written = StretchFile(path: path, offsets: offsets) else { throw Disk.failure("read", path) }
        let stored = StoredStretches(offsets: offsets, sha256: try written.digest().hex)
        try Disk.publish(json(stored), at: folder + "/stretches.json")
        return written
    }
}
