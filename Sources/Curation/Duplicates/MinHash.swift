import CCuration

/// The minima of a document under a fixed family of hash functions, and the keys of its bands.
struct MinHash: Sendable {
    private let multipliers: [UInt32]
    private let addends: [UInt32]
    private var minima: [UInt32]
    private let rows: Int
    private let instructionSet: Int32
    private(set) var bandKeys: [UInt64]

    init(_ settings: NearDuplicateSettings, on instructionSet: InstructionSet) {
        // The kernel takes sixteen lanes at a time; those beyond the last band are never looked at.
        let lanes = (settings.bands * settings.rows + 15) / 16 * 16
        var state: UInt64 = 0x6F6E_6570_6F69_6E74
        var multipliers: [UInt32] = []
        var addends: [UInt32] = []
        for _ in 0..<lanes {
            let number = splitMix64(&state)
            multipliers.append(UInt32(truncatingIfNeeded: number >> 32) | 1)
            addends.append(UInt32(truncatingIfNeeded: number))
        }
        self.multipliers = multipliers
        self.addends = addends
        minima = [UInt32](repeating: .max, count: lanes)
        bandKeys = [UInt64](repeating: 0, count: settings.bands)
        rows = settings.rows
        self.instructionSet = instructionSet.number
    }

    mutating func begin() {
        for lane in minima.indices { minima[lane] = .max }
    }

    mutating func add(_ shingles: [UInt64], count: Int) {
        let lanes = minima.count
        minima.withUnsafeMutableBufferPointer {
            onepoint_minhash(instructionSet, shingles, count, multipliers, addends, $0.baseAddress, lanes)
        }
    }

    /// A key is the XXH3-64 of the band's minima, with the band's number as the seed, so that bands do not meet.
    mutating func end() {
        minima.withUnsafeBytes { bytes in
            for band in bandKeys.indices {
                let start = band * rows * MemoryLayout<UInt32>.stride
                let count = rows * MemoryLayout<UInt32>.stride
                bandKeys[band] = onepoint_xxh3_64(bytes.baseAddress.map { $0 + start }, count, UInt64(band))
            }
        }
    }
}

/// The next number of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
private func splitMix64(_ state: inout UInt64) -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
}
