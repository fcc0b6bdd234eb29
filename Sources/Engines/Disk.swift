internal import CSupervise
internal import Glibc

/// The few file operations the local engine needs, over the C library. All of them block.
enum Disk {
    /// Why an operation failed, as a negative errno.
    struct Fault: Error {
        var number: Int32
        var isFull: Bool { number == ENOSPC || number == EDQUOT || number == EROFS }
        var sentence: String {
            let text: UnsafeMutablePointer<CChar>? = strerror(number)
            return text.map { String(cString: $0) } ?? "error \(number)"
        }
    }

    /// The content of a file; `nil` when there is none or it cannot be read.
    static func read(_ path: String, bytesMax: Int = 65_536) -> [UInt8]? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, initialized in
            count = onepoint_read(path, buffer.baseAddress, buffer.count)
            initialized = max(0, count)
        }
        return count < 0 ? nil : bytes
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
    static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 && !isFolder(path) }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Where a symbolic link points to; `nil` when it is none.
    static func link(_ path: String) -> String? {
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, initialized in
            count = buffer.withMemoryRebound(to: CChar.self) { room in
                room.baseAddress.map { readlink(path, $0, room.count) } ?? -1
            }
            initialized = max(0, count)
        }
        return count <= 0 ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// The path without links and `..`; `nil` when it leads nowhere.
    static func resolved(_ path: String) -> String? {
        guard let text = realpath(path, nil) else { return nil }
        defer { free(text) }
        return String(cString: text)
    }

    /// Makes a folder and those above it.
    static func makeFolder(_ path: String, mode: mode_t = 0o755) throws(Fault) {
        if mkdir(path, mode) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw Fault(number: errno)
        }
        try makeFolder(String(path[..<slash]))
        if mkdir(path, mode) != 0, errno != EEXIST { throw Fault(number: errno) }
    }

    /// The names in a folder, without those that begin with a dot unless `hidden`; `nil` when it cannot be read.
    static func names(in path: String, hidden: Bool = false) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." || name.hasPrefix(".") && !hidden { continue }
            names.append(name)
        }
        return names
    }

    /// Puts a file there unless there is one.
    ///
    /// - Returns: Whether it is ours now.
    static func publish(_ bytes: [UInt8], in folder: String, as name: String, durable: Bool = true) throws(Fault)
        -> Bool
    {
        let code = onepoint_publish(folder, name, bytes, bytes.count, durable ? 1 : 0)
        if code == -EEXIST { return false }
        guard code == 0 else { throw Fault(number: -code) }
        return true
    }

    static func replace(_ bytes: [UInt8], in folder: String, as name: String, durable: Bool = true) throws(Fault) {
        let code = onepoint_replace(folder, name, bytes, bytes.count, durable ? 1 : 0)
        guard code == 0 else { throw Fault(number: -code) }
    }

    static func flush(_ path: String) throws(Fault) {
        let code = onepoint_flush(path)
        guard code == 0 else { throw Fault(number: -code) }
    }

    /// Writes everything of the file system that a path is on to its disk.
    static func flushAll(_ path: String) throws(Fault) {
        let code = onepoint_flush_all(path)
        guard code == 0 else { throw Fault(number: -code) }
    }

    /// Creates an empty file, or renews the times of one.
    static func touch(_ path: String) throws(Fault) {
        let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Fault(number: errno) }
        futimens(file, nil)
        close(file)
    }

    static func move(_ from: String, to: String) throws(Fault) {
        if rename(from, to) != 0 { throw Fault(number: errno) }
    }

    static func remove(_ path: String) { _ = onepoint_remove_tree(path) }

    /// Runs `body` while nobody else, in any process, holds the lock at `path`.
    static func locked<T>(_ path: String, _ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard file >= 0 else {
            throw .unreachable("The lock \(path) cannot be opened: \(Fault(number: errno).sentence).")
        }
        defer { close(file) }
        while flock(file, LOCK_EX) != 0, errno == EINTR {}
        return try body()
    }

    /// Up to `countMax` bytes from `offset`; `nil` when there is no such file.
    static func bytes(of path: String, from offset: Int64, countMax: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return [UInt8](unsafeUninitializedCapacity: max(0, countMax)) { buffer, initialized in
            initialized = max(0, pread(file, buffer.baseAddress, buffer.count, Int(max(0, offset))))
        }
    }
}

/// Runs `body` with NULL-terminated C strings that live as long as it runs.
func withCStrings<T>(_ texts: [String], _ body: ([UnsafePointer<CChar>?]) -> T) -> T {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies.map { UnsafePointer($0) } + [nil])
}

/// A short program run to its end.
struct Tool {
    var path: String

    /// Finds a program in the caller's PATH and then in `folders`.
    init?(_ name: String, folders: [String] = []) {
        let own = (OwnEnvironment.value("PATH") ?? "").split(separator: ":").map(String.init)
        let found = (own + ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin"] + folders)
            .map { "\($0)/\(name)" }.first(where: Disk.isExecutable)
        guard let found else { return nil }
        path = found
    }

    init(path: String) { self.path = path }

    /// What it prints, when it ends well within the time.
    func output(_ arguments: [String], timeout: Duration = .seconds(10)) -> String? {
        let end = run(arguments, timeout: timeout, withErrors: false)
        return end.status == 0 ? end.text : nil
    }

    /// How a program ended: its exit status, 128 plus a signal, or -1 when it took too long or could not be started.
    struct End {
        var status: Int
        var text: String
        /// It printed at least as much as was kept.
        var isCut: Bool
    }

    /// Runs it to its end.
    func run(
        _ arguments: [String],
        timeout: Duration,
        withErrors: Bool = true,
        bytesMax: Int = 1 << 20,
        environment: [String] = OwnEnvironment.all
    ) -> End {
        var status: Int32 = 0
        var count = 0
        let milliseconds = Int32(clamping: timeout.components.seconds * 1000)
        let bytes = [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, initialized in
            count = withCStrings([path] + arguments) { argv in
                withCStrings(environment) { envp in
                    buffer.withMemoryRebound(to: CChar.self) {
                        onepoint_capture(
                            argv,
                            envp,
                            milliseconds,
                            withErrors ? 1 : 0,
                            $0.baseAddress,
                            $0.count,
                            &status
                        )
                    }
                }
            }
            initialized = max(0, count)
        }
        return End(
            status: count < 0 ? -1 : Int(status),
            text: String(decoding: bytes, as: UTF8.self),
            isCut: count == bytesMax
        )
    }
}

/// The environment of the process that hosts the engine. None of it reaches a task.
enum OwnEnvironment {
    static var all: [String] {
        guard let list = onepoint_environment() else { return [] }
        var texts: [String] = []
        var at = list
        while let text = at.pointee {
            texts.append(String(cString: text))
            at += 1
        }
        return texts
    }

    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
