import Curation
import Testing

@Suite struct ExactHasherTests {
    private var hasher = ExactHasher()

    @Test("a text that is normal already has the plain hash")
    mutating func plain() {
        for text in ["", "a", "a b", "plain text, of more than sixteen bytes; 中文也好。", "é"] {
            let bytes = Array(text.utf8)
            #expect(hasher.hash(bytes.span) == TextHash(bytes.span))
        }
    }

    @Test(
        "case and white space do not count",
        arguments: [
            ("  Hello \r\n\t World\u{3000}", "hello world"), ("ÄÖÜ\u{A0}ΣΑΣ", "äöü σασ"), ("\u{2028}", ""),
            ("A LONG LINE  OF MORE THAN SIXTEEN BYTES \n", "a long line of more than sixteen bytes"),
            ("0123456789abcde 0123456789abcde  x", "0123456789abcde 0123456789abcde x"),
            ("0123456789abcde   ", "0123456789abcde"), ("\n 0123456789abcdef", "0123456789abcdef"),
        ]
    )
    mutating func normalised(_ text: String, _ normal: String) {
        #expect(hasher.hash(Array(text.utf8).span) == TextHash(Array(normal.utf8).span))
    }

    @Test("punctuation does, and so do bytes that are not UTF-8")
    mutating func different() {
        let texts: [[UInt8]] = [
            Array("a+b".utf8), Array("a-b".utf8), Array("a b".utf8), [0xFF], [0xFE], [0xE4, 0xB8], [],
        ]
        var hashes: Set<TextHash> = []
        for text in texts { hashes.insert(hasher.hash(text.span)) }
        #expect(hashes.count == texts.count)
    }

    @Test("a text in pieces has the hash of the whole, over blocks too")
    mutating func pieces() {
        var random = DuplicateRandom.ofTests(0)
        let alphabet = Array("aB  \n中文é😀-".unicodeScalars)
        for count in [10, 60_000] {
            var text: [UInt8] = []
            for _ in 0..<count {
                text.append(contentsOf: String(alphabet[Int.random(in: alphabet.indices, using: &random)]).utf8)
                if Int.random(in: 0..<8, using: &random) == 0 {
                    text.append(contentsOf: "sixteen ASCII bytes in a row ".utf8)
                }
            }
            text.append(0xE4)
            let whole = hasher.hash(text.span)
            for longest in [5, 70_000] {
                hasher.begin()
                var start = 0
                while start < text.count {
                    let end = min(text.count, start + Int.random(in: 1...longest, using: &random))
                    hasher.add(text.span.extracting(start..<end))
                    start = end
                }
                #expect(hasher.end() == whole)
            }
        }
    }

    @Test("of the documents with one hash the first stays")
    func removals() {
        let hashes = [3, 1, 3, 2, 1, 3].map { TextHash(high: $0, low: 7) }
        var entries = hashes.indices.reversed().map { ExactEntry(hash: hashes[$0], document: UInt64($0)) }
        #expect(
            ExactDuplicates.removals(among: &entries).map { [$0.document, $0.representative] } == [
                [4, 1], [2, 0], [5, 0],
            ]
        )
        #expect(ExactDuplicates.removals(among: &entries, firstOwn: 5).map { $0.document } == [5])
        entries = []
        #expect(ExactDuplicates.removals(among: &entries).isEmpty)
    }

    @Test("thirty thousand records sort, alike or not")
    func sorting() {
        var random = DuplicateRandom.ofTests(1)
        for bits: UInt64 in [0, 1, 12, 63] {
            var entries = (0..<30_000).map { index in
                let high = UInt64.random(in: 0..<1 << bits, using: &random)
                return ExactEntry(hash: TextHash(high: high, low: high / 3), document: UInt64(index))
            }
            entries.shuffle(using: &random)
            var first: [TextHash: UInt64] = [:]
            for entry in entries { first[entry.hash] = min(first[entry.hash] ?? .max, entry.document) }
            let removals = ExactDuplicates.removals(among: &entries)
            #expect(removals.count == entries.count - first.count)
            #expect(Set(removals.map(\.representative)).isSubset(of: Set(first.values)))
            #expect(zip(entries, entries.dropFirst()).allSatisfy { ($0.hash, $0.document) < ($1.hash, $1.document) })
        }
    }
}
