import Core
import Curation
import Wire

/// Judges documents one by one: the operators of a pipeline with what they need between two documents.
///
/// What it says of a document depends on the document and the configuration alone, so that a result can be kept, made
/// again elsewhere, and explained afterwards by the same code.
struct Judge: ~Copyable {
    var examiner: Examiner
    private var line = JSONLine()
    private var unescaped: [UInt8] = []
    private var fates: [String: UInt16] = [:]

    init(_ operators: Operators, listsAll: Bool = false) throws(Failure) {
        examiner = try Examiner(operators, listsAll: listsAll)
    }

    /// What the members of records are called, as bytes.
    struct FieldNames: Sendable {
        let text: [UInt8]
        let id: [UInt8]
        let url: [UInt8]

        init(_ fields: PipelineDocument.Fields) {
            text = Array(fields.text.utf8)
            id = Array(fields.id.utf8)
            url = Array(fields.url.utf8)
        }
    }

    /// Judges every line of a block.
    mutating func judge(_ bytes: [UInt8], fields: PipelineDocument.Fields) -> BlockResult {
        var result = BlockResult()
        let names = FieldNames(fields)
        fates = [:]
        var start = 0
        while start < bytes.count {
            let end = bytes.lineEnd(from: start)
            defer { start = end + 1 }
            // Empty, also where lines end with a carriage return: no record.
            guard bytes[start..<end].contains(where: { $0 > 0x20 }) else { continue }
            result.summary.records += 1
            do {
                try withText(of: bytes.span, start..<end, names) { judge, id, text in
                    judge.note(text, id: id, line: start..<end, in: bytes.span, to: &result)
                }
            } catch {
                result.summary.setAside[error.rawValue, default: 0] += 1
            }
        }
        return result
    }

    /// Why a record is no document.
    enum Unfit: String, Error {
        case notAnObject = "not-an-object"
        case syntax
        case tooDeep = "too-deep"
        case tooManyFields = "too-many-fields"
        case invalidUTF8 = "invalid-utf8"
        case noText = "no-text"
        case emptyText = "empty-text"
        /// Parsers take the last; the others would be written unjudged.
        case repeatedText = "repeated-text"
    }

    /// Hands out the text of a record and where its id is.
    mutating func withText(
        of bytes: Span<UInt8>,
        _ range: Range<Int>,
        _ names: FieldNames,
        _ use: (inout Judge, _ id: JSONLine.Field?, _ text: Span<UInt8>) -> Void
    ) throws(Unfit) {
        do {
            try line.read(bytes, range)
        } catch {
            switch error {
            case .notAnObject: throw .notAnObject
            case .syntax: throw .syntax
            case .tooDeep: throw .tooDeep
            case .tooManyFields: throw .tooManyFields
            case .invalidUTF8: throw .invalidUTF8
            }
        }
        guard let field = line.field(names.text, in: bytes) else { throw .noText }
        guard line.fieldCount(names.text, in: bytes) == 1 else { throw .repeatedText }
        let id = line.field(names.id, in: bytes)
        switch field.kind {
        case .plainString:
            let text = bytes.extracting(field.value.lowerBound + 1..<field.value.upperBound - 1)
            guard text.count > 0 else { throw .emptyText }
            use(&self, id, text)
        case .escapedString:
            var text = unescaped
            unescaped = []
            text.removeAll(keepingCapacity: true)
            JSONLine.unescape(bytes, field.value, into: &text)
            use(&self, id, text.span)
            unescaped = text
        case .number, .literal, .object, .array: throw .noText
        }
    }

    private mutating func note(
        _ text: Span<UInt8>,
        id: JSONLine.Field?,
        line: Range<Int>,
        in bytes: Span<UInt8>,
        to result: inout BlockResult
    ) {
        let index = result.items.count / ItemRow.byteCount
        examiner.examine(text)
        let outcome = examiner.outcome
        var row = ItemRow(
            hash: outcome.hash,
            lineStart: line.lowerBound,
            lineBytes: line.count,
            textBytes: outcome.textBytes
        )
        result.summary.documents.add(text.count)
        if let language = outcome.language { result.summary.languages[language.code, default: .init()].add(text.count) }
        result.summary.contaminated += outcome.isContaminated ? 1 : 0
        let end = "\(outcome.language?.code ?? "und") \(outcome.dropped?.rule ?? "")"
        result.summary.fates[end, default: .init()].add(text.count)
        for (category, count) in outcome.keywords { result.summary.keywords[category, default: 0] += count }
        if let dropped = outcome.dropped {
            result.summary.dropped[dropped.rule, default: .init()].add(text.count)
            row.fate = fate(of: dropped.rule, in: &result)
        } else {
            result.summary.kept.add(outcome.textBytes)
            for (type, count) in outcome.personal { result.summary.personal[type, default: 0] += count }
            result.summary.tokens += outcome.tokens
            if !outcome.edits.layers.isEmpty {
                row.flags.insert(.isEdited)
                outcome.edits.write(index: index, to: &result.edits)
                result.summary.edited += 1
            }
            examiner.writeSketch(to: &result.sketches)
            examiner.writeStretches(rank: result.summary.kept.count - 1, to: &result)
        }
        row.write(to: &result.items)
        decide(index, id, bytes, outcome, text.count, into: &result.decisions)
    }

    private mutating func fate(of rule: String, in result: inout BlockResult) -> UInt16 {
        if let fate = fates[rule] { return fate }
        result.rules.append(rule)
        let fate = UInt16(result.rules.count)
        fates[rule] = fate
        return fate
    }

    /// One line of the decisions, written by hand: there is one for every document.
    private func decide(
        _ index: Int,
        _ id: JSONLine.Field?,
        _ bytes: Span<UInt8>,
        _ outcome: Examiner.Outcome,
        _ textBytes: Int,
        into out: inout [UInt8]
    ) {
        out.append(contentsOf: "{\"index\":".utf8)
        out.append(decimal: index)
        out.append(contentsOf: ",\"id\":".utf8)
        if let id, id.kind != .object, id.kind != .array {
            bytes.extracting(id.value).withUnsafeBufferPointer { out.append(contentsOf: $0) }
        } else {
            out.append(contentsOf: "\"\(outcome.hash)\"".utf8)
        }
        out.append(contentsOf: ",\"bytes\":".utf8)
        out.append(decimal: textBytes)
        if let language = outcome.language {
            out.append(contentsOf: ",\"language\":\"".utf8)
            out.append(contentsOf: language.code.utf8)
            out.append(contentsOf: "\",\"probability\":".utf8)
            out.append(contentsOf: "\(rounded(language.probability))".utf8)
        }
        if let dropped = outcome.dropped {
            out.append(contentsOf: ",\"dropped\":\"\(dropped.rule)\"".utf8)
            if let value = dropped.value { out.append(contentsOf: ",\"value\":\(rounded(value))".utf8) }
            if let threshold = dropped.threshold { out.append(contentsOf: ",\"threshold\":\(rounded(threshold))".utf8) }
        }
        counts("personal", outcome.personal, into: &out)
        counts("keywords", outcome.keywords, into: &out)
        out.append(contentsOf: "}\n".utf8)
    }

    private func counts(_ name: String, _ counts: [(name: String, count: Int)], into out: inout [UInt8]) {
        guard !counts.isEmpty else { return }
        out.append(contentsOf: ",\"".utf8)
        out.append(contentsOf: name.utf8)
        out.append(contentsOf: "\":{".utf8)
        for (index, count) in counts.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            JSONLine.escape(count.name.utf8.span, into: &out)
            out.append(UInt8(ascii: ":"))
            out.append(decimal: count.count)
        }
        out.append(UInt8(ascii: "}"))
    }
}

/// To four places: more of a score says nothing.
func rounded(_ value: Double) -> Double { value.isFinite ? (value * 10_000).rounded() / 10_000 : 0 }

extension [UInt8] {
    /// Appends a number that is not negative, in decimal digits.
    mutating func append(decimal number: Int) {
        var divisor = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / divisor % 10))
            divisor /= 10
        }
    }

    /// Where the line feed is that ends the line; `count` when the last line has none.
    func lineEnd(from start: Int) -> Int { self.withUnsafeBufferPointer { TextScan.find(0x0A, in: $0, from: start) } }
}
