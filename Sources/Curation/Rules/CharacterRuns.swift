/// Counts how runs of characters repeat in a text.
struct CharacterRuns: ~Copyable {
    private var scalars = Scratch<UInt32>()
    private var candidates = Scratch<UInt32>()
    private var counts = Scratch<UInt32>()
    private var slots = Scratch<UInt32>()
    private var bits = Scratch<UInt64>()
    /// The length of the runs that ``candidates`` are of; nought if they are of none.
    private var candidateLength = 0

    mutating func removeAll() {
        scalars.removeAll()
        candidateLength = 0
    }

    @inline(__always)
    mutating func append(_ scalar: UInt32) { scalars.append(scalar) }

    /// How often the most frequent run of `n` characters stands in the text; one if none stands twice.
    mutating func top(_ n: Int, seed: UInt64) -> Int {
        find(n, seed)
        var most: UInt32 = 1
        let shift = clear()
        let mask = slots.count - 1
        counts.reset(to: 0, count: candidates.count)
        for candidate in 0..<candidates.count {
            var slot = Int(truncatingIfNeeded: hash(Int(candidates[candidate]), n, seed) >> shift)
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = UInt32(truncatingIfNeeded: candidate + 1)
                    counts[candidate] = 1
                    break
                }
                if isSame(Int(candidates[candidate]), Int(candidates[found - 1]), n) {
                    counts[found - 1] += 1
                    most = max(most, counts[found - 1])
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        return Int(most)
    }

    /// Characters in runs of `n` that stood before, no two of which overlap.
    mutating func duplicated(_ n: Int, seed: UInt64) -> Int {
        find(n, seed)
        let shift = clear()
        let mask = slots.count - 1
        var repeated = 0
        var free = 0
        for candidate in 0..<candidates.count {
            let place = Int(candidates[candidate])
            if place < free { continue }
            var slot = Int(truncatingIfNeeded: hash(place, n, seed) >> shift)
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = UInt32(truncatingIfNeeded: place + 1)
                    free = place + 1
                    break
                }
                if isSame(place, found - 1, n) {
                    repeated += n
                    free = place + n
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        return repeated
    }

    /// The places where a run stands that may stand elsewhere too.
    private mutating func find(_ n: Int, _ seed: UInt64) {
        let known = candidateLength
        candidateLength = n
        let places = scalars.count - n + 1
        // A run that stands elsewhere does so with its beginning.
        guard known == 0 || known > n else {
            var kept = 0
            for candidate in 0..<candidates.count where Int(candidates[candidate]) < places {
                candidates[kept] = candidates[candidate]
                kept += 1
            }
            candidates.resize(to: kept)
            return
        }
        candidates.removeAll()
        guard places > 1 else { return }
        let size = 1 << (Int.bitWidth - (places * 16 - 1).leadingZeroBitCount)
        let half = max(1, size / 64)
        let shift = UInt64(size.leadingZeroBitCount + 1)
        bits.reset(to: 0, count: half * 2)
        for place in 0..<places {
            let bit = Int(truncatingIfNeeded: hash(place, n, seed) >> shift)
            let mask: UInt64 = 1 << UInt64(bit & 63)
            let seen = bits[bit >> 6] & mask
            bits[bit >> 6] |= mask
            bits[half + bit >> 6] |= seen
        }
        for place in 0..<places {
            let bit = Int(truncatingIfNeeded: hash(place, n, seed) >> shift)
            if bits[half + bit >> 6] >> UInt64(bit & 63) & 1 != 0 {
                candidates.append(UInt32(truncatingIfNeeded: place))
            }
        }
    }

    private mutating func clear() -> UInt64 {
        let size = 1 << max(6, Int.bitWidth - (candidates.count * 2).leadingZeroBitCount)
        slots.reset(to: 0, count: size)
        return UInt64(size.leadingZeroBitCount + 1)
    }

    /// A hash of `n` characters, an even number.
    @inline(__always)
    private func hash(_ place: Int, _ n: Int, _ seed: UInt64) -> UInt64 {
        let run = UnsafeRawPointer(scalars.base + place)
        var hash = seed
        for pair in 0..<(n / 2) {
            let two = run.loadUnaligned(fromByteOffset: pair * 8, as: UInt64.self)
            let product = (hash ^ two).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            hash = product.high ^ product.low
        }
        return hash &* 0xD6E8_FEB8_6659_FD93
    }

    @inline(__always)
    private func isSame(_ a: Int, _ b: Int, _ n: Int) -> Bool {
        for offset in 0..<n where scalars[a + offset] != scalars[b + offset] { return false }
        return true
    }
}
