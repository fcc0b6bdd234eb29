import Core
import Testing

@Suite struct TreeManifestTests {
    static func file(_ path: String, size: Bytes = 3, executable: Bool = false) -> TreeManifest.File {
        TreeManifest.File(path: path, digest: .fixture(), size: size, executable: executable)
    }

    @Test(
        "paths that stay inside their folder are safe",
        arguments: [
            "a", "a/b", ".hidden", "a/..b", "...", "ä/漢", "a b", "-rf", "a\nb", String(repeating: "x", count: 255),
        ]
    )
    func safe(path: String) { #expect(TreeManifest.isSafe(path: path)) }

    @Test(
        "paths that could leave it, or mean another thing elsewhere, are not",
        arguments: [
            "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "a/./b", "../a", "a/..", "a/../b", "a\\b", "..\\a",
            "a\u{0}", "\u{0}", String(repeating: "x", count: 256), String(repeating: "a/", count: 600) + "a",
        ]
    )
    func unsafe(path: String) { #expect(!TreeManifest.isSafe(path: path)) }

    @Test("the same files in any order have the same canonical bytes, which read back")
    func canonical() throws {
        var generator = seeded("manifests")
        let paths = ["a", "a-b/c", "a.txt", "b/a", "b/z", "é", "e\u{301}x", "漢", "😀", "\u{FFFF}", "Z"]
        let files = paths.map { Self.file($0, executable: $0.utf8.count % 2 == 0) }
        let expected = TreeManifest(files: files).canonical
        for _ in 0..<200 {
            #expect(TreeManifest(files: files.shuffled(using: &generator)).canonical == expected)
        }
        let read = try TreeManifest(canonical: expected)
        #expect(read.files.map { Array($0.path.utf8) } == TreeManifest(files: files).files.map { Array($0.path.utf8) })
        #expect(read.canonical == expected)
        #expect(try TreeManifest(canonical: TreeManifest(files: []).canonical).files.isEmpty)
    }

    @Test("the canonical form is pinned, because digests depend on it")
    func pinned() {
        let manifest = TreeManifest(files: [Self.file("b"), Self.file("a/ü", size: 12, executable: true)])
        let hex = String(repeating: "07", count: 32)
        #expect(
            String(decoding: manifest.canonical, as: UTF8.self) == """
                {"files":[{"path":"a/ü","digest":"sha256:\(hex)","size":12,"executable":true},\
                {"path":"b","digest":"sha256:\(hex)","size":3,"executable":false}]}
                """
        )
    }

    @Test("files are in the order of the bytes of their paths, whatever Unicode thinks of them")
    func byteOrder() {
        // U+FB00 sorts after U+1F600 in UTF-16, before it in UTF-8; a decomposed é sorts before f, a composed one after.
        let manifest = TreeManifest(files: ["😀", "\u{FB00}", "\u{E9}", "f", "e\u{301}"].map { Self.file($0) })
        #expect(
            manifest.files.map { Array($0.path.utf8) }
                == ["e\u{301}", "f", "\u{E9}", "\u{FB00}", "😀"].map { Array($0.utf8) }
        )
    }

    static func text(_ files: String) -> [UInt8] { Array("{\"files\":[\(files)]}".utf8) }

    static func entry(_ path: String, size: String = "1", more: String = "") -> String {
        #"{"path":"\#(path)","digest":"sha256:\#(String(repeating: "07", count: 32))","size":\#(size),"executable":false\#(more)}"#
    }

    @Test("a manifest from outside is refused for every fault")
    func refusals() throws {
        _ = try TreeManifest(canonical: Self.text(Self.entry("a") + "," + Self.entry("b")))
        let refused: [[UInt8]] = [
            [], Array("{}".utf8), Array("[]".utf8), Array("{\"files\":1}".utf8), Array("not json".utf8),
            Self.text("1"), Self.text("{}"), Self.text(Self.entry("../a")), Self.text(Self.entry("/etc/passwd")),
            Self.text(Self.entry("")), Self.text(Self.entry("a", size: "-1")), Self.text(Self.entry("a", size: "1.5")),
            Self.text(Self.entry("a", size: "9223372036854775808")), Self.text(Self.entry("a", size: "\"1\"")),
            // Out of order, twice, alike, and a file that is also a folder, next to it or not.
            Self.text(Self.entry("b") + "," + Self.entry("a")), Self.text(Self.entry("a") + "," + Self.entry("a")),
            Self.text(Self.entry("e\u{301}") + "," + Self.entry("\u{E9}")),
            Self.text(Self.entry("a") + "," + Self.entry("a/b")),
            Self.text(Self.entry("a") + "," + Self.entry("a-b") + "," + Self.entry("a/b/c")),
            // The same meaning in other bytes would have another digest.
            Self.text(Self.entry("a", more: ",\"x\":1")), Self.text(" " + Self.entry("a")),
            Self.text(Self.entry("\\u0061")), Array("{\"files\":[],\"more\":1}".utf8), Array("{\"files\":[]}\n".utf8),
        ]
        for bytes in refused {
            #expect(throws: Failure.self, "\(String(decoding: bytes, as: UTF8.self))") {
                try TreeManifest(canonical: bytes)
            }
        }
    }

    @Test("more files than allowed are refused as too large")
    func tooMany() {
        // Counted before anything else is looked at, so entries of one byte will do.
        let entries = String(repeating: "1,", count: TreeManifest.filesMax) + "1"
        do {
            _ = try TreeManifest(canonical: Self.text(entries))
            Issue.record("one file too many was accepted")
        } catch {
            #expect(error.code == .tooLarge)
        }
    }

    @Test("sizes from outside that do not fit 64 bits together are summed to the largest, without a trap")
    func size() throws {
        #expect(TreeManifest(files: [Self.file("a"), Self.file("b", size: 4)]).size == 7)
        let huge = "9223372036854775807"
        let bytes = Self.text(Self.entry("a", size: huge) + "," + Self.entry("b", size: huge))
        #expect(try TreeManifest(canonical: bytes).size == Bytes(.max))
    }

    @Test("mutated manifests never crash, and what is accepted is canonical and safe")
    func fuzz() {
        var generator = seeded("manifest fuzz")
        let base = TreeManifest(files: ["a", "b/c", "b/d", "e"].map { Self.file($0) }).canonical
        let interesting = Array("{}[]\",:/.\\au0b1-".utf8)
        for _ in 0..<5000 {
            var bytes = base
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[index] = interesting.randomElement(using: &generator) ?? 0
            }
            guard let manifest = try? TreeManifest(canonical: bytes) else { continue }
            #expect(manifest.canonical == bytes)
            #expect(manifest.files.allSatisfy { TreeManifest.isSafe(path: $0.path) })
        }
    }
}
