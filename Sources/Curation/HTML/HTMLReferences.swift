import CCuration

/// Character references: `&amp;`, `&#20320;`, `&#x4f60;`.
///
/// > Source: https://html.spec.whatwg.org/multipage/parsing.html#character-reference-state and the states behind it.
enum HTMLReferences {
    /// What the code points 0x80 to 0x9F stand for: windows-1252, as the specification's table has it; 0 stands for itself.
    private static let remapped: [UInt32] = [
        0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017D, 0,
        0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E,
        0x0178,
    ]

    /// Appends `page[start ..< end]` with its references resolved.
    static func decode(
        _ page: Span<UInt8>,
        _ start: Int,
        _ end: Int,
        inAttribute: Bool,
        into out: inout [UInt8]
    ) {
        page.extracting(start..<end).withUnsafeBufferPointer { bytes in
            var at = 0
            while at < bytes.count {
                let next = onepoint_find_byte(bytes.baseAddress, at, bytes.count, UInt8(ascii: "&"))
                out.append(contentsOf: bytes[at..<next])
                at = next
                if at < bytes.count { at = reference(bytes, at, inAttribute, into: &out) }
            }
        }
    }

    /// Resolves the reference whose ampersand is at `at`, or keeps the ampersand; returns where to go on.
    private static func reference(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ at: Int,
        _ inAttribute: Bool,
        into out: inout [UInt8]
    ) -> Int {
        let behind = at + 1
        if behind < bytes.count && bytes[behind] == UInt8(ascii: "#") {
            return number(bytes, at, into: &out)
        }
        var points: (UInt32, UInt32) = (0, 0)
        let length = withUnsafeMutableBytes(of: &points) { raw in
            onepoint_html_reference(
                bytes.baseAddress.map { $0 + behind },
                bytes.count - behind,
                raw.baseAddress?.assumingMemoryBound(to: UInt32.self)
            )
        }
        // In attributes, "&copy=1" is a query and not a sign.
        let isQuery =
            inAttribute && length > 0 && bytes[behind + length - 1] != UInt8(ascii: ";")
            && behind + length < bytes.count
            && (bytes[behind + length] == UInt8(ascii: "=") || isLetter(bytes[behind + length])
                || bytes[behind + length] &- UInt8(ascii: "0") < 10)
        guard length > 0, !isQuery else {
            out.append(UInt8(ascii: "&"))
            return behind
        }
        append(points.0, to: &out)
        if points.1 != 0 { append(points.1, to: &out) }
        return behind + length
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int, into out: inout [UInt8]) -> Int {
        var next = at + 2
        let isHex = next < bytes.count && bytes[next] | 32 == UInt8(ascii: "x")
        if isHex { next += 1 }
        let first = next
        var value: UInt32 = 0
        while next < bytes.count {
            let byte = bytes[next]
            var digit = byte &- UInt8(ascii: "0")
            if digit > 9 {
                digit = (byte | 32) &- UInt8(ascii: "a")
                guard isHex, digit < 6 else { break }
                digit += 10
            }
            // Beyond Unicode it stays beyond, however many digits follow.
            value = min(value * (isHex ? 16 : 10) + UInt32(digit), 0x110000)
            next += 1
        }
        guard next > first else {
            out.append(UInt8(ascii: "&"))
            return at + 1
        }
        if next < bytes.count && bytes[next] == UInt8(ascii: ";") { next += 1 }
        switch value {
        case 0, 0xD800...0xDFFF, 0x110000...: value = 0xFFFD
        case 0x80...0x9F where remapped[Int(value - 0x80)] != 0: value = remapped[Int(value - 0x80)]
        default: break
        }
        append(value, to: &out)
        return next
    }

    /// Appends a code point that is no surrogate as UTF-8.
    static func append(_ point: UInt32, to out: inout [UInt8]) {
        switch point {
        case 0..<0x80:
            out.append(UInt8(point))
        case 0x80..<0x800:
            out.append(0xC0 | UInt8(point >> 6))
            out.append(0x80 | UInt8(point & 63))
        case 0x800..<0x10000:
            out.append(0xE0 | UInt8(point >> 12))
            out.append(0x80 | UInt8(point >> 6 & 63))
            out.append(0x80 | UInt8(point & 63))
        default:
            out.append(0xF0 | UInt8(point >> 18 & 7))
            out.append(0x80 | UInt8(point >> 12 & 63))
            out.append(0x80 | UInt8(point >> 6 & 63))
            out.append(0x80 | UInt8(point & 63))
        }
    }
}
