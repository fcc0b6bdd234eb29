import Core
import Glibc
import NIOCore
import NIOPosix
import Testing

@testable import Blobs

/// File threads of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    return pool
}()

/// A folder of one test, removed with it.
final class Scratch: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/onepoint-blobs-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!).map { String(cString: $0) } ?? "" }
        precondition(!path.isEmpty, "no temporary folder")
    }

    deinit { _ = spawn(["/bin/rm", "-rf", path]) }

    func store(_ limits: BlobLimits = BlobLimits(), bucket: S3Bucket? = nil) async throws -> BlobStore {
        try await BlobStore.open(root: path + "/store", threads: pool, limits: limits, bucket: bucket)
    }

    func logs(logMax: Bytes = .gibi(1)) async throws -> LogStore {
        try await LogStore.open(root: path + "/store", threads: pool, logMax: logMax)
    }

    /// Makes a file and the folders above it.
    func write(_ relative: String, _ bytes: [UInt8], mode: mode_t = 0o644) {
        let full = path + "/" + relative
        for (index, byte) in full.utf8.enumerated() where byte == UInt8(ascii: "/") && index > 0 {
            mkdir(String(full.utf8.prefix(index))!, 0o755)
        }
        let file = open(full, O_WRONLY | O_CREAT | O_TRUNC, mode)
        precondition(file >= 0, "cannot write \(full)")
        precondition(bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) } == bytes.count)
        close(file)
    }

    func link(_ relative: String, to target: String) { precondition(symlink(target, path + "/" + relative) == 0) }

    /// Names in a folder of the scratch, sorted.
    func names(_ relative: String) -> [String] { entries(of: path + "/" + relative) }
}

func entries(of folder: String) -> [String] {
    guard let handle = opendir(folder) else { return [] }
    defer { closedir(handle) }
    var names: [String] = []
    while let entry = readdir(handle) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
}

/// The bytes of a file; `nil` when it is not there.
func contents(_ path: String) -> [UInt8]? {
    let file = open(path, O_RDONLY)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(file, &piece, piece.count)
        guard count > 0 else { return bytes }
        bytes += piece[0..<count]
    }
}

func entry(_ path: String) -> stat? {
    var raw = stat()
    return lstat(path, &raw) == 0 ? raw : nil
}

/// Runs a program to its end; its exit status, or `nil` when it could not be started.
func spawn(_ arguments: [String]) -> CInt? {
    guard let child = launch(arguments) else { return nil }
    return wait(for: child)
}

/// Starts a program, its output going to the end of a file.
func launch(_ arguments: [String], output: String = "/dev/null") -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var child: pid_t = 0
    return posix_spawn(&child, arguments[0], &actions, nil, &pointers, environ) == 0 ? child : nil
}

@discardableResult
func wait(for child: pid_t) -> CInt {
    var status: CInt = 0
    while waitpid(child, &status, 0) < 0, errno == EINTR {}
    return status
}

/// SplitMix64 (Steele, Lea, Flood 2014).
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

/// The seed of a randomised test: printed, and taken from the environment to repeat a failure.
func testSeed(_ name: String = #function) -> UInt64 {
    let seed = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? UInt64.random(in: .min ... .max)
    print("\(name): ONEPOINT_TEST_SEED=\(seed)")
    return seed
}

/// Bytes that follow from the seed alone; the crash probe makes the same.
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

let now = Instant(milliseconds: 1_770_000_000_000)
let farFuture = Instant(milliseconds: 32_000_000_000_000)

extension ByteBuffer {
    init(_ bytes: [UInt8]) { self.init(bytes: bytes) }
    init(_ bytes: ArraySlice<UInt8>) { self.init(bytes: bytes) }
    var array: [UInt8] { Array(readableBytesView) }
}

extension stat { var mode: mode_t { st_mode & 0o777 } }

extension BlobStore {
    /// The file of a blob that is here.
    func place(of digest: Digest) async throws -> String {
        try #require(try await size(of: digest) != nil)
        return file(of: digest)
    }

    func status(of digest: Digest) async throws -> stat {
        let path = try await place(of: digest)
        return try #require(entry(path))
    }

    /// All bytes of a blob.
    func bytes(_ digest: Digest) async throws -> [UInt8] {
        var all: [UInt8] = []
        for try await chunk in try await open(digest).chunks() { all += chunk.readableBytesView }
        return all
    }
}

/// The failure that `work` must end with.
func failure(
    _ code: Failure.Code,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ work: () async throws -> Void
) async -> Failure? {
    do {
        try await work()
        Issue.record("expected \(code), but it succeeded", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        #expect(failure.code == code, "\(failure.detail)", sourceLocation: sourceLocation)
        return failure
    } catch {
        Issue.record("expected \(code), got \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Waits until `level` returns true; says what was seen when it does not.
func eventually(
    _ what: String,
    within limit: Duration = .seconds(240),
    sourceLocation: SourceLocation = #_sourceLocation,
    _ level: () async throws -> Bool
) async throws {
    let end = ContinuousClock.now + limit
    while try await !level() {
        guard ContinuousClock.now < end else {
            Issue.record("waited \(limit) for: \(what)", sourceLocation: sourceLocation)
            return
        }
        // Files and other processes ring nobody: the level is looked at again, and nothing follows from the time.
        try await Task.sleep(for: .milliseconds(1))
    }
}

/// Stores bytes in a store of their own that is gone afterwards: how tests learn a digest.
func putElsewhere(_ bytes: [UInt8]) async throws -> StoredBlob {
    let scratch = Scratch()
    let blob = try await scratch.store().put(bytes)
    withExtendedLifetime(scratch) {}
    return blob
}
