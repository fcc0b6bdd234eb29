import CDeflate

/// Compression by gzip in one piece.
public enum Gzip {
    public static let levels = 1...12

    /// One member that holds `bytes`, without a name and a time, so that the same bytes at the same level give the
    /// same member, as long as the library's version is the same.
    ///
    /// - Parameter level: Of ``levels``; others are taken to the nearest.
    public static func compress(_ bytes: Span<UInt8>, level: Int = 6) -> [UInt8] {
        let level = min(max(level, levels.lowerBound), levels.upperBound)
        let compressor = libdeflate_alloc_compressor(Int32(level))
        defer { libdeflate_free_compressor(compressor) }
        let bound = libdeflate_gzip_compress_bound(compressor, bytes.count)
        return [UInt8](unsafeUninitializedCapacity: bound) { target, count in
            count = bytes.withUnsafeBytes {
                libdeflate_gzip_compress(compressor, $0.baseAddress, $0.count, target.baseAddress, target.count)
            }
            precondition(count > 0, "gzip compresses anything into the bound that it states")
        }
    }
}
