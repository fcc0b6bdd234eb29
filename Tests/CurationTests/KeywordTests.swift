import Curation
import Foundation
import Testing

@Suite struct KeywordTests {
    static let table = NormalizationTable()

    static func pack(_ text: String) throws -> KeywordPack { try KeywordPack(Array(text.utf8).span, table: table) }

    static func found(_ pack: KeywordPack, _ text: String, _ policy: KeywordPolicy = .leftmostLongest) throws
        -> [String]
    {
        var scanner = try KeywordScanner(pack: pack, policy: policy)
        var matches: [KeywordMatch] = []
        let bytes = Array(text.utf8)
        scanner.scan(bytes.span, into: &matches)
        return matches.map {
            "\(pack.words[$0.word].text)=\(String(decoding: bytes[$0.start..<$0.end], as: UTF8.self))"
        }
    }

    @Test("a pack has words, categories and weights; comments and repeated forms are left out")
    func read() throws {
        let pack = try Self.pack("\u{FEFF}# pack\n赌博\tgambling\t3\n賭博\tgambling\nCasino\tgambling\r\n\n敏感词\n刀\tarms\n")
        #expect(pack.words.map(\.text) == ["赌博", "Casino", "敏感词", "刀"])
        #expect(pack.words.map(\.weight) == [3, 1, 1, 1])
        #expect(pack.categories == ["gambling", "", "arms"])
        #expect(pack.counts.map(\.words) == [2, 1, 1])
        #expect(pack.duplicateCount == 1)
    }

    @Test("faults of a pack are told with their lines")
    func faults() {
        #expect(throws: KeywordError.badLines([2, 3, 4, 5])) {
            try Self.pack("好\n\tx\n好\tx\t0\na\tb\tc\td\n\u{200B}\n")
        }
        #expect(throws: KeywordError.badLines([1])) { try KeywordPack([0xFF, 0xFE, 0x0A].span, table: Self.table) }
        #expect(throws: KeywordError.badLines([1])) { try Self.pack(String(repeating: "长", count: 100)) }
        #expect(throws: KeywordError.noWords) { try Self.pack("# nothing\n") }
    }

    @Test(
        "words are found however they are written, with the offsets of the original",
        arguments: [
            ("這是敏 感*詞。", ["敏感词=敏 感*詞"]), ("去ＣＡＳＩＮＯ玩", ["Casino=ＣＡＳＩＮＯ"]), ("casinos and Casino!", ["Casino=Casino"]),
            ("class, pass, ASS", ["ass=ASS"]), ("大ass大", ["ass=ass"]), ("賭\u{200B}博", ["赌博=賭\u{200B}博"]), ("赌，博", []),
            ("éass assé", []),
            ("赌博网站", ["赌博网站=赌博网站"]), ("", []),
        ]
    )
    func matches(text: String, expected: [String]) throws {
        let pack = try Self.pack("赌博\n赌博网站\n博网\nCasino\nass\n敏感词\n")
        #expect(try Self.found(pack, text) == expected)
    }

    @Test("all overlapping words are reported when asked for, else the leftmost longest")
    func overlaps() throws {
        let pack = try Self.pack("赌博\n赌博网站\n博网\n网站\n")
        #expect(try Self.found(pack, "赌博网站", .all) == ["赌博网站=赌博网站", "赌博=赌博", "博网=博网", "网站=网站"])
        #expect(try Self.found(pack, "赌博网站") == ["赌博网站=赌博网站"])
        #expect(try Self.found(pack, "赌博网") == ["赌博=赌博"])
    }

    @Test("the scanner finds what a plain search finds, on random words and texts")
    func plainSearch() throws {
        let seed = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_129
        print("ONEPOINT_TEST_SEED=\(seed)")
        var random = PersonalScannerTests.SplitMix(state: seed)
        let letters = ["天", "地", "人", "和", "水"]
        func word(_ count: Int) -> String { (0..<count).map { _ in letters[Int(random.next() % 5)] }.joined() }
        for _ in 0..<10 {
            let words = Set((0..<6).map { _ in word(Int(random.next() % 3) + 2) }).sorted()
            let pack = try Self.pack(words.joined(separator: "\n"))
            let text = Array(word(60).utf8)
            var expected: [String] = []
            for start in stride(from: 0, to: text.count, by: 3) {
                for word in words.sorted(by: { $0.utf8.count > $1.utf8.count })
                where text[start...].starts(with: Array(word.utf8)) {
                    expected.append("\(word)=\(word)")
                }
            }
            #expect(try Self.found(pack, String(decoding: text, as: UTF8.self), .all) == expected)
        }
    }

    @Test("a text of nothing but matches is cut at the limit and says so")
    func truncated() throws {
        let pack = try Self.pack("水\n")
        var scanner = try KeywordScanner(pack: pack, policy: .leftmostLongest)
        var matches: [KeywordMatch] = []
        scanner.scan(Array(String(repeating: "水", count: 1000).utf8).span, into: &matches)
        #expect(matches.count == 1000 && !scanner.isTruncated)
    }
}
