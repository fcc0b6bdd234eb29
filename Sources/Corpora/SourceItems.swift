import Core
import Curation
import Wire

/// The records of one source as they come in, each by the SHA-256 of its line: what samples for its admission are drawn
/// from. Records without a text are none: nothing is ever made of them.
struct SourceItems {
    private let run: PipelineRun

    /// - Throws: ``Failure`` when the pipeline has no such source.
    init(_ file: PipelineFile, source: String, runtime: any Runtime) throws(Failure) {
        guard let alone = file.with(source: source) else {
            let names = file.sources.map(\.name).joined(separator: ", ")
            throw Failure(.notFound, "\(file.path) has no source '\(source)'. Its sources are \(names).")
        }
        run = try PipelineRun(alone, workers: 1, runtime: runtime) { Instant(milliseconds: 0) }
    }

    /// A list of records, and what it was made of.
    struct List {
        var root: Digest
        var count: Int
        /// Of all blocks of the source; see ``collected(_:)``.
        var collected: Digest
    }

    func list() throws(Failure) -> List {
        var tree = MerkleTree(hash: ItemList.hash)
        let blocks = try forEach { bytes, line, _ in tree.append(Self.digest(bytes.span, line)) }
        return List(root: tree.root, count: tree.count, collected: Self.collected(blocks))
    }

    /// What names the content of a source: the digests of its blocks in their order.
    static func collected(_ blocks: [String]) -> Digest { Disk.sha256(Array(blocks.joined(separator: "\n").utf8).span) }

    /// The items at some places, in the order of the list.
    func items(at places: [Int]) throws(Failure) -> [ItemList.Item] {
        var wanted = places.sorted()[...]
        var items: [ItemList.Item] = []
        _ = try forEach { bytes, line, place in
            guard wanted.first == place else { return }
            wanted = wanted.dropFirst()
            let record = (try? JSON(parsing: bytes[line])) ?? .string(String(decoding: bytes[line], as: UTF8.self))
            items.append(.init(place: place, digest: Self.digest(bytes.span, line), record: record))
        }
        return items
    }

    private static func digest(_ bytes: Span<UInt8>, _ line: Range<Int>) -> Digest {
        // Lines end with a line feed, whoever wrote a carriage return before it.
        var line = line
        if !line.isEmpty, bytes[line.upperBound - 1] == 0x0D { line = line.lowerBound..<line.upperBound - 1 }
        return Disk.sha256(bytes.extracting(line))
    }

    private func forEach(_ use: (_ bytes: [UInt8], _ line: Range<Int>, _ place: Int) -> Void) throws(Failure)
        -> [String]
    {
        var reader = SourceReader(run.file, limits: run.limits)
        var blocks: [String] = []
        var json = JSONLine()
        var place = 0
        while let block = try reader.next() {
            let records = try run.records(of: block)
            blocks.append(records.digest.hex)
            let text = Array(records.fields.text.utf8)
            var start = 0
            while start < records.lines.count {
                let end = records.lines.lineEnd(from: start)
                if (try? json.read(records.lines.span, start..<end)) != nil,
                    let field = json.field(text, in: records.lines.span),
                    field.kind == .plainString || field.kind == .escapedString, field.value.count > 2
                {
                    use(records.lines, start..<end, place)
                    place += 1
                }
                start = end + 1
            }
        }
        return blocks
    }
}
