import Core
import Curation
import Glibc
import Wire

extension PipelineRun {
    /// What a block's part of the output is made of, beside the block.
    private struct Ingredients: Sendable {
        var key: Digest
        var removals: [UInt8]
        /// What the repeats that go depend on, where they are looked for.
        var merge: String

        /// A part made of the same is the same.
        func name(_ format: PipelineDocument.Output.Format) -> String {
            let removed = Disk.sha256(removals.span)
            return Disk.sha256(Array("3 \(key.hex) \(removed.hex) \(merge) \(format.rawValue)".utf8).span).hex
        }
    }

    /// Writes what is kept of every block, a file for each.
    func write(
        _ blocks: [JudgedBlock],
        _ merged: Merged,
        _ record: inout RunRecord,
        _ reporter: inout Reporter
    ) async throws {
        record.stage = .write
        record.bytesDone = 0
        try reporter.tell(record)
        let folder = file.outputFolder
        try Disk.makeFolder(folder + "/data")
        try Disk.makeFolder(folder + "/work/parts")
        let format = file.document.output.format
        var parts: [RunRecord.Part] = []
        var seen = 0
        try await forEachBlock(known: blocks) { records -> (RunRecord.Part?, [String: BlockSummary.Tally], Int) in
            let block = records.block
            guard !file.sources[block.source].isReference else { return (nil, [:], block.bytesBefore) }
            let ingredients = Ingredients(
                key: key(of: records),
                removals: try merged.removals.bytes(ofBlock: block.ordinal),
                merge: merged.repeats.areLookedFor ? merged.name : ""
            )
            let path = "data/part-\(Self.digits(block.ordinal)).\(format.ending)"
            let note = "\(folder)/work/parts/\(Self.digits(block.ordinal)).json"
            let name = ingredients.name(format)
            if let kept = try? readJSON(KeptPart.self, note), kept.name == name, kept.part.path == path,
                let file = try? InputFile(folder + "/" + path), file.count == kept.part.bytes,
                let items = try? InputFile(Self.itemsPath(folder, block.ordinal)),
                items.count == 32 * kept.part.documents
            {
                return (kept.part, kept.part.repeats, block.bytesBefore)
            }
            let written = try write(records, ingredients, merged)
            if merged.repeats.areLookedFor {
                try Disk.publish(written.taken, at: Self.takenPath(folder, block.ordinal))
            }
            guard written.documents > 0 else {
                unlink(folder + "/" + path)
                unlink(note)
                return (nil, written.lost, block.bytesBefore)
            }
            let bytes =
                switch format {
                case .jsonl: written.lines
                case .jsonlZstd: Packed.pack(written.lines)
                case .parquet: try ParquetPart.make(written.lines, records.fields)
                }
            // Without its note a part is nobody's, whatever comes between here and the new note.
            unlink(note)
            try Disk.publish(written.items, at: Self.itemsPath(folder, block.ordinal))
            try Disk.publish(bytes, at: folder + "/" + path)
            let part = RunRecord.Part(
                path: path,
                sha256: Disk.sha256(bytes.span).hex,
                bytes: bytes.count,
                documents: written.documents,
                textBytes: written.textBytes,
                repeats: written.lost,
                block: records.digest.hex,
                key: ingredients.key.hex
            )
            try Disk.publish(json(KeptPart(name: name, part: part)), at: note)
            return (part, part.repeats, block.bytesBefore)
        } done: { part, lost, bytesBefore in
            seen += 1
            if let part {
                parts.append(part)
                record.written.count += part.documents
                record.written.bytes += part.textBytes
            }
            // Also of a block of which nothing is left to write.
            for (kind, tally) in lost { record.repeats[kind, default: .init()] += tally }
            record.bytesDone = max(record.bytesDone, bytesBefore)
            try reporter.tell(record)
        }
        if seen < blocks.count { throw Self.changed(blocks[seen].path) }
        record.parts = parts.sorted { $0.path < $1.path }
        // Parts of an earlier run that this one has nothing for.
        let current = Set(parts.map(\.path))
        for name in try Disk.names(in: folder + "/data")
        where name.hasPrefix("part-") && !current.contains("data/" + name) {
            unlink("\(folder)/data/\(name)")
        }
    }

    static func changed(_ path: String) -> Failure {
        Failure(.conflict, "\(path) has changed since the run began. Run it again.")
    }

    /// A ``TakenRow`` for each document of a block that lost something to repeats, where they are looked for.
    static func takenPath(_ folder: String, _ ordinal: Int) -> String {
        "\(folder)/work/parts/\(digits(ordinal)).taken"
    }

    static func taken(_ file: PipelineFile, _ ordinal: Int) throws(Failure) -> [TakenRow] {
        guard let duplicates = file.document.duplicates,
            duplicates.lines != nil || duplicates.paragraphs != nil || duplicates.substrings != nil
        else { return [] }
        return TakenRow.read(try Disk.read(takenPath(file.outputFolder, ordinal), bytesMax: 1 << 32))
    }

    private static func itemsPath(_ folder: String, _ ordinal: Int) -> String {
        "\(folder)/work/parts/\(digits(ordinal)).items"
    }

    private struct KeptPart: Codable {
        var name: String
        var part: RunRecord.Part
    }

    static func digits(_ ordinal: Int) -> String {
        let digits = String(ordinal)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private struct Written {
        var lines: [UInt8] = []
        var documents = 0
        var textBytes = 0
        /// SHA-256 of each record's line without its line feed.
        var items: [UInt8] = []
        /// A ``TakenRow`` for each document that lost something to repeats.
        var taken: [UInt8] = []
        /// These, and what they lost, by kind.
        var lost: [String: BlockSummary.Tally] = [:]
    }

    /// The lines of what is kept: as they came, but for texts that were edited.
    private func write(
        _ records: RecordBlock,
        _ ingredients: Ingredients,
        _ merged: Merged
    ) throws(Failure) -> Written {
        let removed = Set(Removals.read(ingredients.removals).map(\.document.index))
        var kept = try KeptDocuments(cache, ingredients.key, records)
        let numbered = merged.numbering.blocks.first { $0.ordinal == records.block.ordinal }
        guard let numbered else { throw Self.changed(records.block.path) }
        var repeats = try merged.repeats.of(numbered)
        var written = Written()
        written.lines.reserveRoom(records.lines.count)
        while kept.next() {
            guard !removed.contains(kept.index) else { continue }
            if merged.repeats.areLookedFor {
                let (taken, isGone) = kept.take(&repeats, document: numbered.first + UInt64(kept.rank))
                if taken.total > 0 {
                    TakenRow(index: kept.index, taken: taken, isGone: isGone).write(to: &written.taken)
                    for kind in Taken.Kind.allCases where taken[kind] > 0 {
                        written.lost[kind.name, default: .init()].add(taken[kind])
                    }
                }
                // What had only what others have is gone with it.
                guard !isGone else { continue }
                written.textBytes -= taken.total
            }
            let start = written.lines.count
            kept.appendRecord(to: &written.lines)
            let digest = Disk.sha256(written.lines.span.extracting(start..<written.lines.count - 1))
            digest.append(to: &written.items)
            written.documents += 1
            written.textBytes += Int(kept.row.textBytes)
        }
        return written
    }
}

extension PipelineDocument.Output.Format {
    var ending: String { rawValue }
}
