/// What ``PersonalScanner/redact(_:policy:matches:into:)`` made of a document.
public enum PersonalOutcome: Hashable, Sendable {
    /// Nothing to change; nothing was written.
    case unchanged
    /// The output is the text with placeholders.
    case masked
    /// A kind that the policy drops documents for was found; nothing was written.
    case dropped
}
