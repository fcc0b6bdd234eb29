/// A block of a run and where its result is: a line of `blocks.jsonl`.
public struct JudgedBlock: Sendable, Hashable, Codable {
    /// From 0 over all files of all sources.
    public var ordinal: Int
    /// Index of the source, and its name.
    public var source: Int
    public var sourceName: String
    /// Of the file that it was cut from; from the pipeline's folder where it lies below it, so that it is the same on
    /// every machine.
    public var path: String
    /// Of its bytes, in hexadecimal digits.
    public var digest: String
    /// A cheaper hash of its bytes, by which a run tells that they are still the same.
    public var check: String
    /// Of its bytes and the configuration.
    public var key: String
    public var documents: Int
    /// What of an archive it was read from. For the passes of the run that judged it; not written down.
    package var bytes: SourceBytes?

    private enum CodingKeys: CodingKey { case ordinal, source, sourceName, path, digest, check, key, documents }

    public init(
        ordinal: Int,
        source: Int,
        sourceName: String,
        path: String,
        digest: String,
        check: String,
        key: String,
        documents: Int
    ) {
        (self.ordinal, self.source, self.sourceName, self.path) = (ordinal, source, sourceName, path)
        (self.digest, self.check, self.key, self.documents) = (digest, check, key, documents)
    }
}

/// Which bytes of an archive, as they lie on the disk, a block of pages was read from, and a hash of them.
///
/// Later passes have the pages at hand and only look whether the archive is still the same, which costs a twentieth of
/// unpacking it.
package struct SourceBytes: Sendable, Hashable {
    package let range: Range<Int>
    package let hash: UInt64

    package init(range: Range<Int>, hash: UInt64) { (self.range, self.hash) = (range, hash) }
}
