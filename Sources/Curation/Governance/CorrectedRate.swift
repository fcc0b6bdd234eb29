/// How much of a corpus is bad, from what a classifier flagged and from how well it does.
///
/// A classifier's own rate is no truth: it misses some and flags some wrongly. Given how often, on items that people
/// have judged, the true rate follows. The interval is made of the Clopper-Pearson intervals of everything measured, each
/// at its share of the error, put together at their worst corners: it holds at least as often as it says, and is wider
/// than the usual one by the variance.
///
/// > Source: Rogan and Gladen, "Estimating prevalence from the results of a screening test", American Journal of
/// > Epidemiology 107 (1978).
public struct CorrectedRate: Hashable, Sendable {
    /// What the classifier flagged of all.
    public let flagged: Proportion
    /// The best guess, a fraction from 0 to 1.
    public let rate: Double
    /// Holds the true rate at `confidence`.
    public let interval: ClosedRange<Double>
    public let confidence: Double

    /// From recall and specificity, measured on any items whose truth is known.
    ///
    /// - Parameters:
    ///   - recall: Flagged of those known to be bad.
    ///   - specificity: Not flagged of those known to be good.
    /// - Returns: `nil` when the classifier, as measured, is no better than chance, or was not measured at all.
    public init?(flagged: Proportion, recall: Proportion, specificity: Proportion, confidence: Double) {
        guard let apparent = flagged.ratio, let found = recall.ratio, let spared = specificity.ratio,
            confidence > 0, confidence < 1, found + spared > 1
        else { return nil }
        func corrected(_ apparent: Double, _ found: Double, _ spared: Double) -> Double? {
            found + spared > 1 ? min(max((apparent + spared - 1) / (found + spared - 1), 0), 1) : nil
        }
        let share = 1 - (1 - confidence) / 3
        let (apparents, founds) = (flagged.interval(confidence: share), recall.interval(confidence: share))
        let spares = specificity.interval(confidence: share)
        // It rises with the apparent rate and with specificity, and falls with recall. Where recall and specificity may
        // be so bad that nothing follows, everything up to 1 is possible.
        let low = corrected(apparents.lowerBound, founds.upperBound, spares.lowerBound) ?? 0
        let high = corrected(apparents.upperBound, founds.lowerBound, spares.upperBound) ?? 1
        let rate = corrected(apparent, found, spared) ?? 0
        self.init(flagged, rate, low, high, confidence)
    }

    /// From recall, and from precision measured on a sample of what was flagged in this very corpus.
    ///
    /// Precision does not carry over from one corpus to another, since it depends on the rate that is looked for.
    /// - Parameters:
    ///   - recall: Flagged of those known to be bad.
    ///   - precision: Truly bad of those flagged.
    /// - Returns: `nil` when nothing bad was ever found, or something was not measured.
    public init?(flagged: Proportion, recall: Proportion, precision: Proportion, confidence: Double) {
        guard let apparent = flagged.ratio, let found = recall.ratio, let right = precision.ratio, found > 0,
            confidence > 0, confidence < 1
        else { return nil }
        let share = 1 - (1 - confidence) / 3
        let (apparents, founds) = (flagged.interval(confidence: share), recall.interval(confidence: share))
        let rights = precision.interval(confidence: share)
        let low = min(1, apparents.lowerBound * rights.lowerBound / founds.upperBound)
        let high = founds.lowerBound > 0 ? min(1, apparents.upperBound * rights.upperBound / founds.lowerBound) : 1
        self.init(flagged, min(1, apparent * right / found), low, high, confidence)
    }

    private init(_ flagged: Proportion, _ rate: Double, _ low: Double, _ high: Double, _ confidence: Double) {
        (self.flagged, self.rate, self.confidence) = (flagged, rate, confidence)
        interval = min(low, rate)...max(high, rate)
    }
}
