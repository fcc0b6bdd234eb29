/// What a page's first bytes say about their own encoding.
extension Charset {
    /// How far a declaration is looked for. The standard asks for 1,024 bytes; pages have it further on.
    static let declarationBytesMax = 8192

    /// The label in the page's `meta` element or XML declaration.
    ///
    /// > Source: https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
    static func declaration(_ bytes: Span<UInt8>) -> String? {
        let count = min(bytes.count, declarationBytesMax)
        if begins(bytes, 0, count, "<?xml"), let label = xmlEncoding(bytes, count) { return label }
        var at = 0
        while at < count {
            guard bytes[at] == UInt8(ascii: "<") else {
                at += 1
                continue
            }
            if begins(bytes, at, count, "<!--") {
                // "<!-->" is a whole comment, so that its hyphens may be those of the end.
                at += 2
                while at < count && !begins(bytes, at, count, "-->") { at += 1 }
                at += 3
            } else if begins(bytes, at, count, "<meta"), at + 5 < count,
                isSpace(bytes[at + 5]) || bytes[at + 5] == UInt8(ascii: "/")
            {
                at += 5
                if let label = metaLabel(bytes, &at, count) { return label }
            } else if at + 1 < count,
                isLetter(bytes[at + 1])
                    || (bytes[at + 1] == UInt8(ascii: "/") && at + 2 < count && isLetter(bytes[at + 2]))
            {
                at += 1
                while at < count && !isSpace(bytes[at]) && bytes[at] != UInt8(ascii: ">") { at += 1 }
                while nextAttribute(bytes, &at, count) != nil {}
            } else {
                at += 1
            }
        }
        return nil
    }

    private static func metaLabel(_ bytes: Span<UInt8>, _ at: inout Int, _ count: Int) -> String? {
        var isPragma = false
        var charset: String?
        var content: String?
        while let (name, value) = nextAttribute(bytes, &at, count) {
            switch name {
            case "http-equiv": isPragma = isPragma || value == "content-type"
            case "charset": charset = charset ?? value
            case "content": content = content ?? labelInContent(value)
            default: break
            }
        }
        return charset ?? (isPragma ? content : nil)
    }

    /// The label behind "charset=" in the value of a `Content-Type`.
    static func labelInContent(_ value: String) -> String? {
        let bytes = Array(value.utf8)
        let word = Array("charset".utf8)
        var at = 0
        while at + word.count < bytes.count {
            guard bytes[at..<at + word.count].elementsEqual(word) else {
                at += 1
                continue
            }
            at += word.count
            while at < bytes.count && isSpace(bytes[at]) { at += 1 }
            guard at < bytes.count, bytes[at] == UInt8(ascii: "=") else { continue }
            at += 1
            while at < bytes.count
                && (isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'"))
            {
                at += 1
            }
            let start = at
            while at < bytes.count, !isSpace(bytes[at]), bytes[at] != UInt8(ascii: ";"),
                bytes[at] != UInt8(ascii: "\""),
                bytes[at] != UInt8(ascii: "'")
            {
                at += 1
            }
            return start < at ? String(decoding: bytes[start..<at], as: UTF8.self) : nil
        }
        return nil
    }

    /// The next attribute's name and value in small letters, or nil behind the tag's end.
    private static func nextAttribute(_ bytes: Span<UInt8>, _ at: inout Int, _ count: Int) -> (String, String)? {
        while at < count && (isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "/")) { at += 1 }
        guard at < count, bytes[at] != UInt8(ascii: ">") else { return nil }
        let start = at
        repeat {
            at += 1
        } while at < count && !isSpace(bytes[at]) && bytes[at] != UInt8(ascii: "=")
            && bytes[at] != UInt8(ascii: ">") && bytes[at] != UInt8(ascii: "/")
        let name = lowered(bytes, start, at)
        while at < count && isSpace(bytes[at]) { at += 1 }
        guard at < count, bytes[at] == UInt8(ascii: "=") else { return (name, "") }
        at += 1
        while at < count && isSpace(bytes[at]) { at += 1 }
        guard at < count else { return (name, "") }
        let quote = bytes[at]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            let first = at + 1
            at = first
            while at < count && bytes[at] != quote { at += 1 }
            let value = lowered(bytes, first, at)
            at = min(at + 1, count)
            return (name, value)
        }
        let first = at
        while at < count && !isSpace(bytes[at]) && bytes[at] != UInt8(ascii: ">") { at += 1 }
        return (name, lowered(bytes, first, at))
    }

    private static func xmlEncoding(_ bytes: Span<UInt8>, _ count: Int) -> String? {
        var at = 5
        while at < count && bytes[at] != UInt8(ascii: ">") {
            if begins(bytes, at, count, "encoding") {
                at += 8
                while at < count && (isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "=")) { at += 1 }
                guard at < count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else { return nil }
                let quote = bytes[at]
                let start = at + 1
                at = start
                while at < count && bytes[at] != quote && bytes[at] != UInt8(ascii: ">") { at += 1 }
                return lowered(bytes, start, at)
            }
            at += 1
        }
        return nil
    }

    private static func begins(_ bytes: Span<UInt8>, _ at: Int, _ count: Int, _ text: StaticString) -> Bool {
        guard at + text.utf8CodeUnitCount <= count else { return false }
        for offset in 0..<text.utf8CodeUnitCount {
            let byte = bytes[at + offset]
            let letter = byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte
            if letter != text.utf8Start[offset] { return false }
        }
        return true
    }

    private static func lowered(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> String {
        var out: [UInt8] = []
        for index in start..<min(end, start + 256) {
            let byte = bytes[index]
            out.append(byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte)
        }
        return String(decoding: out, as: UTF8.self)
    }
}
