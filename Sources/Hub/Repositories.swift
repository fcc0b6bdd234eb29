public import Blobs
public import Core
public import Logging
public import Store
import Synchronization
import Wire

/// The repository: algorithms, models, datasets and images behind one door.
///
/// Each method checks the caller's rights itself and throws ``Failure``. A caller of `nil` is anonymous. What a caller
/// may not know of is `.notFound`; a missing right on something visible is `.forbidden`, or `.unauthenticated` for an
/// anonymous caller. The faces (Hub, git-lfs, Xet, OCI) say the same in their own words.
///
/// Bytes are in the blob store under their SHA-256; which of them may be had through which repository is in the
/// database. Every answer that tells a caller "these bytes are here" leases them (``BlobStore/lease(_:at:)``), so that
/// what the caller does next finds them.
public final class Repositories: Sendable {
    let store: EventStore
    let blobs: BlobStore
    let now: @Sendable () -> Instant
    let runtime: any Runtime
    let log: Logger
    /// Rings after every commit that appended events, whoever made it.
    let bell: Bell
    /// Signs addresses that are used without credentials.
    let seal: AddressSeal
    /// What clients of Xet have sent and not yet made files of.
    let xorbs = XorbStage()
    /// What was read out of releases of training data.
    let readings = Readings()
    /// What was downloaded and is not written down yet.
    let counter = DownloadCounter()
    /// What may stay on the disk of what the bucket could take.
    let keptBeforeBucket: Bytes
    private let random: Mutex<any RandomNumberGenerator & Sendable>

    /// - Parameters:
    ///   - seal: Kept over restarts, so that addresses given out before stay good.
    ///   - bell: Of all who write into this log.
    ///   - keptBeforeBucket: Where the store has a bucket: how many bytes of what could move there stay on the disk.
    public init(
        store: EventStore,
        blobs: BlobStore,
        keptBeforeBucket: Bytes = 0,
        seal: AddressSeal,
        bell: Bell = Bell(),
        now: @escaping @Sendable () -> Instant,
        random: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        runtime: any Runtime = SystemRuntime(),
        log: Logger
    ) {
        (self.store, self.blobs, self.seal, self.now, self.log) = (store, blobs, seal, now, log)
        self.keptBeforeBucket = keptBeforeBucket
        self.runtime = runtime
        self.bell = bell
        self.random = Mutex(random)
    }

    func makeID<Tag>(_: ID<Tag>.Type = ID<Tag>.self) -> ID<Tag> {
        random.withLock { ID(now: now(), using: &$0) }
    }

    /// Writes in one transaction and tells those who follow the log.
    func write<Result: Sendable>(
        _ body: @escaping @Sendable (WriteTransaction) throws -> Result
    ) async throws -> Result {
        let result = try await store.write(body)
        bell.ring()
        return result
    }

    /// Who causes an event, as the log names them.
    static func actor(_ caller: Principal?) -> String { caller.map { "user/\($0.user)" } ?? "anonymous" }
}

extension WriteTransaction {
    /// An event about a repository, seen by the members of its project.
    @discardableResult
    func append(_ event: Event, about repository: Repository, _ caller: Principal?, at: Instant) throws -> Int64 {
        try append(event, about: repository, actor: Repositories.actor(caller), at: at)
    }

    /// The same of the point's own accord.
    @discardableResult
    func append(_ event: Event, about repository: Repository, at: Instant) throws -> Int64 {
        try append(event, about: repository, actor: "point", at: at)
    }

    private func append(_ event: Event, about repository: Repository, actor: String, at: Instant) throws -> Int64 {
        try append(event, project: repository.path.project, subject: "\(repository.id)", actor: actor, at: at)
    }
}
