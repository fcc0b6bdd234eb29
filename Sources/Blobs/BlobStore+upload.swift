public import Core
public import NIOCore
import Synchronization

/// The resumable uploads of a store.
struct UploadTable {
    /// Every upload that has a folder. Their number is capped.
    var known: Set<UploadID>
    /// Who holds those that have an owner, as far as that was looked up.
    var holders: [UploadID: Substring] = [:]
    /// Those used since the start of this process.
    var open: [UploadID: Upload] = [:]
    /// Files of copies and streams under way in this process, which no sweep may take.
    var busy: Set<String> = []
}

/// One resumable upload. Its folder holds `part`, the bytes so far, and `meta`, what was announced.
struct Upload: Sendable {
    var part: PartFile
    var expected: Digest?
    var size: Bytes?
    var owner: String?
}

extension BlobStore {
    /// Begins an upload that can go on after a lost connection or a restart of this process.
    ///
    /// - Parameters:
    ///   - expected: When known already; checked again when the upload is finished.
    ///   - size: When known already; more bytes are refused as they come.
    ///   - owner: The caller's own words for whose upload it is, kept with it: one line of at most 200 bytes. The last
    ///     word is who holds it.
    /// - Throws: ``Failure`` `tooLarge` above the limit of one blob, `storageExhausted` when `size` does not fit on
    ///   the disk now, `rateLimited` when too many uploads are open, or too many of one holder, and something came for
    ///   each of them lately (``BlobLimits/uploadIdleMin``).
    public func begin(
        expected: Digest? = nil,
        size: Bytes? = nil,
        owner: String? = nil,
        now: Instant
    ) async throws -> UploadID {
        precondition(owner.map { $0.utf8.count <= 200 && !$0.contains("\n") } ?? true, "an owner is one short line")
        if let size {
            guard size.count >= 0 else { throw Failure(.invalid, "The size of an upload cannot be negative.") }
            try SizeLimit(announced: nil, blobMax: limits.blobMax).check(size.count)
        }
        let id = newUploadID(now: now)
        let holder = owner?.split(separator: " ").last
        if holder != nil {
            // Uploads of an earlier process are counted too.
            try await threads.run { [self] in
                for id in uploads.withLock({ $0.known.subtracting($0.open.keys) }) { _ = try? find(id) }
            }
        }
        while let excess = enter(id, of: holder) {
            let isOverall = excess == limits.uploadsMax
            guard try await dropIdlest(of: isOverall ? nil : holder, now: now) else {
                throw Failure(
                    .rateLimited,
                    "\(excess) uploads are open, which is the limit. Finish or abort some, then try again.",
                    retryAfter: .seconds(30)
                )
            }
        }
        do {
            try await threads.run { [self] in
                if let size { try checkSpace(for: size) }
                let folder = folder(of: id)
                try FileSystem.makeFolder(folder, mode: 0o700)
                let part = try PartFile(creating: folder + "/part")
                try UploadMeta(expected: expected, size: size, owner: owner, begun: now).write(in: folder)
                uploads.withLock { $0.open[id] = Upload(part: part, expected: expected, size: size, owner: owner) }
            }
            return id
        } catch {
            await forget(id)
            throw error
        }
    }

    /// - Returns: How many there are when that is the limit, of the holder or of all; `nil` when there is room.
    private func enter(_ id: UploadID, of holder: Substring?) -> Int? {
        uploads.withLock { table in
            guard table.known.count < limits.uploadsMax else { return limits.uploadsMax }
            if let holder {
                let held = table.holders.values.count { $0 == holder }
                guard held < limits.uploadsPerHolderMax else { return held }
                table.holders[id] = holder
            }
            table.known.insert(id)
            return nil
        }
    }

    /// Ends the upload that nothing has come for the longest, when that is long enough.
    ///
    /// - Parameter holder: Whose; anybody's when `nil`.
    private func dropIdlest(of holder: Substring?, now: Instant) async throws -> Bool {
        let dropped: UploadID? = try await threads.run { [self] in
            let candidates = uploads.withLock { table in
                holder == nil ? Array(table.known) : table.known.filter { table.holders[$0] == holder }
            }
            let limit = now - limits.uploadIdleMin
            // One that was published just before the process was killed has a folder and nothing in it.
            let idlest = try candidates.compactMap { id in
                let status = try FileSystem.status(folder(of: id) + "/part") ?? FileSystem.status(folder(of: id))
                return status.map { (id: id, since: $0.modified) }
            }.min { $0.since < $1.since }
            guard let idlest, idlest.since < limit else { return nil }
            guard let upload = try? find(idlest.id) else { return idlest.id }
            return try upload.part.discard(ifOlderThan: limit) ? idlest.id : nil
        }
        guard let dropped else { return false }
        await forget(dropped)
        return true
    }

    /// Goes on with the open upload of the same bytes by the same owner, of this process or an earlier one; begins one
    /// when there is none. Asked again, as when the answer got lost, it says the same.
    ///
    /// What a killed process has left was never flushed. Should the machine have crashed since, it may be damaged, which
    /// ``finish(_:expected:)`` finds: then begin anew.
    ///
    /// - Parameter owner: Not for two at a time that do not know of each other: they would take turns in appending.
    /// - Returns: The upload, and how much of it is here.
    /// - Complexity: O(open uploads).
    /// - Throws: As ``begin(expected:size:owner:now:)``.
    public func resume(
        expected: Digest,
        size: Bytes? = nil,
        owner: String,
        now: Instant
    ) async throws -> (upload: UploadID, offset: Int64) {
        let found: (UploadID, Int64)? = try await threads.run { [self] in
            for id in openUploads {
                guard let upload = try? find(id), upload.owner == owner, upload.expected == expected,
                    upload.size == size, !upload.part.isGone
                else { continue }
                return (id, upload.part.end)
            }
            return nil
        }
        if let found { return found }
        return (try await begin(expected: expected, size: size, owner: owner, now: now), 0)
    }

    /// Appends one piece.
    /// - Parameter offset: Must be where the upload stands: a piece sent twice is refused, with the right offset in
    ///   the sentence and from ``offset(of:)``.
    /// - Returns: The new offset.
    /// - Throws: ``Failure`` `preconditionFailed` for another offset, `tooLarge` above what was announced or allowed,
    ///   `notFound` for an upload that does not exist or has ended. After any failure the offset is what it was.
    @discardableResult
    public func append(_ id: UploadID, offset: Int64, _ chunk: ByteBuffer) async throws -> Int64 {
        try await append(id, offset: offset, [chunk])
    }

    /// Appends pieces that follow each other, all or none.
    @discardableResult
    public func append(_ id: UploadID, offset: Int64, _ chunks: [ByteBuffer]) async throws -> Int64 {
        try await complete { [self] in try step(id, offset: offset, chunks) }
    }

    /// What ``begin(expected:size:owner:now:)`` was told of whose upload it is.
    public func owner(of id: UploadID) async throws -> String? {
        try await threads.run { [self] in try find(id).owner }
    }

    /// Appends what a connection brings; holds at most about 1 MiB of it. The cheapest way for small pieces.
    ///
    /// What came before a failure, of the stream or of the disk, is kept: ask ``offset(of:)`` and go on from there.
    /// - Throws: As ``append(_:offset:_:)-(_,_,ByteBuffer)``, and whatever the stream throws.
    @discardableResult
    public func append<Chunks: AsyncSequence & Sendable>(
        _ id: UploadID,
        offset: Int64,
        stream: Chunks
    ) async throws -> Int64 where Chunks.Element == ByteBuffer {
        // Brings the hash up to the end as well.
        var end = try await append(id, offset: offset, [])
        try await follow(stream) { batch in
            var step = try step(id, offset: end, batch)
            // Not that it could fall behind again.
            while case .behind = step { step = try self.step(id, offset: end, batch) }
            if case .done(let next) = step { end = next }
        }
        return end
    }

    /// Blocks.
    private func step(_ id: UploadID, offset: Int64, _ chunks: [ByteBuffer]) throws -> PartFile.Step<Int64> {
        let upload = try find(id)
        let limit = SizeLimit(announced: upload.size, blobMax: limits.blobMax)
        return try upload.part.append(chunks, at: offset, limit: limit)
    }

    /// Bytes safely received so far; go on from here.
    public func offset(of id: UploadID) async throws -> Int64 {
        try await threads.run { [self] in try find(id).part.end }
    }

    /// Checks the whole and publishes it. The upload ends here, in success and in a mismatch.
    ///
    /// Against `expected` and what was announced at the beginning, as far as either is known.
    /// Bytes that are in the store already are fine: the upload is dropped and the answer is the same. Ask
    /// ``size(of:)`` when the answer got lost.
    /// - Throws: ``Failure`` `digestMismatch` when the bytes are not what was expected, `preconditionFailed` when
    ///   fewer came than were announced (the upload stays), `notFound` for an upload that has ended.
    public func finish(_ id: UploadID, expected: Digest? = nil) async throws -> StoredBlob {
        let upload = try await threads.run { [self] in try find(id) }
        do {
            let blob = try await complete { [self] in
                try upload.part.seal(
                    check: { count in
                        if let size = upload.size, count < size.count {
                            throw Failure(
                                .preconditionFailed,
                                "Only \(count) of \(size.count) bytes have come. Go on from \(count)."
                            )
                        }
                    },
                    publish: { file, blob in
                        try Self.match(blob.digest, [expected, upload.expected])
                        try publish(file, as: blob)
                    }
                )
            }
            await forget(id)
            return blob
        } catch {
            if upload.part.isGone { await forget(id) }
            throw error
        }
    }

    /// Ends an upload and drops its bytes. One that has ended or never was is fine.
    public func abort(_ id: UploadID) async throws {
        try await threads.run { [self] in
            if let upload = try? find(id) { try upload.part.discard() }
        }
        await forget(id)
    }

    /// Drops uploads whose last byte came before `limit`, and what interrupted copies left behind.
    /// - Parameter limit: Compared with the file system's own clock.
    /// - Returns: How many were dropped.
    @discardableResult
    public func sweepUploads(olderThan limit: Instant) async throws -> Int {
        let names = try await threads.run { [root] in try FileSystem.names(in: root + "/uploads") }
        var count = 0
        for case let name? in names {
            try Task.checkCancellation()
            if let id = UploadID(name) {
                let isStale = try await threads.run { [self] in
                    if let upload = try? find(id) { return try upload.part.discard(ifOlderThan: limit) }
                    let status = try FileSystem.status(folder(of: id))
                    return status.map { $0.modified < limit } ?? false
                }
                guard isStale else { continue }
                await forget(id)
                count += 1
            } else if name.hasSuffix(".part"), UploadID(String(name.dropLast(5))) != nil {
                count += try await threads.run { [self] in
                    let path = "\(root)/uploads/\(name)"
                    guard !uploads.withLock({ $0.busy.contains(path) }), let status = try FileSystem.status(path),
                        status.modified < limit
                    else { return 0 }
                    return try FileSystem.removeFile(path) ? 1 : 0
                }
            }
        }
        return count
    }

    /// Drops what interrupted copies and streams of earlier processes left behind. Uploads stay.
    public func sweepCopies() async throws {
        try await threads.run { [self] in
            for case let name? in try FileSystem.names(in: root + "/uploads") where name.hasSuffix(".part") {
                let path = "\(root)/uploads/\(name)"
                if !uploads.withLock({ $0.busy.contains(path) }) { try FileSystem.removeFile(path) }
            }
        }
    }

    /// Uploads that can be gone on with, in order of their beginning.
    public var openUploads: [UploadID] { uploads.withLock { $0.known.sorted() } }
}

extension BlobStore {
    func folder(of id: UploadID) -> String { "\(root)/uploads/\(id)" }

    /// Not to be guessed, so from the system's generator.
    func newUploadID(now: Instant) -> UploadID {
        var random = SystemRandomNumberGenerator()
        return UploadID(now: now, using: &random)
    }

    /// Repeats `step` on the file threads until it is done, looking out for cancellation in between.
    func complete<Value: Sendable>(
        _ step: @escaping @Sendable () throws -> PartFile.Step<Value>
    ) async throws -> Value {
        while true {
            if case .done(let value) = try await threads.run(step) { return value }
            try Task.checkCancellation()
        }
    }

    /// Gives a file that was hashed as a whole its final name, once its bytes are on the disk.
    /// - Parameter synchronisesFolder: `false` when the caller flushes the folder itself before it answers.
    func publish(_ file: borrowing Descriptor, as blob: StoredBlob, synchronisesFolder: Bool = true) throws {
        let target = self.file(of: blob.digest)
        if try isPresent(blob, at: target) {
            try FileSystem.removeFile(file.path)
        } else {
            try file.setMode(0o444)
            // Its lease begins now, not when its last byte came.
            try file.touch()
            try file.synchronise()
            try FileSystem.move(file.path, to: target)
            if blob.size >= Self.offloadedMin { movableMax.withLock { $0 = $0.map { $0 + blob.size } } }
        }
        // Also when it was present: whoever put it there may not have come this far yet.
        if synchronisesFolder { try FileSystem.synchroniseFolder(folder(of: blob.digest)) }
    }

    /// Whether the same bytes have the name already; they are leased anew then.
    private func isPresent(_ blob: StoredBlob, at target: String) throws -> Bool {
        try leases.withLock { _ in
            guard let present = try FileSystem.status(target), present.kind == .file, present.size == blob.size.count
            else { return false }
            return try FileSystem.setModified(target, nil)
        }
    }

    static func match(_ found: Digest, _ expected: [Digest?]) throws(Failure) {
        for case let expected? in expected where expected != found {
            throw Failure(
                .digestMismatch,
                "The bytes that came are \(found), not \(expected). Nothing was stored; send them again."
            )
        }
    }

    private func checkSpace(for size: Bytes) throws {
        let (free, _) = try FileSystem.space(at: root)
        guard size <= free else {
            throw Failure(
                .storageExhausted,
                "\(size) do not fit: the disk has \(free) left. Free some space, then try again."
            )
        }
    }

    /// Blocks. Loads an upload of an earlier process when needed.
    private func find(_ id: UploadID) throws -> Upload {
        let absent = Failure(.notFound, "There is no such upload, or it has ended. Begin a new one.")
        let (open, isKnown) = uploads.withLock { ($0.open[id], $0.known.contains(id)) }
        if let open { return open }
        guard isKnown else { throw absent }
        do {
            let meta = try UploadMeta(reading: folder(of: id) + "/meta")
            let part = try PartFile(resuming: folder(of: id) + "/part")
            let upload = Upload(part: part, expected: meta.expected, size: meta.size, owner: meta.owner)
            return try uploads.withLock { table in
                // Looked at again: it may have been opened, or have ended, meanwhile.
                if let other = table.open[id] { return other }
                guard table.known.contains(id) else { throw absent }
                table.open[id] = upload
                table.holders[id] = upload.owner?.split(separator: " ").last
                return upload
            }
        } catch let error as SystemError where error.isAbsence {
            throw absent
        }
    }

    /// Removes the folder of an upload whose part was published or discarded.
    private func forget(_ id: UploadID) async {
        await threads.cleanUp { [self] in
            uploads.withLock { table in
                table.known.remove(id)
                table.open[id] = nil
                table.holders[id] = nil
            }
            try FileSystem.removeTree(folder(of: id))
        }
    }
}
