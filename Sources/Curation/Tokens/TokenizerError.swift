/// Why a `tokenizer.json` cannot be counted by.
public struct TokenizerError: Error, Sendable, Hashable {
    /// A sentence that names the part that is not understood.
    public let message: String

    init(_ message: String) { self.message = message }
}
