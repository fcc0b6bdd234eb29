/// How a ``LinearModel`` is trained.
public struct LinearTraining: Sendable, Hashable {
    /// Decides the order of texts, which are held out, and which excerpts are learned.
    public let seed: UInt64
    /// How often every text is learned: 1 to 100.
    public let rounds: Int
    /// The rate of AdaGrad.
    public let rate: Float
    /// The share of texts of which an excerpt of any length is learned instead of the whole, 0 to 1. For models that
    /// must know short texts too.
    public let excerpts: Double
    /// The share of texts that one training is kept from, to see how it does on them and how sure it may be: 0 to 0.9.
    /// The model that results is trained a second time, on all.
    public let heldOut: Double

    /// Whether examples are not learned whose label is all but impossible to a model of the other half of them: the
    /// English sentence in a collection of Catalan. Held-out texts are all measured by, these too.
    public let dropsMislabelled: Bool

    public init(
        seed: UInt64,
        rounds: Int = 6,
        rate: Float = 0.2,
        excerpts: Double = 0,
        heldOut: Double = 0.2,
        dropsMislabelled: Bool = false
    ) {
        self.seed = seed
        self.rounds = max(1, min(100, rounds))
        self.rate = rate
        self.excerpts = excerpts
        self.heldOut = max(0, min(0.9, heldOut))
        self.dropsMislabelled = dropsMislabelled
    }
}
