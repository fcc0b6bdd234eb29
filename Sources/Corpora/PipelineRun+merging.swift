import Core
import Curation
import Wire

extension PipelineRun {
    /// Finds the documents that others stand for.
    ///
    /// Documents that are kept so far are numbered one after another, those that are only compared with first: whoever
    /// comes first stays. What is found depends on the blocks alone, so it is kept under their names.
    func merge(
        _ blocks: [JudgedBlock],
        _ record: inout RunRecord,
        _ reporter: inout Reporter
    ) async throws -> Merged {
        record.stage = .merge
        record.bytesDone = 0
        try reporter.tell(record)
        let numbering = try Numbering(blocks, file, cache)
        let name = try Self.mergeName(blocks, file)
        let folder = "\(file.outputFolder)/work/merge/\(name)"
        func merged(_ removals: Removals) throws(Failure) -> Merged {
            let repeats = try repeats(numbering, without: removals, in: folder)
            return Merged(removals: removals, numbering: numbering, repeats: repeats, name: name)
        }
        if let kept = try? readJSON(StoredRemovals.self, folder + "/removals.json"),
            let bytes = try? Disk.read(folder + "/removals.bin", bytesMax: 1 << 40),
            Disk.sha256(bytes.span).hex == kept.sha256, kept.offsets.count == blocks.count + 1
        {
            record.duplicates = kept.tallies
            return try merged(Removals(path: folder + "/removals.bin", offsets: kept.offsets))
        }
        var found: [DuplicateRemoval] = []
        if let duplicates = file.document.duplicates {
            let exact = try exactDuplicates(numbering)
            found = exact
            if duplicates.near != nil {
                var skipped = DocumentSet()
                for removal in exact { skipped.insert(removal.document) }
                let near = try await nearDuplicates(blocks, numbering, skipping: skipped)
                found = DuplicateRemoval.joined(exact: exact, near: near)
            }
            found.sort { $0.document < $1.document }
        }
        return try merged(keep(found, numbering, in: folder, &record))
    }

    /// What looking at all blocks together gave.
    struct Merged: Sendable {
        var removals: Removals
        var numbering: Numbering
        var repeats: Repeats
        /// Of everything that it was made of.
        var name: String
    }

    /// What the last run's merge found.
    static func lastRemovals(_ file: PipelineFile) throws(Failure) -> Removals {
        let folder = "\(file.outputFolder)/work/merge/\(try mergeName(judgedBlocks(file), file))"
        let kept = try readJSON(StoredRemovals.self, folder + "/removals.json")
        let path = folder + "/removals.bin"
        guard try Disk.sha256(file: path).0.hex == kept.sha256 else {
            throw Failure(.invalid, "\(path) is damaged. Remove its folder and run the pipeline again.")
        }
        return Removals(path: path, offsets: kept.offsets)
    }

    static func mergeName(_ blocks: [JudgedBlock], _ file: PipelineFile) throws(Failure) -> String {
        var text = try json(file.document.duplicates)
        for block in blocks {
            text += Array("\(block.key) \(file.sources[block.source].isReference)\n".utf8)
        }
        return Disk.sha256(text.span).hex
    }

    struct StoredRemovals: Codable {
        var offsets: [Int]
        var tallies: [String: BlockSummary.Tally]
        /// Of the removals.
        var sha256: String
    }

    /// Writes the removals down by block.
    private func keep(
        _ found: [DuplicateRemoval],
        _ numbering: Numbering,
        in folder: String,
        _ record: inout RunRecord
    ) throws(Failure) -> Removals {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(found.count * Removal.byteCount)
        var stored = StoredRemovals(offsets: [], tallies: [:], sha256: "")
        var next = 0
        for block in numbering.blocks.sorted(by: { $0.ordinal < $1.ordinal }) {
            stored.offsets.append(bytes.count)
            let range = block.first..<block.first + UInt64(block.count)
            // Blocks of one kind ascend with their numbers; those only compared with lose nothing.
            guard next < found.count, range.contains(found[next].document) else { continue }
            let items = try cache.items(block.key)
            let kept = Numbering.keptIndexes(items)
            while next < found.count, range.contains(found[next].document) {
                let removal = found[next]
                let index = kept[Int(removal.document - block.first)]
                let kind: Removal.Kind = removal.jaccard == 1 ? .exact : .near
                Removal(
                    document: DocumentNumber(block: block.ordinal, index: index),
                    representative: removal.representative,
                    jaccard: Float(removal.jaccard),
                    kind: kind
                ).write(to: &bytes)
                stored.tallies[kind.name, default: .init()].add(
                    Int(ItemRow(items, at: index * ItemRow.byteCount).textBytes)
                )
                next += 1
            }
        }
        stored.offsets.append(bytes.count)
        stored.sha256 = Disk.sha256(bytes.span).hex
        try Disk.makeFolder(folder)
        try Disk.publish(bytes, at: folder + "/removals.bin")
        try Disk.publish(json(stored), at: folder + "/removals.json")
        record.duplicates = stored.tallies
        return Removals(path: folder + "/removals.bin", offsets: stored.offsets)
    }

    // MARK: exact

    private func exactDuplicates(_ numbering: Numbering) throws(Failure) -> [DuplicateRemoval] {
        guard operators.sketchByteCount > 0 else { return [] }
        let stride = MemoryLayout<ExactEntry>.stride
        let count = PartitionFiles.count(for: numbering.total * stride)
        let partitions = try PartitionFiles(file.outputFolder + "/work/exact.draft", count: count)
        for block in numbering.blocks {
            let sketches = try cache.sketches(block.key)
            let size = operators.sketchByteCount
            for rank in 0..<block.count {
                let at = rank * size
                guard UInt64(sketches, at: at) == 1 else { continue }
                let hash = TextHash(high: .init(sketches, at: at + 8), low: .init(sketches, at: at + 16))
                let entry = ExactEntry(hash: hash, document: block.first + UInt64(rank))
                try partitions.append(entry, to: Int(hash.high % UInt64(count)))
            }
        }
        var found: [DuplicateRemoval] = []
        for partition in 0..<count {
            var entries = try partitions.take(ExactEntry.self, partition)
            found += ExactDuplicates.removals(among: &entries, firstOwn: numbering.firstOwn)
        }
        return found
    }

    // MARK: near

    private func nearDuplicates(
        _ blocks: [JudgedBlock],
        _ numbering: Numbering,
        skipping skipped: DocumentSet
    ) async throws -> [DuplicateRemoval] {
        guard let settings = operators.near else { return [] }
        // Documents in some bucket, in ranges that ascend, since the check wants them so.
        let bucketBytes = numbering.total * 4 * MemoryLayout<BucketEntry>.stride
        let ranges = PartitionFiles.count(for: bucketBytes)
        let width = UInt64(numbering.total / ranges + 1)
        let buckets = try PartitionFiles(file.outputFolder + "/work/buckets.draft", count: ranges)
        var candidates = DocumentSet()
        let bucketCount = try join(numbering, settings, skipping: skipped) { entry in
            candidates.insert(entry.document)
            try buckets.append(entry, to: Int(entry.document / width))
        }
        let texts = try await CandidateTexts.gather(self, blocks, numbering, candidates)
        var check = NearDuplicateCheck(settings, bucketCount: bucketCount, firstOwn: numbering.firstOwn)
        var found: [DuplicateRemoval] = []
        for range in 0..<ranges {
            var entries = try buckets.take(BucketEntry.self, range)
            try check.check(&entries, into: &found) { document, piece in try texts.give(document, to: piece) }
        }
        return found
    }

    private func join(
        _ numbering: Numbering,
        _ settings: NearDuplicateSettings,
        skipping skipped: DocumentSet,
        found: (BucketEntry) throws -> Void
    ) throws -> UInt64 {
        let stride = MemoryLayout<BandEntry>.stride
        let count = PartitionFiles.count(for: numbering.total * settings.bands * stride)
        let bands = try PartitionFiles(file.outputFolder + "/work/bands.draft", count: count)
        for block in numbering.blocks {
            let sketches = try cache.sketches(block.key)
            let size = operators.sketchByteCount
            for rank in 0..<block.count {
                let at = rank * size
                let document = block.first + UInt64(rank)
                guard UInt64(sketches, at: at) == 1, !skipped.contains(document) else { continue }
                for band in 0..<settings.bands {
                    let key = UInt64(sketches, at: at + 24 + 8 * band)
                    try bands.append(BandEntry(key: key, document: document), to: Int(key >> 32) % count)
                }
            }
        }
        var join = NearDuplicateJoin(firstOwn: numbering.firstOwn)
        var buckets: [BucketEntry] = []
        for partition in 0..<count {
            var entries = try bands.take(BandEntry.self, partition)
            buckets.removeAll(keepingCapacity: true)
            join.join(&entries, skipping: skipped, into: &buckets)
            for bucket in buckets { try found(bucket) }
        }
        return join.bucketCount
    }
}
