import Core
import FoundationEssentials
import NIOPosix

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A folder or file of this machine as the repository knows it: by content.
struct FolderPackage: Sendable {
    /// Where the bytes of one digest can be read again.
    struct Source: Sendable, Hashable {
        var path: String
        var size: Int64
    }

    var manifest: TreeManifest
    var sources: [Digest: Source]

    /// The manifest as the blob that the tree's digest is of.
    var canonical: [UInt8] { manifest.canonical }
    var tree: Digest { digest(of: canonical) }

    /// Names that are left out of algorithms: what tools leave behind and no program needs.
    static let ignored: Set<String> = [
        ".git", ".hg", ".svn", ".DS_Store", "__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".venv",
    ]
    /// Folders within folders.
    static let depthMax = 64

    /// Hashes every file below a folder. Runs on a thread that may block.
    ///
    /// Symbolic links are followed as far as `boundary`; what they point to is packed as if it stood there.
    /// - Parameters:
    ///   - boundary: A folder that links must not leave: the repository that the folder belongs to.
    ///   - ignores: Whether ``ignored`` and compiled Python are left out.
    /// - Throws: ``Failure`` for links that leave the boundary or go in circles, for devices and sockets, for names
    ///   that are not safe on every system, and beyond ``TreeManifest/filesMax``.
    static func scan(
        _ folder: String,
        boundary: String,
        ignores: Bool,
        progress: @escaping @Sendable (Int) -> Void = { _ in }
    ) async throws -> FolderPackage {
        try await NIOThreadPool.singleton.runIfActive {
            guard let root = realPath(folder) else { throw unreadable(folder) }
            guard let boundary = realPath(boundary) else { throw unreadable(boundary) }
            var scanner = Scanner(boundary: boundary, ignores: ignores, progress: progress)
            try scanner.visit(root, as: "", within: [])
            guard !scanner.files.isEmpty else { throw Failure(.invalid, "The folder \(folder) has no files.") }
            return FolderPackage(manifest: TreeManifest(files: scanner.files), sources: scanner.sources)
        }
    }

    /// The folder that links of an algorithm may lead to: the nearest one around it that has `.git`, else its parent.
    static func boundary(of folder: String) -> String {
        guard let real = realPath(folder) else { return folder }
        var candidate = real
        while candidate.count > 1 {
            var status = stat()
            if lstat(candidate + "/.git", &status) == 0 { return candidate }
            candidate = parent(of: candidate)
        }
        return parent(of: real)
    }

    private static func parent(of path: String) -> String {
        let cut = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ""
        return cut.isEmpty ? "/" : cut
    }

    private struct Scanner {
        let boundary: String
        let ignores: Bool
        let progress: @Sendable (Int) -> Void
        var files: [TreeManifest.File] = []
        var sources: [Digest: Source] = [:]

        mutating func visit(_ folder: String, as prefix: String, within parents: [String]) throws {
            guard !parents.contains(folder) else {
                throw Failure(.invalid, "\(prefix.dropLast()) is a link to a folder around itself; remove it.")
            }
            guard parents.count < depthMax else {
                throw Failure(.invalid, "\(prefix.dropLast()) lies deeper than \(depthMax) folders.")
            }
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: folder)
            } catch { throw unreadable(folder) }
            for name in names.sorted() {
                if ignores, ignored.contains(name) || name.hasSuffix(".pyc") { continue }
                let path = prefix + name
                guard TreeManifest.isSafe(path: path) else {
                    throw Failure(.invalid, "'\(printable(path))' is no name that every system can keep; rename it.")
                }
                try take(folder + "/" + name, as: path, within: parents + [folder])
            }
        }

        private mutating func take(_ location: String, as path: String, within parents: [String]) throws {
            var status = stat()
            guard lstat(location, &status) == 0 else { throw unreadable(location) }
            var real = location
            if status.st_mode & S_IFMT == S_IFLNK {
                guard let target = realPath(location) else {
                    throw Failure(.invalid, "\(path) is a link to nothing; remove it or mend it.")
                }
                guard target == boundary || target.hasPrefix(boundary == "/" ? "/" : boundary + "/") else {
                    throw Failure(
                        .invalid,
                        "\(path) is a link to \(target), outside \(boundary). Copy what it points to."
                    )
                }
                real = target
                guard lstat(real, &status) == 0 else { throw unreadable(real) }
            }
            switch status.st_mode & S_IFMT {
            case S_IFDIR: try visit(real, as: path + "/", within: parents)
            case S_IFREG:
                guard files.count < TreeManifest.filesMax else {
                    throw Failure(.tooLarge, "A folder may hold \(TreeManifest.filesMax) files; this one has more.")
                }
                let (digest, size) = try hash(file: real)
                let isExecutable = status.st_mode & S_IXUSR != 0
                files.append(.init(path: path, digest: digest, size: Bytes(size), executable: isExecutable))
                sources[digest] = Source(path: real, size: size)
                progress(files.count)
            default: throw Failure(.invalid, "\(path) is neither a file nor a folder.")
            }
        }
    }
}

/// Hashes a file in pieces. Blocks.
func hash(file path: String) throws(Failure) -> (Digest, Int64) {
    var hash = Hash()
    let size = try readFile(path) { hash.take($0) }
    return (hash.digest, size)
}

/// Reads a file in pieces of at most 1 MiB and returns its size. Blocks.
func readFile(_ path: String, _ take: ([UInt8]) -> Void) throws(Failure) -> Int64 {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(path) }
    defer { close(file) }
    var size: Int64 = 0
    while true {
        let piece = try readPiece(file, path, from: size, countMax: 1 << 20)
        if piece.isEmpty { return size }
        take(piece)
        size += Int64(piece.count)
    }
}

/// Reads at most so many bytes at an offset; fewer only at the end. Blocks.
func readPiece(_ file: Int32, _ path: String, from offset: Int64, countMax: Int) throws(Failure) -> [UInt8] {
    var isBroken = false
    let piece = [UInt8](unsafeUninitializedCapacity: countMax) { buffer, filled in
        filled = 0
        while filled < countMax {
            let count = pread(file, buffer.baseAddress?.advanced(by: filled), countMax - filled, off_t(offset) + filled)
            if count < 0, errno == EINTR { continue }
            if count < 0 { isBroken = true }
            if count <= 0 { break }
            filled += count
        }
    }
    if isBroken { throw unreadable(path) }
    return piece
}

func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
}

func unreadable(_ path: String) -> Failure {
    Failure(.invalid, "Cannot read \(printable(path)): \(String(cString: strerror(errno))).")
}

func unwritable(_ path: String) -> Failure {
    Failure(.storageExhausted, "Cannot write \(printable(path)): \(String(cString: strerror(errno))).")
}
