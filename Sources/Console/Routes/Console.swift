import Core
import Crypto
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Jobs
import NIOCore
import Wire

/// What the handlers of all pages share.
struct Console: Sendable {
    let point: Point
    let repositories: Repositories
    let authenticator: Authenticator<Principal>
    let options: ConsoleOptions
    let now: @Sendable () -> Instant
    let assets: AssetFiles

    /// What the pages around a request have in common.
    ///
    /// - Parameter projects: Those to choose from, where the page offers a choice.
    func frame(_ request: Request, _ context: AppContext, projects: [ProjectView] = []) -> Frame {
        let query = Form(parsing: request.uri.query ?? "")
        return Frame(
            words: Words(language: language(request)),
            viewer: context.principal.map { principal in
                Frame.Viewer(
                    user: principal.user,
                    isOperator: principal.isOperator && principal.scopes.contains(.admin),
                    canWrite: principal.scopes.contains(.write),
                    canAdminister: principal.scopes.contains(.admin),
                    formToken: Session.formToken(of: request) ?? ""
                )
            },
            project: query["project"].flatMap { ProjectName($0) },
            projects: projects.map(\.project.name).sorted(),
            path: request.uri.string,
            now: now(),
            assets: assets.names
        )
    }

    func language(_ request: Request) -> Language {
        Language.negotiate(choice: request.cookie("lang"), accepted: request.headers[.acceptLanguage])
    }

    /// A page as an answer, with the policy that lets it load nothing but our own files.
    static func answer(_ page: HTML, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: contentSecurityPolicy, .vary: "Accept-Language, Cookie",
            ],
            body: .init(byteBuffer: ByteBuffer(string: page.text))
        )
    }

    static let contentSecurityPolicy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
        form-action 'self'; frame-ancestors 'none'; base-uri 'none'
        """

    /// To a page by GET, as after every form.
    static func redirect(to path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
    }

    /// A path within the console that a form or link names as the place to go to; anything else is the overview.
    static func back(_ path: String?) -> String {
        guard let path, path == "/console" || path.hasPrefix("/console/") || path.hasPrefix("/console?"),
            path.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/console" }
        return path
    }

    /// The last question before a form takes effect; `nil` once it was answered.
    func question(
        _ form: Form,
        _ request: Request,
        _ context: AppContext,
        title: (Words) -> String,
        question: (Words) -> String,
        items: [String] = [],
        button: ((Words) -> String)? = nil,
        back: String,
        section: Frame.Section
    ) -> Response? {
        guard form["sure"] == nil else { return nil }
        let frame = frame(request, context)
        let page = ConfirmPage(
            title: title(frame.words),
            question: question(frame.words),
            items: items,
            action: request.uri.path,
            fields: Form(form.fields.filter { $0.name != Session.fieldName }).with("sure", "yes"),
            button: button.map { $0(frame.words) } ?? title(frame.words),
            back: back,
            section: section
        )
        return Self.answer(page.render(frame))
    }

    /// A part of the path that must be an identifier or name of ours.
    static func parameter<Value: LosslessStringConvertible>(_ name: String, _ context: AppContext) throws -> Value {
        guard let text = context.parameters.get(name), let value = Value(text) else {
            throw Failure(.notFound, "There is nothing at this path.")
        }
        return value
    }

    static func number(_ text: String?) -> Int? { text.flatMap { Int($0) } }
}

/// The session's cookie, and the proof that a form is ours.
enum Session {
    static let fieldName = "form_token"

    /// HMAC-SHA256 of a constant under the cookie's value: nobody who cannot read the cookie can make it, and every
    /// process of the point makes the same. `nil` without a cookie.
    static func formToken(of request: Request) -> String? {
        request.cookie(AuthenticationMiddleware.cookieName).map(formToken(of:))
    }

    static func formToken(of cookie: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array("onepoint console form".utf8),
            using: SymmetricKey(data: Array(cookie.utf8))
        )
        return hex(code)
    }

    /// Refuses what another site made a browser send.
    ///
    /// > Source: W3C Fetch Metadata Request Headers, section 2.4, for `Sec-Fetch-Site`.
    static func refuseForeign(_ request: Request) throws(Failure) {
        if let site = HTTPField.Name("Sec-Fetch-Site").flatMap({ request.headers[$0] }),
            site != "same-origin", site != "none"
        {
            throw Failure(.forbidden, "This form was sent from another site. Open the console itself and try again.")
        }
        guard let origin = request.headers[.origin] else { return }
        let host = origin.split(separator: "/", omittingEmptySubsequences: true).dropFirst().first.map(String.init)
        guard let host, host == request.head.authority else {
            throw Failure(.forbidden, "This form was sent from another site. Open the console itself and try again.")
        }
    }

    /// Refuses a form that does not carry the token of its session.
    static func check(_ form: Form, _ request: Request, _ context: AppContext) throws(Failure) {
        try refuseForeign(request)
        guard context.usesCookie else { return }
        guard let expected = formToken(of: request), let given = form.raw(fieldName), isEqual(expected, given) else {
            throw Failure(.forbidden, "This form is out of date. Go back, reload the page and try again.")
        }
    }

    /// Takes the same time wherever two texts of one length differ.
    private static func isEqual(_ a: String, _ b: String) -> Bool {
        let (a, b) = (Array(a.utf8), Array(b.utf8))
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | $1.0 ^ $1.1 } == 0
    }

    /// The `Set-Cookie` value that begins a session, or ends it with an empty one.
    static func cookie(_ secret: String, isSecure: Bool) -> String {
        let age = secret.isEmpty ? "; Max-Age=0" : ""
        let secure = isSecure ? "; Secure" : ""
        return "\(AuthenticationMiddleware.cookieName)=\(secret); Path=/; HttpOnly; SameSite=Lax\(age)\(secure)"
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// The files that pages load, each under a name that changes with its content.
struct AssetFiles: Sendable {
    let names: Frame.Assets
    private let files: [String: (type: String, bytes: [UInt8])]

    init() {
        var files: [String: (type: String, bytes: [UInt8])] = [:]
        func add(_ stem: String, _ suffix: String, _ type: String, _ text: String) -> String {
            let bytes = Array(text.utf8)
            let name = "\(stem)-\(Session.hex(SHA256.hash(data: bytes).prefix(8))).\(suffix)"
            files[name] = (type, bytes)
            return "/console/assets/\(name)"
        }
        names = Frame.Assets(
            style: add("style", "css", "text/css; charset=utf-8", Style.sheet),
            script: add("script", "js", "text/javascript; charset=utf-8", Script.source),
            icon: add("icon", "svg", "image/svg+xml", Style.icon)
        )
        self.files = files
    }

    func answer(_ name: String) throws(Failure) -> Response {
        guard let file = files[name] else { throw Failure(.notFound, "There is no such file.") }
        return Response(
            status: .ok,
            headers: [.contentType: file.type, .cacheControl: "public, max-age=31536000, immutable"],
            body: .init(byteBuffer: ByteBuffer(bytes: file.bytes))
        )
    }
}
