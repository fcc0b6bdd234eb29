import Core
import Curation

/// Makes JSON Lines of a Parquet file's rows, many to a block.
struct ParquetBlocks: ~Copyable {
    private let file: InputFile
    private let limits: BlockLimits
    private let table: ParquetFile
    private var rows: ParquetRows?
    private var window: [UInt8] = []
    private var group = 0
    private(set) var fileOffset = 0
    private(set) var setAside: [String: Int] = [:]

    private init(_ file: consuming InputFile, _ table: ParquetFile, _ limits: BlockLimits) {
        self.file = file
        self.table = table
        self.limits = limits
    }

    static func open(_ file: PipelineFile.Source.File, limits: BlockLimits) throws(Failure) -> ParquetBlocks {
        let table = try table(file.path)
        return ParquetBlocks(try InputFile(file.path), table, limits)
    }

    private static func table(_ path: String) throws(Failure) -> ParquetFile {
        let file = try InputFile(path)
        var trailer: [UInt8] = []
        try file.readAll(into: &trailer, max(0, file.count - ParquetFile.trailerBytes)..<file.count)
        var footer: [UInt8] = []
        do throws(ParquetFault) {
            let count = try ParquetFile.footerBytes(trailer: trailer.span, fileBytes: file.count)
            guard (try? file.readAll(into: &footer, file.count - count..<file.count)) != nil else {
                throw ParquetFault.notParquet
            }
            return try ParquetFile(footer: footer.span, fileBytes: file.count)
        } catch {
            throw Failure(.invalid, "\(path) cannot be read as Parquet: \(error.text).")
        }
    }

    /// The next rows; `nil` at the end.
    mutating func next() throws(Failure) -> [UInt8]? {
        setAside = [:]
        var lines: [UInt8] = []
        while group < table.groupRowCounts.count, lines.count < limits.blockBytes {
            do throws(ParquetFault) {
                if rows == nil { rows = try ParquetRows(table, group: group) }
                let bytes = window
                switch try rows?.step(bytes.span) {
                case .read(let range):
                    window.removeAll(keepingCapacity: true)
                    do {
                        try file.readAll(into: &window, range)
                    } catch {
                        throw ParquetFault.damaged("the place of a page")
                    }
                    fileOffset = max(fileOffset, range.upperBound)
                case .row: append(to: &lines)
                case .end, nil: nextGroup()
                }
            } catch {
                setAside["damaged-row-group", default: 0] += 1
                nextGroup()
            }
        }
        return lines.isEmpty && setAside.isEmpty ? nil : lines
    }

    private mutating func nextGroup() {
        rows = nil
        window = []
        group += 1
    }

    private mutating func append(to lines: inout [UInt8]) {
        guard let rows else { return }
        let start = lines.count
        lines.append(UInt8(ascii: "{"))
        for (index, name) in rows.columns.enumerated() {
            if index > 0 { lines.append(UInt8(ascii: ",")) }
            JSONLine.escape(Array(name.utf8).span, into: &lines)
            lines.append(UInt8(ascii: ":"))
            rows.row[index].write(to: &lines)
        }
        lines.append(contentsOf: "}\n".utf8)
        guard lines.count - start > limits.recordBytesMax else { return }
        lines.removeLast(lines.count - start)
        setAside["too-large", default: 0] += 1
    }
}

extension ParquetFault {
    fileprivate var text: String {
        switch self {
        case .notParquet: "it is none"
        case .damaged(let what): "damaged in \(what)"
        case .unsupported(let what): "it has \(what)"
        case .tooLarge(let what): "\(what) is too large"
        case .row(let what): what
        }
    }
}
