import Blobs
import Core
import Curation
import NIOCore

/// Looks for an id in the files of Parquet that releases are made of, reading no other column and holding one page.
enum ParquetSearch {
    /// As `onepoint data run` names it, whatever the sources call theirs.
    private static let column = "id"

    /// - Parameter bytesMax: What is read of the file at most.
    /// - Returns: The first row with that id, from 0; `nil` when there is none.
    /// - Throws: `.invalid` for a file that is damaged, has no such column or wants more to be read.
    static func row(of id: String, in reader: BlobReader, bytesMax: Int) async throws -> Int? {
        do {
            let table = try await table(reader)
            var (place, left) = (0, bytesMax)
            for group in table.groupRowCounts.indices {
                var rows = try ParquetRows(table, group: group, columns: [column])
                var window: [UInt8] = []
                loop: while true {
                    switch try rows.step(window.span) {
                    case .read(let range):
                        left -= range.count
                        guard left >= 0 else { throw ParquetFault.tooLarge("what is to be looked through") }
                        window = try await bytes(range, of: reader)
                    case .row:
                        if rows.row.first == .string(id) { return place }
                        place += 1
                    case .end: break loop
                    }
                }
            }
            return nil
        } catch let fault as ParquetFault {
            throw Failure(.invalid, "A file of the release cannot be searched.", note: "\(fault)")
        }
    }

    private static func table(_ reader: BlobReader) async throws -> ParquetFile {
        let end = Int(clamping: reader.size.count)
        guard end >= ParquetFile.trailerBytes else { throw ParquetFault.notParquet }
        let trailer = try await bytes(end - ParquetFile.trailerBytes..<end, of: reader)
        let count = try ParquetFile.footerBytes(trailer: trailer.span, fileBytes: end)
        let footer = try await bytes(end - count..<end, of: reader)
        return try ParquetFile(footer: footer.span, fileBytes: end)
    }

    private static func bytes(_ range: Range<Int>, of reader: BlobReader) async throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(range.count)
        while bytes.count < range.count {
            let some = try await reader.read(
                offset: Int64(range.lowerBound + bytes.count),
                countMax: range.count - bytes.count
            )
            guard some.readableBytes > 0 else { throw ParquetFault.damaged("a page beyond the file's end") }
            bytes.append(contentsOf: some.readableBytesView)
        }
        return bytes
    }
}
