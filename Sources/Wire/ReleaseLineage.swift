/// What a release of training data was made of: `governance/lineage.json` of a dataset's revision.
///
/// Source files are named by what is in them, so whoever has them can hold them against the release: files lead to
/// blocks, blocks to parts. All digests are SHA-256 in hexadecimal digits.
public struct ReleaseLineage: Codable, Sendable, Hashable {
    /// `release-lineage/1`; a reader of another form knows no more than that there is one.
    public var format: String
    /// Program and version that made it.
    public var tool: String
    public var pipeline: Pipeline
    public var records: Int
    /// The Merkle root over all records (RFC 6962), of which each is named by the SHA-256 of its line.
    public var root: String
    public var sources: [Source]
    /// Files of all sources; absent when they are too many for this file and stand in ``filesPath``.
    public var files: [File]?
    /// Classifiers, tokenizers, keyword packs and evaluation sets that the rules were made of.
    public var models: [Model]
    /// What took documents out, in the order of their names.
    public var rules: [Rule]
    /// Absent where it is told in short.
    public var blocks: [Block]?
    /// Absent where it is told in short.
    public var parts: [Part]?
    /// SHA-256 of the audit pack's manifest.
    public var pack: String?

    public struct Pipeline: Codable, Sendable, Hashable {
        public var name: String
        /// Of its file.
        public var sha256: String
        /// Of everything that judging depends on beside the sources.
        public var configuration: String

        public init(name: String, sha256: String, configuration: String) {
            (self.name, self.sha256, self.configuration) = (name, sha256, configuration)
        }
    }

    public struct Source: Codable, Sendable, Hashable {
        public var name: String
        /// Whether it was only compared with; nothing of it is in the release.
        public var isReference: Bool
        /// As its dossier says, if it has one.
        public var title: String?
        public var kind: String?
        public var licenceAtOrigin: String?
        public var licenceAsClaimed: String?
        /// SHA-256 of the dossier's file.
        public var dossier: String?
        /// The repository that its files came from, such as `datasets/demo/corpus`, and the commit.
        public var repository: String?
        public var revision: String?
        public var files: Int
        public var bytes: Int
        /// Over the lines `SHA-256, two spaces, path, line feed` of its files, as `sha256sum` prints them.
        public var sha256: String
        /// Texts that were found in it, and those that were written.
        public var documents: Int
        public var kept: Int

        public init(name: String, isReference: Bool) {
            (self.name, self.isReference) = (name, isReference)
            (files, bytes, sha256, documents, kept) = (0, 0, "", 0, 0)
        }
    }

    public struct File: Codable, Sendable, Hashable {
        public var source: String
        /// From the pipeline file's folder.
        public var path: String
        public var bytes: Int
        public var sha256: String

        public init(source: String, path: String, bytes: Int, sha256: String) {
            (self.source, self.path, self.bytes, self.sha256) = (source, path, bytes, sha256)
        }
    }

    public struct Model: Codable, Sendable, Hashable {
        /// `classifier`, `tokenizer`, `keywords` or `evaluation`.
        public var kind: String
        public var path: String
        public var sha256: String

        public init(kind: String, path: String, sha256: String) {
            (self.kind, self.path, self.sha256) = (kind, path, sha256)
        }
    }

    /// A rule, or a kind of duplicate, and what it took out.
    public struct Rule: Codable, Sendable, Hashable {
        public var name: String
        public var documents: Int
        public var bytes: Int

        public init(name: String, documents: Int, bytes: Int) {
            (self.name, self.documents, self.bytes) = (name, documents, bytes)
        }
    }

    public struct Block: Codable, Sendable, Hashable {
        public var source: String
        /// Of the file that it is from, or of the first of several.
        public var path: String
        public var digest: String
        /// The name of its decisions.
        public var key: String
        public var documents: Int
        /// The part that was written of it; absent when nothing was.
        public var part: String?

        public init(source: String, path: String, digest: String, key: String, documents: Int, part: String?) {
            (self.source, self.path, self.digest) = (source, path, digest)
            (self.key, self.documents, self.part) = (key, documents, part)
        }
    }

    public struct Part: Codable, Sendable, Hashable {
        public var path: String
        public var sha256: String
        public var records: Int

        public init(path: String, sha256: String, records: Int) {
            (self.path, self.sha256, self.records) = (path, sha256, records)
        }
    }

    public init(tool: String, pipeline: Pipeline, records: Int, root: String) {
        (format, self.tool, self.pipeline) = (Self.format, tool, pipeline)
        (self.records, self.root) = (records, root)
        (sources, models, rules) = ([], [], [])
    }

    public static let format = "release-lineage/1"
    /// Where it is in a revision.
    public static let path = "governance/lineage.json"
    /// Where its files are when they are too many.
    public static let filesPath = "governance/files.jsonl.zst"
    /// The most bytes that ``path`` has; a point reads no more.
    public static let bytesMax = 8 << 20
}

extension ReleaseLineage {
    /// Of each kind of list in a summary.
    private static let listedMax = 200
    /// Of what is told in short.
    private static let summaryBytesMax = 128 << 10

    /// What a point keeps in mind and shows of it: without blocks and parts, at most some of everything else.
    ///
    /// - Returns: `nil` for what is of another form or says too much in few entries; strangers write these files.
    public var summary: ReleaseLineage? {
        guard format == Self.format else { return nil }
        var short = self
        short.sources = Array(sources.prefix(Self.listedMax))
        short.files = files.map { Array($0.prefix(Self.listedMax)) }
        short.models = Array(models.prefix(Self.listedMax))
        short.rules = Array(rules.prefix(Self.listedMax))
        (short.blocks, short.parts) = (nil, nil)
        if short.isShort { return short }
        short.files = nil
        return short.isShort ? short : nil
    }

    private var isShort: Bool {
        guard let bytes = try? WireJSON.encode(self) else { return false }
        return bytes.count <= Self.summaryBytesMax
    }
}
