import Blobs
public import Core
public import Curation
import Glibc
import NIOCore
import Store
public import Wire

/// What a release's decisions say of a document.
public struct DocumentLife: Sendable {
    public var id: String
    /// The block that it was read from; what a run says of it where its blocks are told of.
    public var key: String
    public var block: JudgedBlock?
    /// Its index in the block, its bytes, its language, what dropped it, with value and threshold: as it was written.
    public var decision: JSON
    /// What all documents together took of one that every rule had kept; `nil` where nothing is told of it.
    public var taken: TakenDocument?
    /// The id of the document that it is a duplicate of, where the release tells of that one.
    public var duplicateOf: String?
    /// The file of the release that has what was kept of its block.
    public var part: RunRecord.Part?
    /// Where it stands in that file.
    public var written: Written?
    /// Samples that it was drawn for, with what people said of it.
    public var samples: [(purpose: String, item: WorkList.Item)] = []

    /// A record of a release.
    public struct Written: Sendable, Hashable {
        /// From 0, over the records of the release.
        public var place: Int
        /// Of its line; `nil` in Parquet, where it has none.
        public var digest: Digest?
    }

    /// The rule that dropped it, if one did.
    public var dropped: String? { decision["dropped"]?.stringValue }
}

/// How far a search has come.
public struct DocumentSearch: Sendable {
    public var life: DocumentLife?
    /// Blocks that were looked through in this step.
    public var blocks: Int
    /// Where the next step begins; `nil` when there is nothing left to look through.
    public var next: String?
}

extension Repositories {
    /// A step of a search ends behind the block in which it has unpacked so much.
    private static let stepBytesMax = 256 << 20
    /// One block's decisions, and one file of the release.
    public static let unpackedBytesMax = 512 << 20
    private static let decisionsPageMax = 1000
    public static let documentIDBytesMax = 4096

    /// Looks for a document in the decisions of a release, some blocks at a time.
    ///
    /// - Parameters:
    ///   - id: As it came.
    ///   - start: ``DocumentSearch/next`` of the step before.
    ///   - bytesMax: Of one file, unpacked; beyond that nothing of it is looked at any more.
    /// - Throws: `.notFound` when the release has no decisions.
    public func find(
        document id: String,
        in release: Release,
        from start: String? = nil,
        bytesMax: Int = unpackedBytesMax
    ) async throws -> DocumentSearch {
        guard !id.isEmpty, id.utf8.count <= Self.documentIDBytesMax else {
            throw Failure(.invalid, "An id has 1 to \(Self.documentIDBytesMax) bytes.")
        }
        let after = start ?? ""
        let entries = try await entries(
            of: Release.decisionsFolder,
            in: release,
            after: after,
            limit: Self.decisionsPageMax + 1
        )
        guard !entries.isEmpty || start != nil else {
            throw Failure(.notFound, "This release was published without its decisions.", note: Self.entryNote)
        }
        var search = DocumentSearch(blocks: 0)
        var unpacked = 0
        for (index, entry) in entries.enumerated() {
            guard let key = Self.stem(entry.name, ["jsonl.zst", "jsonl"]), let digest = entry.digest else { continue }
            search.blocks += 1
            let line = try await self.line(entry.name, digest, release, bytesMax, &unpacked) { line, bytes in
                Self.text(of: Array("id".utf8), line, bytes) == id
            }
            if let line, let decision = try? JSON(parsing: line.bytes) {
                search.life = try await life(of: id, key, decision, in: release)
                return search
            }
            if index + 1 < entries.count, unpacked >= Self.stepBytesMax || index + 1 >= Self.decisionsPageMax {
                search.next = entry.name
                return search
            }
        }
        return search
    }

    private func life(
        of id: String,
        _ key: String,
        _ decision: JSON,
        in release: Release
    ) async throws -> DocumentLife {
        var life = DocumentLife(id: id, key: key, decision: decision)
        life.block = try await blocks(of: release)?.first { $0.key == key }
        if life.dropped == nil { try await addTaken(to: &life, in: release) }
        guard case .success(let run) = try await record(of: release) else { return life }
        let parts = run.parts
        guard let place = parts.firstIndex(where: { $0.key == key }), life.dropped == nil,
            life.taken?.isGone != true
        else { return life }
        life.part = parts[place]
        let first = parts[..<place].reduce(0) { $0 + $1.documents }
        life.written = try await written(
            id,
            in: parts[place],
            first: first,
            of: release,
            source: life.block?.sourceName
        )
        guard let written = life.written else { return life }
        for case (let purpose, .success(let sample)) in try await samples(of: release) {
            guard let item = sample.work.item(at: written.place), item.digest == written.digest ?? item.digest else {
                continue
            }
            life.samples.append((purpose, item))
        }
        return life
    }

    private func addTaken(to life: inout DocumentLife, in release: Release) async throws {
        guard let index = life.decision["index"]?.integerValue,
            let line = try await line(at: index, in: Release.takenFolder, life.key, release)
        else { return }
        life.taken = try? JSON(parsing: line).decode(TakenDocument.self)
        guard let other = life.taken?.duplicate, let block = other.block, Digest(hex: block) != nil,
            let place = other.index,
            let decision = try await self.line(at: Int64(place), in: Release.decisionsFolder, block, release)
        else { return }
        life.duplicateOf = (try? JSON(parsing: decision))?["id"].map { $0.stringValue ?? $0.text }
    }

    /// What a folder's file about a block has about the document with that index.
    private func line(
        at index: Int64,
        in folder: String,
        _ key: String,
        _ release: Release
    ) async throws -> [UInt8]? {
        guard let entry = try await file("\(folder)/\(key).jsonl.zst", of: release), let digest = entry.digest else {
            return nil
        }
        var unpacked = 0
        let field = Array("index".utf8)
        return try await line(entry.name, digest, release, Self.unpackedBytesMax, &unpacked) { line, bytes in
            Self.text(of: field, line, bytes) == "\(index)"
        }?.bytes
    }

    /// Where a file of the release has a document.
    private func written(
        _ id: String,
        in part: RunRecord.Part,
        first: Int,
        of release: Release,
        source: String?
    ) async throws -> DocumentLife.Written? {
        guard let entry = try await file(part.path, of: release), let digest = entry.digest else { return nil }
        if Self.stem(part.path, ["parquet"]) != nil {
            guard let reader = try await open(digest, in: release.repository) else { return nil }
            let row = try await ParquetSearch.row(of: id, in: reader, bytesMax: Self.unpackedBytesMax)
            return row.map { .init(place: first + $0, digest: nil) }
        }
        guard Self.stem(part.path, ["jsonl.zst", "jsonl"]) != nil else { return nil }
        let field = Array((try await identifier(of: source, in: release)).utf8)
        var unpacked = 0
        let found = try await line(entry.name, digest, release, Self.unpackedBytesMax, &unpacked) { line, bytes in
            Self.text(of: field, line, bytes) == id
        }
        return found.map { .init(place: first + $0.index, digest: sha256($0.bytes.span)) }
    }

    /// What a source's records call their id.
    private func identifier(of source: String?, in release: Release) async throws -> String {
        guard let source, let entry = try await file(Release.pipelinePath, of: release),
            entry.size.count <= Int64(Release.dossierBytesMax),
            let pipeline = try? PipelineDocument.read(
                yaml: try await content(of: entry, in: release),
                file: entry.name
            )
        else { return "id" }
        return pipeline.sources.first { $0.name == source }?.fields.id ?? "id"
    }

    private static func text(of field: [UInt8], _ line: JSONLine, _ bytes: Span<UInt8>) -> String? {
        guard let field = line.field(field, in: bytes) else { return nil }
        switch field.kind {
        case .plainString, .escapedString:
            var text: [UInt8] = []
            JSONLine.unescape(bytes, field.value, into: &text)
            return String(decoding: text, as: UTF8.self)
        default:
            return bytes.extracting(field.value).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
        }
    }

    /// The first line of a file of JSON Lines that satisfies a condition, with its number from 0.
    ///
    /// - Parameter unpacked: Counts what was looked through.
    private func line(
        _ name: String,
        _ digest: Digest,
        _ release: Release,
        _ bytesMax: Int,
        _ unpacked: inout Int,
        where isIt: (JSONLine, Span<UInt8>) -> Bool
    ) async throws -> (bytes: [UInt8], index: Int)? {
        guard let reader = try await open(digest, in: release.repository) else { return nil }
        var lines = LineSearch(isPacked: name.hasSuffix(".zst"), bytesMax: bytesMax)
        var rest = reader.size.count
        for try await chunk in try reader.chunks() {
            rest -= Int64(chunk.readableBytes)
            let found: (bytes: [UInt8], index: Int)?
            do {
                found = try lines.take(Array(chunk.readableBytesView), isLast: rest == 0, where: isIt)
            } catch {
                throw Failure(
                    .invalid,
                    "\(name) is damaged, or unpacks to too much, and cannot be searched.",
                    note: "\(error)"
                )
            }
            if let found {
                unpacked += lines.unpacked
                return found
            }
            await Task.yield()
        }
        unpacked += lines.unpacked
        return nil
    }
}

/// Goes through the lines of a file as its bytes come, holding one piece of it.
private struct LineSearch: ~Copyable {
    private let isPacked: Bool
    private var unzstd = Unzstd()
    private var held: [UInt8] = []
    private var index = 0
    private var line = JSONLine()
    /// Of what is held, so much has no end of a line.
    private var scanned = 0
    /// Of a line that is longer than anything is told of; the rest of it is skipped.
    private var isSkipping = false
    private let bytesMax: Int
    private(set) var unpacked = 0

    private static let pieceBytes = 1 << 20
    private static let lineBytesMax = 8 << 20

    init(isPacked: Bool, bytesMax: Int) {
        self.isPacked = isPacked
        self.bytesMax = bytesMax
    }

    mutating func take(
        _ bytes: [UInt8],
        isLast: Bool,
        where isIt: (JSONLine, Span<UInt8>) -> Bool
    ) throws(StreamFault) -> (bytes: [UInt8], index: Int)? {
        guard isPacked else {
            held += bytes
            unpacked += bytes.count
            return try search(isLast: isLast, where: isIt)
        }
        var used = 0
        while true {
            let before = held.count
            let consumed = try unpack(bytes, from: used, isLast: isLast)
            used += consumed
            let fresh = held.count - before
            unpacked += fresh
            if let found = try search(isLast: false, where: isIt) { return found }
            if consumed == 0, fresh == 0 { break }
        }
        return isLast ? try search(isLast: true, where: isIt) : nil
    }

    private mutating func unpack(_ bytes: [UInt8], from start: Int, isLast: Bool) throws(StreamFault) -> Int {
        try unzstd.decompress(
            bytes.span.extracting(start...),
            isLast: isLast,
            into: &held,
            outputMax: Self.pieceBytes
        )
    }

    private mutating func search(
        isLast: Bool,
        where isIt: (JSONLine, Span<UInt8>) -> Bool
    ) throws(StreamFault) -> (bytes: [UInt8], index: Int)? {
        guard unpacked <= bytesMax else { throw StreamFault(.expansion, offset: unpacked) }
        let bytes = held
        let span = bytes.span
        var start = 0
        while start < bytes.count {
            let end = Self.lineEnd(in: bytes, from: max(start, scanned)) ?? (isLast ? bytes.count : nil)
            guard let end else { break }
            let isWhole = !isSkipping && end > start
            if isWhole, (try? line.read(span, start..<end)) != nil, isIt(line, span) {
                return (Array(bytes[start..<end]), index)
            }
            start = min(end + 1, bytes.count)
            index += 1
            isSkipping = false
        }
        held = Array(bytes[start...])
        scanned = held.count
        if held.count > Self.lineBytesMax {
            held.removeAll(keepingCapacity: true)
            scanned = 0
            isSkipping = true
        }
        return nil
    }

    private static func lineEnd(in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}
