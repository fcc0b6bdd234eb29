import Core
import HTTPTypes
import Hummingbird
import NIOCore
import Wire

/// One cell of a CSV file.
enum Cell: Sendable {
    case number(Int64)
    case text(String)

    /// RFC 4180, section 2. Text that a spreadsheet would take for a formula gets a leading apostrophe
    /// (OWASP, "CSV Injection").
    func write(into buffer: inout ByteBuffer) {
        switch self {
        case .number(let value): buffer.writeString(String(value))
        case .text(let text):
            var text = text
            if let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) { text = "'" + text }
            if text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) {
                buffer.writeString("\"" + text.replacing("\"", with: "\"\"") + "\"")
            } else {
                buffer.writeString(text)
            }
        }
    }
}

extension Call {
    /// A page as JSON; or all rows as CSV, fetched page by page while they are written.
    func table<Item>(
        _ columns: [String],
        name: String,
        page: @escaping @Sendable (String?, Int) async throws -> Page<Item>,
        row: @escaping @Sendable (Item) -> [Cell]
    ) async throws -> Response {
        switch query("format") {
        case "csv": break
        case "json": return try answer(try await page(query("cursor"), limit()))
        case nil:
            if !accepts("text/csv") { return try answer(try await page(query("cursor"), limit())) }
        default: throw Failure(.malformed, "The query parameter 'format' is 'json' or 'csv'.")
        }
        // The first page before the answer begins, so that what is refused is refused properly.
        let first = try await page(query("cursor"), 500)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"onepoint-\(name).csv\"",
            ],
            body: ResponseBody { writer in
                var buffer = ByteBuffer(string: columns.joined(separator: ",") + "\r\n")
                var rows = first
                while true {
                    for item in rows.items {
                        for (index, cell) in row(item).enumerated() {
                            if index > 0 { buffer.writeString(",") }
                            cell.write(into: &buffer)
                        }
                        buffer.writeString("\r\n")
                    }
                    try await writer.write(buffer)
                    buffer.clear()
                    guard let next = rows.next else { break }
                    rows = try await page(next, 500)
                }
                try await writer.finish(nil)
            }
        )
    }
}
