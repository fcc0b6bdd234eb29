import Core
import Curation
import Foundation
import Testing

@Suite struct WARCReaderTests {
    typealias Support = ArchiveSupport

    /// An archive of responses with its members, and what it holds.
    static func archive(_ count: Int, using random: inout SplitMix) -> (members: [[UInt8]], bodies: [[UInt8]]) {
        var members: [[UInt8]] = []
        var bodies: [[UInt8]] = []
        for index in 0..<count {
            bodies.append(Support.text(Int.random(in: 0...4_000, using: &random), using: &random))
            members.append(Support.member("http://example.org/\(index)", Support.response(bodies[index])))
        }
        return (members, bodies)
    }

    @Test("an archive comes back in windows of any size: members, one member, blocks, not compressed")
    func forms() {
        var random = SplitMix(seed: Support.seed())
        let (members, bodies) = Self.archive(12, using: &random)
        let byMember = members.flatMap { $0 }
        let plain = StreamTests.gunzip(byMember).bytes
        var blocks: [UInt8] = []
        for start in stride(from: 0, to: plain.count, by: 1_000) {
            blocks += Gzip.compress(plain.span.extracting(start..<min(plain.count, start + 1_000)))
        }
        for file in [byMember, Gzip.compress(plain.span), blocks, plain] {
            for window in [1, 777, 1 << 20] {
                let reading = Support.read(file, window: window)
                #expect(reading.records.map(\.body) == bodies)
                #expect(reading.faults == [])
            }
        }
    }

    @Test("reading resumes at the offset after any record, and every record says where its member begins")
    func resumption() {
        var random = SplitMix(seed: Support.seed())
        let (members, bodies) = Self.archive(8, using: &random)
        var offsets: [Int] = []
        var file: [UInt8] = []
        for member in members {
            offsets.append(file.count)
            file += member
        }
        for file in [file, StreamTests.gunzip(file).bytes] {
            let whole = Support.read(file)
            if file[0] == 0x1F { #expect(whole.records.map(\.offset) == offsets) }
            for (index, offset) in whole.resumeOffsets.enumerated() {
                #expect(Support.read(file, from: offset).records.map(\.body) == Array(bodies[(index + 1)...]))
            }
            // Cut anywhere, the parts hold every record once.
            for _ in 0..<20 {
                let cut = Int.random(in: 0...file.count, using: &random)
                let first = Support.read(file, until: cut)
                let second = Support.read(file, from: cut, isAligned: false)
                #expect(first.records + second.records == whole.records)
                #expect(second.faults == [])
            }
        }
    }

    @Test("names in any case, folded values and bare line feeds are read")
    func lenientHeads() {
        let response = "HTTP/1.0 404 Not Found\nContent-type: text/html; Charset = 'gb2312' ;\n\nbody"
        let text =
            "WARC/1.0\nwarc-type: RESPONSE\nWARC-TARGET-URI: <http://a.example/x>\nWARC-Date:2026-01-01T00:00:00Z  \n"
            + "X-Folded: one\n  two\n\tthree\nContent-Type: application/http\nContent-Length: \(response.utf8.count)\n\n"
            + response + "\n\nWARC/1.0\nWARC-Type: revisit\nContent-Length: 0\n\n\n\n"
        let file = Array(text.utf8)
        var reader = WARCReader()
        #expect(reader.step(file.span, isLast: true) == .record)
        #expect(reader.record.status == 404)
        #expect(reader.text(reader.record.targetURI) == "http://a.example/x")
        #expect(reader.text(reader.record.date) == "2026-01-01T00:00:00Z")
        #expect(reader.text(reader.record.contentType) == "text/html; Charset = 'gb2312' ;")
        #expect(reader.text(reader.record.charset) == "gb2312")
        #expect(reader.text(reader.field("x-folded")) == "one two three")
        #expect(reader.withBody { $0.count } == 4)
        #expect(reader.step(file.span.extracting(reader.offset...), isLast: true) == .end)
        #expect(reader.skipped == 1)
    }

    @Test("a damaged or truncated member costs no other record")
    func damagedMembers() {
        var random = SplitMix(seed: Support.seed())
        for round in 0..<60 {
            var (members, bodies) = Self.archive(6, using: &random)
            let victim = Int.random(in: 0..<6, using: &random)
            let at = Int.random(in: 0..<members[victim].count, using: &random)
            switch round % 3 {
            case 0: members[victim].removeSubrange(at...)
            case 1: members[victim][at] ^= 1 << UInt8.random(in: 0...7, using: &random)
            default: members[victim].insert(contentsOf: [0x1F, 0x8B, 8, 0, 1, 2, 3], at: at)
            }
            let reading = Support.read(members.flatMap { $0 }, window: Int.random(in: 1...9_000, using: &random))
            let others = (0..<6).filter { $0 != victim }
            for other in others {
                #expect(
                    reading.records.contains { $0.uri == "http://example.org/\(other)" && $0.body == bodies[other] }
                )
            }
            // A flipped bit of the member's header may change nothing that is read.
            #expect(reading.records.count == 5 ? !reading.faults.isEmpty || at == 0 : reading.records.count == 6)
        }
    }

    @Test("a wrong length costs no other record, and is told")
    func wrongLengths() {
        let body = Array("eleven byte".utf8)
        for length in [0, 3, 12, 15, 60, 200, 5_000, 999_999_999_999] {
            let records = [
                Support.plain("u:1", body), Support.plain("u:2", body, length: length), Support.plain("u:3", body),
                Support.plain("u:4", body),
            ]
            for file in [records.flatMap { $0 }, records.flatMap { Gzip.compress($0.span) }] {
                for window in [1, 1 << 20] {
                    let reading = Support.read(file, window: window)
                    #expect(Set(reading.uris).isSuperset(of: ["u:1", "u:3", "u:4"]), "length \(length)")
                    #expect(!reading.faults.isEmpty || length == 12 || length == 15, "length \(length)")
                }
            }
        }
    }

    @Test("garbage between records is passed over and told")
    func garbage() {
        let body = Array("body".utf8)
        let noise = Array("<html>\nWARC/ is not a record\n".utf8) + [0x1F, 0x8B, 8, 0, 0xFF]
        let first = Support.plain("u:1", body)
        let second = Support.plain("u:2", body)
        let plain = first + noise + second
        #expect(Support.read(plain).uris == ["u:1", "u:2"])
        #expect(Support.read(plain).faults == [WARCFault(kind: .garbage, offset: first.count)])
        let gzipped = Gzip.compress(first.span)
        let members = gzipped + noise + Gzip.compress(second.span)
        #expect(Support.read(members).uris == ["u:1", "u:2"])
        #expect(Support.read(members).faults == [WARCFault(kind: .garbage, offset: gzipped.count)])
        #expect(Support.read(noise + members).uris == ["u:1", "u:2"])
        #expect(Support.read(noise).faults == [WARCFault(kind: .garbage, offset: 0)])
        #expect(Support.read([]) == Support.read([], window: 1))
        #expect(Support.read([0x1F]).records.isEmpty)
        let headless = Array("WARC/1.0\r\nWARC-Type: response\r\n\r\n".utf8) + second
        #expect(Support.read(headless).faults == [WARCFault(kind: .noLength, offset: 0)])
        #expect(Support.read(headless).uris == ["u:2"])
    }

    @Test("a record above the limit is set aside in bounded memory, and the next is given")
    func largeRecords() {
        let small = Array("small".utf8)
        let large = [UInt8](repeating: 65, count: 6 << 20)
        let limits = WARCLimits(recordMaxBytes: 1 << 20)
        let plain = Support.plain("u:1", small) + Support.plain("u:2", large) + Support.plain("u:3", small)
        let members =
            Gzip.compress(Support.plain("u:1", small).span) + Gzip.compress(Support.plain("u:2", large).span, level: 1)
            + Gzip.compress(Support.plain("u:3", small).span)
        for file in [plain, members, Gzip.compress(plain.span, level: 1)] {
            let reading = Support.read(file, window: 1 << 16, limits: limits)
            #expect(reading.uris == ["u:1", "u:3"])
            #expect(reading.faults.map(\.kind) == [.tooLarge(bytes: large.count)])
            #expect(reading.windowBytes <= limits.windowMaxBytes)
        }
    }

    @Test("transfer and content encodings are undone when they are really there")
    func encodings() {
        let body = Array(String(repeating: "the body ", count: 30).utf8)
        let gzip = Gzip.compress(body.span)
        let zstd = Zstd.compress(body.span)
        func chunked(_ bytes: [UInt8]) -> [UInt8] {
            var result = Array("5;name=value\r\n".utf8) + bytes.prefix(5) + Array("\r\n".utf8)
            result += Array(String(bytes.count - 5, radix: 16).utf8) + Array("\r\n".utf8) + bytes.dropFirst(5)
            return result + Array("\r\n0\r\n\r\n".utf8)
        }
        let cases: [(headers: String, payload: [UInt8], expected: [UInt8], isPartial: Bool)] = [
            ("Transfer-Encoding: chunked\r\n", chunked(body), body, false),
            ("Transfer-Encoding: chunked\r\n", body, body, false),
            ("transfer-encoding: Chunked\r\nContent-Encoding: GZIP\r\n", chunked(gzip), body, false),
            ("Content-Encoding: gzip\r\n", gzip, body, false),
            ("Content-Encoding: gzip\r\n", body, body, false),
            ("Content-Encoding: zstd\r\n", zstd, body, false),
            ("Content-Encoding: zstd, gzip\r\n", Gzip.compress(zstd.span), body, false),
            ("Content-Encoding: utf-8\r\n", body, body, false),
            ("Content-Encoding: gzip\r\n", Array(gzip.dropLast(9)), body, true),
            ("Transfer-Encoding: chunked\r\n", Array(chunked(body).dropLast(20)), Array(body.dropLast(13)), true),
            ("Content-Encoding: deflate\r\n", Array(gzip.dropFirst(10).dropLast(8)), body, false),
        ]
        for (headers, payload, expected, isPartial) in cases {
            let reading = Support.read(Support.member("u:1", Support.response(payload, headers: headers)))
            #expect(reading.records.map(\.body) == [expected], "\(headers)")
            #expect(reading.records.map(\.isPartial) == [isPartial], "\(headers)")
            #expect(reading.faults == [])
        }
        let brotli = Support.member("u:1", Support.response([1, 2, 3], headers: "Content-Encoding: br\r\n"))
        #expect(Support.read(brotli).faults == [WARCFault(kind: .encoding, offset: 0)])
        let bomb = Gzip.compress([UInt8](repeating: 0, count: 3 << 20).span)
        let set = Support.member("u:1", Support.response(bomb, headers: "Content-Encoding: gzip\r\n"))
        let reading = Support.read(set, limits: WARCLimits(recordMaxBytes: 2 << 20))
        #expect(reading.faults == [WARCFault(kind: .bodyTooLarge, offset: 0)])
    }

    @Test("no mutation of an archive does more than cost records")
    func mutations() {
        var random = SplitMix(seed: Support.seed())
        let (members, _) = Self.archive(4, using: &random)
        let gzip = members.flatMap { $0 }
        let plain = StreamTests.gunzip(gzip).bytes
        let limits = WARCLimits(recordMaxBytes: 1 << 16)
        for round in 0..<400 {
            var file = round % 2 == 0 ? gzip : plain
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let at = Int.random(in: 0..<file.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: file[at] = UInt8.random(in: 0...255, using: &random)
                case 1: file.removeSubrange(at..<min(file.count, at + Int.random(in: 1...40, using: &random)))
                default: file.insert(contentsOf: file.prefix(Int.random(in: 1...60, using: &random)), at: at)
                }
            }
            let reading = Support.read(file, window: Int.random(in: 1...5_000, using: &random), limits: limits)
            #expect(reading.steps >= 0, "the reader does not come to an end")
        }
    }

    @Test("what the writer writes has the digests of what it holds")
    func writer() {
        let block = Support.response(Array("abc".utf8))
        var output: [UInt8] = []
        var writer = WARCWriter()
        let head = WARCWriter.Head(
            kind: .response,
            id: "urn:uuid:1",
            date: "2026-01-31T12:00:00Z",
            targetURI: "http://a.example/\r\nX-Injected: yes",
            contentType: "application/http; msgtype=response",
            fields: [("WARC-IP-Address", "192.0.2.1")]
        )
        writer.append(head, block: block.span, payloadOffset: block.count - 3, to: &output)
        var reader = WARCReader()
        #expect(reader.step(output.span, isLast: true) == .record)
        // The digest of `abc` in FIPS 180-4's examples.
        #expect(reader.text(reader.record.payloadDigest) == "sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5")
        #expect(reader.checkDigest() == .right)
        #expect(reader.text(reader.field("warc-ip-address")) == "192.0.2.1")
        #expect(reader.field("x-injected").isEmpty)
        #expect(reader.text(reader.record.id) == "<urn:uuid:1>")
    }

    @Test("every record of the corpus of pages has the digest that it says")
    func corpus() throws {
        let repository = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = repository.appendingPathComponent("../shared/corpora/warc/pages.warc.gz").standardizedFileURL
        guard let file = try? Data(contentsOf: path) else {
            print("skipped: the corpora are not beside the checkout")
            return
        }
        let bytes = [UInt8](file)
        var reader = WARCReader()
        var right = 0
        loop: while true {
            switch reader.step(bytes.span.extracting(reader.offset...), isLast: true) {
            case .record: right += reader.checkDigest() == .right ? 1 : 0
            case .fault(let fault): Issue.record("\(fault)")
            case .needMore: break loop
            case .end: break loop
            }
        }
        #expect(right == 420)
    }
}
