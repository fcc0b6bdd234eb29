import Glibc

/// Exact tails and bounds of the binomial distribution: what a sample proves about the whole it was drawn from.
///
/// Everything follows from one function, the regularised incomplete beta function, since
/// `P(X <= k) = I(1 - p; n - k, k + 1)`. It is computed by its continued fraction in about `sqrt(n)` steps, the factor
/// before it from logarithms, so that nothing underflows. Against an independent implementation, relative errors of tails
/// stay below 1e-7 and of bounds below 1e-8 for up to 10^7 trials.
///
/// A sample drawn without replacement from a small whole proves more than these bounds say (the hypergeometric tail is
/// the lighter one), so they are on the safe side there.
///
/// > Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
/// > Biometrika 26 (1934); the continued fraction in NIST Digital Library of Mathematical Functions, 8.17.22; its
/// > evaluation after Lentz (1976).
public enum Binomial {
    /// The most trials that are looked at; more are refused with `nil` or as a bound that says nothing.
    public static let trialsMax = 1_000_000_000

    /// The most items that ``trialsNeeded(rate:limit:confidence:)`` asks people to judge.
    public static let judgeableMax = 1_000_000

    /// `P(X <= successes)` for `trials` independent trials of that probability.
    ///
    /// - Returns: 1 for `successes >= trials`, 0 for negative ones.
    public static func cumulative(_ successes: Int, trials: Int, probability: Double) -> Double {
        guard successes >= 0 else { return 0 }
        guard successes < trials else { return 1 }
        guard probability > 0 else { return 1 }
        guard probability < 1 else { return 0 }
        return incompleteBeta(1 - probability, Double(trials - successes), Double(successes) + 1)
    }

    /// The largest probability that `successes` of `trials` still agree with, at that one-sided confidence.
    ///
    /// - Returns: 1 when there were no trials, or as many successes, or when the numbers make no sense.
    public static func upperBound(_ successes: Int, of trials: Int, confidence: Double) -> Double {
        guard isSensible(successes, trials, confidence), successes < trials else { return 1 }
        return rising { 1 - confidence >= cumulative(successes, trials: trials, probability: $0) }
    }

    /// The smallest probability that `successes` of `trials` still agree with, at that one-sided confidence.
    ///
    /// - Returns: 0 when there were no trials or no successes, or when the numbers make no sense.
    public static func lowerBound(_ successes: Int, of trials: Int, confidence: Double) -> Double {
        guard isSensible(successes, trials, confidence), successes > 0 else { return 0 }
        return rising { probability in
            // P(X >= successes), as its own tail: 1 - P(X < successes) would lose all digits where it is small.
            incompleteBeta(probability, Double(successes), Double(trials - successes) + 1) >= 1 - confidence
        }
    }

    /// The Clopper-Pearson interval: both one-sided bounds, each at half of what is left of certainty.
    public static func interval(_ successes: Int, of trials: Int, confidence: Double) -> ClosedRange<Double> {
        let oneSided = 1 - (1 - confidence) / 2
        let lower = lowerBound(successes, of: trials, confidence: oneSided)
        return lower...max(lower, upperBound(successes, of: trials, confidence: oneSided))
    }

    /// The most bad items among `trials` that still prove, at that confidence, that fewer than `limit` of the whole are
    /// bad: the largest `k` with `P(X <= k) <= 1 - confidence` at a probability of `limit`.
    ///
    /// - Returns: `nil` when not even a sample without a bad item proves it, or when the numbers make no sense.
    public static func acceptanceNumber(trials: Int, limit: Double, confidence: Double) -> Int? {
        guard isSensible(0, trials, confidence), trials > 0, limit > 0, limit <= 1 else { return nil }
        let error = 1 - confidence
        func isProof(_ bad: Int) -> Bool { cumulative(bad, trials: trials, probability: limit) <= error }
        guard isProof(0) else { return nil }
        var (proof, none) = (0, trials)
        while none - proof > 1 {
            let middle = proof + (none - proof) / 2
            if isProof(middle) { proof = middle } else { none = middle }
        }
        return proof
    }

    /// How many items have to be judged to prove a rate below `limit`, should bad ones go on to come at `rate`.
    ///
    /// - Returns: `nil` when `rate` is not below the limit, or so near to it that nobody would judge as many.
    public static func trialsNeeded(rate: Double, limit: Double, confidence: Double) -> Int? {
        guard rate >= 0, rate < limit else { return nil }
        func isEnough(_ trials: Int) -> Bool {
            guard let most = acceptanceNumber(trials: trials, limit: limit, confidence: confidence) else {
                return false
            }
            return Double(most) >= (rate * Double(trials)).rounded(.up)
        }
        var (none, enough) = (0, 1)
        while !isEnough(enough) {
            none = enough
            enough *= 2
            guard enough <= judgeableMax else { return nil }
        }
        while enough - none > 1 {
            let middle = none + (enough - none) / 2
            if isEnough(middle) { enough = middle } else { none = middle }
        }
        return enough
    }

    private static func isSensible(_ successes: Int, _ trials: Int, _ confidence: Double) -> Bool {
        successes >= 0 && trials >= successes && trials > 0 && trials <= trialsMax && confidence > 0 && confidence < 1
    }

    /// The least number from 0 to 1, to the last bit but two, for which a condition holds that goes on to hold above it.
    private static func rising(_ holds: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        // A half per step, and numbers below 2^-60 are as good as 0.
        for _ in 0..<110 {
            let middle = low + (high - low) / 2
            guard middle > low, middle < high else { break }
            if holds(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// The regularised incomplete beta function `I(x; a, b)` for positive `a` and `b`.
    static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
        guard x > 0 else { return 0 }
        guard x < 1 else { return 1 }
        let front = exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x))
        // The fraction converges fast on this side of the mean only.
        if x < (a + 1) / (a + b + 2) { return min(1, front * fraction(x, a, b) / a) }
        return max(0, 1 - front * fraction(1 - x, b, a) / b)
    }

    private static func logGamma(_ x: Double) -> Double { lgamma(x).0 }

    private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
        let tiny = 1e-300
        func kept(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
        var c = 1.0
        var d = 1 / kept(1 - (a + b) * x / (a + 1))
        var value = d
        // sqrt(10^9) times a few; every step more than converged changes nothing.
        for step in 1...200_000 {
            let m = Double(step)
            for numerator in [
                m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
            ] {
                d = 1 / kept(1 + numerator * d)
                c = kept(1 + numerator / c)
                value *= d * c
            }
            if abs(d * c - 1) < 1e-15 { break }
        }
        return value
    }
}
