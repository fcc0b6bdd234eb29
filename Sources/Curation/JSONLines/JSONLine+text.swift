import CCuration

extension JSONLine {
    /// Appends what a string means, as valid UTF-8.
    ///
    /// - Parameter value: With its quotation marks, as ``Field/value`` of a line that was read without a fault.
    /// - Returns: How many lone surrogates became U+FFFD.
    @discardableResult
    public static func unescape(_ bytes: Span<UInt8>, _ value: Range<Int>, into text: inout [UInt8]) -> Int {
        var at = value.lowerBound + 1
        let end = value.upperBound - 1
        var lone = 0
        while at < end {
            let stop = bytes.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { onepoint_find_byte($0, at, end, UInt8(ascii: "\\")) } ?? end
            }
            append(bytes.extracting(at..<stop), to: &text)
            guard stop < end else { break }
            at = stop + 2
            switch bytes[stop + 1] {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "u"):
                let unit = codeUnit(bytes, at)
                at += 4
                var scalar = UInt32(unit)
                if unit & 0xF800 == 0xD800 {
                    let isPair =
                        unit < 0xDC00 && at + 6 <= end && bytes[at] == UInt8(ascii: "\\")
                        && bytes[at + 1] == UInt8(ascii: "u") && codeUnit(bytes, at + 2) & 0xFC00 == 0xDC00
                    if isPair {
                        scalar = 0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(codeUnit(bytes, at + 2) & 0x3FF))
                        at += 6
                    } else {
                        scalar = 0xFFFD
                        lone += 1
                    }
                }
                if let scalar = Unicode.Scalar(scalar) {
                    text.append(contentsOf: UTF8.encode(scalar).unsafelyUnwrapped)
                }
            case let other: text.append(other)
            }
        }
        return lone
    }

    /// Appends text as a JSON string, with no more escapes than RFC 8259 demands.
    public static func escape(_ text: Span<UInt8>, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        var at = 0
        let end = text.count
        while at < end {
            let stop = text.withUnsafeBufferPointer { buffer in
                buffer.baseAddress.map { onepoint_json_string_stop($0, at, end) } ?? end
            }
            append(text.extracting(at..<stop), to: &out)
            guard stop < end else { break }
            switch text[stop] {
            case UInt8(ascii: "\""): out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\"")])
            case UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "\\")])
            case 0x0A: out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0x0D: out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "r")])
            case 0x09: out.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "t")])
            case let control:
                out.append(contentsOf: "\\u00".utf8)
                for digit in [control >> 4, control & 15] {
                    out.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
                }
            }
            at = stop + 1
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func codeUnit(_ bytes: Span<UInt8>, _ at: Int) -> UInt16 {
        (at..<at + 4).reduce(0) { $0 << 4 | (hexValue(bytes[$1]) ?? 0) }
    }

    static func append(_ bytes: Span<UInt8>, to out: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { out.append(contentsOf: $0) }
    }
}
