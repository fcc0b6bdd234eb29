import HTTPTypes

extension HTTPField.Name {
    static let idempotencyKey = name("Idempotency-Key")
    /// Where an upload stands, in bytes.
    static let uploadOffset = name("Upload-Offset")
    /// Where the next piece of a log begins, in bytes.
    static let logOffset = name("Onepoint-Log-Offset")
    /// Whether nothing will follow.
    static let logComplete = name("Onepoint-Log-Complete")
    static let lastEventID = name("Last-Event-ID")

    // The names above are constants of ours that are valid tokens.
    private static func name(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a header name") }
        return name
    }
}
