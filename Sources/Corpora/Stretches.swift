import Core
import Curation

/// What repeated lines, paragraphs and substrings are found by in one text after another.
struct Stretches {
    private let lines: LineScanner?
    private let paragraphs: LineScanner?
    private let passages: PassageSelector?
    private var lineEntries: [LineEntry] = []
    private var paragraphEntries: [LineEntry] = []
    private var selected: [PassageSelector.Passage] = []

    init(_ operators: Operators) {
        lines = operators.lines.map { LineScanner($0) }
        paragraphs = operators.paragraphs.map { LineScanner($0) }
        passages = operators.passages
    }

    /// Looks at a text as it is to be written.
    mutating func look(at text: Span<UInt8>) {
        lineEntries.removeAll(keepingCapacity: true)
        paragraphEntries.removeAll(keepingCapacity: true)
        lines?.appendLines(of: text, document: 0, to: &lineEntries)
        paragraphs?.appendLines(of: text, document: 0, to: &paragraphEntries)
        if let passages { selected = passages.passages(of: text) }
    }

    /// Appends what was found in the last text, with the text's rank among the kept ones of its block.
    func write(rank: Int, to result: inout BlockResult) {
        Self.write(lineEntries, rank, to: &result.lines)
        Self.write(paragraphEntries, rank, to: &result.paragraphs)
        guard !selected.isEmpty else { return }
        UInt32(clamping: rank).append(to: &result.passages)
        UInt32(clamping: selected.count).append(to: &result.passages)
        for passage in selected {
            passage.hash.high.append(to: &result.passages)
            UInt32(truncatingIfNeeded: passage.hash.low).append(to: &result.passages)
            UInt32(clamping: passage.place).append(to: &result.passages)
        }
    }

    private static func write(_ entries: [LineEntry], _ rank: Int, to bytes: inout [UInt8]) {
        for entry in entries {
            entry.hash.append(to: &bytes)
            UInt64(rank).append(to: &bytes)
        }
    }

    /// Goes through the passages that ``write(rank:to:)`` wrote.
    ///
    /// - Parameter isGone: Whether the document of that rank is not to be looked at.
    static func forEachPassage(
        _ bytes: [UInt8],
        of block: Numbering.NumberedBlock,
        isGone: (Int) -> Bool,
        _ use: (PassageEntry) throws(Failure) -> Void
    ) throws(Failure) {
        var at = 0
        while at < bytes.count {
            let rank = Int(UInt32(bytes, at: at))
            let count = Int(UInt32(bytes, at: at + 4))
            at += 8
            defer { at += 16 * count }
            guard !isGone(rank) else { continue }
            for index in 0..<count {
                let place = at + 16 * index
                try use(
                    PassageEntry(
                        hash: UInt64(bytes, at: place),
                        check: UInt32(bytes, at: place + 8),
                        document: block.first + UInt64(rank),
                        place: UInt32(bytes, at: place + 12)
                    )
                )
            }
        }
    }
}
