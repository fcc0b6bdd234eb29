/// One of several parts of a run's blocks, so that machines which know nothing of one another judge them side by side.
///
/// Where the source files' bytes, as they lie on the disk, are cut into so many equal stretches, a part has the blocks
/// that end within its own. So parts differ by at most a block, each reads little that is another's, and whose a block
/// is depends on the sources alone.
public struct PipelinePart: Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    public let number: Int
    public let count: Int

    /// As many as an array of jobs may have.
    public static let countMax = 10_000

    public init?(_ number: Int, of count: Int) {
        guard (1...Self.countMax).contains(count), (1...count).contains(number) else { return nil }
        self.number = number
        self.count = count
    }

    /// Reads `3/8`.
    public init?(_ text: String) {
        let words = text.split(separator: "/", omittingEmptySubsequences: false)
        guard words.count == 2, let number = Int(words[0]), let count = Int(words[1]) else { return nil }
        self.init(number, of: count)
    }

    public var description: String { "\(number)/\(count)" }

    /// Where its stretch begins and ends.
    ///
    /// - Parameter total: Bytes of all source files.
    func stretch(of total: Int) -> Stretch {
        func cut(_ number: Int) -> Int { total / count * number + total % count * number / count }
        return Stretch(
            // What ends before any byte, as an empty file does, is the first's.
            after: number == 1 ? -1 : cut(number - 1),
            through: number == count ? .max : cut(number),
            bytes: cut(number) - cut(number - 1)
        )
    }

    struct Stretch {
        /// A block that ends here is the part's before.
        var after: Int
        /// A block that ends here is this part's.
        var through: Int
        var bytes: Int
    }
}
