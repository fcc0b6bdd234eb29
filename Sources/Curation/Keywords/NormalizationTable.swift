import CCuration

/// What each character becomes in a ``NormalizedText``: width, case, traditional to simplified, what is not seen.
///
/// About 146 KB; make one and share it.
///
/// `@unchecked Sendable`: nothing changes the table after `init`.
public final class NormalizationTable: @unchecked Sendable {
    let pointer: UnsafePointer<onepoint_normalization>

    public init() {
        let table = UnsafeMutablePointer<onepoint_normalization>.allocate(capacity: 1)
        UnsafeMutableRawPointer(table).initializeMemory(
            as: UInt8.self,
            repeating: 0,
            count: MemoryLayout<onepoint_normalization>.size
        )
        onepoint_normalization_fill(table)
        pointer = UnsafePointer(table)
    }

    deinit { pointer.deallocate() }
}
