import Blobs
import Core
import Crypto
import FoundationEssentials
import Glibc
import Logging
import NIOCore
import NIOPosix
import Store
import Synchronization
import Testing
import Wire

@testable import Hub

/// File threads of all tests.
let pool: NIOThreadPool = {
    let pool = NIOThreadPool(numberOfThreads: 4)
    pool.start()
    return pool
}()

/// The seed from the environment, or a new one, printed so that a failure can be repeated.
func freshSeed(_ test: String) -> UInt64 {
    let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 0 ... .max)
    print("\(test): ONEPOINT_TEST_SEED=\(seed)")
    return seed
}

extension SplitMix {
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &self) } }
}

func sha256(_ bytes: [UInt8]) -> Core.Digest {
    guard let digest = Core.Digest(bytes: Array(SHA256.hash(data: bytes))) else {
        preconditionFailure("SHA-256 makes 32 bytes")
    }
    return digest
}

func path(_ text: String) -> FilePath {
    guard let path = FilePath(text) else { preconditionFailure("'\(text)' is no path") }
    return path
}

extension Name {
    static func named(_ text: String) -> Self {
        guard let name = Self(text) else { preconditionFailure("'\(text)' is no name") }
        return name
    }
}

/// Bytes as a stream of pieces.
func stream(_ bytes: [UInt8], pieceBytes: Int = 10_000) -> AsyncThrowingStream<ByteBuffer, any Error> {
    AsyncThrowingStream { continuation in
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + pieceBytes, bytes.count)]))
        }
        continuation.finish()
    }
}

/// The repository on real stores in a folder of its own, and people who use it: alice and bob are in `brain`, eve in
/// `other`.
struct Shelf: Sendable {
    let folder: String
    let store: EventStore
    let blobs: BlobStore
    let repositories: Repositories
    let clock: Mutex<Instant>.Held

    let alice = Shelf.person("alice")
    let bob = Shelf.person("bob")
    let eve = Shelf.person("eve")
    let model = RepositoryPath(project: .named("brain"), name: Shelf.name("tiny"))

    static func person(_ name: String) -> Principal {
        Principal(user: .named(name), isOperator: false, scopes: [.read, .write], project: nil)
    }

    static func name(_ text: String) -> RepositoryName {
        guard let name = RepositoryName(text) else { preconditionFailure("'\(text)' is no name") }
        return name
    }

    func main(_ revision: String = "main") -> RevisionAddress { RevisionAddress(.models, model, revision) }

    /// A commit to `main`.
    func commit(
        _ operations: [FileOperation],
        brought: [KeptFile] = [],
        parent: GitHash? = nil,
        to reference: ReferenceName = .main,
        _ caller: Principal? = nil
    ) async throws -> Revision {
        let request = CommitRequest(
            reference: reference,
            message: "Change",
            parent: parent,
            operations: operations,
            brought: brought
        )
        return try await repositories.commit(request, to: .models, model, caller ?? alice).revision
    }

    /// A commit of small files to `main`.
    func commit(files: [String: String], parent: GitHash? = nil) async throws -> Revision {
        var kept: [KeptFile] = []
        for (name, text) in files.sorted(by: { $0.key < $1.key }) {
            kept.append(try await repositories.keep(ByteBuffer(string: text), at: path(name)))
        }
        return try await commit(kept.map(\.operation), brought: kept, parent: parent)
    }

    func paths(_ revision: String = "main") async throws -> [String] {
        try await repositories.list(at: main(revision), isRecursive: true, limit: 10_000, alice).entries.map(\.path)
    }
}

extension Mutex where Value == Instant {
    /// A clock that only tests move.
    final class Held: Sendable {
        private let value = Mutex<Instant>(Instant(milliseconds: 1_790_000_000_000))
        var now: Instant { value.withLock { $0 } }
        func advance(_ duration: Duration) { value.withLock { $0 = $0 + duration } }
    }
}

/// Runs a test on a repository service of its own; everything is gone afterwards.
///
/// - Parameter hasFirstCommit: Whether the model begins as clients of the Hub have it, or empty.
func withShelf(hasFirstCommit: Bool = true, _ test: (Shelf) async throws -> Void) async throws {
    let folder = "/tmp/onepoint-hub-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // A leftover folder in /tmp hurts nobody; a failing removal must not hide the test's own failure.
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let clock = Mutex<Instant>.Held()
    let store = try await EventStore.open(.init(path: folder + "/point.db"))
    let blobs = try await BlobStore.open(root: folder, threads: pool)
    let repositories = Repositories(
        store: store,
        blobs: blobs,
        seal: AddressSeal(key: [UInt8](repeating: 7, count: 32)),
        now: { clock.now },
        log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
    let shelf = Shelf(folder: folder, store: store, blobs: blobs, repositories: repositories, clock: clock)
    try await store.write { tx in
        for (user, project, role) in [
            ("alice", "brain", Role.owner), ("bob", "brain", .member), ("eve", "other", .owner),
        ] {
            let (name, now): (ProjectName, Instant) = (.named(project), clock.now)
            try tx.append(
                .userCreated(User(name: .named(user), isOperator: false)),
                project: nil,
                subject: user,
                actor: "system",
                at: now
            )
            if try tx.project(name) == nil {
                try tx.append(
                    .projectCreated(Project(name: name)),
                    project: name,
                    subject: project,
                    actor: "system",
                    at: now
                )
            }
            try tx.append(
                .memberSet(Membership(project: name, user: .named(user), role: role)),
                project: name,
                subject: user,
                actor: "system",
                at: now
            )
        }
    }
    if hasFirstCommit {
        _ = try await repositories.begin(.model, shelf.model, visibility: .private, shelf.alice)
    } else {
        _ = try await repositories.create(.model, shelf.model, visibility: .private, shelf.alice)
    }
    try await test(shelf)
}

/// The failure that something ends with.
func failure(_ body: () async throws -> Void) async -> Failure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? Failure
    }
}
