public import Core

/// The SHA-256 of some bytes, handed in by whoever has an implementation.
public typealias MerkleHash = @Sendable (Span<UInt8>) -> Digest

/// The hashes of RFC 6962 trees: leaves and inner nodes begin with different bytes, so that no inner node can be shown
/// as a leaf.
///
/// > Source: RFC 6962, section 2.1.
struct MerkleNode: Sendable {
    let hash: MerkleHash
    /// Kept from call to call: a list has millions of leaves.
    private var scratch: [UInt8] = []

    init(hash: @escaping MerkleHash) { self.hash = hash }

    mutating func leaf(_ item: Span<UInt8>) -> Digest {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(0)
        for index in item.indices { scratch.append(item[index]) }
        return hash(scratch.span)
    }

    /// The leaf of an item that is named by its digest.
    mutating func leaf(_ item: Digest) -> Digest {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(0)
        item.append(to: &scratch)
        return hash(scratch.span)
    }

    mutating func inner(_ left: Digest, _ right: Digest) -> Digest {
        scratch.removeAll(keepingCapacity: true)
        scratch.append(1)
        left.append(to: &scratch)
        right.append(to: &scratch)
        return hash(scratch.span)
    }
}
