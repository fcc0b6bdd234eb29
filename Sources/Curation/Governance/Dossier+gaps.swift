extension Dossier {
    /// Something that a dossier leaves open.
    public enum Gap: String, Hashable, Sendable, CaseIterable {
        case licenceAtOrigin = "licence_at_origin"
        case licenceAsClaimed = "licence_as_claimed"
        case owner, complaints, country, languages, records
        /// Of a source that was collected by oneself.
        case collectionRecord = "collection_record"
        /// Of a source that was collected by oneself from the web.
        case robots
        case contract, authorisation, generation
        /// There is personal data, and nobody says by what right.
        case personalBasis = "personal_basis"
        /// The right is a consent that is nowhere on record.
        case consentRecord = "consent_record"
        case separateConsent = "separate_consent"
        case assessment
        case collectedWhen = "collected_when"
    }

    /// What is not said, in the order in which it is asked.
    ///
    /// Whether it must be said is a matter of profiles; here it is only told, so that nobody takes silence for an answer.
    public var gaps: [Gap] {
        var gaps: [Gap] = []
        func require(_ isThere: Bool, _ gap: Gap) { if !isThere { gaps.append(gap) } }
        require(licence.atOrigin != nil, .licenceAtOrigin)
        require(licence.asClaimed != nil, .licenceAsClaimed)
        require(owner != nil, .owner)
        require(complaints != nil, .complaints)
        require(region == .domestic || country != nil, .country)
        require(!languages.isEmpty, .languages)
        require(!records.isEmpty, .records)
        switch kind {
        case .open: break
        case .selfCollected:
            require(has(.collection), .collectionRecord)
            require(!origin.hasPrefix("http") || !robots.isEmpty, .robots)
        case .commercial: require(has(.contract), .contract)
        case .userInput: require(has(.authorisation), .authorisation)
        case .synthetic: require(has(.generation), .generation)
        }
        if personalData.presence != .none {
            require(personalData.basis != nil, .personalBasis)
            require(personalData.basis != .consent || personalData.record != nil, .consentRecord)
            require(personalData.presence != .sensitive || personalData.separateConsent != nil, .separateConsent)
        }
        require(assessment != nil, .assessment)
        require(collectedFrom != nil || collectedTo != nil, .collectedWhen)
        return gaps
    }
}
