import Blobs
import Core
import Glibc
import NIOCore
import Testing

@Suite("Folders")
struct TreeTests {
    let scratch = Scratch()

    /// A folder with a bit of everything that may be packed.
    func fill() {
        scratch.write("in/readme.md", Array("# hello".utf8))
        scratch.write("in/bin/run", Array("#!/bin/sh".utf8), mode: 0o755)
        scratch.write("in/data/deep/x.bin", content(1, 2_000_000))
        scratch.write("in/data/deep/y.bin", content(1, 2_000_000))
        scratch.write("in/.hidden", [])
        scratch.write("in/名前 with space", [1, 2])
        scratch.link("in/data/link", to: "../bin/run")
        mkdir(scratch.path + "/in/empty", 0o755)
    }

    static let paths = [
        ".hidden", "bin/run", "data/deep/x.bin", "data/deep/y.bin", "data/link", "readme.md", "名前 with space",
    ]

    @Test("a folder comes back with its bytes and executable bits", arguments: [true, false])
    func roundTrip(links: Bool) async throws {
        fill()
        let store = try await scratch.store()
        let (artifact, manifest) = try await store.packTree(scratch.path + "/in", name: "out")
        #expect(manifest.files.map(\.path) == Self.paths)
        #expect(manifest.files.filter(\.executable).map(\.path) == ["bin/run", "data/link"])
        #expect(artifact.kind == .tree && artifact.name == "out" && artifact.size == manifest.size)
        #expect(try await store.manifest(of: artifact.digest) == manifest)

        let out = scratch.path + "/out"
        let size = try await store.materialise(artifact.digest, kind: .tree, at: out, mode: links ? .hardLink : .copy)
        #expect(size == manifest.size)
        #expect(entries(of: out) == [".hidden", "bin", "data", "readme.md", "名前 with space"])
        for file in manifest.files {
            let path = out + "/" + file.path
            let mode = try #require(entry(path)).st_mode & 0o777
            #expect(contents(path) == contents(scratch.path + "/in/" + file.path))
            #expect(mode == (file.executable ? (links ? 0o555 : 0o755) : (links ? 0o444 : 0o644)))
        }
        let stored = try await store.status(of: manifest.files[2].digest)
        let placed = try #require(entry(out + "/data/deep/x.bin"))
        #expect((placed.st_ino == stored.st_ino) == links)
        let (again, _) = try await store.packTree(out, name: "again")
        #expect(again.digest == artifact.digest)
    }

    @Test("the scan of a client finds the same files and digests as packing does")
    func scan() async throws {
        fill()
        let store = try await scratch.store()
        scratch.link("alias", to: "in")
        let scanned = try await TreePacker.scan(scratch.path + "/alias", threads: pool)
        let (artifact, manifest) = try await store.packTree(scratch.path + "/in/", name: "x")
        #expect(scanned.map(\.file) == manifest.files)
        #expect(scanned.first { $0.path == "data/link" }?.absolute == scratch.path + "/in/bin/run")
        // What a client does with it.
        let far = Scratch()
        let remote = try await far.store()
        for file in scanned { try await remote.put(file: file.absolute, expected: file.digest) }
        #expect(try await remote.put(TreeManifest(files: scanned.map(\.file)).canonical).digest == artifact.digest)
        withExtendedLifetime(far) {}
    }

    @Test("a file by itself is put in place too", arguments: [true, false])
    func file(executable: Bool) async throws {
        let store = try await scratch.store()
        let digest = try await store.put([1, 2, 3]).digest
        let place = scratch.path + "/file"
        #expect(try await store.materialise(digest, kind: .file, executable: executable, at: place) == 3)
        #expect(contents(place) == [1, 2, 3])
        #expect(entry(place)?.mode == (executable ? 0o755 : 0o644))
        try await store.materialise(digest, kind: .file, at: place + "2", mode: .hardLink)
        #expect(entry(place + "2")?.st_nlink == 2)
    }

    @Test("large files are copied slice by slice")
    func large() async throws {
        let store = try await scratch.store()
        let data = [UInt8](repeating: 7, count: (128 << 20) + 5)
        scratch.write("in/large", data)
        let (artifact, _) = try await store.packTree(scratch.path + "/in", name: "x")
        try await store.materialise(artifact.digest, kind: .tree, at: scratch.path + "/out")
        let copied = try await store.put(file: scratch.path + "/out/large")
        #expect(copied.digest == (try await store.put(data)).digest)
    }

    @Test("every fault of a folder is named with its path")
    func refused() async throws {
        fill()
        scratch.write("secret", [1])
        scratch.link("in/a", to: "../secret")
        scratch.link("in/b", to: "/etc/passwd")
        scratch.link("in/c", to: "nowhere")
        scratch.link("in/d", to: "data")
        scratch.link("in/e", to: "e")
        #expect(mkfifo(scratch.path + "/in/f", 0o600) == 0)
        scratch.write("in/g\\h", [1])
        let store = try await scratch.store()
        let refusal = await failure(.invalid) { _ = try await store.packTree(scratch.path + "/in", name: "x") }
        #expect(refusal?.violations.map(\.pointer).sorted() == ["/a", "/b", "/c", "/d", "/e", "/f", "/g\\h"])
        let again = await failure(.invalid) { _ = try await TreePacker.scan(scratch.path + "/in", threads: pool) }
        #expect(again?.violations.count == 7)
        #expect(blobFiles(scratch).isEmpty)
    }

    @Test("a name that is not UTF-8 is refused")
    func notText() async throws {
        mkdir(scratch.path + "/in", 0o755)
        let name: [CChar] = (scratch.path + "/in/").utf8CString.dropLast() + [-1, -2, 0]
        close(open(name, O_CREAT | O_WRONLY, 0o644))
        let refusal = await failure(.invalid) { _ = try await TreePacker.scan(scratch.path + "/in", threads: pool) }
        #expect(refusal?.violations.count == 1)
    }

    @Test("more files than allowed are refused before they are read")
    func tooMany() async throws {
        for index in 0..<11 { scratch.write("in/\(index)", [1]) }
        for index in 0..<21 { scratch.write("deep/\(index)/x", [1]) }
        _ = await failure(.tooLarge) {
            _ = try await TreePacker.scan(scratch.path + "/in", threads: pool, filesMax: 10)
        }
        _ = await failure(.tooLarge) {
            _ = try await TreePacker.scan(scratch.path + "/deep", threads: pool, filesMax: 10)
        }
        #expect(try await TreePacker.scan(scratch.path + "/in", threads: pool, filesMax: 11).count == 11)
        _ = await failure(.notFound) { _ = try await TreePacker.scan(scratch.path + "/none", threads: pool) }
        _ = await failure(.notFound) { _ = try await TreePacker.scan(scratch.path + "/in/0", threads: pool) }
    }

    @Test("an empty folder is a folder")
    func empty() async throws {
        let store = try await scratch.store()
        mkdir(scratch.path + "/in", 0o755)
        let (artifact, _) = try await store.packTree(scratch.path + "/in", name: "x")
        #expect(artifact.size == 0)
        try await store.materialise(artifact.digest, kind: .tree, at: scratch.path + "/out")
        #expect(entry(scratch.path + "/out") != nil)
    }

    @Test("what is in the place already stays, and nothing is left beside it")
    func occupied() async throws {
        let store = try await scratch.store()
        fill()
        let (artifact, manifest) = try await store.packTree(scratch.path + "/in", name: "x")
        scratch.write("folder/kept", [1])
        scratch.write("file", [1])
        scratch.link("link", to: "elsewhere")
        let before = scratch.names("")
        for name in ["folder", "file", "link"] {
            for (digest, kind) in [(artifact.digest, ArtifactKind.tree), (manifest.files[0].digest, .file)] {
                _ = await failure(.conflict) {
                    try await store.materialise(digest, kind: kind, at: scratch.path + "/" + name)
                }
            }
        }
        for place in ["relative", "/", scratch.path + "/out/", scratch.path + "/..", ""] {
            _ = await failure(.invalid) { try await store.materialise(artifact.digest, kind: .tree, at: place) }
        }
        for kind in [ArtifactKind.tree, .file] {
            _ = await failure(.notFound) {
                try await store.materialise(artifact.digest, kind: kind, at: scratch.path + "/none/out")
            }
        }
        #expect(scratch.names("") == before)
        #expect(scratch.names("folder") == ["kept"])
        #expect(contents(scratch.path + "/file") == [1])
    }

    @Test(
        "a manifest that leaves its folder, or is broken, is refused",
        arguments: [
            "../escape", "/etc/x", "a/../../b", "a//b", ".", "a/./b", "a\\b", "",
        ]
    )
    func traversal(path: String) async throws {
        let store = try await scratch.store()
        let blob = try await store.put([1])
        let entry = TreeManifest.File(path: path, digest: blob.digest, size: 1, executable: false)
        let digest = try await store.put(TreeManifest(files: [entry]).canonical).digest
        _ = await failure(.invalid) { try await store.materialise(digest, kind: .tree, at: scratch.path + "/out") }
        #expect(scratch.names("") == ["store"])
    }

    @Test("a manifest that contradicts itself or the store is refused and leaves nothing")
    func contradictions() async throws {
        let store = try await scratch.store()
        let blob = try await store.put([1])
        let gone = try await putElsewhere([2])
        func manifest(_ files: [(String, StoredBlob)]) async throws -> Digest {
            let files = files.map {
                TreeManifest.File(path: $0.0, digest: $0.1.digest, size: $0.1.size, executable: false)
            }
            return try await store.put(TreeManifest(files: files).canonical).digest
        }
        let cases: [(Failure.Code, [(String, StoredBlob)])] = [
            (.invalid, [("a", blob), ("a/b", blob)]),
            (.invalid, [("x", StoredBlob(digest: blob.digest, size: 2))]),
            (.notFound, [("x", blob), ("y", gone)]),
        ]
        for (code, files) in cases {
            let digest = try await manifest(files)
            for mode in [BlobStore.Materialisation.copy, .hardLink] {
                _ = await failure(code) {
                    try await store.materialise(digest, kind: .tree, at: scratch.path + "/out", mode: mode)
                }
            }
        }
        _ = await failure(.invalid) {
            try await store.materialise(blob.digest, kind: .tree, at: scratch.path + "/out")
        }
        _ = await failure(.notFound) {
            try await store.materialise(gone.digest, kind: .file, at: scratch.path + "/out")
        }
        #expect(scratch.names("") == ["store"])
    }

    @Test("many small files are packed by several writers at once")
    func many() async throws {
        let store = try await scratch.store()
        for index in 0..<500 { scratch.write("in/\(index % 7)/\(index)", Array("\(index % 400)".utf8)) }
        let (artifact, manifest) = try await store.packTree(scratch.path + "/in", name: "x")
        #expect(manifest.files.count == 500)
        #expect(blobFiles(scratch).count == 401)
        try await store.materialise(artifact.digest, kind: .tree, at: scratch.path + "/out", mode: .hardLink)
        #expect(contents(scratch.path + "/out/3/10") == Array("10".utf8))
    }
}
