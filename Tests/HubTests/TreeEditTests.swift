import Core
import Testing

@testable import Hub

/// Trees in memory, as the store keeps them.
private final class Trees {
    var entries: [GitHash: [String: TreeEntry]] = [:]

    var source: TreeEdit.Source {
        TreeEdit.Source(
            entries: { [self] in Array((entries[$0] ?? [:]).values) },
            entry: { _, _ in nil },
            size: { _ in 1 }
        )
    }

    /// Applies the differences as the store does.
    func apply(_ folders: [Event.RevisionCommitted.Folder]) {
        for folder in folders where entries[folder.tree] == nil {
            var content = folder.base.flatMap { entries[$0] } ?? [:]
            for name in folder.removed { content[name] = nil }
            for entry in folder.put { content[entry.name] = entry }
            entries[folder.tree] = content
        }
    }

    func files(_ root: GitHash, _ prefix: String = "") -> [String: GitHash] {
        var files: [String: GitHash] = [:]
        for entry in (entries[root] ?? [:]).values {
            if entry.kind == .folder {
                files.merge(self.files(entry.oid, prefix + entry.name + "/")) { a, _ in a }
            } else {
                files[prefix + entry.name] = entry.oid
            }
        }
        return files
    }
}

@Suite struct TreeEditTests {
    private static func entry(_ text: String) -> TreeEntry {
        TreeEntry(name: "", kind: .file, oid: GitObject.blob(text.utf8), digest: nil, size: 1)
    }

    private static func edited(
        _ trees: Trees,
        _ base: GitHash?,
        _ operations: [FileOperation]
    ) throws -> (root: GitHash, folders: [Event.RevisionCommitted.Folder]) {
        var edit = try TreeEdit(base: base, source: trees.source)
        for operation in operations { try edit.apply(operation) }
        return edit.finish()
    }

    @Test("random commits do to trees what they do to a list of paths, and equal files have equal trees")
    func random() throws {
        var generator = SplitMix(seed: freshSeed("TreeEditTests.random"))
        let names = ["a", "b", "c", "d.txt", "e"]
        for _ in 0..<40 {
            let trees = Trees()
            var root: GitHash?
            var model: [String: GitHash] = [:]
            for _ in 0..<12 {
                var operations: [FileOperation] = []
                var next = model
                var put: Set<String> = []
                for _ in 0..<Int.random(in: 1...6, using: &generator) {
                    let depth = Int.random(in: 1...3, using: &generator)
                    let text = (0..<depth).map { _ in names.randomElement(using: &generator) ?? "a" }
                        .joined(separator: "/")
                    let isFolder = next.keys.contains { $0.hasPrefix(text + "/") }
                    switch Int.random(in: 0..<10, using: &generator) {
                    case 0..<6:
                        let parents = text.split(separator: "/").indices.dropFirst().map {
                            text.split(separator: "/")[..<$0].joined(separator: "/")
                        }
                        guard !isFolder, !put.contains(text), !parents.contains(where: { next[$0] != nil }) else {
                            continue
                        }
                        let entry = Self.entry("\(Int.random(in: 0..<50, using: &generator))")
                        operations.append(.put(path(text), entry))
                        put.insert(text)
                        next[text] = entry.oid
                    case 6..<8 where next[text] != nil:
                        operations.append(.deleteFile(path(text)))
                        next[text] = nil
                    case 8..<9 where isFolder:
                        operations.append(.deleteFolder(path(text)))
                        next = next.filter { !$0.key.hasPrefix(text + "/") }
                    case 9:
                        guard let origin = next.keys.sorted().randomElement(using: &generator),
                            !isFolder, !put.contains(text), next[text] != nil
                        else { continue }
                        operations.append(.copy(from: path(origin), revision: nil, to: path(text)))
                        put.insert(text)
                        next[text] = next[origin]
                    default: continue
                    }
                }
                let (edited, folders) = try Self.edited(trees, root, operations)
                trees.apply(folders)
                #expect(trees.files(edited) == next)
                // The same files put at once, into nothing, make the same tree.
                let anew = try Self.edited(
                    Trees(),
                    nil,
                    next.map { name, oid in
                        .put(path(name), TreeEntry(name: "", kind: .file, oid: oid, digest: nil, size: 1))
                    }
                )
                #expect(anew.root == edited)
                (root, model) = (edited, next)
            }
        }
    }

    @Test("a small change to a large folder is a small difference")
    func differences() throws {
        let trees = Trees()
        let many = (0..<1000).map { FileOperation.put(path("data/file\($0)"), Self.entry("\($0)")) }
        let (root, folders) = try Self.edited(trees, nil, many)
        trees.apply(folders)
        let (_, changed) = try Self.edited(trees, root, [.put(path("data/file7"), Self.entry("new"))])
        #expect(changed.map(\.put.count) == [1, 1] && changed.allSatisfy { $0.removed.isEmpty })
        #expect(changed[0].base != nil)
    }

    @Test(
        "a file is never where a folder is, and nothing is put twice",
        arguments: [
            ([FileOperation.put(path("a"), entry("1")), .put(path("a/b"), entry("2"))], Failure.Code.invalid),
            ([.put(path("a/b"), entry("1")), .put(path("a"), entry("2"))], .invalid),
            ([.put(path("a"), entry("1")), .put(path("a"), entry("2"))], .invalid),
            ([.deleteFile(path("a"))], .notFound), ([.deleteFolder(path("a"))], .notFound),
            ([.put(path("a/b"), entry("1")), .deleteFile(path("a"))], .notFound),
            ([.copy(from: path("x"), revision: nil, to: path("y"))], .notFound),
        ]
    )
    func conflicts(_ operations: [FileOperation], _ code: Failure.Code) throws {
        let error = #expect(throws: Failure.self) { try Self.edited(Trees(), nil, operations) }
        #expect(error?.code == code)
    }

    @Test("a folder that was deleted can become a file in the same commit, and the other way round")
    func replaced() throws {
        let trees = Trees()
        let (root, folders) = try Self.edited(trees, nil, [.put(path("a/b"), Self.entry("1"))])
        trees.apply(folders)
        let (second, more) = try Self.edited(
            trees,
            root,
            [.deleteFolder(path("a")), .put(path("a"), Self.entry("2"))]
        )
        trees.apply(more)
        #expect(trees.files(second) == ["a": Self.entry("2").oid])
        let (third, last) = try Self.edited(
            trees,
            second,
            [.deleteFile(path("a")), .put(path("a/c"), Self.entry("3"))]
        )
        trees.apply(last)
        #expect(Array(trees.files(third).keys) == ["a/c"])
        // Also when nothing but empty folders is left of it.
        let (fourth, end) = try Self.edited(
            trees,
            third,
            [
                .put(path("a/d/e"), Self.entry("4")), .deleteFile(path("a/c")), .deleteFile(path("a/d/e")),
                .put(path("a"), Self.entry("5")),
            ]
        )
        trees.apply(end)
        #expect(trees.files(fourth) == ["a": Self.entry("5").oid])
    }

    @Test(
        "paths that no file system should see are none",
        arguments: [
            "", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", ".git/config", "a/.GIT/x", "a\u{0}b", "a\nb", "a\\b",
            String(repeating: "x", count: 256), Array(repeating: "a", count: 65).joined(separator: "/"),
            Array(repeating: String(repeating: "x", count: 200), count: 6).joined(separator: "/"),
        ]
    )
    func badPaths(_ text: String) { #expect(FilePath(text) == nil) }

    @Test("names that people use are paths", arguments: ["a", "a b/ü.txt", ".gitattributes", "...", "a..b/c", "数据/x"])
    func goodPaths(_ text: String) { #expect(FilePath(text) != nil) }
}

@Suite struct GitAttributesTests {
    @Test(
        "patterns match as git has them",
        arguments: [
            ("*.bin", "a/b.bin", true), ("*.bin", "a.bin.txt", false), ("*.tar.*", "x.tar.gz", true),
            ("saved_model/**/*", "saved_model/a/b", true), ("saved_model/**/*", "saved_model/b", true),
            ("saved_model/**/*", "x/saved_model/b", false), ("*tfevents*", "runs/events.out.tfevents.1", true),
            ("/top.txt", "top.txt", true), ("/top.txt", "a/top.txt", false), ("a?c", "abc", true), ("a?c", "ac", false),
            ("[a-c].x", "b.x", true), ("[!a-c].x", "b.x", false), ("a/*.x", "a/b/c.x", false),
        ]
    )
    func patterns(_ pattern: String, _ name: String, _ isMatch: Bool) {
        #expect(GitAttributes("\(pattern) filter=lfs diff=lfs -text").isLarge(path(name)) == isMatch)
    }

    @Test("the last rule that matches counts, and comments do not")
    func order() {
        let attributes = GitAttributes("# *.txt filter=lfs\n*.bin filter=lfs\nsmall.bin -filter\n")
        #expect(attributes.isLarge(path("x.bin")))
        #expect(!attributes.isLarge(path("small.bin")))
        #expect(!attributes.isLarge(path("a.txt")))
    }

    @Test("what is in an ignored folder is ignored, unless it is taken back")
    func ignored() {
        let ignore = GitIgnore("build/\n*.log\n!keep.log\n")
        #expect(ignore.ignores(path("build/x/y")))
        #expect(!ignore.ignores(path("build")))
        #expect(ignore.ignores(path("a/b.log")))
        #expect(!ignore.ignores(path("a/keep.log")))
    }
}
