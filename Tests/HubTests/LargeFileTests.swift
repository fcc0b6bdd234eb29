import Blobs
import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("Large files go from a whole history, and nothing else does")
struct LargeFileTests {
    private static let years = Duration.seconds(10 * 365 * 24 * 3600)

    /// Bytes that a commit can link to.
    private static func upload(_ shelf: Shelf, _ text: String) async throws -> Core.Digest {
        let repository = try await shelf.repositories.repository(.models, shelf.model, for: .write, shelf.alice)
        let blob = try await shelf.blobs.put(ByteBuffer(string: text))
        try await shelf.repositories.grant(blob, in: repository, shelf.alice)
        return blob.digest
    }

    private static func list(_ shelf: Shelf, limit: Int = 100) async throws -> [Repositories.LargeFile] {
        var (files, after): ([Repositories.LargeFile], Core.Digest?) = ([], nil)
        while true {
            let page = try await shelf.repositories.largeFiles(
                of: .models,
                shelf.model,
                after: after,
                limit: limit,
                shelf.alice
            )
            files += page.files
            guard page.hasMore, let last = page.files.last else { return files }
            after = last.digest
        }
    }

    private static func remove(_ shelf: Shelf, _ digests: Set<Core.Digest>, _ caller: Principal? = nil) async throws {
        try await shelf.repositories.removeForGood(digests, from: .models, shelf.model, caller ?? shelf.alice)
    }

    private static func head(_ shelf: Shelf, _ revision: String = "main") async throws -> Revision {
        try #require(
            try await shelf.repositories.revision(at: shelf.main(revision), for: .see, shelf.alice).revision
        )
    }

    @Test("every large file of every revision is listed once, with where it is or was")
    func lists() async throws {
        try await withShelf { shelf in
            let (old, new) = (try await Self.upload(shelf, "old"), try await Self.upload(shelf, "new"))
            let first = try await shelf.commit([.link(path("d/w.bin"), old, nil), .link(path("gone.bin"), old, nil)])
            shelf.clock.advance(.seconds(60))
            _ = try await shelf.commit([.link(path("d/w.bin"), new, nil), .deleteFile(path("gone.bin"))])
            shelf.clock.advance(.seconds(60))
            _ = try await shelf.commit([.copy(from: path("d/w.bin"), revision: nil, to: path("e/w.bin"))])
            for limit in [1, 100] {
                let files = try await Self.list(shelf, limit: limit)
                #expect(files.map(\.digest) == [old, new].sorted())
                let was = files.first { $0.digest == old }
                #expect(was?.path == "d/w.bin" && was?.reference == nil && was?.at == first.at && was?.size == 3)
                let now = files.first { $0.digest == new }
                #expect(now?.path == "d/w.bin" && now?.reference == .main)
                #expect(now?.at == first.at + .seconds(60))
            }
        }
    }

    @Test("a removed file is in no revision, its bytes are gone, and what never had it keeps its name")
    func removes() async throws {
        try await withShelf { shelf in
            let (bad, good) = (try await Self.upload(shelf, "bad"), try await Self.upload(shelf, "good"))
            let before = try await Self.head(shelf)
            let tag = try #require(ReferenceName(.tag, "v1"))
            _ = try await shelf.commit([.link(path("only/bad.bin"), bad, nil), .link(path("good.bin"), good, nil)])
            try await shelf.repositories.add(tag, at: shelf.main(), message: "first", shelf.alice)
            shelf.clock.advance(.seconds(60))
            let last = try await shelf.commit([.link(path("more.bin"), good, nil)])
            let branch = try #require(ReferenceName(.branch, "old"))
            try await shelf.repositories.add(branch, at: shelf.main(before.id.text), shelf.alice)
            #expect(await failure { try await Self.remove(shelf, [bad], shelf.bob) }?.code == .forbidden)
            #expect(await failure { try await Self.remove(shelf, [bad], shelf.eve) }?.code == .notFound)
            try await Self.remove(shelf, [bad])
            let head = try await Self.head(shelf)
            #expect(try await shelf.paths() == [".gitattributes", "good.bin", "more.bin"])
            #expect(try await shelf.paths("v1") == [".gitattributes", "good.bin"])
            #expect(head.id != last.id && head.at == last.at && head.author == last.author)
            let history = try await shelf.repositories.history(at: shelf.main(), limit: 100, shelf.alice).revisions
            #expect(history.count == 3 && history.last?.id == before.id)
            #expect(try await Self.head(shelf, "v1").id == history[1].id)
            #expect(try await Self.head(shelf, "old").id == before.id)
            let id = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice).id
            let message = try await shelf.store.read { tx in
                try tx.references(of: id).first { $0.name == tag }?.message
            }
            #expect(message == "first")
            let absent = await failure {
                _ = try await shelf.repositories.revision(at: shelf.main(last.id.text), for: .see, shelf.alice)
            }
            #expect(absent?.code == .notFound)
            #expect(try await Self.list(shelf).map(\.digest) == [good])
            // Twice does no harm.
            try await Self.remove(shelf, [bad])
            #expect(try await Self.head(shelf).id == head.id)
            // The names are those that git gives to the same history without the file.
            let tree = try #require(try await shelf.store.read { tx in try tx.revision(head.id, of: id) }).tree
            let entries = try await shelf.store.read { try $0.entries(of: tree) }
            #expect(GitObject.tree(entries) == tree)
            shelf.clock.advance(Self.years)
            _ = try await shelf.repositories.collect()
            #expect(try await shelf.blobs.size(of: bad) == nil)
            #expect(try await shelf.blobs.size(of: good) != nil)
            try await shelf.store.rebuild()
            #expect(try await shelf.paths() == [".gitattributes", "good.bin", "more.bin"])
        }
    }

    @Test("what another repository has of it stays there, and a manifest keeps what it is made of")
    func keeps() async throws {
        try await withShelf { shelf in
            let bad = try await Self.upload(shelf, "bad")
            _ = try await shelf.commit([.link(path("bad.bin"), bad, nil)])
            let copy = RepositoryPath(project: shelf.model.project, name: Shelf.name("copy"))
            _ = try await shelf.repositories.duplicate(
                .models,
                shelf.model,
                as: copy,
                visibility: nil,
                shelf.alice
            )
            try await Self.remove(shelf, [bad])
            shelf.clock.advance(Self.years)
            _ = try await shelf.repositories.collect()
            let address = RevisionAddress(.models, copy)
            let found = try await shelf.repositories.entry("bad.bin", at: address, for: .read, shelf.alice)
            #expect(found.entry?.digest == bad)
            #expect(try await shelf.repositories.open(bad, in: found.repository)?.size == 3)
            _ = try await shelf.push([("layer.bin", "pushed")], ["v2"])
            let layer = sha256(Array("pushed".utf8))
            let refused = await failure { try await Self.remove(shelf, [layer]) }
            #expect(refused?.code == .conflict && refused?.detail.contains("registry") ?? false)
            #expect(try await shelf.paths("v2") == ["layer.bin"])
        }
    }

    @Test("what the registry only made of a revision goes with it, unless somebody gave it a tag")
    func made() async throws {
        try await withShelf { shelf in
            let bad = try await Self.upload(shelf, "bad")
            _ = try await shelf.commit([.link(path("bad.bin"), bad, nil)])
            let pulled = try #require(try await shelf.manifest("main"))
            try await Self.remove(shelf, [bad])
            #expect(try await shelf.manifest("\(pulled.record.digest)") == nil)
            #expect(try #require(try await shelf.manifest("main")).record.digest != pulled.record.digest)
            let worse = try await Self.upload(shelf, "worse")
            _ = try await shelf.commit([.link(path("worse.bin"), worse, nil)])
            let kept = try #require(try await shelf.manifest("main"))
            _ = try await shelf.put(Array(buffer: kept.bytes.whole()), ["v1"])
            #expect(await failure { try await Self.remove(shelf, [worse]) }?.code == .conflict)
            #expect(try await shelf.paths().contains("worse.bin"))
        }
    }

    @Test("commits that come meanwhile are in the new history")
    func race() async throws {
        try await withShelf { shelf in
            let bad = try await Self.upload(shelf, "bad")
            _ = try await shelf.commit([.link(path("bad.bin"), bad, nil)])
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<10 {
                    group.addTask { _ = try await shelf.commit(files: ["f\(index).txt": "\(index)"]) }
                }
                group.addTask { try await Self.remove(shelf, [bad]) }
                try await group.waitForAll()
            }
            try await Self.remove(shelf, [bad])
            #expect(try await shelf.paths() == [".gitattributes"] + (0..<10).map { "f\($0).txt" })
        }
    }
}
