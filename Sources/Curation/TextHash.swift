import CCuration

/// XXH3 of 128 bits of some text: what two texts are told apart by.
///
/// Not a cryptographic hash: who may choose both texts can make them collide. Blocks and releases are named by SHA-256.
public struct TextHash: Hashable, Sendable, Comparable, BitwiseCopyable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    public init(_ bytes: Span<UInt8>) {
        let hash = bytes.withUnsafeBytes { onepoint_xxh3_128($0.baseAddress, $0.count) }
        self.init(high: hash.high, low: hash.low)
    }

    public static func < (a: TextHash, b: TextHash) -> Bool { (a.high, a.low) < (b.high, b.low) }

    /// XXH3 of 64 bits.
    public static func hash64(_ bytes: Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
        bytes.withUnsafeBytes { onepoint_xxh3_64($0.baseAddress, $0.count, seed) }
    }
}

extension TextHash: CustomStringConvertible {
    /// 32 hexadecimal digits.
    public var description: String { Self.hex(high) + Self.hex(low) }

    private static func hex(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
