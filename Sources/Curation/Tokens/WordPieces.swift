/// BERT's word pieces: the longest piece of the vocabulary that a word begins with, then the longest that continues it.
///
/// > Source: Devlin et al., "BERT" (2018), after Schuster and Nakajima (2012). A word that cannot be cut, or is too long,
/// > is one unknown token.
struct WordPieces: Sendable {
    /// Pieces that begin a word.
    var first = PieceTree()
    /// Pieces that continue one, without their prefix.
    var next = PieceTree()
    var charactersMax = 100

    func count(_ word: Span<UInt8>) -> Int {
        var characters = 0
        for place in word.indices where word[place] & 0xC0 != 0x80 { characters += 1 }
        guard characters <= charactersMax else { return 1 }
        var count = 0
        var at = 0
        while at < word.count {
            let tree = at == 0 ? first : next
            var node = 0
            var end = at
            var longest = at
            while end < word.count, let further = tree.next(node, word[end]) {
                node = further
                end += 1
                if tree.pieces[node] != PieceTree.none { longest = end }
            }
            guard longest > at else { return 1 }
            at = longest
            count += 1
        }
        return count
    }
}
