import Blobs
public import Core
public import NIOCore
import Store
public import Wire

extension Repositories {
    /// A range of bytes that may be had through a repository, as a stream.
    ///
    /// The caller's right to read the repository was checked before.
    /// - Throws: `.notFound` when they are not there, `.rangeNotSatisfiable`.
    public func bytes(
        _ digest: Digest,
        _ range: Range<Int64>,
        in repository: Repository
    ) async throws -> some AsyncSequence<ByteBuffer, any Error> & Sendable {
        try await reader(digest, repository).chunks(range)
    }

    /// The first bytes of a file, at most `countMax` and 8 MiB of them.
    public func content(of digest: Digest, countMax: Int, in repository: Repository) async throws -> ByteBuffer {
        try await reader(digest, repository).read(offset: 0, countMax: countMax)
    }

    /// The head of a `.safetensors` file; `nil` when it is none.
    public func safetensors(_ digest: Digest, in repository: Repository) async throws -> Safetensors? {
        try await Safetensors(reader(digest, repository))
    }

    private func reader(_ digest: Digest, _ repository: Repository) async throws -> BlobReader {
        guard let reader = try await open(digest, in: repository) else {
            throw Failure(.notFound, "\(digest) is not in '\(repository.path)'.", note: Self.entryNote)
        }
        return reader
    }

    /// A repository by its identifier, if the caller has that right on it.
    public func repository(
        _ id: RepositoryID,
        for right: RepositoryRight,
        _ caller: Principal?
    ) async throws -> Repository {
        try await store.read { try Self.find(id, for: right, caller, $0) }
    }

    /// The projects that a caller is in, and as what.
    public func projects(of caller: Principal) async throws -> [(project: ProjectName, role: Role)] {
        try await store.read { tx in
            try tx.memberships(of: caller.user).filter { caller.project == nil || $0.project == caller.project }
                .map { ($0.project, $0.role) }
        }
    }

    // MARK: Addresses

    /// Makes an address good without credentials for a while; see ``AddressSeal``.
    public func signed(_ method: String, _ target: String, for lifetime: Duration) -> String {
        seal.sign(method, target, until: now() + lifetime)
    }

    /// Whether an address was made here and is still good.
    public func admits(_ method: String, _ target: String) -> Bool { seal.admits(method, target, at: now()) }
}
