/// A folder by content: its files in order of path. Stored as a blob itself, in the canonical JSON of ``canonical``.
public struct TreeManifest: Hashable, Sendable, Codable {
    public struct File: Hashable, Sendable, Codable {
        /// Relative, `/` between parts, no `.`, `..`, empty part, NUL or backslash.
        public var path: String
        public var digest: Digest
        public var size: Bytes
        public var executable: Bool

        public init(path: String, digest: Digest, size: Bytes, executable: Bool) {
            self.path = path
            self.digest = digest
            self.size = size
            self.executable = executable
        }
    }

    public var files: [File]

    /// Files of one tree; more are refused.
    public static let filesMax = 100_000
    /// The longest path in bytes.
    public static let pathBytesMax = 1024

    /// Sorts the files by the bytes of their paths: an order that no version of Unicode changes.
    public init(files: [File]) { self.files = files.sorted { Self.isBefore($0.path, $1.path) } }

    /// The sum over all files.
    public var size: Bytes { files.reduce(0) { $0 + $1.size } }

    /// The one text form, so that equal folders have equal digests.
    public var canonical: [UInt8] {
        var out: [UInt8] = []
        JSON.object([
            (
                "files",
                .array(
                    files.map {
                        .object([
                            ("path", .string($0.path)), ("digest", .string($0.digest.description)),
                            ("size", .integer($0.size.count)), ("executable", .bool($0.executable)),
                        ])
                    }
                )
            )
        ]).write(to: &out)
        return out
    }

    /// Reads the canonical form of untrusted bytes and checks every path, order and count.
    ///
    /// - Throws: ``Failure`` `invalid` for anything but the bytes that ``canonical`` would make, for a path twice (paths
    ///   that look the same count as the same) and for a file that is also a folder; `tooLarge` for too many files.
    public init(canonical bytes: some Collection<UInt8>) throws(Failure) {
        let broken = { (why: String) in Failure(.invalid, "This is not a folder manifest: it \(why).") }
        let json: JSON
        do { json = try JSON(parsing: bytes) } catch { throw broken(error.message) }
        guard let list = json["files"]?.arrayValue else { throw broken("has no list of files") }
        guard list.count <= Self.filesMax else {
            throw Failure(.tooLarge, "A folder may hold \(Self.filesMax) files; this one has \(list.count).")
        }
        var files: [File] = []
        files.reserveCapacity(list.count)
        var paths: Set<String> = []
        for item in list {
            guard let path = item["path"]?.stringValue, Self.isSafe(path: path),
                let digest = (item["digest"]?.stringValue).flatMap({ Digest($0) }),
                let size = item["size"]?.integerValue, size >= 0, let executable = item["executable"]?.boolValue
            else { throw broken("has a file without a safe path, digest, size and mode") }
            guard files.last.map({ Self.isBefore($0.path, path) }) ?? true else {
                throw broken("is not in order of path")
            }
            guard paths.insert(path).inserted else { throw broken("has a path twice") }
            files.append(File(path: path, digest: digest, size: Bytes(size), executable: executable))
        }
        for file in files where Self.isBelow(oneOf: paths, file.path) {
            throw broken("has a file that is also a folder")
        }
        self.files = files
        guard canonical.elementsEqual(bytes) else { throw broken("is not in canonical form") }
    }

    private static func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    private static func isBelow(oneOf paths: Set<String>, _ path: String) -> Bool {
        path.utf8.indices.contains { index in
            path.utf8[index] == UInt8(ascii: "/") && paths.contains(String(path[..<index]))
        }
    }

    /// Whether a path stays inside its folder on every system.
    public static func isSafe(path: String) -> Bool {
        guard !path.isEmpty, path.utf8.count <= pathBytesMax, !path.utf8.contains(0), !path.utf8.contains(0x5C) else {
            return false
        }
        return path.split(separator: "/", omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
    }
}

/// Something a job left, or somebody brought: bytes with a name.
public struct Artifact: Hashable, Sendable, Codable {
    public var name: String
    public var kind: ArtifactKind
    public var digest: Digest
    /// Of all its files.
    public var size: Bytes

    public init(name: String, kind: ArtifactKind, digest: Digest, size: Bytes) {
        self.name = name
        self.kind = kind
        self.digest = digest
        self.size = size
    }
}
