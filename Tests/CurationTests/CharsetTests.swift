import Curation
import Foundation
import Testing

@Suite struct CharsetTests {
    static func decode(
        _ bytes: [UInt8],
        declared: String? = nil,
        isHTML: Bool = false
    ) -> (text: String, decoding: Decoding) {
        var out: [UInt8] = []
        let decoding = Charset.decode(bytes.span, declared: declared, isHTML: isHTML, into: &out)
        return (String(decoding: out, as: UTF8.self), decoding)
    }

    @Test(
        "an encoding that nothing names is told from its bytes",
        arguments: [
            ("zh-hans", "gb18030"), ("zh-hant", "big5"), ("ja", "shift_jis"), ("ja", "euc-jp"), ("ko", "euc-kr"),
            ("ru", "windows-1251"), ("ru", "koi8-r"), ("ru", "ibm866"), ("el", "windows-1253"), ("pl", "windows-1250"),
            ("zh-hans", "utf-16le"), ("zh-hans", "utf-16be"), ("de", "utf-16le"), ("de", "utf-32be"),
        ]
    )
    func detection(text: String, encoding: String) throws {
        let bytes = try PageExtractorTests.bytes("\(text).\(encoding).txt")
        let expected = String(decoding: try PageExtractorTests.bytes("\(text).utf-8.txt"), as: UTF8.self)
        let found = Self.decode(bytes)
        #expect(found.decoding.encoding == encoding)
        #expect(found.decoding.evidence == (encoding.hasPrefix("utf") ? .validity : .statistics))
        #expect(found.decoding.replacements == 0)
        #expect(found.text == expected)
        // A label that is right is taken, whether it came with the bytes or stands in the page.
        guard !encoding.hasPrefix("utf") else { return }
        let declared = Self.decode(bytes, declared: encoding.uppercased())
        #expect(declared.decoding.encoding == encoding)
        #expect(declared.decoding.evidence == .header)
        #expect(declared.decoding.overruled == nil)
        #expect(declared.text == expected)
        let page = Array(
            "<!-- <meta charset=big5> --><META content='text/html; charset=\(encoding)' http-equiv=Content-Type>".utf8
        )
        let stated = Self.decode(page + bytes, isHTML: true)
        #expect(stated.decoding.evidence == .meta)
        #expect(stated.text.hasSuffix(expected))
    }

    @Test("Latin text that nothing names is windows-1252") func latin() throws {
        let found = Self.decode(try PageExtractorTests.bytes("de.windows-1252.txt"))
        #expect(found.decoding.encoding == "windows-1252")
        #expect(found.text == String(decoding: try PageExtractorTests.bytes("de.utf-8.txt"), as: UTF8.self))
    }

    @Test("ASCII that could be read as frequent Chinese letters is ASCII") func lookalike() {
        let text = String(repeating: "f/N\r", count: 200)
        #expect(Self.decode(Array(text.utf8)).text == text)
    }

    @Test("a byte order mark goes before every label") func marks() {
        let marked = Self.decode([0xFF, 0xFE, 0x60, 0x4F], declared: "utf-8")
        #expect(marked.text == "你")
        #expect(marked.decoding.evidence == .byteOrderMark)
        #expect(Self.decode([0xEF, 0xBB, 0xBF, 0x61], declared: "gbk").text == "a")
        #expect(Self.decode([0, 0, 0xFE, 0xFF, 0, 0, 0x4F, 0x60]).text == "你")
        #expect(Self.decode([0xFE, 0xFF, 0xD8, 0x3D, 0xDE, 0x00, 0xD8, 0x3D]).text == "😀\u{FFFD}\u{FFFD}")
    }

    @Test("labels mean what browsers take them for") func labels() {
        #expect(Self.decode([0x80, 0x61], declared: "ISO-8859-1").text == "€a")
        #expect(Self.decode([0xC4, 0xE3], declared: " GB2312 ").decoding.encoding == "gb18030")
        #expect(Self.decode([0x84, 0x31, 0xA4, 0x36], declared: "gb_2312-80").decoding.replacements == 0)
        #expect(Self.decode([0x87, 0x40], declared: "x-sjis").text == "①")
        #expect(Self.decode([0x61, 0xE9, 0x62], declared: "no-such-label").text == "aéb")
        #expect(Self.decode(Array("abc".utf8), declared: "utf-16", isHTML: true).decoding.encoding == "utf-16le")
        #expect(
            Self.decode(Array("<?xml version='1.0' encoding='koi8-r'?>".utf8) + [0xC1], isHTML: true).text.hasSuffix(
                "а"
            )
        )
    }

    @Test("a label that the bytes contradict is overruled, and that is said") func contradictions() throws {
        let text = "这是一段实际上用 UTF-8 写的文字，页面却说自己是 GBK。"
        let utf8 = Self.decode(Array(("<meta charset=gbk>" + text).utf8), isHTML: true)
        #expect(utf8.text.hasSuffix(text))
        #expect(utf8.decoding.evidence == .validity)
        #expect(utf8.decoding.overruled == "gb18030")
        let gbk = Self.decode(try PageExtractorTests.bytes("zh-hans.gb18030.txt"), declared: "utf-8")
        #expect(gbk.decoding.encoding == "gb18030")
        #expect(gbk.decoding.overruled == "utf-8")
        // The two letters whose GBK bytes happen to be valid UTF-8 do not contradict their label.
        #expect(Self.decode([0xC1, 0xAA, 0xCD, 0xA8], declared: "gbk").text == "联通")
    }

    @Test("what is no character becomes U+FFFD and is counted") func replacements() {
        let good = Array(String(repeating: "多数是好的。", count: 40).utf8)
        let broken = Self.decode(good + [0xE4, 0xBD] + good + [0xFF] + good + [0xE4])
        #expect(broken.decoding.encoding == "utf-8")
        #expect(broken.decoding.replacements == 3)
        #expect(broken.text.unicodeScalars.filter { $0 == "\u{FFFD}" }.count == 3)
        let cut = Self.decode([0x61, 0xC4, 0xE3, 0xFF, 0x62, 0xC4], declared: "gbk")
        #expect(cut.text == "a你\u{FFFD}b\u{FFFD}")
        #expect(cut.decoding.replacements == 2)
        // A letter that big5 holds back to combine it is not lost at an error or at the end.
        #expect(Self.decode([0x88, 0x66], declared: "big5").text == "Ê")
        #expect(Self.decode([0x88, 0x66, 0xFF], declared: "big5").text == "Ê\u{FFFD}")
        #expect(Self.decode([], declared: "gbk").text.isEmpty)
    }

    @Test("text longer than the conversion's buffer comes through whole") func long() throws {
        let sample = try PageExtractorTests.bytes("zh-hant.big5.txt")
        let reference = String(decoding: try PageExtractorTests.bytes("zh-hant.utf-8.txt"), as: UTF8.self)
        let found = Self.decode(Array(repeatElement(sample, count: 300).joined()))
        #expect(found.text == String(repeating: reference, count: 300))
        #expect(found.decoding.replacements == 0)
    }
}
