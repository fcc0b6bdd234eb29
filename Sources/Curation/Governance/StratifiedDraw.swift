public import Core

/// A sample that sees to it that every source, or every kind of risk, is looked at.
///
/// Each stratum is drawn as a list of its own by ``SampleDraw``, under the purpose `PURPOSE/STRATUM`, against the root of
/// the whole list: what is drawn are ranks among the stratum's items in the order of the whole list. The rate of the
/// whole must be weighted by ``Stratum/population``; strata that were given more than their share would else count for
/// more than they are.
public struct StratifiedDraw: Hashable, Sendable {
    public struct Stratum: Hashable, Sendable {
        public let name: String
        public let population: Int
        /// Items to draw of it.
        public let size: Int
    }

    public let root: Digest
    public let purpose: String
    public let strata: [Stratum]

    /// Shares a sample out by the sizes of the strata.
    ///
    /// - Parameters:
    ///   - size: Of the whole sample. It becomes larger when the minima ask for more.
    ///   - minimum: Items of each stratum at the least, or all that it has.
    ///   - strata: Names, which must differ, and how many items of the list are of each.
    public init(root: Digest, purpose: String, size: Int, minimum: Int, strata: [(name: String, population: Int)]) {
        (self.root, self.purpose) = (root, purpose)
        let populations = strata.map { min(max(0, $0.population), SampleDraw.populationMax) }
        let sizes = Self.shares(of: max(0, size), populations: populations)
        self.strata = zip(strata, zip(populations, sizes)).map { stratum, numbers in
            let (population, share) = numbers
            return Stratum(
                name: stratum.name,
                population: population,
                size: min(population, max(share, max(0, minimum)))
            )
        }
    }

    /// By whole shares, and what is left by the largest remainders, the first of equals.
    private static func shares(of size: Int, populations: [Int]) -> [Int] {
        let all = populations.reduce(0, +)
        guard all > 0 else { return populations.map { _ in 0 } }
        let size = min(size, all)
        let parts = populations.map { population in
            all.dividingFullWidth(population.multipliedFullWidth(by: size))
        }
        var sizes = parts.map(\.quotient)
        let left = size - sizes.reduce(0, +)
        let order = parts.indices.sorted { (parts[$1].remainder, $0) < (parts[$0].remainder, $1) }
        for index in order.prefix(left) { sizes[index] += 1 }
        return sizes
    }

    public func draw(of stratum: Stratum) -> SampleDraw {
        SampleDraw(
            root: root,
            purpose: purpose + "/" + stratum.name,
            population: stratum.population,
            size: stratum.size
        )
    }

    /// Tells, in one pass over the list, which items were drawn.
    public struct Cursor: Sendable {
        /// The ranks of each stratum, in order.
        private let ranks: [[Int]]
        private var next: [Int]
        private var seen: [Int]

        public init(_ draw: StratifiedDraw, hash: @escaping MerkleHash) {
            ranks = draw.strata.map { draw.draw(of: $0).places(hash: hash).sorted() }
            next = ranks.map { _ in 0 }
            seen = next
        }

        /// Whether the next item of the list was drawn.
        ///
        /// - Parameter stratum: Its stratum's place in ``StratifiedDraw/strata``; an item of another one is never drawn.
        public mutating func isDrawn(stratum: Int) -> Bool {
            guard ranks.indices.contains(stratum) else { return false }
            defer { seen[stratum] += 1 }
            guard next[stratum] < ranks[stratum].count, ranks[stratum][next[stratum]] == seen[stratum] else {
                return false
            }
            next[stratum] += 1
            return true
        }
    }
}
