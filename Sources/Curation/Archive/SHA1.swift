import CCuration

/// SHA-1 as web archives write it: `sha1:` and 32 letters of base32 (RFC 4648, section 6).
enum SHA1 {
    static func label(_ bytes: Span<UInt8>) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 20)
        bytes.withUnsafeBytes { bytes in
            digest.withUnsafeMutableBufferPointer { onepoint_sha1(bytes.baseAddress, bytes.count, $0.baseAddress) }
        }
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
        var text = Array("sha1:".utf8)
        // 20 bytes are 32 letters of five bits without a rest.
        for group in 0..<4 {
            var bits: UInt64 = 0
            for byte in digest[(group * 5)..<(group * 5 + 5)] { bits = bits << 8 | UInt64(byte) }
            for letter in 0..<8 { text.append(alphabet[Int(bits >> UInt64(35 - letter * 5)) & 31]) }
        }
        return text
    }
}
