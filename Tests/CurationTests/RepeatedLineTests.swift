import Curation
import Testing

@Suite struct RepeatedLineTests {
    @Test("lines met too often go, and the first stays if it shall")
    func lines() {
        let texts = [
            "Copyright 2026. All rights reserved.\nalpha has a line of its own\n",
            "beta has a line of its own\ncopyright 2026, all rights reserved",
            "COPYRIGHT 2026 ALL RIGHTS RESERVED\n}\n}\n}\ngamma has a line of its own",
        ]
        #expect(
            cleaned(texts, seenMax: 1, keepsFirst: true)
                == [texts[0], "beta has a line of its own", "}\n}\n}\ngamma has a line of its own"]
        )
        #expect(cleaned(texts, seenMax: 2, keepsFirst: false)[0] == "alpha has a line of its own\n")
        #expect(cleaned(texts, seenMax: 3, keepsFirst: true) == texts)
    }

    @Test(
        "what stays is tidy",
        arguments: [
            ("X\nkept", "kept"), ("X\n\n\nkept\n", "kept\n"), ("kept\n\nX\n\nkept", "kept\n\nkept"),
            ("kept\nX\nkept", "kept\nkept"),
            ("kept\n\n\nX\n\nX\nkept", "kept\n\n\nkept"), ("kept\nX\n\n\n", "kept\n"), ("kept\nX", "kept"),
            ("kept\n\n X", "kept"),
            ("kept\r\nX\r\nkept\r\n", "kept\r\nkept\r\n"), ("kept\r\nX", "kept"), ("X", ""), ("X\n", ""),
            ("\n\nX\n\n", ""), ("", ""),
            ("\n\nkept\n\n\n", "\n\nkept\n\n\n"), ("kept\n　\nX\n \t\nkept", "kept\n　\nkept"), ("X\nX\nkept", "kept"),
        ]
    )
    func tidy(_ text: String, _ expected: String) {
        let line = "版权所有 未经许可不得转载"
        let text = text.replacing("X", with: line)
        #expect(cleaned([line, line, text], seenMax: 1, keepsFirst: true)[2] == expected)
    }

    @Test("a paragraph goes as a whole, and only then")
    func paragraphs() {
        let paragraph = "first line of the paragraph\nsecond line of it"
        let texts = [paragraph, "before it\n\n" + paragraph + "\n\nafter it", paragraph + "\nthird line"]
        #expect(
            cleaned(texts, unit: .paragraph, seenMax: 1, keepsFirst: true) == [
                paragraph, "before it\n\nafter it", texts[2],
            ]
        )
    }

    @Test("a line repeated within one document stays once")
    func within() {
        let line = "the very same line of words"
        #expect(cleaned([line + "\n" + line + "\n" + line], seenMax: 2, keepsFirst: true) == [line])
        #expect(cleaned([line + "\n" + line + "\n" + line], seenMax: 2, keepsFirst: false) == [""])
    }

    @Test("a line of any length has a hash, and pieces of a line have none of their own")
    func longLines() {
        let long = (0..<3000).map { "w\($0)" }.joined(separator: " ")
        let texts = [long, long + " and more", "and " + long, long]
        #expect(cleaned(texts, seenMax: 1, keepsFirst: true) == [texts[0], texts[1], texts[2], ""])
    }

    @Test("any bytes are cleaned without a trap, and parts are ascending and apart")
    func bytes() {
        var random = DuplicateRandom.ofTests(0)
        let settings = RepeatedLineSettings(unit: .paragraph, seenMax: 1, letterBytesMin: 1, keepsFirst: true)
        let scanner = LineScanner(settings)
        let alphabet: [UInt8] = [0x0A, 0x0A, 0x61, 0x62, 0x20, 0xE3, 0x80, 0x80, 0xC2, 0xA0, 0x0D, 0xFF]
        for _ in 0..<300 {
            let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            var entries: [LineEntry] = []
            scanner.appendLines(of: text.span, document: 0, to: &entries)
            scanner.appendLines(of: text.span, document: 1, to: &entries)
            var repeated = RepeatedLines()
            repeated.count(&entries, settings)
            var end = 0
            for part in scanner.removals(of: text.span, document: 1, repeated: repeated) {
                #expect(part.lowerBound >= end && !part.isEmpty)
                end = part.upperBound
            }
            #expect(end <= text.count)
        }
    }

    @Test("parts beyond a text or out of order do no harm")
    func parts() {
        var result: [UInt8] = []
        TextRemoval.write(Array("abcdef".utf8).span, without: [1..<3, 2..<4, 0..<1, 5..<90, 100..<200], into: &result)
        #expect(result == Array("ae".utf8))
    }

    private func cleaned(
        _ texts: [String],
        unit: RepeatedLineSettings.Unit = .line,
        seenMax: Int,
        keepsFirst: Bool
    ) -> [String] {
        let settings = RepeatedLineSettings(unit: unit, seenMax: seenMax, letterBytesMin: 12, keepsFirst: keepsFirst)
        let scanner = LineScanner(settings)
        var entries: [LineEntry] = []
        for (index, text) in texts.enumerated() {
            scanner.appendLines(of: Array(text.utf8).span, document: UInt64(index), to: &entries)
        }
        entries.reverse()
        var repeated = RepeatedLines()
        repeated.count(&entries, settings)
        return texts.enumerated().map { index, text in
            var result: [UInt8] = []
            let bytes = Array(text.utf8)
            let parts = scanner.removals(of: bytes.span, document: UInt64(index), repeated: repeated)
            TextRemoval.write(bytes.span, without: parts, into: &result)
            return String(decoding: result, as: UTF8.self)
        }
    }
}
