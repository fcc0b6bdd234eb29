public import Core

/// One thing that a commit does.
public enum FileOperation: Hashable, Sendable {
    /// Puts a file at a path, or another in its place. The entry's own name is not looked at.
    case put(FilePath, TreeEntry)
    /// Puts a large file at a path, whose bytes are in the repository already. The size is checked when it is given.
    case link(FilePath, Digest, Bytes?)
    /// Puts a file at a path as it is at another path, in the revision that the commit builds on or in another one.
    case copy(from: FilePath, revision: GitHash?, to: FilePath)
    case deleteFile(FilePath)
    /// With everything in it.
    case deleteFolder(FilePath)
    /// The same, should it be there.
    case clearFolder(FilePath)
}

/// Where a file is in a repository: names separated by `/`.
///
/// At most ``bytesMax`` bytes and ``depthMax`` names; no name is empty, `.`, `..` or `.git`, longer than 255 bytes, or
/// has control characters or a backslash in it. So it can be checked out on any file system that people use.
public struct FilePath: Hashable, Sendable, LosslessStringConvertible {
    public let text: String

    public static let bytesMax = 1024
    public static let depthMax = 64

    public init?(_ text: String) {
        guard (1...Self.bytesMax).contains(text.utf8.count) else { return nil }
        let names = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard names.count <= Self.depthMax, names.allSatisfy(Self.isName) else { return nil }
        self.text = text
    }

    public var description: String { text }
    public var names: [Substring] { text.split(separator: "/") }
    /// The last of its names.
    public var name: Substring { names.last ?? "" }

    /// What to tell a person whose path is none.
    public static let rule =
        "A path has at most \(bytesMax) bytes and \(depthMax) names separated by '/'; no name is empty, '.', '..' or"
        + " '.git', longer than 255 bytes, or has control characters or a backslash in it."

    private static func isName(_ name: Substring.UTF8View) -> Bool {
        (1...255).contains(name.count) && !name.elementsEqual(".".utf8) && !name.elementsEqual("..".utf8)
            && Substring(name).lowercased() != ".git"
            && name.allSatisfy { $0 >= 32 && $0 != 127 && $0 != UInt8(ascii: "\\") }
    }
}
