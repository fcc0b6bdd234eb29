import CCuration

/// C4's rules on lines and documents.
///
/// > Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text Transformer" (2020),
/// > section 2.2, as datatrove 0.10.1 computes it.
extension QualityRules {
    private static let wordsPerLineMin = 3
    private static let wordCharactersMax = 1000

    /// What C4 makes of one line.
    private enum LineFate {
        case dropped
        case loremIpsum
        case curlyBracket
        /// With its sentences and its words, and whether `editedLine` is what is kept of it.
        case kept(sentences: Int, words: Int, isEdited: Bool)
    }

    /// - Returns: Whether to go on with further rules; whether the document passed; and the words of what was kept.
    mutating func judgeC4(
        _ text: UnsafePointer<UInt8>,
        _ findings: inout [QualityFinding],
        _ edited: inout [UInt8]
    ) -> (goOn: Bool, passed: Bool, words: Int) {
        var token = 0
        var hit = 0
        var sentences = 0
        var words = 0
        var loremIpsum = 0
        var curlyBrackets = 0
        var bracketIsFirst = false
        var isFirst = true
        for index in 0..<splitLines.count {
            let line = splitLines[index].range
            switch judgeLine(text, line, &token, &hit) {
            case .dropped:
                break
            case .loremIpsum:
                loremIpsum += 1
                if configuration.stopsAtFirstFailure, !report(.loremIpsum, 1, &findings) { return (false, false, 0) }
            case .curlyBracket:
                if loremIpsum == 0 { bracketIsFirst = true }
                curlyBrackets += 1
                if configuration.stopsAtFirstFailure, !report(.curlyBracket, 1, &findings) { return (false, false, 0) }
            case .kept(let lineSentences, let lineWords, let isEdited):
                sentences += lineSentences
                words += lineWords
                if !isFirst { edited.append(0x0A) }
                isFirst = false
                if isEdited {
                    edited.append(contentsOf: UnsafeBufferPointer(start: editedLine.base, count: editedLine.count))
                } else {
                    let inner = TextLines.stripped(text, line.lowerBound, line.upperBound, tables)
                    edited.append(
                        contentsOf: UnsafeBufferPointer(start: text + inner.lowerBound, count: inner.count)
                    )
                }
            }
        }
        let before = findings.count
        if bracketIsFirst { report(.curlyBracket, Double(curlyBrackets), &findings) }
        report(.loremIpsum, Double(loremIpsum), &findings)
        if !bracketIsFirst { report(.curlyBracket, Double(curlyBrackets), &findings) }
        let goOn = report(.sentences, Double(sentences), &findings)
        let passed = findings[before...].allSatisfy(\.passed)
        if passed { strip(&edited) } else { edited.removeAll(keepingCapacity: true) }
        return (goOn, passed, words)
    }

    private mutating func judgeLine(
        _ text: UnsafePointer<UInt8>,
        _ line: Range<Int>,
        _ token: inout Int,
        _ hit: inout Int
    ) -> LineFate {
        let inner = TextLines.stripped(text, line.lowerBound, line.upperBound, tables)
        let tokens = passTokens(of: inner, &token)
        let phrases = passPhrases(before: inner.upperBound, in: inner, &hit)
        if inner.count > Self.wordCharactersMax, hasLongWord(text, tokens) { return .dropped }
        let isEdited = removeCitations(text, inner)
        if configuration.c4WantsLineEnds, !hasLineEnd(text, inner, isEdited) { return .dropped }
        var chunks = 0
        for index in tokens where tokenizer.tokens[index].has(EnglishToken.chunkStart) { chunks += 1 }
        guard chunks >= Self.wordsPerLineMin else { return .dropped }
        var found = phrases
        if isEdited { found = phrasesOfEditedLine() }
        if found & 1 << TextMarks.Phrase.loremIpsum.rawValue != 0 { return .loremIpsum }
        if found & 1 << TextMarks.Phrase.javascript.rawValue != 0 { return .dropped }
        if onepoint_quality_find_byte(text + inner.lowerBound, UInt8(ascii: "{"), inner.count) != nil {
            return .curlyBracket
        }
        if found & 1 << TextMarks.Phrase.policy.rawValue != 0 { return .dropped }
        if isEdited {
            let (sentences, words) = countEditedLine()
            return .kept(sentences: sentences, words: words, isEdited: true)
        }
        let (sentences, words) = Self.count(tokenizer.tokens, tokens, text, tables)
        return .kept(sentences: sentences, words: words, isEdited: false)
    }

    /// The tokens of a line, the first of which is at `token` or behind; `token` is moved behind them.
    private mutating func passTokens(of line: Range<Int>, _ token: inout Int) -> Range<Int> {
        let count = tokenizer.tokens.count
        while token < count, tokenizer.tokens[token].start < line.lowerBound { token += 1 }
        let first = token
        while token < count, tokenizer.tokens[token].start < line.upperBound { token += 1 }
        return first..<token
    }

    /// Which phrases a line has, a bit each; `hit` is moved behind them.
    private mutating func passPhrases(before end: Int, in line: Range<Int>, _ hit: inout Int) -> UInt8 {
        var phrases: UInt8 = 0
        while hit < marks.hits.count, marks.hits[hit].start < end {
            if marks.hits[hit].start >= line.lowerBound { phrases |= 1 << marks.hits[hit].phrase.rawValue }
            hit += 1
        }
        return phrases
    }

    private mutating func hasLongWord(_ text: UnsafePointer<UInt8>, _ tokens: Range<Int>) -> Bool {
        var characters = 0
        for index in tokens {
            let token = tokenizer.tokens[index]
            if token.has(EnglishToken.chunkStart) || token.has(EnglishToken.space) { characters = 0 }
            guard !token.has(EnglishToken.space) else { continue }
            characters += TextLines.characters(text, token)
            if characters > Self.wordCharactersMax { return true }
        }
        return false
    }

    /// Puts the line without citations into `editedLine`; false if it has none.
    private mutating func removeCitations(_ text: UnsafePointer<UInt8>, _ line: Range<Int>) -> Bool {
        var at = line.lowerBound
        var kept = at
        var isEdited = false
        while at < line.upperBound,
            let found = onepoint_quality_find_byte(text + at, UInt8(ascii: "["), line.upperBound - at)
        {
            at = found - text
            let length = citation(text, at, line.upperBound)
            if length == 0 {
                at += 1
                continue
            }
            if !isEdited { editedLine.removeAll() }
            isEdited = true
            editedLine.append(text + kept, count: at - kept)
            at += length
            kept = at
        }
        if isEdited {
            editedLine.append(text + kept, count: line.upperBound - kept)
        }
        return isEdited
    }

    /// The bytes of a citation such as "[12]", "[]", "[edit]" or "[citation needed]" that begins at `at`, or nought.
    private mutating func citation(_ text: UnsafePointer<UInt8>, _ at: Int, _ end: Int) -> Int {
        if Self.stands("[edit]", text, at, end) { return 6 }
        if Self.stands("[citation needed]", text, at, end) { return 17 }
        var next = at + 1
        while next < end {
            if text[next] == UInt8(ascii: "]") { return next + 1 - at }
            let (mask, length) = tables.character(at: text + next)
            guard mask & CharacterClass.digit != 0 else { return 0 }
            next += length
        }
        return 0
    }

    private static func stands(
        _ phrase: StaticString,
        _ text: UnsafePointer<UInt8>,
        _ at: Int,
        _ end: Int
    ) -> Bool {
        let count = phrase.utf8CodeUnitCount
        return at + count <= end && onepoint_bytes_equal(text + at, phrase.utf8Start, count)
    }

    /// Whether the line ends in a mark that ends a sentence, and not in an ellipsis of dots.
    private mutating func hasLineEnd(_ text: UnsafePointer<UInt8>, _ line: Range<Int>, _ isEdited: Bool) -> Bool {
        isEdited ? Self.hasLineEnd(editedLine.base, 0..<editedLine.count) : Self.hasLineEnd(text, line)
    }

    private static func hasLineEnd(_ text: UnsafePointer<UInt8>, _ line: Range<Int>) -> Bool {
        guard let last = line.last else { return false }
        switch text[last] {
        case UInt8(ascii: "."): return !endsInEllipsis(text, line)
        case UInt8(ascii: "?"), UInt8(ascii: "!"), UInt8(ascii: "\""), UInt8(ascii: "'"): return true
        default: return false
        }
    }

    private mutating func phrasesOfEditedLine() -> UInt8 {
        let count = padEditedLine()
        lineMarks.scan(editedLine.base, count)
        editedLine.resize(to: count)
        var found: UInt8 = 0
        for hit in 0..<lineMarks.hits.count { found |= 1 << lineMarks.hits[hit].phrase.rawValue }
        return found
    }

    private mutating func countEditedLine() -> (sentences: Int, words: Int) {
        let count = padEditedLine()
        lineTokenizer.tokenize(editedLine.base, count)
        editedLine.resize(to: count)
        return Self.count(lineTokenizer.tokens, 0..<lineTokenizer.tokens.count, editedLine.base, tables)
    }

    /// Puts blanks behind the edited line; returns its length without them.
    private mutating func padEditedLine() -> Int {
        let count = editedLine.count
        editedLine.append(repeating: 0x20, count: EnglishTokenizer.paddingBytes)
        return count
    }

    /// The sentences of tokens as spaCy's sentencizer finds them, at least one, and the words.
    ///
    /// A sentence begins at the first token that is not punctuation behind one that ends a sentence.
    private static func count(
        _ tokens: borrowing Scratch<EnglishToken>,
        _ range: Range<Int>,
        _ text: UnsafePointer<UInt8>,
        _ tables: QualityTables
    ) -> (sentences: Int, words: Int) {
        var sentences = 1
        var words = 0
        var hasEnded = false
        for index in range {
            let token = tokens[index]
            if !token.has(EnglishToken.space) { words += 1 }
            let (mask, length) = tables.character(at: text + Int(token.start))
            if mask & CharacterClass.sentenceEnd != 0, length == token.count {
                hasEnded = true
            } else if hasEnded, !isPunctuation(text, token, tables) {
                sentences += 1
                hasEnded = false
            }
        }
        return (sentences, words)
    }

    /// Whether every character of a token is punctuation.
    private static func isPunctuation(
        _ text: UnsafePointer<UInt8>,
        _ token: EnglishToken,
        _ tables: QualityTables
    ) -> Bool {
        var at = Int(token.start)
        while at < token.end {
            let (mask, length) = tables.character(at: text + at)
            if mask & CharacterClass.punctuation == 0 { return false }
            at += length
        }
        return true
    }

    /// Takes white space from both ends.
    private func strip(_ bytes: inout [UInt8]) {
        let count = bytes.count
        bytes.append(contentsOf: repeatElement(0x20, count: EnglishTokenizer.paddingBytes))
        let inner = bytes.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { TextLines.stripped($0, 0, count, tables) } ?? 0..<0
        }
        bytes.removeLast(bytes.count - inner.upperBound)
        bytes.removeFirst(inner.lowerBound)
    }
}
