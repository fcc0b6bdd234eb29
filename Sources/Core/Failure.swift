/// An error that a person will read: what happened, where, and what to do next.
///
/// `detail` is safe for the caller; `note` is for the log only. There is no description that joins the two.
public struct Failure: Error, Sendable {
    /// What kind of failure; decides the HTTP status and the exit status.
    public let code: Code
    /// A sentence or two for the caller, saying what to do next.
    public let detail: String
    /// For the log only.
    public let note: String?
    /// Every fault of a refused request at once.
    public let violations: [Violation]
    /// When a retry can succeed, if that is known.
    public let retryAfter: Duration?

    public init(
        _ code: Code,
        _ detail: String,
        note: String? = nil,
        violations: [Violation] = [],
        retryAfter: Duration? = nil
    ) {
        self.code = code
        self.detail = detail
        self.note = note
        self.violations = violations
        self.retryAfter = retryAfter
    }

    /// The closed list of failures that callers can tell apart.
    public enum Code: String, Sendable, CaseIterable, Codable {
        /// The request cannot be read at all: broken JSON, a wrong cursor, a bad header.
        case malformed
        /// Readable but wrong; `violations` lists every fault.
        case invalid
        /// No or unknown credentials.
        case unauthenticated
        /// Known caller, missing right, on something the caller may know of.
        case forbidden
        /// Does not exist, or the caller may not know that it does.
        case notFound
        /// Contradicts the present state: a name taken, a job already final.
        case conflict
        /// `If-Match` or an upload offset did not match.
        case preconditionFailed
        /// A body, count or depth above its limit.
        case tooLarge
        /// A range outside the content.
        case rangeNotSatisfiable
        /// Bytes did not match their digest.
        case digestMismatch
        /// No centre could ever run it; the detail names the nearest possible request.
        case impossible
        /// A quota would be exceeded.
        case quotaExceeded
        /// A voucher does not cover the price.
        case budgetExceeded
        /// Too many requests.
        case rateLimited
        /// A centre or the point cannot be reached now.
        case unavailable
        /// The disk is full or read-only.
        case storageExhausted
        /// Something is broken on our side; the log has the rest.
        case `internal`
    }
}

/// One fault of a request: where, as a JSON Pointer (RFC 6901), and what to do about it.
public struct Violation: Sendable, Hashable, Codable {
    public let pointer: String
    public let message: String

    public init(_ pointer: String, _ message: String) {
        self.pointer = pointer
        self.message = message
    }
}
