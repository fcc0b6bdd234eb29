/// Internet addresses by their bytes, as far as a crawler must tell whom it asks.
public enum IPAddress {
    /// Whether anybody on the internet may be at the address: not this machine, not a network of its own, nobody's
    /// example, no group. An IPv6 address that carries an IPv4 address is what that is.
    ///
    /// - Parameter bytes: 4 or 16 of them, in network order; any other number is not public.
    ///
    /// > Source: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890 and its successors).
    public static func isPublic(_ bytes: some RandomAccessCollection<UInt8>) -> Bool {
        let bytes = Array(bytes)
        switch bytes.count {
        case 4: return !private4.contains { isWithin(bytes, $0, $1) }
        case 16:
            if isWithin(bytes, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF], 96) { return isPublic(bytes.suffix(4)) }
            if isWithin(bytes, [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0], 96) { return isPublic(bytes.suffix(4)) }
            if isWithin(bytes, [0x20, 0x02], 16) { return isPublic(bytes[2..<6]) }
            // All that is given out for the internet at large begins with 001.
            return isWithin(bytes, [0x20], 3) && !private6.contains { isWithin(bytes, $0, $1) }
        default: return false
        }
    }

    private static let private4: [([UInt8], Int)] = [
        ([0], 8), ([10], 8), ([100, 64], 10), ([127], 8), ([169, 254], 16), ([172, 16], 12), ([192, 0, 0], 24),
        ([192, 0, 2], 24), ([192, 88, 99], 24), ([192, 168], 16), ([198, 18], 15), ([198, 51, 100], 24),
        ([203, 0, 113], 24), ([224], 3),
    ]

    private static let private6: [([UInt8], Int)] = [
        ([0x20, 0x01, 0x00], 23), ([0x20, 0x01, 0x0D, 0xB8], 32), ([0x3F, 0xFF, 0x00], 20),
    ]

    private static func isWithin(_ bytes: [UInt8], _ prefix: [UInt8], _ bits: Int) -> Bool {
        for index in 0..<bits {
            let given = index / 8 < prefix.count ? prefix[index / 8] : 0
            guard (bytes[index / 8] ^ given) & (0x80 >> UInt8(index % 8)) == 0 else { return false }
        }
        return true
    }
}
