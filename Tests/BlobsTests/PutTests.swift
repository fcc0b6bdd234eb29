import Blobs
import Core
import Glibc
import NIOCore
import Testing

@Suite("Bytes brought in at once")
struct PutTests {
    let scratch = Scratch()

    struct Pieces<Element: Sendable>: AsyncSequence, Sendable {
        struct Broken: Error {}
        var pieces: [Element]
        var breaks = false

        struct AsyncIterator: AsyncIteratorProtocol {
            var rest: ArraySlice<Element>
            var breaks: Bool
            mutating func next() async throws -> Element? {
                if rest.isEmpty, breaks { throw Broken() }
                return rest.popFirst()
            }
        }
        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: pieces[...], breaks: breaks) }
    }

    @Test(
        "the digest is the published one of SHA-256",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ]
    )
    func known(text: String, hex: String) async throws {
        let store = try await scratch.store()
        let blob = try await store.put(Array(text.utf8))
        #expect(blob.digest.hex == hex)
        #expect(blob.size == Bytes(Int64(text.utf8.count)))
        #expect(try await store.bytes(blob.digest) == Array(text.utf8))
    }

    @Test("a stream of any pieces is the blob of their bytes", arguments: [1, 1000, 262_144, 3_000_000])
    func stream(pieceBytes: Int) async throws {
        let store = try await scratch.store()
        let data = content(2, pieceBytes == 1 ? 2000 : 3_000_000)
        let pieces = stride(from: 0, to: data.count, by: pieceBytes).map {
            Array(data[$0..<min($0 + pieceBytes, data.count)])
        }
        let size = Bytes(Int64(data.count))
        let blob = try await store.put(stream: Pieces(pieces: pieces.map { ByteBuffer($0) }), size: size)
        #expect(try await store.bytes(blob.digest) == data)
        try await store.delete(blob.digest)
        #expect(try await store.put(stream: Pieces(pieces: pieces), expected: blob.digest) == blob)
        #expect(try await store.bytes(blob.digest) == data)
    }

    @Test("a stream that breaks, lies or is cut leaves nothing")
    func brokenStream() async throws {
        let store = try await scratch.store()
        let pieces = (0..<5).map { ByteBuffer(content($0, 700_000)) }
        await #expect(throws: Pieces<ByteBuffer>.Broken.self) {
            try await store.put(stream: Pieces(pieces: pieces, breaks: true))
        }
        let other = try await putElsewhere([1]).digest
        _ = await failure(.digestMismatch) { try await store.put(stream: Pieces(pieces: pieces), expected: other) }
        _ = await failure(.malformed) { try await store.put(stream: Pieces(pieces: pieces), size: 3_500_001) }
        _ = await failure(.tooLarge) { try await store.put(stream: Pieces(pieces: pieces), size: 3_499_999) }
        _ = await failure(.digestMismatch) { try await store.put([2], expected: other) }
        #expect(scratch.names("store/uploads").isEmpty)
        #expect(blobFiles(scratch).isEmpty)
    }

    @Test("a cancelled stream leaves nothing")
    func cancelled() async throws {
        let store = try await scratch.store()
        let (endless, feed) = AsyncStream.makeStream(of: ByteBuffer.self, bufferingPolicy: .bufferingNewest(4))
        let task = Task { try await store.put(stream: endless) }
        feed.yield(ByteBuffer(content(1, 2_000_000)))
        try await eventually("the stream to be on its way") { !scratch.names("store/uploads").isEmpty }
        task.cancel()
        _ = try? await task.value
        try await eventually("nothing on its way") { scratch.names("store/uploads").isEmpty }
        withExtendedLifetime(feed) {}
    }

    @Test("a file is copied, or moved in when it may be consumed")
    func files() async throws {
        let store = try await scratch.store()
        let data = content(3, 2_500_000)
        scratch.write("a", data)
        scratch.write("b", data, mode: 0o600)
        let blob = try await store.put(file: scratch.path + "/a")
        #expect(contents(scratch.path + "/a") == data)
        #expect(try await store.bytes(blob.digest) == data)
        try await store.delete(blob.digest)
        let inode = try #require(entry(scratch.path + "/b")).st_ino
        #expect(try await store.put(file: scratch.path + "/b", expected: blob.digest, consume: true) == blob)
        #expect(entry(scratch.path + "/b") == nil)
        let stored = try await store.status(of: blob.digest)
        #expect(stored.st_ino == inode)
        #expect(stored.st_mode & 0o777 == 0o444)
    }

    @Test("a file with another name is copied even when it may be consumed")
    func twoNames() async throws {
        let store = try await scratch.store()
        scratch.write("a", [1, 2, 3])
        #expect(link(scratch.path + "/a", scratch.path + "/b") == 0)
        let blob = try await store.put(file: scratch.path + "/a", consume: true)
        #expect(scratch.names("") == ["b", "store"])
        scratch.write("b", [9, 9, 9])
        #expect(try await store.bytes(blob.digest) == [1, 2, 3])
    }

    @Test("a file that was not what was expected is back in its place")
    func consumedMismatch() async throws {
        let store = try await scratch.store()
        scratch.write("a", [1, 2, 3])
        let other = try await store.put([1]).digest
        _ = await failure(.digestMismatch) {
            try await store.put(file: scratch.path + "/a", expected: other, consume: true)
        }
        #expect(contents(scratch.path + "/a") == [1, 2, 3])
        #expect(scratch.names("store/uploads").isEmpty)
    }

    @Test("what is not a regular file is refused")
    func irregular() async throws {
        let store = try await scratch.store()
        scratch.write("a", [1])
        scratch.link("l", to: "a")
        #expect(mkfifo(scratch.path + "/p", 0o600) == 0)
        for name in ["l", "p", ""] {
            _ = await failure(.invalid) { try await store.put(file: scratch.path + "/" + name) }
            _ = await failure(.invalid) { try await store.put(file: scratch.path + "/" + name, consume: true) }
        }
        _ = await failure(.notFound) { try await store.put(file: scratch.path + "/none") }
        #expect(scratch.names("") == ["a", "l", "p", "store"])
    }

    @Test("32 writers of the same bytes and of different bytes disturb nobody")
    func concurrent() async throws {
        let store = try await scratch.store()
        let shared = content(100, 400_000)
        let results = try await withThrowingTaskGroup(of: (StoredBlob, StoredBlob).self) { group in
            for index in 0..<32 {
                group.addTask {
                    let own = content(UInt64(index), 50_000 + index)
                    let pieces = stride(from: 0, to: shared.count, by: 50_000).map {
                        ByteBuffer(shared[$0..<$0 + 50_000])
                    }
                    let same: StoredBlob
                    switch index % 3 {
                    case 0: same = try await store.put(shared)
                    case 1: same = try await store.put(stream: Pieces(pieces: pieces))
                    default:
                        let id = try await store.begin(now: now)
                        for (number, piece) in pieces.enumerated() {
                            try await store.append(id, offset: Int64(number * 50_000), piece)
                        }
                        same = try await store.finish(id, expected: try await store.put(shared).digest)
                    }
                    return (same, try await store.put(own))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(results.map(\.0)).count == 1)
        #expect(Set(results.map(\.1)).count == 32)
        for blob in Set(results.flatMap { [$0.0, $0.1] }) {
            #expect(try await store.verify(blob.digest) == .intact(blob.size))
        }
        #expect(blobFiles(scratch).count == 33)
        #expect(scratch.names("store/uploads").isEmpty)
    }
}

/// Paths of all blobs of a store.
func blobFiles(_ scratch: Scratch) -> [String] {
    scratch.names("store/blobs/sha256").flatMap { shard in
        scratch.names("store/blobs/sha256/\(shard)").map { "\(shard)/\($0)" }
    }
}
