import Core
import Curation

/// The records of a release in their order, each by the SHA-256 of its line: what samples are drawn from and what the
/// release's Merkle root is made of.
///
/// A line is the record as `jsonl` has it. For Parquet it is what the row was made of.
struct ItemList: Sendable {
    private let folder: String
    private let parts: [RunRecord.Part]
    let count: Int

    init(_ folder: String, _ record: RunRecord) throws(Failure) {
        guard record.finished != nil else {
            throw Failure(.conflict, "The run in \(folder) is not finished. 'onepoint data run' goes on with it.")
        }
        self.folder = folder
        parts = record.parts
        count = record.parts.reduce(0) { $0 + $1.documents }
    }

    /// SHA-256, as the Merkle tree wants it.
    static let hash: MerkleHash = { Disk.sha256($0) }

    /// Goes through all items in order.
    func forEach(_ use: (Span<UInt8>) -> Void) throws(Failure) {
        for part in parts {
            let digests = try digests(part)
            for at in stride(from: 0, to: digests.count, by: 32) { use(digests.span.extracting(at..<at + 32)) }
        }
    }

    private func digests(_ part: RunRecord.Part) throws(Failure) -> [UInt8] {
        let path = "\(folder)/work/parts/\(part.number).items"
        guard let digests = try? Disk.read(path, bytesMax: 1 << 34), digests.count == part.documents * 32 else {
            throw Failure(.invalid, "\(path) is damaged. Run the pipeline again.")
        }
        return digests
    }

    var root: Digest {
        get throws(Failure) {
            var tree = MerkleTree(hash: Self.hash)
            try forEach { tree.append($0) }
            return tree.root
        }
    }

    /// An item that was drawn.
    struct Item {
        var place: Int
        var digest: Digest
        var record: JSON
    }

    /// The items at some places, in their order.
    func items(at places: [Int]) throws(Failure) -> [Item] {
        var wanted = places.sorted()[...]
        var items: [Item] = []
        var first = 0
        for part in parts {
            let range = first..<first + part.documents
            first = range.upperBound
            let here = wanted.prefix { range.contains($0) }
            wanted = wanted.dropFirst(here.count)
            guard !here.isEmpty else { continue }
            let digests = try digests(part)
            let records = try records(part)
            for place in here {
                let index = place - range.lowerBound
                guard let digest = Digest(bytes: digests[index * 32..<index * 32 + 32]), index < records.count else {
                    continue
                }
                items.append(Item(place: place, digest: digest, record: records[index]))
            }
        }
        return items
    }

    private func records(_ part: RunRecord.Part) throws(Failure) -> [JSON] {
        let path = folder + "/" + part.path
        let bytes = try Disk.read(path, bytesMax: 1 << 34)
        do {
            if path.hasSuffix(".parquet") { return try ParquetPart.records(bytes) }
            let lines = path.hasSuffix(".zst") ? try Packed.unpack(bytes, path) : bytes
            return lines.split(separator: 0x0A).map { line in
                // Numbers and escapes that our own reader of JSON refuses are shown as they stand.
                (try? JSON(parsing: line)) ?? .string(String(decoding: line, as: UTF8.self))
            }
        } catch {
            throw Failure(.invalid, "\(path) is damaged. Run the pipeline again.", note: "\(error)")
        }
    }
}
