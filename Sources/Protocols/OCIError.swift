import Core
import HTTPTypes
import Hub
import Hummingbird
import NIOCore

/// A refusal in the words of OCI Distribution, "Error Codes".
struct OCIError: Error, Sendable {
    enum Code: String, Sendable {
        case blobUnknown = "BLOB_UNKNOWN"
        case blobUploadInvalid = "BLOB_UPLOAD_INVALID"
        case blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
        case digestInvalid = "DIGEST_INVALID"
        case manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
        case manifestInvalid = "MANIFEST_INVALID"
        case manifestUnknown = "MANIFEST_UNKNOWN"
        case nameInvalid = "NAME_INVALID"
        case nameUnknown = "NAME_UNKNOWN"
        case sizeInvalid = "SIZE_INVALID"
        case unauthorized = "UNAUTHORIZED"
        case denied = "DENIED"
        case unsupported = "UNSUPPORTED"
        case tooManyRequests = "TOOMANYREQUESTS"
        /// Of the registries before the specification; nothing in it fits a fault on our side.
        case unavailable = "UNAVAILABLE"
        case unknown = "UNKNOWN"
    }

    struct Item: Sendable {
        var code: Code
        var message: String
        var detail: JSON?
    }

    var status: Int
    var items: [Item]
    var headers: HTTPFields

    init(_ code: Code, status: Int, _ message: String, detail: JSON? = nil, headers: HTTPFields = [:]) {
        (self.status, self.headers) = (status, headers)
        items = [Item(code: code, message: message, detail: detail)]
    }

    init(_ missing: MissingParts) {
        (status, headers) = (400, [:])
        items = missing.digests.map {
            Item(
                code: .manifestBlobUnknown,
                message: "The manifest is made of something that this repository does not have. Push it first.",
                detail: .object([("digest", .string("\($0)"))])
            )
        }
    }

    /// What a service refused.
    ///
    /// - Parameters:
    ///   - invalid: The word for bad content at this place.
    ///   - absent: The word for what is not there.
    init(_ failure: Failure, invalid: Code, absent: Code) {
        let (code, status): (Code, Int) =
            switch failure.code {
            case .malformed, .invalid, .impossible: (invalid, 400)
            case .unauthenticated: (.unauthorized, 401)
            case .forbidden, .quotaExceeded, .budgetExceeded: (.denied, 403)
            case .notFound: (absent, 404)
            case .conflict: (.unsupported, 405)
            case .preconditionFailed: (.blobUploadInvalid, 416)
            case .rangeNotSatisfiable: (.sizeInvalid, 416)
            case .tooLarge: (.sizeInvalid, 413)
            case .digestMismatch: (.digestInvalid, 400)
            case .rateLimited: (.tooManyRequests, 429)
            case .unavailable: (.unavailable, 503)
            case .storageExhausted: (.unavailable, 507)
            case .internal: (.unknown, 500)
            }
        let faults = failure.violations.map {
            JSON.object([("at", .string($0.pointer)), ("fault", .string($0.message))])
        }
        self.init(code, status: status, failure.detail, detail: faults.isEmpty ? nil : .array(faults))
        if status == 429 || status == 503 {
            let wait = failure.retryAfter ?? .seconds(status == 429 ? 1 : 5)
            headers[.retryAfter] = "\(max(1, Int(wait.seconds.rounded(.up))))"
        }
    }

    var response: Response {
        let errors = items.map { item -> JSON in
            var members: [(key: String, value: JSON)] = [
                ("code", .string(item.code.rawValue)), ("message", .string(item.message)),
            ]
            if let detail = item.detail { members.append(("detail", detail)) }
            return .object(members)
        }
        var bytes: [UInt8] = []
        JSON.object([("errors", .array(errors))]).write(to: &bytes)
        var headers = headers
        headers[.contentType] = "application/json"
        headers[.cacheControl] = "no-store"
        return Response(
            status: .init(code: status),
            headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }
}
