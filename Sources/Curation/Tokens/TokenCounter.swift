/// Counts the tokens of text as a `tokenizer.json` makes them, without making them.
///
/// Understood: byte-pair encoding (over bytes with the split patterns of GPT-2, Llama 3 and Qwen, or over characters),
/// unigram, word pieces; the normalizers NFC, Replace, Prepend, Lowercase and BERT's. What is not understood is refused
/// by its name, never approximated. Tokens that a template adds around a text are not counted.
///
/// Each worker keeps one: it holds the scratch and the counts of words seen. Copies share the vocabulary.
public struct TokenCounter: Sendable {
    enum Model: Sendable {
        case bytePairs(BytePairs)
        case unigram(UnigramPieces)
        case wordPieces(WordPieces)
    }

    /// What is done to a piece of text before the model sees it.
    struct Plan: Sendable {
        var normalizers: [TextNormalizer] = []
        /// One cuts the pieces of the one before.
        var patterns: [SplitPattern] = []
        /// Whether a blank is put before a text that begins with none, as ByteLevel may ask.
        var prefixesBlank = false
        /// Whether the vocabulary is of bytes, each written as a character.
        var isOfBytes = false
        var metaspace: Metaspace?
        /// Found in the text as it is, and as it is normalized.
        var rawTokens = AddedTokens([])
        var normalizedTokens = AddedTokens([])
    }

    /// How spaces become `▁`.
    struct Metaspace: Sendable {
        enum Prefix: Sendable { case always, first, never }
        let prefix: Prefix
    }

    private let plan: Plan
    private var pairs: BytePairs?
    private var pieces: UnigramPieces?
    private let words: WordPieces?
    private let classes = CharacterClasses.shared
    /// Counts of pieces by their hash; each place holds the last one that came to it.
    private var seen: [(hash: UInt64, count: UInt32)]
    private var text: [UInt8] = []

    /// Longer pieces are counted in parts of this size.
    static let pieceBytesMax = 1 << 20
    private static let seenCount = 1 << 16

    init(plan: Plan, model: Model) {
        self.plan = plan
        (pairs, pieces) = (nil, nil)
        switch model {
        case .bytePairs(let pairs): (self.pairs, words) = (pairs, nil)
        case .unigram(let pieces): (self.pieces, words) = (pieces, nil)
        case .wordPieces(let words): self.words = words
        }
        seen = [(hash: UInt64, count: UInt32)](repeating: (0, 0), count: Self.seenCount)
    }

    /// How many tokens a text has.
    ///
    /// - Parameter text: Valid UTF-8.
    /// - Complexity: Linear for text of words; a piece of n bytes that nothing cuts takes n log n, parts of 1 MiB each.
    public mutating func count(_ text: Span<UInt8>) -> Int {
        guard !plan.rawTokens.isEmpty else { return countNormalized(text, isFirst: true) }
        var total = 0
        var place = 0
        while let token = plan.rawTokens.first(in: text, from: place, classes) {
            if token.lowerBound > place {
                total += countNormalized(text.extracting(place..<token.lowerBound), isFirst: place == 0)
            }
            total += 1
            place = token.upperBound
        }
        if place < text.count { total += countNormalized(text.extracting(place...), isFirst: place == 0) }
        return total
    }

    private mutating func countNormalized(_ section: Span<UInt8>, isFirst: Bool) -> Int {
        if section.isEmpty { return 0 }
        if plan.normalizers.isEmpty, plan.normalizedTokens.isEmpty { return countSection(section, isFirst: isFirst) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(section.count + 16)
        for place in section.indices { bytes.append(section[place]) }
        for normalizer in plan.normalizers { normalizer.apply(to: &bytes, classes) }
        let text = bytes.span
        var total = 0
        var place = 0
        while let token = plan.normalizedTokens.first(in: text, from: place, classes) {
            if token.lowerBound > place {
                total += countSection(text.extracting(place..<token.lowerBound), isFirst: isFirst && place == 0)
            }
            total += 1
            place = token.upperBound
        }
        if place < text.count { total += countSection(text.extracting(place...), isFirst: isFirst && place == 0) }
        return total
    }

    /// Counts text between added tokens.
    private mutating func countSection(_ section: Span<UInt8>, isFirst: Bool) -> Int {
        let needsBlank = plan.prefixesBlank && section[0] != 0x20
        guard needsBlank || plan.metaspace != nil else { return count(section, from: 0) }
        // Taken out while it is looked at, so that it is neither copied nor borrowed twice.
        var text: [UInt8] = []
        swap(&text, &self.text)
        text.removeAll(keepingCapacity: true)
        if let metaspace = plan.metaspace {
            let hasPrefix = section.matches(Self.mark, at: 0) || section[0] == 0x20
            let takesPrefix =
                switch metaspace.prefix {
                case .always: !hasPrefix
                case .first: !hasPrefix && isFirst
                case .never: false
                }
            if takesPrefix { text += Self.mark }
            for place in section.indices {
                if section[place] == 0x20 { text += Self.mark } else { text.append(section[place]) }
            }
        } else {
            text.append(0x20)
            for place in section.indices { text.append(section[place]) }
        }
        let total = count(text.span, from: 0)
        self.text = text
        return total
    }

    static let mark: [UInt8] = [0xE2, 0x96, 0x81]

    /// Cuts by the patterns from `level` on and counts the pieces.
    private mutating func count(_ piece: Span<UInt8>, from level: Int) -> Int {
        guard level < plan.patterns.count else { return countPiece(piece) }
        let pattern = plan.patterns[level]
        var total = 0
        var place = 0
        while place < piece.count {
            let (end, isKept) = pattern.piece(of: piece, from: place, classes)
            if isKept { total += count(piece.extracting(place..<end), from: level + 1) }
            place = end
        }
        return total
    }

    private mutating func countPiece(_ piece: Span<UInt8>) -> Int {
        if piece.count > Self.pieceBytesMax {
            var total = 0
            var place = 0
            while place < piece.count {
                var end = min(piece.count, place + Self.pieceBytesMax)
                while end < piece.count, end > place + 1, piece[end] & 0xC0 == 0x80 { end -= 1 }
                total += countPiece(piece.extracting(place..<end))
                place = end
            }
            return total
        }
        // What is longer hardly comes again.
        guard piece.count <= 64 else { return countByModel(piece) }
        // 0 would be an empty place.
        let hash = TextHash.hash64(piece) | 1
        let place = Int(hash >> 40) & (Self.seenCount - 1)
        if seen[place].hash == hash { return Int(seen[place].count) }
        let count = countByModel(piece)
        seen[place] = (hash, UInt32(clamping: count))
        return count
    }

    private mutating func countByModel(_ piece: Span<UInt8>) -> Int {
        // Each is changed where it stands: taken out of an enumeration it would be copied with its tables.
        if let count = pairs?.count(piece) { return count }
        if let count = pieces?.count(piece) { return count }
        return words?.count(piece) ?? 0
    }
}
