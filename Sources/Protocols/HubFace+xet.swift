import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Logging
import NIOCore
import Wire

/// What a client of Xet shows instead of a token of ours: good for one right on one repository for an hour.
struct XetToken: Sendable {
    static let prefix = "xet~"
    static let lifetime = Duration.seconds(3600)

    enum Right: String, Sendable {
        case read, write
    }

    var repository: RepositoryID
    var right: Right
    var caller: Principal?

    init(repository: RepositoryID, right: Right, caller: Principal?) {
        (self.repository, self.right, self.caller) = (repository, right, caller)
    }

    /// What is signed.
    private var target: String { "/xet/\(repository)/\(right.rawValue)/\(caller?.sealed ?? "")" }

    /// As the client will show it, and until when, in seconds since 1970.
    func issue(_ repositories: Repositories) -> (text: String, expires: Int64) {
        let signed = repositories.signed("XET", target, for: Self.lifetime)
        let mark = signed.dropFirst(target.count + 1)
        let expires = mark.drop { $0 != "=" }.dropFirst().prefix { $0 != "&" }
        return (
            Self.prefix + String(target.dropFirst(5).map { $0 == "/" ? "~" : $0 }) + "~" + mark, Int64(expires) ?? 0
        )
    }

    /// Reads what a client shows; `nil` when it was not issued here or is not good any more.
    init?(_ text: String, _ repositories: Repositories) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(separator: "~", omittingEmptySubsequences: false)
        guard parts.count == 4, let repository = RepositoryID(String(parts[0])),
            let right = Right(rawValue: String(parts[1]))
        else { return nil }
        let scopes: Set<Token.Scope> = right == .write ? [.read, .write] : [.read]
        let caller = Principal(sealed: parts[2], scopes: scopes)
        guard caller != nil || parts[2].isEmpty else { return nil }
        self.init(repository: repository, right: right, caller: caller)
        guard repositories.admits("XET", "\(target)?\(parts[3])") else { return nil }
    }
}

extension HubFace {
    func xetToken(_ call: HubCall, _ target: HubTarget, _ right: XetToken.Right) async throws -> Response {
        let repository = try await repositories.repository(
            target.shelf,
            target.path,
            for: right == .write ? .write : .read,
            call.caller
        )
        let token = XetToken(repository: repository.id, right: right, caller: call.caller).issue(repositories)
        let address = "\(call.origin)/xet"
        return call.answer(
            .members([
                "accessToken": .string(token.text), "exp": .integer(token.expires), "casUrl": .string(address),
            ]),
            headers: [
                .xetAccessToken: token.text, .xetTokenExpiration: "\(token.expires)", .xetCasURL: address,
            ]
        )
    }

    // MARK: What the tokens are good for

    /// The repository of the caller's token, when that is good for a right.
    private func granted(
        _ right: XetToken.Right,
        _ call: HubCall
    ) async throws -> (repository: Repository, caller: Principal?) {
        guard case .token(let text) = try FaceCredentials(header: call.request.headers[.authorization]),
            let token = XetToken(text, repositories)
        else { throw Failure(.unauthenticated, "This needs a token of Xet; ask the repository for one.") }
        guard right == .read || token.right == .write else {
            throw Failure(.forbidden, "This token is for reading; ask for one for writing.")
        }
        let repository = try await repositories.repository(
            token.repository,
            for: right == .write ? .write : .read,
            token.caller
        )
        return (repository, token.caller)
    }

    private static func hash(_ call: HubCall) throws -> XetHash {
        guard let hash = call.path.last.flatMap({ XetHash($0) }) else {
            throw Failure(.invalid, "The address must end with a hash of 64 digits.")
        }
        return hash
    }

    /// `POST /xet/v1/xorbs/default/{hash}`
    func putXorb(_ call: HubCall) async throws -> Response {
        let (repository, _) = try await granted(.write, call)
        let body = call.request.streamedBytes(limitBytes: Repositories.xorbBytesMax, in: call.context)
        let isNew = try await repositories.stage(xorb: Self.hash(call), body, for: repository)
        return call.answer(.members(["was_inserted": .bool(isNew)]))
    }

    /// `POST /xet/v1/shards`
    func putShard(_ call: HubCall) async throws -> Response {
        let (repository, caller) = try await granted(.write, call)
        let shard = try await call.request.bytes(limitBytes: Repositories.shardBytesMax, in: call.context)
        try await repositories.assemble(shard: shard, into: repository, caller) { _, _ in }
        return call.answer(.members(["result": 1]))
    }

    /// `POST /xet/v2/shards`, which is answered line by line while it is worked on.
    func streamShard(_ call: HubCall) async throws -> Response {
        let (repository, caller) = try await granted(.write, call)
        let shard = try await call.request.bytes(limitBytes: Repositories.shardBytesMax, in: call.context)
        let log = call.context.logger
        let body = ResponseBody { writer in
            let (frames, source) = AsyncStream.makeStream(of: JSON.self, bufferingPolicy: .bufferingNewest(8))
            async let end: Void = work(on: shard, for: repository, caller, log, source)
            for await frame in frames {
                var bytes: [UInt8] = []
                frame.write(to: &bytes)
                bytes.append(UInt8(ascii: "\n"))
                try await writer.write(ByteBuffer(bytes: bytes))
            }
            await end
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    /// Makes the files of a shard, and tells how it goes; the last frame says what came of it.
    private func work(
        on shard: ByteBuffer,
        for repository: Repository,
        _ caller: Principal?,
        _ log: Logger,
        _ source: AsyncStream<JSON>.Continuation
    ) async {
        do {
            try await repositories.assemble(shard: shard, into: repository, caller) { done, total in
                source.yield(
                    .members([
                        "type": "validating", "verified": .integer(Int64(done)), "total": .integer(Int64(total)),
                    ])
                )
            }
            source.yield(.members(["type": "committing", "stage": "syncing"]))
            source.yield(.members(["type": "result"]))
        } catch {
            source.yield(Self.frame(of: error, log))
        }
        source.finish()
    }

    private static func frame(of error: any Error, _ log: Logger) -> JSON {
        let failure = error as? Failure
        if failure == nil {
            log.error("shard failed unexpectedly", metadata: ["error": "\(String(describing: error).prefix(500))"])
        }
        let isRetryable = failure.map { [.unavailable, .rateLimited, .conflict].contains($0.code) } ?? true
        return .members([
            "type": "error", "message": .string(failure?.detail ?? "Something broke on our side."),
            "retryable": .bool(isRetryable),
        ])
    }

    /// `GET /xet/v1/chunks/default/{hash}`
    func chunk(_ call: HubCall) async throws -> Response {
        let (repository, caller) = try await granted(.write, call)
        guard let shard = try await repositories.chunk(Self.hash(call), from: repository, caller) else {
            throw Failure(.notFound, "This chunk is not known here.", note: Repositories.entryNote)
        }
        return Response(
            status: .ok,
            headers: [.contentType: "application/octet-stream"],
            body: .init(byteBuffer: shard)
        )
    }

    // MARK: Reading

    /// How long the addresses of xorbs are good; clients ask for new ones.
    private static let xorbLifetime = Duration.seconds(3600)

    /// The name by which clients of Xet ask for a file, when it is so large that they load it no other way.
    func xetName(of entry: TreeEntry) -> String? {
        guard entry.kind == .large, entry.size > settings.xetAbove else { return nil }
        return entry.digest?.hex
    }

    /// `GET /xet/v1/reconstructions/{file}` and `/xet/v2/…`: of which runs of chunks a file, or a range of it, is made.
    func reconstruction(_ call: HubCall) async throws -> Response {
        let (repository, _) = try await granted(.read, call)
        guard let digest = call.path.last.flatMap({ Digest(hex: $0) }),
            let size = try await repositories.size(of: digest, in: repository)
        else { throw Failure(.notFound, "There is no such file in this repository.", note: Repositories.entryNote) }
        let layout = XetLayout(of: digest, size: size)
        var wanted = 0..<size.count
        switch ByteRange(call.request.headers[.range], size: size.count) {
        case .whole: break
        case .part(let range): wanted = range
        case .unsatisfiable:
            throw Failure(.rangeNotSatisfiable, "The file has \(size.count) bytes; ask for a range within them.")
        }
        let (terms, start) = layout.terms(covering: wanted)
        let isFirstVersion = call.path.dropFirst().first == "v1"
        let places = terms.map { term -> (key: String, value: JSON) in
            let target = "/xet/xorbs/\(repository.id)/\(digest.hex)/\(term.xorb)?size=\(size.count)"
            let address = JSON.string(call.origin + repositories.signed("GET", target, for: Self.xorbLifetime))
            let chunks = Self.range(term.chunks)
            // Of bytes clients want the last one, as in a header.
            let bytes = Self.range(term.packed.lowerBound..<term.packed.upperBound - 1)
            let place: JSON =
                isFirstVersion
                ? .members(["range": chunks, "url": address, "url_range": bytes])
                : .members([
                    "url": address, "ranges": .array([.members(["chunks": chunks, "bytes": bytes])]),
                ])
            return (key: layout.name(ofXorb: term.xorb), value: .array([place]))
        }
        return call.answer(
            .members([
                "offset_into_first_range": .integer(wanted.lowerBound - start),
                "terms": .array(
                    terms.map {
                        .members([
                            "hash": .string(layout.name(ofXorb: $0.xorb)), "unpacked_length": .integer($0.plainBytes),
                            "range": Self.range($0.chunks),
                        ])
                    }
                ),
                isFirstVersion ? "fetch_info" : "xorbs": .object(places),
            ])
        )
    }

    private static func range(_ range: Range<Int64>) -> JSON {
        .members(["start": .integer(range.lowerBound), "end": .integer(range.upperBound)])
    }

    /// `GET /xet/xorbs/{repository}/{file}/{number}`, at an address that we signed.
    func xorb(_ call: HubCall) async throws -> Response {
        guard repositories.admits("GET", call.target), call.path.count == 5,
            let id = RepositoryID(call.path[2]), let digest = Digest(hex: call.path[3]),
            let number = Int64(call.path[4]), let size = call.query("size").flatMap({ Int64($0) })
        else { throw Failure(.forbidden, "This address is not good any more. Ask for a new one.") }
        // Whoever has the address may have the bytes: the right was checked when it was handed out.
        let repository = try await repositories.existing(id)
        let layout = XetLayout(of: digest, size: Bytes(size))
        guard let bytes = layout.packedBytes(ofXorb: number) else {
            throw Failure(.notFound, "There is no such xorb.", note: Repositories.entryNote)
        }
        return try await Response.content(
            size: Bytes(bytes),
            tag: "\"\(layout.name(ofXorb: number))\"",
            headers: [.contentType: "application/octet-stream"],
            for: call.request
        ) {
            try await repositories.bytes(of: layout, xorb: number, packed: $0, in: repository)
        }
    }
}
