import Core
import Glibc
import NIOCore
import Testing

@testable import Blobs

@Suite("Resumable uploads")
struct UploadTests {
    let scratch = Scratch()
    let data = content(1, 300_000)

    func digest(_ bytes: [UInt8]) async throws -> Digest { try await putElsewhere(bytes).digest }

    @Test("pieces that follow each other become one blob, and only when finished")
    func pieces() async throws {
        let store = try await scratch.store()
        let wanted = try await digest(data)
        let id = try await store.begin(expected: wanted, size: Bytes(300_000), now: now)
        #expect(try await store.append(id, offset: 0, ByteBuffer(data[0..<100_000])) == 100_000)
        let rest = [ByteBuffer(data[100_000..<100_001]), ByteBuffer(data[100_001..<300_000])]
        #expect(try await store.append(id, offset: 100_000, rest) == 300_000)
        #expect(try await store.size(of: wanted) == nil)
        #expect(try await store.finish(id, expected: wanted) == StoredBlob(digest: wanted, size: Bytes(300_000)))
        #expect(try await store.bytes(wanted) == data)
        #expect(scratch.names("store/uploads").isEmpty)
        #expect(store.openUploads.isEmpty)
        let mode = try await store.status(of: wanted).st_mode
        #expect(mode & 0o777 == 0o444)
    }

    @Test("a piece at another offset is refused with the offset to go on from", arguments: [Int64(0), 50, 101, -1])
    func wrongOffset(offset: Int64) async throws {
        let store = try await scratch.store()
        let id = try await store.begin(now: now)
        try await store.append(id, offset: 0, ByteBuffer(data[0..<100]))
        let refusal = await failure(.preconditionFailed) {
            try await store.append(id, offset: offset, ByteBuffer(data[0..<100]))
        }
        #expect(refusal?.detail.contains("100") == true)
        #expect(try await store.offset(of: id) == 100)
    }

    @Test("bytes that do not match are dropped with their upload", arguments: [true, false])
    func mismatch(atBegin: Bool) async throws {
        let store = try await scratch.store()
        let (mine, other) = (try await digest(data), try await digest([1, 2, 3]))
        let id = try await store.begin(expected: atBegin ? other : nil, now: now)
        try await store.append(id, offset: 0, ByteBuffer(data))
        _ = await failure(.digestMismatch) { _ = try await store.finish(id, expected: atBegin ? mine : other) }
        _ = await failure(.notFound) { _ = try await store.offset(of: id) }
        #expect(try await store.missing(of: [mine, other]) == [mine, other])
        #expect(scratch.names("store/uploads").isEmpty)
    }

    @Test("an owner goes on with the open upload of the same bytes, also in the next process; nobody else does")
    func ownersResume() async throws {
        let wanted = try await digest(data)
        let size = Bytes(Int64(data.count))
        let first = try await scratch.store()
        let (id, offset) = try await first.resume(expected: wanted, size: size, owner: "me", now: now)
        #expect(offset == 0)
        try await first.append(id, offset: 0, ByteBuffer(data[0..<100_000]))
        #expect(try await first.resume(expected: wanted, size: size, owner: "me", now: now) == (id, 100_000))
        let second = try await scratch.store()
        let again = try await second.resume(expected: wanted, size: size, owner: "me", now: now)
        #expect(again == (id, 100_000))
        let other = try await second.resume(expected: wanted, size: size, owner: "you", now: now)
        #expect(other.upload != id && other.offset == 0)
        try await second.append(id, offset: 100_000, ByteBuffer(data[100_000...]))
        _ = try await second.finish(id)
        let third = try await second.resume(expected: wanted, size: size, owner: "me", now: now)
        #expect(third.upload != id && third.offset == 0, "one that has ended is not gone on with")
        #expect(try await second.bytes(wanted) == data)
    }

    @Test("what came of a stream before it broke off is kept to the last byte")
    func brokenStream() async throws {
        let store = try await scratch.store()
        let id = try await store.begin(now: now)
        let (data, stream) = (data, AsyncThrowingStream<ByteBuffer, any Error>.makeStream())
        for start in stride(from: 0, to: 250_000, by: 1000) {
            stream.continuation.yield(ByteBuffer(data[start..<start + 1000]))
        }
        stream.continuation.finish(throwing: Failure(.unavailable, "the line broke"))
        _ = await failure(.unavailable) { try await store.append(id, offset: 0, stream: stream.stream) }
        #expect(try await store.offset(of: id) == 250_000)
    }

    @Test("an upload that is finished too early stays")
    func early() async throws {
        let store = try await scratch.store()
        let wanted = try await digest(data)
        let id = try await store.begin(size: Bytes(300_000), now: now)
        try await store.append(id, offset: 0, ByteBuffer(data.dropLast()))
        let refusal = await failure(.preconditionFailed) { _ = try await store.finish(id, expected: wanted) }
        #expect(refusal?.detail.contains("299999") == true)
        try await store.append(id, offset: 299_999, ByteBuffer(data.suffix(1)))
        #expect(try await store.finish(id, expected: wanted).size == Bytes(300_000))
    }

    @Test("more bytes than announced, or than one blob may have, are refused and the upload stands as it stood")
    func limits() async throws {
        let store = try await scratch.store(BlobLimits(blobMax: 1000, uploadsMax: 3))
        let announced = try await store.begin(size: 10, now: now)
        _ = await failure(.tooLarge) { try await store.append(announced, offset: 0, ByteBuffer(data[0..<11])) }
        #expect(try await store.offset(of: announced) == 0)
        let open = try await store.begin(now: now)
        try await store.append(open, offset: 0, ByteBuffer(data[0..<1000]))
        _ = await failure(.tooLarge) { try await store.append(open, offset: 1000, ByteBuffer(data[0..<1])) }
        _ = await failure(.tooLarge) { _ = try await store.begin(size: 1001, now: now) }
        _ = await failure(.invalid) { _ = try await store.begin(size: -1, now: now) }
        _ = await failure(.tooLarge) { try await store.put(Array(data[0..<1001])) }
        _ = try await store.begin(now: now)
        _ = await failure(.rateLimited) { _ = try await store.begin(now: now) }
        try await store.abort(open)
        _ = try await store.begin(now: now)
    }

    @Test("nobody takes all uploads, also not over a restart")
    func holders() async throws {
        let limits = BlobLimits(uploadsMax: 10, uploadsPerHolderMax: 2)
        let store = try await scratch.store(limits)
        let first = try await store.begin(owner: "one mia", now: now)
        _ = try await store.begin(owner: "two mia", now: now)
        let refused = await failure(.rateLimited) { _ = try await store.begin(owner: "three mia", now: now) }
        #expect(refused?.detail.hasPrefix("2 uploads") ?? false)
        _ = try await store.begin(owner: "one olga", now: now)
        let next = try await scratch.store(limits)
        _ = await failure(.rateLimited) { _ = try await next.begin(owner: "one mia", now: now) }
        try await next.abort(first)
        _ = try await next.begin(owner: "one mia", now: now)
        _ = try await next.begin(now: now)
    }

    @Test("where there are too many, the one that nothing has come for the longest gives way, when that is long enough")
    func idle() async throws {
        let limits = BlobLimits(uploadsMax: 3, uploadsPerHolderMax: 2, uploadIdleMin: .seconds(300))
        let store = try await scratch.store(limits)
        // The file system's clock says when something came; what is written here is later than `now`.
        func old(_ id: UploadID, seconds: Int) throws {
            let part = "\(store.root)/uploads/\(id)/part"
            try #require(try FileSystem.setModified(part, now - .seconds(seconds)))
        }
        let first = try await store.begin(owner: "one mia", now: now)
        let second = try await store.begin(owner: "two mia", now: now)
        let other = try await store.begin(owner: "one olga", now: now)
        try old(first, seconds: 310)
        try old(second, seconds: 400)
        try old(other, seconds: 290)
        // Of all first, since there are three; then of mia's.
        let third = try await store.begin(owner: "three mia", now: now)
        #expect(Set(store.openUploads) == [first, other, third])
        // After a restart too, and what it stood for is gone.
        let next = try await scratch.store(limits)
        let fourth = try await next.begin(owner: "four mia", now: now)
        #expect(Set(next.openUploads) == [other, third, fourth])
        _ = await failure(.notFound) { _ = try await next.offset(of: first) }
        #expect(Set(scratch.names("store/uploads")) == Set([other, third, fourth].map { "\($0)" }))
        _ = await failure(.rateLimited) { _ = try await next.begin(owner: "five mia", now: now) }
        // What a process left that was killed between publishing an upload and forgetting it goes as well.
        let folder = "\(store.root)/uploads/\(other)"
        #expect(unlink(folder + "/part") == 0)
        try #require(try FileSystem.setModified(folder, now - .seconds(301)))
        let last = try await scratch.store(limits)
        let fifth = try await last.begin(owner: "five olga", now: now)
        #expect(Set(last.openUploads) == [third, fourth, fifth])
        // One that something came for since stays, however long ago it began.
        try old(third, seconds: 1000)
        try await last.append(third, offset: 0, ByteBuffer([1]))
        _ = await failure(.rateLimited) { _ = try await last.begin(owner: "six mia", now: now) }
        #expect(try await last.offset(of: third) == 1)
    }

    @Test("many that begin at once find room together where enough have been idle")
    func idleAtOnce() async throws {
        let limits = BlobLimits(uploadsPerHolderMax: 40, uploadIdleMin: .seconds(300))
        let store = try await scratch.store(limits)
        for index in 0..<40 {
            let id = try await store.begin(owner: "mia", now: now)
            let part = "\(store.root)/uploads/\(id)/part"
            try #require(try FileSystem.setModified(part, now - .seconds(400 + index)))
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 { group.addTask { _ = try await store.begin(owner: "mia", now: now) } }
            try await group.waitForAll()
        }
        #expect(store.openUploads.count == 40)
        _ = await failure(.rateLimited) { _ = try await store.begin(owner: "mia", now: now) }
    }

    @Test("a size that cannot fit on the disk is refused at once")
    func tooLargeForDisk() async throws {
        let store = try await scratch.store(BlobLimits(blobMax: Bytes(.max)))
        _ = await failure(.storageExhausted) { _ = try await store.begin(size: Bytes(1 << 60), now: now) }
        #expect(store.openUploads.isEmpty)
        #expect(scratch.names("store/uploads").isEmpty)
    }

    @Test("an upload goes on after a restart, with what was announced for it")
    func resume() async throws {
        let wanted = try await digest(data)
        let id = try await scratch.store().begin(expected: wanted, size: Bytes(300_000), now: now)
        for start in stride(from: 0, to: 300_000, by: 60_000) {
            // Each piece meets a store that has just been opened.
            let store = try await scratch.store()
            #expect(store.openUploads == [id])
            #expect(try await store.offset(of: id) == Int64(start))
            try await store.append(id, offset: Int64(start), ByteBuffer(data[start..<start + 60_000]))
        }
        let store = try await scratch.store()
        _ = await failure(.tooLarge) { try await store.append(id, offset: 300_000, ByteBuffer([1])) }
        #expect(try await store.finish(id, expected: wanted).digest == wanted)
        #expect(try await store.bytes(wanted) == data)
        #expect(try await scratch.store().openUploads.isEmpty)
    }

    @Test("a blob that is here already may be uploaded again")
    func present() async throws {
        let store = try await scratch.store()
        let wanted = try await store.put(data).digest
        let id = try await store.begin(now: now)
        try await store.append(id, offset: 0, ByteBuffer(data))
        #expect(try await store.finish(id, expected: wanted).digest == wanted)
        #expect(try await store.bytes(wanted) == data)
        #expect(scratch.names("store/uploads").isEmpty)
    }

    @Test("a connection that breaks leaves what it brought, and the next goes on")
    func stream() async throws {
        let store = try await scratch.store()
        let data = content(4, 2_500_000)
        let pieces = stride(from: 0, to: data.count, by: 50_000).map { ByteBuffer(data[$0..<$0 + 50_000]) }
        let id = try await store.begin(size: Bytes(2_500_000), now: now)
        await #expect(throws: PutTests.Pieces<ByteBuffer>.Broken.self) {
            let broken = PutTests.Pieces(pieces: Array(pieces[0..<40]), breaks: true)
            try await store.append(id, offset: 0, stream: broken)
        }
        let offset = try await store.offset(of: id)
        #expect(offset >= 1 << 20 && offset % 50_000 == 0)
        _ = await failure(.preconditionFailed) {
            try await store.append(id, offset: 0, stream: PutTests.Pieces(pieces: pieces))
        }
        let rest = PutTests.Pieces(pieces: Array(pieces[Int(offset / 50_000)...]))
        #expect(try await store.append(id, offset: offset, stream: rest) == 2_500_000)
        let wanted = try await putElsewhere(data).digest
        #expect(try await store.finish(id, expected: wanted).digest == wanted)
    }

    @Test("an aborted upload is gone, and to abort it again is fine")
    func abort() async throws {
        let store = try await scratch.store()
        let id = try await store.begin(now: now)
        try await store.append(id, offset: 0, ByteBuffer(data))
        try await store.abort(id)
        try await store.abort(id)
        _ = await failure(.notFound) { try await store.append(id, offset: 0, ByteBuffer(data)) }
        _ = await failure(.notFound) { _ = try await store.finish(id, expected: try await digest(data)) }
        #expect(scratch.names("store/uploads").isEmpty)
    }

    @Test("a sweep takes stale uploads and the remains of copies, and nothing else")
    func sweep() async throws {
        let store = try await scratch.store()
        let id = try await store.begin(now: now)
        let torn = UploadID(high: 7, low: 7)
        scratch.write("store/uploads/\(UploadID(high: 1, low: 1)).part", [1])
        scratch.write("store/uploads/\(torn)/meta.new", [1])
        scratch.write("store/uploads/notes.txt", [1])
        #expect(try await store.sweepUploads(olderThan: Instant(milliseconds: 0)) == 0)
        #expect(scratch.names("store/uploads").count == 4)
        #expect(try await store.offset(of: id) == 0)
        #expect(try await store.sweepUploads(olderThan: farFuture) == 3)
        #expect(scratch.names("store/uploads") == ["notes.txt"])
        _ = await failure(.notFound) { _ = try await store.offset(of: id) }
    }

    @Test("an upload whose beginning was interrupted does not exist")
    func torn() async throws {
        let torn = UploadID(high: 7, low: 7)
        scratch.write("store/uploads/\(torn)/part", [1])
        let store = try await scratch.store()
        _ = await failure(.notFound) { _ = try await store.offset(of: torn) }
        _ = await failure(.notFound) { _ = try await store.offset(of: UploadID(high: 8, low: 8)) }
    }

    @Test("of many writers of one offset exactly one is taken")
    func rivals() async throws {
        let store = try await scratch.store()
        let id = try await store.begin(now: now)
        let taken = await withTaskGroup(of: Bool.self) { group in
            for index in 0..<16 {
                group.addTask {
                    (try? await store.append(id, offset: 0, ByteBuffer(content(UInt64(index), 5000)))) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(taken == 1)
        #expect(try await store.offset(of: id) == 5000)
    }
}
