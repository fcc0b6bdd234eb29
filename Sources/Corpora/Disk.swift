import Core
import Glibc

/// Files as curation uses them: read by position, and replaced as wholes.
enum Disk {
    /// What went wrong with a file, as a sentence for whoever runs the pipeline.
    static func failure(_ operation: String, _ path: String, _ number: Int32 = errno) -> Failure {
        let why = String(cString: strerror(number))
        switch number {
        case ENOSPC, EDQUOT:
            return Failure(.storageExhausted, "The disk under \(path) is full. Free some space and run it again.")
        case ENOENT, ENOTDIR: return Failure(.notFound, "\(path) cannot be \(operation): \(why).")
        case EACCES, EPERM, EROFS: return Failure(.forbidden, "\(path) cannot be \(operation): \(why).")
        default: return Failure(.unavailable, "\(path) cannot be \(operation): \(why).")
        }
    }

    /// A whole small file.
    static func read(_ path: String, bytesMax: Int = 64 << 20) throws(Failure) -> [UInt8] {
        let file = try InputFile(path)
        guard file.count <= bytesMax else {
            throw Failure(.tooLarge, "\(path) has \(file.count) bytes; at most \(bytesMax) are read.")
        }
        var bytes: [UInt8] = []
        bytes.reserveRoom(file.count)
        while try file.read(into: &bytes, at: bytes.count, countMax: 1 << 20) > 0 {}
        return bytes
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func makeFolder(_ path: String) throws(Failure) {
        if mkdir(path, 0o777) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw failure("made", path)
        }
        try makeFolder(String(path[..<slash]))
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("made", path) }
    }

    /// Writes a file so that after any crash there is the old one or the new one.
    ///
    /// - Parameter draft: Where it is written first, in the same folder; nobody else may write there.
    static func publish(_ bytes: [UInt8], at path: String, draft: String? = nil) throws(Failure) {
        let draft = draft ?? path + ".draft"
        try write(bytes, to: draft)
        guard rename(draft, path) == 0 else { throw failure("replaced", path) }
        try flush(folderOf: path)
    }

    /// Writes a file and flushes it to the disk.
    static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        var file = try OutputFile(path)
        try file.append(bytes.span)
        try file.close()
    }

    /// Appends to a file that only this process uses and that need not outlive it.
    static func append(_ bytes: Span<UInt8>, to path: String) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure("written", path) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, path)
    }

    /// Writes all of it where the file stands.
    static func write(_ bytes: Span<UInt8>, to descriptor: Int32, _ path: String) throws(Failure) {
        var done = 0
        while done < bytes.count {
            let wrote = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + done }, $0.count - done)
            }
            if wrote < 0 {
                if errno == EINTR { continue }
                throw failure("written", path)
            }
            done += wrote
        }
    }

    /// The folder that a file is in: `.` for a bare name, empty for the root's.
    static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "." }

    static func flush(folderOf path: String) throws(Failure) {
        let folder = folder(of: path)
        let descriptor = open(folder.isEmpty ? "/" : folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened", folder) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("flushed", folder) }
    }

    /// The names in a folder, sorted by their bytes.
    static func names(in folder: String) throws(Failure) -> [String] {
        guard let stream = opendir(folder) else { throw failure("listed", folder) }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
    }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Removes a folder that holds only files.
    static func removeFolder(_ path: String) {
        for name in (try? names(in: path)) ?? [] { unlink(path + "/" + name) }
        rmdir(path)
    }
}

extension [UInt8] {
    /// Makes room for so many bytes, in large pages where there are enough of them: the system hands those out at a
    /// fraction of what small ones cost.
    mutating func reserveRoom(_ count: Int) {
        guard count > capacity else { return }
        reserveCapacity(count)
        let large = 2 << 20
        guard count >= 2 * large else { return }
        let capacity = capacity
        withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let start = (Int(bitPattern: base) + large - 1) & ~(large - 1)
            let length = (Int(bitPattern: base) + capacity - start) & ~(large - 1)
            // It may be refused; then pages are small.
            if length > 0 { madvise(UnsafeMutableRawPointer(bitPattern: start), length, MADV_HUGEPAGE) }
        }
    }
}

/// A file that is read by position.
struct InputFile: ~Copyable {
    let path: String
    /// Bytes of the file when it was opened.
    let count: Int
    private let descriptor: Int32

    init(_ path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Disk.failure("opened", path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw Failure(.invalid, "\(path) is not a file.")
        }
        self.path = path
        self.descriptor = descriptor
        count = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Appends exactly these bytes of the file.
    func readAll(into bytes: inout [UInt8], _ range: Range<Int>) throws(Failure) {
        var at = range.lowerBound
        while at < range.upperBound {
            let got = try read(into: &bytes, at: at, countMax: range.upperBound - at)
            guard got > 0 else { throw Failure(.invalid, "\(path) is shorter than it says.") }
            at += got
        }
    }

    /// Appends up to `countMax` bytes.
    ///
    /// - Returns: How many came; 0 at the end.
    func read(into bytes: inout [UInt8], at offset: Int, countMax: Int) throws(Failure) -> Int {
        // Not much more than there is: room is made for it first.
        let countMax = min(countMax, max(4096, count - offset))
        var got = 0
        var number: Int32 = 0
        bytes.append(addingCapacity: countMax) { added in
            added.withUnsafeMutableBufferPointer { room, initialized in
                repeat { got = pread(descriptor, room.baseAddress, countMax, offset) } while got < 0 && errno == EINTR
                number = errno
                initialized = max(0, got)
            }
        }
        guard got >= 0 else { throw Disk.failure("read", path, number) }
        return got
    }
}

/// A new file that is written from its beginning; what was there is replaced.
struct OutputFile: ~Copyable {
    let path: String
    private(set) var count = 0
    private let descriptor: Int32
    private var isOpen = true

    init(_ path: String) throws(Failure) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Disk.failure("written", path) }
        self.path = path
    }

    deinit { if isOpen { Glibc.close(descriptor) } }

    mutating func append(_ bytes: Span<UInt8>) throws(Failure) {
        try Disk.write(bytes, to: descriptor, path)
        count += bytes.count
    }

    /// Flushes it to the disk; without this it may be lost with the power.
    mutating func close() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw Disk.failure("flushed", path) }
        isOpen = false
        guard Glibc.close(descriptor) == 0 else { throw Disk.failure("written", path) }
    }
}
