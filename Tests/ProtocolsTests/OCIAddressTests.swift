import Core
import Hub
import Testing

@testable import Protocols

@Suite("OCI addresses")
struct OCIAddressTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)
    private static let long = "sha512:" + String(repeating: "b", count: 128)
    private static let upload = UploadID(high: 5, low: 6)

    @Test("paths are what their ends say, whatever the repository's name")
    func paths() throws {
        let nested = try #require(OCIName("demo/a/b/c"))
        let blobs = try #require(OCIName("demo/blobs"))
        let digest = try #require(ContentDigest(Self.digest))
        let cases: [(String, OCIAddress)] = [
            ("/v2", .ping), ("/v2/", .ping), ("/v2/token", .token),
            ("/v2/demo/a/b/c/blobs/\(Self.digest)", .blob(nested, digest)),
            ("/v2/demo/a/b/c/blobs/sha256%3A\(Self.digest.dropFirst(7))", .blob(nested, digest)),
            ("/v2/demo/blobs/blobs/\(Self.digest)", .blob(blobs, digest)),
            ("/v2/demo/blobs/blobs/uploads/", .uploads(blobs)), ("/v2/demo/blobs/blobs/uploads", .uploads(blobs)),
            ("/v2/demo/a/b/c/blobs/uploads/\(Self.upload)", .upload(nested, Self.upload)),
            ("/v2/demo/a/b/c/manifests/v1.0_x-y", .manifest(nested, .tag("v1.0_x-y"))),
            ("/v2/demo/a/b/c/manifests/\(Self.digest)", .manifest(nested, .digest(digest))),
            ("/v2/demo/a/b/c/tags/list", .tags(nested)),
            ("/v2/demo/a/b/c/referrers/\(Self.digest)", .referrers(nested, digest)),
        ]
        for (path, expected) in cases { #expect(try OCIAddress(path: path) == expected, "\(path)") }
        #expect(ContentDigest(Self.long)?.description == Self.long)
    }

    @Test("what is no address is refused in the specification's words")
    func refused() {
        let cases: [(String, Int, OCIError.Code)] = [
            ("/v2x", 404, .unsupported), ("/v2/demo", 404, .unsupported),
            ("/v2/demo/x/nothing/here", 404, .unsupported),
            ("/v2/demo/../x/tags/list", 404, .unsupported), ("/v2/demo/%2e%2e/x/tags/list", 404, .unsupported),
            ("/v2/demo%2Fx/tags/list", 404, .unsupported), ("/v2/demo/x%00/tags/list", 400, .nameInvalid),
            ("/v2/demo/%zz/tags/list", 400, .nameInvalid), ("/v2/demo/%ff/tags/list", 400, .nameInvalid),
            ("/v2//x/tags/list", 400, .nameInvalid), ("/v2/x/tags/list", 400, .nameInvalid),
            ("/v2/demo/-x/tags/list", 400, .nameInvalid),
            ("/v2/demo/\(String(repeating: "a", count: 300))/tags/list", 400, .nameInvalid),
            ("/v2/Demo/x/tags/list", 400, .nameInvalid), ("/v2/models/demo/-x/tags/list", 400, .nameInvalid),
            ("/v2/demo/x/blobs/sha256:short", 400, .digestInvalid),
            ("/v2/demo/x/blobs/\(Self.digest.uppercased())", 400, .digestInvalid),
            ("/v2/demo/x/blobs/md5:00", 400, .digestInvalid), ("/v2/demo/x/manifests/a:b", 400, .digestInvalid),
            ("/v2/demo/x/manifests/.hidden", 400, .manifestInvalid),
            ("/v2/demo/x/manifests/\(String(repeating: "t", count: 129))", 400, .manifestInvalid),
            ("/v2/demo/x/blobs/uploads/nonsense", 404, .blobUploadUnknown),
        ]
        for (path, status, code) in cases {
            do {
                let address = try OCIAddress(path: path)
                Issue.record("\(path) is \(address)")
            } catch {
                #expect(error.status == status && error.items.map(\.code) == [code], "\(path): \(error)")
            }
        }
    }

    @Test("the first part of a name of three can be a shelf of the Hub")
    func shelves() {
        let cases: [(String, RepositoryKind, String)] = [
            ("demo/x", .image, "demo/x"), ("models/demo/x", .model, "demo/x"), ("datasets/demo/x", .dataset, "demo/x"),
            ("algorithms/demo/x", .algorithm, "demo/x"), ("models/x", .image, "models/x"),
            ("models/demo/x/y", .image, "models/demo/x/y"), ("demo/models/x", .image, "demo/models/x"),
        ]
        for (text, kind, path) in cases {
            let name = OCIName(text)
            #expect(name?.kind == kind && name.map { "\($0.path)" } == path, "\(text)")
        }
    }

    @Test("credentials come as a bearer token or as a password")
    func credentials() throws {
        #expect(try FaceCredentials(header: nil) == .none)
        #expect(try FaceCredentials(header: "Bearer abc") == .token("abc"))
        #expect(try FaceCredentials(header: "basic dXNlcjpwYTpzcw==") == .token("pa:ss"))
        #expect(try FaceCredentials(header: "Basic OnRva2Vu") == .token("token"))
        for bad in ["abc", "Basic", "Basic !!!!", "Basic dXNlcg==", "Digest x", "Bearer", "Basic dXNlcjo="] {
            #expect(throws: Failure.self, "\(bad)") { try FaceCredentials(header: bad) }
        }
    }
}
