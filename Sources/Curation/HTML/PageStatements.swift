/// What a page states in JSON-LD, found without building its objects: the first value of each key that we know.
///
/// Depth is not followed: a page that describes several articles tells of them in this order, and the text it states is
/// only trusted when it is longer than what stands in the page.
///
/// > Source: https://schema.org/Article, https://www.rfc-editor.org/rfc/rfc8259 section 7.
struct PageStatements: Sendable {
    /// The longest `articleBody`, with its escapes resolved.
    private(set) var body: [UInt8] = []
    private(set) var published: [UInt8] = []
    private(set) var licence: [UInt8] = []
    private(set) var language: [UInt8] = []
    private(set) var headline: [UInt8] = []
    private var value: [UInt8] = []

    mutating func removeAll() {
        body.removeAll(keepingCapacity: true)
        published.removeAll(keepingCapacity: true)
        licence.removeAll(keepingCapacity: true)
        language.removeAll(keepingCapacity: true)
        headline.removeAll(keepingCapacity: true)
    }

    private enum Key: Equatable {
        case body, published, licence, language, headline
    }

    /// Reads the script in `bytes[start ..< end]`.
    mutating func read(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        var key: Key?
        var at = start
        while at < end {
            guard bytes[at] == UInt8(ascii: "\"") else {
                // An object or a list between a key and a string: the string is not the key's own value.
                if bytes[at] == UInt8(ascii: "{") || bytes[at] == UInt8(ascii: ",") { key = nil }
                at += 1
                continue
            }
            let first = at + 1
            var last = first
            while last < end && bytes[last] != UInt8(ascii: "\"") {
                last += bytes[last] == UInt8(ascii: "\\") ? 2 : 1
            }
            last = min(last, end)
            at = last + 1
            var behind = at
            while behind < end && isSpace(bytes[behind]) { behind += 1 }
            if behind < end && bytes[behind] == UInt8(ascii: ":") {
                key = Self.key(bytes, first, last)
                at = behind + 1
            } else if let known = key {
                keep(known, bytes, first, last)
                key = nil
            }
        }
    }

    private static let keys: [(StaticString, Key)] = [
        ("articleBody", .body), ("datePublished", .published), ("license", .licence), ("inLanguage", .language),
        ("headline", .headline),
    ]

    private static func key(_ bytes: Span<UInt8>, _ first: Int, _ last: Int) -> Key? {
        for (name, key) in keys where name.utf8CodeUnitCount == last - first {
            var offset = 0
            while offset < last - first && bytes[first + offset] == name.utf8Start[offset] { offset += 1 }
            if offset == last - first { return key }
        }
        return nil
    }

    private mutating func keep(_ key: Key, _ bytes: Span<UInt8>, _ first: Int, _ last: Int) {
        switch key {
        case .body:
            guard last - first > body.count else { return }
            value.removeAll(keepingCapacity: true)
            Self.unescape(bytes, first, last, into: &value)
            if value.count > body.count { swap(&value, &body) }
        case .published:
            if published.isEmpty { Self.unescape(bytes, first, last, into: &published) }
        case .licence:
            if licence.isEmpty { Self.unescape(bytes, first, last, into: &licence) }
        case .language:
            if language.isEmpty { Self.unescape(bytes, first, last, into: &language) }
        case .headline:
            if headline.isEmpty { Self.unescape(bytes, first, last, into: &headline) }
        }
    }

    /// Appends a JSON string's characters; a lone surrogate becomes U+FFFD, and an unknown escape stands for itself.
    private static func unescape(_ bytes: Span<UInt8>, _ first: Int, _ last: Int, into out: inout [UInt8]) {
        var at = first
        var high: UInt32 = 0
        while at < last {
            let byte = bytes[at]
            if byte == UInt8(ascii: "\\"), at + 1 < last {
                let letter = bytes[at + 1]
                if letter == UInt8(ascii: "u"), let unit = hex(bytes, at + 2, last) {
                    at += 6
                    if unit & 0xFC00 == 0xDC00 && high != 0 {
                        HTMLReferences.append(0x10000 + ((high & 0x3FF) << 10) + (unit & 0x3FF), to: &out)
                        high = 0
                        continue
                    }
                    if high != 0 { HTMLReferences.append(0xFFFD, to: &out) }
                    high = 0
                    if unit & 0xFC00 == 0xD800 {
                        high = unit
                    } else {
                        HTMLReferences.append(unit & 0xF800 == 0xD800 ? 0xFFFD : unit, to: &out)
                    }
                    continue
                }
                if high != 0 { HTMLReferences.append(0xFFFD, to: &out) }
                high = 0
                switch letter {
                case UInt8(ascii: "n"), UInt8(ascii: "r"): out.append(0x0A)
                case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "b"): out.append(0x20)
                default: out.append(letter)
                }
                at += 2
                continue
            }
            if high != 0 { HTMLReferences.append(0xFFFD, to: &out) }
            high = 0
            out.append(byte)
            at += 1
        }
        if high != 0 { HTMLReferences.append(0xFFFD, to: &out) }
    }

    private static func hex(_ bytes: Span<UInt8>, _ at: Int, _ last: Int) -> UInt32? {
        guard at + 4 <= last else { return nil }
        var value: UInt32 = 0
        for offset in 0..<4 {
            let byte = bytes[at + offset]
            var digit = byte &- UInt8(ascii: "0")
            if digit > 9 {
                digit = (byte | 32) &- UInt8(ascii: "a")
                guard digit < 6 else { return nil }
                digit += 10
            }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}
