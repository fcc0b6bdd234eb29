import Blobs
import Core
import Crypto
import FoundationEssentials
import Hub
import NIOHTTP1
import Testing

/// How a digest is made.
enum Algorithm: String, CaseIterable, Sendable {
    case sha256, sha512

    func digest(_ bytes: [UInt8]) -> String {
        switch self {
        case .sha256: "sha256:" + SHA256.hash(data: bytes).map(hex).joined()
        case .sha512: "sha512:" + SHA512.hash(data: bytes).map(hex).joined()
        }
    }
}

private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

/// One repository as an OCI client sees it: the calls of the specification, each with what must hold of its answer.
struct Registry: Sendable {
    let scene: FaceScene
    var name = "demo/conformance"
    var who = Who.member

    /// The ways of pushing a blob.
    enum Way: String, CaseIterable, Sendable {
        case postPut = "blob-post-put"
        case postOnly = "blob-post-only"
        case stream = "blob-patch-stream"
        case chunked = "blob-patch-chunked"
        /// The last chunk comes with the PUT.
        case chunkedWithPut = "blob-patch-chunked and put chunk"
    }

    func call(
        _ method: String,
        _ path: String,
        headers: [(String, String)] = [],
        body: [UInt8]? = nil,
        isStream: Bool = false
    ) async throws -> Reply {
        let path = path.hasPrefix("/") ? path : "/v2/\(name)/\(path)"
        return try await scene.call(method, path, as: who, headers: headers, body: body, isStream: isStream)
    }

    private static let octets = ("Content-Type", "application/octet-stream")

    /// Begins an upload and returns its place.
    func begin(_ query: String = "") async throws -> String {
        let begun = try await call("POST", "blobs/uploads/" + query, body: [])
        #expect(begun.status == 202, "\(begun)")
        return try #require(begun["Location"])
    }

    func with(_ location: String, digest: String) -> String {
        location + (location.contains("?") ? "&" : "?") + "digest=" + digest.replacing(":", with: "%3A")
    }

    /// Pushes bytes under a digest, whether it is theirs or not, and returns the last answer.
    func send(_ bytes: [UInt8], as digest: String, _ way: Way = .postPut) async throws -> Reply {
        switch way {
        case .postPut:
            return try await call("PUT", with(begin(), digest: digest), headers: [Self.octets], body: bytes)
        case .postOnly:
            return try await call(
                "POST",
                with("blobs/uploads/", digest: digest),
                headers: [Self.octets],
                body: bytes
            )
        case .stream:
            let sent = try await call("PATCH", begin(), headers: [Self.octets], body: bytes, isStream: true)
            #expect(sent.status == 202, "\(sent)")
            return try await call("PUT", with(#require(sent["Location"]), digest: digest), body: [])
        case .chunked, .chunkedWithPut:
            var location = try await begin()
            let size = max(1, min(bytes.count, max(1024, bytes.count / 3 + 1)))
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start..<min(start + size, bytes.count)])
                let range = ("Content-Range", "\(start)-\(start + piece.count - 1)")
                if way == .chunkedWithPut, start + piece.count == bytes.count {
                    return try await call(
                        "PUT",
                        with(location, digest: digest),
                        headers: [Self.octets, range],
                        body: piece
                    )
                }
                let sent = try await call("PATCH", location, headers: [Self.octets, range], body: piece)
                #expect(sent.status == 202 && sent["Range"] == "0-\(start + piece.count - 1)", "\(sent)")
                location = try #require(sent["Location"])
            }
            return try await call("PUT", with(location, digest: digest), body: [])
        }
    }

    /// Pushes bytes and reads them back from where the answer says that they are.
    func push(_ bytes: [UInt8], _ algorithm: Algorithm = .sha256, _ way: Way = .postPut) async throws {
        let digest = algorithm.digest(bytes)
        let reply = try await send(bytes, as: digest, way)
        #expect(reply.status == 201 && reply["Docker-Content-Digest"] == digest, "\(way): \(reply)")
        let there = try await call("GET", #require(reply["Location"]))
        #expect(there.status == 200 && there.body == bytes, "\(way): \(there.status)")
    }

    func expectBlob(_ bytes: [UInt8], _ digest: String) async throws {
        for method in ["HEAD", "GET"] {
            let reply = try await call(method, "blobs/\(digest)")
            #expect(reply.status == 200 && reply["Docker-Content-Digest"] == digest, "\(reply.status)")
            #expect(reply["Content-Length"] == "\(bytes.count)")
            #expect(reply.body == (method == "GET" ? bytes : []))
        }
    }

    func deleteBlob(_ digest: String) async throws {
        let reply = try await call("DELETE", "blobs/\(digest)")
        #expect(reply.status == 202, "\(reply)")
        let gone = try await call("GET", "blobs/\(digest)")
        #expect(gone.status == 404 && gone.codes == ["BLOB_UNKNOWN"], "\(gone)")
    }

    @discardableResult
    func put(_ manifest: TestManifest, _ reference: String, query: String = "") async throws -> Reply {
        try await call(
            "PUT",
            "manifests/\(reference)\(query)",
            headers: [("Content-Type", manifest.mediaType)],
            body: manifest.bytes
        )
    }

    /// Pushes a manifest and reads it back from where the answer says that it is.
    func push(_ manifest: TestManifest, _ reference: String) async throws {
        let reply = try await put(manifest, reference)
        let digest = reference.contains(":") ? reference : Algorithm.sha256.digest(manifest.bytes)
        #expect(reply.status == 201 && reply["Docker-Content-Digest"] == digest, "\(reply)")
        #expect(reply["OCI-Subject"] == manifest.subject)
        try await expectManifest(manifest, at: #require(reply["Location"]), digest, ["GET"])
    }

    func expectManifest(_ manifest: TestManifest, at path: String, _ digest: String, _ methods: [String]) async throws {
        for method in methods {
            let reply = try await call(
                method,
                path,
                headers: [("Accept", ManifestDocument.ociIndex), ("Accept", ManifestDocument.ociImage)]
            )
            #expect(reply.status == 200 && reply["Docker-Content-Digest"] == digest, "\(path): \(reply.status)")
            #expect(reply["Content-Length"] == "\(manifest.bytes.count)")
            #expect(reply["Content-Type"] == manifest.mediaType)
            #expect(reply.body == (method == "GET" ? manifest.bytes : []))
        }
    }

    func tags(_ query: String = "") async throws -> [String] {
        let reply = try await call("GET", "tags/list" + query)
        #expect(reply.status == 200, "\(reply)")
        return (try reply.json()["tags"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    func referrers(_ digest: String, artifactType: String? = nil) async throws -> [JSON] {
        let query = artifactType.map { "?artifactType=" + $0.percentEncoded } ?? ""
        let reply = try await call("GET", "referrers/\(digest)\(query)")
        #expect(reply.status == 200 && reply["Content-Type"] == ManifestDocument.ociIndex, "\(reply)")
        #expect(reply["OCI-Filters-Applied"] == artifactType.map { _ in "artifactType" })
        let json = try reply.json()
        #expect(json["schemaVersion"] == .integer(2) && json["mediaType"] == .string(ManifestDocument.ociIndex))
        return json["manifests"]?.arrayValue ?? []
    }
}

/// A manifest as a client made it.
struct TestManifest: Sendable {
    var mediaType: String
    var bytes: [UInt8]
    var artifactType: String?
    var annotations: [(key: String, value: JSON)] = []
    var subject: String?

    /// What points at it.
    func descriptor(_ algorithm: Algorithm = .sha256, platform: String? = nil) -> JSON {
        var members: [(key: String, value: JSON)] = [
            ("mediaType", .string(mediaType)), ("digest", .string(algorithm.digest(bytes))),
            ("size", .integer(Int64(bytes.count))),
        ]
        if let platform {
            members.append(("platform", .object([("os", .string("linux")), ("architecture", .string(platform))])))
        }
        return .object(members)
    }
}

/// A data set of the conformance suite: blobs, and manifests in the order of their pushing.
struct DataSet: Sendable {
    let title: String
    var algorithm = Algorithm.sha256
    var blobs: [[UInt8]] = []
    var manifests: [TestManifest] = []
    /// Tags by the place of the manifest.
    var tags: [(tag: String, manifest: Int)] = []
    private var seed: UInt64

    init(_ title: String, _ algorithm: Algorithm = .sha256) {
        self.title = title
        self.algorithm = algorithm
        seed = title.utf8.reduce(1) { $0 &* 31 &+ UInt64($1) }
    }

    mutating func blob(_ count: Int = 700) -> [UInt8] {
        seed &+= 1
        let bytes = content(count, seed: seed)
        blobs.append(bytes)
        return bytes
    }

    /// The same bytes are one blob.
    mutating func shared(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        if !blobs.contains(bytes) { blobs.append(bytes) }
        return bytes
    }

    func descriptor(_ bytes: [UInt8], _ type: String, more: [(key: String, value: JSON)] = []) -> JSON {
        .object(
            [
                ("mediaType", .string(type)), ("digest", .string(algorithm.digest(bytes))),
                ("size", .integer(Int64(bytes.count))),
            ] + more
        )
    }

    static let layer = "application/vnd.oci.image.layer.v1.tar"
    static let layerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    static let config = "application/vnd.oci.image.config.v1+json"
    static let example = "application/vnd.example.oci.conformance"
    static let example2 = "application/vnd.example.oci.conformance.v2"
    static let empty = "application/vnd.oci.empty.v1+json"

    /// - Returns: Its place.
    @discardableResult
    mutating func image(
        layers: Int = 2,
        type: String = layerGzip,
        artifactType: String? = nil,
        annotations: [(key: String, value: JSON)] = [],
        subject: JSON? = nil,
        withData: Bool = false,
        withExtra: Bool = false,
        extraLayers: [JSON] = []
    ) -> Int {
        var made = extraLayers
        for _ in 0..<layers {
            let bytes = type == Self.empty ? shared("{}") : blob()
            made.append(descriptor(bytes, type, more: withData ? [("data", .string(Self.base64(bytes)))] : []))
        }
        let isArtifact = artifactType != nil
        let config =
            isArtifact
            ? descriptor(shared("{}"), Self.empty)
            : descriptor(
                shared(#"{"architecture":"amd64","os":"linux","seed":\#(seed),"rootfs":{"type":"layers"}}"#),
                Self.config
            )
        return add(
            ManifestDocument.ociImage,
            [("config", config), ("layers", .array(made))],
            artifactType: artifactType,
            effectiveType: artifactType ?? Self.config,
            annotations,
            subject,
            withExtra
        )
    }

    @discardableResult
    mutating func index(
        _ children: [JSON],
        artifactType: String? = nil,
        annotations: [(key: String, value: JSON)] = [],
        subject: JSON? = nil,
        withExtra: Bool = false
    ) -> Int {
        add(
            ManifestDocument.ociIndex,
            [("manifests", .array(children))],
            artifactType: artifactType,
            effectiveType: artifactType,
            annotations,
            subject,
            withExtra
        )
    }

    /// An index over two images.
    @discardableResult
    mutating func fullIndex(
        artifactType: String? = nil,
        annotations: [(key: String, value: JSON)] = [],
        subject: JSON? = nil,
        withExtra: Bool = false
    ) -> Int {
        let children = ["amd64", "arm64"].map { platform in
            let place =
                artifactType == nil
                ? image(withExtra: withExtra) : image(layers: 1, type: Self.example, artifactType: artifactType)
            return manifests[place].descriptor(algorithm, platform: platform)
        }
        return index(
            children,
            artifactType: artifactType,
            annotations: annotations,
            subject: subject,
            withExtra: withExtra
        )
    }

    private mutating func add(
        _ mediaType: String,
        _ members: [(key: String, value: JSON)],
        artifactType: String?,
        effectiveType: String?,
        _ annotations: [(key: String, value: JSON)],
        _ subject: JSON?,
        _ withExtra: Bool
    ) -> Int {
        var all: [(key: String, value: JSON)] = [
            ("schemaVersion", .integer(2)), ("mediaType", .string(mediaType)),
        ]
        if let artifactType { all.append(("artifactType", .string(artifactType))) }
        all += members
        if let subject { all.append(("subject", subject)) }
        if !annotations.isEmpty { all.append(("annotations", .object(annotations))) }
        if withExtra { all.append(("org.example.\(seed)", .object([("unknown", .bool(true))]))) }
        var bytes: [UInt8] = []
        JSON.object(all).write(to: &bytes)
        manifests.append(
            TestManifest(
                mediaType: mediaType,
                bytes: bytes,
                artifactType: effectiveType,
                annotations: annotations,
                subject: subject?["digest"]?.stringValue
            )
        )
        return manifests.count - 1
    }

    private static func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
}
