/// What a rule measured on a document, and whether the document passed.
public struct QualityFinding: Sendable, Equatable {
    public let rule: QualityRule
    /// In the rule's own unit: a share of one, or a count.
    public let measured: Double
    public let threshold: Double

    public init(rule: QualityRule, measured: Double, threshold: Double) {
        self.rule = rule
        self.measured = measured
        self.threshold = threshold
    }

    /// Whether the value is not beyond the threshold; one that is equal to it passes.
    public var passed: Bool {
        switch rule.bound {
        case .most: !(measured > threshold)
        case .least: !(measured < threshold)
        }
    }
}
