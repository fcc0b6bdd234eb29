import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird

extension OCIFace {
    /// One request's body. A file may have as many bytes as the store takes, and comes in one body from most clients.
    private static let bodyBytesMax: Int64 = 1 << 40

    /// Begins an upload; or takes a whole blob at once (`digest`), or one that is here already (`mount`).
    func beginUpload(to name: OCIName, _ call: OCICall) async throws -> Response {
        let mounted = try call.query("mount").map(Self.digest)
        let whole = try call.query("digest").map(Self.digest)
        if let algorithm = call.query("digest-algorithm"), !["sha256", "sha512"].contains(algorithm) {
            throw OCIError(.unsupported, status: 400, "Digests are of sha256 or sha512 here.")
        }
        let repository = try await repositories.target(name.kind, name.path, call.caller)
        if let mounted, try await mount(mounted, into: repository, call) { return created(mounted, in: name) }
        let id = try await repositories.beginUpload(into: repository, call.caller)
        // Some clients name the digest before they send anything.
        guard let whole, call.hasBody || Self.isEmpty(whole) else { return progress(id, 0, in: name, .accepted) }
        do {
            try await take(call, into: repository, id, at: 0)
            _ = try await repositories.finish(id, into: repository, as: whole, call.caller)
        } catch {
            // Nobody was told of the upload, so nobody goes on with it.
            try? await repositories.abort(id, into: repository, call.caller)
            throw error
        }
        return created(whole, in: name)
    }

    private func mount(_ digest: ContentDigest, into repository: Repository, _ call: OCICall) async throws -> Bool {
        var source: (shelf: RepositoryShelf, path: RepositoryPath)?
        if let from = call.query("from"), !from.isEmpty {
            // What is no name has nothing to be mounted: the client sends its bytes then.
            guard let from = OCIName(from) else { return false }
            source = (from.shelf, from.path)
        }
        return try await repositories.mount(digest, from: source, into: repository, call.caller) != nil
    }

    func append(to id: UploadID, of name: OCIName, _ call: OCICall) async throws -> Response {
        let repository = try await repositories.repository(name.shelf, name.path, for: .write, call.caller)
        let end = try await take(call, into: repository, id, in: name)
        return progress(id, end, in: name, .accepted)
    }

    func finish(_ id: UploadID, of name: OCIName, _ call: OCICall) async throws -> Response {
        guard let digest = try call.query("digest").map(Self.digest) else {
            throw OCIError(.digestInvalid, status: 400, "Say what the bytes are: '?digest=sha256:…'.")
        }
        let repository = try await repositories.repository(name.shelf, name.path, for: .write, call.caller)
        if call.hasBody { try await take(call, into: repository, id, in: name) }
        _ = try await repositories.finish(id, into: repository, as: digest, call.caller)
        return created(digest, in: name)
    }

    func status(of id: UploadID, of name: OCIName, _ call: OCICall) async throws -> Response {
        let repository = try await repositories.repository(name.shelf, name.path, for: .write, call.caller)
        let end = try await repositories.offset(of: id, into: repository, call.caller)
        return progress(id, end, in: name, .noContent)
    }

    func abort(_ id: UploadID, of name: OCIName, _ call: OCICall) async throws -> Response {
        let repository = try await repositories.repository(name.shelf, name.path, for: .write, call.caller)
        try await repositories.abort(id, into: repository, call.caller)
        return Response(status: .noContent)
    }

    /// Takes a request's body as the next piece, and tells a client whose piece does not fit where the upload stands.
    @discardableResult
    private func take(
        _ call: OCICall,
        into repository: Repository,
        _ id: UploadID,
        in name: OCIName
    ) async throws -> Int64 {
        do {
            return try await take(call, into: repository, id, at: try Self.start(of: call))
        } catch let failure as Failure where failure.code == .preconditionFailed {
            let end = try await repositories.offset(of: id, into: repository, call.caller)
            throw OCIError(.blobUploadInvalid, status: 416, failure.detail, headers: Self.place(id, end, in: name))
        }
    }

    @discardableResult
    private func take(
        _ call: OCICall,
        into repository: Repository,
        _ id: UploadID,
        at offset: Int64?
    ) async throws -> Int64 {
        let body = call.request.streamedBytes(limitBytes: Self.bodyBytesMax, in: call.context)
        return try await repositories.append(to: id, into: repository, at: offset, body, call.caller)
    }

    /// Where a piece begins by its own words; `nil` for a stream, which begins where the upload stands.
    private static func start(of call: OCICall) throws(OCIError) -> Int64? {
        guard let header = call.request.headers[.contentRange] else { return nil }
        let bounds = header.split(separator: "-", omittingEmptySubsequences: false).map { Int64($0) }
        guard bounds.count == 2, let first = bounds[0], let last = bounds[1], 0 <= first, first <= last else {
            throw OCIError(.blobUploadInvalid, status: 400, "The Content-Range of a chunk is '<first>-<last>'.")
        }
        if let announced = call.request.headers[.contentLength].flatMap({ Int64($0) }), announced != last - first + 1 {
            throw OCIError(
                .sizeInvalid,
                status: 400,
                "The Content-Range speaks of \(last - first + 1) bytes, the Content-Length of \(announced)."
            )
        }
        return first
    }

    private func progress(
        _ id: UploadID,
        _ end: Int64,
        in name: OCIName,
        _ status: HTTPResponse.Status
    ) -> Response {
        Response(status: status, headers: Self.place(id, end, in: name))
    }

    /// Where an upload is and how far it has come.
    private static func place(_ id: UploadID, _ end: Int64, in name: OCIName) -> HTTPFields {
        // Nothing at all cannot be said in a range; registries say that the first byte has come.
        [
            .location: "/v2/\(name.text)/blobs/uploads/\(id)", .range: "0-\(max(0, end - 1))", .chunkMinLength: "1",
            .uploadUUID: "\(id)",
        ]
    }

    private func created(_ digest: ContentDigest, in name: OCIName) -> Response {
        Response(
            status: .created,
            headers: [.location: "/v2/\(name.text)/blobs/\(digest)", .contentDigest: "\(digest)"]
        )
    }

    private static func digest(_ text: String) throws(OCIError) -> ContentDigest {
        guard let digest = ContentDigest(text) else {
            throw OCIError(.digestInvalid, status: 400, "This is no digest: \(ContentDigest.rule).")
        }
        return digest
    }

    private static func isEmpty(_ digest: ContentDigest) -> Bool { emptyDigests.contains("\(digest)") }

    /// FIPS 180-4 of no bytes.
    private static let emptyDigests: Set<String> = [
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    ]
}

extension OCICall {
    /// Whether a body follows the head.
    var hasBody: Bool {
        request.headers[.transferEncoding] != nil || request.headers[.contentLength].flatMap { Int64($0) } ?? 0 > 0
    }
}
