import Glibc

/// Judges one item after the other and stops as soon as enough is known: a clean or a filthy source is decided after
/// a hundred or two.
///
/// It weighs two claims: that at most `acceptable` of the whole is bad, and that `limit` or more is. Every item moves the
/// logarithm of their likelihood ratio; the boundaries stand at `1 - confidence` and its inverse, so that either error has
/// at most that probability wherever one stops (by Ville's inequality; the customary boundaries hold it only nearly). So
/// an acceptance proves a rate below the limit just as ``Binomial/acceptanceNumber(trials:limit:confidence:)`` does.
/// Between the two rates it may run long: whoever uses it caps the items and goes on with a fixed sample.
///
/// > Source: Wald, "Sequential tests of statistical hypotheses", Annals of Mathematical Statistics 16 (1945).
public struct SequentialTest: Hashable, Sendable {
    public enum Decision: String, Hashable, Sendable, CaseIterable {
        case undecided
        /// The rate is below the limit.
        case accepted
        /// The rate is above what is acceptable.
        case rejected
    }

    /// A rate that one wants to accept, as a fraction.
    public let acceptable: Double
    /// A rate that one must not accept, as a fraction.
    public let limit: Double
    public let confidence: Double
    public private(set) var judged = 0
    public private(set) var bad = 0
    public private(set) var decision = Decision.undecided

    /// - Returns: `nil` unless `0 < acceptable < limit < 1` and `0.5 < confidence < 1`.
    public init?(acceptable: Double, limit: Double, confidence: Double) {
        guard acceptable > 0, acceptable < limit, limit < 1, confidence > 0.5, confidence < 1 else { return nil }
        (self.acceptable, self.limit, self.confidence) = (acceptable, limit, confidence)
    }

    /// Takes one item in. After a decision nothing changes any more: what is judged later belongs to another sample.
    @discardableResult
    public mutating func judge(isBad: Bool) -> Decision {
        guard decision == .undecided else { return decision }
        judged += 1
        if isBad { bad += 1 }
        let boundary = -log(1 - confidence)
        if logRatio >= boundary { decision = .rejected }
        if logRatio <= -boundary { decision = .accepted }
        return decision
    }

    /// Of the likelihood at the limit to that at the acceptable rate. From the counts, so that no rounding adds up.
    public var logRatio: Double {
        Double(bad) * log(limit / acceptable) + Double(judged - bad) * log((1 - limit) / (1 - acceptable))
    }

    /// The fewest items after which it can accept: when none is bad.
    public var acceptanceMin: Int {
        Int((log(1 - confidence) / log((1 - limit) / (1 - acceptable))).rounded(.up))
    }
}
