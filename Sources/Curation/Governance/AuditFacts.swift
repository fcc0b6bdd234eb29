public import Core

/// Everything that an audit pack says of a release, gathered and summed up: what the driver hands to ``AuditPack``.
///
/// Nothing here is of the size of the corpus: counts are sums, samples are samples, and a block stands for 64 MB.
public struct AuditFacts: Sendable {
    public struct Party: Hashable, Sendable {
        public var name: String
        public var url: String?
        public var isPerson: Bool

        public init(name: String, url: String? = nil, isPerson: Bool = false) {
            (self.name, self.url, self.isPerson) = (name, url, isPerson)
        }
    }

    /// What is published.
    public struct Release: Hashable, Sendable {
        /// Of the dataset; for identifiers.
        public var name: String
        /// `MAJOR.MINOR.PATCH`.
        public var version: String
        public var description: BilingualText
        /// Where it can be had.
        public var url: String
        /// An SPDX identifier or an address.
        public var licence: String
        public var creator: Party
        public var publisher: Party?
        public var published: Instant
        /// When the version before it was published.
        public var previouslyPublished: Instant?
        public var keywords: [String] = []
        /// BCP 47.
        public var languages: [String]
        /// What it is meant for.
        public var purposes: [String] = []
        /// Countries, by ISO 3166-1 alpha-2, within which it may be processed and stored; none is no limit.
        public var countries: [String] = []

        public init(
            name: String,
            version: String,
            description: BilingualText,
            url: String,
            licence: String,
            creator: Party,
            published: Instant,
            languages: [String]
        ) {
            (self.name, self.version, self.description, self.url) = (name, version, description, url)
            (self.licence, self.creator, self.published, self.languages) = (licence, creator, published, languages)
        }
    }

    /// Documents and bytes that met with the same fate.
    public struct Count: Hashable, Sendable {
        /// Name of a dossier.
        public var source: String
        public var language: String
        /// That dropped them; `nil` for those that were kept.
        public var rule: String?
        public var documents: Int
        public var bytes: Int

        public init(source: String, language: String, rule: String?, documents: Int, bytes: Int) {
            (self.source, self.language, self.rule) = (source, language, rule)
            (self.documents, self.bytes) = (documents, bytes)
        }
    }

    /// Documents in which something of a kind of risk was found.
    public struct RiskCount: Hashable, Sendable {
        /// Of the taxonomy.
        public var risk: String
        public var found: Int
        /// Of those, dropped or masked.
        public var removed: Int

        public init(risk: String, found: Int, removed: Int) {
            (self.risk, self.found, self.removed) = (risk, found, removed)
        }
    }

    public enum Format: String, Hashable, Sendable, CaseIterable {
        case jsonl, jsonlGzip = "jsonl_gzip", jsonlZstd = "jsonl_zstd", parquet, text, warc
    }

    /// A file of the release.
    public struct Output: Hashable, Sendable {
        /// Relative to the release, with `/`.
        public var path: String
        public var digest: Digest
        public var bytes: Int
        public var records: Int
        public var format: Format

        public init(path: String, digest: Digest, bytes: Int, records: Int, format: Format) {
            (self.path, self.digest, self.bytes) = (path, digest, bytes)
            (self.records, self.format) = (records, format)
        }
    }

    /// A column that all outputs have.
    public struct Field: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            case text = "sc:Text"
            case integer = "sc:Integer"
            case number = "sc:Float"
            case boolean = "sc:Boolean"
            case time = "sc:DateTime"
            case url = "sc:URL"
        }

        public var name: String
        public var kind: Kind
        public var description: String

        public init(name: String, kind: Kind, description: String) {
            (self.name, self.kind, self.description) = (name, kind, description)
        }
    }

    /// A piece of the work: its result is a function of its input and of the configuration.
    public struct Block: Hashable, Sendable {
        /// Name of a dossier.
        public var source: String
        public var input: Digest
        public var configuration: Digest
        /// Of the files that its documents went to; they are ``Output``s of the release.
        public var outputs: [Digest]
        public var documents: Int
        public var kept: Int

        public init(source: String, input: Digest, configuration: Digest, outputs: [Digest], documents: Int, kept: Int)
        {
            (self.source, self.input, self.configuration) = (source, input, configuration)
            (self.outputs, self.documents, self.kept) = (outputs, documents, kept)
        }
    }

    public struct Sample: Sendable {
        public var name: String
        public var check: SpotCheck
        /// Of its items, in the order of their places.
        public var proofs: [InclusionProof]
        public var rule: SpotCheck.Rule?

        public init(name: String, check: SpotCheck, proofs: [InclusionProof], rule: SpotCheck.Rule? = nil) {
            (self.name, self.check, self.proofs, self.rule) = (name, check, proofs, rule)
        }
    }

    /// How personal data was looked for and made harmless.
    public struct Privacy: Hashable, Sendable {
        public var tool: String
        public var parameters: String
        public var result: String

        public init(tool: String, parameters: String, result: String) {
            (self.tool, self.parameters, self.result) = (tool, parameters, result)
        }
    }

    public var release: Release
    /// Name and version of the program.
    public var tool: String
    /// As it was run, with every default.
    public var pipeline: JSON
    public var dossiers: [Dossier]
    public var admissions: [(source: String, verdict: Admission)] = []
    public var counts: [Count] = []
    public var risks: [RiskCount] = []
    public var taxonomy: RiskTaxonomy?
    public var privacy: [Privacy] = []
    public var outputs: [Output]
    public var fields: [Field] = []
    public var blocks: [Block] = []
    /// Of the list of all documents of the release.
    public var items: (root: Digest, count: Int)?
    public var samples: [Sample] = []
    public var batches: [AnnotationBatch] = []
    public var profiles: [(profile: Profile, results: [CheckResult])] = []

    /// At which samples are said to prove something: that of the first profile that says one.
    var confidence: Double? { profiles.lazy.compactMap { $0.profile.sampling?.confidence }.first }

    public init(release: Release, tool: String, pipeline: JSON, dossiers: [Dossier], outputs: [Output]) {
        (self.release, self.tool, self.pipeline) = (release, tool, pipeline)
        (self.dossiers, self.outputs) = (dossiers, outputs)
    }
}
