import Blobs
import Core
import NIOCore
import Synchronization
import TestKit
import Testing
import Wire

@testable import Agent

@Suite struct TurnsTests {
    @Test("so many go at once, the others in the order of their coming, and who is cancelled gives up the wait")
    func order() async throws {
        let turns = Turns(atOnceMax: 2)
        let bell = Bell()
        let going = Mutex<[Int]>([])
        let mayGo = Mutex(false)
        @Sendable func seen(_ count: Int) async {
            while going.withLock({ $0.count }) < count {
                await bell.wait(beyond: bell.rings, atMost: .milliseconds(5))
            }
        }
        @Sendable func start(_ number: Int) -> Task<Void, any Error> {
            Task { @Sendable in
                try await turns {
                    going.withLock { $0.append(number) }
                    while !mayGo.withLock({ $0 }) { await bell.wait(beyond: bell.rings, atMost: .milliseconds(5)) }
                }
            }
        }
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<2 {
            tasks.append(start(number))
            await seen(number + 1)
        }
        // One after the other, so that their order is known.
        for number in 2..<5 {
            tasks.append(start(number))
            while turns.waiting < number - 1 { await Task.yield() }
        }
        tasks[3].cancel()
        await #expect(throws: CancellationError.self) { try await tasks[3].value }
        #expect(going.withLock { $0 } == [0, 1])
        mayGo.withLock { $0 = true }
        bell.ring()
        await seen(4)
        for number in [0, 1, 2, 4] { try await tasks[number].value }
        #expect(going.withLock { Set($0) } == [0, 1, 2, 4])
        #expect(try await turns { 7 } == 7)
    }
}

@Suite struct HTTPPointLinkTests {
    private let run = RunKey(job: JobID(high: 1, low: 1), number: 1)
    private let upload = UploadID(high: 1, low: 1)

    /// Pieces of 64 KiB, then perhaps a failure.
    private struct Pieces: AsyncSequence, Sendable {
        var count: Int
        var failure: Failure?

        struct AsyncIterator: AsyncIteratorProtocol {
            var left: Int
            var failure: Failure?
            mutating func next() async throws -> ByteBuffer? {
                guard left > 0 else {
                    if let failure { throw failure }
                    return nil
                }
                left -= 1
                return ByteBuffer(repeating: UInt8(left % 256), count: 1 << 16)
            }
        }

        func makeAsyncIterator() -> AsyncIterator { AsyncIterator(left: count, failure: failure) }
    }

    @Test("an upload is one request, however long")
    func oneRequest() async throws {
        let seen = Mutex<[LoopbackHTTP.Request]>([])
        let server = try await LoopbackHTTP { [upload] request in
            seen.withLock { $0.append(request) }
            return .init(200, #"{"upload":"\#(upload)","offset":\#(request.body.count)}"#)
        }
        let link = HTTPPointLink(point: server.address, key: "key")
        let view = try await link.append(Pieces(count: 100), count: 100 << 16, to: upload, at: 0)
        #expect(view.offset == 100 << 16)
        let requests = seen.withLock { $0 }
        #expect(requests.map(\.method) == ["PATCH"])
        #expect(requests.first?.body.count == 100 << 16 && requests.first?.body.first == 99)
        await server.close()
    }

    @Test("what fails in reading is told as it is, and a point that refuses is heard in the middle")
    func failures() async throws {
        let server = try await LoopbackHTTP { _ in
            .init(412, #"{"code":"precondition_failed","detail":"The upload stands at 5."}"#)
        }
        let link = HTTPPointLink(point: server.address, key: "key")
        let broken = Pieces(count: 2, failure: Failure(.internal, "It is shorter than it was."))
        do {
            _ = try await link.append(broken, count: 100 << 16, to: upload, at: 0)
            Issue.record("it was taken")
        } catch let failure as Failure {
            #expect(failure.detail == "It is shorter than it was.")
        }
        do {
            _ = try await link.append(Pieces(count: 4), count: 4 << 16, to: upload, at: 0)
            Issue.record("it was taken")
        } catch let failure as Failure {
            #expect(failure.code == .preconditionFailed)
        }
        await server.close()
    }

    @Test("with all transfers under way there is room for the calls beside them")
    func roomForCalls() async throws {
        let streams = Mutex<[LoopbackHTTP.Stream]>([])
        let server = try await LoopbackHTTP { request in
            guard request.target.contains("/blobs/") else {
                return .init(404, #"{"code":"not_found","detail":"None."}"#)
            }
            let stream = LoopbackHTTP.Stream()
            stream.send("x")
            streams.withLock { $0.append(stream) }
            return .init(stream)
        }
        let link = HTTPPointLink(point: server.address, key: "key")
        let digest = digest(of: "x".utf8)
        try await withThrowingTaskGroup(of: Void.self) { group in
            let came = Mutex(0)
            for _ in 0..<Staging.transfersMax {
                group.addTask { @Sendable [run] in
                    try await link.download(digest, for: run, from: 0) { _, _ in came.withLock { $0 += 1 } }
                }
            }
            while came.withLock({ $0 }) < Staging.transfersMax { await Task.yield() }
            #expect(try await link.isKnown())
            for stream in streams.withLock({ $0 }) { stream.end() }
            try await group.waitForAll()
        }
        await server.close()
    }
}
