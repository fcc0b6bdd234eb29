import Core
import Curation
import Glibc
import Wire

extension PipelineRun {
    /// What a block's part of the output is made of, beside the block.
    private struct Ingredients: Sendable {
        var key: Digest
        var removals: [UInt8]

        /// A part made of the same is the same.
        func name(_ format: PipelineDocument.Output.Format) -> String {
            let removed = Disk.sha256(removals.span)
            return Disk.sha256(Array("1 \(key.hex) \(removed.hex) \(format.rawValue)".utf8).span).hex
        }
    }

    /// Writes what is kept of every block, a file for each.
    func write(
        _ blocks: [JudgedBlock],
        _ removals: Removals,
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
        try await forEachBlock { block -> (RunRecord.Part?, [Removal], Int) in
            guard block.ordinal < blocks.count else { throw Self.changed(block.path) }
            let judged = blocks[block.ordinal]
            let digest = block.digest
            guard judged.digest == digest.hex else { throw Self.changed(block.path) }
            guard !file.sources[block.source].isReference else { return (nil, [], block.bytesBefore) }
            let ingredients = Ingredients(
                key: key(of: digest, source: block.source),
                removals: try removals.bytes(ofBlock: block.ordinal)
            )
            let path = "data/part-\(Self.digits(block.ordinal)).\(format.ending)"
            let note = "\(folder)/work/parts/\(Self.digits(block.ordinal)).json"
            let name = ingredients.name(format)
            if let kept = try? readJSON(KeptPart.self, note), kept.name == name, kept.part.path == path,
                let file = try? InputFile(folder + "/" + path), file.count == kept.part.bytes
            {
                return (kept.part, Removals.read(ingredients.removals), block.bytesBefore)
            }
            let written = try write(block, ingredients)
            guard written.documents > 0 else {
                unlink(folder + "/" + path)
                unlink(note)
                return (nil, Removals.read(ingredients.removals), block.bytesBefore)
            }
            let bytes = format == .jsonl ? written.lines : Packed.pack(written.lines)
            try Disk.publish(bytes, at: folder + "/" + path)
            let part = RunRecord.Part(
                path: path,
                sha256: Disk.sha256(bytes.span).hex,
                bytes: bytes.count,
                documents: written.documents,
                textBytes: written.textBytes,
                block: digest.hex,
                key: ingredients.key.hex
            )
            try Disk.publish(json(KeptPart(name: name, part: part)), at: note)
            return (part, Removals.read(ingredients.removals), block.bytesBefore)
        } done: { part, removals, bytesBefore in
            if let part {
                parts.append(part)
                record.written.count += part.documents
                record.written.bytes += part.textBytes
            }
            record.bytesDone = max(record.bytesDone, bytesBefore)
            try reporter.tell(record)
        }
        record.parts = parts.sorted { $0.path < $1.path }
        // Parts of an earlier run that this one has nothing for.
        let current = Set(parts.map(\.path))
        for name in try Disk.names(in: folder + "/data")
        where name.hasPrefix("part-") && !current.contains("data/" + name) {
            unlink("\(folder)/data/\(name)")
        }
    }

    private static func changed(_ path: String) -> Failure {
        Failure(.conflict, "\(path) has changed since the run began. Run it again.")
    }

    private struct KeptPart: Codable {
        var name: String
        var part: RunRecord.Part
    }

    private static func digits(_ ordinal: Int) -> String {
        let digits = String(ordinal)
        return String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    private struct Written {
        var lines: [UInt8] = []
        var documents = 0
        var textBytes = 0
    }

    /// The lines of what is kept: as they came, but for texts that were edited.
    private func write(_ block: Block, _ ingredients: Ingredients) throws(Failure) -> Written {
        let items = try cache.items(ingredients.key)
        let edits = try cache.edits(ingredients.key)
        let removed = Set(Removals.read(ingredients.removals).map(\.document.index))
        let textName = Array(file.sources[block.source].fields.text.utf8)
        var written = Written()
        written.lines.reserveCapacity(block.bytes.count)
        var editsOffset = 0
        var next = TextEdits.read(edits, at: &editsOffset)
        var editor = LineEditor()
        for index in 0..<items.count / ItemRow.byteCount {
            let row = ItemRow(items, at: index * ItemRow.byteCount)
            let edit = next?.index == index ? next?.edits : nil
            if edit != nil { next = TextEdits.read(edits, at: &editsOffset) }
            guard row.isKept, !removed.contains(index) else { continue }
            let line = Int(row.lineStart)..<Int(row.lineStart) + Int(row.lineBytes)
            if let edit {
                editor.append(block.bytes.span, line, textName, edit, to: &written.lines)
            } else {
                written.lines.append(contentsOf: block.bytes[line])
            }
            written.lines.append(0x0A)
            written.documents += 1
            written.textBytes += Int(row.textBytes)
        }
        return written
    }
}

/// Writes records whose text was edited.
private struct LineEditor {
    private var line = JSONLine()
    private var text: [UInt8] = []
    private var spare: [UInt8] = []

    mutating func append(
        _ bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ textName: [UInt8],
        _ edits: TextEdits,
        to out: inout [UInt8]
    ) {
        // It was read before without a fault.
        guard (try? line.read(bytes, range)) != nil, let field = line.field(textName, in: bytes) else { return }
        text.removeAll(keepingCapacity: true)
        JSONLine.unescape(bytes, field.value, into: &text)
        for layer in edits.layers {
            var edited = spare
            TextEdits.apply(layer, to: text.span, into: &edited)
            spare = text
            text = edited
        }
        bytes.extracting(range.lowerBound..<field.value.lowerBound).withUnsafeBufferPointer {
            out.append(contentsOf: $0)
        }
        JSONLine.escape(text.span, into: &out)
        bytes.extracting(field.value.upperBound..<range.upperBound).withUnsafeBufferPointer {
            out.append(contentsOf: $0)
        }
    }
}

extension PipelineDocument.Output.Format {
    var ending: String { rawValue }
}
