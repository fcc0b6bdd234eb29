import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

/// One request in the hands of its route.
struct Call: Sendable {
    let request: Request
    let context: AppContext
    let api: APIRoutes

    var point: Point { api.point }

    func caller() throws(Failure) -> Principal { try context.requirePrincipal() }
    func agent() throws(Failure) -> AgentPrincipal { try context.requireAgent() }

    // -- what comes in

    /// A path parameter. What does not even look like an identifier cannot exist.
    func path<Value: LosslessStringConvertible>(_ name: String, as: Value.Type = Value.self) throws(Failure) -> Value {
        // A digest's colon may come escaped; nothing else in a path of ours needs to be.
        let text = context.parameters.get(name)?.replacing("%3A", with: ":").replacing("%3a", with: ":") ?? ""
        guard let value = Value(text) else { throw Failure(.notFound, "There is no \(name) '\(text.prefix(100))'.") }
        return value
    }

    func query(_ name: String) -> String? {
        request.uri.queryParameters[name[...]].map { String($0).replacing("+", with: " ") }
    }

    func query<Value: LosslessStringConvertible>(
        _ name: String,
        as type: Value.Type = Value.self
    ) throws(Failure) -> Value? {
        guard let text = query(name), !text.isEmpty else { return nil }
        guard let value = Value(text) else {
            throw Failure(.malformed, "'\(text.prefix(100))' is no value for the query parameter '\(name)'.")
        }
        return value
    }

    func time(_ name: String) throws(Failure) -> Instant? {
        guard let text = query(name), !text.isEmpty else { return nil }
        // A plus sign of an offset that was not escaped arrives as a space.
        guard let time = Instant(rfc3339: text.replacing(" ", with: "+")) else {
            throw Failure(.malformed, "The query parameter '\(name)' must be a time such as 2026-01-31T09:30:00Z.")
        }
        return time
    }

    func number(_ name: String, default: Int, in range: ClosedRange<Int>) throws(Failure) -> Int {
        guard let value: Int = try query(name) else { return `default` }
        guard range.contains(value) else {
            throw Failure(
                .malformed,
                "The query parameter '\(name)' must be from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return value
    }

    func limit() throws(Failure) -> Int { try number("limit", default: 50, in: 1...500) }

    func refuseUnknownQuery(_ endpoint: Endpoint) throws(Failure) {
        guard let query = request.uri.query, !query.isEmpty else { return }
        let known = endpoint.parameters.filter { $0.place == .query }.map(\.name)
        for pair in query.split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            guard known.contains(String(name)) else {
                let list = known.isEmpty ? "it takes none" : "it takes " + known.joined(separator: ", ")
                throw Failure(.malformed, "There is no query parameter '\(name.prefix(100))' here; \(list).")
            }
        }
    }

    /// The body as JSON; an absent body is an empty object where that is allowed.
    func json(
        limitBytes: Int = APIRoutes.bodyBytesMax,
        advice: String = "",
        emptyIsObject: Bool = false
    ) async throws -> JSON {
        let bytes = try await request.bytes(limitBytes: limitBytes, advice: advice, in: context)
        if bytes.readableBytes == 0, emptyIsObject { return .object([]) }
        do {
            return try JSON(parsing: bytes.readableBytesView)
        } catch {
            throw Failure(.malformed, "The body is not JSON: it \(error.message), at byte \(error.offset).")
        }
    }

    /// The body, read strictly: every fault of it at once.
    func body<Value>(emptyIsObject: Bool = false, _ read: (inout BodyReader) -> Value?) async throws -> Value {
        var reader = BodyReader(try await json(emptyIsObject: emptyIsObject))
        let value = read(&reader)
        return try reader.finish(value)
    }

    /// The body as a wire type, unknown fields ignored: for agents, which may be newer than the point.
    func wire<Value>(limitBytes: Int, _ read: (JSON) throws -> Value) async throws -> Value {
        let json = try await json(limitBytes: limitBytes)
        do {
            return try read(json)
        } catch let error as DecodingError {
            throw Failure(.invalid, "The body is not a \(Value.self).", violations: [Violation(decoding: error)])
        }
    }

    // -- what goes out

    static let jsonType = "application/json"

    /// A wire value as JSON. Reads get an `ETag`, and 304 when the caller has the same already.
    func answer(
        _ value: some Encodable,
        status: HTTPResponse.Status = .ok,
        location: String? = nil,
        headers extra: HTTPFields = [:]
    ) throws -> Response {
        answer(json: try JSON(encoding: value), status: status, location: location, headers: extra)
    }

    /// The same for what was put together by hand.
    func answer(
        json: JSON,
        status: HTTPResponse.Status = .ok,
        location: String? = nil,
        headers extra: HTTPFields = [:]
    ) -> Response {
        var data: [UInt8] = []
        data.reserveCapacity(4096)
        json.write(to: &data)
        var headers = extra
        headers[.contentType] = Self.jsonType
        headers[.location] = location
        if headers[.cacheControl] == nil { headers[.cacheControl] = "private, no-cache" }
        if request.method == .get || request.method == .head {
            var hash = FNV()
            hash.combine(data)
            let tag = "W/\"\(String(hash.value, radix: 16))\""
            headers[.eTag] = tag
            if let known = request.headers[.ifNoneMatch], Response.matches(known, tag) {
                return Response(status: .notModified, headers: [.eTag: tag, .cacheControl: "private, no-cache"])
            }
        }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: data)))
    }

    func noContent() -> Response { Response(status: .noContent) }
}
