/// Short blocks that are no sentences of the article: bylines, dates, addresses, calls to read on.
extension PageExtractor {
    /// Drops short blocks that say they are something else.
    mutating func dropPhrases(_ page: Span<UInt8>) {
        var isOpening = true
        for index in blocks.indices where blocks[index].isKept {
            let block = blocks[index]
            if block.text > Int32(PagePhrases.longest) {
                isOpening = false
                continue
            }
            scratch.removeAll(keepingCapacity: true)
            write(block, page, into: &scratch)
            let isAddress = block.words == 1 && Self.isAddress(scratch.span)
            let isDated =
                block.text <= 40 && block.state.isDisjoint(with: [.item, .cell, .heading]) && Self.hasYear(scratch.span)
            let isByline = isOpening && block.text <= 60 && block.stops == 0 && Self.isByline(scratch.span)
            if isAddress || isDated || isByline || phrases.open(scratch.span) {
                blocks[index].isKept = false
            } else if Self.isProse(block) {
                isOpening = false
            }
        }
    }

    /// Whether a short line is a date: a year, and at least two more digits.
    private static func hasYear(_ bytes: Span<UInt8>) -> Bool {
        var digits = 0
        var run = 0
        var hasYear = false
        for index in 0...bytes.count {
            let byte = index < bytes.count ? bytes[index] : 0x20
            if byte &- UInt8(ascii: "0") < 10 {
                digits += 1
                run += 1
                continue
            }
            if run == 4 {
                let isThis = bytes[index - 4] == UInt8(ascii: "2") && bytes[index - 3] == UInt8(ascii: "0")
                let isLast = bytes[index - 4] == UInt8(ascii: "1") && bytes[index - 3] == UInt8(ascii: "9")
                hasYear = hasYear || isThis || isLast
            }
            run = 0
        }
        return hasYear && digits >= 5 && digits * 5 >= bytes.count
    }

    /// Whether a line begins as bylines do: by, von, por, par, di, de, 文, 记者.
    private static func isByline(_ bytes: Span<UInt8>) -> Bool {
        let words: [StaticString] = ["by ", "von ", "por ", "par ", "di ", "文/", "文｜", "文 |", "记者 ", "作者"]
        return words.contains { word in
            guard bytes.count > word.utf8CodeUnitCount else { return false }
            for offset in 0..<word.utf8CodeUnitCount {
                let byte = bytes[offset]
                if (byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte) != word.utf8Start[offset] { return false }
            }
            return true
        }
    }

    /// Whether a single word is an address of the web or of mail.
    private static func isAddress(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 4, bytes[0] < 0x80 else { return false }
        if bytes[0] == UInt8(ascii: "@") { return true }
        for index in 1..<bytes.count - 3 {
            if bytes[index] == UInt8(ascii: "@") { return true }
            if bytes[index] == UInt8(ascii: ":"), bytes[index + 1] == UInt8(ascii: "/"),
                bytes[index + 2] == UInt8(ascii: "/")
            {
                return true
            }
        }
        return false
    }
}
