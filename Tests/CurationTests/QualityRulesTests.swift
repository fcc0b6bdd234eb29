import Core
import Curation
import Testing

#if canImport(Glibc)
    import Glibc
#endif

@Suite struct QualityRulesTests {
    /// What datatrove decided and measured on texts that `scripts/make-quality-fixture` made.
    private struct Case {
        let text: String
        let answer: JSON
    }

    private func cases() throws -> [Case] {
        let path =
            #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/") + "/Fixtures/Rules/english.jsonl"
        let file = try #require(fopen(path, "rb"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
        return try bytes.split(separator: 0x0A).map {
            let answer = try JSON(parsing: $0)
            return Case(text: answer["text"]?.stringValue ?? "", answer: answer)
        }
    }

    private func judge(
        _ text: String,
        _ filters: Set<QualityFilter>,
        strict: Bool = false,
        language: QualityRules.Language = .other
    ) -> (verdict: QualityRules.Verdict, findings: [QualityFinding], edited: String) {
        var configuration = QualityRules.Configuration(filters: filters)
        configuration.c4WantsLineEnds = strict
        var rules = QualityRules(configuration)
        var findings: [QualityFinding] = []
        var edited: [UInt8] = []
        let bytes = Array(text.utf8)
        let verdict = rules.judge(bytes.span, language: language, into: &findings, edited: &edited)
        return (verdict, findings, String(decoding: edited, as: UTF8.self))
    }

    private func reason(_ verdict: QualityRules.Verdict) -> String {
        if case .dropped(let rule) = verdict { rule.name } else { "" }
    }

    @Test("each filter decides as datatrove does, and measures the same") func datatrove() throws {
        let cases = try cases()
        #expect(cases.count > 50)
        for (number, item) in cases.enumerated() {
            let repetition = judge(item.text, [.gopherRepetition])
            #expect(reason(repetition.verdict) == item.answer["repetition"]?.stringValue, "text \(number)")
            let quality = judge(item.text, [.gopherQuality])
            #expect(reason(quality.verdict) == item.answer["quality"]?.stringValue, "text \(number)")
            let fineWeb = judge(item.text, [.fineWeb])
            #expect(reason(fineWeb.verdict) == item.answer["fineweb"]?.stringValue, "text \(number)")
            for finding in repetition.findings + quality.findings {
                guard let measured = item.answer["measured"]?[finding.rule.name]?.numberValue else { continue }
                #expect(finding.measured == measured, "\(finding.rule.name) of text \(number)")
            }
        }
    }

    @Test("C4 drops the lines that datatrove drops, and FineWeb judges what is left") func edits() throws {
        for (number, item) in try cases().enumerated() {
            let c4 = judge(item.text, [.c4])
            #expect(reason(c4.verdict) == item.answer["c4"]?.stringValue, "text \(number)")
            let strict = judge(item.text, [.c4], strict: true)
            #expect(reason(strict.verdict) == item.answer["c4_strict"]?.stringValue, "text \(number)")
            guard let edited = item.answer["edited"]?.stringValue else { continue }
            #expect(Array((c4.verdict == .kept ? item.text : c4.edited).utf8) == Array(edited.utf8), "text \(number)")
            let both = judge(item.text, [.c4, .fineWeb])
            #expect(reason(both.verdict) == item.answer["fineweb_of_edited"]?.stringValue, "text \(number)")
        }
    }

    @Test("a document is dropped by the same rule whether or not judging goes on behind it") func stopping() throws {
        var configuration = QualityRules.Configuration()
        var all = QualityRules(configuration)
        configuration.stopsAtFirstFailure = true
        var first = QualityRules(configuration)
        var findings: [QualityFinding] = []
        var edited: [UInt8] = []
        for item in try cases() {
            let bytes = Array(item.text.utf8)
            let whole = all.judge(bytes.span, language: .other, into: &findings, edited: &edited)
            #expect(first.judge(bytes.span, language: .other, into: &findings, edited: &edited) == whole)
            let last = findings.count - 1
            #expect(findings.firstIndex { !$0.passed } ?? last == last)
        }
    }

    @Test("lines about cookies, javascript and of a word or two go, and citations with them") func c4() {
        let text =
            "One two three.[1] \nWe use cookies here.\nenable JavaScript now\ntwo words\n\nAll went well. They came home. It was late! Who knew?"
        let result = judge(text, [.c4])
        #expect(result.verdict == .keptEdited)
        #expect(result.edited == "One two three.\nAll went well. They came home. It was late! Who knew?")
        #expect(judge(text + "\na { b c", [.c4]).verdict == .dropped(.curlyBracket))
        #expect(judge("lorem ipsum dolor\n" + text + "\na { b c", [.c4]).verdict == .dropped(.loremIpsum))
        #expect(judge("a { b c\nlorem ipsum dolor\n" + text, [.c4]).verdict == .dropped(.curlyBracket))
    }

    @Test("a threshold of the configuration takes the place of the rule's own") func thresholds() {
        var configuration = QualityRules.Configuration(filters: [.gopherQuality])
        configuration.thresholds = [.shortDocument: 3, .stopWords: 1]
        var rules = QualityRules(configuration)
        var findings: [QualityFinding] = []
        var edited: [UInt8] = []
        let text = Array("the house stands".utf8)
        #expect(rules.judge(text.span, language: .other, into: &findings, edited: &edited) == .kept)
        #expect(findings.first == QualityFinding(rule: .shortDocument, measured: 3, threshold: 3))
        let short = Array("the house".utf8)
        #expect(rules.judge(short.span, language: .other, into: &findings, edited: &edited) == .dropped(.shortDocument))
    }

    @Test("rules have numbers and names of their own") func catalogue() {
        #expect(Set(QualityRule.allCases.map { "\($0.filter.name)/\($0.name)" }).count == QualityRule.allCases.count)
        for filter in QualityFilter.allCases where filter != .size {
            #expect(QualityFilter(name: filter.name) == filter)
        }
        #expect(QualityFilter(name: "size") == nil)
        #expect(QualityRules.Language(code: "zh-Hant") == .chinese)
        #expect(QualityRules.Language(code: "zhu") == .other)
    }
}

@Suite struct QualityRulesOnChineseTests {
    private func judge(_ text: String) -> [QualityRule: QualityFinding] {
        var rules = QualityRules(.init(filters: [.chinese]))
        var findings: [QualityFinding] = []
        var edited: [UInt8] = []
        let bytes = Array(text.utf8)
        _ = rules.judge(bytes.span, language: .chinese, into: &findings, edited: &edited)
        return Dictionary(uniqueKeysWithValues: findings.map { ($0.rule, $0) })
    }

    private func failed(_ text: String) -> [QualityRule] {
        judge(text).values.filter { !$0.passed }.map(\.rule).sorted { $0.rawValue < $1.rawValue }
    }

    private let prose = "山下有一条小河，河水很清。每天早晨，老人都到河边散步，看看对岸的树。\n他说，这条河养活了三个村子，谁也不许弄脏它。"

    @Test("prose and verse stay, with and without marks, titles and authors") func kept() {
        #expect(failed(prose).isEmpty)
        #expect(failed("夜静\n无名\n山月照高楼，清风入小舟。\n远村灯火暗，独坐听江流。").isEmpty)
        #expect(failed("山月照高楼\n清风入小舟\n远村灯火暗\n独坐听江流").isEmpty)
    }

    @Test("menus, notices about rights, and what was decoded wrongly go") func dropped() {
        #expect(failed("首页\n新闻中心\n产品介绍\n联系方式\n加入我们\n网站公告").contains(.chineseMenuLines))
        let notice = "版权所有某某公司未经许可不得转载。\n京ICP备12345678号。\n点击登录。\n今天的天气很好。"
        #expect(failed(notice).contains(.chineseBoilerplate))
        #expect(failed("锟斤拷锟斤拷的文字，这里本来有一段很好的话，可是现在看不懂了。").contains(.chineseMojibake))
        #expect(failed("å¤©æ°”å¾ˆå¥½，我们出去走走，看看山和水，再回来吃饭。").contains(.chineseMojibake))
        #expect(failed("This is an English page about rivers. 河。 It is filed under Chinese.").contains(.chineseHan))
    }

    @Test("what is said over and over goes") func repeated() {
        let line = "河水很清，山很高，天很蓝，人很少。\n"
        let found = failed(String(repeating: line, count: 6))
        for rule: QualityRule in [
            .chineseDuplicateLines, .chineseDuplicateSentences, .chineseTopGram, .chineseDuplicateGrams,
        ] {
            #expect(found.contains(rule))
        }
        // A line that stands twice among others is no reason.
        #expect(failed(prose + "\n" + prose.prefix(10) + "。\n" + line).isEmpty)
    }

    @Test("shares are of characters without white space") func shares() {
        let found = judge("山 水\t12 ab。 ，☆\n山山山山山山山山山山")
        #expect(found[.chineseLength]?.measured == 19)
        #expect(found[.chineseHan]?.measured == 12.0 / 19)
        #expect(found[.chineseDigits]?.measured == 2.0 / 19)
        #expect(found[.chineseLatin]?.measured == 2.0 / 19)
        #expect(found[.chinesePunctuationMost]?.measured == 2.0 / 19)
        #expect(found[.chineseSymbols]?.measured == 1.0 / 19)
    }
}
