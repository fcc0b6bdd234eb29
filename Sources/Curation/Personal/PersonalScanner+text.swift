/// Looks at the text around a finding. `\b` is of no use beside Han characters, which are letters: these look at the bytes.
extension PersonalScanner {
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always)
    static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }

    @inline(__always)
    static func isCapital(_ byte: UInt8) -> Bool { byte &- 0x41 < 26 }

    @inline(__always)
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }

    @inline(__always)
    static func isHex(_ byte: UInt8) -> Bool { isDigit(byte) || (byte | 0x20) &- 0x61 < 6 }

    /// The byte at `index`, 0 beyond either end.
    @inline(__always)
    static func byte(_ text: Span<UInt8>, _ index: Int) -> UInt8 {
        index >= 0 && index < text.count ? text[index] : 0
    }

    /// The code point of the three-byte character that starts at `index`, 0 when there is none.
    @inline(__always)
    static func character(_ text: Span<UInt8>, at index: Int) -> UInt32 {
        guard index >= 0, index + 3 <= text.count, text[index] & 0xF0 == 0xE0,
            text[index + 1] & 0xC0 == 0x80, text[index + 2] & 0xC0 == 0x80
        else { return 0 }
        return UInt32(text[index] & 15) << 12 | UInt32(text[index + 1] & 63) << 6 | UInt32(text[index + 2] & 63)
    }

    /// The three-byte character that ends before `index`, 0 when there is none.
    @inline(__always)
    static func character(_ text: Span<UInt8>, before index: Int) -> UInt32 { character(text, at: index - 3) }

    @inline(__always)
    static func isHan(_ character: UInt32) -> Bool { character >= 0x3400 && character <= 0x9FFF }

    /// Whether a word goes on before `index`: an ASCII letter or digit, `_`, or one in full width.
    static func isWord(_ text: Span<UInt8>, before index: Int) -> Bool {
        let last = byte(text, index - 1)
        if last < 0x80 { return isAlphanumeric(last) || last == 0x5F }
        return isWideWord(character(text, before: index))
    }

    /// Whether a word goes on at `index`.
    static func isWord(_ text: Span<UInt8>, at index: Int) -> Bool {
        let first = byte(text, index)
        if first < 0x80 { return isAlphanumeric(first) || first == 0x5F }
        return isWideWord(character(text, at: index))
    }

    private static func isWideWord(_ character: UInt32) -> Bool {
        switch character {
        case 0xFF10...0xFF19, 0xFF21...0xFF3A, 0xFF41...0xFF5A: true
        default: false
        }
    }

    /// Whether the bytes of `word` stand at `index`. ASCII capitals of the text count as small letters.
    @inline(__always)
    static func has(_ word: StaticString, in text: Span<UInt8>, at index: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index >= 0, index + count <= text.count else { return false }
        return word.withUTF8Buffer { bytes in
            for k in 0..<count {
                let byte = text[index + k]
                guard bytes[k] == (isCapital(byte) ? byte | 0x20 : byte) else { return false }
            }
            return true
        }
    }

    @inline(__always)
    static func has(_ word: StaticString, in text: Span<UInt8>, before index: Int) -> Bool {
        has(word, in: text, at: index - word.utf8CodeUnitCount)
    }

    /// Whether one of `cues` stands in the `window` bytes before `index`.
    @inline(__always)
    static func hasCue(_ cues: CueWords, in text: Span<UInt8>, before index: Int, window: Int = 40) -> Bool {
        cues.end(in: text, from: max(0, index - window), to: index) != nil
    }

    /// Skips, backwards from `index`, spaces and one mark such as a colon, and says where what precedes them ends.
    static func beforeMark(_ text: Span<UInt8>, _ index: Int) -> Int {
        var at = index
        var marks = 0
        while at > 0, index - at < 12 {
            if text[at - 1] == 0x20 || text[at - 1] == 0x09 {
                at -= 1
            } else if marks < 2, isMark(UInt32(text[at - 1])) {
                at -= 1
                marks += 1
            } else if marks < 2, isMark(character(text, before: at)) {
                at -= 3
                marks += 1
            } else {
                break
            }
        }
        return at
    }

    /// Skips spaces and marks such as a colon forwards.
    static func afterMark(_ text: Span<UInt8>, _ index: Int) -> Int {
        var at = index
        var marks = 0
        while at < text.count, at - index < 12 {
            if text[at] == 0x20 || text[at] == 0x09 {
                at += 1
            } else if marks < 2, isMark(UInt32(text[at])) {
                at += 1
                marks += 1
            } else if marks < 2, isMark(character(text, at: at)) {
                at += 3
                marks += 1
            } else {
                break
            }
        }
        return at
    }

    /// `: = # ( ：（ 、 　` and 为, 是: what stands between the name of a field and its value.
    private static func isMark(_ character: UInt32) -> Bool {
        switch character {
        case 0x3A, 0x3D, 0x23, 0x28, 0x22, 0xFF1A, 0xFF08, 0x3000, 0x4E3A, 0x662F, 0x3010, 0x3011, 0x300C: true
        default: false
        }
    }
}
