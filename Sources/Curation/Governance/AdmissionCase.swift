public import Core

/// Whether one source may come in, or stay, from the draw of its sample to the verdict.
///
/// By which rule it is decided is written down with the draw, before anybody judges.
public struct AdmissionCase: Hashable, Sendable {
    /// What it is decided by.
    public struct Rule: Hashable, Sendable {
        /// The profile that says so, and of which copy.
        public let profile: String
        public let profileDigest: Digest
        /// Fractions; see ``Profile/admissionRule(_:)``.
        public let limit: Double
        public let confidence: Double
        public let acceptable: Double

        public init(
            profile: String,
            profileDigest: Digest,
            limit: Double,
            confidence: Double,
            acceptable: Double
        ) {
            (self.profile, self.profileDigest) = (profile, profileDigest)
            (self.limit, self.confidence, self.acceptable) = (limit, confidence, acceptable)
        }

        /// How many items are to be drawn: enough to be sure should bad ones come at the rate that is acceptable, and
        /// of items judged until enough is known twice as many, since these may run long.
        ///
        /// - Returns: `nil` when no number would do.
        public func size(_ basis: Admission.Basis) -> Int? {
            Binomial.trialsNeeded(rate: acceptable, limit: limit, confidence: confidence)
                .map { basis == .sequential ? 2 * $0 : $0 }
        }
    }

    public let source: String
    public let stage: Admission.Stage
    /// `sample` or `sequential`.
    public let basis: Admission.Basis
    public let rule: Rule
    /// Of what was collected, as it was when the sample was drawn; `nil` before collection.
    public let collected: Digest?
    public private(set) var check: SpotCheck

    /// - Returns: `nil` when the rule makes no sense.
    public init?(
        source: String,
        stage: Admission.Stage,
        basis: Admission.Basis,
        rule: Rule,
        collected: Digest?,
        check: SpotCheck
    ) {
        guard basis != .classifier, rule.limit > 0, rule.limit < 1, rule.confidence > 0.5, rule.confidence < 1,
            basis == .sample || rule.acceptable > 0 && rule.acceptable < rule.limit
        else { return nil }
        (self.source, self.stage, self.basis, self.rule) = (source, stage, basis, rule)
        (self.collected, self.check) = (collected, check)
    }

    /// Takes an event in; see ``WorkList/apply(_:)``.
    @discardableResult
    public mutating func apply(_ event: WorkList.Event) throws(WorkList.Refusal) -> Bool { try check.apply(event) }

    /// What is known so far.
    ///
    /// A sample of fixed size says nothing before all of it is settled, since who looks at every step and stops when it
    /// suits would be wrong more often than the confidence says. Items judged until enough is known count in the order
    /// in which they were drawn, up to the first that is not settled.
    ///
    /// - Returns: The verdict, and whether it stands: that nothing which may still be judged changes it.
    public func verdict(hash: @escaping MerkleHash) -> (admission: Admission, isFinal: Bool) {
        let tally = check.work.tally
        let isSettled = tally.settled == tally.drawn
        guard basis == .sequential,
            var test = SequentialTest(
                acceptable: rule.acceptable,
                limit: rule.limit,
                confidence: rule.confidence
            )
        else {
            let bad = Proportion(tally.bad, of: tally.settled)
            let admission = Admission(stage: stage, bad: bad, limit: rule.limit, confidence: rule.confidence)
            return (admission, isSettled)
        }
        let verdicts = Dictionary(check.work.items.map { ($0.place, $0.verdict) }) { first, _ in first }
        for place in check.draw.places(hash: hash) {
            guard test.decision == .undecided, let verdict = verdicts[place] ?? nil else { break }
            test.judge(isBad: !verdict.isGood)
        }
        return (Admission(stage: stage, test: test), test.decision != .undecided || isSettled)
    }
}

extension AdmissionCase {
    private static let keys = ["source", "stage", "basis", "rule", "collected", "check"]
    private static let ruleKeys = ["profile", "profile_digest", "limit", "confidence", "acceptable"]

    /// Reads what ``json`` wrote.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public init(_ json: JSON) throws(Failure) {
        let check = try SpotCheck(json["check"] ?? .null)
        var reader = FieldReader()
        let fields = reader.fields(json, at: "", known: Self.keys)
        let source = reader.name(fields, "source")
        let stage: Admission.Stage? = reader.choice(fields, "stage")
        let basis: Admission.Basis? = reader.choice(fields, "basis")
        let collected = reader.digest(fields, "collected", isRequired: false)
        let given = reader.fields(
            reader.value(fields, "rule", isRequired: true),
            at: fields.at("rule"),
            known: Self.ruleKeys
        )
        let profile = reader.text(given, "profile")
        let digest = reader.digest(given, "profile_digest")
        let limit = reader.number(given, "limit")
        let confidence = reader.number(given, "confidence")
        let acceptable = reader.number(given, "acceptable")
        var read: AdmissionCase?
        if let source, let stage, let basis, let profile, let digest, let limit, let confidence, let acceptable {
            let rule = Rule(
                profile: profile,
                profileDigest: digest,
                limit: limit,
                confidence: confidence,
                acceptable: acceptable
            )
            read = AdmissionCase(
                source: source,
                stage: stage,
                basis: basis,
                rule: rule,
                collected: collected,
                check: check
            )
            if read == nil { reader.fault(fields.at("rule"), "makes no sense") }
        }
        self = try reader.finish(read, "admission")
    }

    public var json: JSON {
        .sorted([
            ("source", .string(source)), ("stage", .string(stage.rawValue)), ("basis", .string(basis.rawValue)),
            (
                "rule",
                .sorted([
                    ("profile", .string(rule.profile)), ("profile_digest", .digest(rule.profileDigest)),
                    ("limit", .fraction(rule.limit)), ("confidence", .fraction(rule.confidence)),
                    ("acceptable", .fraction(rule.acceptable)),
                ])
            ),
            ("collected", .digest(collected)), ("check", check.json),
        ])
    }
}
