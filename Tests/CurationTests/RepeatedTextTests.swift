import Curation
import Testing

@Suite struct RepeatedTextTests {
    @Test("words that stand in an earlier run of as many go, and no others", arguments: 0..<8)
    func wordsBruteForce(_ round: Int) throws {
        var random = DuplicateRandom.ofTests(round)
        let length = 1 + round
        let texts = (0..<12).map { _ in
            (0..<Int.random(in: 0..<60, using: &random)).map { _ in ["a", "b", "c"].randomElement(using: &random) ?? ""
            }
        }
        var repeated = RepeatedText(.words(length))
        for (index, text) in texts.enumerated() {
            #expect(append(Array(text.joined(separator: " ").utf8), UInt64(100 + index), to: &repeated))
        }
        var expected: Set<[Int]> = []
        var first: [[String]: (document: Int, place: Int)] = [:]
        for (document, text) in texts.enumerated() where text.count >= length {
            for place in 0...text.count - length {
                let run = Array(text[place..<place + length])
                guard let earlier = first[run] else {
                    first[run] = (document, place)
                    continue
                }
                let from = earlier.document == document ? max(place, earlier.place + length) : place
                for word in from..<max(from, place + length) { expected.insert([document, word]) }
            }
        }
        var found: Set<[Int]> = []
        for removal in try repeated.removals() {
            // Words are of one letter with a space between.
            for offset in removal.range where offset % 2 == 0 {
                found.insert([Int(removal.document) - 100, offset / 2])
            }
        }
        #expect(found == expected)
    }

    @Test("passages are cut between characters, and what is left is text", arguments: [1, 2, 5, 9])
    func bytesBruteForce(_ length: Int) throws {
        var random = DuplicateRandom.ofTests(length)
        let alphabet = Array("中丮乮é😀a")
        let texts = (0..<10).map { _ in
            String(
                (0..<Int.random(in: 0..<40, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "a" }
            )
        }
        var repeated = RepeatedText(.bytes(length))
        for (index, text) in texts.enumerated() {
            #expect(append(Array(text.utf8), UInt64(index), to: &repeated))
        }
        let removals = try repeated.removals()
        #expect(!removals.isEmpty)
        for (index, text) in texts.enumerated() {
            var left: [UInt8] = []
            let parts = removals.filter { $0.document == UInt64(index) }.map(\.range)
            TextRemoval.write(Array(text.utf8).span, without: parts, into: &left)
            #expect(String(validating: left, as: UTF8.self) != nil)
            for part in parts { #expect(part.upperBound <= text.utf8.count) }
        }
        #expect(removals.allSatisfy { $0.document > 0 || !$0.range.contains(0) })
    }

    @Test("whole sentences go rather than parts of them")
    func sentences() throws {
        let sentence = "It was a bright cold day in April, and the clocks were striking thirteen."
        #expect(
            try left(
                ["He said: \(sentence) Nothing else.", "She did not. \(sentence) So it ends."],
                .words(8)
            )[1]
                == "She did not. So it ends."
        )
        let chinese = "床前明月光，疑是地上霜。举头望明月，低头思故乡。"
        #expect(try left(["李白：\(chinese)", "杜甫说过：“\(chinese)”后来不说了。"], .words(10))[1] == "杜甫说过：“”后来不说了。")
        #expect(try left(["甲乙。\(chinese)", "丙丁。\(chinese)戊己。"], .bytes(30))[1] == "丙丁。戊己。")
        #expect(try left(["one 1.5 two three four", "five 1.5 two three four six"], .words(4))[1] == "five  six")
    }

    @Test("what repeats itself stays once")
    func selfOverlap() throws {
        #expect(try left([String(repeating: "ab", count: 50)], .bytes(10)) == ["ababababab"])
        let text = Array(repeating: "again", count: 100).joined(separator: " ")
        #expect(try left([text], .words(4)) == ["again again again again "])
    }

    @Test("a chunk is full at its limit, and empty after it was used")
    func chunks() throws {
        var repeated = RepeatedText(.bytes(4), chunkBytesMax: 10)
        #expect(append(Array("abcdef".utf8), 0, to: &repeated))
        #expect(!append(Array("abcde".utf8), 1, to: &repeated))
        #expect(append(Array("abcd".utf8), 1, to: &repeated))
        #expect(try repeated.removals() == [PassageRemoval(document: 1, range: 0..<4)])
        #expect(append(Array("abcdefghij".utf8), 2, to: &repeated))
        #expect(try repeated.removals().isEmpty)
        #expect(try repeated.removals().isEmpty)
    }

    @Test("nothing repeats across the border of two documents")
    func borders() throws {
        #expect(try left(["abc", "def", "abcdef"], .bytes(6)) == ["abc", "def", "abcdef"])
        #expect(try left(["", "!!", "a", "", "a"], .words(1)) == ["", "!!", "a", "", ""])
    }

    @Test("any bytes end in a result, in linear time where all is one")
    func bytes() throws {
        var random = DuplicateRandom.ofTests(20)
        for round in 0..<200 {
            var repeated = RepeatedText(round % 2 == 0 ? .bytes(3) : .words(2))
            for document in 0..<3 {
                let text = (0..<Int.random(in: 0..<50, using: &random)).map { _ in
                    [0x2E, 0x20, 0xE3, 0x80, 0x82, 0x61, 0xEF, 0x0A].randomElement(using: &random) ?? UInt8(0)
                }
                #expect(append(text, UInt64(document), to: &repeated))
            }
            var last = (document: UInt64(0), end: 0)
            for removal in try repeated.removals() {
                let isLater = removal.document > last.document || removal.range.lowerBound >= last.end
                #expect(isLater && !removal.range.isEmpty)
                last = (removal.document, removal.range.upperBound)
            }
        }
        let one = [UInt8](repeating: 0x61, count: 200_000)
        var repeated = RepeatedText(.bytes(1000))
        #expect(append(one, 0, to: &repeated))
        #expect(try repeated.removals() == [PassageRemoval(document: 0, range: 1000..<200_000)])
    }

    private func append(_ text: [UInt8], _ number: UInt64, to repeated: inout RepeatedText) -> Bool {
        repeated.append(text.span, number: number)
    }

    private func left(_ texts: [String], _ length: RepeatedTextLength) throws -> [String] {
        var repeated = RepeatedText(length)
        for (index, text) in texts.enumerated() {
            #expect(append(Array(text.utf8), UInt64(index), to: &repeated))
        }
        let removals = try repeated.removals()
        return texts.enumerated().map { index, text in
            var left: [UInt8] = []
            let parts = removals.filter { $0.document == UInt64(index) }.map(\.range)
            TextRemoval.write(Array(text.utf8).span, without: parts, into: &left)
            return String(decoding: left, as: UTF8.self)
        }
    }
}
