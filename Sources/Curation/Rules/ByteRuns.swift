import CCuration

/// Stretches of a text that were met, to tell those that stand in it twice. Told apart by their bytes, not by hashes.
struct ByteRuns: ~Copyable {
    struct Entry {
        var hash: UInt64
        var start: UInt32
        var count: UInt32
    }

    private var slots = Scratch<UInt32>()
    private var entries = Scratch<Entry>()

    /// Forgets all and makes room for `count` stretches, beyond which none may be entered.
    mutating func clear(for count: Int) {
        let size = count <= 16 ? 32 : 1 << (Int.bitWidth - (count * 2 - 1).leadingZeroBitCount)
        slots.reset(to: 0, count: size)
        entries.removeAll()
    }

    /// Whether the same bytes were entered before; they are now.
    mutating func enter(_ text: UnsafePointer<UInt8>, _ start: Int, _ end: Int, _ seed: UInt64) -> Bool {
        let hash = onepoint_xxh3_64(text + start, end - start, seed)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let found = Int(slots[slot])
            if found == 0 {
                entries.append(
                    Entry(
                        hash: hash,
                        start: UInt32(truncatingIfNeeded: start),
                        count: UInt32(truncatingIfNeeded: end - start)
                    )
                )
                slots[slot] = UInt32(truncatingIfNeeded: entries.count)
                return false
            }
            let entry = entries[found - 1]
            if entry.hash == hash, Int(entry.count) == end - start,
                onepoint_bytes_equal(text + start, text + Int(entry.start), end - start)
            {
                return true
            }
            slot = (slot + 1) & mask
        }
    }
}
