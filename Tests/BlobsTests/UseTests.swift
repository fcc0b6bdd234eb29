import Blobs
import Core
import NIOCore
import Testing

@Suite("Uses of blobs")
struct UseTests {
    let scratch = Scratch()

    @Test("each blob is listed with its size and its last use, also by the next process")
    func uses() async throws {
        let store = try await scratch.store()
        let (first, second) = (try await store.put(content(1, 1000)), try await store.put(content(2, 2000)))
        let absent = try await putElsewhere(content(3, 10)).digest
        #expect(try await store.use([first.digest, absent], at: now) == [absent])
        #expect(try await store.use([second.digest], at: now + .milliseconds(1)).isEmpty)
        let next = try await scratch.store()
        let found = try await next.uses().sorted { $0.usedAt < $1.usedAt }
        #expect(found.map(\.blob) == [first, second])
        #expect(found.map(\.usedAt) == [now, now + .milliseconds(1)])
        #expect(try await next.bytes(first.digest) == content(1, 1000))
    }

    @Test("a sweep of copies takes what a killed process left behind, and no upload")
    func copies() async throws {
        let store = try await scratch.store()
        let upload = try await store.begin(now: now)
        try await store.append(upload, offset: 0, ByteBuffer([1, 2, 3]))
        scratch.write("store/uploads/\(upload).part", [1, 2])
        try await store.sweepCopies()
        #expect(scratch.names("store/uploads") == ["\(upload)"])
        #expect(try await store.offset(of: upload) == 3)
    }
}
