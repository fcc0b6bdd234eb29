public import Core

/// The root of a list of items, taken in one by one: what a sample is drawn against, and what it can be held to later.
///
/// Keeps one digest for each complete subtree, as many as the count has binary ones: 24 for 10^7 items.
///
/// > Source: RFC 6962, section 2.1: the tree of `n` leaves splits at the largest power of two below `n`.
public struct MerkleTree: Sendable {
    private var node: MerkleNode
    /// Roots of complete subtrees, from the largest to the smallest; their sizes are the binary ones of `count`.
    private var subtrees: [Digest] = []
    /// Items so far.
    public private(set) var count = 0

    /// - Parameter hash: SHA-256.
    public init(hash: @escaping MerkleHash) { node = MerkleNode(hash: hash) }

    /// Takes in the next item by its bytes: its id, or its line of the list.
    public mutating func append(_ item: Span<UInt8>) { append(leaf: node.leaf(item)) }

    /// Takes in the next item by the digest of its content.
    public mutating func append(_ item: Digest) { append(leaf: node.leaf(item)) }

    private mutating func append(leaf: Digest) {
        var running = leaf
        var rest = count
        while rest & 1 == 1, let left = subtrees.popLast() {
            running = node.inner(left, running)
            rest >>= 1
        }
        subtrees.append(running)
        count += 1
    }

    /// The root of what was taken in so far; of nothing it is the hash of nothing.
    public var root: Digest {
        var node = node
        guard var running = subtrees.last else {
            let empty: [UInt8] = []
            return node.hash(empty.span)
        }
        for left in subtrees.dropLast().reversed() { running = node.inner(left, running) }
        return running
    }
}
