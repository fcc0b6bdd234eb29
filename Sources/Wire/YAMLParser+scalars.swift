import Core

extension YAMLParser {
    /// Reads a plain scalar, over several lines where they are further in than `indent`.
    mutating func plain(indent: Int, inFlow: Bool) throws(YAMLError) -> String {
        try checkPlainStart(inFlow: inFlow)
        var out: [UInt8] = []
        while true {
            let start = position
            var end = position
            while !isAtEnd, !Self.isBreak(peek()) {
                let byte = peek()
                if byte == UInt8(ascii: ":"), isBlank(1) || inFlow && UInt8.isFlowIndicator(peek(1)) {
                    if !inFlow {
                        throw fault("has a ':' in a value over several lines; quote it, or mend the indentation")
                    }
                    break
                }
                if byte == UInt8(ascii: "#"), position > start, Self.isSpace(bytes[position - 1]) { break }
                if inFlow, UInt8.isFlowIndicator(byte) { break }
                if byte < 0x20, byte != 0x09 { throw fault("has a control character") }
                position += 1
                if !Self.isSpace(byte) { end = position }
            }
            out.append(contentsOf: bytes[start..<end])
            // The space before a comment is what makes it one.
            if peek() == UInt8(ascii: "#") { position = end }
            guard !isAtEnd, Self.isBreak(peek()), inFlow || continues(indent: indent) else { break }
            let here = (position, line, lineStart)
            let breaks = skipBreaks()
            let stops =
                isAtEnd || isAtMarker || peek() == UInt8(ascii: "#")
                || inFlow && (UInt8.isFlowIndicator(peek()) || peek() == UInt8(ascii: ":") && isBlank(1))
            if stops {
                (position, line, lineStart) = here
                break
            }
            fold(breaks, into: &out)
        }
        return String(decoding: out, as: UTF8.self)
    }

    func checkPlainStart(inFlow: Bool) throws(YAMLError) {
        let byte = peek()
        switch byte {
        case UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"):
            if isBlank(1) || inFlow && UInt8.isFlowIndicator(peek(1)) {
                throw fault("has '\(Character(Unicode.Scalar(byte)))' where a value should be")
            }
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "#"), UInt8(ascii: "%"),
            UInt8(ascii: "@"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "&"),
            UInt8(ascii: "*"), UInt8(ascii: "!"):
            throw fault("has '\(Character(Unicode.Scalar(byte)))' at the beginning of a value; quote it")
        default: break
        }
    }

    /// Whether the next line with content belongs to a plain scalar of a node further in than `indent`.
    private func continues(indent: Int) -> Bool {
        var ahead = self
        _ = ahead.skipBreaks()
        return !ahead.isAtEnd && ahead.column > indent && !ahead.isAtMarker
    }

    /// Skips breaks and the spaces around them; how many breaks there were.
    mutating func skipBreaks() -> Int {
        var breaks = 0
        while true {
            skipSpaces()
            guard !isAtEnd, Self.isBreak(peek()) else { return breaks }
            takeBreak()
            breaks += 1
        }
    }

    /// One break becomes a space, more become one less.
    private func fold(_ breaks: Int, into out: inout [UInt8]) {
        if breaks == 1 {
            out.append(0x20)
        } else {
            out.append(contentsOf: repeatElement(0x0A, count: breaks - 1))
        }
    }

    mutating func singleQuoted() throws(YAMLError) -> String {
        position += 1
        var out: [UInt8] = []
        while true {
            if isAtEnd || isAtMarker { throw fault("ends inside quotes") }
            let byte = peek()
            if byte == UInt8(ascii: "'") {
                position += 1
                guard peek() == UInt8(ascii: "'") else { break }
                out.append(byte)
                position += 1
            } else if Self.isBreak(byte) {
                trimSpaces(&out, from: 0)
                fold(skipBreaks(), into: &out)
            } else {
                if byte < 0x20, byte != 0x09 { throw fault("has a control character") }
                out.append(byte)
                position += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    mutating func doubleQuoted() throws(YAMLError) -> String {
        position += 1
        var out: [UInt8] = []
        // What escapes brought is not trimmed at a break.
        var kept = 0
        while true {
            if isAtEnd || isAtMarker { throw fault("ends inside quotes") }
            let byte = peek()
            if byte == UInt8(ascii: "\"") {
                position += 1
                break
            }
            if byte == UInt8(ascii: "\\") {
                position += 1
                if Self.isBreak(peek()) {
                    let breaks = skipBreaks()
                    out.append(contentsOf: repeatElement(0x0A, count: breaks - 1))
                } else {
                    try escape(into: &out)
                }
                kept = out.count
            } else if Self.isBreak(byte) {
                trimSpaces(&out, from: kept)
                fold(skipBreaks(), into: &out)
                kept = out.count
            } else {
                if byte < 0x20, byte != 0x09 { throw fault("has a control character") }
                out.append(byte)
                position += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private func trimSpaces(_ out: inout [UInt8], from start: Int) {
        while out.count > start, let last = out.last, Self.isSpace(last) { out.removeLast() }
    }

    private mutating func escape(into out: inout [UInt8]) throws(YAMLError) {
        let byte = peek()
        position += 1
        let scalar: UInt32
        switch byte {
        case UInt8(ascii: "0"): scalar = 0
        case UInt8(ascii: "a"): scalar = 0x07
        case UInt8(ascii: "b"): scalar = 0x08
        case UInt8(ascii: "t"), 0x09: scalar = 0x09
        case UInt8(ascii: "n"): scalar = 0x0A
        case UInt8(ascii: "v"): scalar = 0x0B
        case UInt8(ascii: "f"): scalar = 0x0C
        case UInt8(ascii: "r"): scalar = 0x0D
        case UInt8(ascii: "e"): scalar = 0x1B
        case UInt8(ascii: " "), UInt8(ascii: "\""), UInt8(ascii: "/"), UInt8(ascii: "\\"): scalar = UInt32(byte)
        case UInt8(ascii: "N"): scalar = 0x85
        case UInt8(ascii: "_"): scalar = 0xA0
        case UInt8(ascii: "L"): scalar = 0x2028
        case UInt8(ascii: "P"): scalar = 0x2029
        case UInt8(ascii: "x"): scalar = try hexadecimal(2)
        case UInt8(ascii: "U"): scalar = try hexadecimal(8)
        case UInt8(ascii: "u"):
            let high = try hexadecimal(4)
            if (0xD800..<0xDC00).contains(high), peek() == UInt8(ascii: "\\"), peek(1) == UInt8(ascii: "u") {
                // JSON writes what is beyond 16 bits as a pair.
                position += 2
                let low = try hexadecimal(4)
                guard (0xDC00..<0xE000).contains(low) else { throw fault("has half a surrogate pair") }
                scalar = 0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)
            } else {
                scalar = high
            }
        default:
            position -= 1
            throw fault("has an unknown escape in quotes")
        }
        guard let character = Unicode.Scalar(scalar) else { throw fault("has an escape that is no character") }
        out.append(contentsOf: String(Character(character)).utf8)
    }

    private mutating func hexadecimal(_ digits: Int) throws(YAMLError) -> UInt32 {
        guard position + digits <= bytes.count,
            bytes[position..<position + digits].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: bytes[position..<position + digits], as: UTF8.self), radix: 16)
        else { throw fault("has a broken escape in quotes") }
        position += digits
        return value
    }

    /// Reads a literal (`|`) or folded (`>`) scalar.
    mutating func blockScalar(parentIndent: Int) throws(YAMLError) -> String {
        let isFolded = peek() == UInt8(ascii: ">")
        position += 1
        var chomping: UInt8 = 0
        var indent: Int?
        while !isBlank() {
            let byte = peek()
            switch byte {
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                guard chomping == 0 else { throw fault("has a broken header of a block of text") }
                chomping = byte
            case UInt8(ascii: "1")...UInt8(ascii: "9"):
                guard indent == nil else { throw fault("has a broken header of a block of text") }
                indent = max(parentIndent, 0) + Int(byte - UInt8(ascii: "0"))
            default: throw fault("has a broken header of a block of text")
            }
            position += 1
        }
        let start = position
        skipSpaces()
        if peek() == UInt8(ascii: "#"), position > start { skipToBreak() }
        guard isAtEnd || Self.isBreak(peek()) else {
            throw fault("has text behind '|' or '>'; begin it on the next line")
        }
        if !isAtEnd { takeBreak() }
        return blockLines(indent: indent ?? detectIndent(parentIndent: parentIndent), isFolded, chomping)
    }

    /// The indentation of the first line with text.
    private func detectIndent(parentIndent: Int) -> Int {
        var ahead = self
        var deepest = 0
        while true {
            while ahead.peek() == 0x20 { ahead.position += 1 }
            deepest = max(deepest, ahead.column)
            guard !ahead.isAtEnd, Self.isBreak(ahead.peek()) else { break }
            ahead.takeBreak()
        }
        return max(ahead.isAtEnd ? deepest : ahead.column, parentIndent + 1, 1)
    }

    private mutating func blockLines(indent: Int, _ isFolded: Bool, _ chomping: UInt8) -> String {
        var out: [UInt8] = []
        var hasBreak = false
        var emptyLines = 0
        var wasBlank = false
        while true {
            while column < indent, peek() == 0x20 { position += 1 }
            if isAtEnd { break }
            if Self.isBreak(peek()) {
                takeBreak()
                emptyLines += 1
                continue
            }
            guard column == indent else { break }
            let isBlank = Self.isSpace(peek())
            if isFolded, hasBreak, !wasBlank, !isBlank {
                if emptyLines == 0 { out.append(0x20) }
            } else if hasBreak {
                out.append(0x0A)
            }
            out.append(contentsOf: repeatElement(0x0A, count: emptyLines))
            (emptyLines, wasBlank) = (0, isBlank)
            let start = position
            skipToBreak()
            out.append(contentsOf: bytes[start..<position])
            hasBreak = !isAtEnd
            if isAtEnd { break }
            takeBreak()
        }
        // Back to the beginning of the line that is not ours.
        position = isAtEnd ? position : lineStart
        if chomping != UInt8(ascii: "-"), hasBreak { out.append(0x0A) }
        if chomping == UInt8(ascii: "+") { out.append(contentsOf: repeatElement(0x0A, count: emptyLines)) }
        return String(decoding: out, as: UTF8.self)
    }

    /// What a plain scalar means in the core schema.
    ///
    /// > Source: YAML 1.2.2, section 10.3.2.
    func scalar(_ text: String) throws(YAMLError) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first, Self.canBeginNumber(first) else { return .string(text) }
        if text.hasPrefix("0x"), let value = Int64(text.dropFirst(2), radix: 16), text.utf8.count > 2,
            text.utf8.dropFirst(2).first != UInt8(ascii: "-"), text.utf8.dropFirst(2).first != UInt8(ascii: "+")
        {
            return .integer(value)
        }
        if text.hasPrefix("0o"), let value = Int64(text.dropFirst(2), radix: 8),
            text.utf8.dropFirst(2).first != UInt8(ascii: "-"), text.utf8.dropFirst(2).first != UInt8(ascii: "+")
        {
            return .integer(value)
        }
        switch text.drop(while: { $0 == "+" || $0 == "-" }) {
        case ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN": throw fault("has a number that JSON cannot hold")
        default: break
        }
        guard Self.isNumber(Array(text.utf8)) else { return .string(text) }
        if let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw fault("has a number out of range") }
        return .number(value)
    }

    private static func canBeginNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."): true
        default: false
        }
    }

    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
    private static func isNumber(_ text: [UInt8]) -> Bool {
        var at = 0
        func digits() -> Int {
            var count = 0
            while at + count < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[at + count]) {
                count += 1
            }
            return count
        }
        func isSign() -> Bool { at < text.count && (text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-")) }
        if isSign() { at += 1 }
        let whole = digits()
        at += whole
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            let fraction = digits()
            at += fraction
            guard whole + fraction > 0 else { return false }
        } else if whole == 0 {
            return false
        }
        if at < text.count, text[at] == UInt8(ascii: "e") || text[at] == UInt8(ascii: "E") {
            at += 1
            if isSign() { at += 1 }
            let exponent = digits()
            guard exponent > 0 else { return false }
            at += exponent
        }
        return at == text.count
    }
}
