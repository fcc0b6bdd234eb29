import Entry
import HTTPTypes

extension HTTPField.Name {
    static let idempotencyKey = constant("Idempotency-Key")
    /// Where an upload stands, in bytes.
    static let uploadOffset = constant("Upload-Offset")
    /// Where the next piece of a log begins, in bytes.
    static let logOffset = constant("Onepoint-Log-Offset")
    /// Whether nothing will follow.
    static let logComplete = constant("Onepoint-Log-Complete")
    static let lastEventID = constant("Last-Event-ID")
}
