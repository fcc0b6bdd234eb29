import Core
import Curation
import Foundation
import Testing

@Suite struct ParquetTests {
    struct Table: Equatable {
        var columns: [String] = []
        var rows: [[JSON]] = []
        var groupRowCounts: [Int] = []
        /// The longest piece of the file that was asked for.
        var readMaxBytes = 0
    }

    /// Reads a file as a driver does.
    static func read(
        _ file: [UInt8],
        columns: [String]? = nil,
        limits: ParquetLimits = ParquetLimits(),
        rowsMax: Int = .max
    ) throws(ParquetFault) -> Table {
        let trailer = file.span.extracting(max(0, file.count - ParquetFile.trailerBytes)...)
        let footerBytes = try ParquetFile.footerBytes(trailer: trailer, fileBytes: file.count, limits: limits)
        let footer = file.span.extracting((file.count - footerBytes)...)
        let parquet = try ParquetFile(footer: footer, fileBytes: file.count, limits: limits)
        var table = Table(groupRowCounts: parquet.groupRowCounts)
        for group in parquet.groupRowCounts.indices {
            var rows = try ParquetRows(parquet, group: group, columns: columns)
            table.columns = rows.columns
            var range = 0..<0
            loop: while true {
                switch try rows.step(file.span.extracting(range)) {
                case .read(let wanted):
                    range = wanted
                    table.readMaxBytes = max(table.readMaxBytes, wanted.count)
                case .row:
                    table.rows.append(rows.row)
                    if table.rows.count >= rowsMax { return table }
                case .end: break loop
                }
            }
        }
        return table
    }

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures/Parquet")

    static func fixture(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: fixtures.appendingPathComponent(name)))
    }

    // Written by pyarrow, each with the rows that pyarrow reads of it.
    @Test(
        "files of pyarrow are read as pyarrow reads them",
        arguments: ["types-v1-snappy", "types-v2-lz4", "delta-v2-zstd", "nested-v1-gzip"]
    )
    func fixtures(_ name: String) throws {
        let table = try Self.read(try Self.fixture("\(name).parquet"))
        let lines = try Self.fixture("\(name).jsonl").split(separator: 10)
        #expect(table.rows.count == lines.count)
        for (row, line) in zip(table.rows, lines) {
            let object = JSON.object(zip(table.columns, row).map { ($0, $1) })
            #expect(object == (try JSON(parsing: line)))
        }
    }

    @Test("only the columns asked for are read, in that order")
    func projection() throws {
        let file = try Self.fixture("types-v1-snappy.parquet")
        let all = try Self.read(file)
        let some = try Self.read(file, columns: ["i64", "s"])
        #expect(some.columns == ["i64", "s"])
        let places = try ["i64", "s"].map { try #require(all.columns.firstIndex(of: $0)) }
        #expect(some.rows == all.rows.map { row in places.map { row[$0] } })
        #expect(throws: ParquetFault.self) { try Self.read(file, columns: ["absent"]) }
        #expect(throws: ParquetFault.self) { try Self.read(file, columns: ["s", "s"]) }
    }

    @Test("what cannot be read is refused by its name, and the rest is read")
    func refusals() throws {
        let deep = try Self.fixture("deep.parquet")
        let kept = try Self.read(deep)
        #expect(kept.columns == ["text"] && kept.rows == [[.string("kept")]])
        #expect(throws: ParquetFault.unsupported("deep: nesting deeper than 8")) {
            try Self.read(deep, columns: ["deep"])
        }
        let brotli = try Self.fixture("brotli.parquet")
        #expect(throws: ParquetFault.unsupported("the compression BROTLI")) { try Self.read(brotli) }
        #expect(throws: ParquetFault.notParquet) { try Self.read([]) }
        #expect(throws: ParquetFault.notParquet) { try Self.read(Array("PAR1 no footer".utf8)) }
        #expect(throws: ParquetFault.unsupported("an encrypted footer")) {
            try Self.read(Array("PARE....".utf8) + [0, 0, 0, 0] + Array("PARE".utf8))
        }
    }

    static func value(_ type: ParquetWriter.ColumnType, using random: inout SplitMix) -> JSON {
        switch type {
        case .string:
            // Some columns' values repeat, others are long.
            let isShort = Int.random(in: 0..<40, using: &random) > 0
            let text = ArchiveSupport.text(Int.random(in: 0...(isShort ? 2 : 300), using: &random), using: &random)
            return .string(String(decoding: text, as: UTF8.self))
        case .int64: return .integer([0, 1, -1, .max, .min].randomElement(using: &random) ?? 0)
        case .double: return .number(Double.random(in: -1...1, using: &random))
        case .boolean: return .bool(Bool.random(using: &random))
        }
    }

    @Test("rows come back as they were written, in groups of bounded size, and the bytes are the same each time")
    func writing() throws {
        var random = SplitMix(seed: ArchiveSupport.seed())
        for round in 0..<30 {
            let types: [ParquetWriter.ColumnType] = [.string, .string, .int64, .double, .boolean]
            let columns = types.enumerated().map { index, type in
                ParquetWriter.Column("c\(index)", type, isRequired: Bool.random(using: &random))
            }
            let nulls = Int.random(in: 0...10, using: &random)
            let count = Int.random(in: 0...200, using: &random)
            var rows: [[JSON]] = []
            for _ in 0..<count {
                var row: [JSON] = []
                for column in columns {
                    let isNull = !column.isRequired && Int.random(in: 0..<10, using: &random) < nulls
                    row.append(isNull ? .null : Self.value(column.type, using: &random))
                }
                rows.append(row)
            }
            var files: [[UInt8]] = []
            for _ in 0..<2 {
                var writer = ParquetWriter(
                    columns: columns,
                    compression: round % 2 == 0 ? .none : .zstd(level: 1),
                    rowGroupMaxBytes: round % 3 == 0 ? 1_000 : 1 << 20
                )
                var file: [UInt8] = []
                for row in rows { try writer.append(row, to: &file) }
                writer.finish(&file)
                files.append(file)
            }
            #expect(files[0] == files[1])
            let table = try Self.read(files[0])
            #expect(table.rows == rows)
            #expect(table.groupRowCounts.reduce(0, +) == count)
            if round % 3 == 0, nulls < 3 { #expect(table.groupRowCounts.allSatisfy { $0 < 100 }) }
        }
    }

    @Test("a row that does not fit is refused and leaves no trace")
    func misfits() throws {
        var writer = ParquetWriter(columns: [.init("text", .string, isRequired: true), .init("n", .int64)])
        var file: [UInt8] = []
        try writer.append([.string("kept"), .integer(1)], to: &file)
        #expect(throws: ParquetFault.row("text: a value is missing")) {
            try writer.append([.null, .integer(1)], to: &file)
        }
        #expect(throws: ParquetFault.row("n: a string")) {
            try writer.append([.string("text"), .string("one")], to: &file)
        }
        #expect(throws: ParquetFault.row("a row of 1 values for 2 columns")) {
            try writer.append([.string("text")], to: &file)
        }
        writer.finish(&file)
        #expect(try Self.read(file).rows == [[.string("kept"), .integer(1)]])
    }

    @Test("a group of any size is read in pieces")
    func pieces() throws {
        var writer = ParquetWriter(columns: [.init("text", .string)], compression: .none)
        var file: [UInt8] = []
        let text = String(repeating: "text ", count: 20_000)
        for _ in 0..<60 { try writer.append([.string(text)], to: &file) }
        writer.finish(&file)
        let table = try Self.read(file)
        #expect(table.rows.count == 60 && table.rows.allSatisfy { $0 == [.string(text)] })
        #expect(table.groupRowCounts == [60])
        #expect(table.readMaxBytes < 1_300_000)
        var limits = ParquetLimits()
        limits.pageMaxBytes = 1_000_000
        #expect(throws: ParquetFault.self) { try Self.read(file, limits: limits) }
    }

    @Test("a page that is not what its checksum says is a fault")
    func checksums() throws {
        // The fixture has checksums; the byte is in the first page's compressed values.
        var file = try Self.fixture("delta-v2-zstd.parquet")
        file[60] ^= 1
        #expect(throws: ParquetFault.damaged("a page that is not what its checksum says")) { try Self.read(file) }
    }

    @Test("no mutation of a file does more than end the reading of it")
    func mutations() throws {
        var random = SplitMix(seed: ArchiveSupport.seed())
        for name in ["types-v1-snappy", "types-v2-lz4", "delta-v2-zstd", "nested-v1-gzip"] {
            let original = try Self.fixture("\(name).parquet")
            for _ in 0..<60 {
                var file = original
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    let back = Bool.random(using: &random) ? file.count : min(file.count, 3_000)
                    file[file.count - Int.random(in: 1...back, using: &random)] = UInt8.random(
                        in: 0...255,
                        using: &random
                    )
                }
                _ = try? Self.read(file, rowsMax: 200)
            }
        }
    }
}
