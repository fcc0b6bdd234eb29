public import Core
public import HTTPTypes
import Hummingbird

/// Who may call a route. ``Jobs/Point`` decides; the table says it to readers, tests and the OpenAPI document.
public enum Access: String, Sendable, CaseIterable {
    /// Anybody, without credentials.
    case `public`
    /// Everybody who is signed in.
    case user
    /// Who has at least this role in the project concerned; operators too.
    case viewer, member, owner
    case `operator`
    /// A joined agent with its own key.
    case agent
}

/// One row of the table of routes: what registers the route, documents it and is tested against every role.
struct Endpoint: Sendable {
    let method: HTTPRequest.Method
    /// With parameters in braces, as in OpenAPI: `/v1/jobs/{job}`.
    let template: String
    let access: Access
    /// What a user's token must be good for; `nil` for public and agent routes.
    let scope: Token.Scope?
    let summary: String
    let parameters: [ParameterDescription]
    let body: BodyDescription
    let answer: AnswerDescription
    let handle: @Sendable (Call) async throws -> Response

    init(
        _ method: HTTPRequest.Method,
        _ template: String,
        _ access: Access,
        _ scope: Token.Scope?,
        _ summary: String,
        parameters: [ParameterDescription] = [],
        body: BodyDescription = .none,
        answer: AnswerDescription,
        handle: @escaping @Sendable (Call) async throws -> Response
    ) {
        self.method = method
        self.template = template
        self.access = access
        self.scope = scope
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.answer = answer
        self.handle = handle
    }
}

/// A query parameter or header of a route.
struct ParameterDescription: Sendable {
    enum Place: String { case query, header }

    let name: String
    let place: Place
    let schema: Schema
    let text: String
    let isRequired: Bool

    static func query(_ name: String, _ schema: Schema, _ text: String, required: Bool = false) -> Self {
        Self(name: name, place: .query, schema: schema, text: text, isRequired: required)
    }

    static func header(_ name: String, _ schema: Schema, _ text: String, required: Bool = false) -> Self {
        Self(name: name, place: .header, schema: schema, text: text, isRequired: required)
    }
}

/// What a route takes.
enum BodyDescription: Sendable {
    case none
    /// A JSON object of this schema.
    case json(Schema, required: Bool = true)
    /// Bytes as they are.
    case bytes
}

/// What a route answers when all is well.
struct AnswerDescription: Sendable {
    let status: Int
    /// By media type; empty for answers without a body.
    let content: [(type: String, schema: Schema)]
    let text: String

    /// The wire type as JSON.
    static func json(_ type: (some Decodable).Type, status: Int = 200, _ text: String = "As asked.") -> Self {
        Self(status: status, content: [("application/json", WireSchema.reference(to: type))], text: text)
    }

    /// A wire type as JSON, or a table of the same as CSV.
    static func jsonOrCSV(_ type: (some Decodable).Type) -> Self {
        let json = ("application/json", WireSchema.reference(to: type))
        return Self(
            status: 200,
            content: [json, ("text/csv", Schema.string)],
            text: "A page as JSON, or all rows as CSV."
        )
    }

    static func json(schema: Schema, _ text: String = "As asked.") -> Self {
        Self(status: 200, content: [("application/json", schema)], text: text)
    }

    static func bytes(_ type: String, _ text: String) -> Self {
        Self(status: 200, content: [(type, .string)], text: text)
    }

    static let empty = Self(status: 204, content: [], text: "Done.")
}

/// A route as tests and tools see it.
public struct RouteDescription: Sendable, Hashable {
    public let method: HTTPRequest.Method
    public let template: String
    public let access: Access
    public let scope: Token.Scope?
}
