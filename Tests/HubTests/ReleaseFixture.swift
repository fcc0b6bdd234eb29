import Core
import Curation
import NIOCore
import Testing
import Wire

@testable import Hub

/// A small release of training data in files, as `onepoint data` writes them and as people commit them.
struct ReleaseFixture {
    static let key = String(repeating: "c", count: 64)

    /// Lines of the release's only part.
    var lines: [String]
    var files: [String: String] = [:]
    var packed: [String: [UInt8]] = [:]

    var root: Core.Digest {
        var tree = MerkleTree(hash: Hub.sha256)
        for line in lines { tree.append(digest(line).bytes.span) }
        return tree.root
    }

    func digest(_ line: String) -> Core.Digest { sha256(Array(line.utf8)) }

    /// - Parameter size: Of the sample.
    init(records: Int = 20, size: Int = 6, purpose: String = "spot-check") throws {
        lines = (0..<records).map {
            #"{"id":"doc-\#($0)","text":"Text number \#($0) of many.","url":"https://a.example/\#($0)"}"#
        }
        let part = lines.joined(separator: "\n") + "\n"
        var run = RunRecord(pipeline: "tour", configuration: String(repeating: "d", count: 64), started: Self.time)
        run.finished = Self.time
        run.blocks = 1
        run.summary.records = records + 5
        run.summary.documents = Self.tally(records + 5)
        run.summary.kept = Self.tally(records)
        run.summary.dropped = ["gopher-quality/gopher_short_doc": Self.tally(3), "language/other": Self.tally(2)]
        run.summary.languages = ["en": Self.tally(records), "zh": Self.tally(5)]
        run.summary.personal = ["email": 4]
        run.written = Self.tally(records)
        run.parts = [
            .init(
                path: "data/part-000000.jsonl",
                sha256: sha256(Array(part.utf8)).hex,
                bytes: part.utf8.count,
                documents: records,
                textBytes: part.utf8.count,
                repeats: [:],
                block: String(repeating: "b", count: 64),
                key: Self.key
            )
        ]
        let block = JudgedBlock(
            ordinal: 0,
            source: 0,
            sourceName: "crawl",
            path: "in/a.jsonl",
            digest: String(repeating: "b", count: 64),
            check: "x",
            key: Self.key,
            documents: records + 5
        )
        var decisions = ""
        for index in 0..<records {
            decisions += #"{"index":\#(index),"id":"doc-\#(index)","bytes":20,"language":"en"}"# + "\n"
        }
        decisions +=
            #"{"index":\#(records),"id":"gone","bytes":9,"dropped":"gopher-quality/gopher_short_doc","value":31.0,"threshold":50.0}"#
            + "\n"
        files = [
            "README.md": "---\nlicense: cc-by-4.0\n---\n# Tour\n", "data/part-000000.jsonl": part,
            "governance/run.json": try JSON(encoding: run).text,
            "governance/blocks.jsonl": try JSON(encoding: block).text + "\n",
            "governance/sources/crawl.yaml": Self.dossier,
        ]
        files["governance/items.json"] = #"{"root":"\#(root.hex)","records":\#(records),"parts":[]}"#
        packed["governance/decisions/\(Self.key).jsonl.zst"] = Zstd.compress(Array(decisions.utf8).span)
        draw(purpose, size: size)
    }

    /// Gives it documents that rules kept and all documents together took, and one that lost a line.
    mutating func take() throws {
        let first = lines.count + 1
        var decisions = (0..<first).map { #"{"index":\#($0),"id":"doc-\#($0)","bytes":20}"# }
        let gone = ["double", "theirs", "empty"]
        decisions += gone.enumerated().map { #"{"index":\#(first + $0),"id":"\#($1)","bytes":20}"# }
        let taken = [
            TakenDocument(index: 3, repeats: ["lines": 12], isGone: false),
            TakenDocument(
                index: first,
                duplicate: .init(kind: "near", jaccard: 0.875, source: "crawl", block: Self.key, index: 7)
            ),
            TakenDocument(index: first + 1, duplicate: .init(kind: "exact", jaccard: 1, source: "earlier")),
            TakenDocument(index: first + 2, repeats: ["lines": 9, "substrings": 11], isGone: true),
        ]
        for (folder, lines) in [("decisions", decisions), ("taken", try taken.map { try JSON(encoding: $0).text })] {
            let text = lines.joined(separator: "\n") + "\n"
            packed["governance/\(folder)/\(Self.key).jsonl.zst"] = Zstd.compress(Array(text.utf8).span)
        }
    }

    /// Draws a sample, as `onepoint data sample` does.
    mutating func draw(_ purpose: String, size: Int) {
        let draw = SampleDraw(root: root, purpose: purpose, population: lines.count, size: size)
        let places = draw.places(hash: Hub.sha256).sorted()
        let items = places.map { WorkList.Item(place: $0, digest: digest(lines[$0]), id: "doc-\($0)") }
        files["governance/samples/\(purpose).json"] = SpotCheck(draw: draw, items: items).json.text
        files["governance/samples/\(purpose).jsonl"] = places.map { #"{"place":\#($0),"record":\#(lines[$0])}"# + "\n" }
            .joined()
    }

    /// The same records in a file of Parquet.
    mutating func becomeParquet() throws {
        var writer = ParquetWriter(columns: [.init("id", .string), .init("text", .string, isRequired: true)])
        var bytes: [UInt8] = []
        for index in lines.indices {
            try writer.append([.string("doc-\(index)"), .string("Text number \(index) of many.")], to: &bytes)
        }
        writer.finish(&bytes)
        files["data/part-000000.jsonl"] = nil
        files["governance/run.json"]?.replace("part-000000.jsonl", with: "part-000000.parquet")
        packed["data/part-000000.parquet"] = bytes
    }

    mutating func addPack() {
        let inner = ["croissant.json": "{}", "sources/crawl.json": "{}"]
        var tree = MerkleTree(hash: Hub.sha256)
        var listed: [JSON] = []
        for (path, text) in inner.sorted(by: { $0.key < $1.key }) {
            files["governance/pack/\(path)"] = text
            var leaf = Array(path.utf8) + [0]
            digest(text).append(to: &leaf)
            tree.append(leaf.span)
            listed.append(.object([("path", .string(path)), ("sha256", .string(digest(text).hex))]))
        }
        let manifest = JSON.object([("root", .string(tree.root.description)), ("files", .array(listed))])
        files["governance/pack/manifest.json"] = manifest.text
        files["governance/pack/manifest.json.sig"] = "signature"
    }

    static let time = Instant(milliseconds: 1_790_000_000_000)

    static func tally(_ count: Int) -> BlockSummary.Tally {
        var tally = BlockSummary.Tally()
        (tally.count, tally.bytes) = (count, count * 100)
        return tally
    }

    static let dossier = """
        name: crawl
        title: Pages of the museum
        kind: self_collected
        origin: https://museum.example.org/
        region: domestic
        languages: [en]
        modalities: [text]
        licence: {at_origin: CC-BY-4.0}
        personal_data: {presence: ordinary}

        """
}

extension Core.Digest {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        append(to: &bytes)
        return bytes
    }
}

extension Shelf {
    var corpus: RepositoryPath { RepositoryPath(project: .named("brain"), name: Self.name("corpus")) }

    /// Commits a release to the data set `brain/corpus`, which is made when it is not there.
    func publish(_ fixture: ReleaseFixture, visibility: Visibility = .private) async throws -> Release {
        if (try? await repositories.repository(.datasets, corpus, for: .see, alice)) == nil {
            _ = try await repositories.begin(.dataset, corpus, visibility: visibility, alice)
        }
        var kept: [KeptFile] = []
        for (name, text) in fixture.files {
            kept.append(try await repositories.keep(ByteBuffer(string: text), at: path(name)))
        }
        for (name, bytes) in fixture.packed {
            kept.append(try await repositories.keep(ByteBuffer(bytes: bytes), at: path(name)))
        }
        let request = CommitRequest(
            reference: .main,
            message: "Publish",
            parent: nil,
            operations: kept.map(\.operation),
            brought: kept
        )
        let outcome = try await repositories.commit(request, to: .datasets, corpus, alice)
        return try await repositories.release(outcome.repository.id, at: "main", alice)
    }
}
