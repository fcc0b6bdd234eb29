import CCuration

/// Rules of our own for Chinese.
extension QualityRules {
    private static let topGram = 4
    private static let duplicateGram = 10

    mutating func judgeChinese(_ text: UnsafePointer<UInt8>, _ count: Int, _ findings: inout [QualityFinding]) {
        guard configuration.filters.contains(.chinese) else { return }
        let seed = onepoint_xxh3_64(text, count, 0)
        chinese.scan(text, count, seed: seed, tables: tables)
        let characters = chinese.characters
        guard report(.chineseLength, Double(characters), &findings), characters > 0 else { return }
        func share(_ part: Int) -> Double { Double(part) / Double(characters) }
        guard report(.chineseHan, share(chinese.han), &findings) else { return }
        guard report(.chinesePunctuationMost, share(chinese.punctuation), &findings) else { return }
        guard report(.chineseSymbols, share(chinese.symbols), &findings) else { return }
        guard report(.chineseDigits, share(chinese.digits), &findings) else { return }
        guard report(.chineseLatin, share(chinese.latin), &findings) else { return }
        guard report(.chineseMojibake, share(chinese.mojibake), &findings) else { return }
        guard judgeChineseLines(&findings) else { return }
        guard report(.chineseBoilerplate, share(chinese.boilerplateCharacters), &findings) else { return }
        lines.scan(text, count, isASCII: false, seed: seed, tables: tables)
        let repeatedLines = Double(lines.written.repeatedCharacters) / Double(characters)
        guard report(.chineseDuplicateLines, repeatedLines, &findings) else { return }
        guard report(.chineseDuplicateSentences, share(chinese.repeatedSentenceCharacters), &findings) else { return }
        let top = (chinese.grams.top(Self.topGram, seed: seed) - 1) * Self.topGram
        // Those of one character over and over overlap.
        guard report(.chineseTopGram, min(1, share(top)), &findings) else { return }
        report(.chineseDuplicateGrams, share(chinese.grams.duplicated(Self.duplicateGram, seed: seed)), &findings)
    }

    private mutating func judgeChineseLines(_ findings: inout [QualityFinding]) -> Bool {
        if chinese.sentences > 0 {
            let mean = Double(chinese.sentenceCharacters) / Double(chinese.sentences)
            guard report(.chineseSentenceLengthLeast, mean, &findings) else { return false }
            guard report(.chineseSentenceLengthMost, mean, &findings) else { return false }
        }
        let count = Double(chinese.lines)
        let menu = Double(chinese.menuCharacters) / Double(chinese.characters)
        guard report(.chineseLineEnds, Double(chinese.endedLines) / count, &findings) else { return false }
        guard report(.chineseMenuLines, menu, &findings) else { return false }
        return report(.chineseEllipses, Double(chinese.ellipsisLines) / count, &findings)
    }
}
