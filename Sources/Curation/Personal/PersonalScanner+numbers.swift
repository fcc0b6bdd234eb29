import CCuration

/// One run of letters and digits in a cluster of them: `digits[start ..< end]` of the scanner.
struct DigitGroup: Sendable {
    var start: Int
    var end: Int
    /// The character before it: a space, `-`, `.` or `/`; `)` when there is a bracket; 0 for the first.
    var separator: UInt8
    var hasLetters: Bool

    var count: Int { end - start }
}

/// Clusters of digits: cut into groups, which are tried for each kind in the order of priority.
extension PersonalScanner {
    static let space: UInt8 = 0x20
    static let hyphen: UInt8 = 0x2D
    static let dot: UInt8 = 0x2E
    static let bracket: UInt8 = 0x29
    /// Stands for nothing between a number and the word glued to it.
    static let glue: UInt8 = 1

    mutating func judgeNumber(_ start: Int, _ end: Int, in text: Span<UInt8>) {
        cut(start, end, text)
        guard let first = groups.first else { return }
        if groups.count == 1, first.count == 4, first.hasLetters {
            judgeSpacedIBAN(start, in: text)
            return
        }
        var g = 0
        while g < groups.count { g += judgeGroup(g, text) }
    }

    /// The number of groups that were used up, at least 1.
    private mutating func judgeGroup(_ g: Int, _ text: Span<UInt8>) -> Int {
        if groups[g].hasLetters {
            judgeMixed(g, text)
            return 1
        }
        let count = groups[g].count
        if groups.count == 1, !hasPlus(0, text) {
            judgeRun(count, text)
            return 1
        }
        if count == 18, isAlone(g, nil, text), judgeEighteen(g, text) { return 1 }
        if count == 6 || count == 3, let used = judgeSpacedID(g, text) { return used }
        if let used = judgeIPv4(g, text) { return used }
        if let used = judgeSSN(g, text) { return used }
        if count == 15, judgeOldID(g, text) { return 1 }
        if let used = judgeCard(g, text) { return used }
        if let used = judgeMobile(g, text) { return used }
        if let used = judgeLandline(g, text) { return used }
        if let used = judgeForeignPhone(g, text) { return used }
        if let used = judgeCuedNumber(g, text) { return used }
        return 1
    }

    /// A cluster of one run of digits: the kinds that its length leaves.
    private mutating func judgeRun(_ count: Int, _ text: Span<UInt8>) {
        switch count {
        case 18: if isAlone(0, nil, text), judgeEighteen(0, text) { return }
        case 15: if judgeOldID(0, text) { return }
        case 11, 13: if judgeMobile(0, text) != nil { return }
        default: break
        }
        if count >= 12, judgeCard(0, text) != nil { return }
        if count == 15, judgeMobile(0, text) != nil { return }
        if count == 11 || count == 12, judgeLandline(0, text) != nil { return }
        if count <= 13 { _ = judgeCuedNumber(0, text) }
    }

    /// Copies the cluster to `digits` in ASCII and finds its groups.
    private mutating func cut(_ start: Int, _ end: Int, _ text: Span<UInt8>) {
        groups.removeAll(keepingCapacity: true)
        clusterStart = start
        var length = 0
        let count = text.withUnsafeBufferPointer { text in
            digits.withUnsafeMutableBufferPointer { digits in
                offsets.withUnsafeMutableBufferPointer { offsets in
                    pieces.withUnsafeMutableBufferPointer { pieces in
                        onepoint_personal_cut(
                            text.baseAddress,
                            start,
                            end,
                            digits.baseAddress,
                            offsets.baseAddress,
                            pieces.baseAddress,
                            &length
                        )
                    }
                }
            }
        }
        isWide = length != end - start
        for k in 0..<count {
            let piece = pieces[k]
            append(
                DigitGroup(
                    start: Int(piece.start),
                    end: Int(piece.end),
                    separator: piece.separator,
                    hasLetters: piece.has_letters != 0
                )
            )
        }
    }

    /// Appends a group, or two when a word is glued to a number: `13912345678QQ`, `5041sha1`, `12345678v1`.
    private mutating func append(_ group: DigitGroup) {
        guard group.hasLetters, group.count >= 5, let at = glue(group) else {
            groups.append(group)
            return
        }
        groups.append(DigitGroup(start: group.start, end: at, separator: group.separator, hasLetters: false))
        groups.append(DigitGroup(start: at, end: group.end, separator: Self.glue, hasLetters: true))
    }

    /// Where, after three digits or more, a word of two letters that are no hexadecimal digits begins, or `v` and a digit.
    private func glue(_ group: DigitGroup) -> Int? {
        var at = group.start
        while at < group.end, Self.isDigit(digits[at]) { at += 1 }
        guard at - group.start >= 3, at + 1 < group.end else { return nil }
        if group.count == 18 {
            let isID = at == group.end - 1
            if isID || PersonalChecks.creditCode(digits.span, at: group.start) { return nil }
        }
        let isVersion = digits[at] | 0x20 == 0x76 && Self.isDigit(digits[at + 1])
        let isWord =
            Self.isLetter(digits[at]) && Self.isLetter(digits[at + 1])
            && (!Self.isHex(digits[at]) || !Self.isHex(digits[at + 1]))
        return isVersion || isWord ? at : nil
    }

    /// The byte offset in the text of `digits[index]`.
    @inline(__always)
    func offset(_ index: Int) -> Int { clusterStart + Int(offsets[index]) }

    /// The end in the text of what ends before `digits[index]`: where the character before it ends, which is where it begins.
    @inline(__always)
    func endOffset(_ index: Int) -> Int { clusterStart + Int(offsets[index]) }

    mutating func add(_ kind: PersonalKind, groups first: Int, _ last: Int) {
        add(kind, offset(groups[first].start), endOffset(groups[last].end))
    }

    /// The separator after group `g`, 0 when it is the last.
    func separator(after g: Int) -> UInt8 { g + 1 < groups.count ? groups[g + 1].separator : 0 }

    /// Whether groups `g ... last` are a number of their own: no part of a decimal, a word or a longer hyphenated number.
    func isAlone(_ g: Int, _ last: Int?, _ text: Span<UInt8>) -> Bool {
        let last = last ?? g
        let before = groups[g].separator
        if before == Self.dot || before == Self.hyphen { return false }
        let after = separator(after: last)
        if after == Self.dot || after == Self.hyphen { return false }
        let start = offset(groups[g].start)
        if g == 0 {
            if Self.isWord(text, before: start) { return false }
            let previous = Self.byte(text, start - 1)
            // Money, and what follows a sign of a decimal in full width.
            if previous == 0x24 || (previous == 0xA5 && Self.byte(text, start - 2) == 0xC2) { return false }
            if previous == Self.dot, Self.isDigit(Self.byte(text, start - 2)) { return false }
            if previous == Self.hyphen, Self.isAlphanumeric(Self.byte(text, start - 2)) { return false }
            if Self.character(text, before: start) == 0xFFE5 { return false }
        }
        if last == groups.count - 1 {
            let end = endOffset(groups[last].end)
            let next = Self.byte(text, end)
            if Self.isWord(text, at: end) || next == 0x25 { return false }
            if next == 0x3A, Self.isAlphanumeric(Self.byte(text, end + 1)) { return false }
        }
        return true
    }

    /// Whether the number at `start` is a part of a URL's path: an item's number there is nobody's phone.
    func isInPath(_ start: Int, _ text: Span<UInt8>) -> Bool {
        var at = start
        let low = max(0, start - 128)
        var hasSlash = false
        while at > low {
            let byte = text[at - 1]
            if byte <= 0x20 || byte >= 0x80 { return false }
            if byte == 0x2F {
                if Self.byte(text, at - 2) == 0x2F, Self.byte(text, at - 3) == 0x3A { return hasSlash }
                hasSlash = true
            }
            at -= 1
        }
        return false
    }

    /// Eighteen digits: an identity number, a credit code, or a card that is not an identity number with a wrong digit.
    private mutating func judgeEighteen(_ g: Int, _ text: Span<UInt8>) -> Bool {
        let start = groups[g].start
        if PersonalChecks.nationalID(digits.span, at: start) {
            add(.nationalID, groups: g, g)
            judgeNameBefore(offset(start), in: text)
            return true
        }
        if PersonalChecks.isNationalIDShaped(digits.span, at: start) { return true }
        guard PersonalChecks.creditCode(digits.span, at: start) else { return false }
        add(.creditCode, groups: g, g)
        return true
    }

    /// An identity number in groups: 6-8-4, 6-4-4-4, 3-3-4-4-4, with one separator throughout and perhaps an X at the end.
    private mutating func judgeSpacedID(_ g: Int, _ text: Span<UInt8>) -> Int? {
        guard g + 2 < groups.count else { return nil }
        let separator = groups[g + 1].separator
        guard separator == Self.space || separator == Self.hyphen else { return nil }
        var last = g
        var total = groups[g].count
        while total < 18, last + 1 < groups.count, groups[last + 1].separator == separator {
            last += 1
            total += groups[last].count
        }
        guard total == 18, last - g <= 4, !groups[g..<last].contains(where: \.hasLetters) else { return nil }
        var joined = InlineArray<18, UInt8>(repeating: 0)
        var n = 0
        for group in groups[g...last] {
            for k in group.start..<group.end {
                joined[n] = digits[k]
                n += 1
            }
        }
        for k in 0..<17 where !Self.isDigit(joined[k]) { return nil }
        guard Self.isDigit(joined[17]) || joined[17] | 0x20 == 0x78, isAlone(g, last, text),
            PersonalChecks.nationalID(joined.span, at: 0)
        else { return nil }
        add(.nationalID, groups: g, last)
        judgeNameBefore(offset(groups[g].start), in: text)
        return last - g + 1
    }

    private mutating func judgeOldID(_ g: Int, _ text: Span<UInt8>) -> Bool {
        let start = groups[g].start
        guard isAlone(g, nil, text), PersonalChecks.isOldNationalIDShaped(digits.span, at: start),
            Self.hasCue(cues.identity, in: text, before: offset(start), window: 60)
        else { return false }
        add(.oldNationalID, groups: g, g)
        return true
    }

    private mutating func judgeSSN(_ g: Int, _ text: Span<UInt8>) -> Int? {
        guard groups[g].count == 3, g + 2 < groups.count, groups[g + 1].count == 2, groups[g + 2].count == 4,
            groups[g + 1].separator == groups[g + 2].separator,
            groups[g + 1].separator == Self.hyphen || groups[g + 1].separator == Self.space,
            !groups[g + 1].hasLetters, !groups[g + 2].hasLetters, isAlone(g, g + 2, text)
        else { return nil }
        let area = PersonalChecks.number(digits.span, groups[g].start, 3)
        guard area != 0, area != 666, area < 900,
            PersonalChecks.number(digits.span, groups[g + 1].start, 2) != 0,
            PersonalChecks.number(digits.span, groups[g + 2].start, 4) != 0,
            groups[g + 1].separator == Self.hyphen
                || Self.hasCue(cues.ssn, in: text, before: offset(groups[g].start))
        else { return nil }
        add(.ssn, groups: g, g + 2)
        return 3
    }

    /// A card's number in one run, in fours, or as 4-6-5, 4-6-4 and 6-13 are printed.
    private mutating func judgeCard(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let count = groups[g].count
        var number = InlineArray<19, UInt8>(repeating: 0)
        if count >= 12, count <= 19 {
            guard isAlone(g, nil, text) else { return nil }
            for k in 0..<count { number[k] = digits[groups[g].start + k] }
            let isCard = PersonalChecks.bankCard(number.span, at: 0, count: count)
            // A tenth of all numbers pass Luhn: one of an unknown issuer, or as short as Maestro's shortest, needs a cue.
            let start = offset(groups[g].start)
            guard isCard || PersonalChecks.luhn(number.span, at: 0, count: count), !isInPath(start, text) else {
                return nil
            }
            if !isCard {
                guard (0x33...0x36).contains(number[0]),
                    Self.hasCue(cues.card, in: text, before: start, window: 40)
                else { return nil }
            }
            if Self.hasCue(cues.number, in: text, before: start, window: 24) { return nil }
            add(.bankCard, groups: g, g)
            return 1
        }
        guard count == 4 || count == 6, g + 1 < groups.count else { return nil }
        let separator = groups[g + 1].separator
        guard separator == Self.space || separator == Self.hyphen else { return nil }
        var total = 0
        var last = g
        var best: Int?
        while last < groups.count, last - g < 5 {
            let group = groups[last]
            guard !group.hasLetters, last == g || group.separator == separator, total + group.count <= 19 else { break }
            for k in 0..<group.count { number[total + k] = digits[group.start + k] }
            total += group.count
            if total >= 14, isCardGrouping(g, last), PersonalChecks.bankCard(number.span, at: 0, count: total),
                isAlone(g, last, text)
            {
                best = last
            }
            last += 1
        }
        guard let best else { return nil }
        // A row of numbers of four digits is no card.
        if best + 1 < groups.count, groups[best + 1].separator == separator, groups[best + 1].count == 4 { return nil }
        if g > 0, groups[g].separator == separator, groups[g - 1].count == 4 { return nil }
        add(.bankCard, groups: g, best)
        return best - g + 1
    }

    private func isCardGrouping(_ first: Int, _ last: Int) -> Bool {
        let counts = groups[first...last]
        if counts.dropLast().allSatisfy({ $0.count == 4 }) { return true }
        switch counts.count {
        case 2: return groups[first].count == 6 && groups[last].count >= 10
        case 3: return groups[first].count == 4 && groups[first + 1].count == 6
        default: return false
        }
    }

    /// `6.23.12.2. Title` at the beginning of a line: the number of a section.
    private func isHeading(_ start: Int, _ end: Int, _ text: Span<UInt8>) -> Bool {
        let before = Self.byte(text, start - 1)
        guard start == 0 || before == 0x0A, Self.byte(text, end) == Self.dot || Self.byte(text, end) == Self.space
        else {
            return false
        }
        let after = Self.byte(text, end + 1)
        return after == Self.space || after == 0xC2 || Self.isCapital(after)
    }

    private mutating func judgeIPv4(_ g: Int, _ text: Span<UInt8>) -> Int? {
        guard g + 3 < groups.count, groups[g].count <= 3, groups[g].separator != Self.dot else { return nil }
        var isSmall = true
        for k in g...g + 3 {
            let group = groups[k]
            guard !group.hasLetters, group.count <= 3, k == g || group.separator == Self.dot else { return nil }
            let value = PersonalChecks.number(digits.span, group.start, group.count)
            guard value <= 255, group.count == 1 || digits[group.start] != 0x30 else { return nil }
            if value > 9 { isSmall = false }
        }
        guard !isWide, groups[g].separator != Self.hyphen, separator(after: g + 3) != Self.dot else { return nil }
        let start = offset(groups[g].start)
        let end = endOffset(groups[g + 3].end)
        guard !Self.isWord(text, before: start), !Self.isWord(text, at: end) else { return nil }
        if Self.byte(text, start - 1) == Self.dot { return nil }
        // Masks, the unspecified address and the loopback are nobody's.
        let first = PersonalChecks.number(digits.span, groups[g].start, groups[g].count)
        if first == 0 || first == 255 || Self.has("127.0.0.1", in: text, at: start) { return 4 }
        if isHeading(start, end, text) { return 4 }
        if Self.hasCue(cues.version, in: text, before: start, window: 18) {
            return nil
        }
        if isSmall {
            // `1.2.3.4` is more often a section or a version; `8.8.8.8` is not.
            let value = digits[groups[g].start]
            let isRepeated = (g...g + 3).allSatisfy { digits[groups[$0].start] == value }
            let after = Self.byte(text, end)
            guard
                isRepeated || ((after == 0x3A || after == 0x2F) && Self.isDigit(Self.byte(text, end + 1)))
                    || Self.hasCue(cues.host, in: text, before: start)
            else { return 4 }
        }
        add(.ipv4, start, end)
        return 4
    }
}
