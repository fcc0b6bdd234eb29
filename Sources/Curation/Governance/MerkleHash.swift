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

extension Digest {
    /// The 32 bytes.
    ///
    /// A digest is four words whose most significant byte comes first, and gives them out as hexadecimal text only; a
    /// tree over 10^7 items needs them 2 * 10^7 times without a string each. A test holds this to the text.
    func append(to out: inout [UInt8]) {
        withUnsafeBytes(of: self) { raw in
            for index in 0..<4 {
                let word = raw.load(fromByteOffset: index * 8, as: UInt64.self)
                withUnsafeBytes(of: word.bigEndian) { out.append(contentsOf: $0) }
            }
        }
    }
}
