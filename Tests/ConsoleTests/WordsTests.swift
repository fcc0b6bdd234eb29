import Core
import Testing

@testable import Console

@Suite struct WordsTests {
    @Test("every message is said in both languages, with the same gaps")
    func catalogue() {
        for message in Message.allCases {
            let (en, zh) = (message.text(in: .en), message.text(in: .zh))
            #expect(!en.isEmpty && !zh.isEmpty && en != zh, "\(message)")
            #expect(zh.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) } || message.isUnit, "\(message)")
            #expect(!en.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) }, "\(message)")
            for gap in 0..<6 { #expect(en.contains("{\(gap)}") == zh.contains("{\(gap)}"), "\(message)") }
            #expect(!zh.contains("(s)"), "\(message)")
        }
    }

    @Test("no page leaves a gap unfilled")
    func gaps() {
        for language in Language.allCases {
            for page in Gallery.pages(Sample.frame(language)) {
                for gap in ["{0}", "{1}", "{2}", "(s)", "¦"] {
                    #expect(!page.html.text.contains(gap), "\(page.name).\(language.rawValue) has \(gap)")
                }
            }
        }
    }

    @Test("every code of a reason has a name of its own in both languages")
    func reasons() {
        let codes = [
            "ready", "dependency", "backoff", "impossible", "centres", "quota", "voucher", "capacity", "behind",
            "fair_share", "reserved", "queue",
        ]
        for language in Language.allCases {
            let names = codes.map { Words(language: language).waiting($0) }
            #expect(Set(names).count == codes.count && Set(names).isDisjoint(with: codes), "\(names)")
        }
        #expect(Words(language: .en).waiting("new_code") == "new code")
    }

    @Test("the language is the viewer's choice, else what the browser likes best, else English")
    func negotiation() {
        #expect(Language.negotiate(choice: "zh", accepted: "en") == .zh)
        #expect(Language.negotiate(choice: "xx", accepted: "zh-CN,zh;q=0.9,en;q=0.8") == .zh)
        #expect(Language.negotiate(choice: nil, accepted: "fr, en;q=0.5, zh;q=0.7") == .zh)
        #expect(Language.negotiate(choice: nil, accepted: "en-GB, zh;q=0.9") == .en)
        #expect(Language.negotiate(choice: nil, accepted: "de") == .en)
        #expect(Language.negotiate(choice: nil, accepted: "zh;q=0") == .en)
        #expect(Language.negotiate(choice: nil, accepted: nil) == .en)
    }

    @Test("numbers, credits and lengths of time are short and exact enough")
    func numbers() {
        let w = Words(language: .en)
        #expect(
            w.count(0) == "0" && w.count(999) == "999" && w.count(12_480) == "12,480"
                && w.count(-1_234_567) == "−1,234,567"
        )
        #expect(
            w.figure(0) == "0" && w.figure(20.03) == "20" && w.figure(3.756) == "3.76" && w.figure(0.312) == "0.312"
        )
        #expect(
            w.figure(9.999) == "10" && w.figure(0.05) == "0.05" && w.figure(1280) == "1,280" && w.figure(-2.5) == "−2.5"
        )
        #expect(w.figure(0.0001) == "< 0.001" && w.figure(.nan) == "–" && w.figure(1e40) == "≥ 10¹⁵")
        #expect(w.credits(0) == "0.00" && w.credits(-1_648) == "−0.001648" && w.credits(12_480_500_000) == "12,480.50")
        #expect(w.duration(.zero) == "0 s" && w.duration(.milliseconds(340)) == "340 ms")
        #expect(w.duration(.milliseconds(5_250)) == "5.2 s" && w.duration(.seconds(59)) == "59 s")
        #expect(w.duration(.seconds(65)) == "1 min 05 s" && w.duration(.seconds(300)) == "5 min")
        #expect(w.duration(.seconds(3840)) == "1 h 04 min" && w.duration(.seconds(90_000)) == "1 d 1 h")
        #expect(w(.centresCount, "1") == "1 centre" && w(.centresCount, "2") == "2 centres")
    }

    @Test("times are exact to programs and readable to people")
    func times() {
        let w = Words(language: .en)
        let now = Sample.now
        #expect(w.time(now).text == "<time datetime=\"2026-11-23T20:15:00.000Z\">2026-11-23 20:15:00 UTC</time>")
        #expect(w.ago(now - .seconds(185), now: now).text.contains(">3 min ago<"))
        #expect(w.ago(now + .seconds(3), now: now).text.contains(">just now<"))
        #expect(w.ago(now + .seconds(3600), now: now).text.contains(">2026-11-23 21:15:00<"))
        #expect(w.ago(now - .seconds(90 * 86_400), now: now).text.contains(">2026-08-25<"))
    }

    @Test("coordinates have two decimals at most")
    func coordinates() {
        #expect(
            coordinate(1) == "1" && coordinate(1.5) == "1.5" && coordinate(1.256) == "1.26"
                && coordinate(1.05) == "1.05"
        )
        #expect(coordinate(-0.25) == "-0.25" && coordinate(-3.004) == "-3" && coordinate(.infinity) == "0")
    }
}

extension Message {
    /// Units that are written alike in every language may do without Chinese characters.
    fileprivate var isUnit: Bool { self == .pflops }
}
