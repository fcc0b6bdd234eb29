import Blobs
import Core
import Foundation
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

/// Xorbs and shards as a client writes them.
private enum Client {
    static func chunk(_ bytes: [UInt8]) -> XetChunk {
        XetChunk(hash: bytes.withUnsafeBytes { XetHash.chunk($0) }, length: UInt32(bytes.count))
    }

    static func frame(_ packed: [UInt8], scheme: UInt8, plain: Int) -> [UInt8] {
        func three(_ number: Int) -> [UInt8] { (0..<3).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) } }
        return [0] + three(packed.count) + [scheme] + three(plain) + packed
    }

    static func xorb(_ chunks: [[UInt8]]) -> (hash: XetHash, bytes: [UInt8]) {
        let hash = XetHash.xorb(chunks.map(chunk)) ?? XetHash(words: .zero)
        return (hash, chunks.flatMap { frame($0, scheme: 0, plain: $0.count) })
    }

    struct Segment {
        var xorb: XetHash
        var chunks: [[UInt8]]
        var range: Range<Int>
    }

    /// A shard of one file.
    static func shard(_ segments: [Segment], digest: Digest?, hash: XetHash? = nil, proof: XetHash? = nil) -> ByteBuffer
    {
        var out = ByteBuffer(bytes: Array("HFRepoMetaData".utf8))
        out.writeBytes([0, 85, 105, 103, 69, 106, 123, 129, 87, 131, 165, 189, 217, 92, 205, 209, 74, 169])
        for number in [UInt64(2), 0] { out.writeInteger(number, endianness: .little) }
        func record(_ hash: XetHash, _ numbers: UInt32...) {
            out.writeBytes(hash.bytes)
            for number in numbers { out.writeInteger(number, endianness: .little) }
        }
        let parts = segments.map { $0.chunks[$0.range].map(chunk) }
        let flags: UInt32 = digest == nil ? 0x8000_0000 : 0xC000_0000
        record(hash ?? XetHash.file(parts.flatMap { $0 }), flags, UInt32(segments.count), 0, 0)
        for (segment, part) in zip(segments, parts) {
            let length = part.reduce(0) { $0 + $1.length }
            record(segment.xorb, 0, length, UInt32(segment.range.lowerBound), UInt32(segment.range.upperBound))
        }
        for part in parts { record(proof ?? XetHash.range(part), 0, 0, 0, 0) }
        if let digest, let written = XetHash(digest.hex) { record(written, 0, 0, 0, 0) }
        for _ in 0..<2 { record(XetHash(words: .ones), 0, 0, 0, 0) }
        return out
    }
}

@Suite struct XetTests {
    @Test(
        "hashes are those of the protocol",
        // By a program of our own in Python over the reference implementation of BLAKE3.
        arguments: [
            (
                1, "51ecf3cc6134bc64b40b6bafc1d77b28fb53fec6754c7ff546d694bc8b7ac5d3",
                "ccea3af1b8f604220010b23bad003ee8671f648ecc4ddc1be55ff0289a8c77c7",
                "01c0de8630da9cfb87c90577ceb22027697b2e212999ad52057db7b7850ae42f"
            ),
            (
                2, "e1bf3f293fa138f1387be8f924f83027686847c85066c816fbd157a1fc8a79e7",
                "12f05811c0d8707e5426e2b6684378b13fa090aa4594f607d2755b47684762ab",
                "6e25d8767a7b13e139f307ef48f0b040aa03e62efcb3055010d47330007a6270"
            ),
            (
                25, "55f5e49138ea48147deeaf61f2d26a0850353f0eda2cedda70c37cb03f2c7f17",
                "b50695a7011e5e7a9edc4e278018be31295783ae76006f6bbea1672728dbb9fa",
                "f93b05afc6692389c6162b47e722644efdfb0c1408366240790f57d9be4f5f61"
            ),
            (
                1000, "89a8977cbcb37be73dfc3d437b41206ad188e3a463469a26e04b4b73e507333e",
                "b3791d415c26996052681651c48ae9694e183bb8f745e9dd78c5a2187dcea435",
                "04c11dcd51878fe70de1354151a8d943dd9e8a00ccf2a1512e782b2146221cf2"
            ),
        ]
    )
    func hashes(_ count: Int, _ xorb: String, _ file: String, _ range: String) throws {
        let chunks = (0..<count).map { Client.chunk(Array("chunk \($0)".utf8)) }
        #expect(XetHash.xorb(chunks)?.description == xorb)
        #expect(XetHash.file(chunks).description == file)
        #expect(XetHash.range(chunks).description == range)
        #expect(XetHash(xorb)?.description == xorb)
    }

    @Test("BLAKE3 agrees with its test vectors at the edges of blocks, chunks and lanes")
    func vectors() throws {
        // keyed_hash of https://github.com/BLAKE3-team/BLAKE3, test_vectors.json
        let expected = [
            (1025, "357dc55de0c7e382c900fd6e320acc04146be01db6a8ce7210b7189bd664ea69"),
            (8192, "dc9637c8845a770b4cbf76b8daec0eebf7dc2eac11498517f08d44c8fc00d58a"),
            (8193, "954a2a75420c8d6547e3ba5b98d963e6fa6491addc8c023189cc519821b4a1f5"),
            (31744, "efa53b389ab67c593dba624d898d0f7353ab99e4ac9d42302ee64cbf9939a419"),
            (102_400, "1c35d1a5811083fd7119f5d5d1ba027b4d01c0c6c49fb6ff2cf75393ea5db4a7"),
        ]
        let key = Array("whats the Elvish word for friend".utf8)
        for (count, hex) in expected {
            let bytes = (0..<count).map { UInt8($0 % 251) }
            let hash = bytes.withUnsafeBytes { XetHash.keyed(key, $0) }
            #expect(Digest(bytes: hash.bytes)?.hex == hex, "\(count)")
        }
    }

    private static let plain =
        Array(repeating: (0..<10).map { UInt8($0) }, count: 31).flatMap { $0 } + Array("xyz".utf8)

    @Test(
        "chunks are unpacked by each of their schemes",
        arguments: [
            (1, "04224d18684039010000000000008e15000000af000102030405060708090a00ff1850080978797a00000000"),
            (
                2,
                "04224d18684039010000000000008e240000005f00040802060500366f7a01050903070500360f9a00383f"
                    + "02067899003650050903077900000000"
            ),
        ]
    )
    func schemes(_ scheme: UInt8, _ hex: String) throws {
        let digits = Array(hex)
        let packed = try stride(from: 0, to: digits.count, by: 2).map {
            try #require(UInt8(String(digits[$0...($0 + 1)]), radix: 16))
        }
        func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
            var unpacker = XorbUnpacker()
            var (input, output) = (ByteBuffer(bytes: bytes), ByteBuffer())
            let table = XorbTable()
            #expect(try unpacker.step(&input, into: &output, table))
            #expect(table.chunks == [Client.chunk(Self.plain)])
            return Array(output.readableBytesView)
        }
        #expect(try unpacked(Client.frame(packed, scheme: scheme, plain: Self.plain.count)) == Self.plain)
        // Told to be longer or shorter than it is, or cut off.
        for (bytes, plain) in [(packed, 312), (packed, 314), (Array(packed.dropLast(5)), 313), (packed + [0], 313)] {
            #expect(throws: Failure.self) {
                _ = try unpacked(Client.frame(bytes, scheme: scheme, plain: plain))
            }
        }
    }

    @Test("a chunk that claims to be larger than chunks are is refused before there is room made for it")
    func bombs() throws {
        for plain in [0, Xorb.chunkBytesMax + 1, 0xFF_FFFF] {
            var unpacker = XorbUnpacker()
            var (input, output) = (ByteBuffer(bytes: Client.frame([1, 2], scheme: 1, plain: plain)), ByteBuffer())
            #expect(throws: Failure.self) { try unpacker.step(&input, into: &output, XorbTable()) }
        }
    }

    @Test("a file is made of chunks, whole or in parts, and is then what its SHA-256 says")
    func files() async throws {
        let seed = freshSeed("XetTests.files")
        try await withShelf { shelf in
            var generator = SplitMix(seed: seed)
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let chunks = (0..<20).map { _ in generator.bytes(Int.random(in: 1...20_000, using: &generator)) }
            let (hash, bytes) = Client.xorb(chunks)
            #expect(try await shelf.repositories.stage(xorb: hash, stream(bytes), for: repository))
            #expect(try await !shelf.repositories.stage(xorb: hash, stream(bytes), for: repository))
            for ranges in [[0..<20], [3..<7], [10..<20, 0..<5, 2..<4]] {
                let content = ranges.flatMap { chunks[$0].flatMap { $0 } }
                let segments = ranges.map { Client.Segment(xorb: hash, chunks: chunks, range: $0) }
                let shard = Client.shard(segments, digest: sha256(content))
                try await shelf.repositories.assemble(shard: shard, into: repository, shelf.alice) { _, _ in }
                #expect(
                    try await shelf.repositories.size(of: sha256(content), in: repository)?.count
                        == Int64(content.count)
                )
                let stored = try await shelf.repositories.content(
                    of: sha256(content),
                    countMax: 1 << 20,
                    in: repository
                )
                #expect(Array(stored.readableBytesView) == content)
            }
        }
    }

    @Test(
        "a file of several xorbs takes their bytes over, and nothing else stays of those that are in files as a whole"
    )
    func several() async throws {
        let seed = freshSeed("XetTests.several")
        try await withShelf { shelf in
            var generator = SplitMix(seed: seed)
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let xorbs = (0..<3).map { _ in
                (0..<30).map { _ in generator.bytes(Int.random(in: 1...131_072, using: &generator)) }
            }
            for chunks in xorbs {
                let (hash, bytes) = Client.xorb(chunks)
                // So cut that chunks and their heads are torn.
                let pieceBytes = Int.random(in: 1...400_000, using: &generator)
                let packed = stream(bytes, pieceBytes: pieceBytes)
                #expect(try await shelf.repositories.stage(xorb: hash, packed, for: repository))
            }
            func staged() throws -> Int {
                try FileManager.default.contentsOfDirectory(atPath: shelf.folder + "/uploads").count
            }
            // Bytes and map of each.
            #expect(try staged() == 6)
            let segments = [(1, 0..<30), (0, 0..<30), (2, 4..<30), (0, 7..<8)].map { xorb, range in
                Client.Segment(xorb: Client.xorb(xorbs[xorb]).hash, chunks: xorbs[xorb], range: range)
            }
            let content = segments.flatMap { $0.chunks[$0.range].flatMap { $0 } }
            let shard = Client.shard(segments, digest: sha256(content))
            try await shelf.repositories.assemble(shard: shard, into: repository, shelf.alice) { _, _ in }
            #expect(shelf.repositories.xorbs.count == 1)
            // What is in the file is found there, what is not where it came.
            let again = [
                Client.Segment(xorb: Client.xorb(xorbs[1]).hash, chunks: xorbs[1], range: 3..<20),
                Client.Segment(xorb: Client.xorb(xorbs[2]).hash, chunks: xorbs[2], range: 0..<5),
            ]
            let other = again.flatMap { $0.chunks[$0.range].flatMap { $0 } }
            let second = Client.shard(again, digest: sha256(other))
            try await shelf.repositories.assemble(shard: second, into: repository, shelf.alice) { _, _ in }
            for file in [content, other] {
                let stored = try await shelf.blobs.open(sha256(file)).read(offset: 0, countMax: 16 << 20)
                #expect(sha256(Array(stored.readableBytesView)) == sha256(file))
            }
            // Staged ones go with leases.
            shelf.clock.advance(.seconds(86_401))
            _ = try await shelf.repositories.collect()
            #expect(shelf.repositories.xorbs.count == 0)
        }
    }

    @Test("what does not agree with its hashes is refused, and nothing of it is kept")
    func lies() async throws {
        try await withShelf { shelf in
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let chunks = ["one", "two", "three"].map { Array($0.utf8) }
            let (hash, bytes) = Client.xorb(chunks)
            let other = Client.xorb([chunks[0]]).hash
            let misnamed = await failure {
                _ = try await shelf.repositories.stage(xorb: other, stream(bytes), for: repository)
            }
            #expect(misnamed?.code == .digestMismatch)
            let cut = await failure {
                _ = try await shelf.repositories.stage(xorb: hash, stream(Array(bytes.dropLast())), for: repository)
            }
            #expect(cut?.code == .invalid)
            _ = try await shelf.repositories.stage(xorb: hash, stream(bytes), for: repository)
            let whole = Client.Segment(xorb: hash, chunks: chunks, range: 0..<3)
            let shards = [
                Client.shard([whole], digest: sha256(Array("other".utf8))),
                Client.shard([whole], digest: nil, hash: other), Client.shard([whole], digest: nil, proof: other),
                Client.shard([Client.Segment(xorb: other, chunks: chunks, range: 0..<1)], digest: nil),
            ]
            for shard in shards {
                let refused = await failure {
                    try await shelf.repositories.assemble(shard: shard, into: repository, shelf.alice) { _, _ in }
                }
                #expect(refused != nil)
            }
            let content = chunks.flatMap { $0 }
            #expect(try await shelf.repositories.size(of: sha256(content), in: repository) == nil)
            // Any shard that is cut off is no shard, and none makes room for what it only claims.
            let good = Client.shard([whole], digest: sha256(content))
            for count in 0..<(good.readableBytes - 96) {
                var part = good
                let short = part.readSlice(length: count) ?? ByteBuffer()
                #expect(throws: Failure.self, "\(count) bytes") { try XetShard(short) }
            }
        }
    }

    @Test("chunks of what the caller may read need not be sent again, and those of others are not told of")
    func sharing() async throws {
        let seed = freshSeed("XetTests.sharing")
        try await withShelf { shelf in
            var generator = SplitMix(seed: seed)
            let chunks = (0..<5).map { _ in generator.bytes(9000) }
            let (hash, bytes) = Client.xorb(chunks)
            let content = chunks.flatMap { $0 }
            let segment = Client.Segment(xorb: hash, chunks: chunks, range: 0..<5)
            let first = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            _ = try await shelf.repositories.stage(xorb: hash, stream(bytes), for: first)
            let shard = Client.shard([segment], digest: sha256(content))
            try await shelf.repositories.assemble(shard: shard, into: first, shelf.alice) { _, _ in }
            let mine = RepositoryPath(project: .named("brain"), name: Shelf.name("second"))
            let second = try await shelf.repositories.begin(.model, mine, visibility: .private, shelf.bob)
            let theirs = RepositoryPath(project: .named("other"), name: Shelf.name("third"))
            let third = try await shelf.repositories.begin(.model, theirs, visibility: .private, shelf.eve)
            let start = Client.chunk(chunks[0]).hash
            let answer = try await shelf.repositories.chunk(start, from: second, shelf.bob)
            // Header, two bookends, a xorb with five chunks, their lookup tables, footer.
            #expect(answer?.readableBytes == 48 + 2 * 48 + 6 * 48 + 12 + 5 * 16 + 200)
            #expect(try await shelf.repositories.chunk(start, from: third, shelf.eve) == nil)
            // Only first chunks and one of 1024 others are asked for.
            let middle = Client.chunk(chunks[2]).hash
            #expect(
                try await (shelf.repositories.chunk(middle, from: second, shelf.bob) != nil) == middle.isSampled
            )
            let part = Array(content[9000..<27000])
            let partial = Client.shard([.init(xorb: hash, chunks: chunks, range: 1..<3)], digest: sha256(part))
            try await shelf.repositories.assemble(shard: partial, into: second, shelf.bob) { _, _ in }
            #expect(try await shelf.repositories.size(of: sha256(part), in: second)?.count == 18_000)
            let refused = await failure {
                try await shelf.repositories.assemble(shard: partial, into: third, shelf.eve) { _, _ in }
            }
            #expect(refused?.code == .invalid)
        }
    }

    @Test("collection leaves what tells where a file's chunks are, as long as the file is used")
    func collected() async throws {
        let seed = freshSeed("XetTests.collected")
        try await withShelf { shelf in
            var generator = SplitMix(seed: seed)
            let chunks = (0..<3).map { _ in generator.bytes(5000) }
            let (hash, bytes) = Client.xorb(chunks)
            let content = chunks.flatMap { $0 }
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            _ = try await shelf.repositories.stage(xorb: hash, stream(bytes), for: repository)
            let segment = Client.Segment(xorb: hash, chunks: chunks, range: 0..<3)
            let shard = Client.shard([segment], digest: sha256(content))
            try await shelf.repositories.assemble(shard: shard, into: repository, shelf.alice) { _, _ in }
            let start = Client.chunk(chunks[0]).hash
            _ = try await shelf.commit([.link(path("w.bin"), sha256(content), nil)])
            // Long after every lease: the files' times are the machine's, the clock is not.
            shelf.clock.advance(.seconds(1000 * 86_400))
            _ = try await shelf.repositories.collect()
            #expect(try await shelf.repositories.chunk(start, from: repository, shelf.alice) != nil)
            _ = try await shelf.commit([.deleteFile(path("w.bin"))])
            _ = try await shelf.repositories.squash(.main, of: .models, shelf.model, message: "One", shelf.alice)
            shelf.clock.advance(.seconds(10 * 86_400))
            let second = try await shelf.repositories.collect()
            #expect(second.revisions == 3 && second.grants == 2, "\(second)")
            #expect(try await shelf.repositories.chunk(start, from: repository, shelf.alice) == nil)
        }
    }
}
