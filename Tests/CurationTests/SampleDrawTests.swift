import Core
import Curation
import Testing

@Suite struct SampleDrawTests {
    // The eight leaves and their roots by which implementations of Certificate Transparency are tested.
    private static let leaves = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    ].map { hex in
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
    }
    private static let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]

    @Test("roots are those of Certificate Transparency")
    func roots() {
        var tree = MerkleTree(hash: Governance.sha256)
        #expect(tree.root == Governance.digest(""))
        for (leaf, root) in zip(Self.leaves, Self.roots) {
            tree.append(leaf.span)
            #expect(tree.root.hex == root)
        }
    }

    private static func items(_ count: Int) -> [Digest] { (0..<count).map { Governance.digest("item \($0)") } }

    private static func tree(_ items: [Digest]) -> MerkleTree {
        var tree = MerkleTree(hash: Governance.sha256)
        for item in items { tree.append(item) }
        return tree
    }

    @Test("an item named by its digest is the leaf of these 32 bytes")
    func digestsAreBytes() {
        let digest = Governance.digest("x")
        let hex = Array(digest.hex)
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(hex[$0...$0 + 1]), radix: 16) }
        var (one, other) = (MerkleTree(hash: Governance.sha256), MerkleTree(hash: Governance.sha256))
        one.append(digest)
        other.append(bytes.span)
        #expect(one.root == other.root)
    }

    @Test("every item of lists of every small size has a proof, and no other item has it")
    func proofs() throws {
        for count in 1...17 {
            let items = Self.items(count)
            let root = Self.tree(items).root
            var prover = InclusionProver(
                indices: Array(0..<count) + [-1, count, 3, 3],
                count: count,
                hash: Governance.sha256
            )
            for item in items { prover.append(item) }
            let proven = try #require(prover.finish())
            #expect(proven.root == root && proven.proofs.map(\.index) == Array(0..<count))
            for proof in proven.proofs {
                #expect(proof.holds(for: items[proof.index], root: root, hash: Governance.sha256))
                #expect(!proof.holds(for: Governance.digest("other"), root: root, hash: Governance.sha256))
                let elsewhere = InclusionProof(index: (proof.index + 1) % count, count: count, path: proof.path)
                #expect(count == 1 || !elsewhere.holds(for: items[proof.index], root: root, hash: Governance.sha256))
                let longer = InclusionProof(index: proof.index, count: count, path: proof.path + [root])
                #expect(!longer.holds(for: items[proof.index], root: root, hash: Governance.sha256))
                let shorter = InclusionProof(index: proof.index, count: count, path: proof.path.dropLast())
                #expect(count == 1 || !shorter.holds(for: items[proof.index], root: root, hash: Governance.sha256))
            }
        }
    }

    @Test("some items of a larger list have proofs that hold")
    func sparseProofs() throws {
        var chance = SplitMix(seed: Governance.seed("sparseProofs"))
        let items = Self.items(Int.random(in: 300...700, using: &chance))
        let wanted = (0..<9).map { _ in Int.random(in: 0..<items.count, using: &chance) } + [items.count - 1]
        var prover = InclusionProver(indices: wanted, count: items.count, hash: Governance.sha256)
        for item in items { prover.append(item) }
        let proven = try #require(prover.finish())
        #expect(proven.root == Self.tree(items).root && proven.proofs.map(\.index) == Set(wanted).sorted())
        for proof in proven.proofs {
            #expect(proof.holds(for: items[proof.index], root: proven.root, hash: Governance.sha256))
        }
    }

    @Test("a prover that was given another number of items than announced proves nothing")
    func wrongCount() {
        for announced in [0, 2, 4] {
            var prover = InclusionProver(indices: [0], count: announced, hash: Governance.sha256)
            for item in Self.items(3) { prover.append(item) }
            #expect(prover.finish() == nil)
        }
        let hostile = InclusionProof(index: .max, count: .max, path: [Governance.digest("")])
        #expect(!hostile.holds(for: Governance.digest(""), root: Governance.digest(""), hash: Governance.sha256))
        let negative = InclusionProof(index: -1, count: -1, path: [])
        #expect(!negative.holds(for: Governance.digest(""), root: Governance.digest(""), hash: Governance.sha256))
    }

    private static func draw(_ purpose: String, _ population: Int, _ size: Int) -> SampleDraw {
        SampleDraw(root: Governance.digest("root"), purpose: purpose, population: population, size: size)
    }

    // By an implementation in Python's integers that was written from the description alone.
    @Test("a draw is the same on every machine")
    func golden() {
        let draw = Self.draw("spot-check", 1_000_000, 6)
        #expect(
            draw.seed(hash: Governance.sha256).hex == "1699a8e64c1b41abdf40d69be613b9b1f9a7c1f319f70d6df4a341751729ebe8"
        )
        #expect(draw.places(hash: Governance.sha256) == [797228, 23233, 685461, 482206, 592725, 57132])
    }

    @Test("items are drawn without replacement, and a larger sample begins with a smaller one")
    func places() {
        var chance = SplitMix(seed: Governance.seed("places"))
        for _ in 0..<5 {
            let population = Int.random(in: 1...400, using: &chance)
            let all = Self.draw("p", population, population + 7).places(hash: Governance.sha256)
            #expect(all.sorted() == Array(0..<population))
            let some = Self.draw("p", population, population / 3).places(hash: Governance.sha256)
            #expect(some == Array(all.prefix(population / 3)))
            #expect(population < 20 || Self.draw("q", population, population).places(hash: Governance.sha256) != all)
        }
        #expect(Self.draw("p", 0, 5).places(hash: Governance.sha256) == [])
        #expect(Self.draw("p", -1, -5).places(hash: Governance.sha256) == [])
        #expect(Self.draw("p", .max, 2).places(hash: Governance.sha256).count == 2)
    }

    @Test("every place is drawn as often as any other")
    func uniform() {
        var hits = [Int](repeating: 0, count: 10)
        for run in 0..<600 {
            for place in Self.draw("run \(run)", 10, 3).places(hash: Governance.sha256) { hits[place] += 1 }
        }
        // 180 each; without replacement the variance is 600 * 0.3 * 0.7 * 10 / 9, four deviations are 47. No seed: one case.
        #expect(hits.allSatisfy { abs($0 - 180) < 47 }, "\(hits)")
    }

    @Test("a stratified sample is shared out by size, with a minimum, and redrawn in one pass")
    func strata() {
        let draw = StratifiedDraw(
            root: Governance.digest("root"),
            purpose: "by-source",
            size: 100,
            minimum: 5,
            strata: [("web", 890), ("books", 100), ("notes", 10), ("none", 0)]
        )
        #expect(draw.strata.map(\.size) == [89, 10, 5, 0])
        var cursor = StratifiedDraw.Cursor(draw, hash: Governance.sha256)
        var drawn = [0, 0, 0, 0]
        for item in 0..<1000 {
            let stratum = item % 100 == 7 ? 2 : item % 10 == 3 ? 1 : 0
            if cursor.isDrawn(stratum: stratum) { drawn[stratum] += 1 }
        }
        #expect(drawn == [89, 10, 5, 0])
        let stranger = cursor.isDrawn(stratum: 9)
        #expect(!stranger)
        let odd = StratifiedDraw(
            root: draw.root,
            purpose: "x",
            size: 2,
            minimum: 0,
            strata: [("a", 1), ("b", 1), ("c", 1), ("d", .max)]
        )
        #expect(odd.strata.reduce(0) { $0 + $1.size } == 2)
    }
}
