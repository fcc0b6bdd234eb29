/// A count out of a count, which is kept instead of the quotient because only the counts say how sure one may be.
public struct Proportion: Hashable, Sendable {
    public let count: Int
    public let total: Int

    /// - Parameters:
    ///   - count: Brought into `0...total`.
    ///   - total: Not below 0.
    public init(_ count: Int, of total: Int) {
        self.total = max(0, total)
        self.count = min(max(0, count), self.total)
    }

    /// `nil` of nothing.
    public var ratio: Double? { total > 0 ? Double(count) / Double(total) : nil }

    /// The Clopper-Pearson interval, two-sided; 0...1 of nothing.
    public func interval(confidence: Double) -> ClosedRange<Double> {
        Binomial.interval(count, of: total, confidence: confidence)
    }

    /// What remains: the good of the bad.
    public var complement: Proportion { Proportion(total - count, of: total) }
}
