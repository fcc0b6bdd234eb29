import AsyncHTTPClient
public import Core
import NIOCore
import NIOHTTP1

/// A bucket of an S3 service, as far as a ``BlobStore`` needs one. Objects are named by the SHA-256 of their bytes.
public struct S3Bucket: Sendable {
    public struct Settings: Sendable {
        /// Such as `https://s3.example.org`; buckets are a part of the path.
        public var endpoint: String
        public var region: String
        public var bucket: String
        /// What the names of our objects begin with.
        public var prefix: String
        public var credentials: S3Credentials

        public init(endpoint: String, region: String, bucket: String, prefix: String, credentials: S3Credentials) {
            self.endpoint = endpoint
            self.region = region
            self.bucket = bucket
            self.prefix = prefix
            self.credentials = credentials
        }
    }

    /// Larger objects go in parts of this size, or of as much more as 10,000 parts ask for.
    static let partBytes: Int64 = 64 << 20
    private static let partsMax: Int64 = 10_000
    private static let triesMax = 4
    /// The hash of a request without a body.
    private static let nothing = BlobHasher.digest(of: ByteBuffer())
    private static let answerTimeMax = TimeAmount.seconds(60)
    /// 64 MiB at 128 KiB a second.
    private static let uploadTimeMax = TimeAmount.seconds(512)

    /// One for the life of the process. A service that refuses a connection is asked again by us, not for as long as the
    /// request may take.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        configuration.timeout.read = .seconds(60)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    let settings: Settings
    private let host: String
    private let now: @Sendable () -> Instant

    /// - Throws: ``Failure`` `invalid` when the endpoint is no address.
    public init(_ settings: Settings, now: @escaping @Sendable () -> Instant) throws {
        guard let host = Self.host(of: settings.endpoint) else {
            throw Failure(.invalid, "The endpoint of the bucket must be http:// or https:// and a host.")
        }
        (self.settings, self.host, self.now) = (settings, host, now)
    }

    /// Whether a text is `http://` or `https://` and a host, with nothing behind it.
    public static func isEndpoint(_ text: String) -> Bool { host(of: text) != nil }

    /// As it stands in the `Host` header: without the port that goes without saying.
    private static func host(of endpoint: String) -> String? {
        for (scheme, port) in [("http://", ":80"), ("https://", ":443")] where endpoint.hasPrefix(scheme) {
            let rest = endpoint.dropFirst(scheme.count)
            guard !rest.isEmpty, !rest.contains(where: { "/?#@ ".contains($0) }) else { return nil }
            return String(rest.hasSuffix(port) ? rest.dropLast(port.count) : rest)
        }
        return nil
    }

    // MARK: Objects

    /// Stores an object. The bytes are compared with their name as they leave, and the service compares what comes with
    /// the hash of each request.
    ///
    /// - Parameter read: Gives so many bytes from an offset.
    /// - Throws: ``Failure`` `digestMismatch` when the bytes are not what their name says; nothing is stored then.
    func put(_ blob: StoredBlob, read: (_ offset: Int64, _ count: Int) async throws -> ByteBuffer) async throws {
        guard blob.size.count > Self.partBytes else {
            let bytes = try await read(0, Int(blob.size.count))
            let found = BlobHasher.digest(of: bytes)
            try BlobStore.match(found, [blob.digest])
            _ = try await send("PUT", key(blob.digest), body: bytes, payload: found)
            return
        }
        let begun = try await send("POST", key(blob.digest), query: [("uploads", "")])
        let upload = try Self.element("UploadId", of: begun.text, or: self)
        do {
            let length = max(Self.partBytes, (blob.size.count + Self.partsMax - 1) / Self.partsMax)
            var parts = ""
            var hasher = BlobHasher()
            for (index, offset) in stride(from: 0, to: blob.size.count, by: Int(length)).enumerated() {
                let count = Int(min(length, blob.size.count - offset))
                let query = [("partNumber", "\(index + 1)"), ("uploadId", upload.percentEncoded)]
                let bytes = try await read(offset, count)
                bytes.withUnsafeReadableBytes { hasher.update($0) }
                let answer = try await send("PUT", key(blob.digest), query: query, body: bytes)
                guard let tag = answer.headers.first(name: "etag") else { throw unexpected("sent no tag of a part") }
                parts += "<Part><PartNumber>\(index + 1)</PartNumber><ETag>\(tag)</ETag></Part>"
            }
            try BlobStore.match(hasher.finish(), [blob.digest])
            let list = "<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>"
            let ended = try await send(
                "POST",
                key(blob.digest),
                query: [("uploadId", upload.percentEncoded)],
                body: ByteBuffer(string: list)
            )
            // An error can come with 200 here, once the service has begun to answer.
            if ended.text.contains("<Error>") { throw refused(ended) }
        } catch {
            _ = try? await send("DELETE", key(blob.digest), query: [("uploadId", upload.percentEncoded)])
            throw error
        }
    }

    /// How many bytes an object has; `nil` when it is not there.
    func size(of digest: Digest) async throws -> Int64? {
        let answer = try await send("HEAD", key(digest), missingIsFine: true)
        guard answer.status != 404 else { return nil }
        return answer.headers.first(name: "content-length").flatMap { Int64($0) }
    }

    /// Removes an object and what uploads of it left behind; one that is not there is fine.
    func remove(_ digest: Digest) async throws {
        let key = key(digest)
        _ = try await send("DELETE", key, missingIsFine: true)
        let name = "\(settings.prefix)\(Self.name(digest))"
        let query = [("prefix", name.percentEncoded), ("uploads", "")]
        let left = try await send("GET", "", query: query, missingIsFine: true)
        for upload in Self.elements("UploadId", of: left.text) {
            _ = try await send("DELETE", key, query: [("uploadId", upload.percentEncoded)], missingIsFine: true)
        }
    }

    /// The bytes of a range of an object as they come.
    /// - Throws: ``Failure`` `unavailable` when the service does not answer, `internal` when the object is not there.
    func get(_ digest: Digest, _ range: Range<Int64>) async throws -> HTTPClientResponse.Body {
        let headers = [("range", "bytes=\(range.lowerBound)-\(range.upperBound - 1)")]
        let response = try await attempt {
            try await execute("GET", key(digest), query: [], headers: headers, body: nil, payload: Self.nothing)
        }
        guard response.status == .partialContent else {
            if response.status == .notFound {
                throw Failure(.internal, "\(digest) is not in bucket '\(settings.bucket)' any more.")
            }
            throw refused(try await Answer(response))
        }
        return response.body
    }

    // MARK: Requests

    private struct Answer {
        /// Of answers that we read whole.
        static let bytesMax = 4 << 20

        let status: UInt
        let headers: HTTPHeaders
        let text: String

        init(_ response: HTTPClientResponse) async throws {
            status = response.status.code
            headers = response.headers
            text = String(buffer: try await response.body.collect(upTo: Self.bytesMax))
        }
    }

    private static func name(_ digest: Digest) -> String { "sha256/\(digest.hex.prefix(2))/\(digest.hex)" }

    /// The path below the bucket.
    private func key(_ digest: Digest) -> String { "/\(settings.prefix)\(Self.name(digest))" }

    private func send(
        _ method: String,
        _ key: String,
        query: [(String, String)] = [],
        body: ByteBuffer? = nil,
        payload: Digest? = nil,
        missingIsFine: Bool = false
    ) async throws -> Answer {
        // Once, however often it is tried.
        let payload = payload ?? BlobHasher.digest(of: body ?? ByteBuffer())
        let response = try await attempt {
            try await execute(method, key, query: query, headers: [], body: body, payload: payload)
        }
        let answer = try await Answer(response)
        guard (200..<300).contains(answer.status) || missingIsFine && answer.status == 404 else {
            throw refused(answer)
        }
        return answer
    }

    /// Tries a few times while the service is not to be reached, or says that it has too much to do.
    private func attempt(_ request: () async throws -> HTTPClientResponse) async throws -> HTTPClientResponse {
        var tries = 1
        while true {
            do {
                let response = try await request()
                guard response.status.code >= 500 || response.status.code == 429, tries < Self.triesMax else {
                    return response
                }
            } catch let error as CancellationError {
                throw error
            } catch {
                guard tries < Self.triesMax else {
                    throw Failure(
                        .unavailable,
                        "Bucket '\(settings.bucket)' at \(settings.endpoint) does not answer: \(error).",
                        retryAfter: .seconds(10)
                    )
                }
            }
            try await Task.sleep(for: .milliseconds(50 << (2 * tries)))
            tries += 1
        }
    }

    private func execute(
        _ method: String,
        _ key: String,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        body: ByteBuffer?,
        payload: Digest
    ) async throws -> HTTPClientResponse {
        let path = "/\(settings.bucket)\(key)"
        let all = S3Signature.headers(
            method,
            host: host,
            path: path,
            query: query,
            headers: headers,
            payload: payload,
            region: settings.region,
            settings.credentials,
            at: now()
        )
        let text = query.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        var request = HTTPClientRequest(url: settings.endpoint + path + (text.isEmpty ? "" : "?\(text)"))
        request.method = HTTPMethod(rawValue: method)
        request.headers = HTTPHeaders(all.map { ($0.name, $0.value) })
        if let body { request.body = .bytes(body) }
        let timeMax = body.map { $0.readableBytes > 1 << 20 } ?? false ? Self.uploadTimeMax : Self.answerTimeMax
        return try await Self.client.execute(request, timeout: timeMax)
    }

    private func refused(_ answer: Answer) -> Failure {
        let code = Self.elements("Code", of: answer.text).first
        let message = Self.elements("Message", of: answer.text).first
        let said = [code, message].compactMap { $0 }.joined(separator: ": ")
        return Failure(
            answer.status >= 500 || answer.status == 429 ? .unavailable : .internal,
            "Bucket '\(settings.bucket)' at \(settings.endpoint) answered \(answer.status)"
                + (said.isEmpty ? "." : " (\(said.prefix(300))).")
        )
    }

    private func unexpected(_ what: String) -> Failure {
        Failure(.internal, "Bucket '\(settings.bucket)' at \(settings.endpoint) \(what).")
    }

    private static func element(_ name: String, of text: String, or bucket: S3Bucket) throws -> String {
        guard let element = elements(name, of: text).first else { throw bucket.unexpected("sent no \(name)") }
        return element
    }

    /// What stands in elements of a name. Their contents here are identifiers and sentences, without elements in them.
    private static func elements(_ name: String, of text: String) -> [String] {
        text.split(separator: "<\(name)>").dropFirst().compactMap { rest in
            rest.firstRange(of: "</\(name)>").map { String(rest[..<$0.lowerBound]) }
        }
    }
}
