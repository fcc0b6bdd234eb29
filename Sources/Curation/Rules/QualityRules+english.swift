import CCuration

extension QualityRules {
    /// Gopher's two filters, C4 and FineWeb, in the order in which FineWeb's own pipeline has them.
    ///
    /// - Returns: Whether C4 has passed, so that `edited` is the text to keep.
    mutating func judgeEnglish(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        _ findings: inout [QualityFinding],
        _ edited: inout [UInt8]
    ) -> Bool {
        let filters = configuration.filters
        let isASCII = Self.isASCII(text, count)
        let seed = onepoint_xxh3_64(text, count, 0)
        // At least one, for bytes that are no text have none.
        let characters = isASCII ? count : max(1, TextLines.characters(text, 0, count))
        if filters.contains(.gopherRepetition) || filters.contains(.fineWeb) {
            lines.scan(text, count, isASCII: isASCII, seed: seed, tables: tables)
        }
        if filters.contains(.gopherRepetition), count == 0 {
            guard report(.repetitionEmpty, 0, &findings) else { return false }
        }
        let repeats = filters.contains(.gopherRepetition) && count > 0
        if repeats {
            guard judgeRepeatedLines(text, count, characters, &findings) else { return false }
        }
        tokenizer.tokenize(text, count)
        if repeats {
            runs.load(tokenizer.tokens, text, count: count, seed: seed)
            guard judgeRepeatedWords(characters, &findings) else { return false }
        }
        if filters.contains(.gopherQuality) || filters.contains(.c4) {
            marks.scan(text, count)
            split(text, count)
        }
        if filters.contains(.gopherQuality) {
            guard judgeWords(text, &findings) else { return false }
        }
        var words = 0
        for index in 0..<tokenizer.tokens.count where !tokenizer.tokens[index].has(EnglishToken.space) { words += 1 }
        var isEdited = false
        if filters.contains(.c4) {
            let outcome = judgeC4(text, &findings, &edited)
            guard outcome.goOn else { return false }
            isEdited = outcome.passed
            if isEdited { words = outcome.words }
        }
        if filters.contains(.fineWeb) {
            if isEdited {
                judgeEdited(edited, words, &findings)
            } else {
                judgeFineWeb(characters, words, &findings)
            }
        }
        return isEdited
    }

    static func isASCII(_ text: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var any: UInt64 = 0
        var at = 0
        while count - at >= 8 {
            any |= UnsafeRawPointer(text + at).loadUnaligned(as: UInt64.self)
            at += 8
        }
        while at < count {
            any |= UInt64(text[at])
            at += 1
        }
        return any & 0x8080_8080_8080_8080 == 0
    }
}

// MARK: Gopher's repetition

extension QualityRules {
    private mutating func judgeRepeatedLines(
        _ text: UnsafePointer<UInt8>,
        _ count: Int,
        _ characters: Int,
        _ findings: inout [QualityFinding]
    ) -> Bool {
        let total = Double(characters)
        let paragraphs = lines.paragraphs
        let share = Double(paragraphs.repeated) / Double(paragraphs.count)
        guard report(.repetitionEmpty, Double(count), &findings) else { return false }
        guard report(.duplicateParagraphs, share, &findings) else { return false }
        let paragraphShare = Double(paragraphs.repeatedCharacters) / total
        guard report(.duplicateParagraphCharacters, paragraphShare, &findings) else { return false }
        // Splitting at runs of line breaks leaves an empty line before a leading one and behind a trailing one.
        let leading = text[0] == 0x0A ? 1 : 0
        let trailing = text[count - 1] == 0x0A ? 1 : 0
        let all = lines.lines.count + leading + trailing
        let repeated = lines.lines.repeated + leading * trailing
        guard report(.duplicateLines, Double(repeated) / Double(all), &findings) else { return false }
        return report(.duplicateLineCharacters, Double(lines.lines.repeatedCharacters) / total, &findings)
    }

    private static let duplicateGrams: [QualityRule] = [
        .duplicate5Grams, .duplicate6Grams, .duplicate7Grams, .duplicate8Grams, .duplicate9Grams, .duplicate10Grams,
    ]

    private mutating func judgeRepeatedWords(_ characters: Int, _ findings: inout [QualityFinding]) -> Bool {
        let total = Double(characters)
        let top = runs.top()
        for (rule, value) in [(QualityRule.top2Gram, top.two), (.top3Gram, top.three), (.top4Gram, top.four)] {
            guard report(rule, Double(value ?? 0) / total, &findings) else { return false }
        }
        runs.findCandidates()
        for n in 5...10 {
            guard report(Self.duplicateGrams[n - 5], Double(runs.duplicated(n)) / total, &findings) else {
                return false
            }
        }
        return true
    }
}

// MARK: Gopher's quality

extension QualityRules {
    private mutating func judgeWords(_ text: UnsafePointer<UInt8>, _ findings: inout [QualityFinding]) -> Bool {
        var words = 0
        var wordForming = 0
        var wordCharacters = 0
        var alphabetic = 0
        var stopWords: UInt32 = 0
        let known = Self.stopWords
        let tokens = tokenizer.tokens.base
        for index in 0..<tokenizer.tokens.count {
            let token = tokens[index]
            if token.has(EnglishToken.space) { continue }
            words &+= 1
            alphabetic &+= token.has(EnglishToken.letter) ? 1 : 0
            if token.has(EnglishToken.wordForming) {
                wordForming &+= 1
                let isWide = token.has(EnglishToken.beyondASCII)
                wordCharacters &+= isWide ? TextLines.characters(text, token) : token.count
                stopWords |= Self.stopWord(text + Int(token.start), token.count, known)
            }
        }
        guard report(.shortDocument, Double(wordForming), &findings) else { return false }
        guard report(.longDocument, Double(wordForming), &findings) else { return false }
        if wordForming > 0 {
            let mean = Double(wordCharacters) / Double(wordForming)
            guard report(.shortWords, mean, &findings) else { return false }
            guard report(.longWords, mean, &findings) else { return false }
        }
        func share(_ count: Int, _ of: Int) -> Double { of > 0 ? Double(count) / Double(of) : 0 }
        guard report(.hashes, share(marks.hashes, words), &findings) else { return false }
        guard report(.ellipses, share(marks.ellipses, words), &findings) else { return false }
        var bullets = 0
        var endEllipses = 0
        for index in 0..<splitLines.count {
            let line = splitLines[index].range
            let inner = TextLines.stripped(text, line.lowerBound, line.upperBound, tables)
            guard !inner.isEmpty else { continue }
            if Self.isBullet(text, inner) { bullets += 1 }
            if Self.endsInEllipsis(text, inner) { endEllipses += 1 }
        }
        guard report(.bullets, share(bullets, splitLines.count), &findings) else { return false }
        guard report(.endEllipses, share(endEllipses, splitLines.count), &findings) else { return false }
        guard report(.alphabeticWords, share(alphabetic, words), &findings) else { return false }
        return report(.stopWords, Double(stopWords.nonzeroBitCount), &findings)
    }

    /// Gopher's stop words "the", "be", "to", "of", "and", "that", "have" and "with" as numbers of their bytes, each where
    /// `stopWordFactor` puts it.
    private static let stopWords: [UInt32] = [
        0x0, 0x656874, 0x0, 0x6F74,
        0x65766168, 0x74616874, 0x0, 0x68746977,
        0x0, 0x0, 0x0, 0x0,
        0x666F, 0x0, 0x646E61, 0x6562,
    ]
    private static let stopWordFactor: UInt32 = 0xCD61_3E31

    /// The bit of a stop word, or none; without a branch, for it is asked of every word and half of them are as short.
    @inline(__always)
    private static func stopWord(_ word: UnsafePointer<UInt8>, _ count: Int, _ known: [UInt32]) -> UInt32 {
        let eight = UnsafeRawPointer(word).loadUnaligned(as: UInt64.self)
        let bits = UInt64(truncatingIfNeeded: min(count, 4)) &* 8
        let key = UInt32(truncatingIfNeeded: eight & ((1 &<< bits) &- 1))
        let slot = (key &* stopWordFactor) &>> 28
        // A stop word has no byte of nought, so that its number tells its length.
        let isSame = known[Int(slot)] == key && (39 - key.leadingZeroBitCount) >> 3 == count
        return isSame ? 1 &<< slot : 0
    }

    private static func isBullet(_ text: UnsafePointer<UInt8>, _ line: Range<Int>) -> Bool {
        let at = line.lowerBound
        return text[at] == UInt8(ascii: "-")
            || (text[at] == 0xE2 && text[at + 1] == 0x80 && text[at + 2] == 0xA2 && line.count > 2)
    }

    static func endsInEllipsis(_ text: UnsafePointer<UInt8>, _ line: Range<Int>) -> Bool {
        guard line.count >= 3 else { return false }
        let at = line.upperBound - 3
        return (text[at] == 0x2E && text[at + 1] == 0x2E && text[at + 2] == 0x2E)
            || (text[at] == 0xE2 && text[at + 1] == 0x80 && text[at + 2] == 0xA6)
    }

    /// Lines as `str.splitlines` makes them.
    mutating func split(_ text: UnsafePointer<UInt8>, _ count: Int) {
        splitLines.removeAll()
        var start = 0
        var at = 0
        if !tokenizer.hasOtherLineBreaks {
            while at < count, let found = onepoint_quality_find_byte(text + at, 0x0A, count - at) {
                at = found - text + 1
                splitLines.append(LineBounds(start, at - 1))
                start = at
            }
        }
        while tokenizer.hasOtherLineBreaks, at < count {
            let (mask, length) = tables.character(at: text + at)
            let end = at
            at += length
            guard mask & CharacterClass.lineBreak != 0 else { continue }
            if text[end] == 0x0D, at < count, text[at] == 0x0A { at += 1 }
            splitLines.append(LineBounds(start, end))
            start = at
        }
        if start < count { splitLines.append(LineBounds(start, count)) }
    }
}

// MARK: FineWeb

extension QualityRules {
    /// Judges the text that C4 has left.
    private mutating func judgeEdited(_ edited: [UInt8], _ words: Int, _ findings: inout [QualityFinding]) {
        Self.pad(edited.span, into: &editedLine)
        let base = UnsafePointer(editedLine.base)
        let isASCII = Self.isASCII(base, edited.count)
        let seed = onepoint_xxh3_64(base, edited.count, 0)
        lines.scan(base, edited.count, isASCII: isASCII, seed: seed, tables: tables)
        let characters = isASCII ? edited.count : TextLines.characters(base, 0, edited.count)
        judgeFineWeb(characters, words, &findings)
    }

    private mutating func judgeFineWeb(_ characters: Int, _ words: Int, _ findings: inout [QualityFinding]) {
        let written = lines.written
        guard report(.fineWebEmpty, Double(written.count), &findings), written.count > 0 else { return }
        let count = Double(written.count)
        guard report(.linePunctuation, Double(lines.terminated) / count, &findings) else { return }
        guard report(.shortLines, Double(lines.short) / count, &findings) else { return }
        let lineBreaks = lines.starts.count - 2
        let rest = Double(max(1, characters - lineBreaks))
        guard report(.duplicateCharacters, Double(written.repeatedCharacters) / rest, &findings) else { return }
        report(.lists, words > 0 ? Double(lineBreaks) / Double(words) : 0, &findings)
    }
}
