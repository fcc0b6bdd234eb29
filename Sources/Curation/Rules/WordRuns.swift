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
    /// The first place where the run at a place stands, and how often it does; for runs of n and of n + 1.
    private var first = Scratch<UInt32>()
    private var counts = Scratch<UInt32>()
    private var nextFirst = Scratch<UInt32>()
    private var nextCounts = Scratch<UInt32>()
    /// Places where a run of five or more may repeat.
    private var candidates = Scratch<UInt32>()
    private var bits = Scratch<UInt64>()
    private var seed: UInt64 = 0

    var wordCount: Int { max(0, offsets.count - 1) }

    /// Takes the words of a text.
    ///
    /// - Parameter seed: Of the hashes; it depends on the text, so that none can be made to fill one slot.
    mutating func load(
        _ tokens: borrowing Scratch<EnglishToken>, _ text: UnsafePointer<UInt8>, count: Int, seed: UInt64
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

    /// Characters that the most frequent run of two, three and four words covers, blanks between its words included;
    /// of runs as frequent the first counts. Nil where the text has too few words.
    mutating func top() -> (two: Int?, three: Int?, four: Int?) {
        guard wordCount >= 2 else { return (nil, nil, nil) }
        countPairs()
        let two = top(2)
        guard wordCount >= 3 else { return (two, nil, nil) }
        extend(runs: wordCount - 2)
        let three = top(3)
        guard wordCount >= 4 else { return (two, three, nil) }
        extend(runs: wordCount - 3)
        return (two, three, top(4))
    }

    /// Of `first` and `counts`, which hold runs of n words.
    private func top(_ n: Int) -> Int {
        var best = 0
        var most: UInt32 = 0
        for run in 0..<counts.count where counts[run] > most {
            most = counts[run]
            best = run
        }
        return (Int(characters[best + n] - characters[best]) + n - 1) * Int(most)
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
    private mutating func extend(runs: Int) {
        nextCounts.reset(to: 1, count: runs)
        nextFirst.removeAll()
        for run in 0..<runs { nextFirst.append(UInt32(truncatingIfNeeded: run)) }
        candidates.removeAll()
        for run in 0..<runs where counts[Int(first[run])] > 1 && counts[Int(first[run + 1])] > 1 {
            candidates.append(UInt32(truncatingIfNeeded: run))
        }
        let shift = clearSlots(for: candidates.count)
        let mask = slots.count - 1
        for index in 0..<candidates.count {
            let candidate = candidates[index]
            let run = Int(candidate)
            let key = Self.mix(UInt64(first[run]) << 32 | UInt64(first[run + 1]), seed | 1)
            var slot = Int(truncatingIfNeeded: key >> shift)
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = candidate + 1
                    break
                }
                if first[found - 1] == first[run], first[found] == first[run + 1] {
                    nextFirst[run] = UInt32(truncatingIfNeeded: found - 1)
                    nextCounts[found - 1] += 1
                    nextCounts[run] = 0
                    break
                }
                slot = (slot + 1) & mask
            }
        }
        swap(&first, &nextFirst)
        swap(&counts, &nextCounts)
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
            let key = Self.mix(hash(start, length), 1)
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

    private func hash(_ start: Int, _ count: Int) -> UInt64 { onepoint_xxh3_64(joined.base + start, count, seed) }

    /// Whether the same bytes stand at two places of `joined`.
    @inline(__always)
    private func isEqual(_ a: Int, _ b: Int, _ count: Int) -> Bool {
        onepoint_bytes_equal(joined.base + a, joined.base + b, count)
    }
}
