/// Where a text can be cut without leaving half a character, nor half a sentence if it can be helped.
enum SentenceBorders {
    /// A range within `range` of whole sentences, or of such at one of its ends, if that is half of it or more;
    /// otherwise of whole characters.
    ///
    /// The end may move beyond `range` over punctuation and spaces that close its last sentence, never over letters.
    static func trimmed(_ range: Range<Int>, in text: Span<UInt8>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, isContinuation(text[start]) { start += 1 }
        while end > start, end < text.count, isContinuation(text[end]) { end -= 1 }
        guard start < end else { return start..<start }
        let isOpened = start > 0 && isOpening(before: start, text)
        let first = isOpened ? start : sentenceStart(from: start, to: end, text) ?? start
        let last = sentenceEnd(from: start, to: end, isOpened, text) ?? end
        for (first, last) in [(first, last), (start, last), (first, end)] {
            if first < last, (last - first) * 2 >= end - start { return first..<last }
        }
        return start..<end
    }

    private static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// The first place in the range where a sentence starts.
    private static func sentenceStart(from start: Int, to end: Int, _ text: Span<UInt8>) -> Int? {
        // The sentence before may end with closing marks, a few of which are looked back over.
        var place = start
        for _ in 0..<8 {
            if place == 0 { return start }
            if terminatorLength(before: place, text) != nil {
                let next = max(start, afterClosing(place, text))
                return next < end ? next : nil
            }
            guard let length = closingLength(before: place, text) else { break }
            place -= length
        }
        place = start
        while place < end {
            if let length = terminatorLength(at: place, text) {
                let next = afterClosing(place + length, text)
                return next < end ? next : nil
            }
            place += 1
        }
        return nil
    }

    /// The last place in the range, or just beyond, where a sentence ends.
    private static func sentenceEnd(from start: Int, to end: Int, _ isOpened: Bool, _ text: Span<UInt8>) -> Int? {
        // A passage of words ends before its full stop and its closing marks. A quotation whose mark stays keeps the
        // other too.
        let beyond = isOpened ? end : afterClosing(end, text)
        if let length = terminatorLength(at: beyond, text) {
            return isOpened ? beyond + length : afterClosing(beyond + length, text)
        }
        if end == text.count { return end }
        var place = end
        while place > start {
            if terminatorLength(before: place, text) != nil { return isOpened ? place : afterClosing(place, text) }
            place -= 1
        }
        return nil
    }

    /// The place after the closing marks and spaces at `place`; a line feed is the last of them.
    private static func afterClosing(_ place: Int, _ text: Span<UInt8>) -> Int {
        var next = place
        if next > 0, text[next - 1] == 0x0A { return next }
        while next < text.count, let length = closingLength(at: next, text) {
            next += length
            if text[next - 1] == 0x0A { break }
        }
        return next
    }

    /// The length of what ends a sentence at `place`: a line feed, one of 。！？…, or one of . ! ? before a closing mark
    /// or the end.
    private static func terminatorLength(at place: Int, _ text: Span<UInt8>) -> Int? {
        guard place < text.count else { return nil }
        switch text[place] {
        case 0x0A: return 1
        case 0x2E, 0x21, 0x3F: return place + 1 == text.count || closingLength(at: place + 1, text) != nil ? 1 : nil
        default: break
        }
        guard place + 3 <= text.count else { return nil }
        switch (text[place], text[place + 1], text[place + 2]) {
        case (0xE3, 0x80, 0x82), (0xEF, 0xBC, 0x81), (0xEF, 0xBC, 0x9F), (0xE2, 0x80, 0xA6): return 3
        default: return nil
        }
    }

    private static func terminatorLength(before place: Int, _ text: Span<UInt8>) -> Int? {
        if place >= 1, terminatorLength(at: place - 1, text) == 1 { return 1 }
        return place >= 3 && terminatorLength(at: place - 3, text) == 3 ? 3 : nil
    }

    /// The length of a space, a quote or a bracket that closes: white space of ASCII, " ' ) ] ’ ” 」 』 ） and U+3000.
    private static func closingLength(at place: Int, _ text: Span<UInt8>) -> Int? {
        guard place < text.count else { return nil }
        switch text[place] {
        case 0x20, 0x09, 0x0A, 0x0D, 0x22, 0x27, 0x29, 0x5D: return 1
        default: break
        }
        guard place + 3 <= text.count else { return nil }
        switch (text[place], text[place + 1], text[place + 2]) {
        case (0xE2, 0x80, 0x99), (0xE2, 0x80, 0x9D), (0xE3, 0x80, 0x80), (0xE3, 0x80, 0x8D), (0xE3, 0x80, 0x8F),
            (0xEF, 0xBC, 0x89):
            return 3
        default: return nil
        }
    }

    /// Whether a bracket, a quote or a colon stands before `place`: ( [ “ ‘ 「 『 （ ：
    private static func isOpening(before place: Int, _ text: Span<UInt8>) -> Bool {
        if text[place - 1] == 0x28 || text[place - 1] == 0x5B { return true }
        guard place >= 3 else { return false }
        switch (text[place - 3], text[place - 2], text[place - 1]) {
        case (0xE2, 0x80, 0x98), (0xE2, 0x80, 0x9C), (0xE3, 0x80, 0x8C), (0xE3, 0x80, 0x8E), (0xEF, 0xBC, 0x88),
            (0xEF, 0xBC, 0x9A):
            return true
        default: return false
        }
    }

    private static func closingLength(before place: Int, _ text: Span<UInt8>) -> Int? {
        if place >= 1, closingLength(at: place - 1, text) == 1 { return 1 }
        return place >= 3 && closingLength(at: place - 3, text) == 3 ? 3 : nil
    }
}
