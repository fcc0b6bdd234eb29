import Core
import Curation

/// A document's life in a run, told by judging it again.
public struct Explanation: Sendable, Codable {
    public var document: String
    public var source: String
    public var path: String
    /// SHA-256 of the block's bytes, and the document's index in it.
    public var block: String
    public var index: Int
    /// Of the text as it came.
    public var bytes: Int
    public var language: String?
    public var probability: Double?
    /// Every rule that was asked, in order.
    public var findings: [Finding] = []
    /// The rule that dropped it.
    public var dropped: String?
    /// What stands for it.
    public var duplicate: Duplicate?
    /// Bytes that it lost to documents before it, by `lines`, `paragraphs` and `substrings`.
    public var repeats: [String: Int] = [:]
    /// Hits, by type and by category.
    public var personal: [String: Int] = [:]
    public var keywords: [String: Int] = [:]
    /// The file that it was written to.
    public var part: String?

    public struct Finding: Sendable, Hashable, Codable {
        public var rule: String
        /// Of the rule's code: figures of different versions are not compared.
        public var version: Int
        public var value: Double
        public var threshold: Double
        public var passed: Bool
    }

    public struct Duplicate: Sendable, Hashable, Codable {
        /// `exact` or `near`.
        public var kind: String
        public var of: String
        public var jaccard: Double
    }
}

extension PipelineRun {
    /// Finds a document by its id and tells what became of it.
    ///
    /// - Throws: ``Failure`` when no finished run has it.
    public func explain(_ document: String) throws -> Explanation {
        let blocks = try Self.judgedBlocks(file)
        for block in blocks {
            guard let key = Digest(hex: block.key) else { continue }
            let decisions = try cache.decisions(key)
            guard let index = Self.index(of: document, in: decisions) else { continue }
            return try explain(document, block, index)
        }
        throw Failure(.notFound, "No document '\(document)' is in the sources of the last run.")
    }

    /// The blocks of the last run that judged all of them.
    static func judgedBlocks(_ file: PipelineFile) throws(Failure) -> [JudgedBlock] {
        let path = file.outputFolder + "/blocks.jsonl"
        guard Disk.exists(path) else {
            throw Failure(
                .notFound,
                "\(file.outputFolder) has no run that judged all blocks. 'onepoint data run' makes one."
            )
        }
        let bytes = try Disk.read(path, bytesMax: 1 << 32)
        let blocks: [JudgedBlock]
        do {
            blocks = try bytes.split(separator: 0x0A).map { try JSON(parsing: $0).decode() }
        } catch {
            throw Failure(.invalid, "\(path) is damaged. Run the pipeline again.", note: "\(error)")
        }
        let names = file.sources.map(\.name)
        guard blocks.allSatisfy({ names.indices.contains($0.source) && names[$0.source] == $0.sourceName }) else {
            throw edited(file)
        }
        return blocks
    }

    static func edited(_ file: PipelineFile) -> Failure {
        Failure(.conflict, "\(file.path) has other sources or operators than its last run. Run it again.")
    }

    /// Where the decisions tell of that document.
    private static func index(of document: String, in decisions: [UInt8]) -> Int? {
        var start = 0
        var line = JSONLine()
        var id: [UInt8] = []
        let wanted = Array(document.utf8)
        while start < decisions.count {
            let end = decisions.lineEnd(from: start)
            defer { start = end + 1 }
            guard (try? line.read(decisions.span, start..<end)) != nil,
                let field = line.field("id", in: decisions.span), let index = line.field("index", in: decisions.span)
            else { continue }
            id.removeAll(keepingCapacity: true)
            switch field.kind {
            case .plainString, .escapedString: JSONLine.unescape(decisions.span, field.value, into: &id)
            default: id.append(contentsOf: decisions[field.value])
            }
            if id == wanted { return Int(String(decoding: decisions[index.value], as: UTF8.self)) }
        }
        return nil
    }

    private func explain(_ document: String, _ judged: JudgedBlock, _ index: Int) throws -> Explanation {
        guard let key = Digest(hex: judged.key) else { throw Failure(.invalid, "blocks.jsonl is damaged.") }
        let items = try cache.items(key)
        guard (index + 1) * ItemRow.byteCount <= items.count else {
            throw Failure(.invalid, "blocks.jsonl is damaged.")
        }
        let row = ItemRow(items, at: index * ItemRow.byteCount)
        let records = try records(again: judged)
        var explanation = Explanation(
            document: document,
            source: file.sources[judged.source].name,
            path: judged.path,
            block: judged.digest,
            index: index,
            bytes: 0
        )
        var judge = try Judge(operators, listsAll: true)
        try judge.withText(
            of: records.lines.span,
            Int(row.lineStart)..<Int(row.lineStart) + Int(row.lineBytes),
            Judge.FieldNames(records.fields)
        ) { judge, _, text in
            judge.examiner.examine(text)
            let outcome = judge.examiner.outcome
            explanation.bytes = text.count
            explanation.language = outcome.language?.code
            explanation.probability = outcome.language?.probability
            explanation.findings = outcome.findings
            explanation.dropped = outcome.dropped?.rule
            explanation.personal = .init(outcome.personal.map { ($0.name, $0.count) }, uniquingKeysWith: +)
            explanation.keywords = .init(outcome.keywords.map { ($0.name, $0.count) }, uniquingKeysWith: +)
        }
        guard explanation.dropped == nil else { return explanation }
        explanation.duplicate = try duplicate(judged, index)
        let rows = explanation.duplicate == nil ? try? Self.taken(file, judged.ordinal) : nil
        if let row = rows?.first(where: { $0.index == index }) {
            for kind in Taken.Kind.allCases where row.taken[kind] > 0 {
                explanation.repeats[kind.name] = row.taken[kind]
            }
            if row.isGone {
                explanation.dropped = "duplicates/\(row.rule?.name ?? Taken.Kind.lines.name)"
                return explanation
            }
        }
        if explanation.duplicate == nil, let record = try? RunRecord.read(file.outputFolder) {
            explanation.part = record.parts.first { $0.path.contains("part-\(Self.digits(judged.ordinal)).") }?.path
        }
        return explanation
    }

    /// What stands for a document that was kept until all blocks were looked at together.
    private func duplicate(_ judged: JudgedBlock, _ index: Int) throws(Failure) -> Explanation.Duplicate? {
        let blocks = try Self.judgedBlocks(file)
        let removals: Removals
        do {
            removals = try Self.lastRemovals(file)
        } catch {
            // The run may not have come so far.
            guard error.code == .notFound else { throw error }
            return nil
        }
        guard let removal = try removals.of(judged.ordinal).first(where: { $0.document.index == index }) else {
            return nil
        }
        let numbering = try Numbering(blocks, file, cache)
        let other = try numbering.number(removal.representative, cache)
        var id = "?"
        if let block = blocks.first(where: { $0.ordinal == other.block }), let key = Digest(hex: block.key) {
            id = Self.id(at: other.index, in: try cache.decisions(key)) ?? "?"
        }
        return .init(kind: removal.kind.name, of: id, jaccard: rounded(Double(removal.jaccard)))
    }

    /// The id that the decisions have for a document.
    private static func id(at index: Int, in decisions: [UInt8]) -> String? {
        let lines = decisions.split(separator: 0x0A)
        guard index < lines.count, let json = try? JSON(parsing: lines[index]) else { return nil }
        return json["id"].map { $0.stringValue ?? $0.text }
    }

    /// Reads one block of the last run again.
    private func records(again judged: JudgedBlock) throws(Failure) -> RecordBlock {
        var reader = SourceReader(file, limits: limits)
        while let block = try reader.next() {
            guard block.ordinal == judged.ordinal else { continue }
            guard block.digest.hex == judged.digest else { break }
            let records = try records(of: block)
            guard key(of: records).hex == judged.key else { throw Self.edited(file) }
            return records
        }
        throw Failure(.conflict, "\(judged.path) has changed since the run. Run the pipeline again.")
    }
}
