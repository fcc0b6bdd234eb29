/// E-mail addresses and IPv6 addresses.
extension PersonalScanner {
    /// RFC 5321 allows 64 bytes before the `@` and 255 after it.
    private static let localLimit = 64
    private static let domainLimit = 255

    mutating func judgeEmail(at: Int, end: Int, in text: Span<UInt8>) {
        var start = at
        while start > 0, at - start <= Self.localLimit, Self.isLocal(text[start - 1]) { start -= 1 }
        // Dots and signs that begin the run are punctuation of the sentence.
        while start < at, !Self.isAlphanumeric(text[start]) { start += 1 }
        guard start < at, at - start <= Self.localLimit, text[at - 1] != Self.dot else { return }
        var i = end
        var label = end
        // The end of the letters that the last label that can be a top-level domain begins with.
        var last = 0
        while i < text.count, i - end < Self.domainLimit {
            let byte = text[i]
            if Self.isAlphanumeric(byte) || byte == Self.hyphen {
                i += 1
                continue
            }
            if label > end { last = Self.topLevelEnd(text, label, i) ?? last }
            guard byte == Self.dot, i > label, i + 1 < text.count, Self.isAlphanumeric(text[i + 1]) else {
                label = 0
                break
            }
            i += 1
            label = i
        }
        if label > end { last = Self.topLevelEnd(text, label, i) ?? last }
        guard last > 0, Self.isAlphanumeric(text[end]) else { return }
        add(.email, start, last)
    }

    /// The end of the letters of `label ..< end` when they can be a top-level domain: all of it, or what digits are glued to
    /// (`a@b.com13912345678`, `a@b.cn2.0`).
    private static func topLevelEnd(_ text: Span<UInt8>, _ label: Int, _ end: Int) -> Int? {
        var at = label
        while at < end, isLetter(text[at]) { at += 1 }
        guard at - label >= 2, at - label <= 24, at == end || text[at] == hyphen || isDigit(text[at]) else {
            return nil
        }
        return at
    }

    private static func isLocal(_ byte: UInt8) -> Bool {
        if isAlphanumeric(byte) { return true }
        switch byte {
        case 0x2E, 0x5F, 0x25, 0x2B, 0x2D, 0x27, 0x26: return true  // . _ % + - ' &
        default: return false
        }
    }

    /// Eight groups, or fewer with `::` in the ranges in use (RFC 4291; 2000::/3, fc00::/7, fe80::/10): `a::b` is code, not an address.
    mutating func judgeIPv6(colon: Int, in text: Span<UInt8>) {
        if let last = found.last, last.kind == .ipv6, last.end > colon { return }
        var start = colon
        while start > 0, colon - start < 5, Self.isHex(text[start - 1]) { start -= 1 }
        guard colon - start <= 4, !Self.isWord(text, before: start), Self.byte(text, start - 1) != 0x3A else { return }
        var i = start
        var groups = 0
        var gaps = 0
        var hasDigit = false
        var first = 0
        while i < text.count, groups < 9 {
            var value = 0
            let from = i
            while i < text.count, i - from < 5, Self.isHex(text[i]) {
                let byte = text[i]
                hasDigit = hasDigit || Self.isDigit(byte)
                value = value << 4 | Int(Self.isDigit(byte) ? byte - 0x30 : (byte | 0x20) - 0x57)
                i += 1
            }
            guard i - from <= 4 else { return }
            if i == from { break }
            if groups == 0 { first = value }
            groups += 1
            guard Self.byte(text, i) == 0x3A else { break }
            if Self.byte(text, i + 1) == 0x3A {
                gaps += 1
                i += 2
            } else if Self.isHex(Self.byte(text, i + 1)) {
                i += 1
            } else {
                break
            }
        }
        if Self.byte(text, i) == 0x3A, Self.byte(text, i + 1) == 0x3A || Self.isAlphanumeric(Self.byte(text, i + 1)) {
            return
        }
        // A word may be glued to it, but no hexadecimal digit.
        if Self.isHex(Self.byte(text, i)) || Self.byte(text, i) == 0x5F { return }
        if gaps == 0 {
            guard groups == 8 else { return }
        } else {
            let isInUse =
                (0x2000...0x3FFF).contains(first) || (0xFC00...0xFDFF).contains(first)
                || (0xFE80...0xFEBF).contains(first)
            guard gaps == 1, groups <= 7, hasDigit, isInUse else { return }
        }
        add(.ipv6, start, i)
    }
}
