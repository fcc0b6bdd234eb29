public import Core

/// What one can answer for about a source of training data: where it is from, by what right, who looked at it.
///
/// As it is written, not as it ought to be: a dossier may lack records. What a kind of source must have is a matter of
/// profiles, which are checked against many dossiers at once by ``ProfileEvidence``.
public struct Dossier: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        /// Published for use by others, under a licence.
        case open
        /// Collected by oneself, by crawling or otherwise. What an open source links to counts as this.
        case selfCollected = "self_collected"
        /// Bought.
        case commercial
        /// What users of a service typed.
        case userInput = "user_input"
        /// Made by a program.
        case synthetic
    }

    public enum Region: String, Hashable, Sendable, CaseIterable {
        case domestic, foreign
    }

    public enum Modality: String, Hashable, Sendable, CaseIterable {
        case text, code, image, audio, video, table
    }

    /// Licences in the two places that often differ: an SPDX identifier, a URL, or words.
    public struct Licence: Hashable, Sendable {
        /// What whoever made it says.
        public var atOrigin: String?
        /// What the place says that it was taken from.
        public var asClaimed: String?

        public init(atOrigin: String?, asClaimed: String?) {
            (self.atOrigin, self.asClaimed) = (atOrigin, asClaimed)
        }
    }

    /// A document that is kept, and by which digest.
    public struct Record: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable, CaseIterable {
            /// The text of a licence.
            case licence
            /// Of a purchase.
            case contract
            /// The seller's promise of lawful origin, quality and safety.
            case promise
            /// One's own check of what was bought.
            case review
            /// When and how it was collected, one entry for each address.
            case collection
            /// Users' permission to use what they typed.
            case authorisation
            /// How synthetic data was made: the program, its version, its input.
            case generation
            /// Whether the rights of others are touched.
            case rights
            /// Of a sample judged before collection: ``Admission/Stage/assessment``.
            case assessment
            /// Of a sample judged after collection: ``Admission/Stage/verification``.
            case verification
        }

        public var kind: Kind
        public var title: String
        /// Of the kept copy.
        public var digest: Digest
        public var url: String?
        public var date: Instant?

        public init(kind: Kind, title: String, digest: Digest, url: String? = nil, date: Instant? = nil) {
            (self.kind, self.title, self.digest, self.url, self.date) = (kind, title, digest, url, date)
        }
    }

    /// What a host said of crawling when it was crawled.
    public struct Robots: Hashable, Sendable {
        /// RFC 9309, sections 2.2 and 2.3.
        public enum Verdict: String, Hashable, Sendable, CaseIterable {
            /// All that was fetched was allowed.
            case allowed
            /// Something that was fetched was forbidden.
            case forbidden
            /// There was no such file (4xx): nothing is forbidden.
            case absent
            /// It could not be had (5xx): everything is forbidden.
            case unreachable
        }

        public var host: String
        /// Of the kept copy; `nil` where there was none to keep.
        public var digest: Digest?
        public var fetchedAt: Instant
        public var verdict: Verdict

        public init(host: String, digest: Digest?, fetchedAt: Instant, verdict: Verdict) {
            (self.host, self.digest, self.fetchedAt, self.verdict) = (host, digest, fetchedAt, verdict)
        }
    }

    /// By what right personal data is in it.
    public struct PersonalData: Hashable, Sendable {
        public enum Presence: String, Hashable, Sendable, CaseIterable {
            /// There is none, as far as was found.
            case none
            case ordinary
            /// Biometrics, religion, health, finance, whereabouts, children: what needs a separate consent.
            case sensitive
        }

        /// The grounds of the Personal Information Protection Law, article 13.
        public enum Basis: String, Hashable, Sendable, CaseIterable {
            case consent, contract, duty, emergency, news, published
            case otherLaw = "other_law"
        }

        public var presence: Presence
        public var basis: Basis?
        /// Where the consent, or whatever else the basis is, is on record.
        public var record: Digest?
        /// Where the separate consent to sensitive data is on record.
        public var separateConsent: Digest?

        public init(presence: Presence, basis: Basis? = nil, record: Digest? = nil, separateConsent: Digest? = nil) {
            (self.presence, self.basis) = (presence, basis)
            (self.record, self.separateConsent) = (record, separateConsent)
        }
    }

    /// Who judged the source, and when; the sample and its verdict are kept beside.
    public struct Assessment: Hashable, Sendable {
        public var assessor: String
        public var date: Instant
        public var note: String?

        public init(assessor: String, date: Instant, note: String? = nil) {
            (self.assessor, self.date, self.note) = (assessor, date, note)
        }
    }

    /// For pipelines, files and tables: letters, digits, `.`, `_`, `-`.
    public var name: String
    public var title: String
    public var kind: Kind
    /// An address, or a description where there is none.
    public var origin: String
    public var region: Region
    /// ISO 3166-1 alpha-2, such as `CN`.
    public var country: String?
    /// BCP 47, such as `zh` or `en-GB`.
    public var languages: [String]
    public var modalities: [Modality]
    public var licence: Licence
    /// Who holds the rights.
    public var owner: String?
    /// Where somebody turns to who finds their own work or person in it.
    public var complaints: String?
    public var records: [Record]
    public var robots: [Robots]
    public var personalData: PersonalData
    public var assessment: Assessment?
    public var collectedFrom: Instant?
    public var collectedTo: Instant?

    /// The least that every dossier has; the rest is set afterwards.
    public init(
        name: String,
        title: String,
        kind: Kind,
        origin: String,
        region: Region,
        languages: [String],
        modalities: [Modality],
        licence: Licence,
        personalData: PersonalData
    ) {
        (self.name, self.title, self.kind, self.origin) = (name, title, kind, origin)
        (self.region, self.languages, self.modalities) = (region, languages, modalities)
        (self.licence, self.personalData) = (licence, personalData)
        (records, robots) = ([], [])
    }

    /// Whether there is a record of that kind.
    public func has(_ kind: Record.Kind) -> Bool { records.contains { $0.kind == kind } }

    /// A name by which its dossier and others' can be told apart in any file.
    public static func isName(_ text: String) -> Bool { FieldReader.isName(text) }
}
