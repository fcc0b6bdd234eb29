/// A text whose label is known.
public struct LinearExample: Sendable, Hashable {
    /// UTF-8.
    public let text: [UInt8]
    /// Its place among the labels.
    public let label: Int
    /// Whether it may be kept from training to measure by. What stands in the place of better examples should not be what is measured by.
    public let mayBeHeldOut: Bool

    public init(_ text: [UInt8], label: Int, mayBeHeldOut: Bool = true) {
        self.text = text
        self.label = label
        self.mayBeHeldOut = mayBeHeldOut
    }
}
