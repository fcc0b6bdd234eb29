/// Phone numbers: mobiles and fixed lines of the mainland, then the shapes of other countries.
extension PersonalScanner {
    /// Mobile numbers, `1[3-9]` and nine digits: in one run or 3-4-4 and the like, with +86, 86 or 0086 before it.
    mutating func judgeMobile(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let group = groups[g]
        let isPlus = hasPlus(g, text)
        var first = g
        var prefix = false
        if group.count == 2 || group.count == 4 {
            // The country's code as a group of its own.
            let value = PersonalChecks.number(digits.span, group.start, group.count)
            guard value == 86, group.count == 4 || isPlus || groups[g].separator == 0, g + 1 < groups.count,
                separator(after: g) != Self.dot
            else {
                return group.count == 4 ? judgeMobileGroups(g, g, isPlus: false, text) : nil
            }
            first = g + 1
            prefix = true
        }
        let start = groups[first].start
        let count = groups[first].count
        if count == 13, isMobileStart(start + 2), digits[start] == 0x38, digits[start + 1] == 0x36,
            isAlone(g, first, text)
        {
            return accept(g, first, isPlus, text)
        }
        if count == 15, isMobileStart(start + 4), PersonalChecks.number(digits.span, start, 4) == 86,
            isAlone(g, first, text)
        {
            return accept(g, first, isPlus, text)
        }
        if count == 11, isMobileStart(start), prefix || isAlone(g, first, text) {
            let from = offset(groups[g].start)
            if !prefix, !isPlus {
                // Seven zeros at the end are an amount or an example.
                if digits[start + 4..<start + 11].allSatisfy({ $0 == 0x30 }) { return nil }
                if isInPath(from, text) { return nil }
                if Self.hasCue(cues.number, in: text, before: from, window: 15) { return nil }
                if isCounted(endOffset(groups[first].end), text) { return nil }
            }
            return accept(g, first, isPlus, text)
        }
        return judgeMobileGroups(g, first, isPlus: isPlus, text)
    }

    private mutating func judgeMobileGroups(_ g: Int, _ first: Int, isPlus: Bool, _ text: Span<UInt8>) -> Int? {
        guard first + 1 < groups.count, isMobileStart(groups[first].start), groups[first].count >= 3 else { return nil }
        let separator = groups[first + 1].separator
        guard separator == Self.space || separator == Self.hyphen || separator == Self.dot else { return nil }
        let a = groups[first].count
        let b = groups[first + 1].count
        var last = first + 1
        if first + 2 < groups.count, groups[first + 2].separator == separator {
            switch (a, b, groups[first + 2].count) {
            case (3, 4, 4), (4, 3, 4), (4, 4, 3), (3, 3, 5): last = first + 2
            default: break
            }
        }
        guard last == first + 2 || ((a, b) == (3, 8) && separator != Self.dot),
            !groups[first...last].contains(where: \.hasLetters),
            isAlone(g, last, text)
        else { return nil }
        return accept(g, last, isPlus, text)
    }

    private mutating func accept(_ g: Int, _ last: Int, _ isPlus: Bool, _ text: Span<UInt8>) -> Int {
        var start = offset(groups[g].start) - (isPlus ? 1 : 0)
        if isPlus, separator(after: g) == Self.bracket, Self.byte(text, start - 1) == 0x28 { start -= 1 }
        add(.phone, start, endOffset(groups[last].end))
        judgeNameBefore(start, in: text)
        return last - g + 1
    }

    private func isMobileStart(_ at: Int) -> Bool {
        at + 1 < digits.count && digits[at] == 0x31 && digits[at + 1] >= 0x33 && digits[at + 1] <= 0x39
    }

    func hasPlus(_ g: Int, _ text: Span<UInt8>) -> Bool {
        g == 0 && Self.byte(text, offset(groups[g].start) - 1) == 0x2B
    }

    /// Whether what follows makes the number an amount: 元, 万, 亿, 吨, 股.
    private func isCounted(_ end: Int, _ text: Span<UInt8>) -> Bool {
        switch Self.character(text, at: end) {
        case 0x5143, 0x4E07, 0x4EBF, 0x5428, 0x80A1: true
        default: false
        }
    }

    /// Whether `digits[at...]` begin with an area code: its length, 3 for 010 and 02x, 4 for the rest, else 0.
    private func areaCode(_ at: Int, _ count: Int) -> Int {
        guard count >= 3, digits[at] == 0x30 else { return 0 }
        if digits[at + 1] == 0x31 { return digits[at + 2] == 0x30 ? 3 : 0 }
        if digits[at + 1] == 0x32 { return digits[at + 2] == 0x36 ? 0 : 3 }
        return digits[at + 1] >= 0x33 && count >= 4 ? 4 : 0
    }

    private func isSubscriber(_ at: Int) -> Bool { digits[at] >= 0x32 && digits[at] <= 0x38 }

    /// Fixed lines: area code and 7 or 8 digits (8 after a three-digit code), perhaps in two halves, perhaps an extension.
    mutating func judgeLandline(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let group = groups[g]
        let area = areaCode(group.start, group.count)
        guard area > 0 else { return nil }
        let start = offset(group.start)
        if group.count > area {
            let rest = group.count - area
            let first = digits[group.start + area]
            guard rest == 8 || (rest == 7 && area == 4),
                digits[group.start + area..<group.end].contains(where: { $0 != first }),
                isSubscriber(group.start + area), isAlone(g, nil, text),
                !isInPath(start, text), !Self.hasCue(cues.number, in: text, before: start, window: 15),
                !Self.hasCue(cues.card, in: text, before: start, window: 24)
            else { return nil }
            add(.landline, groups: g, g)
            return 1
        }
        guard g + 1 < groups.count, group.separator != Self.dot, group.separator != Self.hyphen else { return nil }
        let joint = groups[g + 1].separator
        guard joint == Self.hyphen || joint == Self.space || joint == Self.bracket, !groups[g + 1].hasLetters,
            isSubscriber(groups[g + 1].start)
        else { return nil }
        var last = g + 1
        let count = groups[g + 1].count
        if count == 7 || count == 8 {
            guard count == 8 || area == 4 || joint != Self.space else { return nil }
        } else if count == 4 || count == 3, g + 2 < groups.count, groups[g + 2].count == 4, !groups[g + 2].hasLetters,
            groups[g + 2].separator == Self.hyphen || groups[g + 2].separator == Self.space
        {
            last = g + 2
        } else {
            return nil
        }
        let isBracketed = g == 0 && joint == Self.bracket && Self.byte(text, start - 1) == 0x28
        // An extension of up to five digits.
        if separator(after: last) == Self.hyphen, groups[last + 1].count <= 5, !groups[last + 1].hasLetters {
            last += 1
        }
        guard isAlone(g, last, text) || isBracketed else { return nil }
        add(.landline, start - (isBracketed ? 1 : 0), endOffset(groups[last].end))
        return last - g + 1
    }

    /// Numbers of other countries: with `+`, as NANP has them, with a trunk 0, or with an area code in brackets.
    mutating func judgeForeignPhone(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let group = groups[g]
        let start = offset(group.start)
        let isOpen = Self.byte(text, start - 1) == 0x28 && separator(after: g) == Self.bracket
        if hasPlus(g, text) { return judgePlus(g, text) }
        if let last = nanpEnd(g, isOpen, text) {
            return acceptForeign(g, last, isOpen, text)
        }
        guard g + 1 < groups.count, group.separator != Self.dot, group.separator != Self.hyphen else { return nil }
        if isOpen, group.count >= 2, group.count <= 5, let last = run(g, 9...12, limit: 5) {
            if groups[g + 1...last].contains(where: { $0.separator == Self.dot }) { return nil }
            if last == g + 2 && isYear(g + 1) && isYear(g + 2) { return nil }
            return isAlone(g, last, text) ? acceptForeign(g, last, true, text) : nil
        }
        guard g == 0, group.count >= 2, group.count <= 5, digits[group.start] == 0x30, digits[group.start + 1] != 0x30,
            groups[g + 1].separator != 0x2F, let last = run(g, 9...11, limit: 5), last > g,
            groups[g + 1...last].allSatisfy({ $0.separator == groups[g + 1].separator && $0.count >= 2 }),
            isAlone(g, last, text)
        else { return nil }
        // A long code before a short number is a postal code; groups of more than four are parts of a number of things.
        if last == g + 1
            ? group.count == 5 && groups[last].count < 5 : groups[g...last].contains(where: { $0.count > 4 })
        {
            return nil
        }
        // `B9 05 83 62 26 11`: bytes.
        if Self.byte(text, start - 1) == Self.space, Self.isHex(Self.byte(text, start - 2)),
            Self.isHex(Self.byte(text, start - 3)),
            !Self.isAlphanumeric(Self.byte(text, start - 4))
        {
            return nil
        }
        return acceptForeign(g, last, isOpen, text)
    }

    private mutating func acceptForeign(_ g: Int, _ last: Int, _ isOpen: Bool, _ text: Span<UInt8>) -> Int? {
        let start = offset(groups[g].start)
        guard !isInPath(start, text), !Self.hasCue(cues.number, in: text, before: start, window: 15) else { return nil }
        add(.phone, start - (isOpen ? 1 : 0), endOffset(groups[last].end))
        return last - g + 1
    }

    /// `+`, a country's code and a number: 8 to 15 digits (ITU-T E.164).
    private mutating func judgePlus(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let group = groups[g]
        guard digits[group.start] != 0x30, group.count <= 15, !Self.isWord(text, before: offset(group.start) - 1) else {
            return nil
        }
        let isNANP = digits[group.start] == 0x31
        var last = g
        var total = group.count
        while last + 1 < groups.count, last - g < 6, groups[last + 1].separator != 0x2F {
            let next = groups[last + 1]
            let count = next.hasLetters ? extensionBase(last + 1) : next.count
            guard count > 0, total + count <= (isNANP ? 11 : 15) else { break }
            total += count
            last += 1
            if next.hasLetters { break }
        }
        guard total >= 8, isNANP ? total == 11 : true, separator(after: last) != Self.dot else { return nil }
        add(.phone, offset(group.start) - 1, endOffset(groups[last].end))
        return last - g + 1
    }

    /// Where a number as NANP groups it ends: [1 or 001] 3-3-4 with an extension such as `x123`.
    private func nanpEnd(_ g: Int, _ isOpen: Bool, _ text: Span<UInt8>) -> Int? {
        var first = g
        let lead = groups[g].count
        if lead == 1 || lead == 3, PersonalChecks.number(digits.span, groups[g].start, lead) == 1, g + 3 < groups.count
        {
            first = g + 1
        }
        guard first + 2 < groups.count, groups[first].count == 3, groups[first + 1].count == 3,
            !groups[first].hasLetters, !groups[first + 1].hasLetters
        else { return nil }
        let last = first + 2
        let count = groups[last].hasLetters ? extensionBase(last) : groups[last].count
        guard count == 4 else { return nil }
        let a = groups[first + 1].separator
        let b = groups[last].separator
        guard a != 0x2F, b != 0x2F else { return nil }
        let start = offset(groups[g].start)
        if !isOpen {
            // With spaces only, or two kinds of separators, it may be a row of numbers.
            guard a == b || a == Self.bracket else { return nil }
            if a == Self.space, first == g, !groups[last].hasLetters {
                guard Self.hasCue(cues.phone, in: text, before: start) else { return nil }
            }
        }
        if groups[g].separator == Self.dot || groups[g].separator == Self.hyphen { return nil }
        let after = separator(after: last)
        guard after != Self.dot, after != Self.hyphen, isAlone(g, last, text) || groups[last].hasLetters else {
            return nil
        }
        return last
    }

    /// The digits before the extension of a group such as `8546x506`; 0 when it is not one.
    private func extensionBase(_ g: Int) -> Int {
        let group = groups[g]
        var at = group.start
        while at < group.end, Self.isDigit(digits[at]) { at += 1 }
        let base = at - group.start
        guard base >= 3, at < group.end, digits[at] | 0x20 == 0x78 else { return 0 }
        at += 1
        let rest = group.end - at
        guard (1...6).contains(rest) else { return 0 }
        for k in at..<group.end where !Self.isDigit(digits[k]) { return 0 }
        return base
    }

    /// The last of the groups from `g` on that make up as many digits as `total` allows; `nil` when none do.
    private func run(_ g: Int, _ total: ClosedRange<Int>, limit: Int) -> Int? {
        var sum = groups[g].count
        var last = g
        while last + 1 < groups.count, last + 1 - g < limit, !groups[last + 1].hasLetters,
            groups[last + 1].separator != 0x2F,
            sum + groups[last + 1].count <= total.upperBound
        {
            last += 1
            sum += groups[last].count
        }
        return total.contains(sum) ? last : nil
    }

    private func isYear(_ g: Int) -> Bool {
        groups[g].count == 4 && (1900...2099).contains(PersonalChecks.number(digits.span, groups[g].start, 4))
    }

    /// Numbers that only a word before them tells: phones in no known shape, QQ numbers.
    mutating func judgeCuedNumber(_ g: Int, _ text: Span<UInt8>) -> Int? {
        let group = groups[g]
        let start = offset(group.start)
        if (5...11).contains(group.count), digits[group.start] != 0x30, isQQ(before: start, text), isAlone(g, nil, text)
        {
            add(.qq, groups: g, g)
            return 1
        }
        guard group.count >= 2, group.count <= 13, group.separator != Self.dot, group.separator != Self.hyphen,
            let last = run(g, 6...13, limit: 5), !isYear(g), isAlone(g, last, text),
            groups[g + 1..<last + 1].allSatisfy({ $0.separator != Self.dot })
        else { return nil }
        let total = groups[g...last].reduce(0) { $0 + $1.count }
        guard total > 6 || last > g, digits[group.start..<groups[last].end].contains(where: { $0 > 0x30 }),
            isPhoneField(start, endOffset(groups[last].end), isShort: total == 6, text),
            !Self.hasCue(cues.number, in: text, before: start, window: 15), !isInPath(start, text)
        else { return nil }
        let isFixed = Self.character(text, before: Self.beforeMark(text, start)) != 0 && total <= 8
        add(isFixed ? .landline : .phone, groups: g, last)
        return last - g + 1
    }

    /// Whether a word before or after `start ..< end` in its line says that it is a phone number.
    private func isPhoneField(_ start: Int, _ end: Int, isShort: Bool, _ text: Span<UInt8>) -> Bool {
        var at = end
        while at - end < 2,
            Self.byte(text, at) == Self.space || Self.byte(text, at) == Self.hyphen || Self.byte(text, at) == 0x28
        {
            at += 1
        }
        if at > end {
            for word in ["office", "fax", "mobile", "cell", "tel"] as [StaticString]
            where Self.has(word, in: text, at: at) {
                // With a colon it is the next number's.
                let next = Self.byte(text, at + word.utf8CodeUnitCount)
                return !Self.isLetter(next) && next != 0x3A && Self.byte(text, start - 1) != 0x3D
            }
        }
        guard var from = cues.phone.end(in: text, from: max(0, start - 32), to: start) else { return false }
        // The cue must be this number's: another number or line between takes it.
        // Six digits are a phone only right behind the cue, and a line feed may only stand between a field's colon and it.
        if isShort, start - from > 3 { return false }
        var isField = true
        while from < start {
            let byte = text[from]
            if byte == 0x0A ? !isField : Self.isDigit(byte) { return false }
            if byte > 0x20, byte != 0x3A { isField = false }
            from += 1
        }
        return true
    }

    /// Whether `QQ`, `QQ号`, `扣扣` and a mark stand before `start`.
    func isQQ(before start: Int, _ text: Span<UInt8>) -> Bool {
        var at = Self.beforeMark(text, start)
        for word in ["号码", "号", "群"] as [StaticString] where Self.has(word, in: text, before: at) {
            at -= word.utf8CodeUnitCount
            break
        }
        if Self.has("扣扣", in: text, before: at) { return true }
        return Self.has("qq", in: text, before: at) && !Self.isLetter(Self.byte(text, at - 3))
    }
}
