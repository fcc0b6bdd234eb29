import Core
import Testing

@testable import Hub

/// Folders in memory, by their hashes.
private final class Folders {
    private var entries: [GitHash: [TreeEntry]] = [:]

    func look(_ tree: GitHash) -> [TreeEntry] { entries[tree] ?? [] }

    /// Applies operations to a root folder; `nil` is an empty one.
    func edited(_ base: GitHash?, _ operations: [FileOperation]) throws -> GitHash {
        let source = TreeEdit.Source(
            entries: { [self] in look($0) },
            entry: { _, _ in nil },
            size: { _ in 1 }
        )
        var edit = try TreeEdit(base: base, source: source)
        for operation in operations { try edit.apply(operation) }
        let (root, folders) = edit.finish()
        for folder in folders {
            var content = Dictionary(uniqueKeysWithValues: (folder.base.map(look) ?? []).map { ($0.name, $0) })
            for name in folder.removed { content[name] = nil }
            for entry in folder.put { content[entry.name] = entry }
            entries[folder.tree] = Array(content.values)
        }
        return root
    }

    /// A root folder with these files, by their paths and texts.
    func root(_ files: [String: String]) throws -> GitHash {
        let operations = files.map { name, text in
            FileOperation.put(
                path(name),
                TreeEntry(name: "", kind: .file, oid: GitObject.blob(text.utf8), digest: nil, size: 1)
            )
        }
        return try edited(nil, operations)
    }
}

@Suite struct TreeMergeTests {
    private static func merged(
        _ base: [String: String]?,
        _ ours: [String: String],
        _ theirs: [String: String]
    ) throws -> (tree: GitHash, conflicts: [String], folders: Folders) {
        let folders = Folders()
        let mine = try folders.root(ours)
        let merge = try TreeMerge(
            base: base.map(folders.root),
            ours: mine,
            theirs: folders.root(theirs),
            entries: folders.look
        )
        return (try folders.edited(mine, merge.operations), merge.conflicts, folders)
    }

    @Test(
        "what only one side changed is taken, what both changed alike too, and what they changed otherwise is told",
        arguments: [
            // base, ours, theirs, what becomes of it; nil for a conflict
            (["a": "1"], ["a": "1", "b": "2"], ["a": "3"], ["a": "3", "b": "2"]),
            (["a": "1"], ["a": "2"], ["a": "3"], nil), (["a": "1"], ["a": "2"], ["a": "2"], ["a": "2"]),
            (["a": "1"], [:], ["a": "2"], nil), (["a": "1"], ["a": "2"], [:], nil), (["a": "1"], [:], [:], [:]),
            (
                ["d/a": "1", "d/b": "1"], ["d/a": "2", "d/b": "1"], ["d/a": "1", "d/b": "2"], ["d/a": "2", "d/b": "2"]
            ),
            (["d/a": "1", "d/b": "1"], ["d/a": "1", "d/b": "1"], [:], [:]),
            (["d/a": "1", "d/b": "1"], ["d/a": "1", "d/b": "1", "d/c": "1"], [:], ["d/c": "1"]),
            (["d/a": "1"], [:], ["d/a": "1", "d/b": "2"], ["d/b": "2"]),
            (["d/a": "1"], ["d/a": "1"], ["d": "2"], ["d": "2"]), (["d": "1"], ["d": "1"], ["d/a": "2"], ["d/a": "2"]),
            (["d/a": "1"], ["d/a": "2"], ["d": "2"], nil), ([:], ["d": "1"], ["d/a": "1"], nil),
            ([:], ["d/a": "1"], ["d/b": "1"], ["d/a": "1", "d/b": "1"]),
        ] as [([String: String], [String: String], [String: String], [String: String]?)]
    )
    func cases(
        base: [String: String],
        ours: [String: String],
        theirs: [String: String],
        expected: [String: String]?
    ) throws {
        let (tree, conflicts, folders) = try Self.merged(base, ours, theirs)
        guard let expected else {
            #expect(!conflicts.isEmpty)
            return
        }
        #expect(conflicts.isEmpty, "\(conflicts)")
        #expect(try tree == folders.root(expected))
    }

    @Test("histories that never met have only what is the same in both in common")
    func strangers() throws {
        let (_, conflicts, _) = try Self.merged(nil, ["a": "1", "b": "1"], ["a": "1", "b": "2", "c": "3"])
        #expect(conflicts == ["b"])
    }

    @Test("random changes on both sides come out as file by file, whatever the folders")
    func random() throws {
        var generator = SplitMix(seed: freshSeed("TreeMergeTests.random"))
        let names = ["a", "b", "c/a", "c/b", "c/d/a", "c/d/b", "e/a"]
        for _ in 0..<500 {
            func change(_ files: [String: String]) -> [String: String] {
                var files = files
                for _ in 0..<Int.random(in: 0...4, using: &generator) {
                    let name = names.randomElement(using: &generator) ?? "a"
                    files[name] = Bool.random(using: &generator) ? nil : "\(Int.random(in: 0..<3, using: &generator))"
                }
                return files
            }
            let base = change(change([:]))
            let (ours, theirs) = (change(base), change(base))
            var expected = ours
            var clashes: [String] = []
            for name in names where theirs[name] != base[name] && theirs[name] != ours[name] {
                if ours[name] == base[name] { expected[name] = theirs[name] } else { clashes.append(name) }
            }
            let (tree, conflicts, folders) = try Self.merged(base, ours, theirs)
            #expect(conflicts == clashes.sorted(), "\(base) \(ours) \(theirs)")
            #expect(try tree == folders.root(expected), "\(base) \(ours) \(theirs)")
        }
    }
}
