/// Why some bytes are no model, or some examples make none.
public struct LinearModelError: Error, Sendable, Hashable {
    /// A sentence that says what is wrong, for whoever named the file or the examples.
    public let message: String

    init(_ message: String) { self.message = message }
}
