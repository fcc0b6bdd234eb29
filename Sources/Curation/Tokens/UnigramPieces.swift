/// The unigram model: of all ways to cut a text into pieces, the one of the highest sum of scores.
///
/// > Source: Kudo, "Subword Regularization" (2018), section 3.2, by Viterbi's algorithm. The score of an unknown
/// > character, 10 below the least, is SentencePiece's.
struct UnigramPieces: Sendable {
    var tree = PieceTree()
    var scores: [Double] = []
    var unknown: UInt32?
    /// Whether unknown bytes are pieces of their own.
    var hasBytes = false

    private var best: [Double] = []
    private var start: [Int32] = []
    private var piece: [UInt32] = []
    private var leastScore = 0.0

    /// To be called when the scores are all there.
    mutating func prepare() { leastScore = scores.min() ?? 0 }

    mutating func count(_ text: Span<UInt8>) -> Int {
        let size = text.count
        guard size > 0 else { return 0 }
        if best.count <= size {
            best = [Double](repeating: 0, count: 2 * size + 2)
            start = [Int32](repeating: -1, count: 2 * size + 2)
            piece = [UInt32](repeating: PieceTree.none, count: 2 * size + 2)
        }
        for place in 0...size { start[place] = -1 }
        best[0] = 0
        var at = 0
        while at < size {
            let next = text.scalar(at: at).next
            var node = 0
            var isCovered = false
            var end = at
            while end < size, let further = tree.next(node, text[end]) {
                node = further
                end += 1
                let found = tree.pieces[node]
                guard found != PieceTree.none else { continue }
                offer(end, from: at, found, best[at] + scores[Int(found)])
                if end == next { isCovered = true }
            }
            if !isCovered { offer(next, from: at, PieceTree.none, best[at] + leastScore - 10) }
            at = next
        }
        return tokens(text)
    }

    private mutating func offer(_ end: Int, from at: Int, _ found: UInt32, _ score: Double) {
        guard start[end] < 0 || score > best[end] else { return }
        best[end] = score
        start[end] = Int32(at)
        piece[end] = found
    }

    /// Counts backwards along the best cut; unknown characters in a row are one token, or as many as they have bytes.
    private func tokens(_ text: Span<UInt8>) -> Int {
        var count = 0
        var wasUnknown = false
        var end = text.count
        while end > 0, start[end] >= 0 {
            let isUnknown = piece[end] == PieceTree.none || piece[end] == unknown
            if isUnknown, hasBytes {
                count += end - Int(start[end])
            } else if !isUnknown || !wasUnknown {
                count += 1
            }
            wasUnknown = isUnknown
            end = Int(start[end])
        }
        return count
    }
}
