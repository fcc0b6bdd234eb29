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
    /// Places where a run of five words or more may repeat, in order.
    private var candidates = Scratch<Candidate>()
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
        offsets.resize(to: tokens.count + 1)
        characters.resize(to: tokens.count + 1)
        hashes.resize(to: tokens.count)
        var word = 0
        var at = 0
        var character = 0
        let base = UnsafeMutableRawPointer(joined.base)
        let source = UnsafeRawPointer(text)
        let (offsets, characters, hashes) = (offsets.base, characters.base, hashes.base)
        for index in 0..<tokens.count {
            let token = tokens[index]
            if token.has(EnglishToken.space) { continue }
            offsets[word] = UInt32(truncatingIfNeeded: at)
            characters[word] = UInt32(truncatingIfNeeded: character)
            let count = token.count
            let start = source + Int(token.start)
            if count <= 16 {
                let bytes = start.loadUnaligned(as: SIMD16<UInt8>.self)
                (base + at).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
            } else {
                (base + at).copyMemory(from: start, byteCount: count)
            }
            hashes[word] = Self.hash(start, count, seed)
            word &+= 1
            at &+= count
            character &+= token.has(EnglishToken.beyondASCII) ? TextLines.characters(text, token) : count
        }
        (base + at).initializeMemory(as: UInt8.self, repeating: 0, count: 48)
        offsets[word] = UInt32(truncatingIfNeeded: at)
        characters[word] = UInt32(truncatingIfNeeded: character)
        self.offsets.resize(to: word + 1)
        self.hashes.resize(to: word)
    }

    /// A place, and for how many bytes what begins there begins elsewhere too, up to `reachMax`.
    struct Candidate {
        var place: UInt32
        var reach: UInt32
    }

    private static let reachMax = 32

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
        let (first, counts) = (first.base, counts.base)
        for place in 0..<(wordCount - 1) {
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
        first.resize(to: runs)
        counts.reset(to: 0, count: runs)
        let shift = clearSlots(for: runs)
        let mask = slots.count - 1
        // Local copies of where things are: a write through one does not make the others be loaded anew.
        let (hashes, slots, first, counts) = (hashes.base, slots.base, first.base, counts.base)
        for run in 0..<runs {
            let (head, tail) = (hashes[run], hashes[run &+ 1])
            var slot = Int(truncatingIfNeeded: Self.mix(head &+ 0x9E37_79B9_7F4A_7C15, tail) &>> shift)
            while true {
                let found = Int(slots[slot]) - 1
                if found < 0 {
                    slots[slot] = UInt32(truncatingIfNeeded: run &+ 1)
                    first[run] = UInt32(truncatingIfNeeded: run)
                    counts[run] = 1
                    break
                }
                if head == hashes[found], tail == hashes[found &+ 1], isSamePair(run, found) {
                    first[run] = UInt32(truncatingIfNeeded: found)
                    counts[found] &+= 1
                    break
                }
                slot = (slot &+ 1) & mask
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
        // Until all are found, `first` of a longer run is an index in `longer`, and `count` one in `repeated`.
        let shift = clearSlots(for: repeated.count)
        let mask = slots.count - 1
        let count = repeated.count
        longer.resize(to: count)
        let (slots, longer, repeated) = (slots.base, longer.base, repeated.base)
        var runs = 0
        for index in 0..<max(0, count - 1) where repeated[index &+ 1].place == repeated[index].place &+ 1 {
            let head = repeated[index].first
            let tail = repeated[index &+ 1].first
            let key = Self.mix(UInt64(head) << 32 | UInt64(tail), seed | 1)
            var slot = Int(truncatingIfNeeded: key &>> shift)
            var origin = runs
            while true {
                let found = Int(slots[slot])
                if found == 0 {
                    slots[slot] = UInt32(truncatingIfNeeded: origin + 1)
                    break
                }
                let other = longer[found - 1].count
                if repeated[Int(other)].first == head, repeated[Int(other) + 1].first == tail {
                    origin = found - 1
                    break
                }
                slot = (slot &+ 1) & mask
            }
            longer[runs] = Run(
                place: repeated[index].place,
                first: UInt32(truncatingIfNeeded: origin),
                count: UInt32(truncatingIfNeeded: index)
            )
            runs += 1
        }
        counts.reset(to: 0, count: runs)
        let counts = counts.base
        for run in 0..<runs { counts[Int(longer[run].first)] += 1 }
        var kept = 0
        for run in 0..<runs {
            let origin = Int(longer[run].first)
            let count = counts[origin]
            guard count > 1 else { continue }
            repeated[kept] = Run(place: longer[run].place, first: longer[origin].place, count: count)
            kept &+= 1
        }
        self.repeated.resize(to: kept)
    }

    /// Finds the places where a run of five words or more may repeat; to be called before `duplicated`.
    ///
    /// Runs that are the same have the same first eight bytes, sixteen and 32, as far as they reach. Of each place it
    /// is found how much of what begins there begins elsewhere too.
    mutating func findCandidates() {
        candidates.removeAll()
        guard wordCount >= 5 else { return }
        let places = wordCount - 4
        candidates.resize(to: places)
        let half = clearBits(for: places)
        let shift = Self.shift(half * 64)
        let (candidates, bits, offsets) = (candidates.base, bits.base, offsets.base)
        let bytes = UnsafeRawPointer(joined.base)
        // Where fewer than sixteen bytes may be a run, eight are marked too; both runs that are the same are such places.
        for place in 0..<places {
            let offset = Int(offsets[place])
            let bit = Self.beginning(bytes + offset, 16, seed) &>> shift
            Self.mark(bits, Int(truncatingIfNeeded: bit), half)
            // Kept for the second turn.
            candidates[place].place = UInt32(truncatingIfNeeded: bit)
            guard Int(offsets[place &+ 5]) &- offset < 16 else { continue }
            Self.mark(bits, Int(truncatingIfNeeded: Self.beginning(bytes + offset, 8, seed) &>> shift), half)
        }
        var kept = 0
        var repeating = 0
        for place in 0..<places {
            let offset = Int(offsets[place])
            let length = Int(offsets[place &+ 5]) &- offset
            var reach: UInt32 = 0
            if Self.isMarked(bits, Int(candidates[place].place), half) {
                reach = 16
                repeating &+= 1
            } else {
                if length >= 16 { continue }
                let bit = Self.beginning(bytes + offset, 8, seed) &>> shift
                reach = Self.isMarked(bits, Int(truncatingIfNeeded: bit), half) ? 8 : 0
                if reach == 0, length >= 8 { continue }
            }
            candidates[kept] = Candidate(place: UInt32(truncatingIfNeeded: place), reach: reach)
            kept &+= 1
        }
        self.candidates.resize(to: kept)
        if repeating > 1 { extendReach(repeating) }
    }

    /// Finds which of the places that repeat for sixteen bytes, which are `count`, do so for `reachMax`.
    private mutating func extendReach(_ count: Int) {
        let half = clearBits(for: count)
        let shift = Self.shift(half * 64)
        let (candidates, bits, offsets) = (candidates.base, bits.base, offsets.base)
        let bytes = UnsafeRawPointer(joined.base)
        let all = self.candidates.count
        for index in 0..<all where candidates[index].reach == 16 {
            let offset = Int(offsets[Int(candidates[index].place)])
            let bit = Self.beginning(bytes + offset, Self.reachMax, seed) &>> shift
            Self.mark(bits, Int(truncatingIfNeeded: bit), half)
        }
        for index in 0..<all where candidates[index].reach == 16 {
            let offset = Int(offsets[Int(candidates[index].place)])
            let bit = Self.beginning(bytes + offset, Self.reachMax, seed) &>> shift
            if Self.isMarked(bits, Int(truncatingIfNeeded: bit), half) {
                candidates[index].reach = UInt32(Self.reachMax)
            }
        }
    }

    /// Empties sixteen bits or more for each of `count`, in two halves for "seen" and "seen again"; returns a half's words.
    private mutating func clearBits(for count: Int) -> Int {
        let half = Self.powerOfTwo(atLeast: count * 16) / 64
        bits.reset(to: 0, count: 2 * half)
        return half
    }

    @inline(__always)
    private static func mark(_ bits: UnsafeMutablePointer<UInt64>, _ bit: Int, _ half: Int) {
        let mask: UInt64 = 1 &<< UInt64(truncatingIfNeeded: bit & 63)
        let word = bits[bit >> 6]
        bits[bit >> 6] = word | mask
        bits[half &+ bit >> 6] |= word & mask
    }

    /// Whether a bit was marked twice.
    @inline(__always)
    private static func isMarked(_ bits: UnsafeMutablePointer<UInt64>, _ bit: Int, _ half: Int) -> Bool {
        bits[half &+ bit >> 6] &>> UInt64(truncatingIfNeeded: bit & 63) & 1 != 0
    }

    /// Characters in runs of n words that stood before, no two of them overlapping; the words run together.
    ///
    /// - Parameter n: Five to begin with, and more from call to call.
    mutating func duplicated(_ n: Int) -> Int {
        let shift = clearSlots(for: candidates.count)
        let mask = slots.count - 1
        let (candidates, slots, offsets, words) = (candidates.base, slots.base, offsets.base, wordCount)
        var repeated = 0
        var free = 0
        var kept = 0
        for index in 0..<self.candidates.count {
            let candidate = candidates[index]
            let place = Int(candidate.place)
            if place &+ n > words { break }
            let start = Int(offsets[place])
            let length = Int(offsets[place &+ n]) &- start
            // One that repeats for less than its length is no run that repeats, nor will it be with more words.
            if Int(candidate.reach) < Self.reachNeeded(length) { continue }
            candidates[kept] = candidate
            kept &+= 1
            if place < free { continue }
            var slot = Int(truncatingIfNeeded: hash(start, length) &>> shift)
            while true {
                let found = Int(slots[slot]) - 1
                if found < 0 {
                    slots[slot] = candidate.place &+ 1
                    free = place &+ 1
                    break
                }
                let other = Int(offsets[found])
                if Int(offsets[found &+ n]) &- other == length, isEqual(start, other, length) {
                    repeated += Int(characters[place &+ n] - characters[place])
                    free = place &+ n
                    break
                }
                slot = (slot &+ 1) & mask
            }
        }
        self.candidates.resize(to: kept)
        return repeated
    }

    /// For how many bytes a run of this length must repeat to be the same as another.
    @inline(__always)
    private static func reachNeeded(_ length: Int) -> Int {
        length >= 32 ? 32 : length >= 16 ? 16 : length >= 8 ? 8 : 0
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
        return Self.shift(size)
    }

    /// How far a hash is shifted to be below a power of two.
    @inline(__always)
    private static func shift(_ size: Int) -> UInt64 { UInt64(truncatingIfNeeded: size.leadingZeroBitCount + 1) }

    /// A hash of the `reach` bytes, a multiple of eight.
    @inline(__always)
    private static func beginning(_ bytes: UnsafeRawPointer, _ reach: Int, _ seed: UInt64) -> UInt64 {
        var hash = seed
        var at = 0
        while at < reach {
            hash = mix(hash ^ bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self), 0x9E37_79B9_7F4A_7C15)
            at += 8
        }
        return hash
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
