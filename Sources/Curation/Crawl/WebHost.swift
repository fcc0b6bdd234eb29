/// The authority of an address: a host and its port, without a name and a password.
struct WebHost: Equatable {
    let name: String
    let port: Int

    /// The longest name that the name service can hold.
    ///
    /// > Source: RFC 1035, section 2.3.4.
    static let nameBytesMax = 253
    static let labelBytesMax = 63

    init?(_ bytes: ArraySlice<UInt8>, isSecure: Bool) {
        guard !bytes.contains(UInt8(ascii: "@")) else { return nil }
        var host = bytes
        var port = isSecure ? 443 : 80
        let behindBracket = bytes.lastIndex(of: UInt8(ascii: "]")) ?? bytes.startIndex
        if let colon = bytes.lastIndex(of: UInt8(ascii: ":")), colon >= behindBracket {
            host = bytes[..<colon]
            let digits = bytes[(colon + 1)...]
            if !digits.isEmpty {
                guard digits.count <= 5, digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
                port = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
                guard 1...65535 ~= port else { return nil }
            }
        }
        guard let name = host.first == UInt8(ascii: "[") ? Self.address(host) : Self.name(host) else { return nil }
        self.name = name
        self.port = port
    }

    /// An IPv6 address in brackets; whether it is one is for whoever connects to it.
    private static func address(_ bytes: ArraySlice<UInt8>) -> String? {
        guard bytes.count > 3, bytes.count <= 48, bytes.last == UInt8(ascii: "]") else { return nil }
        let inner = bytes.dropFirst().dropLast().map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 32 : $0 }
        let isAddress = inner.allSatisfy {
            $0 &- UInt8(ascii: "0") < 10 || $0 &- UInt8(ascii: "a") < 6 || $0 == UInt8(ascii: ":")
                || $0 == UInt8(ascii: ".")
        }
        guard isAddress, inner.contains(UInt8(ascii: ":")) else { return nil }
        return "[" + String(decoding: inner, as: UTF8.self) + "]"
    }

    private static func name(_ bytes: ArraySlice<UInt8>) -> String? {
        let decoded = PercentCoding.decoded(bytes)
        guard !decoded.isEmpty, decoded.count <= 4 * nameBytesMax else { return nil }
        let text: String
        if decoded.allSatisfy({ $0 < 0x80 }) {
            text = String(decoding: decoded.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 32 : $0 }, as: UTF8.self)
        } else {
            guard let valid = String(validating: decoded, as: UTF8.self) else { return nil }
            text = valid.lowercased()
        }
        var labels: [String] = []
        // The ideographic and full-width stops end labels as the point does. A point at the end says nothing new.
        var parts = text.split(omittingEmptySubsequences: false) { ".\u{3002}\u{FF0E}\u{FF61}".contains($0) }
        if parts.count > 1, parts.last?.isEmpty == true { parts.removeLast() }
        for part in parts {
            let label = part.utf8.allSatisfy { $0 < 0x80 } ? String(part) : Punycode.encode(part).map { "xn--" + $0 }
            guard let label, 1...labelBytesMax ~= label.utf8.count, label.utf8.allSatisfy(isOfName) else { return nil }
            labels.append(label)
        }
        // Forms such as `127.1` and `0x7f000001` mean an address to some and a name to others.
        if let last = labels.last?.utf8, last.first.map({ $0 &- UInt8(ascii: "0") < 10 }) == true {
            let isAddress =
                labels.count == 4
                && labels.allSatisfy { label in
                    label.utf8.count <= 3 && label.utf8.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
                        && (label == "0" || label.utf8.first != UInt8(ascii: "0")) && Int(label) ?? 256 < 256
                }
            let isNumber = last.allSatisfy { $0 &- UInt8(ascii: "0") < 10 } || labels.last?.hasPrefix("0x") == true
            guard isAddress || !isNumber else { return nil }
        }
        let name = labels.joined(separator: ".")
        return name.utf8.count <= nameBytesMax ? name : nil
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: "_")
    }
}

/// Names in other scripts as the name service writes them.
///
/// Small letters are the only mapping made before it; Chinese names need no other in practice.
///
/// > Source: RFC 3492.
enum Punycode {
    /// The label without its `xn--`; `nil` when it would be too long.
    static func encode(_ label: Substring) -> String? {
        let points = label.unicodeScalars.map { Int($0.value) }
        guard points.count <= WebHost.labelBytesMax else { return nil }
        var out = points.filter { $0 < 0x80 }.map { UInt8($0) }
        let basic = out.count
        if basic > 0 { out.append(UInt8(ascii: "-")) }
        var handled = basic
        var last = 0x80
        var delta = 0
        var bias = 72
        while handled < points.count {
            let next = points.reduce(Int.max) { $1 >= last ? min($0, $1) : $0 }
            delta += (next - last) * (handled + 1)
            last = next
            for point in points {
                if point < last { delta += 1 }
                guard point == last else { continue }
                var rest = delta
                var k = 36
                while true {
                    let threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias
                    guard rest >= threshold else { break }
                    out.append(digit(threshold + (rest - threshold) % (36 - threshold)))
                    rest = (rest - threshold) / (36 - threshold)
                    k += 36
                }
                out.append(digit(rest))
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            last += 1
        }
        return String(decoding: out, as: UTF8.self)
    }

    private static func digit(_ value: Int) -> UInt8 {
        value < 26 ? UInt8(ascii: "a") + UInt8(value) : UInt8(ascii: "0") + UInt8(value - 26)
    }

    private static func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var k = 0
        while delta > 455 {
            delta /= 35
            k += 36
        }
        return k + 36 * delta / (delta + 38)
    }
}
