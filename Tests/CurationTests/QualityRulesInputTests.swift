import Core
import Curation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

/// Input that nobody should write, but somebody will.
@Suite struct QualityRulesInputTests {
    private func judge(_ bytes: [UInt8]) -> [QualityRules.Verdict] {
        var rules = QualityRules(.init())
        var findings: [QualityFinding] = []
        var edited: [UInt8] = []
        return [QualityRules.Language.other, .chinese].map {
            let verdict = rules.judge(bytes.span, language: $0, into: &findings, edited: &edited)
            #expect(!findings.contains { $0.measured.isNaN })
            return verdict
        }
    }

    @Test("nothing, one byte and broken bytes are judged") func small() {
        #expect(judge([]) == [.dropped(.repetitionEmpty), .dropped(.chineseLength)])
        for byte in UInt8.min...UInt8.max { _ = judge([byte]) }
        for tail: [UInt8] in [
            [0xE2], [0xE2, 0x80], [0xF0, 0x9F, 0x98], [0xC2], [0xFF, 0x80, 0x80], [0xF7, 0xBF, 0xBF, 0xBF],
        ] {
            _ = judge(Array("a word. ".utf8) + tail)
        }
        #expect(judge(Array(repeating: 0x0A, count: 100))[0] == .dropped(.duplicateLines))
        #expect(judge(Array(repeating: 0x20, count: 100))[1] == .dropped(.chineseLength))
    }

    @Test("any bytes end in a verdict, and the same bytes in the same") func anyBytes() {
        let seed =
            getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: 0...UInt64.max)
        print("seed \(seed)")
        var dice = SplitMix(seed: seed)
        let alphabet = Array("ab.,:;()'-/@ \n\tZ9$%+#{[]}…—’中。\u{85}\u{2028}".utf8) + [0xC0, 0xE2, 0xF4, 0xFF, 0x80]
        for _ in 0..<300 {
            let count = Int.random(in: 0...200, using: &dice)
            let bytes = (0..<count).map { _ in
                Bool.random(using: &dice)
                    ? alphabet[Int.random(in: 0..<alphabet.count, using: &dice)] : .random(in: 0...255, using: &dice)
            }
            #expect(judge(bytes) == judge(bytes), "seed \(seed)")
        }
    }

    @Test("a text beyond the limit is dropped unseen") func tooLarge() {
        let bytes = [UInt8](repeating: 0x61, count: QualityRules.chineseTextLimitBytes + 1)
        #expect(judge(bytes) == [.dropped(.tooLarge), .dropped(.tooLarge)])
    }

    @Test(
        "what makes patterns run for ever is done in time that grows with its length",
        arguments: [
            "😀", "a.", "@a", "...", "(", "\"'", ":)", "a-", "1km", "http://", "[1", "…", "z", "12.", "a b ", "\n", "\r",
            "中",
        ]
    )
    func hostile(_ unit: String) {
        func seconds(_ count: Int) -> Double {
            let bytes = Array(repeatElement(Array(unit.utf8), count: count / unit.utf8.count).joined())
            var before = timespec()
            var after = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before)
            _ = judge(bytes)
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after)
            return Double(after.tv_sec - before.tv_sec) + Double(after.tv_nsec - before.tv_nsec) / 1e9
        }
        // Eight times the text in far less than 64 times the time.
        let short = seconds(4_000)
        let long = seconds(32_000)
        #expect(long < max(0.05, short * 30), "\(short) s for 4,000 bytes, \(long) s for 32,000")
    }
}
