public import Core

/// Shows that an item stands at a place of a list, to somebody who knows no more of the list than its root and count.
///
/// > Source: RFC 6962, section 2.1.1; the check after RFC 9162, section 2.1.3.2.
public struct InclusionProof: Hashable, Sendable {
    /// From 0.
    public let index: Int
    /// Items of the whole list.
    public let count: Int
    /// From the leaf's sibling upwards.
    public let path: [Digest]

    public init(index: Int, count: Int, path: [Digest]) {
        (self.index, self.count, self.path) = (index, count, path)
    }

    /// Whether the item with that digest stands there in the list of that root.
    public func holds(for item: Digest, root: Digest, hash: @escaping MerkleHash) -> Bool {
        var node = MerkleNode(hash: hash)
        return climbs(from: node.leaf(item), to: root, &node)
    }

    /// Whether the item of those bytes stands there in the list of that root.
    public func holds(for item: Span<UInt8>, root: Digest, hash: @escaping MerkleHash) -> Bool {
        var node = MerkleNode(hash: hash)
        return climbs(from: node.leaf(item), to: root, &node)
    }

    private func climbs(from leaf: Digest, to root: Digest, _ node: inout MerkleNode) -> Bool {
        guard index >= 0, index < count else { return false }
        var (place, last) = (index, count - 1)
        var running = leaf
        for sibling in path {
            // More path than the tree is high.
            guard last > 0 else { return false }
            // The last node of a level that has no sibling goes up as it is.
            while place == last, place & 1 == 0, last > 0 {
                place >>= 1
                last >>= 1
            }
            guard last > 0 else { return false }
            running = place & 1 == 1 ? node.inner(sibling, running) : node.inner(running, sibling)
            place >>= 1
            last >>= 1
        }
        while place == last, place & 1 == 0, last > 0 {
            place >>= 1
            last >>= 1
        }
        return last == 0 && running == root
    }
}

extension InclusionProof {
    /// Reads what ``json`` wrote.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        var reader = FieldReader()
        let proof = Self.read(json, at: "", &reader)
        self = try reader.finish(proof, "inclusion proof")
    }

    static func read(_ json: JSON, at pointer: String, _ reader: inout FieldReader) -> InclusionProof? {
        let fields = reader.fields(json, at: pointer, known: ["place", "count", "path"])
        let place = reader.count(fields, "place")
        let count = reader.count(fields, "count")
        var path: [Digest] = []
        // No tree of so many items as a count can say is higher.
        for (json, pointer) in reader.list(fields, "path", max: 64) {
            guard let digest = json.stringValue.flatMap({ Digest(hex: $0) }) else {
                reader.fault(pointer, "must be 64 hexadecimal digits in lower case")
                continue
            }
            path.append(digest)
        }
        guard let place, let count else { return nil }
        return InclusionProof(index: place, count: count, path: path)
    }

    /// Digests without their algorithm: there are two dozen for each item.
    public var json: JSON {
        .sorted([("place", .count(index)), ("count", .count(count)), ("path", .texts(path.map(\.hex)))])
    }
}
