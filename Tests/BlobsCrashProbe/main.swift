// Stores things and says so, until it is killed: `BlobsCrashProbe <root> <seed>`, and with a bucket behind the store when
// there follow an endpoint, a key's identifier and its secret. Every line on standard output is written after what it
// speaks of was acknowledged. Only for the tests of Blobs.
import Blobs
import Core
import Glibc
import NIOCore
import NIOPosix

/// SplitMix64 (Steele, Lea, Flood 2014), the same as in the tests.
struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}

func content(_ seed: UInt64, _ count: Int) -> [UInt8] {
    var generator = Seeded(state: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
        let word = generator.next()
        for shift in stride(from: UInt64(0), to: 64, by: 8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
}

/// Unbuffered, so that nothing said is lost with the process.
@Sendable func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = Glibc.write(1, bytes, bytes.count)
}

func upload(_ store: BlobStore, seed: UInt64) async throws {
    var random = Seeded(state: seed)
    while true {
        let contentSeed = random.next()
        let data = content(contentSeed, Int.random(in: 1...400_000, using: &random))
        let stored = try await store.put(data)
        say("stored \(stored.digest)")
        // Other bytes as an upload, in pieces; their digest is found by storing them for a moment.
        let other = content(contentSeed &+ 1, data.count)
        let expected = try await store.put(other).digest
        try await store.delete(expected)
        let now = Instant(milliseconds: 1_770_000_000_000)
        let id = try await store.begin(size: Bytes(Int64(other.count)), now: now)
        say("begun \(id) \(contentSeed &+ 1) \(other.count)")
        var offset: Int64 = 0
        while offset < other.count {
            let count = min(Int.random(in: 1...60_000, using: &random), other.count - Int(offset))
            let piece = ByteBuffer(bytes: other[Int(offset)..<Int(offset) + count])
            offset = try await store.append(id, offset: offset, piece)
            say("at \(id) \(offset)")
        }
        _ = try await store.finish(id, expected: expected)
        say("stored \(expected)")
    }
}

func write(into logs: LogStore, seed: UInt64) async throws {
    var random = Seeded(state: seed)
    let run = RunKey(job: JobID(high: 1, low: 1), number: 1)
    let whole = content(77, 4 << 20)
    var offset = try await logs.size(run, task: 0)?.count ?? 0
    while offset < whole.count {
        let from = max(0, offset - Int64.random(in: 0...500, using: &random))
        let end = min(Int(from) + Int.random(in: 1...5000, using: &random), whole.count)
        offset = try await logs.append(run, task: 0, offset: from, ByteBuffer(bytes: whole[Int(from)..<end]))
        say("log \(offset)")
    }
}

/// Stores blobs that are worth moving to a bucket, and removes some again.
func fill(_ store: BlobStore, seed: UInt64) async throws {
    var random = Seeded(state: seed)
    var kept: [Digest] = []
    while true {
        let stored = try await store.put(content(random.next(), Int.random(in: 1 << 20...3 << 20, using: &random)))
        kept.append(stored.digest)
        say("stored \(stored.digest)")
        guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
        let digest = kept.remove(at: Int.random(in: kept.indices, using: &random))
        say("removing \(digest)")
        try await store.delete(digest)
        say("removed \(digest)")
    }
}

let root = CommandLine.arguments[1]
let seed = UInt64(CommandLine.arguments[2]) ?? 0
let threads = NIOThreadPool(numberOfThreads: 4)
threads.start()
if CommandLine.arguments.count > 5 {
    let credentials = S3Credentials(keyID: CommandLine.arguments[4], secret: CommandLine.arguments[5])
    let settings = S3Bucket.Settings(
        endpoint: CommandLine.arguments[3],
        region: "us-east-1",
        bucket: "onepoint",
        prefix: "crash/",
        credentials: credentials
    )
    let bucket = try S3Bucket(settings) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000)
    }
    let store = try await BlobStore.open(root: root, threads: threads, bucket: bucket)
    try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in UInt64(0)..<2 { group.addTask { try await fill(store, seed: seed &+ writer) } }
        group.addTask { while true { _ = try await store.offload(keeping: Bytes(4 << 20)) } }
        try await group.waitForAll()
    }
}
let store = try await BlobStore.open(root: root, threads: threads)
let logs = try await LogStore.open(root: root, threads: threads)
try await withThrowingTaskGroup(of: Void.self) { group in
    for writer in UInt64(0)..<3 { group.addTask { try await upload(store, seed: seed &+ writer &* 1000) } }
    group.addTask { try await write(into: logs, seed: seed) }
    try await group.waitForAll()
}
