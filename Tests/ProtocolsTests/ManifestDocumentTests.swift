import Core
import Hub
import Testing

@Suite("Reading manifests")
struct ManifestDocumentTests {
    private static let digest = "sha256:" + String(repeating: "a", count: 64)
    private static func descriptor(_ type: String = "application/x", size: String = "3", more: String = "") -> String {
        #"{"mediaType":"\#(type)","digest":"\#(digest)","size":\#(size)\#(more)}"#
    }

    @Test("an image is made of its configuration and its layers, an index of its manifests")
    func shapes() throws {
        let image = #"""
            {"schemaVersion":2,"config":\#(Self.descriptor("application/vnd.x.config")),
             "layers":[\#(Self.descriptor()),\#(Self.descriptor())],"annotations":{"a":"b"},"unknown":[1,{"x":null}]}
            """#
        let read = try ManifestDocument(parsing: Array(image.utf8), contentType: nil)
        #expect(read.mediaType == ManifestDocument.ociImage && read.artifactType == "application/vnd.x.config")
        #expect(read.parts.count == 3 && read.parts.allSatisfy { !$0.isManifest && $0.size == 3 })
        #expect(read.annotations == ["a": "b"] && read.subject == nil)
        let index = #"{"manifests":[\#(Self.descriptor())],"artifactType":"a/b","subject":\#(Self.descriptor())}"#
        let other = try ManifestDocument(parsing: Array(index.utf8), contentType: nil)
        #expect(other.mediaType == ManifestDocument.ociIndex && other.artifactType == "a/b")
        #expect(other.parts.map(\.isManifest) == [true] && other.subject?.description == Self.digest)
        let docker = #"{"schemaVersion":1,"fsLayers":[{"blobSum":"\#(Self.digest)"}]}"#
        let old = try ManifestDocument(parsing: Array(docker.utf8), contentType: "application/vnd.docker.x+json; a=b")
        #expect(old.mediaType == "application/vnd.docker.x+json" && old.parts.count == 1)
        let strange = try ManifestDocument(parsing: Array(#"{"a":1}"#.utf8), contentType: "application/vnd.strange")
        #expect(strange.parts.isEmpty)
    }

    @Test("layers that are to be had elsewhere are no part of it")
    func foreign() throws {
        let type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
        let layers = [
            Self.descriptor(type, more: #","urls":["https://example.com/x"]"#), Self.descriptor(type),
            Self.descriptor("application/x", more: #","urls":["https://example.com/x"]"#),
        ]
        let text = #"{"layers":[\#(layers.joined(separator: ","))]}"#
        #expect(try ManifestDocument(parsing: Array(text.utf8), contentType: "a/b").parts.count == 2)
    }

    @Test("what is wrong is refused, with where it is")
    func refused() {
        let cases: [(String, String?, String)] = [
            ("", "a/b", "not JSON"), ("[]", "a/b", "must be an object"), ("{", "a/b", "not JSON"),
            ("{}", nil, "/mediaType"), ("{}", "nonsense", "/mediaType"), (#"{"mediaType":1}"#, "a/b", "/mediaType"),
            (#"{"mediaType":"a/b"}"#, "c/d", "/mediaType"), (#"{"layers":{}}"#, "a/b", "/layers"),
            (#"{"layers":[1]}"#, "a/b", "/layers/0"), (#"{"layers":[{}]}"#, "a/b", "/layers/0/digest"),
            (#"{"layers":[{"digest":"sha256:x","size":1}]}"#, "a/b", "/layers/0/digest"),
            (#"{"config":\#(Self.descriptor(size: "-1"))}"#, "a/b", "/config/size"),
            (#"{"config":\#(Self.descriptor(size: "1.5"))}"#, "a/b", "/config/size"),
            (#"{"subject":{"digest":"x"}}"#, "a/b", "/subject/digest"), (#"{"annotations":[]}"#, "a/b", "/annotations"),
            (#"{"annotations":{"a":1}}"#, "a/b", "/annotations"), (#"{"a":1,"a":2}"#, "a/b", "not JSON"),
            (String(repeating: "[", count: 100_000), "a/b", "not JSON"),
            (#"{"fsLayers":[{"blobSum":"x"}]}"#, "a/b", "/fsLayers/0"),
            (#"{"artifactType":"\#(String(repeating: "a", count: 300))"}"#, "a/b", "/artifactType"),
        ]
        for (text, type, expected) in cases {
            do {
                _ = try ManifestDocument(parsing: Array(text.utf8), contentType: type)
                Issue.record("\(text.prefix(80)) was taken")
            } catch {
                #expect(error.code == .malformed && error.detail.contains(expected), "\(text.prefix(80)): \(error)")
            }
        }
        let many = Array(repeating: Self.descriptor(), count: ManifestDocument.partsMax + 1).joined(separator: ",")
        #expect(throws: Failure.self) {
            try ManifestDocument(parsing: Array(#"{"layers":[\#(many)]}"#.utf8), contentType: "a/b")
        }
    }
}
