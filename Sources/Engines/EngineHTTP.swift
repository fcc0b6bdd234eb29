internal import AsyncHTTPClient
internal import Core
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// HTTP to an engine: answers of capped length, a token that is read anew for every call, and errors that say what
/// to do.
struct EngineHTTP: Sendable {
    struct Answer: Sendable {
        var status: Int
        var body: [UInt8]

        /// The beginning of the body as one line, for a sentence.
        var excerpt: String {
            let text = String(decoding: body.prefix(4096), as: UTF8.self)
            let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            return line.cut(to: 200)
        }
    }

    /// What the engine is called in sentences, such as `Ray`.
    var name: String
    /// Such as `http://127.0.0.1:8265`, without a slash at the end.
    var base: String
    var token: Token = .none
    /// Which header carries the token, and what stands before it there.
    var tokenHeader = (name: "Authorization", prefix: "Bearer ")
    /// Sent with every call.
    var headers: [(name: String, value: String)] = []
    /// Whom to trust and who we are; `nil` takes the system's trust and shows nothing.
    var tls: TLSConfiguration?
    /// Longer answers are refused. A list of 100,000 runs of a kilobyte each is within it.
    var answerBytesMax = 128 << 20
    var timeout: Duration = .seconds(30)

    /// Where the bearer token comes from.
    enum Token: Sendable {
        case none
        case text(String)
        /// Read for every call, so that a renewed token needs no restart.
        case file(String)

        /// The most of a file that is read.
        static let bytesMax = 64 << 10

        /// What a sentence calls it; `nil` for none.
        var name: String? {
            switch self {
            case .none: nil
            case .text: "the configured token"
            case .file(let path): "the token in \(path)"
            }
        }
    }

    /// As the library's shared one, but for connections that are refused: that is an answer, and whoever asked knows when
    /// to ask again.
    static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        // Where there is no HTTP/2, each watch of each engine keeps a connection.
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 64
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// Sends one request and reads the whole answer, whatever its status.
    ///
    /// - Throws: ``EngineError/unreachable(_:)`` when there is no whole answer: what was asked may have been done.
    func call(
        _ method: String,
        _ path: String,
        json: JSON? = nil,
        contentType: String = "application/json"
    ) async throws(EngineError) -> Answer {
        let request = try request(method, path, json: json, contentType: contentType)
        do {
            let response = try await Self.client.execute(
                request,
                timeout: .milliseconds(max(1, timeout.milliseconds))
            )
            var body: [UInt8] = []
            for try await piece in response.body {
                guard body.count + piece.readableBytes <= answerBytesMax else {
                    throw EngineError.unreachable(
                        "\(name) at \(base) answered \(method) \(path) with more than \(answerBytesMax >> 20) MiB, "
                            + "which is not read. Delete old jobs there."
                    )
                }
                body.append(contentsOf: piece.readableBytesView)
            }
            return Answer(status: Int(response.status.code), body: body)
        } catch let error as EngineError {
            throw error
        } catch {
            throw unreached(error, "\(method) \(path)")
        }
    }

    /// Why there is no answer, or only a part of one.
    func unreached(_ error: any Error, _ what: String) -> EngineError {
        let why = "\(error)"
        // BoringSSL's word for it.
        if why.contains("CERTIFICATE_VERIFY_FAILED") {
            return .unreachable(
                "\(name) at \(base) shows a certificate that no authority trusted here has signed, or that is over or of "
                    + "another host. Name the authority that signed it, and check this machine's clock."
            )
        }
        return .unreachable(
            "\(name) at \(base) cannot be reached (\(what)): \(why). Check the address, and that it runs."
        )
    }

    /// A request with our credential, as every call carries it.
    func request(
        _ method: String,
        _ path: String,
        json: JSON? = nil,
        contentType: String = "application/json"
    ) throws(EngineError) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: base + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Accept", value: "application/json")
        for header in headers { request.headers.add(name: header.name, value: header.value) }
        if let token = try bearer() { request.headers.add(name: tokenHeader.name, value: tokenHeader.prefix + token) }
        if let json {
            request.headers.add(name: "Content-Type", value: contentType)
            request.body = .bytes(ByteBuffer(string: json.text))
        }
        request.tlsConfiguration = tls
        return request
    }

    /// Reads an answer as JSON.
    func json(_ answer: Answer, of what: String) throws(EngineError) -> JSON {
        do {
            return try JSON(parsing: answer.body)
        } catch {
            let isPage = answer.body.first { $0 > 0x20 } == UInt8(ascii: "<")
            throw .unreachable(
                isPage
                    ? "\(name) at \(base) answered \(what) with a web page instead of JSON. The address leads to "
                        + "something else, such as a proxy's login: correct it."
                    : "\(name) at \(base) answered \(what) with something that is no JSON: it \(error.message) at byte "
                        + "\(error.offset). The answer may have been cut on the way; it is asked again."
            )
        }
    }

    /// The error of an answer that is neither success nor anything the caller expects.
    func unexpected(_ answer: Answer, to what: String) -> EngineError {
        let token = token.name
        return switch answer.status {
        case 401:
            .unreachable(
                "\(name) at \(base) does not know us (401 to \(what)): "
                    + (token.map { "\($0) is missing, wrong or expired. Write a valid one there." }
                        ?? "it wants a token and none is configured. Name a file that holds one.")
            )
        case 403:
            .unreachable(
                "\(name) at \(base) does not allow \(what) (403): "
                    + (token.map { "\($0) is wrong or lacks rights. Write one there that may." }
                        ?? "name a file with a token that may.") + " It says: \(answer.excerpt)"
            )
        default: .unreachable("\(name) at \(base) answered \(what) with status \(answer.status): \(answer.excerpt)")
        }
    }

    private func bearer() throws(EngineError) -> String? {
        let path: String
        switch token {
        case .none: return nil
        case .text(let text): return text
        case .file(let file): path = file
        }
        guard let bytes = Disk.read(path, bytesMax: Token.bytesMax) else {
            throw .unreachable(
                "The token file \(path) for \(name) cannot be read. Check that it exists and that the agent's user "
                    + "may read it."
            )
        }
        let token = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .unreachable("The token file \(path) for \(name) holds no token. Write one line of text there.")
        }
        return token
    }
}

extension String {
    /// At most so many characters, and a sign where more followed.
    func cut(to count: Int) -> String { self.count > count ? "\(prefix(count))…" : self }
}
