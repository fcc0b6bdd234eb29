import Core

// Crypto has a protocol named Digest too, so only what is needed is imported.
import struct Crypto.HMAC
import struct Crypto.SHA256
import struct Crypto.SymmetricKey

/// Who speaks to an S3 service.
public struct S3Credentials: Sendable {
    let keyID: String
    let secret: String
    /// Of credentials that expire.
    let sessionToken: String?

    public init(keyID: String, secret: String, sessionToken: String? = nil) {
        (self.keyID, self.secret, self.sessionToken) = (keyID, secret, sessionToken)
    }
}

extension S3Credentials: CustomStringConvertible, CustomReflectable {
    /// Nothing that a log may not have.
    public var description: String { keyID }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// AWS Signature, version 4, in the `Authorization` header (Amazon S3 API reference, "Authenticating Requests").
enum S3Signature {
    /// The headers that go with a request.
    ///
    /// - Parameters:
    ///   - path: As it will be sent.
    ///   - query: Names and values, encoded as they will be sent, in any order.
    ///   - headers: Those that are signed besides the ones made here; names in lower case.
    ///   - payload: The SHA-256 of the body.
    static func headers(
        _ method: String,
        host: String,
        path: String,
        query: [(name: String, value: String)],
        headers: [(name: String, value: String)],
        payload: Digest,
        region: String,
        _ credentials: S3Credentials,
        at now: Instant
    ) -> [(name: String, value: String)] {
        let time = timestamp(now)
        let date = time.prefix(8)
        var signed = headers + [("host", host), ("x-amz-content-sha256", payload.hex), ("x-amz-date", time)]
        if let token = credentials.sessionToken { signed.append(("x-amz-security-token", token)) }
        signed.sort { $0.name < $1.name }
        let names = signed.map(\.name).joined(separator: ";")
        let request = [
            method, path,
            query.sorted { ($0.name, $0.value) < ($1.name, $1.value) }.map { "\($0.name)=\($0.value)" }
                .joined(separator: "&"),
            signed.map { "\($0.name):\($0.value)\n" }.joined(), names, payload.hex,
        ].joined(separator: "\n")
        let scope = "\(date)/\(region)/s3/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, BlobHasher.digest(of: Array(request.utf8)).hex]
            .joined(separator: "\n")
        var key = Array("AWS4\(credentials.secret)".utf8)
        for part in [String(date), region, "s3", "aws4_request"] { key = code(part, key) }
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(credentials.keyID)/\(scope), SignedHeaders=\(names), "
            + "Signature=\(hex(code(text, key)))"
        return signed + [("authorization", authorization)]
    }

    /// Such as `20130524T000000Z`.
    static func timestamp(_ now: Instant) -> String {
        now.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    private static func code(_ text: String, _ key: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String { bytes.map(BlobStore.shard).joined() }
}
