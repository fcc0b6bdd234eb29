/// What ``LinearModel`` needs while it looks at a text; kept by the caller, so that no text costs an allocation.
public struct LinearScratch: Sendable {
    var sums: [Int32] = []
    /// Of each label, after the text looked at last that had a letter.
    public internal(set) var probabilities: [Float] = []

    public init() {}
}
