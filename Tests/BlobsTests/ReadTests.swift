import Blobs
import Core
import Foundation
import NIOCore
import NIOPosix
import Testing

@Suite("Blobs that are read")
struct ReadTests {
    let scratch = Scratch()

    @Test("any range equals the same range of the bytes in memory")
    func ranges() async throws {
        let store = try await scratch.store()
        var random = Seeded(state: testSeed())
        for size in [0, 1, 1_048_575, 1_048_576, 1_048_577, Int.random(in: 500_000...2_000_000, using: &random)] {
            let data = content(random.next(), size)
            let reader = try await store.open(try await store.put(data).digest)
            #expect(reader.size == Bytes(Int64(size)))
            for _ in 0..<30 {
                let start = Int.random(in: 0...size, using: &random)
                let end = Int.random(in: start...size, using: &random)
                var got: [UInt8] = []
                for try await chunk in try reader.chunks(Int64(start)..<Int64(end)) {
                    #expect((1...BlobChunks.chunkBytesMax).contains(chunk.readableBytes))
                    got += chunk.readableBytesView
                }
                #expect(got == Array(data[start..<end]), "range \(start)..<\(end) of \(size)")
                let part = try await reader.read(offset: Int64(start), countMax: end - start)
                #expect(part.array == Array(data[start..<end]), "read \(start)..<\(end) of \(size)")
            }
        }
    }

    @Test("a range outside the blob is refused, and a read at the end is empty")
    func outside() async throws {
        let store = try await scratch.store()
        let reader = try await store.open(try await store.put([1, 2, 3]).digest)
        for range in [Int64(0)..<4, -1..<2, 4..<4] {
            _ = await failure(.rangeNotSatisfiable) { _ = try reader.chunks(range) }
        }
        for offset in [Int64(-1), 4, .max] {
            _ = await failure(.rangeNotSatisfiable) { _ = try await reader.read(offset: offset, countMax: 1) }
        }
        #expect(try await reader.read(offset: 3, countMax: 10).readableBytes == 0)
        #expect(try await reader.read(offset: 0, countMax: 0).readableBytes == 0)
        #expect(try await reader.read(offset: 1, countMax: .max).array == [2, 3])
    }

    @Test("what is not here is not found, and deletion is final but for who reads already")
    func absence() async throws {
        let store = try await scratch.store()
        let data = content(5, 600_000)
        let digest = try await store.put(data).digest
        let reader = try await store.open(digest)
        #expect(try await store.delete(digest))
        #expect(try await !store.delete(digest))
        #expect(try await store.size(of: digest) == nil)
        _ = await failure(.notFound) { _ = try await store.open(digest) }
        var got: [UInt8] = []
        for try await chunk in try reader.chunks() { got += chunk.readableBytesView }
        #expect(got == data)
    }

    @Test("a file that somebody cut ends with an error, not with fewer bytes")
    func cut() async throws {
        let store = try await scratch.store()
        let digest = try await store.put(content(6, 600_000)).digest
        let reader = try await store.open(digest)
        #expect(truncate(try await store.place(of: digest), 300_000) == 0)
        _ = await failure(.internal) { for try await _ in try reader.chunks() {} }
    }

    @Test("a second look passes what is right and takes what is wrong out of service")
    func verify() async throws {
        let store = try await scratch.store()
        let data = content(7, 1_500_000)
        let blob = try await store.put(data)
        #expect(try await store.verify(blob.digest) == .intact(blob.size))
        let path = try await store.place(of: blob.digest)
        var wrong = data
        wrong[1_000_000] ^= 1
        #expect(chmod(path, 0o644) == 0)
        scratch.write("store/" + path.dropFirst(store.root.count + 1), wrong)
        guard case .quarantined(let found, let kept) = try await store.verify(blob.digest) else {
            Issue.record("a wrong blob passed")
            return
        }
        #expect(found != blob.digest)
        #expect(contents(kept) == wrong)
        #expect(try await store.size(of: blob.digest) == nil)
        #expect(try await store.verify(blob.digest) == .absent)
        try await store.put(data)
        #expect(try await store.verify(blob.digest) == .intact(blob.size))
    }

    @Test("a blob that was cut on the disk is mended by the next upload of its bytes")
    func mend() async throws {
        let store = try await scratch.store()
        let data = content(8, 1000)
        let blob = try await store.put(data)
        #expect(truncate(try await store.place(of: blob.digest), 10) == 0)
        try await store.put(data)
        #expect(try await store.bytes(blob.digest) == data)
    }

    @Test("a store of 100,000 blobs opens without looking at each")
    func large() async throws {
        _ = try await scratch.store()
        var random = Seeded(state: 9)
        for _ in 0..<100_000 {
            let digest = try #require(Digest(bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }))
            let file = open(
                "\(scratch.path)/store/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)",
                O_CREAT | O_WRONLY,
                0o444
            )
            #expect(file >= 0)
            close(file)
        }
        // Threads of its own, so that it does not queue behind the other tests.
        let threads = NIOThreadPool(numberOfThreads: 1)
        threads.start()
        var (opened, listed): ([Duration], [Duration]) = ([], [])
        for _ in 0..<15 {
            opened.append(
                try await ContinuousClock().measure {
                    _ = try await BlobStore.open(root: scratch.path + "/store", threads: threads)
                }
            )
            var count = 0
            listed.append(
                try ContinuousClock().measure {
                    let shards = "\(scratch.path)/store/blobs/sha256"
                    for shard in try FileManager.default.contentsOfDirectory(atPath: shards) {
                        count += try FileManager.default.contentsOfDirectory(atPath: "\(shards)/\(shard)").count
                    }
                }
            )
            #expect(count == 100_000)
        }
        try await threads.shutdownGracefully()
        // Whoever looked at each blob would take longer than to read their names, on this machine and now.
        let (opening, listing) = (opened.min() ?? .zero, listed.min() ?? .zero)
        #expect(opening < listing, "\(opening) to open, \(listing) to list")
    }
}
