/// A rule that cuts text into the pieces that a tokenizer looks at one by one.
///
/// The well-known regular expressions are written out as scanners: each is known by its text, and others are refused.
enum SplitPattern: Sendable, Hashable {
    /// Of GPT-2.
    case gpt2
    /// Of cl100k and its heirs, with so many digits in a piece: 3 in Llama 3, 1 in Qwen.
    case cl100k(digits: Int)
    /// The last of the three of DeepSeek V3, after numbers and ideographs are apart.
    case deepSeek
    /// Numbers apart, up to so many digits in a piece.
    case numbers(digits: Int)
    /// Ideographs and kana apart.
    case ideographs
    /// Numbers apart, each digit by itself or not.
    case digits(individual: Bool)
    /// Words between white space, which goes.
    case whitespace
    /// White space goes, punctuation stands alone: as BERT cuts.
    case bert
    /// Before every `▁`, which stands for a space.
    case metaspace

    /// A pattern by its text in a `tokenizer.json`; `nil` for one that is not known.
    init?(regex: String) {
        // Files have line ends in both ways.
        var text = ""
        for scalar in regex.unicodeScalars {
            switch scalar {
            case "\r": text += #"\r"#
            case "\n": text += #"\n"#
            default: text.unicodeScalars.append(scalar)
            }
        }
        switch text {
        case #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: self = .gpt2
        case Self.cl100kRegex(#"\p{N}{1,3}"#): self = .cl100k(digits: 3)
        case Self.cl100kRegex(#"\p{N}"#): self = .cl100k(digits: 1)
        case #"\p{N}{1,3}"#: self = .numbers(digits: 3)
        case "[\u{4E00}-\u{9FA5}\u{3040}-\u{309F}\u{30A0}-\u{30FF}]+": self = .ideographs
        case ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
            + #"| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#:
            self = .deepSeek
        default: return nil
        }
    }

    private static func cl100kRegex(_ digits: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + digits
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// Where the piece ends that begins at `start`, which is below the end, and whether it is kept.
    @inline(__always)
    func piece(of text: Span<UInt8>, from start: Int, _ classes: CharacterClasses) -> (end: Int, isKept: Bool) {
        let scanner = PieceScanner(classes: classes)
        return switch self {
        case .gpt2: (scanner.gpt2(text, start), true)
        case .cl100k(let digits): (scanner.cl100k(text, start, digits: digits), true)
        case .deepSeek: (scanner.deepSeek(text, start), true)
        case .numbers(let digits): (scanner.numbers(text, start, digits: digits), true)
        case .ideographs: (scanner.ideographs(text, start), true)
        case .digits(let individual): (scanner.digits(text, start, individual: individual), true)
        case .whitespace: scanner.word(text, start, punctuation: false)
        case .bert: scanner.word(text, start, punctuation: true)
        case .metaspace: (scanner.metaspace(text, start), true)
        }
    }
}

private let apostrophe = UInt32(UInt8(ascii: "'"))
private let blank = UInt32(UInt8(ascii: " "))

/// The scanners behind ``SplitPattern``, over one piece of text.
private struct PieceScanner {
    let classes: CharacterClasses

    private static let wordLike = CharacterClasses.letter | CharacterClasses.number | CharacterClasses.space

    /// `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
    @inline(__always)
    func gpt2(_ text: Span<UInt8>, _ start: Int) -> Int {
        let first = text.scalar(at: start)
        if first.value == apostrophe, let end = contraction(text, first.next, anyCase: false) { return end }
        var at = start
        var kind = classes.of(first.value)
        if first.value == blank, first.next < text.count {
            let next = classes.of(text.scalar(at: first.next).value)
            if next & CharacterClasses.space == 0 { (at, kind) = (first.next, next) }
        }
        if kind & CharacterClasses.space != 0 { return space(text, start) }
        return run(text, at, of: kind)
    }

    /// `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
    @inline(__always)
    func cl100k(_ text: Span<UInt8>, _ start: Int, digits: Int) -> Int {
        let first = text.scalar(at: start)
        let kind = classes.of(first.value)
        if kind & CharacterClasses.letter != 0 { return run(text, start, of: kind) }
        if first.value == apostrophe, let end = contraction(text, first.next, anyCase: true) { return end }
        if kind & CharacterClasses.number != 0 { return numbers(text, start, digits: digits) }
        var at = start
        var isSpace = kind & CharacterClasses.space != 0
        if first.next < text.count {
            let next = classes.of(text.scalar(at: first.next).value)
            if next & CharacterClasses.letter != 0, !isLineEnd(first.value) { return run(text, first.next, of: next) }
            if first.value == blank, next & Self.wordLike == 0 { (at, isSpace) = (first.next, false) }
        }
        guard isSpace else {
            var end = run(text, at, of: 0)
            while end < text.count, isLineEnd(UInt32(text[end])) { end += 1 }
            return end
        }
        return lines(text, start) ?? space(text, start)
    }

    /// The last pattern of DeepSeek V3; what it matches nothing of stays together.
    func deepSeek(_ text: Span<UInt8>, _ start: Int) -> Int {
        if let end = deepSeekMatch(text, start) { return end }
        var at = text.scalar(at: start).next
        while at < text.count, deepSeekMatch(text, at) == nil { at = text.scalar(at: at).next }
        return at
    }

    private func deepSeekMatch(_ text: Span<UInt8>, _ start: Int) -> Int? {
        let word = CharacterClasses.letter | CharacterClasses.mark
        let sign = CharacterClasses.punctuation | CharacterClasses.symbol
        let first = text.scalar(at: start)
        let kind = classes.of(first.value)
        let next = first.next < text.count ? classes.of(text.scalar(at: first.next).value) : 0
        if first.value < 0x80, kind & sign != 0, first.next < text.count, isLatin(text[first.next]) {
            var at = first.next
            while at < text.count, isLatin(text[at]) { at += 1 }
            return at
        }
        if kind & word != 0 { return run(text, start, within: word) }
        if kind & sign == 0, !isLineEnd(first.value), next & word != 0 { return run(text, first.next, within: word) }
        if kind & sign != 0 || (first.value == blank && next & sign != 0) {
            var end = run(text, kind & sign != 0 ? start : first.next, within: sign)
            while end < text.count, isLineEnd(UInt32(text[end])) { end += 1 }
            return end
        }
        guard kind & CharacterClasses.space != 0 else { return nil }
        return lines(text, start) ?? space(text, start)
    }

    private func isLatin(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }

    /// The end of the characters that are of any of some kinds.
    private func run(_ text: Span<UInt8>, _ start: Int, within kinds: UInt8) -> Int {
        var at = start
        while at < text.count {
            let next = text.scalar(at: at)
            guard classes.of(next.value) & kinds != 0 else { break }
            at = next.next
        }
        return at
    }

    /// Up to so many digits, or all up to the next digit.
    @inline(__always)
    func numbers(_ text: Span<UInt8>, _ start: Int, digits: Int) -> Int {
        var at = start
        var count = 0
        while at < text.count {
            let next = text.scalar(at: at)
            let isNumber = classes.of(next.value) & CharacterClasses.number != 0
            if at == start, !isNumber { return self.digits(text, start, individual: false) }
            guard isNumber, count < digits else { break }
            count += 1
            at = next.next
        }
        return at
    }

    func ideographs(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        var wasOne = false
        while at < text.count {
            let next = text.scalar(at: at)
            let isOne = (0x4E00...0x9FA5).contains(next.value) || (0x3040...0x30FF).contains(next.value)
            if at > start, isOne != wasOne { break }
            wasOne = isOne
            at = next.next
        }
        return at
    }

    func digits(_ text: Span<UInt8>, _ start: Int, individual: Bool) -> Int {
        let first = text.scalar(at: start)
        let isNumber = classes.of(first.value) & CharacterClasses.number != 0
        var at = first.next
        if isNumber, individual { return at }
        while at < text.count {
            let next = text.scalar(at: at)
            guard (classes.of(next.value) & CharacterClasses.number != 0) == isNumber else { break }
            at = next.next
        }
        return at
    }

    func word(_ text: Span<UInt8>, _ start: Int, punctuation: Bool) -> (end: Int, isKept: Bool) {
        let first = text.scalar(at: start)
        let isSpace = classes.of(first.value) & CharacterClasses.space != 0
        var at = first.next
        if punctuation, !isSpace, isPunctuation(first.value) { return (at, true) }
        while at < text.count {
            let next = text.scalar(at: at)
            guard (classes.of(next.value) & CharacterClasses.space != 0) == isSpace else { break }
            if punctuation, !isSpace, isPunctuation(next.value) { break }
            at = next.next
        }
        return (at, !isSpace)
    }

    /// To the next U+2581, whose UTF-8 is E2 96 81.
    func metaspace(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start + 1
        while at < text.count {
            if text[at] == 0xE2, at + 2 < text.count, text[at + 1] == 0x96, text[at + 2] == 0x81 { return at }
            at += 1
        }
        return at
    }

    // MARK: Parts

    private func isLineEnd(_ value: UInt32) -> Bool { value == 0x0A || value == 0x0D }

    /// BERT's punctuation: every sign of ASCII too.
    private func isPunctuation(_ value: UInt32) -> Bool {
        if value < 0x80 { return value > 0x20 && value < 0x7F && classes.of(value) & Self.wordLike == 0 }
        return classes.of(value) & CharacterClasses.punctuation != 0
    }

    /// The end of the characters that are letters, or numbers, or neither nor white space, as `kind` is.
    @inline(__always)
    private func run(_ text: Span<UInt8>, _ start: Int, of kind: UInt8) -> Int {
        let mask = kind & (CharacterClasses.letter | CharacterClasses.number)
        var at = start
        while at < text.count {
            let next = text.scalar(at: at)
            let kind = classes.of(next.value) & Self.wordLike
            guard mask == 0 ? kind == 0 : kind & mask != 0 else { break }
            at = next.next
        }
        return at
    }

    /// The end of `s`, `t`, `re`, `ve`, `m`, `ll` or `d` after an apostrophe; `nil` when there is none.
    private func contraction(_ text: Span<UInt8>, _ start: Int, anyCase: Bool) -> Int? {
        guard start < text.count else { return nil }
        let fold: UInt8 = anyCase ? 0x20 : 0
        switch text[start] | fold {
        case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"): return start + 1
        case UInt8(ascii: "r"), UInt8(ascii: "v"):
            return start + 1 < text.count && text[start + 1] | fold == UInt8(ascii: "e") ? start + 2 : nil
        case UInt8(ascii: "l"):
            return start + 1 < text.count && text[start + 1] | fold == UInt8(ascii: "l") ? start + 2 : nil
        default:
            // The long s is an s in any case.
            let next = text.scalar(at: start)
            return anyCase && next.value == 0x17F ? next.next : nil
        }
    }

    /// `\s*[\r\n]+`: to the last line end of the white space; `nil` when it has none.
    private func lines(_ text: Span<UInt8>, _ start: Int) -> Int? {
        var end: Int?
        var at = start
        while at < text.count {
            let next = text.scalar(at: at)
            guard classes.of(next.value) & CharacterClasses.space != 0 else { break }
            at = next.next
            if isLineEnd(next.value) { end = at }
        }
        return end
    }

    /// `\s+(?!\S)|\s+`: all the white space, but the last of it when something follows and it is not all there is.
    private func space(_ text: Span<UInt8>, _ start: Int) -> Int {
        var at = start
        var last = start
        while at < text.count {
            let next = text.scalar(at: at)
            guard classes.of(next.value) & CharacterClasses.space != 0 else { return last > start ? last : at }
            last = at
            at = next.next
        }
        return at
    }
}
