public import Core
import Wire

/// Applies operations to the files of a revision, in their order, and tells which folders are new.
///
/// Reads only the folders on the way to what changes. A value: nothing is written.
public struct TreeEdit {
    /// What a folder was and is.
    private final class Folder {
        /// `nil` for a folder that was not there.
        let base: GitHash?
        let before: [String: TreeEntry]
        /// Its files, and its folders that nobody went into.
        var entries: [String: TreeEntry]
        /// Its folders that somebody went into.
        var opened: [String: Folder] = [:]

        init(base: GitHash?, entries: [TreeEntry]) {
            self.base = base
            before = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0) })
            self.entries = before
        }
    }

    /// Where the edit looks things up.
    public struct Source {
        /// The entries of a folder.
        public var entries: (GitHash) throws -> [TreeEntry]
        /// The entry at a path of another revision.
        public var entry: (FilePath, GitHash) throws -> TreeEntry?
        /// The size of bytes that are in the repository.
        public var size: (Digest) throws -> Bytes

        public init(
            entries: @escaping (GitHash) throws -> [TreeEntry],
            entry: @escaping (FilePath, GitHash) throws -> TreeEntry?,
            size: @escaping (Digest) throws -> Bytes
        ) {
            (self.entries, self.entry, self.size) = (entries, entry, size)
        }
    }

    private let root: Folder
    private let source: Source
    private var touched: Set<FilePath> = []
    /// The size of every file that was put.
    public private(set) var sizes: [Digest: Bytes] = [:]

    /// - Parameter base: The root folder to begin with; `nil` for none.
    public init(base: GitHash?, source: Source) throws {
        self.source = source
        root = Folder(base: base, entries: try base.map(source.entries) ?? [])
    }

    /// - Throws: ``Failure`` `.invalid` for a file where a folder is, a folder where a file is, or a path that is put
    ///   twice; `.notFound` for something to be deleted or copied that is not there.
    public mutating func apply(_ operation: FileOperation) throws {
        switch operation {
        case .put(let path, let entry): try put(path, entry)
        case .link(let path, let digest, let expected):
            let size = try source.size(digest)
            guard expected == nil || expected == size else {
                throw Failure(.invalid, "'\(path)' has \(size.count) bytes, not as many as the commit says.")
            }
            try put(path, GitObject.largeFile(String(path.name), digest, size))
        case .copy(let origin, let revision, let path):
            let entry = try revision.map { try source.entry(origin, $0) } ?? entry(at: origin)
            guard let entry, entry.kind != .folder else { throw Self.absent(origin, "file") }
            try put(path, entry)
        case .deleteFile(let path): try delete(path, isFolder: false)
        case .deleteFolder(let path): try delete(path, isFolder: true)
        case .clearFolder(let path):
            do { try delete(path, isFolder: true) } catch let failure as Failure where failure.code == .notFound {}
        }
    }

    /// The new root, and every folder that is new, those inside before those around them.
    public func finish() -> (root: GitHash, folders: [Event.RevisionCommitted.Folder]) {
        var folders: [Event.RevisionCommitted.Folder] = []
        let root = Self.close(root, &folders)
        return (root ?? GitObject.emptyTree, folders)
    }

    private mutating func put(_ path: FilePath, _ entry: TreeEntry) throws {
        guard touched.insert(path).inserted else {
            throw Failure(.invalid, "'\(path)' is put twice in one commit; say once what it is to be.")
        }
        let names = path.names.map(String.init)
        var folder = root
        for (depth, name) in names.dropLast().enumerated() {
            guard let next = try open(name, in: folder, make: true) else {
                let file = names[...depth].joined(separator: "/")
                throw Failure(.invalid, "'\(path)' cannot be put: '\(file)' is a file. Delete it in the same commit.")
            }
            folder = next
        }
        guard let name = names.last else { return }
        let isFilled = folder.opened[name].map { !Self.isEmpty($0) } ?? false
        if isFilled || folder.entries[name]?.kind == .folder {
            throw Failure(.invalid, "'\(path)' cannot be put: it is a folder. Delete it in the same commit.")
        }
        folder.opened[name] = nil
        var entry = entry
        entry.name = name
        folder.entries[name] = entry
        if let digest = entry.digest { sizes[digest] = entry.size }
    }

    private func delete(_ path: FilePath, isFolder: Bool) throws {
        let names = path.names.map(String.init)
        let absent = Self.absent(path, isFolder ? "folder" : "file")
        guard let name = names.last, let folder = try folder(at: names.dropLast()) else { throw absent }
        if isFolder {
            let wasOpened = folder.opened.removeValue(forKey: name).map { !Self.isEmpty($0) } ?? false
            let wasThere = folder.entries[name]?.kind == .folder
            guard wasOpened || wasThere else { throw absent }
            folder.entries[name] = nil
        } else {
            guard let entry = folder.entries[name], entry.kind != .folder else { throw absent }
            folder.entries[name] = nil
        }
    }

    private static func absent(_ path: FilePath, _ kind: String) -> Failure {
        Failure(.notFound, "There is no \(kind) '\(path)'.", note: Repositories.entryNote)
    }

    private func entry(at path: FilePath) throws -> TreeEntry? {
        let names = path.names.map(String.init)
        guard let name = names.last, let folder = try folder(at: names.dropLast()) else { return nil }
        return folder.entries[name]
    }

    private func folder(at names: ArraySlice<String>) throws -> Folder? {
        var folder = root
        for name in names {
            guard let next = try open(name, in: folder, make: false) else { return nil }
            folder = next
        }
        return folder
    }

    /// A folder to look or change inside; `nil` when a file is in its place, or nothing and it is not to be made.
    private func open(_ name: String, in folder: Folder, make: Bool) throws -> Folder? {
        if let opened = folder.opened[name] { return opened }
        if let entry = folder.entries[name] {
            guard entry.kind == .folder else { return nil }
            let opened = Folder(base: entry.oid, entries: try source.entries(entry.oid))
            folder.entries[name] = nil
            folder.opened[name] = opened
            return opened
        }
        guard make else { return nil }
        let made = Folder(base: nil, entries: [])
        folder.opened[name] = made
        return made
    }

    private static func isEmpty(_ folder: Folder) -> Bool {
        folder.entries.isEmpty && folder.opened.values.allSatisfy(isEmpty)
    }

    /// The folder's hash; `nil` when nothing is left in it, as git knows no empty folders.
    private static func close(_ folder: Folder, _ new: inout [Event.RevisionCommitted.Folder]) -> GitHash? {
        for (name, inner) in folder.opened.sorted(by: { $0.key < $1.key }) {
            guard let tree = close(inner, &new) else { continue }
            folder.entries[name] = TreeEntry(name: name, kind: .folder, oid: tree, digest: nil, size: 0)
        }
        folder.opened = [:]
        guard !folder.entries.isEmpty else { return nil }
        let tree = GitObject.tree(Array(folder.entries.values))
        guard tree != folder.base else { return tree }
        let put = folder.entries.values.filter { folder.before[$0.name] != $0 }.sorted { $0.name < $1.name }
        let removed = folder.before.keys.filter { folder.entries[$0] == nil }.sorted()
        let isSmall = put.count + removed.count < folder.entries.count
        new.append(
            .init(
                tree: tree,
                base: isSmall ? folder.base : nil,
                put: isSmall ? put : folder.entries.values.sorted { $0.name < $1.name },
                removed: isSmall ? removed : []
            )
        )
        return tree
    }
}
