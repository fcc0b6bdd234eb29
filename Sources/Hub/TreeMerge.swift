import Core

/// Brings what changed between two folders into a third one, by whole files.
///
/// A value: nothing is written. Only folders that differ are looked into.
struct TreeMerge {
    /// The entries of a folder.
    private let entries: (GitHash) throws -> [TreeEntry]
    private var deletions: [FileOperation] = []
    private var puts: [FileOperation] = []
    /// Paths that both sides changed to something else, in order; the first ``conflictsMax`` of them.
    private(set) var conflicts: [String] = []

    static let conflictsMax = 1000

    /// - Parameters:
    ///   - base: The root folder that both sides began with; `nil` when they have nothing in common.
    ///   - ours: The root folder that the changes are to come into.
    ///   - theirs: The root folder with the changes.
    /// - Throws: ``Failure`` `.tooLarge` for more changes than a commit may have.
    init(base: GitHash?, ours: GitHash?, theirs: GitHash?, entries: @escaping (GitHash) throws -> [TreeEntry]) throws {
        self.entries = entries
        try merge("", base, ours, theirs)
    }

    /// What makes of `ours` what both are together.
    var operations: [FileOperation] { deletions + puts }

    private mutating func merge(_ prefix: String, _ base: GitHash?, _ ours: GitHash?, _ theirs: GitHash?) throws {
        let (old, mine, new) = (try named(base), try named(ours), try named(theirs))
        for name in Set(old.keys).union(new.keys).sorted() {
            let (was, have, want) = (old[name], mine[name], new[name])
            if want == was || have == want { continue }
            let path = prefix + name
            if have == was, have?.kind != .folder || want?.kind != .folder {
                try replace(path, have, by: want)
            } else if [was, have, want].allSatisfy({ $0 == nil || $0?.kind == .folder }) {
                try merge(path + "/", was?.oid, have?.oid, want?.oid)
            } else if conflicts.count < Self.conflictsMax {
                conflicts.append(path)
            }
        }
    }

    private func named(_ tree: GitHash?) throws -> [String: TreeEntry] {
        guard let tree else { return [:] }
        return Dictionary(uniqueKeysWithValues: try entries(tree).map { ($0.name, $0) })
    }

    private mutating func replace(_ path: String, _ have: TreeEntry?, by want: TreeEntry?) throws {
        if have?.kind == .folder {
            try add(.deleteFolder(try Self.path(path)), to: \.deletions)
        } else if have != nil, want == nil || want?.kind == .folder {
            try add(.deleteFile(try Self.path(path)), to: \.deletions)
        }
        if let want { try put(want, path) }
    }

    private mutating func put(_ entry: TreeEntry, _ path: String) throws {
        guard entry.kind == .folder else { return try add(.put(try Self.path(path), entry), to: \.puts) }
        for inner in try entries(entry.oid) { try put(inner, "\(path)/\(inner.name)") }
    }

    private mutating func add(_ operation: FileOperation, to list: WritableKeyPath<Self, [FileOperation]>) throws {
        guard puts.count + deletions.count < Repositories.operationsMax else {
            throw Failure(
                .tooLarge,
                "There are more than \(Repositories.operationsMax) changes, the most that one commit may have."
            )
        }
        self[keyPath: list].append(operation)
    }

    private static func path(_ text: String) throws -> FilePath {
        guard let path = FilePath(text) else { throw Failure(.invalid, "'\(text)' is no path. \(FilePath.rule)") }
        return path
    }
}
