import Blobs
import Core
import NIOCore
import Testing

@Suite("Logs")
struct LogTests {
    let scratch = Scratch()
    let run = RunKey(job: JobID(high: 1, low: 2), number: 1)
    let other = RunKey(job: JobID(high: 1, low: 2), number: 2)

    func text(_ logs: LogStore, _ run: RunKey, _ task: Int = 0) async throws -> String {
        String(buffer: try await logs.read(run, task: task, offset: 0, countMax: 1 << 20))
    }

    @Test("pieces may come twice, overlap and come late, but leave no gap")
    func offsets() async throws {
        let logs = try await scratch.logs()
        #expect(try await logs.append(run, task: 0, offset: 3, ByteBuffer(string: "late")) == 0)
        #expect(try await logs.append(run, task: 0, offset: 0, ByteBuffer(string: "hello ")) == 6)
        #expect(try await logs.append(run, task: 0, offset: 0, ByteBuffer(string: "hello ")) == 6)
        #expect(try await logs.append(run, task: 0, offset: 7, ByteBuffer(string: "gap")) == 6)
        #expect(try await logs.append(run, task: 0, offset: 2, ByteBuffer(string: "llo world")) == 11)
        #expect(try await logs.append(run, task: 0, offset: 0, ByteBuffer(string: "he")) == 11)
        #expect(try await logs.append(run, task: 0, offset: 11, ByteBuffer()) == 11)
        #expect(try await text(logs, run) == "hello world")
        #expect(try await text(scratch.logs(), run) == "hello world")
    }

    @Test("one call takes pieces of many logs, several of one log among them")
    func batch() async throws {
        let logs = try await scratch.logs()
        let pieces = (0..<100).map { index in
            let key = RunKey(job: JobID(high: 1, low: UInt64(index / 10)), number: 1)
            return LogPiece(run: key, task: 0, offset: Int64(index % 10), bytes: ByteBuffer(string: "\(index % 10)"))
        }
        #expect(try await logs.append(pieces, durable: false) == pieces.map { $0.offset + 1 })
        for low in 0..<UInt64(10) {
            #expect(try await text(logs, RunKey(job: JobID(high: 1, low: low), number: 1)) == "0123456789")
        }
    }

    @Test("reads begin anywhere and end where the log ends")
    func reads() async throws {
        let logs = try await scratch.logs()
        #expect(try await logs.size(run, task: 0) == nil)
        #expect(try await logs.read(run, task: 0, offset: 0, countMax: 10).readableBytes == 0)
        try await logs.append(run, task: 0, offset: 0, ByteBuffer(string: "0123456789"))
        #expect(try await logs.size(run, task: 0) == 10)
        #expect(String(buffer: try await logs.read(run, task: 0, offset: 4, countMax: 3)) == "456")
        #expect(String(buffer: try await logs.read(run, task: 0, offset: 8, countMax: 30)) == "89")
        #expect(try await logs.read(run, task: 0, offset: 11, countMax: 30).readableBytes == 0)
        #expect(try await logs.read(run, task: 0, offset: 0, countMax: -1).readableBytes == 0)
        _ = await failure(.malformed) { _ = try await logs.read(run, task: 0, offset: -1, countMax: 1) }
        _ = await failure(.malformed) { try await logs.append(run, task: 0, offset: -1, ByteBuffer()) }
        _ = await failure(.malformed) { try await logs.append(run, task: -1, offset: 0, ByteBuffer()) }
    }

    @Test("a log ends at its limit with a line that says so, and swallows the rest for good")
    func limit() async throws {
        let logs = try await scratch.logs(logMax: 10)
        #expect(try await logs.append(run, task: 0, offset: 0, ByteBuffer(string: "0123456")) == 7)
        #expect(try await logs.append(run, task: 1, offset: 0, ByteBuffer(string: "0123456789")) == 10)
        #expect(try await text(logs, run, 1) == "0123456789")
        #expect(try await logs.append(run, task: 0, offset: 7, ByteBuffer(string: "789abc")) == 13)
        let notice = "0123456789\n[This log reached its limit of 10 B. The rest was cut.]\n"
        #expect(try await text(logs, run) == notice)
        #expect(try await logs.append(run, task: 0, offset: 13, ByteBuffer(string: "def")) == 16)
        let raised = try await scratch.logs(logMax: 1000)
        #expect(try await raised.append(run, task: 0, offset: 16, ByteBuffer(string: "ghi")) == 19)
        #expect(try await text(raised, run) == notice)
        #expect(try await raised.tasks(run) == [0, 1])
    }

    @Test("runs and tasks are kept apart, and a run's logs go together")
    func runs() async throws {
        let logs = try await scratch.logs()
        for task in [10, 2, 0] { try await logs.append(run, task: task, offset: 0, ByteBuffer(string: "\(task)")) }
        try await logs.append(other, task: 0, offset: 0, ByteBuffer(string: "other"))
        #expect(try await logs.tasks(run) == [0, 2, 10])
        try await logs.remove(run)
        try await logs.remove(run)
        #expect(try await logs.tasks(run).isEmpty)
        #expect(try await text(logs, other) == "other")
    }

    @Test("many senders of the same bytes leave them once")
    func concurrent() async throws {
        let logs = try await scratch.logs()
        let whole = content(11, 20_000)
        let seed = testSeed()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for sender in 0..<16 {
                group.addTask {
                    var random = Seeded(state: seed &+ UInt64(sender))
                    var offset = 0
                    while offset < whole.count {
                        let count = min(Int.random(in: 1...3000, using: &random), whole.count - offset)
                        let bytes = ByteBuffer(whole[offset..<offset + count])
                        offset = Int(try await logs.append(run, task: 0, offset: Int64(offset), bytes, durable: false))
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await logs.read(run, task: 0, offset: 0, countMax: 1 << 20).array == whole)
    }
}
