import Core
import Testing

@testable import Hub

/// The values are git's own, by `git hash-object` and `git mktree`.
@Suite struct GitObjectTests {
    private static let hello = GitObject.blob("hello\n".utf8)
    private static let empty = GitObject.blob([])

    @Test("files and folders have git's names")
    func blobsAndTrees() throws {
        #expect(Self.empty.text == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
        #expect(Self.hello.text == "ce013625030ba8dba906f756967f9e9ca394464a")
        #expect(GitObject.emptyTree.text == "4b825dc642cb6eb9a060e54bf8d69288fbee4904")
        func file(_ name: String, _ oid: GitHash) -> TreeEntry {
            TreeEntry(name: name, kind: .file, oid: oid, digest: nil, size: 0)
        }
        let inner = GitObject.tree([file("x.txt", Self.hello)])
        #expect(inner.text == "9fa6a6d71d42445400aef1e5fda85a9cd64eb517")
        // Folder 'a' stands between 'a.txt' and 'a0', as if it were called 'a/'.
        let outer = GitObject.tree([
            TreeEntry(name: "a", kind: .folder, oid: inner, digest: nil, size: 0), file("a0", Self.empty),
            file("a.txt", Self.hello), file("A", Self.empty),
        ])
        #expect(outer.text == "8b3201466887c334b8ac13e666809a5ce122102e")
    }

    @Test("a large file has the name of its pointer")
    func pointers() throws {
        let digest = try #require(Digest(hex: "31c5862c70a258373c234f65dc727ce26da367638886ea1a1a7fe13f95cca59c"))
        let entry = GitObject.largeFile("weights.bin", digest, 20_000_000)
        #expect(entry.oid.text == "9467405a04e11f02aecb2e5669c3006f2ecb19b7")
        #expect(GitObject.pointer(digest, 20_000_000).utf8.count == 133)
    }

    @Test("commits have git's names, the first as well as those that follow")
    func commits() throws {
        let tree = try #require(GitHash("8b3201466887c334b8ac13e666809a5ce122102e"))
        func commit(_ parent: GitHash?) -> String {
            GitObject.commit(
                tree: tree,
                parent: parent,
                author: .named("alice"),
                at: Instant(milliseconds: 1_790_000_000_999),
                message: "Title\n\nMore"
            ).text
        }
        #expect(commit(nil) == "2af17e976b2fdfe34a58b1eae688909b38b56127")
        #expect(commit(GitObject.emptyTree) == "363dc3f8b416e7a19890a5cd0e5fd4fa20bf2222")
    }
}
