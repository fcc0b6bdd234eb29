import Curation
import Foundation
import Testing

@Suite struct NormalizedTextTests {
    static let table = NormalizationTable()

    static func view(_ text: String) -> String {
        var view = NormalizedText(table: table)
        view.set(Array(text.utf8).span)
        return view.withBytes { bytes in
            var copy: [UInt8] = []
            for i in 0..<bytes.count { copy.append(bytes[i]) }
            return String(decoding: copy, as: UTF8.self)
        }
    }

    @Test(
        "what reads the same is the same",
        arguments: [
            ("", ""), ("ABC xyz", "abc xyz"), ("ＡＢＣ，１２３", "abc,123"), ("國體發髮後裏爲眾", "国体发发后里为众"), ("敏 感*词", "敏感词"),
            ("敏\u{200B}感\u{FEFF} -_词", "敏感词"), ("敏＊感　词", "敏感词"), ("敏感，词。好", "敏感,词。好"), ("敏\n感", "敏\n感"),
            ("敏 * . - 感", "敏 * . - 感"), ("敏 a感", "敏 a感"), ("a b c", "a b c"), ("ｱﾆﾒ", "アニメ"), ("ÉΣЖẞ", "éσжss"),
            ("ﬁne ㎏ ①", "fine kg 1"),
            ("𝐅𝐮𝐜𝐤 🄰", "fuck a"), ("e\u{FE0F}x", "ex"), ("\u{1F600}笑\u{1F600}", "\u{1F600}笑\u{1F600}"),
        ]
    )
    func views(text: String, expected: String) { #expect(Self.view(text) == expected) }

    @Test("every piece of the view leads back to the piece of the text that it was made of, on random texts")
    func offsets() {
        let seed = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_129
        print("ONEPOINT_TEST_SEED=\(seed)")
        var random = PersonalScannerTests.SplitMix(state: seed)
        let pieces = [
            "國", "Ａ", "a", "B", "\u{200B}", " ", "*", "㎏", "é", "詞", "，", "\u{1F600}", "𝐅", "１", "敏",
            "the quick brown FOX jumps", "\n",
        ]
        var view = NormalizedText(table: Self.table)
        for _ in 0..<200 {
            let parts = (0..<Int(random.next() % 40)).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
            let bytes = Array(parts.joined().utf8)
            view.set(bytes.span)
            guard view.count > 0 else { continue }
            let whole = view.original(0..<view.count)
            #expect(whole.upperBound <= bytes.count)
            // Normalising the original of any piece of whole characters gives that piece again, but for separators that go.
            let shown = Array(Self.view(parts.joined()).utf8)
            var starts = (0..<shown.count).filter { shown[$0] & 0xC0 != 0x80 }
            starts.append(shown.count)
            for k in 0..<starts.count - 1 {
                let range = view.original(starts[k]..<starts[k + 1])
                let original = String(decoding: bytes[range], as: UTF8.self)
                let piece = String(decoding: shown[starts[k]..<starts[k + 1]], as: UTF8.self)
                #expect(Self.view(original).contains(piece), "\(parts) at \(k)")
            }
        }
    }

    @Test("any bytes end in a view")
    func hostile() {
        var view = NormalizedText(table: Self.table)
        for bytes in [[0xFF], [0xE4], [0xE4, 0xB8], [0xF0, 0x9D], [0xEF, 0xBC], [0x80, 0x80], [0xC2]] as [[UInt8]] {
            view.set(bytes.span)
            #expect(view.count == bytes.count)
            #expect(view.original(0..<view.count) == 0..<bytes.count)
        }
        for text in [
            String(repeating: "㍿", count: 10_000), String(repeating: "Ａ\u{200B}", count: 10_000),
            String(repeating: "敏 ", count: 10_000),
        ] {
            view.set(Array(text.utf8).span)
            #expect(view.original(0..<view.count).upperBound <= text.utf8.count)
        }
        var random = PersonalScannerTests.SplitMix(state: 3)
        for _ in 0..<200 {
            let bytes = (0..<50).map { _ in UInt8(truncatingIfNeeded: random.next()) | 0x80 }
            view.set(bytes.span)
        }
    }
}
