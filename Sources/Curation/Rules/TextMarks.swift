import CCuration

/// Signs and phrases that Gopher's and C4's rules look for, found in one pass over a text.
struct TextMarks: ~Copyable {
    enum Phrase: UInt8 {
        case loremIpsum
        case javascript
        case policy
    }

    struct Hit {
        var start: Int
        var phrase: Phrase
    }

    /// "#", and "..." or "…" as `str.count` counts them.
    private(set) var hashes = 0
    private(set) var ellipses = 0
    /// Where phrases begin, in order.
    private(set) var hits = Scratch<Hit>()

    /// - Parameter text: UTF-8 with `EnglishTokenizer.paddingBytes` blanks behind it.
    mutating func scan(_ text: UnsafePointer<UInt8>, _ count: Int) {
        hashes = 0
        ellipses = 0
        hits.removeAll()
        var at = onepoint_quality_mark(text, 0, count)
        while at < count { at = onepoint_quality_mark(text, at &+ stop(text, at, count), count) }
    }

    /// Looks at what stands at `at`; returns by how much to go on.
    private mutating func stop(_ text: UnsafePointer<UInt8>, _ at: Int, _ count: Int) -> Int {
        switch text[at] {
        case UInt8(ascii: "#"):
            hashes += 1
        case UInt8(ascii: "."):
            if text[at + 1] == UInt8(ascii: "."), text[at + 2] == UInt8(ascii: ".") {
                ellipses += 1
                return 3
            }
        case 0xE2:
            if text[at + 1] == 0x80, text[at + 2] == 0xA6 { ellipses += 1 }
            // The sign of kelvin, which is "k" in lower case.
            if text[at + 1] == 0x84, text[at + 2] == 0xAA { cookies(text, at, at + 3, count) }
        case UInt8(ascii: "j"), UInt8(ascii: "J"):
            if Self.matches(text, at, count, "javascript") { hits.append(Hit(start: at, phrase: .javascript)) }
        case UInt8(ascii: "m"), UInt8(ascii: "M"):
            if Self.matches(text, at - 4, count, "lorem ipsum") {
                hits.append(Hit(start: at - 4, phrase: .loremIpsum))
            } else if Self.matches(text, at - 3, count, "terms of use") {
                hits.append(Hit(start: at - 3, phrase: .policy))
            }
        case UInt8(ascii: "v"), UInt8(ascii: "V"):
            if Self.matches(text, at - 3, count, "privacy policy") {
                hits.append(Hit(start: at - 3, phrase: .policy))
            }
        default:
            cookies(text, at, at + 1, count)
        }
        return 1
    }

    /// Looks for "cookie policy", "uses cookies", "use of cookies" and "use cookies" about a "k".
    private mutating func cookies(_ text: UnsafePointer<UInt8>, _ k: Int, _ next: Int, _ count: Int) {
        guard Self.matches(text, k - 3, count, "coo"), Self.matches(text, next, count, "ie") else { return }
        if Self.matches(text, next, count, "ie policy") {
            hits.append(Hit(start: k - 3, phrase: .policy))
        } else if Self.matches(text, next, count, "ies"),
            Self.matches(text, k - 7, count, "use ") || Self.matches(text, k - 8, count, "uses ")
                || Self.matches(text, k - 10, count, "use of ")
        {
            hits.append(Hit(start: k - 3, phrase: .policy))
        }
    }

    /// Whether a phrase of small letters stands at `start`, in letters of whichever case.
    @inline(__always)
    private static func matches(
        _ text: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int,
        _ phrase: StaticString
    ) -> Bool {
        guard start >= 0, start + phrase.utf8CodeUnitCount <= count else { return false }
        for offset in 0..<phrase.utf8CodeUnitCount {
            let byte = text[start + offset]
            let small = byte &- 0x41 < 26 ? byte | 0x20 : byte
            if small != phrase.utf8Start[offset] { return false }
        }
        return true
    }
}
