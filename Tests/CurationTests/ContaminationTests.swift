import Curation
import Foundation
import Testing

@Suite struct ContaminationTests {
    static let table = NormalizationTable()

    static func index(_ items: [String], _ grams: ContaminationGrams = .standard) -> ContaminationIndex {
        var builder = ContaminationBuilder(table: table, grams: grams)
        for item in items { _ = builder.add(Array(item.utf8).span) }
        return builder.index()
    }

    static func found(_ index: ContaminationIndex, _ text: String) -> [ContaminationMatch] {
        var scanner = ContaminationScanner(index: index)
        var matches: [ContaminationMatch] = []
        scanner.scan(Array(text.utf8).span, into: &matches)
        return matches
    }

    static let chinese = "下列关于细胞膜结构和功能的叙述中，正确的是哪一项？请说明理由并举出两个例子。"
    static let english =
        "Which of the following statements about the structure of the cell membrane is correct? Give two reasons."

    @Test(
        "an item is found in another script, width, case and punctuation",
        arguments: [
            "前面的话。下列關於細胞膜結構和功能的敘述中，正確的是哪一項？請說明理由並舉出兩個例子。后面的话",
            "前面：下列 关于 细胞膜 结构 和 功能 的 叙述 中 正确的是哪一项 请说明理由并举出两个例子",
            "“下列关于细胞膜结构和功能的叙述中——正确的是哪一项！”请说明理由，并举出两个例子…",
            "题目 下列关于细\u{200B}胞膜结构和功能的叙述中,正确的是哪一项?\n请说明理由并举出两个例子.",
            "SEE: WHICH OF THE FOLLOWING STATEMENTS ABOUT THE STRUCTURE OF THE CELL MEMBRANE IS CORRECT — GIVE TWO REASONS",
            "Ｗｈｉｃｈ of the following statements about the structure\nof the cell-membrane is “correct”? Give  two reasons!",
        ]
    )
    func written(text: String) {
        let matches = Self.found(Self.index(["其他的题目与此无关", Self.chinese, Self.english]), text)
        #expect(matches.count == 1)
        #expect(matches.first?.share == 1)
        #expect(matches.first.map { $0.item > 0 } == true)
    }

    @Test("a stretch is told with its place and its share of the item; shorter runs in common are not told")
    func stretches() throws {
        let index = Self.index([Self.english])
        let text =
            "It asks: statements about the structure of the cell membrane is correct? Give two reasons. And so on."
        let match = try #require(Self.found(index, text).first)
        #expect(
            String(decoding: Array(text.utf8)[match.start..<match.end], as: UTF8.self).hasPrefix("statements about")
        )
        #expect(String(decoding: Array(text.utf8)[match.start..<match.end], as: UTF8.self).hasSuffix("two reasons"))
        #expect(match.covered == 13 && match.total == 17)
        #expect(
            Self.found(index, "the structure of the cell membrane is correct, and the following statements about it")
                .isEmpty
        )
        #expect(Self.found(index, "").isEmpty)
    }

    @Test("a short item is found when all of it is there, and one that is too short is not looked for")
    func short() {
        let index = Self.index(["What is the capital city of the French Republic?", "Why?", "中华人民共和国的首都是哪一座城市"])
        #expect(index.shortItems == [1])
        #expect(Self.found(index, "q: what is the capital city of the french republic").map(\.item) == [0])
        #expect(Self.found(index, "what is the capital city of the french colony").isEmpty)
        #expect(Self.found(index, "问：中華人民共和國的首都是哪一座城市？").map(\.item) == [2])
        #expect(Self.found(index, "why").isEmpty)
    }

    @Test("what all items say is no item's own")
    func common() {
        let phrase = "Choose the right answer from the four options below and write its letter in the box on the left"
        let index = Self.index((0..<12).map { "\(phrase) item number \($0) has the subject of \($0 * 17)" })
        #expect(index.commonRunCount > 0)
        #expect(Self.found(index, phrase).isEmpty)
    }

    @Test("a contaminated text is reported, cut or dropped")
    func actions() {
        var scanner = ContaminationScanner(index: Self.index([Self.chinese]))
        var matches: [ContaminationMatch] = []
        var output: [UInt8] = []
        let text = Array("甲。\(Self.chinese)乙。".utf8)
        #expect(
            scanner.clean(text.span, policy: ContaminationPolicy(.report), matches: &matches, into: &output)
                == .unchanged
        )
        #expect(matches.count == 1)
        #expect(
            scanner.clean(text.span, policy: ContaminationPolicy(.drop), matches: &matches, into: &output) == .dropped
        )
        #expect(scanner.clean(text.span, policy: ContaminationPolicy(.cut), matches: &matches, into: &output) == .cut)
        #expect(String(decoding: output, as: UTF8.self) == "甲。。乙。")
    }

    @Test("the index finds exactly the runs that a plain comparison finds, on random texts")
    func plainComparison() {
        let seed = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_129
        print("ONEPOINT_TEST_SEED=\(seed)")
        var random = PersonalScannerTests.SplitMix(state: seed)
        func words(_ count: Int) -> [String] { (0..<count).map { _ in ["a", "bb", "ccc"][Int(random.next() % 3)] } }
        for _ in 0..<30 {
            let item = words(12)
            let text = words(40)
            let index = Self.index(
                [item.joined(separator: " ")],
                ContaminationGrams(words: 4, characters: 4, shortWords: 4)
            )
            // Of a run that the item has twice, the first is what is looked for.
            let runs = (0...item.count - 4).filter { k in
                !(0..<k).contains { item[$0..<$0 + 4].elementsEqual(item[k..<k + 4]) }
            }
            var covered = Set<Int>()
            for i in 0...text.count - 4 {
                for k in runs where text[i..<i + 4].elementsEqual(item[k..<k + 4]) { covered.formUnion(k..<k + 4) }
            }
            let matches = Self.found(index, text.joined(separator: ", "))
            #expect(matches.first?.covered ?? 0 == covered.count, "\(item) in \(text)")
        }
    }

    @Test("any bytes end in a result")
    func hostile() {
        var builder = ContaminationBuilder(table: Self.table)
        for bytes in [
            [], [0xFF], [0xE4, 0xB8], Array(repeating: 0xC3, count: 99), Array(repeating: 0x61, count: 1000),
        ] as [[UInt8]] {
            #expect(builder.add(bytes.span) != nil)
        }
        _ = builder.add(Array(String(repeating: "重", count: 1000).utf8).span)
        var scanner = ContaminationScanner(index: builder.index())
        var matches: [ContaminationMatch] = []
        scanner.scan(Array(String(repeating: "重复", count: 2000).utf8).span, into: &matches)
        scanner.scan(Array(String(repeating: "重", count: 2000).utf8).span, into: &matches)
        #expect(matches.contains { $0.share == 1 })
        for count in 0..<60 {
            scanner.scan(Array(repeating: UInt8(0xE0 + count % 30), count: count).span, into: &matches)
        }
        var empty = ContaminationScanner(index: ContaminationBuilder(table: Self.table).index())
        empty.scan(Array("nothing to find".utf8).span, into: &matches)
    }
}
