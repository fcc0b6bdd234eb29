import Curation
import Foundation
import Testing

@Suite struct PersonalScannerTests {
    /// What is found in `text`, as `kind value`.
    static func found(_ text: String) -> [String] {
        var scanner = PersonalScanner()
        var matches: [PersonalMatch] = []
        let bytes = Array(text.utf8)
        scanner.scan(bytes.span, into: &matches)
        return matches.map { "\($0.kind) \(String(decoding: bytes[$0.start..<$0.end], as: UTF8.self))" }
    }

    // Numbers are made up; those with check characters were computed for these tests.
    @Test(
        "what identifies a person is found beside Han characters, in both widths and with separators",
        arguments: [
            ("身份证号11010519491231002X，", ["nationalID 11010519491231002X"]),
            ("身份证号11010519491231002x已登记", ["nationalID 11010519491231002x"]),
            ("证件 110105 19491231 002X", ["nationalID 110105 19491231 002X"]),
            ("号码１１０１０５１９４９１２３１００２X在册", ["nationalID １１０１０５１９４９１２３１００２X"]),
            ("老身份证110105491231002升位", ["oldNationalID 110105491231002"]),
            ("手机13912345678转", ["phone 13912345678"]),
            ("手机139-1234-5678、138 1234 5678", ["phone 139-1234-5678", "phone 138 1234 5678"]),
            ("手机１３９－１２３４－５６７８，139.1234.5678", ["phone １３９－１２３４－５６７８", "phone 139.1234.5678"]),
            ("tel: 0571–87654321, (+86)139 1234 5678", ["landline 0571–87654321", "phone (+86)139 1234 5678"]),
            ("１１０１０５１９４９１２３１００２Ｘ", ["nationalID １１０１０５１９４９１２３１００２Ｘ"]),
            ("手机13912345678QQ123456", ["phone 13912345678", "qq 123456"]),
            ("电话13912345678v1.2.3", ["phone 13912345678"]),
            ("收件人：李雷/13912345678/杭州市西湖区文三路90号", ["name 李雷", "phone 13912345678", "address 杭州市西湖区文三路90号"]),
            ("电话+86 13912345678", ["phone +86 13912345678"]),
            ("致电１３９１２３４５６７８咨询", ["phone １３９１２３４５６７８"]),
            ("座机010-87654321，(0571)87654321", ["landline 010-87654321", "landline (0571)87654321"]),
            ("call +44 20 7946 0958 or (212) 555-0147", ["phone +44 20 7946 0958", "phone (212) 555-0147"]),
            ("Fax: 212.555.0147x22", ["phone 212.555.0147x22"]),
            ("卡号6222021234567890128。", ["bankCard 6222021234567890128"]),
            ("card 4111-1111-1111-1111.", ["bankCard 4111-1111-1111-1111"]),
            ("代码91350100M000100Y43的公司", ["creditCode 91350100M000100Y43"]),
            ("写信给zhang.san+a@mail.example.com.cn。", ["email zhang.san+a@mail.example.com.cn"]),
            ("邮箱li＠example.com", ["email li＠example.com"]),
            ("来自203.0.113.7的访问", ["ipv4 203.0.113.7"]),
            ("地址2001:db8::ff00:42:8329和", ["ipv6 2001:db8::ff00:42:8329"]),
            ("IBAN GB82 WEST 1234 5698 7654 32", ["iban GB82 WEST 1234 5698 7654 32"]),
            ("SSN 219-09-9999", ["ssn 219-09-9999"]),
            ("护照E12345678", ["passport E12345678"]),
            ("车牌京A·12345、粤BD12345停在", ["plate 京A·12345", "plate 粤BD12345"]),
            ("粤Z1234港进入", ["plate 粤Z1234港"]),
            ("加微信wxid_ab12cd34", ["wechat wxid_ab12cd34"]),
            ("QQ：123456789", ["qq 123456789"]),
            ("姓名：欧阳娜娜，女", ["name 欧阳娜娜"]),
            ("请联系张伟（手机13912345678）", ["name 张伟", "phone 13912345678"]),
            ("王小明13912345678", ["name 王小明", "phone 13912345678"]),
            ("住在浙江省杭州市西湖区文三路90号东楼3层301室。", ["address 浙江省杭州市西湖区文三路90号东楼3层301室"]),
            ("住址：河南省信阳市固始县陈淋子镇，电话", ["address 河南省信阳市固始县陈淋子镇"]),
            ("\"name\":\"韩磊\",\"mobile\":\"13912345678\"", ["name 韩磊", "phone 13912345678"]),
            ("<td>李雷</td><td>13912345678</td>", ["name 李雷", "phone 13912345678"]),
            ("寄往朝阳区建国路88号B座1201室", ["address 朝阳区建国路88号B座1201室"]),
        ]
    )
    func positives(text: String, expected: [String]) { #expect(Self.found(text) == expected) }

    @Test(
        "what only looks like it is left alone",
        arguments: [
            "编号10281866201不是手机号", "订单号13912345678", "流水号1300407933791566，时间戳1704090947703",
            "20260101123456789012", "校验失败的110105194912310021", "身份证11010519491332002X", "卡号6222021234567890127",
            "版本1.2.3.4已发布", "升级到10.2.13.20", "Python 3.11.2", "v1.13.20.5", "534.369.1.1", "1.2.3.4.5", "255.255.255.0",
            "3.1.4.2. Details\nmore", "12:34:56", "00:1a:2b:3c:4d:5e", "std::vector a::b", "共1,234,567,890元",
            "3.13912345678",
            "金额13912345678元", "$13912345678", "https://example.com/item/13912345678.html",
            "2024-01-15 12:30 到 2024-01-16",
            "978-7-302-12345-6", "a3f5139123456789bc0d", "user@localhost", "@张三 你好", "name@", "京AB", "E1234567",
            "关系管理，客户满意",
            "客户关系，成本", "3月5号", "第12号", "在北京的12号", "项目经理：优秀", "139 1234 567", "(2019) 2023-2024", "1 2 3 4 5 6 7 8",
            "\"city\":\"北京\",\"id\":\"123\"", "地址：北京市", "网址：http://example.com", "IP地址：无", "学生时代，员工关系",
            "白云\t13800000000",
            "B9 05 83 62 26 11 DC", "4514 7418 4506 7172 4396 7394", "１２３４５６７８９０１２３４５６７８９０", "13800000000", "QQ群",
            "微信Android版",
            "uuid 6222021234567890128-1", "6222021234567890128.5", "联系电话", "公安局电话",
        ]
    )
    func negatives(text: String) { #expect(Self.found(text) == []) }

    @Test("of kinds that overlap the one with the stronger evidence stands")
    func priority() {
        // An identity number that passes Luhn and has a card's prefix, and a mobile that is an address's local part.
        #expect(Self.found("号码 510104199406225851") == ["nationalID 510104199406225851"])
        #expect(Self.found("13912345678@example.com") == ["email 13912345678@example.com"])
    }

    @Test("masking leaves type-stable placeholders and nothing to mask again")
    func mask() {
        var scanner = PersonalScanner()
        var matches: [PersonalMatch] = []
        var output: [UInt8] = []
        let text = Array("联系人：李雷，a@b.com13912345678，身份证11010519491231002X。".utf8)
        #expect(scanner.redact(text.span, policy: PersonalPolicy(.mask), matches: &matches, into: &output) == .masked)
        #expect(String(decoding: output, as: UTF8.self) == "联系人：[NAME]，[EMAIL][PHONE]，身份证[NATIONAL_ID]。")
        var policy = PersonalPolicy(.report)
        #expect(scanner.redact(text.span, policy: policy, matches: &matches, into: &output) == .unchanged)
        policy[.nationalID] = .drop
        #expect(scanner.redact(text.span, policy: policy, matches: &matches, into: &output) == .dropped)
        #expect(output.isEmpty)
    }

    @Test("masking is idempotent, matches are disjoint and in order, on random compositions")
    func idempotent() {
        let seed = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) } ?? 20_261_129
        print("ONEPOINT_TEST_SEED=\(seed)")
        var random = SplitMix(state: seed)
        let pieces = [
            "13912345678", "11010519491231002X", "a@b.com", "张伟", "王小明", "姓名：", "身份证", "110105491231002", "QQ：",
            "123456", " ", "-", ".",
            "(", ")", "+86", "电话", "北京市朝阳区", "建国路", "88", "号", "２", "１３９１２３４５６７８", "京A12345", "GB82WEST12345698765432",
            "微信", "abc123_x",
            "203.0.113.7", "2001:db8::1", ":", "\n", "，", "先生", "4111111111111111", "010-87654321", "x", "@", "。", "卡号",
            "call ", "555-0147",
        ]
        var scanner = PersonalScanner()
        for _ in 0..<300 {
            let text = (0..<Int(random.next() % 16)).map { _ in pieces[Int(random.next() % UInt64(pieces.count))] }
                .joined()
            let bytes = Array(text.utf8)
            var matches: [PersonalMatch] = []
            var once: [UInt8] = []
            guard scanner.redact(bytes.span, policy: PersonalPolicy(.mask), matches: &matches, into: &once) == .masked
            else {
                continue
            }
            for (a, b) in zip(matches, matches.dropFirst()) { #expect(a.end <= b.start, "\(text)") }
            #expect(String(validating: once, as: UTF8.self) != nil, "\(text)")
            var twice: [UInt8] = []
            let again = scanner.redact(once.span, policy: PersonalPolicy(.mask), matches: &matches, into: &twice)
            #expect(again == .unchanged, "\(text) became \(String(decoding: once, as: UTF8.self))")
        }
    }

    @Test("any bytes end in a result")
    func hostile() {
        var scanner = PersonalScanner()
        var matches: [PersonalMatch] = []
        var output: [UInt8] = []
        func run(_ bytes: [UInt8]) {
            matches.removeAll(keepingCapacity: true)
            _ = scanner.redact(bytes.span, policy: PersonalPolicy(.mask), matches: &matches, into: &output)
            for match in matches { #expect(match.start >= 0 && match.start < match.end && match.end <= bytes.count) }
        }
        run([])
        for byte in UInt8.min...UInt8.max { run([byte]) }
        let rich = Array("联系人：李雷１３９1234 5678 GB82 WEST 1234 a@b.c 路8号A座 2001:db8::1 京A·12345 微信ab（+86)".utf8)
        for count in 0...rich.count { run(Array(rich[..<count])) }
        for start in 0..<rich.count { run(Array(rich[start...])) }
        run(Array(repeating: 0x39, count: 200_000))
        run(Array(repeating: 0x40, count: 20_000))
        run(Array(String(repeating: "1.", count: 50_000).utf8))
        run(Array(String(repeating: "1 ", count: 50_000).utf8))
        run(Array(String(repeating: "a:", count: 50_000).utf8))
        run(Array(String(repeating: "路1号", count: 10_000).utf8))
        run(Array(String(repeating: "9-", count: 5_000).utf8) + [0xEF, 0xBC])
        var random = SplitMix(state: 7)
        let alphabet: [UInt8] = [
            0x30, 0x39, 0x20, 0x2D, 0x2E, 0x28, 0x29, 0x3A, 0x40, 0x41, 0x78, 0xE5, 0x8F, 0xB7, 0xEF, 0xBC, 0x90, 0xFF,
            0xC2, 0xB7,
        ]
        for _ in 0..<300 { run((0..<60).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }) }
    }

    struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
