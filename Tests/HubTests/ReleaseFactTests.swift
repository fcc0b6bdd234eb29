import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("What a release of training data was made of")
struct ReleaseFactTests {
    private let data = RepositoryPath(project: .named("brain"), name: Shelf.name("corpus"))

    private func lineage(sources: [ReleaseLineage.Source]) -> ReleaseLineage {
        let pipeline = ReleaseLineage.Pipeline(name: "web", sha256: "aa", configuration: "bb")
        var lineage = ReleaseLineage(tool: "onepoint test", pipeline: pipeline, records: 7, root: "cc")
        lineage.sources = sources
        lineage.files = [.init(source: "crawl", path: "in/a.jsonl", bytes: 3, sha256: "dd")]
        lineage.blocks = [
            .init(source: "crawl", path: "in/a.jsonl", digest: "ee", key: "ff", documents: 9, part: "data/part-0.jsonl")
        ]
        lineage.parts = [.init(path: "data/part-000000.jsonl", sha256: "00", records: 7)]
        return lineage
    }

    private func commit(
        _ text: [UInt8],
        to shelf: Shelf,
        _ repository: RepositoryPath? = nil,
        by caller: Principal? = nil
    ) async throws -> Revision {
        let file = try await shelf.repositories.keep(ByteBuffer(bytes: text), at: path(ReleaseLineage.path))
        return try await commit(file, to: shelf, repository, by: caller)
    }

    private func commit(
        _ file: KeptFile,
        to shelf: Shelf,
        _ repository: RepositoryPath? = nil,
        by caller: Principal? = nil
    ) async throws -> Revision {
        let request = CommitRequest(
            reference: .main,
            message: "Release",
            operations: [file.operation],
            brought: [file]
        )
        let caller = caller ?? shelf.alice
        let outcome = try await shelf.repositories.commit(request, to: .datasets, repository ?? data, caller)
        await shelf.repositories.noteFacts(about: outcome.revision, of: outcome.repository, caller)
        return outcome.revision
    }

    @Test("it is told as the committer's word, with links for those who see what is named")
    func told() async throws {
        try await withShelf { shelf in
            let made = try await shelf.repositories.begin(.dataset, data, visibility: .internal, shelf.alice)
            var source = ReleaseLineage.Source(name: "crawl", isReference: false)
            source.repository = "models/brain/tiny"
            source.revision = String(repeating: "1", count: 40)
            let written = lineage(sources: [source, .init(name: "old", isReference: true)])
            let revision = try await commit(WireJSON.encode(written), to: shelf)
            let view = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.bob)
            let release = try #require(view.release)
            #expect(release.author == shelf.alice.user && release.at == revision.at)
            #expect(release.lineage == written.summary && release.lineage.blocks == nil)
            #expect(release.lineage.files == written.files)
            #expect(release.repositories.keys.sorted() == ["models/brain/tiny"])
            // Eve sees the dataset and not the model.
            let other = try #require(
                try await shelf.repositories.lineage(of: made.id, at: "main", shelf.eve).release
            )
            #expect(other.repositories.isEmpty && other.lineage.files == written.files)
            // Gated, the names of files are for those who have the files.
            _ = try await shelf.repositories.change(.datasets, data, gating: .manual, shelf.alice)
            let gated = try #require(
                try await shelf.repositories.lineage(of: made.id, at: "main", shelf.eve).release
            )
            #expect(gated.lineage.files == nil && gated.lineage.sources == written.sources)
            let first = try await shelf.repositories.history(
                at: RevisionAddress(.datasets, data),
                limit: 2,
                shelf.alice
            ).revisions.last
            let before = try await shelf.repositories.lineage(of: made.id, at: first?.id.text ?? "", shelf.bob)
            #expect(before.release == nil)
        }
    }

    @Test("a revision tells the releases that say they were made of it, to whoever sees them")
    func madeOf() async throws {
        try await withShelf { shelf in
            let made = try await shelf.repositories.begin(.dataset, data, visibility: .internal, shelf.alice)
            let first = try await commit(Array("no lineage".utf8), to: shelf)
            let shelved = RepositoryPath(project: .named("brain"), name: Shelf.name("release"))
            let release = try await shelf.repositories.begin(.dataset, shelved, visibility: .private, shelf.alice)
            var source = ReleaseLineage.Source(name: "pages", isReference: false)
            (source.repository, source.revision) = ("datasets/brain/corpus", first.id.text)
            var again = source
            again.name = "pages-again"
            var unknown = source
            unknown.revision = String(repeating: "1", count: 40)
            let text = try WireJSON.encode(lineage(sources: [source, again, unknown]))
            let last = try await commit(text, to: shelf, shelved)
            let view = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.alice)
            let use = ReleaseUseView(
                repository: release.id,
                path: "datasets/brain/release",
                revision: last.id,
                author: shelf.alice.user,
                at: last.at
            )
            #expect(view.releases == [use] && view.release == nil)
            // The release is private, so who is not in its project is told of none.
            let other = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.eve)
            #expect(other.releases.isEmpty)
            // The same file in another commit is no further release; with a word changed it is one.
            let readme = try await shelf.repositories.keep(ByteBuffer(string: "# One"), at: path("README.md"))
            _ = try await commit(readme, to: shelf, shelved)
            #expect(try await shelf.repositories.lineage(of: made.id, at: "main", shelf.alice).releases == [use])
            let changed = try await commit(text + [0x20], to: shelf, shelved)
            let both = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.alice).releases
            #expect(both.map(\.revision) == [changed.id, last.id])
        }
    }

    @Test("who cannot read a repository says nothing about it")
    func unseen() async throws {
        try await withShelf { shelf in
            let made = try await shelf.repositories.begin(.dataset, data, visibility: .private, shelf.alice)
            let first = try await commit(Array("no lineage".utf8), to: shelf)
            let shelved = RepositoryPath(project: .named("other"), name: Shelf.name("release"))
            _ = try await shelf.repositories.begin(.dataset, shelved, visibility: .public, shelf.eve)
            var source = ReleaseLineage.Source(name: "pages", isReference: false)
            (source.repository, source.revision) = ("datasets/brain/corpus", first.id.text)
            _ = try await commit(WireJSON.encode(lineage(sources: [source])), to: shelf, shelved, by: shelf.eve)
            let view = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.alice)
            #expect(view.releases.isEmpty)
        }
    }

    @Test("who sees a source and not the release finds nothing of it among the source's events either")
    func events() async throws {
        try await withShelf { shelf in
            let made = try await shelf.repositories.begin(.dataset, data, visibility: .internal, shelf.alice)
            let first = try await commit(Array("no lineage".utf8), to: shelf)
            let shelved = RepositoryPath(project: .named("other"), name: Shelf.name("release"))
            let release = try await shelf.repositories.begin(.dataset, shelved, visibility: .private, shelf.eve)
            var source = ReleaseLineage.Source(name: "pages", isReference: false)
            (source.repository, source.revision) = ("datasets/brain/corpus", first.id.text)
            _ = try await commit(WireJSON.encode(lineage(sources: [source])), to: shelf, shelved, by: shelf.eve)
            let hers = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.eve)
            #expect(hers.releases.map(\.repository) == [release.id])
            let events = try await shelf.store.read {
                try $0.storedEvents(after: 0, limit: 1000, projects: [.named("brain")], subject: nil)
            }
            #expect(!events.isEmpty && !events.contains { $0.payload.contains("\(release.id)") })
        }
    }

    @Test(
        "what is no lineage, or too much of one, is none and hurts nobody",
        arguments: [
            ("no JSON", 1), ("{}", 1), ("[", 100_000), (" ", ReleaseLineage.bytesMax + 1),
        ]
    )
    func none(_ text: String, times: Int) async throws {
        try await withShelf { shelf in
            let made = try await shelf.repositories.begin(.dataset, data, visibility: .private, shelf.alice)
            _ = try await commit(Array(String(repeating: text, count: times).utf8), to: shelf)
            let view = try await shelf.repositories.lineage(of: made.id, at: "main", shelf.alice)
            #expect(view.release == nil)
        }
    }
}
