/// What a ``LinearModel`` says of itself: all that one must know to judge what it says of a text.
public struct LinearModelCard: Sendable, Hashable {
    public let name: String
    public let version: String
    /// What it tells apart, 2 to 512 names of 1 to 64 bytes; a label is its place in this list.
    public let labels: [String]
    /// The texts that it was trained on, as a person would name them.
    public let trainedFrom: String
    /// The licence of the model, SPDX where there is one.
    public let licence: String
    public let seed: UInt64
    /// How many texts it was trained on.
    public internal(set) var examples = 0
    /// How it did on texts that were kept from a training of the same kind; `nil` when none were.
    public internal(set) var heldOut: Trial?

    /// How a model did on texts that it had not seen.
    public struct Trial: Sendable, Hashable {
        public let examples: Int
        /// The share of texts that got their own label.
        public let accuracy: Double
        /// The mean over labels of that share.
        public let macroAccuracy: Double
        /// The mean of what it said the probability of its answers was; near the accuracy when it is calibrated.
        public let confidence: Double
    }

    public init(name: String, version: String, labels: [String], trainedFrom: String, licence: String, seed: UInt64) {
        self.name = name
        self.version = version
        self.labels = labels
        self.trainedFrom = trainedFrom
        self.licence = licence
        self.seed = seed
    }
}
