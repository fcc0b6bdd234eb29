import Blobs
import Core
import Glibc
import NIOCore
import Testing

@Suite("Bytes staged, and blobs made of pieces")
struct StageTests {
    let scratch = Scratch()

    private func staged(_ data: [UInt8], in store: BlobStore) async throws -> StagedFile {
        let pieces = stride(from: 0, to: data.count, by: 300_000).map {
            ByteBuffer(bytes: data[$0..<min($0 + 300_000, data.count)])
        }
        return try await store.stage(PutTests.Pieces(pieces: pieces))
    }

    @discardableResult
    private func put(
        _ pieces: [BlobPiece],
        _ size: Int,
        expected: Digest? = nil,
        in store: BlobStore
    ) async throws -> StoredBlob {
        try await store.put(pieces: pieces, expected: expected, size: Bytes(Int64(size)))
    }

    @Test("a blob of pieces of blobs and of staged files has their bytes, in their order")
    func pieces() async throws {
        let store = try await scratch.store()
        let (first, second) = (content(1, 1_000_000), content(2, 2_000_003))
        let one = try await store.put(first)
        let other = try await staged(second, in: store)
        #expect(other.size.count == 2_000_003)
        let whole = first[10..<700_000] + second[1_999_999..<2_000_003] + second[5..<1_500_000] + first
        let blob = try await put(
            [
                BlobPiece(.blob(one.digest), 10..<700_000), BlobPiece(.staged(other), 1_999_999..<2_000_003),
                BlobPiece(.staged(other), 5..<1_500_000), BlobPiece(.blob(one.digest)),
            ],
            whole.count,
            in: store
        )
        #expect(try await store.bytes(blob.digest) == Array(whole))
        #expect(blob.digest == (try await putElsewhere(Array(whole))).digest)
        #expect(scratch.names("store/uploads").count == 1)
    }

    @Test("a blob that is a whole staged file has the same bytes, and outlives it")
    func whole() async throws {
        let store = try await scratch.store()
        let data = content(3, 1_234_567)
        var file: StagedFile? = try await staged(data, in: store)
        let blob: StoredBlob
        do {
            let staged = try #require(file)
            let wrong = try await putElsewhere([1]).digest
            _ = await failure(.digestMismatch) {
                try await put([BlobPiece(.staged(staged))], data.count, expected: wrong, in: store)
            }
            #expect(blobFiles(scratch).isEmpty && scratch.names("store/uploads").count == 1)
            blob = try await put([BlobPiece(.staged(staged))], data.count, in: store)
            #expect(try await store.status(of: blob.digest).st_nlink == 2)
            // It can still be used, also for the same again.
            let part = try await put([BlobPiece(.staged(staged), 0..<5)], 5, in: store)
            #expect(try await store.bytes(part.digest) == Array(data[..<5]))
            #expect(try await put([BlobPiece(.staged(staged))], data.count, in: store) == blob)
        }
        file = nil
        try await eventually("the staged file to be gone") { scratch.names("store/uploads").isEmpty }
        #expect(try await store.bytes(blob.digest) == data)
        #expect(try await store.status(of: blob.digest).st_mode & 0o777 == 0o444)
    }

    @Test("pieces that are too few, too many or not here make no blob")
    func refused() async throws {
        let store = try await scratch.store()
        let file = try await staged(content(4, 100_000), in: store)
        let absent = try await putElsewhere([2]).digest
        _ = await failure(.malformed) { try await put([BlobPiece(.staged(file), 0..<9)], 10, in: store) }
        _ = await failure(.tooLarge) { try await put([BlobPiece(.staged(file), 0..<11)], 10, in: store) }
        _ = await failure(.notFound) { try await put([BlobPiece(.blob(absent))], 1, in: store) }
        _ = await failure(.internal) { try await put([BlobPiece(.staged(file), 99_999..<100_001)], 2, in: store) }
        #expect(blobFiles(scratch).isEmpty && scratch.names("store/uploads").count == 1)
        await #expect(throws: PutTests.Pieces<ByteBuffer>.Broken.self) {
            try await store.stage(PutTests.Pieces(pieces: [ByteBuffer(string: "x")], breaks: true))
        }
        #expect(scratch.names("store/uploads").count == 1)
        withExtendedLifetime(file) {}
    }

    @Test("sweeps leave what is staged, and take what a process has left")
    func swept() async throws {
        let store = try await scratch.store()
        let file = try await store.stage(ByteBuffer(string: "staged"))
        #expect(try await store.sweepUploads(olderThan: Instant(milliseconds: 4_000_000_000_000)) == 0)
        try await store.sweepCopies()
        #expect(try await file.bytes() == ByteBuffer(string: "staged"))
        // Another process over the same root, when this one was killed.
        try await scratch.store().sweepCopies()
        #expect(scratch.names("store/uploads").isEmpty)
        withExtendedLifetime(file) {}
    }
}
