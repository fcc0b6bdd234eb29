public import Core

/// One kind of problem that our API answers with: the catalogue that statuses, documents and clients share.
public struct ProblemKind: Sendable, Hashable {
    /// Stable, for programs: `not_found`.
    public let code: String
    public let status: Int
    /// Whether the same request can succeed later without a change of its own.
    public let isRetryable: Bool
    /// The same for every problem of this kind.
    public let title: String
    /// What it means and what to do, for the reference page.
    public let meaning: String

    /// The last part of the problem's `type`: `not-found`.
    public var slug: String { String(code.map { $0 == "_" ? "-" : $0 }) }

    /// The `type` of RFC 9457, section 3.1.1. An URN, because no server has to stand behind it.
    public var type: String { "urn:onepoint:problem:" + slug }
}

extension Failure {
    /// Reads a problem that the point answered with; `nil` when the text is no problem of ours.
    ///
    /// - Parameter problem: The body of an `application/problem+json` answer.
    public init?(problem: JSON) {
        guard let name = problem["code"]?.stringValue, let detail = problem["detail"]?.stringValue else { return nil }
        let code = Failure.Code.allCases.first { ProblemKind($0).code == name }
        guard let code = code ?? (name == ProblemKind.methodNotAllowed.code ? .malformed : nil) else { return nil }
        let violations = (problem["errors"]?.arrayValue ?? []).compactMap { item -> Violation? in
            guard let pointer = item["pointer"]?.stringValue, let message = item["message"]?.stringValue else {
                return nil
            }
            return Violation(pointer, message)
        }
        let wait = problem["retry_after_ms"]?.integerValue.map { Duration.milliseconds($0) }
        self.init(code, detail, violations: violations, retryAfter: wait)
    }
}

extension ProblemKind {
    /// A known path, but not with this method. The only kind that no ``Failure`` has: it never leaves the entry.
    public static let methodNotAllowed = ProblemKind(
        code: "method_not_allowed",
        status: 405,
        isRetryable: false,
        title: "Method not allowed",
        meaning: "The path exists, but not with this method. The `Allow` header lists those it has."
    )

    /// Every kind, in the order of the reference page.
    public static let all: [ProblemKind] = Failure.Code.allCases.map(ProblemKind.init) + [.methodNotAllowed]

    public init(_ code: Failure.Code) {
        let row = Self.row(code)
        self.init(
            code: row.code,
            status: row.status,
            isRetryable: row.retryable,
            title: row.title,
            meaning: row.meaning
        )
    }

    // The catalogue itself. Codes are never renamed: clients and exit statuses hang on them.
    // swift-format-ignore
    private static func row(
        _ code: Failure.Code
    ) -> (code: String, status: Int, retryable: Bool, title: String, meaning: String) {
        switch code {
        case .malformed: ("malformed", 400, false, "Request cannot be read",
            "Broken JSON, a wrong cursor, a bad header or query. Correct the request.")
        case .invalid: ("invalid", 422, false, "Request is not valid",
            "Readable, but wrong. `errors` lists every fault with its JSON Pointer; correct them all at once.")
        case .unauthenticated: ("unauthenticated", 401, false, "Credentials are missing or unknown",
            "Send `Authorization: Bearer …` with a token that is neither expired nor revoked.")
        case .forbidden: ("forbidden", 403, false, "Not allowed",
            "The caller is known, but lacks the role or the token lacks the scope. Ask an owner or an operator.")
        case .notFound: ("not_found", 404, false, "Not found",
            "It does not exist, or the caller may not know that it does.")
        case .conflict: ("conflict", 409, false, "Contradicts the present state",
            "A name is taken, a job is already final, something still lives there. Look at the present state first.")
        case .preconditionFailed: ("precondition_failed", 412, false, "Precondition failed",
            "`If-Match` or `Upload-Offset` did not match. Read the present value and try again from there.")
        case .tooLarge: ("too_large", 413, false, "Too large",
            "A body, count or depth is above its limit; the detail names the limit.")
        case .rangeNotSatisfiable: ("range_not_satisfiable", 416, false, "Range not satisfiable",
            "The range lies outside the content; `Content-Range` tells its size.")
        case .digestMismatch: ("digest_mismatch", 422, false, "Digest does not match",
            "The bytes received are not those announced. Upload them again.")
        case .impossible: ("impossible", 422, false, "No centre could ever run this",
            "The detail names the nearest request that could run.")
        case .quotaExceeded: ("quota_exceeded", 409, true, "Quota exceeded",
            "The project's quota does not allow it now. Wait, or ask an operator to change the quota.")
        case .budgetExceeded: ("budget_exceeded", 402, false, "Budget exceeded",
            "No voucher covers the price. Ask an operator for a voucher.")
        case .rateLimited: ("rate_limited", 429, true, "Too many requests",
            "Wait as long as `Retry-After` says.")
        case .unavailable: ("unavailable", 503, true, "Not available now",
            "A centre or the point cannot be reached now. Try again after `Retry-After`.")
        case .storageExhausted: ("storage_exhausted", 507, true, "Storage exhausted",
            "The point's disk is full or read-only. Nothing was lost; tell the operator.")
        case .internal: ("internal", 500, true, "Internal error",
            "Something is broken on our side. Tell the operator the `request_id`; the log has the rest.")
        }
    }
}

/// A problem as it travels: `application/problem+json` (RFC 9457) with our extensions.
public struct Problem: Sendable, Hashable {
    public static let mediaType = "application/problem+json"

    public var kind: ProblemKind
    public var detail: String
    /// The path of the request; `nil` outside a request.
    public var instance: String?
    public var requestID: String?
    public var violations: [Violation]
    public var retryAfter: Duration?

    public init(
        _ kind: ProblemKind,
        detail: String,
        instance: String? = nil,
        requestID: String? = nil,
        violations: [Violation] = [],
        retryAfter: Duration? = nil
    ) {
        self.kind = kind
        self.detail = detail
        self.instance = instance
        self.requestID = requestID
        self.violations = violations
        self.retryAfter = retryAfter
    }

    public var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("type", .string(kind.type)), ("title", .string(kind.title)), ("status", .integer(Int64(kind.status))),
            ("detail", .string(detail)), ("code", .string(kind.code)),
        ]
        if let instance { members.append(("instance", .string(instance))) }
        if let requestID { members.append(("request_id", .string(requestID))) }
        if !violations.isEmpty {
            let errors = violations.map {
                JSON.object([("pointer", .string($0.pointer)), ("message", .string($0.message))])
            }
            members.append(("errors", .array(errors)))
        }
        if let retryAfter { members.append(("retry_after_ms", .integer(retryAfter.milliseconds))) }
        return .object(members)
    }

    /// The reference page `docs/reference/problems.md`, generated so that it cannot differ from what is sent.
    public static var reference: String {
        var page = """
            # Problems

            Every error of our own API is `\(mediaType)` (RFC 9457) with `type`, `title`, `status`, `detail` and, beyond the
            standard, `code`, `request_id`, `errors` (each fault as `pointer` and `message`) and `retry_after_ms`.
            Answers with status 429 and 503 always carry `Retry-After`. Programs should look at `code`.

            Generated from `Sources/Wire/Problem.swift`; `UPDATE_GOLDEN=1 swift test --filter ProblemTests` rewrites it.

            | code | status | retry? | title | meaning, and what to do |
            | --- | --- | --- | --- | --- |

            """
        for kind in ProblemKind.all {
            page += "| `\(kind.code)` | \(kind.status) | \(kind.isRetryable ? "yes" : "no") | \(kind.title) | "
            page += "\(kind.meaning) |\n"
        }
        return page
    }
}
