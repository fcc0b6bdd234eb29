/// What is done with a text that has a part of an evaluation item.
public struct ContaminationPolicy: Hashable, Sendable {
    public enum Action: UInt8, Sendable {
        /// The stretches are reported; the text stays.
        case report
        /// The stretches are cut out.
        case cut
        /// The document is left out.
        case drop
    }

    public var action: Action
    /// The share of an item, from 0 to 1, from which on it counts.
    public var shareMin: Double

    public init(_ action: Action, shareMin: Double = 0.5) {
        self.action = action
        self.shareMin = shareMin
    }
}
