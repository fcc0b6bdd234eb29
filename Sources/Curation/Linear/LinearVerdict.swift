/// What a ``LinearModel`` says of a text.
public struct LinearVerdict: Sendable, Hashable {
    /// The most probable label, as its place among the labels of the model.
    public let label: Int
    /// How probable it is, 0 to 1.
    public let probability: Float
    /// The next.
    public let second: Int
    public let secondProbability: Float

    /// - Parameter probabilities: At least two.
    init(_ probabilities: Span<Float>) {
        var (first, second) = probabilities[1] > probabilities[0] ? (1, 0) : (0, 1)
        for label in 2..<max(2, probabilities.count) {
            if probabilities[label] > probabilities[first] {
                (first, second) = (label, first)
            } else if probabilities[label] > probabilities[second] {
                second = label
            }
        }
        self.label = first
        self.probability = probabilities[first]
        self.second = second
        self.secondProbability = probabilities[second]
    }
}
