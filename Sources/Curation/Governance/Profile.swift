import Core

/// What a standard asks for, as a file says it: every threshold with its clause and with how sure we are of it.
///
/// No threshold stands in code. A file belongs to one edition of one standard; a new edition is a new file, and `version`
/// counts corrections of one.
public struct Profile: Hashable, Sendable {
    /// How what was found is compared with what is asked for.
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case atLeast = "at_least"
        case atMost = "at_most"
        case below
        /// A statement that must be true; it has no value.
        case holds
    }

    public enum Unit: String, Hashable, Sendable, CaseIterable {
        case count, percent, days
    }

    public struct Check: Hashable, Sendable {
        public var id: String
        public var clause: String
        public var title: BilingualText
        public var measure: Measure
        public var comparison: Comparison
        /// In ``unit``; 0 of statements.
        public var value: Double
        public var unit: Unit
        /// That a rate below the value has to be proven at, as a fraction; `nil` where the rate itself is compared.
        public var confidence: Double?
        /// Of measures by risk: which group, or which risk, has to have the value; all of them without one.
        public var within: String?
        public var sure: Assurance
        /// Of the assurance.
        public var source: String
        /// What to do when it is not met.
        public var remedy: BilingualText

        /// The value as a fraction, a count or days.
        var threshold: Double { unit == .percent ? value / 100 : value }
    }

    /// How sure samples must make us: ours to choose, so that the file says it apart from the standard's checks.
    public struct Sampling: Hashable, Sendable {
        /// A fraction.
        public var confidence: Double
        /// A rate of bad items that a sequential test should accept, as a fraction.
        public var acceptable: Double
        /// Who chose it, and why.
        public var source: String
    }

    public var name: String
    public var version: Int
    public var standard: String
    public var title: BilingualText
    /// `YYYY-MM-DD`, as its publisher says.
    public var published: String?
    public var inForce: String?
    public var note: BilingualText?
    /// Of the ``RiskTaxonomy`` that its checks speak of.
    public var taxonomy: String?
    public var sampling: Sampling?
    public var checks: [Check]

    private func first(_ measure: Measure) -> Check? { checks.first { $0.measure == measure } }

    /// What it asks of a spot check by people; `nil` when it asks for none.
    public var spotCheckRule: SpotCheck.Rule? {
        guard let items = first(.humanItems), let pass = first(.humanPass), items.value < 1e9, let sampling else {
            return nil
        }
        return SpotCheck.Rule(
            itemsMin: Int(items.value.rounded(.up)),
            passMin: pass.threshold,
            confidence: sampling.confidence
        )
    }

    /// How much of a source may be bad, and how surely that must be shown; `nil` when it does not say.
    ///
    /// All three are fractions: the limit for ``Admission``, and with what is acceptable for ``SequentialTest``.
    public func admissionRule(
        _ stage: Admission.Stage
    ) -> (limit: Double, confidence: Double, acceptable: Double)? {
        guard let check = first(stage == .assessment ? .assessedBad : .verifiedBad), let sampling else { return nil }
        return (check.threshold, sampling.confidence, sampling.acceptable)
    }
}
