import CCuration

/// Looks for parts of evaluation items in texts: one for each thread, reused for every document.
///
/// Texts are compared in their normal form (``NormalizedText``), token by token without punctuation, so that an item in
/// traditional characters, another width, case or punctuation is the same item.
public struct ContaminationScanner: Sendable {
    /// Runs in common that one text may have; the rest is not looked at, and ``isTruncated`` says so.
    public static let hitLimit = 1 << 20
    private static let chunk = 512

    public let index: ContaminationIndex
    /// Whether the last text had more runs in common than ``hitLimit``.
    public private(set) var isTruncated = false
    private var view: NormalizedText
    private var state = onepoint_grams_state()
    private var chunk: [onepoint_gram]
    private var hits: [Hit] = []

    /// A run in common: where it is in the view and which tokens of the item it is.
    private struct Hit {
        var item: Int
        var start: Int
        var end: Int
        var firstToken: Int
        var lastToken: Int
    }

    public init(index: ContaminationIndex) {
        self.index = index
        view = NormalizedText(table: index.table)
        chunk = Array(repeating: onepoint_gram(), count: Self.chunk)
        let grams = index.grams
        onepoint_grams_begin(&state, UInt32(grams.words), UInt32(grams.characters), UInt32(grams.shortWeight))
    }

    /// Appends the stretches of `text` that items have to `matches`, by item and then by place; those of one item are disjoint.
    public mutating func scan(_ text: Span<UInt8>, into matches: inout [ContaminationMatch]) {
        view.set(text)
        scan(view, into: &matches)
    }

    /// The same for a text whose view is there already; `view` must have been made by the index's table.
    public mutating func scan(_ view: NormalizedText, into matches: inout [ContaminationMatch]) {
        hits.removeAll(keepingCapacity: true)
        isTruncated = false
        onepoint_grams_restart(&state)
        while state.next < view.count, !isTruncated {
            let count = fill(view)
            for i in 0..<count { look(chunk[i]) }
        }
        guard !hits.isEmpty else { return }
        hits.sort { ($0.item, $0.lastToken, $0.start) < ($1.item, $1.lastToken, $1.start) }
        var first = 0
        while first < hits.count {
            var end = first
            while end < hits.count, hits[end].item == hits[first].item { end += 1 }
            report(first..<end, view, into: &matches)
            first = end
        }
    }

    /// The next windows of the view that the filters may have, to `chunk`.
    private mutating func fill(_ view: NormalizedText) -> Int {
        view.buffer.withUnsafeBufferPointer { bytes in
            index.filters[0].withUnsafeBufferPointer { long in
                index.filters[1].withUnsafeBufferPointer { short in
                    chunk.withUnsafeMutableBufferPointer { chunk in
                        var filter = onepoint_grams_filter(
                            words: (long.isEmpty ? nil : long.baseAddress, short.isEmpty ? nil : short.baseAddress),
                            mask: (UInt64(max(long.count, 1) - 1), UInt64(max(short.count, 1) - 1))
                        )
                        return onepoint_grams_scan(
                            &state,
                            bytes.baseAddress,
                            view.count,
                            &filter,
                            chunk.baseAddress,
                            chunk.count
                        )
                    }
                }
            }
        }
    }

    private mutating func look(_ gram: onepoint_gram) {
        for at in index.range(of: gram.hash) {
            let item = Int(index.items[at])
            guard index.isShort[item] == (gram.kind == 1) else { continue }
            guard hits.count < Self.hitLimit else {
                isTruncated = true
                return
            }
            let last = Int(index.lastTokens[at])
            hits.append(
                Hit(
                    item: item,
                    start: gram.start,
                    end: gram.end,
                    firstToken: last + 1 - Int(gram.tokens),
                    lastToken: last
                )
            )
        }
    }

    /// The stretches of one item, whose hits are in the order of the item's tokens. A short item is there whole or not at all.
    private mutating func report(_ range: Range<Int>, _ view: NormalizedText, into matches: inout [ContaminationMatch])
    {
        let item = hits[range.lowerBound].item
        var covered = 0
        var free = 0
        for hit in hits[range] {
            covered += max(0, hit.lastToken + 1 - max(free, hit.firstToken))
            free = max(free, hit.lastToken + 1)
        }
        let total = index.itemTokens[item]
        if index.isShort[item], covered < total { return }
        hits[range].sort { ($0.start, $0.end) < ($1.start, $1.end) }
        var start = hits[range.lowerBound].start
        var end = hits[range.lowerBound].end
        for hit in hits[range] {
            if hit.start > end {
                append(start..<end, item, covered, total, view, into: &matches)
                start = hit.start
            }
            end = max(end, hit.end)
        }
        append(start..<end, item, covered, total, view, into: &matches)
    }

    private func append(
        _ range: Range<Int>,
        _ item: Int,
        _ covered: Int,
        _ total: Int,
        _ view: NormalizedText,
        into matches: inout [ContaminationMatch]
    ) {
        let original = view.original(range)
        matches.append(
            ContaminationMatch(
                start: original.lowerBound,
                end: original.upperBound,
                item: item,
                covered: covered,
                total: total
            )
        )
    }

    /// Finds parts of evaluation items and does with the text what `policy` says.
    ///
    /// - Parameters:
    ///   - matches: What was found is appended, whatever is done with it.
    ///   - output: Replaced by what is left when the outcome is `cut`; otherwise emptied.
    public mutating func clean(
        _ text: Span<UInt8>,
        policy: ContaminationPolicy,
        matches: inout [ContaminationMatch],
        into output: inout [UInt8]
    ) -> ContaminationOutcome {
        output.removeAll(keepingCapacity: true)
        let first = matches.count
        scan(text, into: &matches)
        guard policy.action != .report, matches[first...].contains(where: { $0.share >= policy.shareMin }) else {
            return .unchanged
        }
        if policy.action == .drop { return .dropped }
        let stretches = matches[first...].filter { $0.share >= policy.shareMin }.sorted {
            ($0.start, $0.end) < ($1.start, $1.end)
        }
        var from = 0
        for stretch in stretches {
            if stretch.start > from {
                text.extracting(from..<stretch.start).withUnsafeBufferPointer { output.append(contentsOf: $0) }
            }
            from = max(from, stretch.end)
        }
        text.extracting(from..<text.count).withUnsafeBufferPointer { output.append(contentsOf: $0) }
        return .cut
    }
}
