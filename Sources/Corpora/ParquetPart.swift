import Core
import Curation
import Wire

/// Makes a Parquet file of JSON Lines: `id`, `text`, `url`, and everything else of a record as one JSON text, as it came.
enum ParquetPart {
    static func make(_ lines: [UInt8], _ fields: PipelineDocument.Fields) throws(Failure) -> [UInt8] {
        var writer = ParquetWriter(columns: [
            .init("id", .string), .init("text", .string, isRequired: true), .init("url", .string),
            .init("metadata", .string),
        ])
        var reader = RecordReader(fields)
        var out: [UInt8] = []
        do {
            var start = 0
            while start < lines.count {
                let end = lines.lineEnd(from: start)
                defer { start = end + 1 }
                guard let record = reader.read(lines, start..<end) else { continue }
                try writer.append(
                    [
                        record.id.map { .string($0) } ?? .null, .string(record.text),
                        record.url.map { .string($0) } ?? .null, record.rest.map { .string($0) } ?? .null,
                    ],
                    to: &out
                )
            }
            writer.finish(&out)
        } catch {
            throw Failure(.internal, "A record cannot be written as Parquet.", note: "\(error)")
        }
        return out
    }

    /// The rows of a file that ``make(_:_:)`` made.
    static func records(_ bytes: [UInt8]) throws -> [JSON] {
        let end = bytes.count
        guard end >= ParquetFile.trailerBytes else { throw ParquetFault.notParquet }
        let trailer = bytes.span.extracting(end - ParquetFile.trailerBytes..<end)
        let footer = try ParquetFile.footerBytes(trailer: trailer, fileBytes: end)
        let table = try ParquetFile(footer: bytes.span.extracting(end - footer..<end), fileBytes: end)
        var records: [JSON] = []
        for group in table.groupRowCounts.indices {
            var rows = try ParquetRows(table, group: group)
            var range = 0..<0
            loop: while true {
                switch try rows.step(bytes.span.extracting(range)) {
                case .read(let wanted): range = wanted
                case .row: records.append(.object(zip(rows.columns, rows.row).map { (key: $0, value: $1) }))
                case .end: break loop
                }
            }
        }
        return records
    }
}

/// Reads records as texts, whatever numbers and escapes are in them: what was judged is always read again.
struct RecordReader {
    struct Record {
        var id: String?
        var text: String
        var url: String?
        /// The other members as a JSON object.
        var rest: String?
    }

    private let names: Judge.FieldNames
    private var line = JSONLine()

    init(_ fields: PipelineDocument.Fields) { names = Judge.FieldNames(fields) }

    /// - Returns: `nil` for what is no record.
    mutating func read(_ bytes: [UInt8], _ range: Range<Int>) -> Record? {
        guard (try? line.read(bytes.span, range)) != nil, let text = line.field(names.text, in: bytes.span) else {
            return nil
        }
        let id = line.field(names.id, in: bytes.span)
        let url = line.field(names.url, in: bytes.span)
        var rest: [UInt8] = []
        for field in line.fields where ![text, id, url].contains(where: { $0?.value == field.value }) {
            rest.append(UInt8(ascii: rest.isEmpty ? "{" : ","))
            rest.append(contentsOf: bytes[field.key.lowerBound - 1..<field.value.upperBound])
        }
        if !rest.isEmpty { rest.append(UInt8(ascii: "}")) }
        return Record(
            id: id.flatMap { isNull($0, bytes) ? nil : string($0, bytes) },
            text: string(text, bytes),
            url: url.flatMap { isNull($0, bytes) ? nil : string($0, bytes) },
            rest: rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self)
        )
    }

    private func isNull(_ field: JSONLine.Field, _ bytes: [UInt8]) -> Bool {
        field.kind == .literal && bytes[field.value.lowerBound] == UInt8(ascii: "n")
    }

    private func string(_ field: JSONLine.Field, _ bytes: [UInt8]) -> String {
        switch field.kind {
        case .plainString, .escapedString:
            var text: [UInt8] = []
            JSONLine.unescape(bytes.span, field.value, into: &text)
            return String(decoding: text, as: UTF8.self)
        case .number, .literal, .object, .array: return String(decoding: bytes[field.value], as: UTF8.self)
        }
    }
}
