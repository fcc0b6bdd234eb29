import CCuration

/// Counts how words of a text repeat in runs of n, as the Gopher rules measure it.
///
/// Runs are compared as bytes, never by their hash alone. Most runs of a text occur once, and no more is done for them
/// than a look-up or two: a run of three can only repeat where its runs of two do, and a run of five or more only where
/// its first sixteen bytes stand a second time.
///
/// > Source: Rae et al., "Scaling Language Models: Methods, Analysis & Insights from Training Gopher" (2021), table A1,
/// > as datatrove 0.10.1 computes it.
struct WordRuns: ~Copyable {
    /// The words one after the other, with padding behind, and where each begins; one more for the end.
    private var joined = Scratch<UInt8>()
    private var offsets = Scratch<UInt32>()
    /// The same in characters.
    private var characters = Scratch<UInt32>()
    private var hashes = Scratch<UInt64>()
    private var slots = Scratch<UInt32>()
    /// For pairs: how often the one that stands first at a place occurs, and the first place of each place's pair.
    private var counts = Scratch<UInt32>()
    private var first = Scratch<UInt32>()
    /// Runs of n words that occur twice or more, in order, and those of n + 1.
    private var repeated = Scratch<Run>()
    private var longer = Scratch<Run>()
    /// Places where a run of five or more may repeat.
    private var candidates = Scratch<UInt32>()
    private var bits = Scratch<UInt64>()
    private var seed: UInt64 = 0

    var wordCount: Int { max(0, offsets.count - 1) }

    /// Takes the words of a text.
    ///
    /// - Parameter seed: Of the hashes; it depends on the text, so that none can be made to fill one slot.
    mutating func load(
        _ tokens: borrowing Scratch<EnglishToken>,
        _ text: UnsafePointer<UInt8>,
        count: Int,
        seed: UInt64
    ) {
        self.seed = seed
        joined.resize(to: count + 64)
        offsets.removeAll()
        characters.removeAll()
        hashes.removeAll()
        var at = 0
        var character = 0
        let base = UnsafeMutableRawPointer(joined.base)
        let source = UnsafeRawPointer(text)
        for index in 0..<tokens.count {
            let token = tokens[index]
            if token.has(EnglishToken.space) { continue }
            offsets.append(UInt32(truncatingIfNeeded: at))
            characters.append(UInt32(truncatingIfNeeded: character))
            let count = token.count
            let start = source + Int(token.start)
            if count <= 16 {
                let word = start.loadUnaligned(as: SIMD16<UInt8>.self)
                (base + at).storeBytes(of: word, as: SIMD16<UInt8>.self)
            } else {
                (base + at).copyMemory(from: start, byteCount: count)
            }
            hashes.append(Self.hash(start, count, seed))
            at += count
            character += token.has(EnglishToken.beyondASCII) ? TextLines.characters(text, token) : count
        }
        (base + at).initializeMemory(as: UInt8.self, repeating: 0, count: 32)
        offsets.append(UInt32(truncatingIfNeeded: at))
        characters.append(UInt32(truncatingIfNeeded: character))
    }

    /// Where a run of words stands, where it stands first, and there how often it occurs.
    struct Run {
        var place: UInt32
        var first: UInt32
        var count: UInt32
    }

    /// Characters that the most frequent run of two, three and four words covers, blanks between its words included;
    /// of runs as frequent the first counts. Nil where the text has too few words.
    mutating func top() -> (two: Int?, three: Int?, four: Int?) {
        guard wordCount >= 2 else { return (nil, nil, nil) }
        countPairs()
        let two = topPair()
        guard wordCount >= 3 else { return (two, nil, nil) }
        extend()
        let three = top(3)
        guard wordCount >= 4 else { return (two, three, nil) }
        extend()
        return (two, three, top(4))
    }

    /// The top pair; gathers the pairs that occur twice or more.
    private mutating func topPair() -> Int {
        repeated.removeAll()
        var best = 0
        var most: UInt32 = 1
        for place in 0..<first.count {
            let origin = first[place]
            let count = counts[Int(origin)]
            guard count > 1 else { continue }
            repeated.append(Run(place: UInt32(truncatingIfNeeded: place), first: origin, count: count))
            if count > most {
                most = count
                best = place
            }
        }
        return characters(2, at: best) * Int(most)
    }

    /// The top run of n words, which occurs once if none is repeated.
    private func top(_ n: Int) -> Int {
        var best: UInt32 = 0
        var most: UInt32 = 1
        for index in 0..<repeated.count where repeated[index].count > most {
            most = repeated[index].count
            best = repeated[index].place
        }
        return characters(n, at: Int(best)) * Int(most)
    }

    private func characters(_ n: Int, at place: Int) -> Int {
        Int(characters[place + n] - characters[place]) + n - 1
    }

    private mutating func countPairs() {
        let runs = wordCount - 1
        first.reset(to: 0, count: runs)
        counts.reset(to: 0, count: runs)
        let shift = clearSlots(for: runs)
        let mask = slots.count - 1
        for run in 0..<runs {
            let key = Self.mix(hashes[run] &+ 0x9E37_79B9_7F4A_7C15, hashes[run + 1])
            var slot = Int(truncatingIfNeeded: key >> shift)
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = UInt32(truncatingIfNeeded: run + 1)
                    first[run] = UInt32(truncatingIfNeeded: run)
                    counts[run] = 1
                    break
                }
                if hashes[run] == hashes[found - 1], hashes[run + 1] == hashes[found], isSamePair(run, found - 1) {
                    first[run] = UInt32(truncatingIfNeeded: found - 1)
                    counts[found - 1] += 1
                    break
                }
                slot = (slot + 1) & mask
            }
        }
    }

    private func isSamePair(_ a: Int, _ b: Int) -> Bool {
        let length = offsets[a + 2] - offsets[a]
        guard offsets[a + 1] - offsets[a] == offsets[b + 1] - offsets[b], offsets[b + 2] - offsets[b] == length else {
            return false
        }
        return isEqual(Int(offsets[a]), Int(offsets[b]), Int(length))
    }

    /// From runs of n words to those of n + 1: two are the same when their first n and their last n words are.
    private mutating func extend() {
        longer.removeAll()
        let shift = clearSlots(for: repeated.count)
        let mask = slots.count - 1
        for index in 0..<max(0, repeated.count - 1) where repeated[index + 1].place == repeated[index].place + 1 {
            let head = repeated[index].first
            let tail = repeated[index + 1].first
            let key = Self.mix(UInt64(head) << 32 | UInt64(tail), seed | 1)
            var slot = Int(truncatingIfNeeded: key >> shift)
            var origin = longer.count
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    // The runs' indices in `repeated` and in `longer` are told apart by place: both are found here.
                    slots[slot] = UInt32(truncatingIfNeeded: origin + 1)
                    break
                }
                let other = longer[found - 1].count
                if repeated[Int(other)].first == head, repeated[Int(other) + 1].first == tail {
                    origin = found - 1
                    break
                }
                slot = (slot + 1) & mask
            }
            longer.append(
                Run(
                    place: repeated[index].place,
                    first: UInt32(truncatingIfNeeded: origin),
                    count: UInt32(truncatingIfNeeded: index)
                )
            )
        }
        // Until here `first` has been an index in `longer` and `count` one in `repeated`.
        counts.reset(to: 0, count: longer.count)
        for index in 0..<longer.count { counts[Int(longer[index].first)] += 1 }
        repeated.removeAll()
        for index in 0..<longer.count {
            let origin = Int(longer[index].first)
            let count = counts[origin]
            guard count > 1 else { continue }
            repeated.append(Run(place: longer[index].place, first: longer[origin].place, count: count))
        }
    }

    /// Finds the places where a run of five words or more may repeat; to be called before `duplicated`.
    mutating func findCandidates() {
        candidates.removeAll()
        guard wordCount >= 5 else { return }
        let places = wordCount - 4
        // Sixteen bits a place, one half for "seen", the other for "seen again".
        let size = Self.powerOfTwo(atLeast: places * 16)
        let shift = UInt64(size.leadingZeroBitCount + 1)
        let half = max(1, size / 64)
        bits.reset(to: 0, count: 2 * half)
        for place in 0..<places {
            let bit = Int(truncatingIfNeeded: beginning(of: place) >> shift)
            let mask: UInt64 = 1 << UInt64(bit & 63)
            let seen = bits[bit >> 6] & mask
            bits[bit >> 6] |= mask
            bits[half + bit >> 6] |= seen
        }
        for place in 0..<places {
            let bit = Int(truncatingIfNeeded: beginning(of: place) >> shift)
            let again = bits[half + bit >> 6] >> UInt64(bit & 63) & 1 != 0
            if again || offsets[place + 5] - offsets[place] < 16 {
                candidates.append(UInt32(truncatingIfNeeded: place))
            }
        }
    }

    /// Keeps the candidates for runs of seven words or more: those whose first 32 bytes stand a second time.
    mutating func refineCandidates() {
        guard candidates.count > 1 else { return }
        let size = Self.powerOfTwo(atLeast: candidates.count * 16)
        let shift = UInt64(size.leadingZeroBitCount + 1)
        let half = max(1, size / 64)
        bits.reset(to: 0, count: 2 * half)
        for index in 0..<candidates.count {
            let bit = Int(truncatingIfNeeded: hash32(Int(candidates[index])) >> shift)
            let mask: UInt64 = 1 << UInt64(bit & 63)
            let seen = bits[bit >> 6] & mask
            bits[bit >> 6] |= mask
            bits[half + bit >> 6] |= seen
        }
        var kept = 0
        for index in 0..<candidates.count {
            let place = Int(candidates[index])
            guard place + 7 <= wordCount else { break }
            let bit = Int(truncatingIfNeeded: hash32(place) >> shift)
            let again = bits[half + bit >> 6] >> UInt64(bit & 63) & 1 != 0
            if again || offsets[place + 7] - offsets[place] < 32 {
                candidates[kept] = candidates[index]
                kept += 1
            }
        }
        candidates.resize(to: kept)
    }

    /// Characters in runs of n words that stood before, no two of them overlapping; the words run together.
    ///
    /// - Parameter n: Five or more.
    mutating func duplicated(_ n: Int) -> Int {
        guard !candidates.isEmpty else { return 0 }
        let shift = clearSlots(for: candidates.count)
        let mask = slots.count - 1
        var repeated = 0
        var free = 0
        for index in 0..<candidates.count {
            let candidate = candidates[index]
            let place = Int(candidate)
            if place + n > wordCount { break }
            if place < free { continue }
            let start = Int(offsets[place])
            let length = Int(offsets[place + n]) - start
            let key = hash(start, length)
            var slot = Int(truncatingIfNeeded: key >> shift)
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = candidate + 1
                    free = place + 1
                    break
                }
                let other = Int(offsets[found - 1])
                if Int(offsets[found - 1 + n]) - other == length, isEqual(start, other, length) {
                    repeated += Int(characters[place + n] - characters[place])
                    free = place + n
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        return repeated
    }
}

extension WordRuns {
    private static func powerOfTwo(atLeast count: Int) -> Int {
        count <= 64 ? 64 : 1 << (Int.bitWidth - (count - 1).leadingZeroBitCount)
    }

    /// Empties a table of at least twice `count` slots; returns how far a hash is shifted to be one of them.
    private mutating func clearSlots(for count: Int) -> UInt64 {
        let size = Self.powerOfTwo(atLeast: count * 2)
        slots.reset(to: 0, count: size)
        return UInt64(size.leadingZeroBitCount + 1)
    }

    /// A hash of the sixteen bytes from the word at `place` on.
    @inline(__always)
    private func beginning(of place: Int) -> UInt64 {
        let bytes = UnsafeRawPointer(joined.base + Int(offsets[place]))
        let low = bytes.loadUnaligned(as: UInt64.self)
        let high = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
        return Self.mix(low ^ seed, high ^ 0xD6E8_FEB8_6659_FD93)
    }

    /// A hash of a word.
    @inline(__always)
    private static func hash(_ bytes: UnsafeRawPointer, _ count: Int, _ seed: UInt64) -> UInt64 {
        var hash = seed ^ UInt64(truncatingIfNeeded: count)
        var at = 0
        while count - at > 8 {
            hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0x9E37_79B9_7F4A_7C15)
            at += 8
        }
        var last = bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self)
        let rest = count - at
        if rest < 8 { last &= (1 << UInt64(rest * 8)) &- 1 }
        return mix(hash ^ last, 0xD6E8_FEB8_6659_FD93)
    }

    @inline(__always)
    private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return (product.high ^ product.low) &* 0x9FB2_1C65_1E98_DF25
    }

    /// A hash of all bytes of a run.
    @inline(__always)
    private func hash(_ start: Int, _ count: Int) -> UInt64 {
        guard count >= 16, count <= 48 else { return onepoint_xxh3_64(joined.base + start, count, seed) }
        // The first sixteen, the last sixteen, and sixteen that cover what is between them.
        let bytes = UnsafeRawPointer(joined.base + start)
        let middle = min(16, count - 16)
        let a = Self.mix(load(bytes, 0) ^ seed, load(bytes, 8) ^ UInt64(count))
        let b = Self.mix(load(bytes, middle) ^ a, load(bytes, middle + 8) ^ 0x9E37_79B9_7F4A_7C15)
        return Self.mix(load(bytes, count - 16) ^ b, load(bytes, count - 8) ^ 0xD6E8_FEB8_6659_FD93)
    }

    /// A hash of the 32 bytes from the word at `place` on.
    @inline(__always)
    private func hash32(_ place: Int) -> UInt64 {
        let bytes = UnsafeRawPointer(joined.base + Int(offsets[place]))
        let a = Self.mix(load(bytes, 0) ^ seed, load(bytes, 8) ^ 0x9E37_79B9_7F4A_7C15)
        return Self.mix(load(bytes, 16) ^ a, load(bytes, 24) ^ 0xD6E8_FEB8_6659_FD93)
    }

    @inline(__always)
    private func load(_ bytes: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    }

    /// Whether the same bytes stand at two places of `joined`.
    @inline(__always)
    private func isEqual(_ a: Int, _ b: Int, _ count: Int) -> Bool {
        onepoint_bytes_equal(joined.base + a, joined.base + b, count)
    }
}
