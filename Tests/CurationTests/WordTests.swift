import Curation
import Testing

@Suite struct WordTests {
    private var sketcher = DocumentSketcher(.standard)

    @Test("characters part words, make words or stand alone as Unicode says")
    mutating func kinds() {
        var random = DuplicateRandom.ofTests(0)
        var scalars = (1..<0x3400).compactMap(UnicodeScalar.init)
        for _ in 0..<8000 {
            guard let scalar = UnicodeScalar(UInt32.random(in: 0x3400..<0x110000, using: &random)) else { continue }
            scalars.append(scalar)
        }
        var wrong: [String] = []
        for scalar in scalars {
            // The table is of Unicode 14; what came later may be known to the standard library already.
            guard let age = scalar.properties.age, age.major <= 14 else { continue }
            sketcher.sketch(Array("a\(scalar)b".utf8).span)
            if sketcher.wordCount != Self.expectedWords(scalar) { wrong.append(String(scalar.value, radix: 16)) }
        }
        #expect(wrong.isEmpty)
    }

    private static func expectedWords(_ scalar: UnicodeScalar) -> Int {
        switch scalar.value {
        case 0x3040...0x30FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x3FFFF: return 3
        case 0x5F: return 1
        default: break
        }
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber:
            return 1
        default: return 2
        }
    }

    @Test(
        "case, white space and punctuation do not tell texts apart",
        arguments: [
            ("Hello, WORLD", "hello world"), ("ÄRGER Straße", "ärger straße"), ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ПРИВЕТ мир", "привет МИР"),
            ("静夜思。床前，明月光", "静夜思床前明月光"), ("ＡＢＣ１２", "ａｂｃ１２"), ("𐐀𐐁", "𐐨𐐩"), ("한국어 글", "한국어\u{3000}글"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789 x", "abcdefghijklmnopqrstuvwxyz_0123456789\tX"), ("ẞ", "ß"),
            ("CJK混排2字", "cjk 混 排 2 字"),
        ]
    )
    mutating func same(_ a: String, _ b: String) {
        sketcher.sketch(Array(a.utf8).span)
        let identity = sketcher.identity
        sketcher.sketch(Array(b.utf8).span)
        #expect(sketcher.identity == identity)
    }

    @Test(
        "words, their order and their borders do",
        arguments: [
            ("ab c", "a bc"), ("a b", "b a"), ("abcdefgh", "abcdefghi"), ("abcdefghi", "abcdefgh i"), ("a a", "a"),
            ("1", "１"),
            ("abcdefghabcdefgh", "abcdefgh"), ("中文", "文中"), ("é", "e"),
        ]
    )
    mutating func different(_ a: String, _ b: String) {
        sketcher.sketch(Array(a.utf8).span)
        let identity = sketcher.identity
        sketcher.sketch(Array(b.utf8).span)
        #expect(sketcher.identity != identity)
    }

    @Test("words are the same whether a text is seen whole or byte by byte")
    mutating func blocks() {
        var random = DuplicateRandom.ofTests(2)
        for alphabet in ["aB1 ", "ab_    .", "abcdefgh é中-", "a", "aaaaaaaaaaaaaaaaaaaaaaaa ", "Жж ,a\n"].map({
            Array($0)
        }) {
            for _ in 0..<40 {
                let characters = (0..<Int.random(in: 0..<300, using: &random)).map { _ in
                    alphabet[Int.random(in: alphabet.indices, using: &random)]
                }
                let text = Array(String(characters).utf8)
                sketcher.sketch(text.span)
                let whole = sketcher.identity
                sketcher.begin()
                for index in text.indices { sketcher.add(text.span.extracting(index...index)) }
                sketcher.end()
                #expect(sketcher.identity == whole)
            }
        }
    }

    @Test("any bytes are split without a trap, and what is not UTF-8 parts words")
    mutating func bytes() {
        var random = DuplicateRandom.ofTests(1)
        for _ in 0..<500 {
            let count = Int.random(in: 0..<60, using: &random)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
            sketcher.sketch(bytes.span)
            #expect(sketcher.wordCount <= count)
        }
        let invalid: [[UInt8]] = [
            [0xFF], [0xC3], [0xE4, 0xB8], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC0, 0x80], [0x80],
        ]
        for invalid in invalid {
            sketcher.sketch(([0x61] + invalid + [0x62]).span)
            #expect(sketcher.wordCount == 2)
            sketcher.sketch((Array("中".utf8) + invalid + Array("中".utf8)).span)
            #expect(sketcher.wordCount == 2)
        }
    }
}
