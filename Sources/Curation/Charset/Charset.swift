import CCuration

/// From bytes in any encoding of the web to valid UTF-8.
///
/// The order is that of the HTML and Encoding standards (byte order mark, header, `meta`), with two changes that pages
/// whose labels lie make worth it: text that is valid UTF-8 throughout is UTF-8 whatever it calls itself, and text that
/// calls itself UTF-8 but is not is looked at by its characters' frequencies.
///
/// > Source: https://encoding.spec.whatwg.org (labels), https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
public enum Charset {
    /// Appends `bytes` as valid UTF-8.
    ///
    /// - Parameters:
    ///   - declared: The label that came along with the bytes, as from `Content-Type`; unknown ones are passed over.
    ///   - isHTML: Whether the bytes may declare their encoding themselves as HTML and XML do.
    /// - Complexity: Linear; text that is UTF-8 already is checked and copied.
    public static func decode(
        _ bytes: Span<UInt8>,
        declared: String?,
        isHTML: Bool,
        into out: inout [UInt8]
    ) -> Decoding {
        if let (encoding, length) = byteOrderMark(bytes) {
            return convert(bytes, from: length, encoding, .byteOrderMark, nil, into: &out)
        }
        if let encoding = wideByZeros(bytes) { return convert(bytes, from: 0, encoding, .validity, nil, into: &out) }
        let prefix = bytes.withUnsafeBufferPointer { onepoint_utf8_prefix($0.baseAddress, $0.count) }
        let isUTF8 = prefix == bytes.count
        var statements: [(encoding: String, evidence: Decoding.Evidence)] = []
        if let declared, let encoding = CharsetLabels.encoding(of: declared) {
            statements.append((encoding, .header))
        }
        if isHTML, let label = declaration(bytes), let encoding = CharsetLabels.encoding(of: label) {
            // Bytes that could be read so far are no UTF-16, whatever they say.
            statements.append((encoding.hasPrefix("utf-16") ? "utf-8" : encoding, .meta))
        }
        if isUTF8 {
            if let first = statements.first {
                if first.encoding == "utf-8" || !isTellingUTF8(bytes) {
                    return convert(bytes, from: 0, first.encoding, first.evidence, nil, into: &out)
                }
                return convert(bytes, from: 0, "utf-8", .validity, first.encoding, into: &out)
            }
            return convert(bytes, from: 0, "utf-8", .validity, nil, into: &out)
        }
        if let encoding = wideByFrequency(bytes) {
            return convert(bytes, from: 0, encoding, .validity, statements.first?.encoding, into: &out)
        }
        for statement in statements where statement.encoding != "utf-8" || isMostlyUTF8(bytes) {
            let overruled = statements[0].encoding == statement.encoding ? nil : statements[0].encoding
            return convert(bytes, from: 0, statement.encoding, statement.evidence, overruled, into: &out)
        }
        if isMostlyUTF8(bytes) { return convert(bytes, from: 0, "utf-8", .validity, nil, into: &out) }
        let guess = CharsetStatistics(bytes).guess()
        return convert(
            bytes,
            from: 0,
            guess ?? "windows-1252",
            guess == nil ? .none : .statistics,
            statements.first?.encoding,
            into: &out
        )
    }

    private static func byteOrderMark(_ bytes: Span<UInt8>) -> (String, Int)? {
        func starts(_ mark: UInt8...) -> Bool {
            guard bytes.count >= mark.count else { return false }
            for index in mark.indices where bytes[index] != mark[index] { return false }
            return true
        }
        if starts(0xEF, 0xBB, 0xBF) { return ("utf-8", 3) }
        if starts(0xFF, 0xFE, 0, 0) { return ("utf-32le", 4) }
        if starts(0, 0, 0xFE, 0xFF) { return ("utf-32be", 4) }
        if starts(0xFF, 0xFE) { return ("utf-16le", 2) }
        if starts(0xFE, 0xFF) { return ("utf-16be", 2) }
        if starts(0x84, 0x31, 0x95, 0x33) { return ("gb18030", 4) }
        return nil
    }

    /// UTF-16 or UTF-32 of Western text without a mark: told by where the zeros are.
    private static func wideByZeros(_ bytes: Span<UInt8>) -> String? {
        let count = min(bytes.count, wideSample) & ~3
        guard count >= 8 else { return nil }
        var zeros = [0, 0, 0, 0]
        for index in 0..<count where bytes[index] == 0 { zeros[index & 3] += 1 }
        let quarter = count / 4
        // Code points beyond U+FFFF are rare, so that of four bytes one or two are zero in nearly all.
        if zeros[3] * 10 >= quarter * 9 && zeros[2] * 10 >= quarter * 8 && zeros[0] * 10 < quarter { return "utf-32le" }
        if zeros[0] * 10 >= quarter * 9 && zeros[1] * 10 >= quarter * 8 && zeros[3] * 10 < quarter { return "utf-32be" }
        let even = zeros[0] + zeros[2]
        let odd = zeros[1] + zeros[3]
        if odd * 10 >= quarter * 2 * 4 && even * 20 < odd { return "utf-16le" }
        if even * 10 >= quarter * 2 * 4 && odd * 20 < even { return "utf-16be" }
        return nil
    }

    /// UTF-16 of Chinese text, where the commonest characters and marks tell the order; for what is no UTF-8.
    private static func wideByFrequency(_ bytes: Span<UInt8>) -> String? {
        let count = min(bytes.count, wideSample) & ~1
        var little = 0
        var big = 0
        var index = 0
        while index < count {
            let first = UInt16(bytes[index])
            let second = UInt16(bytes[index + 1])
            if isFrequent(second << 8 | first) { little += 1 }
            if isFrequent(first << 8 | second) { big += 1 }
            index += 2
        }
        if little >= 4 && little * 25 >= count / 2 && big * 8 < little { return "utf-16le" }
        if big >= 4 && big * 25 >= count / 2 && little * 8 < big { return "utf-16be" }
        return nil
    }

    private static let wideSample = 4096

    /// Characters that every eighth of a Chinese text is, and the end of the line: 的 一 是 不 ， 。 、.
    private static func isFrequent(_ unit: UInt16) -> Bool {
        switch unit {
        case 0x000A, 0x7684, 0x4E00, 0x662F, 0x4E0D, 0xFF0C, 0x3002, 0x3001: true
        default: false
        }
    }

    /// Whether valid UTF-8 has enough letters beyond ASCII not to be that by chance.
    private static func isTellingUTF8(_ bytes: Span<UInt8>) -> Bool {
        var leads = 0
        for index in 0..<bytes.count where bytes[index] >= 0xC2 {
            leads += bytes[index] >= 0xE0 ? 2 : 1
            if leads >= 6 { return true }
        }
        return false
    }

    /// Whether at most one in fifty of the characters beyond ASCII is broken: UTF-8 that was cut or patched.
    private static func isMostlyUTF8(_ bytes: Span<UInt8>) -> Bool {
        let count = min(bytes.count, 1 << 18)
        return bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return true }
            var at = 0
            var broken = 0
            var leads = 0
            while at < count {
                let end = at + onepoint_utf8_prefix(base + at, count - at)
                while at < end {
                    if buffer[at] >= 0xC2 { leads += 1 }
                    at += 1
                }
                // A character that the sample cuts off is not broken.
                if at < count && count - at > 3 { broken += 1 }
                at += 1
            }
            return broken * 50 <= leads && leads > 0
        }
    }

    private static func convert(
        _ bytes: Span<UInt8>,
        from start: Int,
        _ encoding: String,
        _ evidence: Decoding.Evidence,
        _ overruled: String?,
        into out: inout [UInt8]
    ) -> Decoding {
        var decoding = Decoding(encoding: encoding, evidence: evidence, overruled: overruled, replacements: 0)
        let rest = bytes.extracting(min(start, bytes.count)..<bytes.count)
        out.reserveCapacity(out.count + rest.count)
        if encoding == "utf-8" {
            decoding.replacements = appendUTF8(rest, into: &out)
        } else if let replaced = appendConverted(rest, CharsetLabels.iconvName(of: encoding), into: &out) {
            decoding.replacements = replaced
        } else {
            // The C library was installed without this conversion: what is ASCII is kept.
            decoding.evidence = .none
            decoding.replacements = appendUTF8(rest, into: &out)
        }
        return decoding
    }

    /// Appends UTF-8 with U+FFFD for each longest part that could have begun a character; returns how many.
    private static func appendUTF8(_ bytes: Span<UInt8>, into out: inout [UInt8]) -> Int {
        bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            var at = 0
            var replaced = 0
            while at < buffer.count {
                let end = at + onepoint_utf8_prefix(base + at, buffer.count - at)
                out.append(contentsOf: buffer[at..<end])
                at = end
                guard at < buffer.count else { break }
                replaced += 1
                out.append(contentsOf: [0xEF, 0xBF, 0xBD])
                at += brokenLength(buffer, at)
            }
            return replaced
        }
    }

    /// The length of the part at `at` that could have begun a character, at least 1.
    ///
    /// > Source: the Unicode Standard 15.0, section 3.9, "U+FFFD Substitution of Maximal Subparts".
    private static func brokenLength(_ bytes: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int {
        let first = bytes[at]
        let length = first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1
        guard length > 1, at + 1 < bytes.count else { return 1 }
        let low: UInt8 = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80
        let high: UInt8 = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF
        guard bytes[at + 1] >= low && bytes[at + 1] <= high else { return 1 }
        var each = 2
        while each < length && at + each < bytes.count && bytes[at + each] & 0xC0 == 0x80 { each += 1 }
        return each
    }

    /// Appends what the C library makes of the bytes; nil when it has no such conversion.
    private static func appendConverted(_ bytes: Span<UInt8>, _ name: String, into out: inout [UInt8]) -> Int? {
        guard let conversion = onepoint_iconv_open(name) else { return nil }
        defer { onepoint_iconv_close(conversion) }
        var replaced = 0
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 32768) { room in
            bytes.withUnsafeBufferPointer { buffer in
                guard let base = buffer.baseAddress else { return }
                var at = 0
                var isDone = false
                while !isDone {
                    var taken = 0
                    var written = 0
                    isDone =
                        onepoint_iconv_step(
                            conversion,
                            base + at,
                            buffer.count - at,
                            room.baseAddress,
                            room.count,
                            &taken,
                            &written,
                            &replaced
                        ) == 1
                    out.append(contentsOf: room[..<written])
                    at += taken
                    // Each step makes room for itself, so that one that does nothing cannot be; if it were, stop.
                    if taken == 0 && written == 0 { isDone = true }
                }
            }
        }
        return replaced
    }
}
