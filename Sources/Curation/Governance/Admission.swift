/// Whether a source may come in, or stay: by a sample that people judge before it is collected and again afterwards.
public struct Admission: Hashable, Sendable {
    public enum Stage: String, Hashable, Sendable, CaseIterable {
        /// A sample of what is there to be collected.
        case assessment
        /// A sample of what was collected.
        case verification
    }

    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        /// The sample proves a rate below the limit.
        case admitted
        /// More of the sample is bad than the limit allows of the whole.
        case refused
        /// Not above the limit, and not proven to be below it: judge more.
        case undecided
    }

    /// What the verdict rests on.
    public enum Basis: String, Hashable, Sendable, CaseIterable {
        /// People judged a sample of fixed size.
        case sample
        /// People judged items until enough was known.
        case sequential
        /// A classifier flagged items of all, corrected by how well it does.
        case classifier
    }

    public let stage: Stage
    public let basis: Basis
    public let outcome: Outcome
    /// Bad items of those judged; of a classifier, flagged items of all.
    public let bad: Proportion
    /// A fraction, from a profile.
    public let limit: Double
    public let confidence: Double
    /// What rate is possible at most, and at least: one-sided each, of a classifier both at once.
    public let upperBound: Double
    public let lowerBound: Double
    /// The most bad items that a sample of this size may have; `nil` when it is too small to prove anything.
    public let acceptanceNumber: Int?
    /// How many items a sample needs at the rate seen; `nil` when no sample would do.
    public let itemsNeeded: Int?

    /// Judges a sample of fixed size, drawn as ``SampleDraw`` does.
    ///
    /// - Parameters:
    ///   - bad: Bad items of those judged.
    ///   - limit: A fraction from 0 to 1, from a profile.
    ///   - confidence: One-sided.
    public init(stage: Stage, bad: Proportion, limit: Double, confidence: Double) {
        (self.stage, self.bad, self.limit, self.confidence) = (stage, bad, limit, confidence)
        basis = .sample
        upperBound = Binomial.upperBound(bad.count, of: bad.total, confidence: confidence)
        lowerBound = Binomial.lowerBound(bad.count, of: bad.total, confidence: confidence)
        acceptanceNumber = Binomial.acceptanceNumber(trials: bad.total, limit: limit, confidence: confidence)
        itemsNeeded = Binomial.trialsNeeded(rate: bad.ratio ?? 0, limit: limit, confidence: confidence)
        if let most = acceptanceNumber, bad.count <= most {
            outcome = .admitted
        } else if lowerBound > limit || (acceptanceNumber != nil && (bad.ratio ?? 0) > limit) {
            // A handful of items refuses a source only when that few are proof.
            outcome = .refused
        } else {
            outcome = .undecided
        }
    }

    /// The verdict of a sequential test, as far as it has come.
    ///
    /// Its decision stands, and the bounds are those of the counts, which at a stop that the counts themselves have
    /// chosen are a guide and no proof.
    public init(stage: Stage, test: SequentialTest) {
        let bad = Proportion(test.bad, of: test.judged)
        (self.stage, self.bad, limit, confidence) = (stage, bad, test.limit, test.confidence)
        basis = .sequential
        upperBound = Binomial.upperBound(bad.count, of: bad.total, confidence: test.confidence)
        lowerBound = Binomial.lowerBound(bad.count, of: bad.total, confidence: test.confidence)
        acceptanceNumber = nil
        itemsNeeded = nil
        switch test.decision {
        case .accepted: outcome = .admitted
        case .rejected: outcome = .refused
        case .undecided: outcome = .undecided
        }
    }

    /// Judges a whole source by a classifier whose rate was corrected: only where its interval is on one side of the limit.
    public init(stage: Stage, rate: CorrectedRate, limit: Double) {
        (self.stage, self.bad, self.limit, confidence) = (stage, rate.flagged, limit, rate.confidence)
        basis = .classifier
        (lowerBound, upperBound) = (rate.interval.lowerBound, rate.interval.upperBound)
        (acceptanceNumber, itemsNeeded) = (nil, nil)
        outcome = upperBound < limit ? .admitted : lowerBound > limit ? .refused : .undecided
    }

    /// What was found and what to do, for people.
    public var sentence: String {
        let seen =
            basis == .classifier
            ? "\(bad.count) of \(bad.total) items are flagged" : "\(bad.count) of \(bad.total) items judged are bad"
        let most = acceptanceNumber.map { "; up to \($0) were allowed" } ?? ""
        let sure = "at \(Percent.text(confidence)) confidence"
        switch outcome {
        case .admitted:
            let bound = basis == .sequential ? limit : upperBound
            return "\(seen)\(most): fewer than \(Percent.text(bound)) of the whole are bad, \(sure), "
                + "and the limit is \(Percent.text(limit)). Admitted."
        case .refused:
            let proof = lowerBound > limit ? "\(sure), the rate is above the limit" : "the sample is above the limit"
            return "\(seen)\(most): \(proof) of \(Percent.text(limit)). Refused: clean the source, or leave it out."
        case .undecided:
            guard bad.total > 0 else { return "Nothing was judged yet." }
            let next =
                basis == .classifier
                ? "Have people judge a sample" : itemsNeeded.map { "Judge \($0) in all" } ?? "Judge more"
            return "\(seen)\(most): up to \(Percent.text(upperBound)) of the whole may be bad, \(sure), "
                + "and the limit is \(Percent.text(limit)). \(next), or leave the source out."
        }
    }
}
