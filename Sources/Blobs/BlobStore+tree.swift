public import Core
import NIOCore
import Synchronization

extension BlobStore {
    /// The largest manifest that is read, in bytes.
    public static let manifestBytesMax = 128 << 20

    /// Stores all files of a folder, and the list of them as a blob of its own.
    ///
    /// What counts, and what is refused, is said at ``TreePacker``. Files are copied; `folder` is only read. Costs one
    /// flush per new file, several at a time.
    /// - Parameter name: Of the artifact.
    /// - Throws: ``Failure`` `notFound`, `invalid` with one violation per faulty entry, `tooLarge`, `conflict` when
    ///   the folder changed meanwhile.
    public func packTree(_ folder: String, name: String) async throws -> (Artifact, TreeManifest) {
        let found = try await threads.run { try TreePacker.list(folder, filesMax: TreeManifest.filesMax) }
        let files = try await withThrowingTaskGroup(of: TreeManifest.File.self) { group in
            var files: [TreeManifest.File] = []
            files.reserveCapacity(found.count)
            for (index, file) in found.enumerated() {
                // Enough at once to keep the file threads busy and let flushes share a journal commit.
                if index >= 16, let done = try await group.next() { files.append(done) }
                group.addTask {
                    let source = try await self.threads.run { try TreePacker.open(file) }
                    let blob = try await self.copy(source, expected: nil, synchronisesFolder: false)
                    return TreeManifest.File(
                        path: file.path,
                        digest: blob.digest,
                        size: blob.size,
                        executable: file.isExecutable
                    )
                }
            }
            for try await done in group { files.append(done) }
            return files
        }
        let folders = Set(files.map { self.folder(of: $0.digest) })
        try await threads.run { for folder in folders { try FileSystem.synchroniseFolder(folder) } }
        let manifest = TreeManifest(files: files)
        let blob = try await put(manifest.canonical)
        return (Artifact(name: name, kind: .tree, digest: blob.digest, size: manifest.size), manifest)
    }

    /// The list of files of a stored folder, checked.
    /// - Throws: ``Failure`` `notFound`, `invalid` when the blob is not a manifest, `tooLarge`.
    public func manifest(of digest: Digest) async throws -> TreeManifest {
        let reader = try await open(digest)
        guard reader.size.count <= Int64(Self.manifestBytesMax) else {
            throw Failure(.tooLarge, "This blob is too large to be the manifest of a folder.")
        }
        var bytes = ByteBuffer()
        for try await var piece in try reader.chunks() { bytes.writeBuffer(&piece) }
        let whole = bytes
        return try await threads.run { try TreeManifest(canonical: whole.readableBytesView) }
    }

    /// How ``materialise(_:kind:executable:at:mode:)`` brings bytes to their place.
    public enum Materialisation: Sendable {
        /// Files of the caller's own, to be written at will; extents are shared where the file system can.
        case copy
        /// Read-only links to the store's files: no bytes move. Executables, and all files on other file systems,
        /// are copied. Only for readers that cannot write through the link: the superuser can, so isolate such a
        /// reader by a read-only mount.
        case hardLink
    }

    /// Puts a stored file or folder at `path`, whole or not at all.
    ///
    /// Built beside its place under a hidden name, then renamed. Not flushed to the disk: it can be made again.
    /// - Parameters:
    ///   - executable: Of a file; folders have it in their manifest.
    ///   - path: Absolute. Nothing may be there yet, but an empty folder for a folder; the folder above must be.
    /// - Returns: The bytes of all files.
    /// - Throws: ``Failure`` `notFound` when the blob, one of its files, or the folder above is not there, `conflict`
    ///   when something is at `path` already, `invalid` for a manifest that is broken or contradicts itself.
    @discardableResult
    public func materialise(
        _ digest: Digest,
        kind: ArtifactKind,
        executable: Bool = false,
        at path: String,
        mode: Materialisation = .copy
    ) async throws -> Bytes {
        guard let slash = path.lastIndex(of: "/"), path.first == "/", path.index(after: slash) < path.endIndex else {
            throw Failure(.invalid, "The place of an artifact must be an absolute path without a slash at its end.")
        }
        let (parent, name) = (String(path[..<slash]), path[path.index(after: slash)...])
        guard TreeManifest.isSafe(path: String(name)) else {
            throw Failure(.invalid, "The place of an artifact must end with a name.")
        }
        let draft = "\(parent)/.onepoint-\(newUploadID(now: Instant(milliseconds: 0)).base32)"
        do {
            let size: Bytes
            switch kind {
            case .file: size = try await writeFile(digest, executable, at: draft, mode)
            case .tree: size = try await writeFolder(try await manifest(of: digest), at: draft, mode)
            }
            try await threads.run {
                do { try FileSystem.moveExclusively(draft, to: path) } catch let error as SystemError
                    where error.isPresence
                {
                    throw Failure(.conflict, "Something is at the place of this artifact already.", note: path)
                }
            }
            return size
        } catch {
            await threads.cleanUp { try FileSystem.removeTree(draft) }
            throw error
        }
    }

    private func writeFile(
        _ digest: Digest,
        _ executable: Bool,
        at draft: String,
        _ mode: Materialisation
    ) async throws -> Bytes {
        let size = try await size(of: digest)
        guard let size else { throw Self.absent(digest) }
        let file = TreeManifest.File(path: "file", digest: digest, size: size, executable: executable)
        try await place([file], mode) { _ in draft }
        return size
    }

    private func writeFolder(
        _ manifest: TreeManifest,
        at draft: String,
        _ mode: Materialisation
    ) async throws -> Bytes {
        try await threads.run {
            // Ours alone until it is complete, so that nobody can put a link into the way.
            do { try FileSystem.makeFolder(draft, mode: 0o700) } catch let error as SystemError where error.isAbsence {
                throw Failure(.notFound, "The folder above the place of this artifact is not there.", note: draft)
            }
            var made: Set<Substring> = []
            for file in manifest.files {
                var slash = file.path.startIndex
                while let next = file.path[slash...].firstIndex(of: "/") {
                    if made.insert(file.path[..<next]).inserted {
                        try FileSystem.makeFolder(draft + "/" + file.path[..<next])
                    }
                    slash = file.path.index(after: next)
                }
            }
        }
        try await place(manifest.files[...], mode) { draft + "/" + $0.path }
        try await threads.run { try FileSystem.setMode(draft, 0o755) }
        return manifest.size
    }

    /// Copies or links files to where `target` says, a few at a time.
    private func place(
        _ files: ArraySlice<TreeManifest.File>,
        _ mode: Materialisation,
        _ target: @escaping @Sendable (TreeManifest.File) -> String
    ) async throws {
        var rest = files
        while let first = rest.first {
            try Task.checkCancellation()
            if mode == .copy || first.executable, first.size.count > FileThreads.sliceBytes {
                try await copyLarge(first, to: target(first))
                rest.removeFirst()
                continue
            }
            var (count, bytes) = (0, Int64(0))
            for file in rest.prefix(64) where bytes + file.size.count <= FileThreads.sliceBytes || count == 0 {
                count += 1
                bytes += file.size.count
            }
            let batch = rest.prefix(count)
            try await threads.run { [self] in for file in batch { try place(file, mode, at: target(file)) } }
            rest.removeFirst(count)
        }
    }

    private func place(_ file: TreeManifest.File, _ mode: Materialisation, at target: String) throws {
        let source = try openPart(file)
        if mode == .hardLink, !file.executable {
            do {
                return try FileSystem.hardLink(source.descriptor.path, at: target)
            } catch let error where error.forbidsLink {
                // A copy will do.
            } catch let error {
                throw Self.explain(error, file)
            }
        }
        let copy = try create(file, mode, at: target)
        if copy.descriptor.share(source.descriptor) { return }
        try copy.descriptor.copy(from: source.descriptor, at: 0, count: file.size.count)
    }

    private func copyLarge(_ file: TreeManifest.File, to target: String) async throws {
        let (source, copy) = try await threads.run { [self] in
            (try openPart(file), try create(file, .copy, at: target))
        }
        if try await threads.run({ copy.descriptor.share(source.descriptor) }) { return }
        for offset in stride(from: 0, to: file.size.count, by: Int(FileThreads.sliceBytes)) {
            try Task.checkCancellation()
            let count = min(FileThreads.sliceBytes, file.size.count - offset)
            try await threads.run { try copy.descriptor.copy(from: source.descriptor, at: offset, count: count) }
        }
    }

    /// The stored file behind an entry of a manifest, its size checked against what the manifest says.
    private func openPart(_ file: TreeManifest.File) throws -> OpenFile {
        do {
            let source = try OpenFile(self.file(of: file.digest), .read)
            let status = try source.descriptor.status()
            guard status.size == file.size.count else {
                throw Failure(.invalid, "The manifest of this folder is wrong about the size of \(file.path).")
            }
            guard !status.isStub else { throw Self.elsewhere(file.digest) }
            return source
        } catch let error as SystemError where error.isAbsence {
            throw Failure(.notFound, "\(file.path) (\(file.digest)) is not in this store. Bring it here first.")
        }
    }

    private func create(_ file: TreeManifest.File, _ mode: Materialisation, at target: String) throws -> OpenFile {
        let (free, linked) = file.executable ? (0o755, 0o555) : (0o644, 0o444) as (UInt32, UInt32)
        do {
            return try OpenFile(target, .create(mode: mode == .copy ? free : linked))
        } catch {
            throw Self.explain(error, file)
        }
    }

    private static func explain(_ error: SystemError, _ file: TreeManifest.File) -> any Error {
        if error.isPresence {
            return Failure(.invalid, "The manifest of this folder names \(file.path) as a file and as a folder.")
        }
        if error.isAbsence {
            return Failure(.notFound, "The folder above the place of this artifact is not there.", note: error.path)
        }
        return error
    }
}
