import Core
import Curation
import Foundation

/// What the tests of archives, streams and columns share.
enum ArchiveSupport {
    /// A seed, printed so that a failure can be repeated with `ONEPOINT_TEST_SEED`.
    static func seed(_ test: String = #function) -> UInt64 {
        let given = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 1...(.max))
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return seed
    }

    /// Text that compresses about as well as pages do.
    static func text(_ count: Int, using random: inout SplitMix) -> [UInt8] {
        let words = ["page", "of", "the", "web", "中文", "和", "<p>", "</p>\n", "WARC", "1.1", "a", "123"]
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes.append(contentsOf: words[Int.random(in: 0..<words.count, using: &random)].utf8)
            bytes.append(32)
            if Int.random(in: 0..<20, using: &random) == 0 { bytes.append(UInt8.random(in: 33...126, using: &random)) }
        }
        return Array(bytes.prefix(count))
    }

    /// What a reader gave of an archive.
    struct Reading: Equatable {
        struct Record: Equatable {
            var kind: WARCRecord.Kind
            var offset: Int
            var uri: String
            var body: [UInt8]
            var isPartial: Bool
        }

        var records: [Record] = []
        var faults: [WARCFault] = []
        var skipped = 0
        var windowBytes = 0
        var steps = 0
        var resumeOffsets: [Int] = []

        var uris: [String] { records.map(\.uri) }
    }

    /// Reads an archive as a driver does, with windows of about that many bytes.
    static func read(
        _ file: [UInt8],
        window: Int = 1 << 20,
        limits: WARCLimits = WARCLimits(),
        from: Int = 0,
        isAligned: Bool = true,
        until: Int = .max
    ) -> Reading {
        var reader = WARCReader(limits: limits, startingAt: from, isAligned: isAligned)
        var reading = Reading()
        var wanted = window
        // Each step gives a record or a fault, or moves on; this many would be a loop without end.
        while reading.steps < 20 * file.count + 1_000 {
            reading.steps += 1
            let start = min(reader.offset, file.count)
            let stop = min(file.count, start + max(wanted, window))
            reading.windowBytes = max(reading.windowBytes, stop - start)
            switch reader.step(file.span.extracting(start..<stop), isLast: stop == file.count) {
            case .record:
                guard reader.record.offset < until else { return reading }
                reading.records.append(
                    Reading.Record(
                        kind: reader.record.kind,
                        offset: reader.record.offset,
                        uri: reader.text(reader.record.targetURI),
                        body: reader.withBody { body in body.withUnsafeBufferPointer { Array($0) } },
                        isPartial: reader.record.isBodyPartial
                    )
                )
                reading.resumeOffsets.append(reader.resumeOffset)
                wanted = window
            case .fault(let fault): reading.faults.append(fault)
            case .needMore(let bytes):
                wanted = bytes
            case .end:
                reading.skipped = reader.skipped
                return reading
            }
        }
        reading.steps = -1
        return reading
    }

    /// A response as a crawler keeps it.
    static func response(_ body: [UInt8], headers: String = "Content-Type: text/html; charset=\"UTF-8\"\r\n") -> [UInt8]
    {
        Array("HTTP/1.1 200 OK\r\n\(headers)\r\n".utf8) + body
    }

    static func member(_ uri: String, _ block: [UInt8], kind: WARCWriter.Kind = .response) -> [UInt8] {
        var output: [UInt8] = []
        var writer = WARCWriter()
        writer.append(
            WARCWriter.Head(
                kind: kind,
                id: "urn:uuid:00000000-0000-4000-8000-000000000000",
                date: "2026-01-31T12:00:00Z",
                targetURI: uri,
                contentType: kind == .response ? "application/http; msgtype=response" : "text/plain"
            ),
            block: block.span,
            to: &output
        )
        return output
    }

    /// A record that is not compressed, with any `Content-Length`.
    static func plain(_ uri: String, _ body: [UInt8], length: Int? = nil) -> [UInt8] {
        let head =
            "WARC/1.0\r\nWARC-Type: resource\r\nWARC-Target-URI: \(uri)\r\nContent-Type: text/plain\r\n"
            + "Content-Length: \(length ?? body.count)\r\n\r\n"
        return Array(head.utf8) + body + Array("\r\n\r\n".utf8)
    }
}
