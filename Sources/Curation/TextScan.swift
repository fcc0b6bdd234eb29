import CCuration

/// Searches that see many bytes at once.
public enum TextScan {
    /// Where a byte is at or after a place; `count` when it is not there.
    public static func find(_ byte: UInt8, in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let base = bytes.baseAddress, start < bytes.count else { return bytes.count }
        return onepoint_find_byte(base, start, bytes.count, byte)
    }

    /// Whether bytes are UTF-8 as RFC 3629 has it.
    public static func isUTF8(_ bytes: Span<UInt8>) -> Bool {
        bytes.withUnsafeBufferPointer { $0.baseAddress.map { onepoint_utf8_valid_prefix($0, bytes.count) } ?? 0 }
            == bytes.count
    }
}
