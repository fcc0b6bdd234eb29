/// Tokens that are found in the text before anything cuts it, each one token whatever stands around it.
struct AddedTokens: Sendable {
    struct Token: Sendable, Hashable {
        let content: [UInt8]
        /// Whether the white space before it, or after it, belongs to it.
        let takesLeft: Bool
        let takesRight: Bool
        /// Whether it counts only where no word goes on before or after it.
        let isWord: Bool
    }

    private var tokens: [Token] = []
    private var tree = PieceTree()
    /// Whether a token begins with a byte.
    private var begins = [Bool](repeating: false, count: 256)
    var isEmpty: Bool { tokens.isEmpty }

    init(_ all: [Token]) {
        for token in all {
            guard let first = token.content.first else { continue }
            tree.insert(token.content, UInt32(tokens.count))
            begins[Int(first)] = true
            tokens.append(token)
        }
    }

    /// The first token at or after a place: where it and the white space that it takes begin and end.
    ///
    /// - Parameter floor: What stands before belongs to the token before.
    func first(in text: Span<UInt8>, from floor: Int, _ classes: CharacterClasses) -> Range<Int>? {
        var at = floor
        while at < text.count {
            if begins[Int(text[at])], let (token, contentEnd) = longest(in: text, at: at, classes) {
                var (start, end) = (at, contentEnd)
                if token.takesLeft {
                    while start > floor, let before = text.spaceBefore(start, classes), before >= floor {
                        start = before
                    }
                }
                if token.takesRight {
                    while end < text.count {
                        let next = text.scalar(at: end)
                        guard classes.of(next.value) & CharacterClasses.space != 0 else { break }
                        end = next.next
                    }
                }
                return start..<end
            }
            at += 1
        }
        return nil
    }

    private func longest(in text: Span<UInt8>, at start: Int, _ classes: CharacterClasses) -> (Token, Int)? {
        var found: (Token, Int)?
        var node = 0
        var end = start
        while end < text.count, let next = tree.next(node, text[end]) {
            node = next
            end += 1
            let index = tree.pieces[node]
            guard index != PieceTree.none else { continue }
            let token = tokens[Int(index)]
            if !token.isWord || !joinsWord(text, start, end, classes) { found = (token, end) }
        }
        return found
    }

    private func joinsWord(_ text: Span<UInt8>, _ start: Int, _ end: Int, _ classes: CharacterClasses) -> Bool {
        if end < text.count, isWordCharacter(text.scalar(at: end).value, classes) { return true }
        guard start > 0 else { return false }
        return isWordCharacter(text.scalar(at: text.before(start)).value, classes)
    }

    private func isWordCharacter(_ value: UInt32, _ classes: CharacterClasses) -> Bool {
        let kinds = CharacterClasses.letter | CharacterClasses.number | CharacterClasses.mark
        return value == UInt32(UInt8(ascii: "_")) || classes.of(value) & kinds != 0
    }
}

extension Span<UInt8> {
    /// Where the character begins that ends at a place above 0.
    func before(_ place: Int) -> Int {
        var at = place - 1
        while at > 0, place - at < 4, self[at] & 0xC0 == 0x80 { at -= 1 }
        return at
    }

    /// Where the white space begins that ends at a place; `nil` when the character is none.
    fileprivate func spaceBefore(_ place: Int, _ classes: CharacterClasses) -> Int? {
        let at = before(place)
        return classes.of(scalar(at: at).value) & CharacterClasses.space != 0 ? at : nil
    }
}
