import CDeflate

/// Decompresses whole gzip members, DEFLATE and zlib streams from memory to memory: three times as fast as zlib.
struct MemberDecoder: ~Copyable {
    enum Outcome {
        case decoded(consumed: Int, produced: Int)
        /// The output has no room for it.
        case noRoom
        /// The input is damaged, or ends too early: the library does not tell which.
        case failed
    }

    private let decompressor: OpaquePointer?

    init() { decompressor = libdeflate_alloc_decompressor() }

    deinit { libdeflate_free_decompressor(decompressor) }

    func decode(
        _ format: Inflater.Format,
        _ input: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Outcome {
        guard let decompressor, let source = input.baseAddress, let target = output.baseAddress else { return .failed }
        var consumed = 0
        var produced = 0
        let decompress =
            switch format {
            case .gzip: libdeflate_gzip_decompress_ex
            case .zlib: libdeflate_zlib_decompress_ex
            case .raw: libdeflate_deflate_decompress_ex
            }
        let result = decompress(
            decompressor,
            source,
            input.count,
            target,
            output.count,
            &consumed,
            &produced
        )
        switch result {
        case LIBDEFLATE_SUCCESS: return .decoded(consumed: consumed, produced: produced)
        case LIBDEFLATE_INSUFFICIENT_SPACE: return .noRoom
        default: return .failed
        }
    }
}
