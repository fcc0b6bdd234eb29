/// FNV-1a, 64 bits: tells contents apart, the same in every process. No defence against whoever chooses them.
///
/// > Source: Fowler, Noll and Vo, http://www.isthe.com/chongo/tech/comp/fnv
public struct FNV: Sendable {
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    @inline(__always)
    public mutating func combine(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01B3 }

    public mutating func combine(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { combine(byte) }
    }

    /// Its bytes, the lowest first.
    public mutating func combine(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes in
            for byte in bytes { combine(byte) }
        }
    }
}
