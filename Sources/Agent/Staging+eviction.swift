import Blobs
import Core
import Logging
import Wire

/// Keeps the centre's cache within its limit: what was wanted longest ago goes first, and nothing that is in use.
extension Staging {
    /// One thing that can be removed.
    private struct Unit {
        var work: Work
        var size: Bytes
        var usedAt: Instant
    }

    /// Does what adds to the cache once there is room for it.
    func making(room size: Bytes, for work: Work, _ body: () async throws -> Void) async throws {
        defer { coming[work] = nil }
        try await makeRoom(for: work, size)
        try await body()
        grown = grown + size
    }

    /// Sees to it that the cache is within its limit also when what is about to come is here, as far as live runs leave
    /// anything to remove. Whoever calls it takes it out of `coming` and counts it.
    func makeRoom(for work: Work, _ size: Bytes) async throws {
        coming[work] = size
        // As long as nobody lets go of anything another look finds no more.
        if releasesInVain != releases { try await trim() }
    }

    /// Removes what was not used for the longest time until the cache is a tenth below its limit, so that not every run
    /// makes it look again. Cheap while it is within.
    ///
    /// What live runs name stays, whatever the limit says.
    func trim() async throws {
        let limit = try await cacheLimit()
        while let other = trimming {
            _ = await other.result
            if trimming == other { trimming = nil }
        }
        if let counted, counted + grown + comingBytes <= limit { return }
        // Awaited here and by whoever would begin another. It ends by itself: nothing in it waits for a transfer.
        let task = Task { try await look(limit) }
        trimming = task
        defer { if trimming == task { trimming = nil } }
        try await task.value
    }

    private var comingBytes: Bytes { coming.values.reduce(0, +) }

    private func look(_ limit: Bytes) async throws {
        isTrimming = true
        defer { isTrimming = false }
        // What comes from now on is counted on top of what is found.
        (counted, grown) = (nil, 0)
        let before = releases
        let lives = await lives()
        let named = try await named(by: lives.orders)
        try await cache.sweepCopies()
        let parts = try await clearParts(except: named)
        let blobs = try await cache.uses()
        let algorithms = try await folder.algorithms()
        var units = blobs.map { Unit(work: .blob($0.blob.digest), size: $0.blob.size, usedAt: $0.usedAt) }
        units += algorithms.map { Unit(work: .algorithm($0.tree), size: $0.size, usedAt: $0.usedAt) }
        let found = units.reduce(parts) { $0 + $1.size }
        var total = found
        if total + comingBytes > limit {
            let target = limit - Bytes(limit.count / 10)
            units.sort { $0.usedAt < $1.usedAt }
            for unit in units where total + comingBytes > target && !named.contains(unit.work) {
                // A run that nobody here knows of may use its algorithm; its inputs are copies.
                if case .algorithm = unit.work, !lives.areAll { continue }
                let isGone = try await evict(unit.work) { [cache, folder] in
                    switch unit.work {
                    case .blob(let digest): _ = try await cache.delete(digest)
                    case .algorithm(let tree): try await folder.removeAlgorithm(tree)
                    case .upload: break
                    }
                }
                if isGone { total = total - unit.size }
            }
            if total < found {
                log.notice(
                    "cache trimmed",
                    metadata: ["limit": "\(limit)", "removed": "\(found - total)", "left": "\(total)"]
                )
            }
        }
        releasesInVain = total + comingBytes > limit ? before : nil
        counted = total
    }

    /// Drops downloads that broke off and that no live run wants to go on with.
    /// - Returns: The bytes of the others, without those that are coming.
    private func clearParts(except named: Set<Work>) async throws -> Bytes {
        var total: Bytes = 0
        for upload in cache.openUploads {
            guard let owner = try? await cache.owner(of: upload), let digest = Digest(owner),
                let size = try? await cache.offset(of: upload)
            else { continue }
            if coming[.blob(digest)] != nil { continue }
            if !named.contains(.blob(digest)),
                try await evict(.blob(digest), { [cache] in try await cache.abort(upload) })
            {
                continue
            }
            total = total + Bytes(size)
        }
        return total
    }

    /// What was configured, or a fifth of the file system.
    private func cacheLimit() async throws -> Bytes {
        if let cacheMax { return cacheMax }
        return Bytes(try await cache.space().total.count / 5)
    }

    /// Everything that live runs name, with the files of folders as far as their lists are here.
    private func named(by orders: [LeaseOrder]) async throws -> Set<Work> {
        let algorithms = Set(orders.compactMap { $0.spec.algorithm?.tree })
        let inputs = Set(orders.flatMap(\.inputs).map { Named(kind: $0.kind, digest: $0.digest) })
        var named = Set(algorithms.map { Work.algorithm($0) })
        for input in inputs.union(algorithms.map { Named(kind: .tree, digest: $0) }) {
            named.insert(.blob(input.digest))
            guard input.kind == .tree, let list = try? await cache.manifest(of: input.digest) else { continue }
            named.formUnion(list.files.map { .blob($0.digest) })
        }
        return named
    }

    private struct Named: Hashable {
        var kind: ArtifactKind
        var digest: Digest
    }

    /// - Returns: Whether it is gone; `false` when somebody here needs it.
    private func evict(_ work: Work, _ remove: @escaping @Sendable () async throws -> Void) async throws -> Bool {
        guard underWay[work] == nil, !isInUse(work) else { return false }
        // Awaited here, and by whoever wants to be sure that what it finds will stay.
        let task = Task { try await remove() }
        eviction = task
        defer { eviction = nil }
        try await task.value
        return true
    }

    private func isInUse(_ work: Work) -> Bool {
        switch work {
        case .blob(let digest): held.values.contains { $0.contains(digest) }
        case .algorithm(let tree): algorithms.values.contains(tree)
        case .upload: true
        }
    }
}
