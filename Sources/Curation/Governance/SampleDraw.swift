public import Core

/// Which items of a list are looked at: drawn by chance that nobody chose, and that anybody can draw again.
///
/// The seed is `SHA-256(root ‖ purpose ‖ count)`: 32 bytes of the list's root, the purpose in UTF-8, the count of the
/// list as 8 bytes, most significant first. Whoever publishes the root before judging has no say in the sample. Words
/// of chance are `SHA-256(seed ‖ i)` for `i` = 0, 1, … as 8 bytes, four words of 64 bits each, most significant byte
/// first. A word is turned into a number below `n` by its remainder, after words at or above the largest multiple of
/// `n` have been thrown away. Items are drawn without replacement by the steps of a Fisher-Yates shuffle: step `j` draws
/// a number below `count - j`, adds `j`, and exchanges the two places. A larger sample of the same list for the same
/// purpose begins with the smaller one.
///
/// > Source: Durstenfeld, "Algorithm 235: random permutation", Communications of the ACM 7 (1964).
public struct SampleDraw: Hashable, Sendable {
    /// Of the list of all items, in its order.
    public let root: Digest
    /// Such as `spot-check/2026-11`: two purposes draw two samples.
    public let purpose: String
    /// The most items of a list.
    public static let populationMax = 1 << 40

    /// Items of the list.
    public let population: Int
    /// Items asked for.
    public let size: Int

    /// - Parameters:
    ///   - population: Not below 0.
    ///   - size: All items when there are no more.
    public init(root: Digest, purpose: String, population: Int, size: Int) {
        (self.root, self.purpose) = (root, purpose)
        self.population = min(max(0, population), Self.populationMax)
        self.size = min(max(0, size), self.population)
    }

    public func seed(hash: @escaping MerkleHash) -> Digest {
        var bytes: [UInt8] = []
        root.append(to: &bytes)
        bytes.append(contentsOf: purpose.utf8)
        bytes.append(bigEndian: UInt64(population))
        return hash(bytes.span)
    }

    /// Places in the list, from 0, in the order of drawing.
    ///
    /// - Complexity: O(`size`) time and memory, whatever the population.
    public func places(hash: @escaping MerkleHash) -> [Int] {
        var chance = Chance(seed: seed(hash: hash), hash: hash)
        // What stands at a place that was exchanged; asked by key only.
        var moved: [Int: Int] = [:]
        var drawn: [Int] = []
        for step in 0..<size {
            let other = step + Int(chance.below(UInt64(population - step)))
            drawn.append(moved[other] ?? other)
            moved[other] = moved[step] ?? step
        }
        return drawn
    }
}

/// Words that follow from a seed alone.
private struct Chance {
    private var bytes: [UInt8] = []
    private let seedBytes: [UInt8]
    private let hash: MerkleHash
    private var block: UInt64 = 0
    private var words: [UInt64] = []

    init(seed: Digest, hash: @escaping MerkleHash) {
        self.hash = hash
        var bytes: [UInt8] = []
        seed.append(to: &bytes)
        seedBytes = bytes
    }

    private mutating func word() -> UInt64 {
        if let word = words.popLast() { return word }
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: seedBytes)
        bytes.append(bigEndian: block)
        block += 1
        let digest = hash(bytes.span)
        bytes.removeAll(keepingCapacity: true)
        digest.append(to: &bytes)
        for start in stride(from: 24, through: 0, by: -8) {
            words.append(bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
        }
        return words.removeLast()
    }

    /// - Parameter bound: Not 0.
    mutating func below(_ bound: UInt64) -> UInt64 {
        // 2^64 modulo the bound, without 2^64.
        let excess = (UInt64.max % bound + 1) % bound
        while true {
            let word = word()
            if word <= UInt64.max - excess { return word % bound }
        }
    }
}

extension [UInt8] {
    mutating func append(bigEndian word: UInt64) {
        for shift in stride(from: UInt64(56), through: 0, by: -8) { append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
}
