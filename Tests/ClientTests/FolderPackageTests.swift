import Core
import Foundation
import Testing

@testable import Client

@Suite struct FolderPackageTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "onepoint-\(UUID().uuidString)")

    /// A folder for one test, removed afterwards.
    private func inFolder(_ body: (String) async throws -> Void) async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder.path(percentEncoded: false))
    }

    private func write(_ text: String, _ path: String, mode: Int = 0o644) throws {
        let url = folder.appending(path: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: url.path(percentEncoded: false))
    }

    private func link(_ path: String, to target: String) throws {
        let at = folder.appending(path: path).path(percentEncoded: false)
        try FileManager.default.createSymbolicLink(atPath: at, withDestinationPath: target)
    }

    @Test("files come in order of path, with their digests and modes, and caches are left out")
    func order() async throws {
        try await inFolder { folder in
            try write("print(1)", "a/main.py", mode: 0o755)
            try write("", "a/b/empty")
            try write("abc", "a/b.txt")
            try write("abc", "a/copy")
            try write("x", "a/__pycache__/main.pyc")
            try write("x", "a/old.pyc")
            let package = try await FolderPackage.scan(folder + "/a", boundary: folder, ignores: true)
            #expect(package.manifest.files.map(\.path) == ["b.txt", "b/empty", "copy", "main.py"])
            #expect(package.manifest.files.map(\.executable) == [false, false, false, true])
            let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
            #expect(package.manifest.files[0].digest.description == abc)
            #expect(package.sources.count == 3)
            let read = try TreeManifest(canonical: package.canonical)
            #expect(read == package.manifest)
            let all = try await FolderPackage.scan(folder + "/a", boundary: folder, ignores: false)
            #expect(all.manifest.files.count == 6)
            #expect(all.tree != package.tree)
        }
    }

    @Test("equal folders have equal digests, wherever they lie")
    func equal() async throws {
        try await inFolder { folder in
            for place in ["one", "two/deeper"] {
                try write("1", "\(place)/x/1")
                try write("2", "\(place)/y")
            }
            let one = try await FolderPackage.scan(folder + "/one", boundary: folder, ignores: true)
            let two = try await FolderPackage.scan(folder + "/two/deeper", boundary: folder, ignores: true)
            #expect(one.tree == two.tree)
        }
    }

    @Test("links are followed inside the repository and refused outside it")
    func links() async throws {
        try await inFolder { folder in
            try write("shared", "common/contract.py")
            try write("x", "algorithms/a/main.py")
            try link("algorithms/a/contract.py", to: "../../common/contract.py")
            try link("algorithms/a/common", to: "../../common")
            let package = try await FolderPackage.scan(folder + "/algorithms/a", boundary: folder, ignores: true)
            #expect(package.manifest.files.map(\.path) == ["common/contract.py", "contract.py", "main.py"])
            await expectFailure("outside") {
                _ = try await FolderPackage.scan(
                    folder + "/algorithms/a",
                    boundary: folder + "/algorithms",
                    ignores: true
                )
            }
            try link("algorithms/a/passwords", to: "/etc/passwd")
            await expectFailure("/etc/passwd, outside") {
                _ = try await FolderPackage.scan(folder + "/algorithms/a", boundary: folder, ignores: true)
            }
        }
    }

    @Test("circles, dead links and empty folders are refused")
    func broken() async throws {
        try await inFolder { folder in
            try write("x", "a/main.py")
            try link("a/again", to: "../a")
            await expectFailure("around itself") {
                _ = try await FolderPackage.scan(folder + "/a", boundary: folder, ignores: true)
            }
            try FileManager.default.removeItem(atPath: folder + "/a/again")
            try link("a/dead", to: "nowhere")
            await expectFailure("link to nothing") {
                _ = try await FolderPackage.scan(folder + "/a", boundary: folder, ignores: true)
            }
            try FileManager.default.createDirectory(atPath: folder + "/empty", withIntermediateDirectories: true)
            await expectFailure("has no files") {
                _ = try await FolderPackage.scan(folder + "/empty", boundary: folder, ignores: true)
            }
            await expectFailure("Cannot read") {
                _ = try await FolderPackage.scan(folder + "/gone", boundary: folder, ignores: true)
            }
        }
    }

    @Test("the boundary is the repository, or without one the folder around")
    func boundary() async throws {
        try await inFolder { folder in
            try write("x", "repo/algorithms/a/main.py")
            let real = try #require(realPath(folder))
            #expect(FolderPackage.boundary(of: folder + "/repo/algorithms/a") == real + "/repo/algorithms")
            try FileManager.default.createDirectory(atPath: folder + "/repo/.git", withIntermediateDirectories: true)
            #expect(FolderPackage.boundary(of: folder + "/repo/algorithms/a") == real + "/repo")
        }
    }

    private func expectFailure(_ words: String, _ body: () async throws -> Void) async {
        do {
            try await body()
            Issue.record("nothing failed, expected '\(words)'")
        } catch let failure as Failure {
            #expect(failure.detail.contains(words), "\(failure.detail)")
        } catch {
            Issue.record("unexpected \(error)")
        }
    }
}
