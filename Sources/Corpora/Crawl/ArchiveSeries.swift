import Core
import Curation
import Glibc

/// Web archives of one kind, one file after the other: `NAME-00000.warc.gz` and so on.
struct ArchiveSeries: ~Copyable {
    /// Where a record stands.
    struct Place: Sendable, Equatable {
        var file: Int
        var offset: Int
        var end: Int
    }

    /// How far a series is known to be whole.
    struct Mark: Sendable, Equatable {
        var file = 0
        var end = 0
    }

    let folder: String
    let name: String
    let facts: String
    /// A file that has reached it is followed by the next.
    let fileMaxBytes: Int
    private var number: Int
    private var file: AppendFile
    private var writer = WARCWriter()

    static let fileMaxBytes = 1_000_000_000

    /// Opens the series where the mark is, and removes what is behind it.
    ///
    /// - Parameter facts: What the files say of their crawl: lines of `name: value`.
    init(
        _ folder: String,
        name: String,
        facts: String,
        from mark: Mark,
        fileMaxBytes: Int = fileMaxBytes
    ) throws(Failure) {
        try Disk.makeFolder(folder)
        let own = name + "-"
        for path in try Disk.names(in: folder) where path.hasPrefix(own) && path.hasSuffix(".warc.gz") {
            guard let number = Int(path.dropFirst(own.count).dropLast(8)), number > mark.file else { continue }
            unlink(folder + "/" + path)
        }
        let file = try AppendFile(Self.path(folder, name, mark.file), keeping: mark.end)
        self.folder = folder
        self.name = name
        self.facts = facts
        self.fileMaxBytes = fileMaxBytes
        number = mark.file
        self.file = file
    }

    static func path(_ folder: String, _ name: String, _ number: Int) -> String {
        "\(folder)/\(fileName(name, number))"
    }

    static func fileName(_ name: String, _ number: Int) -> String {
        let digits = String(number)
        return "\(name)-\(String(repeating: "0", count: max(0, 5 - digits.count)))\(digits).warc.gz"
    }

    var mark: Mark { Mark(file: number, end: file.count) }

    /// Writes a request and its answer, and tells where the answer stands.
    mutating func append(_ exchange: borrowing PageFetcher.Exchange, _ answer: borrowing PageFetcher.Answer)
        throws(Failure) -> (place: Place, id: String)
    {
        if file.count >= fileMaxBytes {
            try file.flush()
            number += 1
            file = try AppendFile(Self.path(folder, name, number), keeping: 0)
        }
        var buffer: [UInt8] = []
        // Archives tell whole seconds; the collection record tells the rest.
        let date = String(exchange.time.rfc3339.prefix(19)) + "Z"
        if file.count == 0 {
            let head = WARCWriter.Head(
                kind: .warcinfo,
                id: id("info", date),
                date: date,
                contentType: "application/warc-fields",
                fields: [("WARC-Filename", Self.fileName(name, number))]
            )
            writer.append(head, block: Array(facts.utf8).span, to: &buffer)
        }
        let url = exchange.entry.url.text
        let offset = file.count + buffer.count
        let responseID = id("response \(url)", date)
        let requestID = id("request \(url)", date)
        var fields = [("WARC-IP-Address", answer.address), ("WARC-Concurrent-To", "<\(requestID)>")]
        if let reason = answer.truncated { fields.append(("WARC-Truncated", reason)) }
        writer.append(
            .init(
                kind: .response,
                id: responseID,
                date: date,
                targetURI: url,
                contentType: "application/http; msgtype=response",
                fields: fields.map { (name: $0.0, value: $0.1) }
            ),
            block: (answer.head + answer.body).span,
            payloadOffset: answer.head.count,
            to: &buffer
        )
        writer.append(
            .init(
                kind: .request,
                id: requestID,
                date: date,
                targetURI: url,
                contentType: "application/http; msgtype=request",
                fields: [("WARC-Concurrent-To", "<\(responseID)>")]
            ),
            block: exchange.request.span,
            to: &buffer
        )
        try file.append(buffer.span)
        return (Place(file: number, offset: offset, end: file.count), responseID)
    }

    func flush() throws(Failure) { try file.flush() }

    /// A name that only this record has: a UUID made of where and when it was written.
    ///
    /// > Source: RFC 9562, section 5.8.
    private func id(_ what: String, _ date: String) -> String {
        let seed = "\(facts)\n\(name)\n\(number)\n\(file.count)\n\(what)\n\(date)"
        var digits = Array(Disk.sha256(Array(seed.utf8).span).hex.utf8.prefix(32))
        digits[12] = UInt8(ascii: "8")
        digits[16] = Array("89ab".utf8)[Int(digits[16] & 3)]
        let text = String(decoding: digits, as: UTF8.self)
        var parts: [Substring] = []
        var rest = text[...]
        for length in [8, 4, 4, 4, 12] {
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        return "urn:uuid:" + parts.joined(separator: "-")
    }
}
