/// What Han characters lead to: names by cues, plates, accounts of WeChat, addresses.
extension PersonalScanner {
    mutating func judgeCharacter(at index: Int, in text: Span<UInt8>) {
        let character = Self.character(text, at: index)
        if tables.has(PersonalTables.plate, character) {
            judgePlate(at: index, in: text)
            return
        }
        let next = Self.character(text, at: index + 3)
        let previous = Self.character(text, before: index)
        switch character {
        case 0x59D3:  // 姓名
            if next == 0x540D { judgeName(after: index + 6, in: text) }
        case 0x6237:  // 户名, 户主; 客户, 用户, 储户
            if next == 0x540D || next == 0x4E3B {
                judgeName(after: index + 6, in: text)
            } else if previous == 0x5BA2 || previous == 0x7528 || previous == 0x50A8 {
                judgeName(after: index + 3, in: text)
            }
        case 0x8054:  // 联系人, 联系
            guard next == 0x7CFB else { return }
            let isPerson = Self.character(text, at: index + 6) == 0x4EBA
            judgeName(after: index + (isPerson ? 9 : 6), in: text)
        case 0x8868:  // 代表, 代表人
            guard previous == 0x4EE3 else { return }
            judgeName(after: index + (next == 0x4EBA ? 6 : 3), in: text)
        case 0x6301:  // 持有人, 持卡人, 持有者
            let third = Self.character(text, at: index + 6)
            if third == 0x4EBA || third == 0x8005 { judgeName(after: index + 9, in: text) }
        case 0x60A3:  // 患者
            if next == 0x8005 { judgeName(after: index + 6, in: text) }
        case 0x53F8:  // 司机
            if next == 0x673A { judgeName(after: index + 6, in: text) }
        case 0x4E58, 0x79DF, 0x65C5, 0x987E:  // 乘客, 租客, 旅客, 顾客
            if next == 0x5BA2 { judgeName(after: index + 6, in: text) }
        case 0x8F66, 0x4E1A:  // 车主, 业主
            if next == 0x4E3B { judgeName(after: index + 6, in: text) }
        case 0x5BB6:  // 家长
            if next == 0x957F { judgeName(after: index + 6, in: text) }
        case 0x5B66:  // 学生
            if next == 0x751F { judgeName(after: index + 6, in: text) }
        case 0x5458:  // 员工, 管理员, 业务员
            judgeName(after: index + (next == 0x5DE5 ? 6 : 3), in: text)
        case 0x6C47:  // 汇至, 汇给
            if next == 0x81F3 || next == 0x7ED9 { judgeName(after: index + 6, in: text) }
        case 0x6258:  // 委托, 委托人
            if next == 0x4EBA || previous == 0x59D4 { judgeName(after: index + (next == 0x4EBA ? 6 : 3), in: text) }
        case 0x6536:  // 张三收, with a mark on both sides; 收件人
            let isBounded = [6, 9, 12].contains { !Self.isHan(Self.character(text, before: index - $0)) }
            if isBounded, !Self.isHan(next) { judgeNameBefore(index, isTitle: true, in: text) }
            if Self.character(text, at: index + 6) == 0x4EBA { judgeName(after: index + 9, in: text) }
        case 0x623F:  // 房东
            if next == 0x4E1C { judgeName(after: index + 6, in: text) }
        case 0x544A:  // 原告, 被告
            if previous == 0x539F || previous == 0x88AB {
                judgeName(after: index + (next == 0x4EBA ? 6 : 3), in: text)
            }
        case 0x53EB:  // 我叫, 名叫, 叫做
            if previous == 0x6211 || previous == 0x540D || previous == 0x4ED6 || previous == 0x5979 {
                judgeName(after: index + (next == 0x505A ? 6 : 3), in: text)
            }
        case 0x5148:  // 先生
            if next == 0x751F { judgeNameBefore(index, isTitle: true, in: text) }
        case 0x5973:  // 女士
            if next == 0x58EB { judgeNameBefore(index, isTitle: true, in: text) }
        case 0x5FD7:  // 同志
            if previous == 0x540C { judgeNameBefore(index - 3, isTitle: true, in: text) }
        case 0x5740:  // 地址, 住址
            judgeAddress(after: index + 3, in: text)
        case 0x5FAE:  // 微信
            if next == 0x4FE1 { judgeWeChat(after: index + 6, in: text) }
        default:  // 收件人, 负责人, 申请人, …
            if next == 0x4EBA { judgeName(after: index + 6, in: text) }
        }
    }

    /// A name where a cue's word has ended: `姓名：张三`, `客户张三，`.
    private mutating func judgeName(after index: Int, in text: Span<UInt8>) {
        let start = Self.afterMark(text, index)
        let isField =
            start > index && Self.character(text, at: index) != 0x4E3A && Self.character(text, at: index) != 0x662F
        if let end = nameEnd(start, isField, text) { add(.name, start, end) }
    }

    /// Where a name that begins at `start` ends: a surname and one or two characters, then no Han character, or one that
    /// cannot be in a name. In a field (`姓名：`) any Han characters may be given names; elsewhere only the usual ones.
    private func nameEnd(_ start: Int, _ isField: Bool, _ text: Span<UInt8>) -> Int? {
        let first = Self.character(text, at: start)
        let second = Self.character(text, at: start + 3)
        guard Self.isHan(first), Self.isHan(second) else { return nil }
        var lead = 0
        if tables.isCompound(first, second) {
            lead = 2
        } else if tables.has(PersonalTables.surname, first) {
            lead = 1
            if tables.isWord(first, second) { return nil }
        }
        guard lead > 0 else { return nil }
        var count = lead
        while count < lead + 2 {
            let character = Self.character(text, at: start + 3 * count)
            guard Self.isHan(character), isGiven(character, isField) else { break }
            count += 1
        }
        while count > lead {
            let end = start + 3 * count
            let next = Self.character(text, at: end)
            if !Self.isHan(next) || tables.has(PersonalTables.particle, next) || isFollower(next, end, text) {
                return end
            }
            count -= 1
        }
        return nil
    }

    private func isGiven(_ character: UInt32, _ isField: Bool) -> Bool {
        isField
            ? !tables.has(PersonalTables.particle, character) || tables.has(PersonalTables.given, character)
            : tables.has(PersonalTables.given, character)
    }

    /// Words that follow a name: 先生, 女士, 同志, 身份证, 手机, 性别, 联系, 驾驶, 男, 女.
    private func isFollower(_ next: UInt32, _ at: Int, _ text: Span<UInt8>) -> Bool {
        let after = Self.character(text, at: at + 3)
        switch next {
        case 0x5148: return after == 0x751F
        case 0x5973: return after == 0x58EB || !Self.isHan(after)
        case 0x7537: return !Self.isHan(after)
        case 0x540C: return after == 0x5FD7
        case 0x8EAB: return after == 0x4EFD
        case 0x624B: return after == 0x673A
        case 0x6027: return after == 0x522B
        case 0x8054: return after == 0x7CFB
        case 0x9A7E: return after == 0x9A76
        default: return false
        }
    }

    /// A name that ends before `index`, where a phone, an identity number or a title begins.
    mutating func judgeNameBefore(_ index: Int, isTitle: Bool = false, in text: Span<UInt8>) {
        var end = index
        if !isTitle {
            end = Self.beforeMark(text, index)
            let mark = Self.character(text, before: end)
            if mark == 0xFF0C || mark == 0x3001 { end -= 3 } else if Self.byte(text, end - 1) == 0x2C { end -= 1 }
        }
        if !isTitle, Self.byte(text, end - 1) < 0x80, judgeNameInFieldBefore(end, in: text) { return }
        let one = Self.character(text, before: end)
        let two = Self.character(text, before: end - 3)
        guard tables.has(PersonalTables.given, one), Self.isHan(two) else { return }
        let three = Self.character(text, before: end - 6)
        let four = Self.character(text, before: end - 9)
        if tables.has(PersonalTables.given, two) {
            if tables.isCompound(four, three) {
                add(.name, end - 12, end)
                return
            }
            if tables.has(PersonalTables.surname, three), !tables.isWord(three, two) {
                add(.name, end - 9, end)
                return
            }
        }
        if tables.isCompound(three, two) {
            add(.name, end - 9, end)
            return
        }
        let isBounded = !Self.isHan(three) || tables.has(PersonalTables.particle, three)
        if tables.has(PersonalTables.surname, two), !tables.isWord(two, one), isBounded || end == index {
            add(.name, end - 6, end)
        }
    }

    /// A name that fills a field of its own right before the field of the number: `"name":"张三","mobile":"139…`, table cells.
    private mutating func judgeNameInFieldBefore(_ index: Int, in text: Span<UInt8>) -> Bool {
        var end = index
        while end > 0, index - end < 28, text[end - 1] < 0x80, text[end - 1] != 0x0A { end -= 1 }
        guard end > 0, text[end - 1] >= 0x80, Self.isFieldEdge(Self.byte(text, end)) else { return false }
        for count in 2...4 {
            let start = end - 3 * count
            guard Self.isHan(Self.character(text, at: start)) else { return false }
            guard Self.isFieldEdge(Self.byte(text, start - 1)) else { continue }
            guard nameEnd(start, false, text) == end else { return false }
            add(.name, start, end)
            return true
        }
        return false
    }

    /// What fields are closed in by: quotes, tags, tabs, commas, bars.
    private static func isFieldEdge(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x22, 0x27, 0x3C, 0x3E, 0x09, 0x2C, 0x7C, 0x3B: true
        default: false
        }
    }

    /// A province's character, a letter and five or six places (GA 36-2018); without a cue at least one of them is a digit.
    private mutating func judgePlate(at index: Int, in text: Span<UInt8>) {
        var at = index + 4
        if Self.byte(text, at) == 0xC2, Self.byte(text, at + 1) == 0xB7 {
            at += 2
        } else if Self.character(text, at: at) == 0x2022 || Self.character(text, at: at) == 0x30FB {
            at += 3
        } else if Self.byte(text, at) == Self.space || Self.byte(text, at) == Self.hyphen
            || Self.byte(text, at) == Self.dot
        {
            at += 1
        }
        let first = at
        var digitCount = 0
        while at < text.count, at - first < 7, Self.isDigit(text[at]) || Self.isCapital(text[at]) {
            if Self.isDigit(text[at]) { digitCount += 1 }
            at += 1
        }
        var count = at - first
        if count == 4 {
            switch Self.character(text, at: at) {
            case 0x5B66, 0x8B66, 0x6E2F, 0x6FB3, 0x6302, 0x9886, 0x4F7F, 0x8BD5, 0x8D85:  // 学 警 港 澳 挂 领 使 试 超
                at += 3
                count = 5
            default: break
            }
        }
        guard count == 5 || count == 6, !Self.isWord(text, at: at) else { return }
        let hasCue = Self.hasCue(cues.plate, in: text, before: index, window: 24)
        guard digitCount > 0 || hasCue, digitCount >= 3 || count == 5 else { return }
        // New-energy plates have D, F or another of A to K at the front (small cars) or at the end (large ones).
        if count == 6, !hasCue {
            guard Self.isCapital(text[first]) || Self.isCapital(text[at - 1]) else { return }
        }
        add(.plate, index, at)
    }

    /// An account of WeChat: a letter and 5 to 19 letters, digits, `_` and `-`. A plain word counts only after 微信号 or a colon.
    private mutating func judgeWeChat(after index: Int, in text: Span<UInt8>) {
        var at = index
        var isField = Self.hasCue(cues.adding, in: text, before: index, window: 12)
        while Self.character(text, at: at) == 0x53F7 || Self.character(text, at: at) == 0x7FA4, at - index < 6 {
            at += 3
            isField = true
        }
        let start = Self.afterMark(text, at)
        if start > at { isField = isField || Self.byte(text, at) == 0x3A || Self.character(text, at: at) == 0xFF1A }
        at = start
        var hasMark = false
        while at < text.count, at - start <= 20 {
            let byte = text[at]
            guard Self.isAlphanumeric(byte) || byte == 0x5F || byte == Self.hyphen else { break }
            hasMark = hasMark || !Self.isLetter(byte)
            at += 1
        }
        guard at - start >= 6, at - start <= 20, Self.isLetter(text[start]), hasMark || isField,
            Self.byte(text, at) != 0x40
        else { return }
        add(.wechat, start, at)
    }
}
