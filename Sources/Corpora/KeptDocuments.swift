import Core
import Curation
import Wire

/// Goes through the documents of a block that judging kept, with what it made of their texts.
struct KeptDocuments {
    private let bytes: [UInt8]
    private let items: [UInt8]
    private let edits: [UInt8]
    private let textName: [UInt8]
    private var editsOffset = 0
    private var nextEdit: (index: Int, edits: TextEdits)?
    private var edit: TextEdits?
    private var line = JSONLine()
    private var text: [UInt8] = []

    /// Of the document that ``next()`` went to: among all of the block, and among those that are kept.
    private(set) var index = -1
    private(set) var rank = -1
    private(set) var row = ItemRow(hash: TextHash(high: 0, low: 0), lineStart: 0, lineBytes: 0, textBytes: 0)

    init(_ cache: BlockCache, _ key: Digest, _ records: RecordBlock) throws(Failure) {
        bytes = records.lines
        items = try cache.items(key)
        edits = try cache.edits(key)
        textName = Array(records.fields.text.utf8)
        nextEdit = TextEdits.read(edits, at: &editsOffset)
    }

    /// Goes to the next one; `false` at the end.
    mutating func next() -> Bool {
        while true {
            index += 1
            guard (index + 1) * ItemRow.byteCount <= items.count else { return false }
            row = ItemRow(items, at: index * ItemRow.byteCount)
            edit = nil
            if let found = nextEdit, found.index == index {
                edit = found.edits
                nextEdit = TextEdits.read(edits, at: &editsOffset)
            }
            guard row.isKept else { continue }
            rank += 1
            return true
        }
    }

    private var range: Range<Int> { Int(row.lineStart)..<Int(row.lineStart) + Int(row.lineBytes) }

    /// Takes out what documents before this one have, for ``appendRecord(to:)``.
    ///
    /// - Returns: How many bytes went, and whether nothing is left but white space.
    mutating func take(_ repeats: inout Repeats.OfBlock, document: UInt64) -> (taken: Taken, isGone: Bool) {
        guard findText() != nil else { return (Taken(), false) }
        let text = text
        let (ranges, taken) = repeats.removals(of: text.span, document: document)
        guard !ranges.isEmpty else { return (taken, false) }
        var edits = edit ?? TextEdits()
        edits.layers.append(ranges.map { .init(range: $0, bytes: []) })
        edit = edits
        var at = 0
        for range in ranges {
            guard text[at..<range.lowerBound].allSatisfy({ $0 <= 0x20 }) else { return (taken, false) }
            at = range.upperBound
        }
        return (taken, text[at...].allSatisfy { $0 <= 0x20 })
    }

    /// Appends the text as it is to be written.
    mutating func appendText(to out: inout [UInt8]) {
        guard findText() != nil else { return }
        out.append(contentsOf: text)
    }

    /// Appends the record as it came but for its text, and a line feed.
    mutating func appendRecord(to out: inout [UInt8]) {
        if edit == nil {
            out.append(contentsOf: bytes[range])
        } else if let value = findText() {
            out.append(contentsOf: bytes[range.lowerBound..<value.lowerBound])
            JSONLine.escape(text.span, into: &out)
            out.append(contentsOf: bytes[value.upperBound..<range.upperBound])
        }
        out.append(0x0A)
    }

    /// Makes ``text`` what is to be written, and tells where the record has it.
    private mutating func findText() -> Range<Int>? {
        let (bytes, range) = (bytes, range)
        // It was read before without a fault.
        guard (try? line.read(bytes.span, range)) != nil, let field = line.field(textName, in: bytes.span) else {
            return nil
        }
        text.removeAll(keepingCapacity: true)
        JSONLine.unescape(bytes.span, field.value, into: &text)
        for layer in edit?.layers ?? [] {
            var edited: [UInt8] = []
            TextEdits.apply(layer, to: text.span, into: &edited)
            text = edited
        }
        return field.value
    }
}
