/// What ``ContaminationScanner/clean(_:policy:matches:into:)`` made of a text.
public enum ContaminationOutcome: Hashable, Sendable {
    /// Nothing to change; nothing was written.
    case unchanged
    /// The output is the text without the stretches.
    case cut
    /// The document is to be left out; nothing was written.
    case dropped
}
