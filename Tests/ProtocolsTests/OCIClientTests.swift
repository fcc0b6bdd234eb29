import Core
import Foundation
import Hub
import Jobs
import Testing
import Wire

/// The real clients against the real server. `scripts/test` installs them; where one is absent its test is skipped.
@Suite("OCI clients", .serialized)
struct OCIClientTests {
    // MARK: Programs

    /// Where a program is: installed, or unpacked by `scripts/test`.
    static func find(_ program: String) -> String? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().path
        let folders = ["\(root)/.build/tools", "/usr/bin", "/usr/local/bin"]
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A folder of a test's own, with a home for what clients remember.
    struct Desk {
        let folder: URL
        let scene: FaceScene

        var registry: String { "127.0.0.1:\(scene.port)" }
        var token: String { scene.tokens[.member] ?? "" }

        /// Runs a program to its end.
        @discardableResult
        func run(_ program: String, _ arguments: [String], expecting status: Int32 = 0) async throws -> String {
            let process = Process()
            process.executableURL = URL(filePath: try #require(OCIClientTests.find(program)))
            process.arguments = arguments
            process.currentDirectoryURL = folder
            process.environment = ProcessInfo.processInfo.environment.merging([
                "HOME": folder.path, "XDG_RUNTIME_DIR": folder.path,
                "REGISTRY_AUTH_FILE": folder.appending(path: "auth.json").path,
            ]) { $1 }
            let output = try await process.output(by: folder.appending(path: "output"))
            #expect(process.terminationStatus == status, "\(program) \(arguments.joined(separator: " ")): \(output)")
            return output
        }

        func write(_ path: String, _ bytes: [UInt8]) throws {
            let file = folder.appending(path: path)
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(bytes).write(to: file)
        }

        func read(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: folder.appending(path: path))) }

        /// An image layout with one image of one layer, whose tag is `v1`.
        ///
        /// - Returns: The digests of manifest and layer.
        func makeLayout(_ name: String, seed: UInt64) async throws -> (manifest: String, layer: String) {
            try write("rootfs/weights.bin", content(3_000_000, seed: seed))
            try await run("tar", ["--sort=name", "--mtime=@0", "-cf", "layer.tar", "-C", "rootfs", "."])
            let layer = try read("layer.tar")
            func put(_ bytes: [UInt8]) throws -> String {
                let digest = Algorithm.sha256.digest(bytes)
                try write("\(name)/blobs/sha256/\(digest.dropFirst(7))", bytes)
                return digest
            }
            func descriptor(_ type: String, _ bytes: [UInt8]) throws -> String {
                #"{"mediaType":"\#(type)","digest":"\#(try put(bytes))","size":\#(bytes.count)}"#
            }
            let config = #"""
                {"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers",\#
                "diff_ids":["\#(Algorithm.sha256.digest(layer))"]}}
                """#
            let manifest = #"""
                {"schemaVersion":2,"mediaType":"\#(ManifestDocument.ociImage)",\#
                "config":\#(try descriptor(DataSet.config, Array(config.utf8))),\#
                "layers":[\#(try descriptor(DataSet.layer, layer))]}
                """#
            let bytes = Array(manifest.utf8)
            let index = #"""
                {"schemaVersion":2,"manifests":[{"mediaType":"\#(ManifestDocument.ociImage)",\#
                "digest":"\#(try put(bytes))","size":\#(bytes.count),\#
                "annotations":{"org.opencontainers.image.ref.name":"v1"}}]}
                """#
            try write("\(name)/index.json", Array(index.utf8))
            try write("\(name)/oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
            return (Algorithm.sha256.digest(bytes), Algorithm.sha256.digest(layer))
        }
    }

    private func withDesk(_ test: (Desk) async throws -> Void) async throws {
        try await withFaces { scene in
            let folder = FileManager.default.temporaryDirectory.appending(path: "oci-\(UUID().uuidString.prefix(8))")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            // A leftover folder in /tmp hurts nobody; a failing removal must not hide the test's own failure.
            defer { try? FileManager.default.removeItem(at: folder) }
            let desk = Desk(folder: folder, scene: scene)
            // Podman wants the file to be there.
            try desk.write("auth.json", Array(#"{"auths":{}}"#.utf8))
            try await test(desk)
        }
    }

    // MARK: Tests

    @Test(
        "skopeo pushes, lists, copies between repositories without sending again, pulls and deletes",
        .enabled(if: find("skopeo") != nil, "skopeo is not installed")
    )
    func skopeo() async throws {
        try await withDesk { desk in
            let (manifest, layer) = try await desk.makeLayout("layout", seed: 1)
            let image = "docker://\(desk.registry)/demo/net/weights"
            try await desk.run("skopeo", ["login", "--tls-verify=false", "-u", "mia", "-p", desk.token, desk.registry])
            let copy = ["copy", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false"]
            try await desk.run("skopeo", copy + ["oci:layout:v1", "\(image):v1"])
            try await desk.run("skopeo", copy + ["oci:layout:v1", "\(image):v2"])
            let tags = try await desk.run("skopeo", ["list-tags", "--tls-verify=false", image])
            #expect(tags.contains("\"v1\"") && tags.contains("\"v2\""))
            let raw = try await desk.run("skopeo", ["inspect", "--raw", "--tls-verify=false", "\(image):v1"])
            #expect(Algorithm.sha256.digest(Array(raw.utf8)) == manifest)
            let other = "docker://\(desk.registry)/demo/other"
            try await desk.run("skopeo", copy + ["\(image):v1", "\(other):v1"])
            let mounted = try await desk.scene.call("HEAD", "/v2/demo/other/blobs/\(layer)")
            #expect(mounted.status == 200)
            try await desk.run("skopeo", copy + ["\(other):v1", "oci:pulled:v1"])
            let (name, pulled) = ("blobs/sha256/\(layer.dropFirst(7))", "pulled")
            #expect(try desk.read("\(pulled)/\(name)") == desk.read("layout/\(name)"))
            try await desk.run("skopeo", ["delete", "--tls-verify=false", "\(other):v1"])
            try await desk.run("skopeo", ["inspect", "--tls-verify=false", "\(other):v1"], expecting: 1)
        }
    }

    @Test(
        "what is public is pulled without credentials; what is not is refused, and so is a wrong password",
        .enabled(if: find("skopeo") != nil, "skopeo is not installed")
    )
    func withoutCredentials() async throws {
        try await withDesk { desk in
            _ = try await desk.makeLayout("layout", seed: 2)
            let image = "docker://\(desk.registry)/demo/public"
            let push = ["copy", "--preserve-digests", "--dest-tls-verify=false", "oci:layout:v1", "\(image):v1"]
            try await desk.run("skopeo", push, expecting: 1)
            try await desk.run("skopeo", push + ["--dest-creds", "mia:wrong"], expecting: 1)
            try await desk.run("skopeo", push + ["--dest-creds", "mia:\(desk.token)"])
            let pull = ["copy", "--src-tls-verify=false", "\(image):v1", "oci:pulled:v1"]
            try await desk.run("skopeo", pull, expecting: 1)
            let owner = try await desk.scene.point.authenticate(bearer: #require(desk.scene.tokens[.owner]))
            let path = try #require(RepositoryPath("demo/public"))
            _ = try await desk.scene.repositories.change(.images, path, visibility: .public, owner)
            try await desk.run("skopeo", pull)
            try await desk.run("skopeo", push, expecting: 1)
        }
    }

    @Test(
        "oras pushes an artifact, attaches another, finds it and pulls both",
        .enabled(if: find("oras") != nil, "oras is not installed")
    )
    func oras() async throws {
        try await withDesk { desk in
            let weights = content(3_000_000, seed: 3)
            try desk.write("weights.bin", weights)
            try desk.write("signature.txt", Array("signed".utf8))
            let artifact = "\(desk.registry)/models/demo/net:v1"
            try await desk.run("oras", ["login", "--plain-http", "-u", "mia", "-p", desk.token, desk.registry])
            let type = "application/vnd.cncf.model.manifest.v1+json"
            let layer = "weights.bin:application/vnd.cncf.model.weight.v1.raw"
            try await desk.run("oras", ["push", "--plain-http", artifact, "--artifact-type", type, layer])
            let attach = ["attach", "--plain-http", "--artifact-type", "application/vnd.example.signature", artifact]
            try await desk.run("oras", attach + ["signature.txt:text/plain"])
            let found = try await desk.run("oras", ["discover", "--plain-http", "--format", "json", artifact])
            #expect(found.contains("application/vnd.example.signature"), "\(found)")
            // With the referrers at hand the client keeps no tags of its own for them.
            let tags = try await desk.run("oras", ["repo", "tags", "--plain-http", "\(desk.registry)/models/demo/net"])
            #expect(tags.split(separator: "\n") == ["v1"])
            try await desk.run("oras", ["pull", "--plain-http", "-o", "pulled", artifact])
            #expect(try desk.read("pulled/weights.bin") == weights)
            let copy = "\(desk.registry)/demo/copied:v1"
            try await desk.run("oras", ["copy", "-r", "--from-plain-http", "--to-plain-http", artifact, copy])
            let again = try await desk.run("oras", ["discover", "--plain-http", "--format", "json", copy])
            #expect(again.contains("application/vnd.example.signature"))
            try await desk.run("oras", ["manifest", "delete", "--plain-http", "-f", copy])
        }
    }

    @Test(
        "what one client pushed, the others pull byte for byte",
        .enabled(
            if: ["skopeo", "oras", "podman"].allSatisfy { find($0) != nil },
            "skopeo, oras and podman are not all installed"
        )
    )
    func eachOther() async throws {
        try await withDesk { desk in
            let (_, layer) = try await desk.makeLayout("layout", seed: 4)
            let name = "blobs/sha256/\(layer.dropFirst(7))"
            let bytes = try desk.read("layout/\(name)")
            let credentials = "mia:\(desk.token)"
            let bySkopeo = "\(desk.registry)/demo/skopeo:v1"
            let byOras = "\(desk.registry)/demo/oras:v1"
            let byPodman = "\(desk.registry)/demo/podman:v1"
            try await desk.run(
                "skopeo",
                [
                    "copy", "--preserve-digests", "--dest-tls-verify=false", "--dest-creds", credentials,
                    "oci:layout:v1",
                    "docker://\(bySkopeo)",
                ]
            )
            try await desk.run("oras", ["login", "--plain-http", "-u", "mia", "-p", desk.token, desk.registry])
            try await desk.run("oras", ["cp", "--from-oci-layout", "layout:v1", "--to-plain-http", byOras])
            let podman = [
                "--storage-driver", "vfs", "--root", desk.folder.appending(path: "containers").path, "--runroot",
                desk.folder.appending(path: "run").path,
            ]
            let transport = ["--tls-verify=false", "--creds", credentials]
            try await desk.run("podman", podman + ["pull"] + transport + [bySkopeo])
            try await desk.run("podman", podman + ["push"] + transport + [bySkopeo, byPodman])
            for (place, image) in [("a", bySkopeo), ("b", byOras)] {
                try await desk.run(
                    "skopeo",
                    [
                        "copy", "--preserve-digests", "--src-tls-verify=false", "--src-creds", credentials,
                        "docker://\(image)",
                        "oci:\(place):v1",
                    ]
                )
                #expect(try desk.read("\(place)/\(name)") == bytes)
                try await desk.run(
                    "oras",
                    [
                        "blob", "fetch", "--plain-http", "-o", "\(place).tar", "\(image.dropLast(3))@\(layer)",
                    ]
                )
                #expect(try desk.read("\(place).tar") == bytes)
            }
            // Podman packs what it pushes anew, so it is the files in it that are the same.
            try await desk.run("podman", podman + ["pull"] + transport + [byOras])
            try await desk.run(
                "skopeo",
                [
                    "copy", "--src-tls-verify=false", "--src-creds", credentials, "docker://\(byPodman)", "dir:c",
                ]
            )
            let manifest = try JSON(parsing: desk.read("c/manifest.json"))
            let packed = try #require(manifest["layers"]?.arrayValue?.first?["digest"]?.stringValue)
            try FileManager.default.createDirectory(
                at: desk.folder.appending(path: "unpacked"),
                withIntermediateDirectories: true
            )
            try await desk.run("tar", ["-xf", "c/\(packed.dropFirst(7))", "-C", "unpacked"])
            #expect(try desk.read("unpacked/weights.bin") == desk.read("rootfs/weights.bin"))
        }
    }
}

extension Process {
    /// Runs to its end and returns what it said, by way of a file.
    func output(by log: URL) async throws -> String {
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        standardInput = FileHandle.nullDevice
        standardOutput = handle
        standardError = handle
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            terminationHandler = { _ in continuation.resume() }
            do { try run() } catch { continuation.resume(throwing: error) }
        }
        return try String(contentsOf: log, encoding: .utf8)
    }
}
