public import Core

// Crypto has a protocol named Digest too.
import enum Crypto.Insecure

/// Names of git's objects, computed as git computes them (gitformat-pack(5), git-hash-object(1)).
///
/// SHA-1 only names here; what proves bytes is their SHA-256.
public enum GitObject {
    /// The name of a file's bytes.
    public static func blob(_ bytes: some Sequence<UInt8> & Sendable) -> GitHash {
        hash("blob", Array(bytes))
    }

    /// The name of a folder.
    ///
    /// - Parameter entries: In any order, no name twice.
    public static func tree(_ entries: [TreeEntry]) -> GitHash {
        var body: [UInt8] = []
        body.reserveCapacity(entries.count * 48)
        // Git sorts as if a folder's name ended with a slash.
        let keyed = entries.map { (key: Array($0.name.utf8) + ($0.kind == .folder ? [slash] : []), entry: $0) }
        for (_, entry) in keyed.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            body += (entry.kind == .folder ? "40000 " : "100644 ").utf8
            body += entry.name.utf8
            body.append(0)
            body += bytes(of: entry.oid)
        }
        return hash("tree", body)
    }

    /// The folder in which nothing is.
    public static let emptyTree = tree([])

    /// The name of a commit, whose time is taken in seconds of UTC.
    public static func commit(
        tree: GitHash,
        parent: GitHash?,
        author: UserName,
        at: Instant,
        message: String
    ) -> GitHash {
        let who = "\(author) <\(author)@onepoint> \(at.milliseconds / 1000) +0000"
        var text = "tree \(tree)\n"
        if let parent { text += "parent \(parent)\n" }
        text += "author \(who)\ncommitter \(who)\n\n\(message)"
        return hash("commit", Array(text.utf8))
    }

    /// What git holds of a large file (git-lfs, "Pointer specification").
    public static func pointer(_ digest: Digest, _ size: Bytes) -> String {
        "version https://git-lfs.github.com/spec/v1\noid \(digest)\nsize \(size.count)\n"
    }

    /// A large file's entry: its name in git is its pointer's.
    public static func largeFile(_ name: String, _ digest: Digest, _ size: Bytes) -> TreeEntry {
        TreeEntry(name: name, kind: .large, oid: blob(pointer(digest, size).utf8), digest: digest, size: size)
    }

    private static let slash = UInt8(ascii: "/")

    private static func hash(_ kind: String, _ body: [UInt8]) -> GitHash {
        var hasher = Insecure.SHA1()
        hasher.update(data: Array("\(kind) \(body.count)\0".utf8))
        hasher.update(data: body)
        return name(hasher.finalize())
    }

    /// The name that twenty bytes of SHA-1 are in text.
    static func name(_ bytes: some Sequence<UInt8>) -> GitHash {
        let text = String(
            decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
        guard let hash = GitHash(text) else { preconditionFailure("SHA-1 must be 20 bytes long") }
        return hash
    }

    private static let digits = Array("0123456789abcdef".utf8)

    private static func bytes(of hash: GitHash) -> [UInt8] {
        let text = Array(hash.text.utf8)
        return stride(from: 0, to: text.count, by: 2).map { value(text[$0]) << 4 | value(text[$0 + 1]) }
    }

    private static func value(_ digit: UInt8) -> UInt8 {
        digit < UInt8(ascii: "a") ? digit - UInt8(ascii: "0") : digit - UInt8(ascii: "a") + 10
    }
}
