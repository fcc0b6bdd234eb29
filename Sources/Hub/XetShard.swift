import Core
import NIOCore

/// What a client of Xet says about files: which chunks of which xorbs they are made of. The format is that of
/// "MDB Shard", version 2: records of 48 bytes, little-endian.
struct XetShard: Sendable {
    /// Some chunks of a xorb that follow each other.
    struct Segment: Hashable, Sendable {
        var xorb: XetHash
        /// When unpacked.
        var length: UInt32
        var chunks: Range<Int>
        /// Proves that the client knows the chunks' hashes.
        var proof: XetHash
    }

    struct File: Sendable {
        var hash: XetHash
        var segments: [Segment]
        /// What the client says that it is.
        var digest: Digest?
    }

    var files: [File] = []

    static let bytesMax = 64 << 20

    /// Reads the files of an upload. What it says of xorbs is passed over: they are known from their bytes.
    init(_ bytes: ByteBuffer) throws {
        var reader = Reader(rest: bytes)
        guard reader.rest.readBytes(length: 32) == Self.tag,
            reader.rest.readInteger(endianness: .little, as: UInt64.self) == 2,
            reader.rest.readInteger(endianness: .little, as: UInt64.self) != nil
        else { throw Self.broken("it does not begin as one") }
        while let head = try reader.record() {
            let (flags, count) = (head.numbers[0], Int(head.numbers[1]))
            // So many records are there, or it is broken: no room is made for what is only claimed.
            guard count <= reader.rest.readableBytes / 48 else { throw Self.broken("it ends within a file") }
            guard flags & 0x8000_0000 != 0 else { throw Self.broken("a file's segments come without their proofs") }
            let entries = try (0..<count).map { _ in try reader.required() }
            let proofs = try (0..<count).map { _ in try reader.required() }
            let segments = try zip(entries, proofs).map { entry, proof in
                let (first, end) = (Int(entry.numbers[2]), Int(entry.numbers[3]))
                guard first < end, end <= Xorb.chunksMax else { throw Self.broken("a segment has no chunks") }
                return Segment(xorb: entry.hash, length: entry.numbers[1], chunks: first..<end, proof: proof.hash)
            }
            let digest = flags & 0x4000_0000 != 0 ? try reader.required().hash.digest : nil
            files.append(File(hash: head.hash, segments: segments, digest: digest))
        }
    }

    private struct Record {
        var hash: XetHash
        var numbers: [UInt32]
    }

    private struct Reader {
        var rest: ByteBuffer

        mutating func required() throws -> Record {
            guard let bytes = rest.readBytes(length: 32), let hash = XetHash(bytes: bytes),
                let a = rest.readInteger(endianness: .little, as: UInt32.self),
                let b = rest.readInteger(endianness: .little, as: UInt32.self),
                let c = rest.readInteger(endianness: .little, as: UInt32.self),
                let d = rest.readInteger(endianness: .little, as: UInt32.self)
            else { throw XetShard.broken("it ends within a record") }
            return Record(hash: hash, numbers: [a, b, c, d])
        }

        /// The next record; `nil` for the one that ends a section.
        mutating func record() throws -> Record? {
            let record = try required()
            return record.hash == XetShard.bookend ? nil : record
        }
    }

    private static func broken(_ what: String) -> Failure { Failure(.invalid, "This is no shard: \(what).") }

    private static let bookend = XetHash(words: .ones)

    private static let tag: [UInt8] =
        Array("HFRepoMetaData".utf8) + [
            0, 85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169,
        ]

    // MARK: Answers

    /// A shard that tells a client which chunks it need not send. Chunks without a place have a hash that no chunk has.
    ///
    /// - Parameter expires: After this many seconds since 1970 the client asks anew.
    static func answer(_ map: XorbMap, now: UInt64, expires: UInt64) -> ByteBuffer {
        var out = ByteBuffer()
        func write(_ hash: XetHash, _ numbers: UInt32...) {
            out.writeBytes(hash.bytes)
            for number in numbers { out.writeInteger(number, endianness: .little) }
        }
        func write64(_ numbers: UInt64...) {
            for number in numbers { out.writeInteger(number, endianness: .little) }
        }
        out.writeBytes(tag)
        write64(2, 200)
        let filesAt = UInt64(out.readableBytes)
        write(bookend, 0, 0, 0, 0)
        let xorbsAt = UInt64(out.readableBytes)
        let total = map.entries.reduce(UInt32(0)) { $0 + $1.chunk.length }
        write(map.xorb, 0, UInt32(map.entries.count), total, total)
        var start: UInt32 = 0
        var places: [(hash: UInt64, index: UInt32)] = []
        for (index, entry) in map.entries.enumerated() {
            let hash = entry.place == nil ? XetHash(words: .zero) : entry.chunk.hash
            write(hash, start, entry.chunk.length, 0, 0)
            places.append((hash.words[0], UInt32(index)))
            start += entry.chunk.length
        }
        write(bookend, 0, 0, 0, 0)
        let lookupAt = UInt64(out.readableBytes)
        out.writeInteger(map.xorb.words[0], endianness: .little)
        out.writeInteger(0, endianness: .little, as: UInt32.self)
        let chunksAt = UInt64(out.readableBytes)
        for place in places.sorted(by: { ($0.hash, $0.index) < ($1.hash, $1.index) }) {
            out.writeInteger(place.hash, endianness: .little)
            out.writeInteger(0, endianness: .little, as: UInt32.self)
            out.writeInteger(place.index, endianness: .little)
        }
        let footerAt = UInt64(out.readableBytes)
        write64(1, filesAt, xorbsAt, lookupAt, 0, lookupAt, 1, chunksAt, UInt64(places.count))
        // No key: the hashes stand as they are, as the client may read them all.
        write64(0, 0, 0, 0, now, expires, 0, 0, 0, 0, 0, 0)
        write64(UInt64(total), 0, UInt64(total), footerAt)
        return out
    }
}

/// Where the chunks of a xorb are: in which bytes of ours, and from which byte on. Kept as a blob.
struct XorbMap: Sendable {
    struct Place: Hashable, Sendable {
        var digest: Digest
        var offset: Int64
    }

    struct Entry: Sendable {
        var chunk: XetChunk
        /// `nil` for a chunk that no file has.
        var place: Place?
    }

    var xorb: XetHash
    var entries: [Entry]

    private static let mark = Array("onepoint xorb 1\n".utf8)

    var bytes: ByteBuffer {
        var out = ByteBuffer(bytes: Self.mark)
        var digests: [Digest: UInt32] = [:]
        for case let place? in entries.map(\.place) where digests[place.digest] == nil {
            digests[place.digest] = UInt32(digests.count)
        }
        out.writeBytes(xorb.bytes)
        out.writeInteger(UInt32(entries.count), endianness: .little)
        out.writeInteger(UInt32(digests.count), endianness: .little)
        for (digest, _) in digests.sorted(by: { $0.value < $1.value }) { out.writeString(digest.hex) }
        for entry in entries {
            out.writeBytes(entry.chunk.hash.bytes)
            out.writeInteger(entry.chunk.length, endianness: .little)
            out.writeInteger(entry.place.flatMap { digests[$0.digest] } ?? .max, endianness: .little)
            out.writeInteger(entry.place?.offset ?? 0, endianness: .little)
        }
        return out
    }

    /// `nil` for anything that was not written here.
    init?(_ bytes: ByteBuffer) {
        var rest = bytes
        guard rest.readBytes(length: Self.mark.count) == Self.mark,
            let xorb = rest.readBytes(length: 32).flatMap({ XetHash(bytes: $0) }),
            let count = rest.readInteger(endianness: .little, as: UInt32.self), count <= Xorb.chunksMax,
            let digestCount = rest.readInteger(endianness: .little, as: UInt32.self), digestCount <= count
        else { return nil }
        var digests: [Digest] = []
        for _ in 0..<digestCount {
            guard let digest = rest.readString(length: 64).flatMap({ Digest(hex: $0) }) else { return nil }
            digests.append(digest)
        }
        entries = []
        for _ in 0..<count {
            guard let hash = rest.readBytes(length: 32).flatMap({ XetHash(bytes: $0) }),
                let length = rest.readInteger(endianness: .little, as: UInt32.self),
                let index = rest.readInteger(endianness: .little, as: UInt32.self),
                let offset = rest.readInteger(endianness: .little, as: Int64.self)
            else { return nil }
            let place = digests.indices.contains(Int(index)) ? Place(digest: digests[Int(index)], offset: offset) : nil
            entries.append(Entry(chunk: XetChunk(hash: hash, length: length), place: place))
        }
        self.xorb = xorb
    }

    init(xorb: XetHash, entries: [Entry]) { (self.xorb, self.entries) = (xorb, entries) }

    static let bytesMax = 1 << 20
}
