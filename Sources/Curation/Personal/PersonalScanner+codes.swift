/// Numbers with letters in them: identity numbers that end in X, credit codes, IBANs, passports.
extension PersonalScanner {
    mutating func judgeMixed(_ g: Int, _ text: Span<UInt8>) {
        let group = groups[g]
        let start = offset(group.start)
        let end = endOffset(group.end)
        guard group.count >= 7, group.count <= 42,
            groups[g].separator == Self.glue || !Self.isWord(text, before: start), !Self.isWord(text, at: end)
        else {
            return
        }
        if judgeGlued(g, text) { return }
        let isJoined =
            groups[g].separator == Self.hyphen || groups[g].separator == Self.dot
            || separator(after: g) == Self.hyphen || separator(after: g) == Self.dot
        if isJoined { return }
        if group.count == 18 {
            let last = digits[group.end - 1]
            if last | 0x20 == 0x78, (group.start..<group.end - 1).allSatisfy({ Self.isDigit(digits[$0]) }) {
                if PersonalChecks.nationalID(digits.span, at: group.start) {
                    add(.nationalID, start, end)
                    judgeNameBefore(start, in: text)
                }
                // A wrong check character: no code of the other kinds looks like this either.
                return
            }
            if PersonalChecks.creditCode(digits.span, at: group.start) {
                add(.creditCode, start, end)
                return
            }
        }
        if group.count >= 15, group.count <= 34, Self.isDigit(digits[group.start + 2]),
            Self.isDigit(digits[group.start + 3])
        {
            code.removeAll(keepingCapacity: true)
            for k in group.start..<group.end { code.append(Self.capital(digits[k])) }
            if PersonalChecks.iban(code.span) {
                add(.iban, start, end)
                return
            }
        }
        if group.count == 8 || group.count == 9 { judgePassport(g, text) }
    }

    @inline(__always)
    private static func capital(_ byte: UInt8) -> UInt8 { byte &- 0x61 < 26 ? byte & 0xDF : byte }

    /// `tel13912345678`, `ID110…`: a word that names the number is glued to it; the digits are judged alone.
    private mutating func judgeGlued(_ g: Int, _ text: Span<UInt8>) -> Bool {
        let group = groups[g]
        var at = group.start
        while at < group.end, Self.isLetter(digits[at]) { at += 1 }
        let letters = at - group.start
        guard letters >= 2, group.end - at >= 5 else { return false }
        var cut = group.start
        for word in ["id", "no", "tel", "phone", "mobile", "mob", "cell", "card", "idcard", "qq"] as [StaticString]
        where word.utf8CodeUnitCount == letters && Self.has(word, in: digits.span, at: group.start) {
            cut = at
        }
        guard cut > group.start else { return false }
        let saved = groups[g]
        groups[g].start = cut
        groups[g].hasLetters = (cut..<group.end).contains { !Self.isDigit(digits[$0]) }
        defer { groups[g] = saved }
        let count = groups[g].count
        let last = digits[group.end - 1]
        guard !groups[g].hasLetters || (count == 18 && last | 0x20 == 0x78) else { return false }
        let start = offset(cut)
        if count == 18, (cut..<group.end - 1).allSatisfy({ Self.isDigit(digits[$0]) }),
            PersonalChecks.nationalID(digits.span, at: cut)
        {
            add(.nationalID, start, endOffset(group.end))
        } else if !groups[g].hasLetters, count == 11, digits[cut] == 0x31, digits[cut + 1] >= 0x33,
            !Self.has("id", in: digits.span, at: group.start), !Self.has("no", in: digits.span, at: group.start)
        {
            add(.phone, start, endOffset(group.end))
        } else if !groups[g].hasLetters, (13...19).contains(count),
            PersonalChecks.bankCard(digits.span, at: cut, count: count)
        {
            add(.bankCard, start, endOffset(group.end))
        } else if !groups[g].hasLetters, count <= 11, letters == 2, digits[cut] != 0x30,
            Self.has("qq", in: digits.span, at: group.start)
        {
            add(.qq, start, endOffset(group.end))
        } else {
            return false
        }
        return true
    }

    /// Mainland passports (E, G, D, S, P, H and 8 digits; E, a letter and 7), exit permits; other letters only with a cue.
    private mutating func judgePassport(_ g: Int, _ text: Span<UInt8>) {
        let group = groups[g]
        let first = digits[group.start]
        guard Self.isCapital(first) else { return }
        var at = group.start
        while at < group.end, Self.isCapital(digits[at]) { at += 1 }
        let letters = at - group.start
        for k in at..<group.end where !Self.isDigit(digits[k]) { return }
        let start = offset(group.start)
        let isPlain =
            (first == 0x45 || first == 0x47) && group.count == 9 && (letters == 1 || (letters == 2 && first == 0x45))
        guard letters <= 2 else { return }
        if isPlain {
            if Self.hasCue(cues.number, in: text, before: start, window: 15) { return }
        } else {
            guard
                Self.hasCue(cues.passport, in: text, before: start, window: 40)
            else { return }
        }
        add(.passport, groups: g, g)
    }

    /// `GB61 VFHS 8214 8941 2328 67`: an IBAN as it is printed, in fours.
    mutating func judgeSpacedIBAN(_ start: Int, in text: Span<UInt8>) {
        guard !Self.isWord(text, before: start) else { return }
        let length = PersonalChecks.ibanLength(text[start], text[start + 1])
        guard length > 0 else { return }
        code.removeAll(keepingCapacity: true)
        var at = start
        while code.count < length, at < text.count {
            if code.count % 4 == 0, code.count > 0 {
                guard text[at] == Self.space else { return }
                at += 1
            }
            let byte = Self.byte(text, at)
            guard Self.isDigit(byte) || Self.isCapital(byte) else { return }
            code.append(byte)
            at += 1
        }
        guard code.count == length, !Self.isWord(text, at: at), PersonalChecks.iban(code.span) else { return }
        add(.iban, start, at)
    }
}
