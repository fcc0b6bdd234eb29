import Core

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The file system's calls by path. Every one of them blocks: use them on a file thread only.
enum FileSystem {
    /// `nil` when nothing is there.
    static func status(_ path: String, followsLinks: Bool = false) throws(SystemError) -> FileStatus? {
        var raw = stat()
        let result = followsLinks ? stat(path, &raw) : lstat(path, &raw)
        if result == 0 { return FileStatus(raw) }
        let error = SystemError.last("stat", path)
        if error.isAbsence { return nil }
        throw error
    }

    /// - Returns: Whether the folder was made now; `false` when it was there.
    @discardableResult
    static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(SystemError) -> Bool {
        if mkdir(path, mode) == 0 { return true }
        let error = SystemError.last("mkdir", path)
        guard error.code == EEXIST, try status(path, followsLinks: true)?.kind == .folder else { throw error }
        return false
    }

    /// Makes a folder and those above it.
    static func makeFolders(_ path: String) throws(SystemError) {
        if try status(path, followsLinks: true)?.kind == .folder { return }
        if let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.utf8.startIndex {
            try makeFolders(String(path[..<slash]))
        }
        try makeFolder(path)
    }

    /// Replaces what is at `target`.
    static func move(_ source: String, to target: String) throws(SystemError) {
        guard rename(source, target) == 0 else { throw .last("rename", target) }
    }

    /// Fails with `isPresence` when something is at `target`; for a folder, an empty folder there is nothing.
    static func moveExclusively(_ source: String, to target: String) throws(SystemError) {
        if try status(source)?.kind == .folder {
            do { try move(source, to: target) } catch  where error.code == ENOTDIR {
                throw SystemError(code: EEXIST, operation: "rename", path: target)
            }
            return
        }
        // A second name, then one less: renaming would replace what is there.
        do { try hardLink(source, at: target) } catch  where error.forbidsLink {
            // File systems without hard links: a look before the leap is the best there is.
            guard try status(target) == nil else {
                throw SystemError(code: EEXIST, operation: "rename", path: target)
            }
            return try move(source, to: target)
        }
        try removeFile(source)
    }

    static func hardLink(_ source: String, at target: String) throws(SystemError) {
        guard link(source, target) == 0 else { throw .last("link", target) }
    }

    static func setMode(_ path: String, _ mode: mode_t) throws(SystemError) {
        guard chmod(path, mode) == 0 else { throw .last("chmod", path) }
    }

    /// `UTIME_NOW` of utimensat(2), which Swift does not import.
    static let utimeNow = (1 << 30) - 1

    /// - Parameter time: `nil` is the system's own clock.
    /// - Returns: Whether there was something to set the time of.
    static func setModified(_ path: String, _ time: Instant?) throws(SystemError) -> Bool {
        let seconds =
            time.map {
                timespec(tv_sec: Int($0.milliseconds / 1000), tv_nsec: Int($0.milliseconds % 1000) * 1_000_000)
            } ?? timespec(tv_sec: 0, tv_nsec: utimeNow)
        if utimensat(AT_FDCWD, path, [seconds, seconds], AT_SYMLINK_NOFOLLOW) == 0 { return true }
        let error = SystemError.last("utimensat", path)
        if error.isAbsence { return false }
        throw error
    }

    /// - Returns: Whether there was a file to remove.
    @discardableResult
    static func removeFile(_ path: String) throws(SystemError) -> Bool {
        if unlink(path) == 0 { return true }
        let error = SystemError.last("unlink", path)
        if error.isAbsence { return false }
        throw error
    }

    /// Removes an empty folder; one that is not there is fine.
    static func removeFolder(_ path: String) throws(SystemError) {
        if rmdir(path) == 0 { return }
        let error = SystemError.last("rmdir", path)
        if !error.isAbsence { throw error }
    }

    /// Removes a file or a folder with all that is in it, following no links.
    static func removeTree(_ path: String) throws(SystemError) {
        var pending: [(path: String, isEmptied: Bool)] = [(path, false)]
        while let (path, isEmptied) = pending.popLast() {
            guard let status = try status(path) else { continue }
            if status.kind != .folder {
                try removeFile(path)
            } else if isEmptied {
                try removeFolder(path)
            } else {
                pending.append((path, true))
                for name in try names(in: path) { pending.append((path + "/" + (name ?? ""), false)) }
            }
        }
    }

    /// Returns when renames and removals inside the folder are on the disk.
    static func synchroniseFolder(_ path: String) throws(SystemError) {
        try Descriptor(path, .folder).synchronise()
    }

    /// The names in a folder without `.` and `..`, unordered; `nil` for one that is not UTF-8.
    static func names(in path: String, countMax: Int = .max) throws(SystemError) -> [String?] {
        guard let folder = opendir(path) else { throw .last("opendir", path) }
        defer { closedir(folder) }
        var names: [String?] = []
        while names.count < countMax {
            errno = 0
            guard let entry = readdir(folder) else {
                if errno != 0 { throw .last("readdir", path) }
                break
            }
            let name: String? = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(validating: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// The path without links, `.` and `..`; `nil` when nothing is there.
    static func realPath(_ path: String) throws(SystemError) -> String? {
        guard let resolved = realpath(path, nil) else {
            let error = SystemError.last("realpath", path)
            if error.isAbsence { return nil }
            throw error
        }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }

    /// What an unprivileged process may still write, and the size of the file system.
    static func space(at path: String) throws(SystemError) -> (free: Bytes, total: Bytes) {
        var raw = statvfs()
        guard statvfs(path, &raw) == 0 else { throw .last("statvfs", path) }
        let unit = UInt64(raw.f_frsize)
        func bytes(_ blocks: UInt64) -> Bytes {
            Bytes(Int64(clamping: blocks.multipliedReportingOverflow(by: unit).partialValue))
        }
        return (bytes(UInt64(raw.f_bavail)), bytes(UInt64(raw.f_blocks)))
    }
}
