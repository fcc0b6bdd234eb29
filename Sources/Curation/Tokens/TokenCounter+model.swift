import Core

extension TokenCounter {
    /// Reads the model of a `tokenizer.json`.
    ///
    /// - Parameter isOfBytes: Whether pieces are written with a character for each byte, as ByteLevel does.
    static func model(_ bytes: Span<UInt8>, isOfBytes: Bool) throws(TokenizerError) -> Model {
        var scanner = JSONScanner()
        var options: [(key: String, value: JSON)] = []
        var vocabulary: Range<Int>?
        var merges: Range<Int>?
        try scanner.expect("{", bytes)
        var isFirst = true
        while try scanner.more("}", &isFirst, bytes) {
            try scanner.readString(bytes)
            let key = String(decoding: scanner.string, as: UTF8.self)
            try scanner.expect(":", bytes)
            switch key {
            case "vocab": vocabulary = try scanner.skipValue(bytes)
            case "merges": merges = try scanner.skipValue(bytes)
            default: options.append((key, try scanner.readValue(bytes)))
            }
        }
        let json = JSON.object(options)
        guard let vocabulary else { throw TokenizerError("The tokenizer has no vocabulary.") }
        let list = bytes.extracting(vocabulary)
        // Files of old leave the type out, and then it is seen by what else there is.
        switch json["type"]?.stringValue ?? (merges == nil ? "" : "BPE") {
        case "BPE":
            guard let merges else { throw TokenizerError("The tokenizer has no merges.") }
            return .bytePairs(try pairs(json, list, bytes.extracting(merges), isOfBytes: isOfBytes))
        case "Unigram":
            // A vocabulary of bytes would have to be read as one.
            guard !isOfBytes else {
                throw TokenizerError("The tokenizer uses Unigram over bytes, which is not understood.")
            }
            return .unigram(try unigram(json, list))
        case "WordPiece": return .wordPieces(try words(json, list))
        case let type:
            throw TokenizerError("The tokenizer uses the model '\(type.prefix(200))', which is not understood.")
        }
    }

    private static func pairs(
        _ json: JSON,
        _ list: Span<UInt8>,
        _ merges: Span<UInt8>,
        isOfBytes: Bool
    ) throws(TokenizerError) -> BytePairs {
        for name in ["continuing_subword_prefix", "end_of_word_suffix"] {
            guard json[name]?.stringValue ?? "" == "" else {
                throw TokenizerError("The tokenizer uses '\(name)', which is not understood.")
            }
        }
        guard json["dropout"]?.numberValue ?? 0 == 0 else {
            throw TokenizerError("The tokenizer drops pairs by chance.")
        }
        let alphabet = isOfBytes ? ByteAlphabet() : nil
        var pairs = BytePairs()
        try eachEntry(list) { piece, symbol in
            guard let piece = alphabet.map({ $0.bytes(of: piece) }) ?? piece else { return }
            pairs.vocabulary.set(TextHash.hash64(piece.span), symbol)
        }
        func symbol(_ piece: [UInt8]) -> UInt32? { pairs.vocabulary[TextHash.hash64(piece.span)] }
        pairs.looksUpWhole = json["ignore_merges"]?.boolValue ?? false
        pairs.fusesUnknown = json["fuse_unk"]?.boolValue ?? false
        pairs.unknown = json["unk_token"]?.stringValue.flatMap { symbol(Array($0.utf8)) }
        if isOfBytes {
            pairs.bytes = (0..<256).map { symbol([UInt8($0)]) ?? pairs.unknown }
        } else if json["byte_fallback"]?.boolValue ?? false {
            let bytes = (0..<256).compactMap { symbol(byteToken($0)) }
            if bytes.count == 256 { pairs.fallback = bytes }
        }
        var scanner = JSONScanner()
        try scanner.expect("[", merges)
        var isFirst = true
        while try scanner.more("]", &isFirst, merges) {
            guard pairs.joined.count < vocabularyMax else { throw TokenizerError("The tokenizer has too many merges.") }
            let (left, right) = try merge(&scanner, merges)
            guard let left = alphabet.map({ $0.bytes(of: left) }) ?? left,
                let right = alphabet.map({ $0.bytes(of: right) }) ?? right,
                let one = symbol(left), let other = symbol(right), let joined = symbol(left + right)
            else { throw TokenizerError("Merge \(pairs.joined.count) of the tokenizer is not of its vocabulary.") }
            pairs.ranks.set(BytePairs.key(one, other), UInt32(pairs.joined.count))
            pairs.joined.append(joined)
        }
        return pairs
    }

    /// The token of a byte that no piece has: `<0x0A>`.
    private static func byteToken(_ byte: Int) -> [UInt8] {
        let digits = String(byte, radix: 16, uppercase: true)
        return Array("<0x\(byte < 16 ? "0" : "")\(digits)>".utf8)
    }

    /// One merge: `"a b"`, or `["a", "b"]`.
    private static func merge(
        _ scanner: inout JSONScanner,
        _ merges: Span<UInt8>
    ) throws(TokenizerError) -> ([UInt8], [UInt8]) {
        if scanner.take("[", merges) {
            try scanner.readString(merges)
            let left = scanner.string
            try scanner.expect(",", merges)
            try scanner.readString(merges)
            let right = scanner.string
            try scanner.expect("]", merges)
            return (left, right)
        }
        try scanner.readString(merges)
        guard let blank = scanner.string.firstIndex(of: 0x20) else {
            throw TokenizerError("A merge of the tokenizer has no blank.")
        }
        return (Array(scanner.string[..<blank]), Array(scanner.string[(blank + 1)...]))
    }

    private static func unigram(_ json: JSON, _ list: Span<UInt8>) throws(TokenizerError) -> UnigramPieces {
        var pieces = UnigramPieces()
        var scanner = JSONScanner()
        var bytes = 0
        try scanner.expect("[", list)
        var isFirst = true
        while try scanner.more("]", &isFirst, list) {
            guard pieces.scores.count < vocabularyMax else { throw TokenizerError("The vocabulary is too large.") }
            try scanner.expect("[", list)
            try scanner.readString(list)
            let piece = scanner.string
            try scanner.expect(",", list)
            let score = try scanner.readNumber(list)
            try scanner.expect("]", list)
            // A walk along a piece is taken from every place of a text.
            guard piece.count <= 4096 else { throw TokenizerError("A piece of the vocabulary is too long.") }
            if piece.count == 6, piece.starts(with: "<0x".utf8) { bytes += 1 }
            if !piece.isEmpty { pieces.tree.insert(piece, UInt32(pieces.scores.count)) }
            pieces.scores.append(score)
        }
        pieces.unknown = json["unk_id"]?.integerValue.flatMap { UInt32(exactly: $0) }
        pieces.hasBytes = bytes >= 256 && json["byte_fallback"]?.boolValue ?? false
        pieces.prepare()
        return pieces
    }

    private static func words(_ json: JSON, _ list: Span<UInt8>) throws(TokenizerError) -> WordPieces {
        var words = WordPieces()
        let prefix = Array((json["continuing_subword_prefix"]?.stringValue ?? "##").utf8)
        words.charactersMax = json["max_input_chars_per_word"]?.integerValue.map { Int(clamping: $0) } ?? 100
        try eachEntry(list) { piece, symbol in
            words.first.insert(piece, symbol)
            if piece.count > prefix.count, piece.starts(with: prefix) {
                words.next.insert(Array(piece[prefix.count...]), symbol)
            }
        }
        return words
    }

    /// The pieces of a vocabulary that is an object, with their numbers.
    private static func eachEntry(
        _ list: Span<UInt8>,
        _ body: ([UInt8], UInt32) -> Void
    ) throws(TokenizerError) {
        var scanner = JSONScanner()
        var count = 0
        try scanner.expect("{", list)
        var isFirst = true
        while try scanner.more("}", &isFirst, list) {
            count += 1
            guard count <= vocabularyMax else { throw TokenizerError("The vocabulary is too large.") }
            try scanner.readString(list)
            let piece = scanner.string
            try scanner.expect(":", list)
            guard let symbol = UInt32(exactly: try scanner.readNumber(list)), symbol != .max else {
                throw TokenizerError("A piece of the vocabulary has no number.")
            }
            body(piece, symbol)
        }
    }
}

/// The characters that ByteLevel writes bytes as: printable ones of Latin-1 as themselves, the others from U+0100 on.
///
/// > Source: Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), and its published encoder.
private struct ByteAlphabet {
    private var bytes = [UInt8?](repeating: nil, count: 0x200)

    init() {
        var next = 0x100
        for byte in 0..<256 {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: bytes[byte] = UInt8(byte)
            default:
                bytes[next] = UInt8(byte)
                next += 1
            }
        }
    }

    /// - Returns: `nil` when a character stands for no byte.
    func bytes(of piece: [UInt8]) -> [UInt8]? {
        var out: [UInt8] = []
        out.reserveCapacity(piece.count)
        var at = 0
        while at < piece.count {
            let next = piece.span.scalar(at: at)
            guard next.value < 0x200, let byte = bytes[Int(next.value)] else { return nil }
            out.append(byte)
            at = next.next
        }
        return out
    }
}
