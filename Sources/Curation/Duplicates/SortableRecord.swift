import CCuration

/// A record of two or three `UInt64` without padding that sorts by the first, then the next.
protocol SortableRecord {}

/// Sorts records in linear time by their bytes, with memory for as many again.
func radixSort<Record: SortableRecord>(_ records: inout [Record]) {
    let width = MemoryLayout<Record>.size / MemoryLayout<UInt64>.size
    precondition((2...3).contains(width), "a record is two or three numbers")
    let count = records.count
    guard count > 1 else { return }
    records.withUnsafeMutableBytes { records in
        withUnsafeTemporaryAllocation(byteCount: records.count, alignment: MemoryLayout<UInt64>.alignment) { scratch in
            onepoint_sort_records(
                records.baseAddress?.assumingMemoryBound(to: UInt64.self),
                scratch.baseAddress?.assumingMemoryBound(to: UInt64.self),
                count,
                width
            )
        }
    }
}
