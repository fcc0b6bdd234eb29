/// A tree of the pieces of a vocabulary by their bytes, for the ones that a text begins with.
struct PieceTree: Sendable {
    /// From a node and a byte to the next node; node 0 is the root.
    private var edges = WordTable(capacity: 16)
    /// The piece that ends at each node; `none` for none.
    private(set) var pieces: [UInt32] = [Self.none]

    static let none = UInt32.max

    mutating func insert(_ bytes: [UInt8], _ piece: UInt32) {
        var node = 0
        for byte in bytes {
            let key = UInt64(node) << 8 | UInt64(byte)
            if let next = edges[key] {
                node = Int(next)
            } else {
                edges.set(key, UInt32(pieces.count))
                node = pieces.count
                pieces.append(Self.none)
            }
        }
        pieces[node] = piece
    }

    @inline(__always)
    func next(_ node: Int, _ byte: UInt8) -> Int? { edges[UInt64(node) << 8 | UInt64(byte)].map(Int.init) }
}
