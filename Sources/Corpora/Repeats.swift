import Core
import Curation

/// What goes from documents because documents before them have it: lines, paragraphs, substrings.
///
/// All three are looked for in the texts that duplicates left, and taken out of them at once.
struct Repeats: Sendable {
    var lines: (scanner: LineScanner, repeated: RepeatedLines)?
    var paragraphs: (scanner: LineScanner, repeated: RepeatedLines)?
    var passages: (selector: PassageSelector, stretches: StretchFile)?

    var areLookedFor: Bool { lines != nil || paragraphs != nil || passages != nil }

    /// What goes from the documents of one block, in order.
    func of(_ block: Numbering.NumberedBlock) throws(Failure) -> OfBlock {
        guard let passages else { return OfBlock(self, stretches: []) }
        return OfBlock(self, stretches: try passages.stretches.of(block.ordinal))
    }

    /// Asked for one document after another.
    struct OfBlock {
        private let repeats: Repeats
        private let stretches: [RepeatedStretch]
        private var next = 0

        fileprivate init(_ repeats: Repeats, stretches: [RepeatedStretch]) {
            self.repeats = repeats
            self.stretches = stretches
        }

        /// - Parameter document: Its number, above that of the last call.
        /// - Returns: The ranges of the text that go, ascending and apart, and how many bytes of them by kind; each
        ///   byte counts for the first kind that takes it.
        mutating func removals(of text: Span<UInt8>, document: UInt64) -> (ranges: [Range<Int>], taken: Taken) {
            var taken = Taken()
            var ranges: [Range<Int>] = []
            if let lines = repeats.lines {
                ranges = lines.scanner.removals(of: text, document: document, repeated: lines.repeated)
                taken[.lines] = Self.total(ranges)
            }
            if let paragraphs = repeats.paragraphs {
                let more = paragraphs.scanner.removals(of: text, document: document, repeated: paragraphs.repeated)
                let before = Self.total(ranges)
                ranges = Self.union(ranges, more)
                taken[.paragraphs] = Self.total(ranges) - before
            }
            if let passages = repeats.passages {
                while next < stretches.count, stretches[next].document < document { next += 1 }
                var own: [Range<Int>] = []
                while next < stretches.count, stretches[next].document == document {
                    own.append(stretches[next].range)
                    next += 1
                }
                let before = Self.total(ranges)
                ranges = Self.union(ranges, passages.selector.removals(of: text, stretches: own))
                taken[.substrings] = Self.total(ranges) - before
            }
            return (ranges, taken)
        }

        private static func total(_ ranges: [Range<Int>]) -> Int { ranges.reduce(0) { $0 + $1.count } }

        private static func union(_ a: [Range<Int>], _ b: [Range<Int>]) -> [Range<Int>] {
            guard !a.isEmpty, !b.isEmpty else { return a.isEmpty ? b : a }
            var union: [Range<Int>] = []
            for range in (a + b).sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
                if let last = union.last, last.upperBound >= range.lowerBound {
                    union[union.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
                } else {
                    union.append(range)
                }
            }
            return union
        }
    }
}

/// Bytes that a document lost to others that have them too, by kind.
struct Taken: Sendable, Hashable {
    enum Kind: Int, Sendable, CaseIterable {
        case lines, paragraphs, substrings

        var name: String { "\(self)" }
    }

    private var bytes = [0, 0, 0]

    subscript(kind: Kind) -> Int {
        get { bytes[kind.rawValue] }
        set { bytes[kind.rawValue] = newValue }
    }

    var total: Int { bytes.reduce(0, +) }
}

/// A document that lost something, as a block's part has it beside it: 20 bytes.
struct TakenRow: Sendable, Hashable {
    /// Among all documents of the block.
    var index: Int
    var taken: Taken
    /// Whether it had nothing else, and is not written.
    var isGone: Bool

    static let byteCount = 20

    /// What took the last of it.
    var rule: Taken.Kind? { Taken.Kind.allCases.last { taken[$0] > 0 } }

    func write(to bytes: inout [UInt8]) {
        UInt32(clamping: index).append(to: &bytes)
        for kind in Taken.Kind.allCases { UInt32(clamping: taken[kind]).append(to: &bytes) }
        UInt32(isGone ? 1 : 0).append(to: &bytes)
    }

    static func read(_ bytes: [UInt8]) -> [TakenRow] {
        stride(from: 0, to: bytes.count / byteCount * byteCount, by: byteCount).map { at in
            var taken = Taken()
            for kind in Taken.Kind.allCases { taken[kind] = Int(UInt32(bytes, at: at + 4 + 4 * kind.rawValue)) }
            return TakenRow(
                index: Int(UInt32(bytes, at: at)),
                taken: taken,
                isGone: UInt32(bytes, at: at + 16) != 0
            )
        }
    }
}

/// All stretches that stood before, by document, in a file.
struct StretchFile: Sendable {
    let path: String
    /// For each block where its stretches begin, and one more for the end.
    private let offsets: [Int]

    /// - Returns: `nil` when the offsets do not ascend.
    init?(path: String, offsets: [Int]) {
        guard offsets.first == 0, zip(offsets, offsets.dropFirst()).allSatisfy({ $0 <= $1 }) else { return nil }
        self.path = path
        self.offsets = offsets
    }

    private func bytes(of ordinal: Int) throws(Failure) -> [UInt8] {
        guard ordinal + 1 < offsets.count, offsets[ordinal] < offsets[ordinal + 1] else { return [] }
        let file = try InputFile(path)
        var bytes: [UInt8] = []
        try file.readAll(into: &bytes, offsets[ordinal]..<offsets[ordinal + 1])
        return bytes
    }

    /// Of all blocks' stretches.
    func digest() throws(Failure) -> Digest {
        var digests: [UInt8] = []
        for ordinal in offsets.indices.dropLast() {
            let bytes = try bytes(of: ordinal)
            Disk.sha256(bytes.span).append(to: &digests)
        }
        return Disk.sha256(digests.span)
    }

    func of(_ ordinal: Int) throws(Failure) -> [RepeatedStretch] {
        let bytes = try bytes(of: ordinal)
        return stride(from: 0, to: bytes.count, by: Self.rowBytes).map { at in
            RepeatedStretch(
                document: UInt64(bytes, at: at),
                range: Int(UInt32(bytes, at: at + 8))..<Int(UInt32(bytes, at: at + 12))
            )
        }
    }

    static let rowBytes = 16

    static func write(_ stretch: RepeatedStretch, to bytes: inout [UInt8]) {
        stretch.document.append(to: &bytes)
        UInt32(clamping: stretch.range.lowerBound).append(to: &bytes)
        UInt32(clamping: stretch.range.upperBound).append(to: &bytes)
    }
}
