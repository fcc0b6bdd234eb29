public import Core

/// Makes the proofs of some items in a second pass over the same list.
///
/// A second pass, because which items are drawn follows from the root. Keeps the digests on the paths of the wanted
/// items and no others: about 24 each for 10^7 items.
public struct InclusionProver: Sendable {
    private var node: MerkleNode
    private let count: Int
    /// The wanted places, in order.
    private let indices: [Int]
    /// For each level, which nodes stand on a path, in order, and what was found for them.
    private var levels: [Level]
    private var subtrees: [(level: Int, digest: Digest)] = []
    private var taken = 0

    private struct Level: Sendable {
        var wanted: [Int] = []
        var found: [Digest] = []

        func position(of place: Int) -> Int? {
            var (low, high) = (0, found.count)
            while low < high {
                let middle = low + (high - low) / 2
                if wanted[middle] < place { low = middle + 1 } else { high = middle }
            }
            return low < found.count && wanted[low] == place ? low : nil
        }
    }

    /// - Parameters:
    ///   - indices: Places of items, from 0; those outside of the list are passed over.
    ///   - count: Items of the whole list.
    ///   - hash: SHA-256.
    public init(indices: [Int], count: Int, hash: @escaping MerkleHash) {
        node = MerkleNode(hash: hash)
        self.count = max(0, count)
        let sorted = Set(indices).filter { $0 >= 0 && $0 < count }.sorted()
        self.indices = sorted
        levels = []
        var (places, last) = (sorted, self.count - 1)
        while last > 0 {
            // Siblings of ordered places are ordered, but for two that are each other's.
            let siblings = places.filter { $0 != last || $0 & 1 == 1 }.map { $0 ^ 1 }
            levels.append(Level(wanted: Set(siblings).sorted()))
            var above: [Int] = []
            for place in places where above.last != place >> 1 { above.append(place >> 1) }
            (places, last) = (above, last >> 1)
        }
    }

    /// Takes in the next item by its bytes.
    public mutating func append(_ item: Span<UInt8>) { append(leaf: node.leaf(item)) }

    /// Takes in the next item by the digest of its content.
    public mutating func append(_ item: Digest) { append(leaf: node.leaf(item)) }

    private mutating func append(leaf: Digest) {
        guard taken < count else {
            taken += 1
            return
        }
        var (running, level) = (leaf, 0)
        note(running, level: 0, place: taken)
        while let left = subtrees.last, left.level == level {
            subtrees.removeLast()
            running = node.inner(left.digest, running)
            level += 1
            note(running, level: level, place: taken >> level)
        }
        subtrees.append((level, running))
        taken += 1
    }

    /// Nodes of a level are finished from left to right, so the next one wanted is all there is to look at.
    private mutating func note(_ digest: Digest, level: Int, place: Int) {
        guard level < levels.count, levels[level].found.count < levels[level].wanted.count,
            levels[level].wanted[levels[level].found.count] == place
        else { return }
        levels[level].found.append(digest)
    }

    /// The proofs in the order of their places, and the root that they lead to.
    ///
    /// - Returns: `nil` unless exactly as many items were taken in as were announced.
    public consuming func finish() -> (root: Digest, proofs: [InclusionProof])? {
        guard taken == count, var (level, running) = subtrees.popLast() else { return nil }
        // The incomplete subtrees of the right edge, upwards.
        while level < levels.count {
            if let left = subtrees.last, left.level == level {
                subtrees.removeLast()
                running = node.inner(left.digest, running)
            }
            level += 1
            note(running, level: level, place: (count - 1) >> level)
        }
        var proofs: [InclusionProof] = []
        proofs.reserveCapacity(indices.count)
        for index in indices {
            guard let path = path(of: index) else { return nil }
            proofs.append(InclusionProof(index: index, count: count, path: path))
        }
        return (running, proofs)
    }

    private func path(of index: Int) -> [Digest]? {
        var path: [Digest] = []
        var (place, last) = (index, count - 1)
        for level in levels {
            if place != last || place & 1 == 1 {
                guard let position = level.position(of: place ^ 1) else { return nil }
                path.append(level.found[position])
            }
            (place, last) = (place >> 1, last >> 1)
        }
        return path
    }
}
