/// Finds exceptions once more in the words that were made, and joins or cuts them anew.
///
/// ":" and ")" that came off a word one after the other are one ":)" again. Of matches that overlap the longest counts
/// and then the first, and one that is passed over still bars those it overlaps.
struct EnglishSequences: ~Copyable {
    struct Match {
        var start: Int
        var count: Int
        var isAccepted = false
    }

    private var matches = Scratch<Match>()
    private var taken = Scratch<Bool>()
    /// The matches that count, in order.
    private var accepted = Scratch<Match>()
    private var rebuilt = Scratch<EnglishToken>()

    /// The words of the longest sequence.
    private static let countMax = 11

    mutating func join(_ tokens: inout Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, _ tables: QualityTables) {
        find(tokens, text, tables)
        guard !matches.isEmpty else { return }
        choose(tokens.count)
        rebuild(&tokens, text, tables)
    }

    /// All sequences that exceptions are made of, whether or not blanks stand between their words.
    private mutating func find(
        _ tokens: borrowing Scratch<EnglishToken>,
        _ text: UnsafePointer<UInt8>,
        _ tables: QualityTables
    ) {
        matches.removeAll()
        guard tokens.count > 1 else { return }
        let count = tokens.count
        let tokens = tokens.base
        for first in 0..<(count - 1) {
            // One of a sequence's first two words has a character that cuts.
            let second = tokens[first &+ 1]
            if tokens[first].has(EnglishToken.plain), second.has(EnglishToken.plain) || !Self.follows(text, second) {
                continue
            }
            var state = 0
            var last = first
            while last < count {
                let token = tokens[last]
                let piece = tables.piece(text + Int(token.start), token.count)
                guard piece > 0, let next = tables.edge(from: state, by: piece) else { break }
                state = next
                last &+= 1
                if tables.isEnd(state) {
                    matches.append(Match(start: first, count: last - first))
                }
            }
        }
    }

    /// Whether a word may stand second in a sequence whose first word has no character that cuts.
    @inline(__always)
    private static func follows(_ text: UnsafePointer<UInt8>, _ token: EnglishToken) -> Bool {
        switch text[Int(token.start)] {
        case UInt8(ascii: "."), UInt8(ascii: "'"), UInt8(ascii: "/"), UInt8(ascii: "\""), 0xE2: true
        default: false
        }
    }

    private mutating func choose(_ tokenCount: Int) {
        accepted.removeAll()
        taken.reset(to: false, count: tokenCount)
        for count in stride(from: Self.countMax, through: 2, by: -1) {
            for index in 0..<matches.count where matches[index].count == count {
                let start = matches[index].start
                let last = start + count - 1
                matches[index].isAccepted = !taken[start] && !taken[last]
                for token in start...last { taken[token] = true }
            }
        }
        for index in 0..<matches.count where matches[index].isAccepted { accepted.append(matches[index]) }
    }

    /// The exception that a match's text is, if nothing stands between its words.
    private func number(
        _ match: Match,
        _ tokens: borrowing Scratch<EnglishToken>,
        _ text: UnsafePointer<UInt8>,
        _ tables: QualityTables
    ) -> Int {
        let start = Int(tokens[match.start].start)
        let end = tokens[match.start + match.count - 1].end
        return tables.exception(text + start, end - start)
    }

    private mutating func rebuild(
        _ tokens: inout Scratch<EnglishToken>,
        _ text: UnsafePointer<UInt8>,
        _ tables: QualityTables
    ) {
        rebuilt.removeAll()
        var next = 0
        for index in 0..<accepted.count {
            let match = accepted[index]
            let exception = number(match, tokens, text, tables)
            guard exception > 0 else { continue }
            rebuilt.append(tokens.base + next, count: match.start - next)
            let chunkStart = tokens[match.start].flags & EnglishToken.chunkStart
            EnglishTokenizer.appendWords(
                of: exception,
                at: Int(tokens[match.start].start),
                chunkStart,
                text,
                tables,
                to: &rebuilt
            )
            next = match.start + match.count
        }
        guard next > 0 else { return }
        rebuilt.append(tokens.base + next, count: tokens.count - next)
        swap(&tokens, &rebuilt)
    }
}

extension EnglishTokenizer {
    /// Adds the words of an exception that stands at `start`, the first with `flags` besides its own.
    static func appendWords(
        of exception: Int,
        at start: Int,
        _ flags: UInt32,
        _ text: UnsafePointer<UInt8>,
        _ tables: QualityTables,
        to tokens: inout Scratch<EnglishToken>
    ) {
        var start = start
        var flags = flags
        let lengths = tables.exceptionWords(exception)
        for word in 0..<3 {
            let count = Int(lengths[word])
            guard count > 0 else { return }
            var any: UInt32 = 0
            var at = start
            while at < start + count {
                let (mask, length) = tables.character(at: text + at)
                any |= mask
                at += length
            }
            tokens.append(
                EnglishToken(start: start, end: start + count, flags: EnglishToken.flags(of: any) | flags)
            )
            start += count
            flags = 0
        }
    }
}
