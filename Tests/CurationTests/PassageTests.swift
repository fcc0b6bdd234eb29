import Curation
import Testing

/// Passages that stood before, found by some of them.
@Suite struct PassageTests {
    /// Texts of few letters, so that all lengths repeat, and stretches of others pasted into them.
    private static func texts(_ random: inout DuplicateRandom) -> [[UInt8]] {
        var texts: [[UInt8]] = []
        for index in 0..<24 {
            // One of them says one thing for ever.
            if index == 7 {
                texts.append(.init(repeating: UInt8(ascii: "a"), count: 700))
                continue
            }
            var text: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                if let other = texts.randomElement(using: &random), !other.isEmpty, Bool.random(using: &random) {
                    let start = Int.random(in: other.indices, using: &random)
                    text += other[start..<min(other.count, start + Int.random(in: 0..<300, using: &random))]
                } else {
                    text += (0..<Int.random(in: 0..<200, using: &random)).map { _ in
                        UInt8.random(in: 97...104, using: &random)
                    }
                }
            }
            texts.append(text)
        }
        return texts
    }

    private static func stretches(
        _ texts: [[UInt8]],
        _ selector: PassageSelector,
        firstOwn: Int
    ) -> [RepeatedStretch] {
        var entries: [PassageEntry] = []
        for (index, text) in texts.enumerated() {
            for passage in selector.passages(of: text.span) {
                entries.append(
                    PassageEntry(
                        hash: passage.hash.high,
                        check: UInt32(truncatingIfNeeded: passage.hash.low),
                        document: UInt64(index),
                        place: UInt32(passage.place)
                    )
                )
            }
        }
        var stretches: [RepeatedStretch] = []
        RepeatedPassages.find(among: &entries, bytesMin: selector.bytesMin, firstOwn: UInt64(firstOwn)) {
            stretches.append($0)
        }
        RepeatedPassages.join(&stretches)
        return stretches
    }

    @Test("what goes stood before, and all of a long stretch that did goes but for its ends", arguments: 0..<12)
    func bruteForce(_ round: Int) {
        var random = DuplicateRandom.ofTests(round)
        let texts = Self.texts(&random)
        let selector = PassageSelector(bytesMin: 40 + round)
        let (length, edge) = (selector.bytesMin, selector.stretchBytesMin - selector.bytesMin)
        let firstOwn = round % 3
        let stretches = Self.stretches(texts, selector, firstOwn: firstOwn)
        #expect(!stretches.isEmpty)
        /// Where each window stood first.
        func firsts(_ length: Int) -> [ArraySlice<UInt8>: (document: Int, place: Int)] {
            var firsts: [ArraySlice<UInt8>: (document: Int, place: Int)] = [:]
            for (document, text) in texts.enumerated() where text.count >= length {
                for place in 0...text.count - length where firsts[text[place..<place + length]] == nil {
                    firsts[text[place..<place + length]] = (document, place)
                }
            }
            return firsts
        }
        let short = firsts(length)
        let long = firsts(selector.stretchBytesMin)
        for (document, text) in texts.enumerated() {
            let own = stretches.filter { $0.document == UInt64(document) }.map(\.range)
            #expect(document >= firstOwn || own.isEmpty)
            var stood = Set<Int>()
            if text.count >= length {
                for place in 0...text.count - length {
                    guard let first = short[text[place..<place + length]], first != (document, place) else { continue }
                    stood.formUnion(place..<place + length)
                }
            }
            for range in own { #expect(stood.isSuperset(of: range)) }
            guard document >= firstOwn, text.count >= selector.stretchBytesMin else { continue }
            // Every window that stood in an earlier document has a passage in it that goes.
            for place in 0...text.count - selector.stretchBytesMin {
                let window = place..<place + selector.stretchBytesMin
                guard let first = long[text[window]], first.document < document else { continue }
                #expect(own.contains { $0.overlaps(window) && $0.count >= length - edge })
            }
        }
    }

    @Test("a stretch is found wherever it begins, and no character is cut", arguments: 0..<6)
    func edges(_ round: Int) {
        var random = DuplicateRandom.ofTests(round)
        let alphabet = Array("中丮乮é😀ab")
        func text(_ count: Int) -> String {
            String((0..<count).map { _ in alphabet.randomElement(using: &random) ?? "a" })
        }
        let selector = PassageSelector(bytesMin: 100)
        let shared = text(200)
        let texts = [text(31) + shared + text(40), text(7 * round) + shared, shared + text(11), text(30)]
            .map { Array($0.utf8) }
        let stretches = Self.stretches(texts, selector, firstOwn: 0)
        #expect(Set(stretches.map(\.document)) == [1, 2])
        for (document, text) in texts.enumerated() {
            let own = stretches.filter { $0.document == UInt64(document) }.map(\.range)
            let parts = selector.removals(of: text.span, stretches: own)
            var left: [UInt8] = []
            TextRemoval.write(text.span, without: parts, into: &left)
            #expect(String(validating: left, as: UTF8.self) != nil)
            guard !own.isEmpty else { continue }
            #expect(text.count - left.count >= shared.utf8.count - 2 * 25 - 6)
        }
    }

    @Test("what is shorter than a stretch is never looked at, and limits hold")
    func short() {
        let selector = PassageSelector(bytesMin: 40)
        let text = [UInt8](repeating: 0x61, count: selector.stretchBytesMin - 1)
        #expect(selector.passages(of: text.span).isEmpty && selector.passages(of: [UInt8]().span).isEmpty)
        #expect(!selector.passages(of: (text + [0x61]).span).isEmpty)
        #expect(PassageSelector(bytesMin: 0).bytesMin == 40 && PassageSelector(bytesMin: .max).bytesMin == 100_000)
        #expect(selector.removals(of: text.span, stretches: [100..<200]).isEmpty)
    }
}
