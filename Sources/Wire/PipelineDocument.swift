import Core

/// What is to become of raw pages and records: sources, operators, outputs.
///
/// Operators run in one order, whatever the order in the file: extraction, language, rules, keywords, personal data,
/// contamination, duplicates. So a document has one fate, and two files that ask for the same do the same.
public struct PipelineDocument: Hashable, Sendable, Codable {
    public var name: String
    public var sources: [Source]
    public var languages: Languages?
    public var rules: Rules?
    public var classifiers: [Classifier] = []
    public var keywords: Keywords?
    public var personal: Personal?
    public var contamination: Contamination?
    public var duplicates: Duplicates?
    /// A `tokenizer.json` that the tokens of what is kept are counted with.
    public var tokenizer: String?
    public var output: Output

    /// Files that belong together: of one origin, under one licence.
    public struct Source: Hashable, Sendable, Codable {
        public var name: String
        /// Paths from the pipeline file's folder, or within ``repository``; `*`, `?` and `[…]` stand for more.
        public var files: [String]
        /// A repository whose revision has the files, such as `datasets/demo/corpus`.
        public var repository: String?
        /// Of the repository: a branch, a tag or a commit; `main` when it is left out.
        public var revision: String?
        /// `nil`: by the ending of each file's name.
        public var format: Format?
        public var fields: Fields
        /// A source's dossier, beside the pipeline file.
        public var dossier: String?
        /// Whether it is only compared with: an earlier release, another data set. Nothing of it is written.
        public var isReference: Bool

        enum CodingKeys: String, CodingKey {
            case name, files, repository, revision, format, fields, dossier, isReference = "reference"
        }

        public init(name: String, files: [String]) {
            self.name = name
            self.files = files
            fields = Fields()
            isReference = false
        }
    }

    public enum Format: String, Hashable, Sendable, Codable, CaseIterable {
        case jsonl, warc, parquet, text, html
    }

    /// What the members of a record are called.
    public struct Fields: Hashable, Sendable, Codable {
        public var text = "text"
        public var id = "id"
        public var url = "url"

        public init() {}
    }

    public struct Languages: Hashable, Sendable, Codable {
        /// Codes such as `zh` and `en`.
        public var keep: [String]
        /// Below it a document counts as of no language.
        public var probabilityMin: Double
    }

    public struct Rules: Hashable, Sendable, Codable {
        public var sets: [RuleSet]
        /// By the rule's name, over what it says by itself.
        public var thresholds: [String: Double]
    }

    public enum RuleSet: String, Hashable, Sendable, Codable, CaseIterable {
        case gopherRepetition = "gopher-repetition"
        case gopherQuality = "gopher-quality"
        case c4
        case fineweb
        case chinese
    }

    /// A model that `onepoint data train` made.
    public struct Classifier: Hashable, Sendable, Codable {
        public var model: String
        /// The labels that a document may have.
        public var keep: [String]
        /// What it has to have of all of them together.
        public var probabilityMin: Double
    }

    public struct Keywords: Hashable, Sendable, Codable {
        public var packs: [String]
        public var action: Action
        /// Weight of all hits in a document from which on the action is taken.
        public var weightMin: Double

        public enum Action: String, Hashable, Sendable, Codable, CaseIterable { case report, drop }
    }

    public struct Personal: Hashable, Sendable, Codable {
        /// Of the types that ``types`` does not name.
        public var action: Action
        /// By type, as in `phone: drop`.
        public var types: [String: Action]

        public enum Action: String, Hashable, Sendable, Codable, CaseIterable { case report, mask, drop }
    }

    public struct Contamination: Hashable, Sendable, Codable {
        /// Files of evaluation sets, JSON Lines or text.
        public var against: [String]
        public var action: Action

        public enum Action: String, Hashable, Sendable, Codable, CaseIterable { case report, cut, drop }
    }

    public struct Duplicates: Hashable, Sendable, Codable {
        public var exact: Bool
        public var near: Near?
        public var lines: Repeats?
        public var paragraphs: Repeats?
        public var substrings: Substrings?

        public struct Near: Hashable, Sendable, Codable {
            /// Documents whose shingles have this much in common are one.
            public var jaccardMin: Double
        }

        public struct Repeats: Hashable, Sendable, Codable {
            /// A line or paragraph that this many documents have goes from all but the first.
            public var countMin: Int
            /// Shorter ones stay.
            public var bytesMin: Int
        }

        public struct Substrings: Hashable, Sendable, Codable {
            /// What goes stands in so many bytes that stood before.
            public var bytesMin: Int
        }
    }

    public struct Output: Hashable, Sendable, Codable {
        /// From the pipeline file's folder.
        public var folder: String
        public var format: Format

        public enum Format: String, Hashable, Sendable, Codable, CaseIterable {
            case jsonl
            case jsonlZstd = "jsonl.zst"
            case parquet
        }
    }
}

/// What a pipeline file may say.
public enum PipelineLimits {
    public static let sourcesMax = 1000
    public static let patternsMax = 1000
    public static let pathBytesMax = 4096
    public static let languagesMax = 200
    public static let thresholdsMax = 200
    public static let packsMax = 100
    public static let classifiersMax = 16
    /// Of a stretch that is looked for.
    public static let substringBytes = 40...100_000
}
