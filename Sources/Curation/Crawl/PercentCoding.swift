/// Percent-encoding of addresses in one spelling.
enum PercentCoding {
    /// What is escaped in a part of an address beside controls, the space and all above ASCII.
    ///
    /// > Source: https://url.spec.whatwg.org/#percent-encoded-bytes, the path and the special-query sets.
    static let path = Array("\"#<>?^`{}".utf8)
    static let query = Array("\"#<>'".utf8)

    /// Escapes what must be, unescapes what need not be, and writes digits in capitals. A `%` that begins no escape stays.
    static func normalized(_ bytes: some Collection<UInt8>, escaping set: [UInt8]) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        append(bytes, escaping: set, to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    static func append(_ bytes: some Collection<UInt8>, escaping set: [UInt8], to out: inout [UInt8]) {
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let byte = bytes[at]
            let next = bytes.index(after: at)
            if byte == UInt8(ascii: "%"), let (value, behind) = escape(bytes, next) {
                if isUnreserved(value) { out.append(value) } else { appendEscape(value, to: &out) }
                at = behind
                continue
            }
            if byte <= 0x20 || byte >= 0x7F || set.contains(byte) {
                appendEscape(byte, to: &out)
            } else {
                out.append(byte)
            }
            at = next
        }
    }

    static func appendEscape(_ byte: UInt8, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "%"))
        for digit in [byte >> 4, byte & 15] {
            out.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "A") + digit - 10)
        }
    }

    /// The bytes with every escape resolved.
    static func decoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var out: [UInt8] = []
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let next = bytes.index(after: at)
            if bytes[at] == UInt8(ascii: "%"), let (value, behind) = escape(bytes, next) {
                out.append(value)
                at = behind
            } else {
                out.append(bytes[at])
                at = next
            }
        }
        return out
    }

    private static func escape<Bytes: Collection<UInt8>>(_ bytes: Bytes, _ at: Bytes.Index) -> (UInt8, Bytes.Index)? {
        guard at < bytes.endIndex, let high = digit(bytes[at]) else { return nil }
        let second = bytes.index(after: at)
        guard second < bytes.endIndex, let low = digit(bytes[second]) else { return nil }
        return (high << 4 | low, bytes.index(after: second))
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        let number = byte &- UInt8(ascii: "0")
        if number < 10 { return number }
        let letter = (byte | 32) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }

    /// > Source: RFC 3986, section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        (byte | 32) &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10
            || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~")].contains(byte)
    }
}
