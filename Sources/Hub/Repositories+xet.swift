import Blobs
public import Core
public import NIOCore
import Store
import Synchronization
public import Wire

/// A xorb that came and is not all in files yet.
struct StagedXorb: Sendable {
    /// Its chunks unpacked, one after the other. Each was verified when it came.
    var plain: StagedFile
    /// A ``XorbMap`` without places.
    var map: StagedFile
    var since: Instant
}

/// Forgotten when the process ends, as then clients send them anew.
final class XorbStage: Sendable {
    struct Key: Hashable {
        var repository: RepositoryID
        var xorb: XetHash
    }

    /// 64 MiB each, and 500 bytes of memory.
    static let xorbsMax = 200_000

    private let staged = Mutex<[Key: StagedXorb]>([:])

    var count: Int { staged.withLock { $0.count } }

    subscript(key: Key) -> StagedXorb? { staged.withLock { $0[key] } }

    /// - Returns: Whether it is new.
    func insert(_ xorb: StagedXorb, _ key: Key) -> Bool {
        staged.withLock { staged in
            // Whoever is cut off by this sends a xorb again.
            if staged.count >= Self.xorbsMax, let some = staged.keys.first { staged[some] = nil }
            return staged.updateValue(xorb, forKey: key) == nil
        }
    }

    /// Drops one that is not needed any more, unless another has come in its place.
    func drop(_ xorb: StagedXorb, _ key: Key) {
        staged.withLock { if $0[key]?.plain == xorb.plain { $0[key] = nil } }
    }

    func drop(before limit: Instant) { staged.withLock { $0 = $0.filter { $0.value.since >= limit } } }
}

/// Uploads of Xet clients. They send chunks in xorbs, and then shards that tell which files the chunks make up. Here
/// every hash is computed anew, and what is kept is the plain file; the chunks' places in it are kept beside it, so that
/// later uploads need not send what a file has that their sender may read.
extension Repositories {
    public static let xorbBytesMax = Xorb.packedBytesMax
    public static let shardBytesMax = XetShard.bytesMax

    /// Takes a xorb in.
    ///
    /// - Returns: Whether it was new.
    /// - Throws: `.digestMismatch` when its chunks are not what its name says, `.invalid` when it cannot be unpacked.
    public func stage(
        xorb hash: XetHash,
        _ packed: some AsyncSequence<ByteBuffer, any Error> & Sendable,
        for repository: Repository
    ) async throws -> Bool {
        let table = XorbTable()
        let plain = try await blobs.stage(PlainXorb(packed: packed, expected: hash, table: table))
        let map = XorbMap(xorb: hash, entries: table.chunks.map { XorbMap.Entry(chunk: $0, place: nil) })
        let staged = StagedXorb(plain: plain, map: try await blobs.stage(map.bytes), since: now())
        return xorbs.insert(staged, .init(repository: repository.id, xorb: hash))
    }

    /// Makes the files of a shard from chunks that came before or that the caller may read, and makes them available
    /// through a repository.
    ///
    /// - Parameter progress: Told how many of how many files are there; at least every 256 MiB.
    /// - Throws: `.invalid` and `.digestMismatch` when anything about a file does not agree with its bytes.
    public func assemble(
        shard bytes: ByteBuffer,
        into repository: Repository,
        _ caller: Principal?,
        progress: @escaping @Sendable (_ done: Int, _ of: Int) -> Void
    ) async throws {
        let shard = try XetShard(bytes)
        let count = shard.files.count
        var maps: [XetHash: Reach] = [:]
        for xorb in Set(shard.files.flatMap { $0.segments.map(\.xorb) }) {
            maps[xorb] = try await reach(xorb, from: repository, caller)
        }
        var made: [(file: XetShard.File, blob: StoredBlob)] = []
        var places: [XetHash: [Int: XorbMap.Place]] = [:]
        var firstChunks: [XetHash: Set<Int>] = [:]
        for (done, file) in shard.files.enumerated() {
            progress(done, count)
            var chunks: [XetChunk] = []
            var pieces: [BlobPiece] = []
            for segment in file.segments {
                guard let reach = maps[segment.xorb] else { throw Self.unknown(segment.xorb) }
                let entries = try Self.entries(of: segment, in: reach.map)
                chunks += entries.map(\.chunk)
                for (index, entry) in zip(segment.chunks, entries) {
                    guard let (source, offset) = reach.place(index) else { throw Self.unknown(segment.xorb) }
                    Self.add(source, offset..<offset + Int64(entry.chunk.length), to: &pieces)
                }
            }
            guard XetHash.file(chunks) == file.hash else {
                throw Failure(.digestMismatch, "The chunks of file \(file.hash) do not make it up.")
            }
            let size = chunks.reduce(Int64(0)) { $0 + Int64($1.length) }
            let blob = try await store(pieces, size: size, expected: file.digest) { progress(done, count) }
            made.append((file, blob))
            var offset: Int64 = 0
            var isFirst = true
            for segment in file.segments {
                guard let reach = maps[segment.xorb] else { continue }
                for index in segment.chunks {
                    if places[segment.xorb, default: [:]][index] == nil {
                        places[segment.xorb, default: [:]][index] = .init(digest: blob.digest, offset: offset)
                    }
                    if isFirst { firstChunks[segment.xorb, default: []].insert(index) }
                    isFirst = false
                    offset += Int64(reach.map.entries[index].chunk.length)
                }
            }
        }
        progress(count, count)
        try await keep(made, maps, places, firstChunks, in: repository, caller)
    }

    /// A xorb whose chunks can be used.
    private struct Reach: Sendable {
        var map: XorbMap
        var bytes: Bytes

        enum Bytes: Sendable {
            /// Those that came, and where each chunk begins in them.
            case staged(StagedXorb, starts: [Int64])
            /// Those of files: the ones that the caller may have them from.
            case kept(readable: Set<Digest>)
        }

        /// Where a chunk is; `nil` when it is nowhere that the caller may read.
        func place(_ index: Int) -> (source: BlobPiece.Source, offset: Int64)? {
            switch bytes {
            case .staged(let xorb, let starts): return (.staged(xorb.plain), starts[index])
            case .kept(let readable):
                guard let place = map.entries[index].place, readable.contains(place.digest) else { return nil }
                return (.blob(place.digest), place.offset)
            }
        }
    }

    private static func unknown(_ xorb: XetHash) -> Failure {
        Failure(.invalid, "Xorb \(xorb) is not here, or not for you. Upload it before the shard that names it.")
    }

    private static func entries(of segment: XetShard.Segment, in map: XorbMap) throws -> ArraySlice<XorbMap.Entry> {
        guard segment.chunks.upperBound <= map.entries.count else {
            throw Failure(
                .invalid,
                "Xorb \(segment.xorb) has \(map.entries.count) chunks, not as many as the shard says."
            )
        }
        let entries = map.entries[segment.chunks]
        guard entries.reduce(UInt64(0), { $0 + UInt64($1.chunk.length) }) == UInt64(segment.length) else {
            throw Failure(.invalid, "A segment of xorb \(segment.xorb) has another length than the shard says.")
        }
        guard XetHash.range(entries.map(\.chunk)) == segment.proof else {
            throw Failure(.digestMismatch, "A segment of xorb \(segment.xorb) is not proven.")
        }
        return entries
    }

    private static func add(_ source: BlobPiece.Source, _ range: Range<Int64>, to pieces: inout [BlobPiece]) {
        if let last = pieces.last, last.source == source, let before = last.range, before.upperBound == range.lowerBound
        {
            pieces[pieces.count - 1].range = before.lowerBound..<range.upperBound
        } else {
            pieces.append(BlobPiece(source, range))
        }
    }

    /// One file out of its pieces. When they are a whole file that is here, its bytes are not touched again.
    private func store(
        _ pieces: [BlobPiece],
        size: Int64,
        expected: Digest?,
        progress: @escaping @Sendable () -> Void
    ) async throws -> StoredBlob {
        if pieces.count == 1, let piece = pieces.first, case .blob(let digest) = piece.source, piece.range == 0..<size {
            let whole = try await blobs.lease([digest], at: now())[0]
            if let whole, whole.count == size {
                guard expected == nil || expected == digest else {
                    throw Failure(.digestMismatch, "The file is \(digest), not what the shard says.")
                }
                return StoredBlob(digest: digest, size: whole)
            }
        }
        let digests = Set(pieces.map(\.source)).compactMap { source in
            if case .blob(let digest) = source { digest } else { nil }
        }
        guard try await blobs.lease(digests, at: now()).allSatisfy({ $0 != nil }) else {
            throw Failure(.invalid, "Some of the chunks are not here any more; upload them again.")
        }
        return try await blobs.put(pieces: pieces, expected: expected, size: Bytes(size), progress: progress)
    }

    /// One transaction: the files, and for each xorb that came with them the map of where its chunks are now.
    private func keep(
        _ made: [(file: XetShard.File, blob: StoredBlob)],
        _ maps: [XetHash: Reach],
        _ places: [XetHash: [Int: XorbMap.Place]],
        _ firstChunks: [XetHash: Set<Int>],
        in repository: Repository,
        _ caller: Principal?
    ) async throws {
        var grants: [(blob: StoredBlob, aliases: [String])] = made.map { ($0.blob, ["xet:\($0.file.hash)"]) }
        var done: [(StagedXorb, XorbStage.Key)] = []
        for (xorb, reach) in maps {
            guard case .staged(let staged, _) = reach.bytes else { continue }
            let entries = reach.map.entries.enumerated().map { index, entry in
                XorbMap.Entry(chunk: entry.chunk, place: places[xorb]?[index])
            }
            let map = try await blobs.put(XorbMap(xorb: xorb, entries: entries).bytes)
            let first = firstChunks[xorb] ?? []
            let names = entries.enumerated().filter {
                $0.element.place != nil && ($0.element.chunk.hash.isSampled || first.contains($0.offset))
            }.map { Self.chunkAlias($0.element.chunk.hash) }
            // Under the repository's own name too: another's may be one that the next caller may not read.
            let aliases = [Self.xorbAlias(xorb)] + names
            grants.append((map, aliases + aliases.map { Self.alias($0, in: repository.id) }))
            if entries.allSatisfy({ $0.place != nil }) {
                done.append((staged, .init(repository: repository.id, xorb: xorb)))
            }
        }
        let (now, all) = (now(), grants)
        try await write { tx in
            guard let repository = try tx.repository(repository.id) else { throw Self.unknown(repository.path) }
            try Self.require(.write, on: repository, caller, tx)
            for (blob, aliases) in all {
                try Self.grant(blob, aliases: aliases, in: repository, caller, tx, at: now)
            }
        }
        // From now on these are found by their files.
        for (staged, key) in done { xorbs.drop(staged, key) }
    }

    private static let xorbPrefix = "xet-xorb:"
    private static func xorbAlias(_ hash: XetHash) -> String { "\(xorbPrefix)\(hash)" }
    private static func chunkAlias(_ hash: XetHash) -> String { "xet-chunk:\(hash)" }
    private static func alias(_ name: String, in repository: RepositoryID) -> String { "\(name)@\(repository)" }

    // MARK: Looking up

    private func reach(_ xorb: XetHash, from repository: Repository, _ caller: Principal?) async throws -> Reach {
        if let staged = xorbs[.init(repository: repository.id, xorb: xorb)],
            let map = XorbMap(try await staged.map.bytes())
        {
            var end: Int64 = 0
            let starts = map.entries.map { entry in
                defer { end += Int64(entry.chunk.length) }
                return end
            }
            return Reach(map: map, bytes: .staged(staged, starts: starts))
        }
        let found = try await find(Self.xorbAlias(xorb), from: repository, caller)
        guard let found else { throw Self.unknown(xorb) }
        return Reach(map: found.map, bytes: .kept(readable: found.readable))
    }

    /// The map that has a name, when the caller may read one of the repositories that have it.
    private func find(
        _ alias: String,
        from repository: Repository,
        _ caller: Principal?
    ) async throws -> (map: XorbMap, readable: Set<Digest>)? {
        let found = try await store.read { tx -> [(Digest, RepositoryID)] in
            try [Self.alias(alias, in: repository.id), alias].flatMap { name -> [(Digest, RepositoryID)] in
                guard let digest = try tx.digest(alias: name) else { return [] }
                let readable = try tx.repositories(granting: digest).prefix(64).filter { id in
                    guard let repository = try tx.repository(id) else { return false }
                    return (try? Self.require(.read, on: repository, caller, tx)) != nil
                }
                return readable.map { (digest, $0) }
            }
        }
        for (digest, holder) in found {
            guard let map = try await map(digest) else { continue }
            let digests = Self.digests(of: map)
            let readable = try await store.read { tx in
                Set(try digests.filter { try tx.blobGrant(holder, $0) != nil })
            }
            if !readable.isEmpty { return (map, readable) }
        }
        return nil
    }

    /// Those of some bytes that tell where the chunks of files in use are. They are needed as long as these files are.
    func xorbMaps(among digests: [Digest], of used: Set<Digest>) async throws -> Set<Digest> {
        let named = try await store.read { tx in
            try digests.filter { try tx.aliases(of: $0).contains { $0.hasPrefix(Self.xorbPrefix) } }
        }
        var needed: Set<Digest> = []
        for digest in named {
            guard let map = try await map(digest), !Self.digests(of: map).isDisjoint(with: used) else { continue }
            needed.insert(digest)
        }
        return needed
    }

    private static func digests(of map: XorbMap) -> Set<Digest> { Set(map.entries.compactMap(\.place?.digest)) }

    private func isHere(_ map: XorbMap) async throws -> Bool {
        try await blobs.lease(Array(Self.digests(of: map)), at: now()).allSatisfy { $0 != nil }
    }

    private func map(_ digest: Digest) async throws -> XorbMap? {
        let blob = try? await blobs.open(digest)
        guard let blob, blob.size.count <= XorbMap.bytesMax else { return nil }
        let bytes = try await blob.read(offset: 0, countMax: XorbMap.bytesMax)
        return XorbMap(bytes)
    }

    /// How long a client may count on what it was told of chunks. Less than a lease lasts.
    private static let answerLifetime = Duration.seconds(12 * 3600)

    /// Tells a client of Xet where a chunk is, in the form of a shard; `nil` when it is nowhere that the caller may read.
    public func chunk(_ hash: XetHash, from repository: Repository, _ caller: Principal?) async throws -> ByteBuffer? {
        guard let found = try await find(Self.chunkAlias(hash), from: repository, caller) else { return nil }
        var map = found.map
        for index in map.entries.indices {
            guard let place = map.entries[index].place, !found.readable.contains(place.digest) else { continue }
            map.entries[index].place = nil
        }
        guard try await isHere(map) else { return nil }
        let now = now()
        return XetShard.answer(
            map,
            now: UInt64(now.milliseconds / 1000),
            expires: UInt64((now + Self.answerLifetime).milliseconds / 1000)
        )
    }
}
