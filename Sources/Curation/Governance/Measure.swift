/// What a check of a profile can look at. The words are those of profile files; what is asked of each stands there.
public enum Measure: String, Hashable, Sendable, CaseIterable {
    // Of sources.
    /// Sources with an assessment from before they were collected.
    case sourcesAssessed = "sources_assessed"
    /// Of each source, what was found bad of the items judged before collection.
    case assessedBad = "assessed_bad"
    /// Of each source, what was found bad of the items judged after collection.
    case verifiedBad = "verified_bad"
    /// How many sources there are for each language and modality, as `zh/text`.
    case sourcesPerCell = "sources_per_cell"
    /// How many sources are domestic, and how many foreign.
    case sourcesPerRegion = "sources_per_region"
    /// Open sources with the text of their licence on record.
    case openLicenceKept = "open_licence_kept"
    /// Sources whose licence at origin is known and is what was claimed.
    case licenceMatches = "licence_matches"
    /// Self-collected sources with a record of collection.
    case collectionRecorded = "collection_recorded"
    /// Self-collected sources with evidence of what their hosts forbid, and nothing that they forbid.
    case robotsObeyed = "robots_obeyed"
    /// Commercial sources with contract, promise and own review on record.
    case commercialDocumented = "commercial_documented"
    /// Items of user input with an authorisation on record.
    case userInputAuthorised = "user_input_authorised"
    /// Sources with the records that make their kind lawful.
    case lawfulSource = "lawful_source"
    /// Documents that are in the corpus although their distribution is blocked by law.
    case blockedDocuments = "blocked_documents"
    /// Sources whose owner of rights is named.
    case ownerNamed = "owner_named"
    /// Sources for which a record says whether the rights of others are touched.
    case rightsReviewed = "rights_reviewed"
    /// Sources with a channel for complaints.
    case complaintChannel = "complaint_channel"
    /// Whether a summary of the parts that touch the rights of others is published.
    case rightsSummary = "rights_summary"
    /// Sources with personal data whose legal basis is on record.
    case personalBasis = "personal_basis"
    /// Sources with sensitive data whose separate consent is on record.
    case separateConsent = "separate_consent"
    /// Sources whose country is named.
    case originNamed = "origin_named"

    // Of the pipeline.
    /// Documents that keywords were looked for in.
    case keywordCoverage = "keyword_coverage"
    /// Documents that a classifier looked at.
    case classifierCoverage = "classifier_coverage"
    /// Documents that personal data was looked for in.
    case personalCoverage = "personal_coverage"
    /// Of the documents in which sensitive personal data was found, those from which it was removed.
    case sensitiveRemoved = "sensitive_removed"
    /// Keywords in the library.
    case keywords
    /// Keywords for each risk.
    case keywordsPerRisk = "keywords_per_risk"
    /// Days since the library was changed.
    case keywordsAgeDays = "keywords_age_days"
    /// Classes of the classifier for each risk.
    case classifierRisks = "classifier_risks"

    // Of spot checks.
    /// Items that people judged and reviewed.
    case humanItems = "human_items"
    /// Good of them.
    case humanPass = "human_pass"
    /// Items that programs judged, of all.
    case technicalShare = "technical_share"
    /// Good of them.
    case technicalPass = "technical_pass"

    // Of annotation.
    /// People in annotation who are trained and examined.
    case annotatorsQualified = "annotators_qualified"
    /// Batches that have both annotators and reviewers, and nobody who is both.
    case rolesApart = "roles_apart"
    /// Items that one person both annotated and reviewed.
    case samePersonItems = "same_person_items"
    /// Sets of rules for each risk, of safety batches.
    case safetyRulesPerRisk = "safety_rules_per_risk"
    /// Items of safety batches that were reviewed.
    case safetyReviewed = "safety_reviewed"
    /// Whether no safety batch is stored where a functional one is.
    case safetyApart = "safety_apart"
    /// Functional batches of which items were reviewed.
    case functionalSampled = "functional_sampled"
    /// Whether functional and safety data have rules of their own.
    case rulesApart = "rules_apart"

    // Of a model, from elsewhere.
    case testBank = "test_bank"
    case testBankPerRisk = "test_bank_per_risk"
    case testBankAgeDays = "test_bank_age_days"
    case refuseBank = "refuse_bank"
    case refuseBankPerRisk = "refuse_bank_per_risk"
    case answerBank = "answer_bank"
    case refused
    case overRefused = "over_refused"
    case generatedPass = "generated_pass"

    // Said by somebody who answers for it.
    case annotationDocumented = "annotation_documented"
    case dataGraded = "data_graded"
    case accessControlled = "access_controlled"
    case accessLogged = "access_logged"
    case mitigationDocumented = "mitigation_documented"
    case evaluationDocumented = "evaluation_documented"
    case qualityDocumented = "quality_documented"
}
