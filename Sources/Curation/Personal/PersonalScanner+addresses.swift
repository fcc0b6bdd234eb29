/// Addresses of the mainland: from a known province or city to the last door, storey or room.
extension PersonalScanner {
    /// How far back from a door an address may begin, in characters.
    private static let lengthLimit = 40

    /// Judges the digits `start ..< end` that 号, 室 or the like follows.
    mutating func judgeAddress(door start: Int, end: Int, in text: Span<UInt8>) {
        guard start >= addressFloor, Self.isRoadEnd(tables, Self.character(text, before: start)) else { return }
        var low = start
        for _ in 0..<Self.lengthLimit {
            let character = Self.character(text, before: low)
            guard low - 3 >= addressFloor, Self.isHan(character), !tables.has(PersonalTables.addressStop, character)
            else { break }
            low -= 3
        }
        // 位于 stops as 在 does, but 于 alone is in names of places.
        var from = low
        while from + 6 <= start {
            if Self.character(text, at: from) == 0x4F4D, Self.character(text, at: from + 3) == 0x4E8E { low = from + 6 }
            from += 3
        }
        guard let first = addressStart(low, start, text), start - first >= 9 else { return }
        let last = addressEnd(end, text)
        add(.address, first, last)
        addressFloor = last
    }

    /// Judges what follows the word 地址 or 住址 and a mark: from a known place to the last character that ends a part of an
    /// address, with or without a door.
    mutating func judgeAddress(after index: Int, in text: Span<UInt8>) {
        let start = Self.afterMark(text, index)
        guard start > index, tables.isPlace(Self.character(text, at: start), Self.character(text, at: start + 3)) else {
            return
        }
        var at = start
        var last = start
        for _ in 0..<Self.lengthLimit {
            let character = Self.character(text, at: at)
            if Self.isHan(character) {
                guard !tables.has(PersonalTables.addressStop, character) else { break }
                at += 3
                if isPartEnd(character) { last = at }
            } else if Self.isAlphanumeric(Self.byte(text, at)) || Self.byte(text, at) == Self.hyphen {
                at += 1
            } else {
                break
            }
        }
        guard last - start >= 18 else { return }
        add(.address, start, last)
    }

    /// 省 市 县 旗 乡 号 室 栋 幢 座 层, and what ends the name of a road or a place in a town.
    private func isPartEnd(_ character: UInt32) -> Bool {
        switch character {
        case 0x7701, 0x5E02, 0x53BF, 0x65D7, 0x4E61, 0x53F7, 0x5BA4, 0x680B, 0x5E62, 0x5EA7, 0x5C42: true
        default: tables.has(PersonalTables.road, character)
        }
    }

    private static func isRoadEnd(_ tables: PersonalTables, _ character: UInt32) -> Bool {
        tables.has(PersonalTables.road, character)
    }

    private func addressStart(_ low: Int, _ end: Int, _ text: Span<UInt8>) -> Int? {
        var at = low
        while at + 6 <= end {
            if tables.isPlace(Self.character(text, at: at), Self.character(text, at: at + 3)) { return at }
            at += 3
        }
        if Self.hasCue(cues.address, in: text, before: low, window: 12) { return low }
        // A district or county that no known city precedes: its name has two characters, or all that is there up to four.
        at = low + 6
        while at + 3 <= end - 6 {
            switch Self.character(text, at: at) {
            case 0x533A, 0x53BF, 0x5E02, 0x9547, 0x4E61, 0x6751:  // 区 县 市 镇 乡 村
                return at - low <= 12 ? low : at - 6
            default: at += 3
            }
        }
        return nil
    }

    /// The end of what counts doors from `digitsEnd` on: `号A座12层1203室`.
    private func addressEnd(_ digitsEnd: Int, _ text: Span<UInt8>) -> Int {
        var end = Self.unitEnd(text, digitsEnd) ?? digitsEnd
        for _ in 0..<8 {
            var at = end
            if Self.byte(text, at) == Self.hyphen { at += 1 }
            let from = at
            while at < text.count, at - from < 5, Self.isDigit(text[at]) { at += 1 }
            if at == from || Self.isCapital(Self.byte(text, at)) {
                if Self.isCapital(Self.byte(text, at)) { at += 1 } else if let han = Self.stem(text, at) { at = han }
            }
            guard at > from, let next = Self.unitEnd(text, at) else { break }
            end = next
        }
        return end
    }

    /// 甲乙丙丁东西南北: `甲座`, `东楼`.
    private static func stem(_ text: Span<UInt8>, _ at: Int) -> Int? {
        switch character(text, at: at) {
        case 0x7532, 0x4E59, 0x4E19, 0x4E01, 0x4E1C, 0x897F, 0x5357, 0x5317: at + 3
        default: nil
        }
    }

    /// The end of a word that counts doors at `at`: 号楼, 号院, 号, 栋, 幢, 座, 单元, 层, 楼, 室, 房, 弄, 户.
    private static func unitEnd(_ text: Span<UInt8>, _ at: Int) -> Int? {
        let next = character(text, at: at + 3)
        switch character(text, at: at) {
        case 0x53F7: return next == 0x697C || next == 0x9662 || next == 0x623F || next == 0x95E8 ? at + 6 : at + 3
        case 0x5355: return next == 0x5143 ? at + 6 : nil
        case 0x680B, 0x5E62, 0x5EA7, 0x5C42, 0x697C, 0x5BA4, 0x623F, 0x5F04, 0x6237: return at + 3
        default: return nil
        }
    }
}
