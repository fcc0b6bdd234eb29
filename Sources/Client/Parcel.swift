package import Core

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Files of this machine and bytes, each under a path of the sender's choice: a folder as the repository will know it.
package struct Parcel: Sendable {
    private var files: [TreeManifest.File] = []
    private(set) var contents: [Digest: Uploader.Content] = [:]

    package init() {}

    /// Adds bytes under a path.
    package mutating func add(_ bytes: [UInt8], as path: String) {
        add(.bytes(bytes), digest(of: bytes), Int64(bytes.count), as: path, isExecutable: false)
    }

    /// Adds a file under a path. Reads all of it, and blocks meanwhile.
    ///
    /// - Parameter location: Where it is on this machine; a link is followed.
    /// - Throws: ``Failure`` `invalid` when it cannot be read.
    package mutating func add(file location: String, as path: String, isExecutable: Bool = false) throws(Failure) {
        let (digest, size) = try hash(file: location)
        add(.file(location, size: size), digest, size, as: path, isExecutable: isExecutable)
    }

    private mutating func add(
        _ content: Uploader.Content,
        _ digest: Digest,
        _ size: Int64,
        as path: String,
        isExecutable: Bool
    ) {
        precondition(TreeManifest.isSafe(path: path), "'\(path)' is no path in a folder")
        files.append(.init(path: path, digest: digest, size: Bytes(size), executable: isExecutable))
        contents[digest] = content
    }

    var canonical: [UInt8] { TreeManifest(files: files).canonical }
    /// The name of the whole.
    package var tree: Digest { digest(of: canonical) }
    package var size: Bytes { files.reduce(0) { $0 + $1.size } }
    package var count: Int { files.count }
}

extension Uploader {
    /// Uploads what the project lacks of a parcel, its files first.
    func upload(_ parcel: Parcel, as what: String) async throws {
        try await upload(parcel.contents, as: what)
        try await upload([parcel.tree: .bytes(parcel.canonical)], as: nil)
    }
}
