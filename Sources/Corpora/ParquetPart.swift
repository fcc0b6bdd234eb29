import Core
import Curation
import Wire

/// Makes a Parquet file of JSON Lines: `text`, `id`, `url`, and everything else of a record as one JSON text.
enum ParquetPart {
    /// The rows of a file that ``make(_:_:)`` made, as the records that they were made of but for the order of members.
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

    static func make(_ lines: [UInt8], _ fields: PipelineDocument.Fields) throws(Failure) -> [UInt8] {
        var writer = ParquetWriter(columns: [
            .init("id", .string), .init("text", .string, isRequired: true), .init("url", .string),
            .init("metadata", .string),
        ])
        var out: [UInt8] = []
        do {
            for line in lines.split(separator: 0x0A) {
                guard case .object(let members) = try JSON(parsing: line) else { continue }
                var row: [JSON] = [.null, .string(""), .null, .null]
                var rest: [(key: String, value: JSON)] = []
                for member in members {
                    switch member.key {
                    case fields.text: row[1] = member.value
                    case fields.id: row[0] = .string(member.value.stringValue ?? member.value.text)
                    case fields.url: row[2] = member.value.stringValue.map { .string($0) } ?? .null
                    default: rest.append(member)
                    }
                }
                if !rest.isEmpty { row[3] = .string(JSON.object(rest).text) }
                try writer.append(row, to: &out)
            }
            writer.finish(&out)
        } catch {
            throw Failure(.internal, "A record cannot be written as Parquet.", note: "\(error)")
        }
        return out
    }
}
