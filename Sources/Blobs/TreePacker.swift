public import Core
public import NIOPosix
import Synchronization

/// A file of a folder that is to be packed, with the digest of its bytes.
public struct ScannedFile: Hashable, Sendable {
    /// Its entry in the manifest.
    public let file: TreeManifest.File
    /// Where its bytes are, links resolved.
    public let absolute: String

    public var path: String { file.path }
    public var digest: Digest { file.digest }
    public var size: Bytes { file.size }
    public var executable: Bool { file.executable }
}

/// Reads folders for a manifest, with or without a store at hand.
///
/// All files below the folder count, hidden ones too, in order of path. A link to a file inside the folder stands
/// for that file. Refused, all faults at once with the path of each: links that leave the folder, that lead nowhere
/// or to a folder; sockets, pipes and devices; names that are not UTF-8 or not safe on every system; more files or
/// longer paths than ``TreeManifest`` allows. Empty folders leave no trace.
public enum TreePacker {
    /// Lists and hashes the files of `folder`, for a client that uploads them one by one.
    ///
    /// - Parameters:
    ///   - folder: Any path of a folder; a link to one is fine.
    ///   - threads: Where the files are read.
    /// - Throws: ``Failure`` `notFound`, `invalid` with one violation per faulty entry (20 at most), `tooLarge`.
    public static func scan(
        _ folder: String,
        threads: NIOThreadPool,
        filesMax: Int = TreeManifest.filesMax
    ) async throws -> [ScannedFile] {
        let threads = FileThreads(pool: threads)
        let found = try await threads.run { try list(folder, filesMax: filesMax) }
        var scanned: [ScannedFile] = []
        scanned.reserveCapacity(found.count)
        for file in found {
            let opened = try await threads.run { try open(file) }
            let walk = Mutex((hasher: BlobHasher(), offset: Int64(0)))
            while try await !threads.run({
                try walk.withLock { try BlobStore.hashSlice(of: opened, &$0.hasher, &$0.offset) }
            }) {
                try Task.checkCancellation()
            }
            let (digest, size) = walk.withLock { ($0.hasher.finish(), Bytes($0.offset)) }
            let entry = TreeManifest.File(path: file.path, digest: digest, size: size, executable: file.isExecutable)
            scanned.append(ScannedFile(file: entry, absolute: file.absolute))
        }
        return scanned
    }

    /// A file seen in the folder, not read yet.
    struct Found: Sendable {
        var path: String
        /// Without links.
        var absolute: String
        /// The folder that it must be inside of, without links.
        var root: String
        var isExecutable: Bool
    }

    /// Violations named in one refusal.
    private static let violationsMax = 20

    /// Blocks.
    static func list(_ folder: String, filesMax: Int) throws -> [Found] {
        guard let root = try FileSystem.realPath(folder), try FileSystem.status(root)?.kind == .folder else {
            throw Failure(.notFound, "There is no folder to pack here.", note: folder)
        }
        var found: [Found] = []
        var faults: [Violation] = []
        var pending = [""]
        var entriesLeft = filesMax * 2
        while let prefix = pending.popLast(), faults.count < violationsMax {
            let names = try FileSystem.names(in: root + "/" + prefix, countMax: entriesLeft + 1)
            entriesLeft -= names.count
            // Folders count as well, so that a million empty ones cannot keep us busy.
            guard entriesLeft >= 0 else { throw tooMany(filesMax) }
            for name in names {
                guard let name, TreeManifest.isSafe(path: prefix + name) else {
                    faults.append(Violation(pointer(prefix + (name ?? "?")), unsafeName))
                    continue
                }
                let path = prefix + name
                switch try look(at: path, root: root) {
                case .none: continue
                case .folder: pending.append(path + "/")
                case .file(let file): found.append(file)
                case .fault(let sentence): faults.append(Violation(pointer(path), sentence))
                }
            }
            guard found.count <= filesMax else { throw tooMany(filesMax) }
        }
        found.sort { $0.path < $1.path }
        for (one, next) in zip(found, found.dropFirst()) where one.path == next.path {
            faults.append(Violation(pointer(one.path), "Two names differ only in how Unicode writes them. Rename one."))
        }
        guard faults.isEmpty else {
            throw Failure(
                .invalid,
                "This folder cannot be packed as it is: \(faults[0].pointer): \(faults[0].message)",
                violations: Array(faults.prefix(violationsMax))
            )
        }
        return found
    }

    private enum Look {
        /// It went away while the folder was read.
        case none
        case folder
        case file(Found)
        case fault(String)
    }

    private static func look(at path: String, root: String) throws -> Look {
        let full = root + "/" + path
        guard let status = try FileSystem.status(full) else { return .none }
        switch status.kind {
        case .folder: return .folder
        case .file:
            return .file(Found(path: path, absolute: full, root: root, isExecutable: status.isExecutable))
        case .other: return .fault("This is a socket, a pipe or a device. Only files and folders can be packed.")
        case .link:
            let target: String?
            do { target = try FileSystem.realPath(full) } catch let error where error.isLoop { target = nil }
            guard let target, let there = try FileSystem.status(target) else {
                return .fault("This link leads nowhere. Remove it, or put the file in its place.")
            }
            guard isInside(target, root) else {
                return .fault("This link leaves the folder. Put a copy of the file in its place.")
            }
            guard there.kind == .file else {
                return .fault("This link leads to something other than a file. Put a copy in its place.")
            }
            return .file(Found(path: path, absolute: target, root: root, isExecutable: there.isExecutable))
        }
    }

    /// Opens a file that was listed. Blocks.
    ///
    /// Between the look and the opening somebody may have put a link in its place, or in that of a folder above it.
    /// So what counts is where the open file really is.
    static func open(_ found: Found) throws -> OpenFile {
        let changed = Failure(.conflict, "\(found.path) changed while the folder was read. Try again.")
        do {
            let file = try OpenFile(found.absolute, .readForeign)
            guard try file.descriptor.status().kind == .file, let real = file.descriptor.realPath(),
                isInside(real, found.root)
            else { throw changed }
            return file
        } catch let error as SystemError where error.isAbsence || error.isLoop {
            throw changed
        }
    }

    private static func isInside(_ path: String, _ root: String) -> Bool {
        path.hasPrefix(root == "/" ? "/" : root + "/")
    }

    private static func tooMany(_ filesMax: Int) -> Failure {
        Failure(.tooLarge, "A folder may hold \(filesMax) files. Pack them into an archive, or into several folders.")
    }

    /// RFC 6901 escapes; the folder itself is the document.
    private static func pointer(_ path: String) -> String {
        var text = "/"
        for character in path.unicodeScalars {
            switch character {
            case "~": text += "~0"
            default: text.unicodeScalars.append(character)
            }
        }
        return text
    }

    private static let unsafeName =
        "This name is not UTF-8, too long, or has a backslash, so it is not safe on every system. Rename it."
}
