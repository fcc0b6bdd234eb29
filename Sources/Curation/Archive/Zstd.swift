import CZstd

/// Compression by zstd in one piece.
public enum Zstd {
    public static let levels = 1...19

    /// One frame that holds `bytes`, with their count and a checksum. The same bytes at the same level give the same
    /// frame, as long as the library's version is the same.
    ///
    /// - Parameter level: Of ``levels``; others are taken to the nearest.
    public static func compress(_ bytes: Span<UInt8>, level: Int = 3) -> [UInt8] {
        let context = ZSTD_createCCtx()
        defer { ZSTD_freeCCtx(context) }
        let level = min(max(level, levels.lowerBound), levels.upperBound)
        ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
        ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
        return [UInt8](unsafeUninitializedCapacity: ZSTD_compressBound(bytes.count)) { target, count in
            let result = bytes.withUnsafeBytes {
                ZSTD_compress2(context, target.baseAddress, target.count, $0.baseAddress, $0.count)
            }
            precondition(ZSTD_isError(result) == 0, "zstd compresses anything into the bound that it states")
            count = result
        }
    }
}
