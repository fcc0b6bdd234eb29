/// A chunk between white space that is to be cut, character by character.
///
/// Nothing but pointers: it is handed about without copies of what it leads to.
struct EnglishChunk {
    let text: UnsafePointer<UInt8>
    /// Each character's class and first byte, and one more for the end.
    let masks: UnsafePointer<UInt32>
    let offsets: UnsafePointer<UInt32>
    let tables: QualityTables

    @inline(__always)
    func byte(_ character: Int) -> UInt8 { text[Int(offsets[character])] }

    /// Whether the characters are an exception.
    @inline(__always)
    func isException(_ low: Int, _ high: Int) -> Bool {
        let start = Int(offsets[low])
        return tables.exception(text + start, Int(offsets[high]) - start) > 0
    }

    /// How many characters come off the front; none if no prefix is there.
    func prefix(_ low: Int, _ high: Int) -> Int {
        guard low < high else { return 0 }
        if masks[low] & CharacterClass.prefix != 0 { return 1 }
        switch text[Int(offsets[low])] {
        case UInt8(ascii: "+"):
            return low + 1 < high && masks[low + 1] & CharacterClass.asciiDigit != 0 ? 0 : 1
        case UInt8(ascii: "."):
            let dots = self.dots(low, high)
            return dots > 1 ? dots : 0
        case UInt8(ascii: "U"):
            return low + 2 < high && byte(low + 1) == UInt8(ascii: "S")
                && byte(low + 2) == UInt8(ascii: "$") ? 3 : 0
        case UInt8(ascii: "C"), UInt8(ascii: "A"):
            return low + 1 < high && byte(low + 1) == UInt8(ascii: "$") ? 2 : 0
        default:
            return 0
        }
    }

    /// How many characters come off the end: the longest suffix that is there, or none.
    func suffix(_ low: Int, _ high: Int) -> Int {
        guard low < high else { return 0 }
        let last = masks[high - 1]
        let before: UInt32 = high - 2 >= low ? masks[high - 2] : 0
        var longest = last & CharacterClass.suffix != 0 ? 1 : 0
        switch byte(high - 1) {
        case UInt8(ascii: "."):
            var dots = 1
            while high - dots > low, byte(high - dots - 1) == UInt8(ascii: ".") { dots += 1 }
            if dots > 1 { return dots }
            if before & CharacterClass.beforeDot != 0 { return 1 }
            if high - 3 >= low, before & masks[high - 3] & CharacterClass.upper != 0 { return 1 }
            // After "°" and one of FfCcKk; the small ones are before a dot anyway.
            let degrees = high - 3 >= low && byte(high - 3) == 0xC2 && text[Int(offsets[high - 3]) + 1] == 0xB0
            if degrees, [0x43, 0x46, 0x4B].contains(byte(high - 2)) { return 1 }
            return 0
        case UInt8(ascii: "+"):
            return before & CharacterClass.asciiDigit != 0 ? 1 : 0
        case UInt8(ascii: "s"), UInt8(ascii: "S"):
            if high - 2 >= low {
                let at = Int(offsets[high - 2])
                if text[at] == UInt8(ascii: "'") { return 2 }
                if text[at] == 0xE2, text[at + 1] == 0x80, text[at + 2] == 0x99 { return 2 }
            }
        case 0xE2:
            // The two ellipses in a row that spaCy names.
            if high - 2 >= low, isEllipsis(high - 1), isEllipsis(high - 2) { return 2 }
        default:
            break
        }
        longest = max(longest, unit(low, high))
        return longest
    }

    /// How many characters a unit or a currency behind a digit has at the end.
    private func unit(_ low: Int, _ high: Int) -> Int {
        // No unit has a digit of ASCII in it, so that it is all that stands behind the last.
        var first = high
        while first > low, masks[first - 1] & CharacterClass.asciiDigit == 0 {
            first -= 1
            if high - first > 5 { return 0 }
        }
        guard first > low, first < high else { return 0 }
        let start = Int(offsets[first])
        return tables.isUnit(text + start, Int(offsets[high]) - start) ? high - first : 0
    }

    /// How many characters of an infix begin at `at`.
    func infix(_ at: Int, _ low: Int, _ high: Int) -> Int {
        let character = byte(at)
        if character == UInt8(ascii: ".") {
            let dots = self.dots(at, high)
            if dots > 1 { return dots }
        }
        if masks[at] & CharacterClass.infix != 0 { return 1 }
        guard at > low, at + 1 < high else { return 0 }
        let before = masks[at - 1]
        let after = masks[at + 1]
        let alphaAfter = after & CharacterClass.alpha != 0
        let alphaOrDigit = before & (CharacterClass.alpha | CharacterClass.asciiDigit) != 0
        switch character {
        case UInt8(ascii: "+"), UInt8(ascii: "*"), UInt8(ascii: "^"), UInt8(ascii: "-"):
            if before & CharacterClass.asciiDigit != 0 {
                if after & CharacterClass.asciiDigit != 0 || byte(at + 1) == UInt8(ascii: "-") { return 1 }
            }
            guard character == UInt8(ascii: "-"), alphaOrDigit else { return 0 }
            var hyphens = 1
            while hyphens < 4, at + hyphens < high, byte(at + hyphens) == character { hyphens += 1 }
            guard hyphens < 4, at + hyphens < high else { return 0 }
            return masks[at + hyphens] & CharacterClass.alpha != 0 ? hyphens : 0
        case UInt8(ascii: "."):
            return before & CharacterClass.lowerOrQuote != 0 && after & CharacterClass.upperOrQuote != 0 ? 1 : 0
        case UInt8(ascii: ","):
            return before & CharacterClass.alpha != 0 && alphaAfter ? 1 : 0
        case UInt8(ascii: "~"), UInt8(ascii: ":"), UInt8(ascii: "<"), UInt8(ascii: "="), UInt8(ascii: ">"),
            UInt8(ascii: "/"):
            return alphaOrDigit && alphaAfter ? 1 : 0
        case 0xE2:
            // U+2013 alone, U+2014 alone or twice; no other joint begins with this byte.
            guard alphaOrDigit else { return 0 }
            if alphaAfter { return 1 }
            let dash: UInt8 = 0x94
            let isDouble =
                text[Int(offsets[at]) + 2] == dash && byte(at + 1) == 0xE2
                && text[Int(offsets[at + 1]) + 1] == 0x80 && text[Int(offsets[at + 1]) + 2] == dash
            return isDouble && at + 2 < high && masks[at + 2] & CharacterClass.alpha != 0 ? 2 : 0
        default:
            return 0
        }
    }

    private func dots(_ low: Int, _ high: Int) -> Int {
        var end = low
        while end < high, byte(end) == UInt8(ascii: ".") { end += 1 }
        return end - low
    }

    private func isEllipsis(_ character: Int) -> Bool {
        let at = Int(offsets[character])
        return text[at] == 0xE2 && text[at + 1] == 0x80 && text[at + 2] == 0xA6
    }
}
