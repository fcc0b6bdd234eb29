import Blobs
public import Core
import Logging
import Store

/// What a round of collection took away.
public struct Collected: Hashable, Sendable {
    /// Revisions that no reference led to.
    public var revisions = 0
    /// Bytes that a repository had and nothing in it used.
    public var grants = 0
    /// Files that nobody had any more.
    public var blobs = 0
    public var bytes: Bytes = 0

    public init() {}
}

extension Repositories {
    /// How long whoever was told of some bytes may take to use them.
    public static let leaseLifetime = Duration.seconds(24 * 3600)

    /// In one transaction, so that nobody waits long for the writer.
    private static let stepMax = 100

    /// Removes what nothing refers to and nobody was told of lately. Pushes go on meanwhile.
    ///
    /// What is found unneeded in a snapshot is looked at again in the transaction that removes it: whoever refers to
    /// bytes has leased them before, so that only the lease has to be looked at.
    /// - Parameter lifetime: Of a lease.
    public func collect(leaseLifetime lifetime: Duration = leaseLifetime) async throws -> Collected {
        var collected = Collected()
        let limit = now() - lifetime
        xorbs.drop(before: limit)
        var last: RepositoryID?
        while case let page = try await store.read({ [last] in try $0.repositories(after: last, limit: 100) }),
            let end = page.last
        {
            for repository in page {
                try Task.checkCancellation()
                collected.revisions += try await dropRevisions(of: repository)
                collected.grants += try await revokeGrants(of: repository, unleasedSince: limit)
            }
            last = end.id
        }
        try await removeFiles(unleasedSince: limit, &collected)
        return collected
    }

    private func dropRevisions(of repository: Repository) async throws -> Int {
        let now = now()
        var count = 0
        while true {
            let step = try await write { tx in
                guard try tx.repository(repository.id) != nil else { return 0 }
                let dead = try tx.unreachableRevisions(of: repository.id, limit: Self.stepMax)
                guard !dead.isEmpty else { return 0 }
                try tx.append(
                    .revisionsDropped(.init(repository: repository.id, revisions: dead)),
                    about: repository,
                    at: now
                )
                return dead.count
            }
            count += step
            if step < Self.stepMax { return count }
        }
    }

    private func revokeGrants(of repository: Repository, unleasedSince limit: Instant) async throws -> Int {
        let (used, now) = (try await digestsInUse(by: repository.id), now())
        var count = 0
        var last: Digest?
        while case let page = try await store.read({ [last] in
            try $0.blobs(of: repository.id, after: last, limit: 1000).map(\.digest)
        }), let end = page.last {
            var unused = page.filter { !used.contains($0) }
            let maps = try await xorbMaps(among: unused, of: used)
            unused.removeAll(where: maps.contains)
            for step in stride(from: 0, to: unused.count, by: Self.stepMax) {
                let some = Array(unused[step..<min(step + Self.stepMax, unused.count)])
                let dead = try await blobs.unleased(some, since: limit)
                guard !dead.isEmpty else { continue }
                count += try await write { [blobs] tx in
                    guard try tx.repository(repository.id) != nil else { return 0 }
                    let dead = try blobs.unleasedNow(dead, since: limit)
                    guard !dead.isEmpty else { return 0 }
                    try tx.append(
                        .repositoryBlobsRevoked(.init(repository: repository.id, digests: dead)),
                        about: repository,
                        at: now
                    )
                    return dead.count
                }
            }
            last = end
        }
        return count
    }

    /// What a repository's revisions and manifests are made of.
    private func digestsInUse(by repository: RepositoryID) async throws -> Set<Digest> {
        try await store.read { tx in
            try tx.digestsOfRevisions(of: repository).union(tx.digestsOfManifests(of: repository))
        }
    }

    private func removeFiles(unleasedSince limit: Instant, _ collected: inout Collected) async throws {
        let old = try await blobs.uses().filter { $0.usedAt < limit }.map(\.blob.digest)
        for step in stride(from: 0, to: old.count, by: Self.stepMax) {
            try Task.checkCancellation()
            let some = Array(old[step..<min(step + Self.stepMax, old.count)])
            let dead = try await store.read { tx in try some.filter { try !tx.isGranted($0) } }
            guard !dead.isEmpty else { continue }
            // The writer's turn: nobody can be granted these bytes between the look and the removal.
            let removed = try await store.write { [blobs] tx in
                try dead.filter { try !tx.isGranted($0) }.compactMap { try blobs.collect($0, unleasedSince: limit) }
            }
            collected.blobs += removed.count
            collected.bytes = removed.reduce(collected.bytes, +)
        }
    }

    // MARK: Scrub

    /// What a second look at every blob found.
    public struct Scrubbed: Hashable, Sendable {
        public var intact = 0
        public var bytes: Bytes = 0
        /// Their bytes had changed; they are no longer served.
        public var quarantined: [Digest] = []

        public init() {}
    }

    /// Hashes every blob again. What no longer matches its name is taken out of service and noted in each repository that
    /// had it; whoever pushes the same bytes again heals it.
    ///
    /// - Parameter pace: Called after each blob with its size, to hold back.
    public func scrub(pace: @Sendable (Bytes) async throws -> Void = { _ in }) async throws -> Scrubbed {
        var scrubbed = Scrubbed()
        for use in try await blobs.uses() {
            try Task.checkCancellation()
            switch try await blobs.verify(use.blob.digest) {
            case .intact(let size):
                scrubbed.intact += 1
                scrubbed.bytes = scrubbed.bytes + size
                try await pace(size)
            case .quarantined(let found, let path):
                scrubbed.quarantined.append(use.blob.digest)
                log.error(
                    "blob no longer matches its digest, taken out of service",
                    metadata: ["digest": "\(use.blob.digest)", "found": "\(found)", "file": "\(path)"]
                )
                try await note(quarantined: use.blob.digest, found: found)
            case .absent: break
            }
        }
        return scrubbed
    }

    private func note(quarantined digest: Digest, found: Digest) async throws {
        let now = now()
        try await write { tx in
            for id in try tx.repositories(granting: digest) {
                guard let repository = try tx.repository(id) else { continue }
                try tx.append(
                    .factNoted(
                        .init(
                            repository: id,
                            subject: "\(digest)",
                            kind: "quarantined",
                            value: JSON.object([("found", .string("\(found)"))]).text,
                            tool: "scrub 1"
                        )
                    ),
                    about: repository,
                    at: now
                )
            }
        }
    }
}
