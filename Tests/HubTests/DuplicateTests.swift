import Blobs
import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("A copy of a repository stands by itself")
struct DuplicateTests {
    private static let copy = RepositoryPath(project: .named("other"), name: Shelf.name("copy"))
    private static let years = Duration.seconds(10 * 365 * 24 * 3600)

    private static func duplicate(_ shelf: Shelf, _ caller: Principal, visibility: Visibility? = nil) async throws {
        let made = try await shelf.repositories.duplicate(
            .models,
            shelf.model,
            as: copy,
            visibility: visibility,
            caller
        )
        #expect(made.creator == caller.user && made.path == copy)
    }

    @Test("branches, tags and what was pushed come with their history; pull requests do not; the source may go")
    func stands() async throws {
        try await withShelf { shelf in
            let head = try await shelf.commit(files: ["a.txt": "a", "README.md": "---\nlicense: mit\n---\n"])
            let tag = try #require(ReferenceName(.tag, "v1"))
            try await shelf.repositories.add(tag, at: shelf.main(), message: "first", shelf.alice)
            _ = try await shelf.push([("layer.bin", "pushed")], ["v2"])
            let kept = try await shelf.repositories.keep(ByteBuffer(string: "p"), at: path("p.txt"))
            let proposal = CommitRequest(
                reference: .main,
                message: "Propose",
                operations: [kept.operation],
                brought: [kept],
                opensPullRequest: true
            )
            _ = try await shelf.repositories.commit(proposal, to: .models, shelf.model, shelf.alice)
            _ = try await shelf.repositories.change(.models, shelf.model, visibility: .internal, shelf.alice)
            try await Self.duplicate(shelf, shelf.eve)
            let bytes = try await shelf.store.read { tx in
                (try tx.storage(of: .named("brain")), try tx.storage(of: .named("other")))
            }
            #expect(bytes.0 == bytes.1 && bytes.0 > 0)
            try await shelf.repositories.remove(.models, shelf.model, shelf.alice)
            shelf.clock.advance(Self.years)
            _ = try await shelf.repositories.collect()
            try await shelf.store.rebuild()
            let references = try await shelf.repositories.references(.models, Self.copy, shelf.eve)
            #expect(references.map(\.name.description) == ["heads/main", "tags/v1", "tags/v2"])
            #expect(references[0].revision == head.id && references[1].message == "first")
            let address = RevisionAddress(.models, Self.copy)
            let history = try await shelf.repositories.history(at: address, limit: 10, shelf.eve)
            #expect(history.revisions.count == 2)
            for (file, revision) in [("a.txt", "main"), ("README.md", "v1"), ("layer.bin", "v2")] {
                let place = RevisionAddress(.models, Self.copy, revision)
                let found = try await shelf.repositories.entry(file, at: place, for: .read, shelf.eve)
                let digest = try #require(found.entry?.digest, "\(file)")
                #expect(try await shelf.repositories.open(digest, in: found.repository) != nil, "\(file)")
            }
            let facts = try await shelf.repositories.facts(about: head, of: history.repository)
            #expect(facts.card?.licence == "mit")
            #expect(try await shelf.repositories.discussions(in: .models, Self.copy, shelf.eve).isEmpty)
            // And it goes on by itself.
            let more = try await shelf.repositories.keep(ByteBuffer(string: "m"), at: path("m.txt"))
            let request = CommitRequest(
                reference: .main,
                message: "More",
                operations: [more.operation],
                brought: [more]
            )
            let next = try await shelf.repositories.commit(request, to: .models, Self.copy, shelf.eve)
            #expect(next.revision.parent == head.id)
        }
    }

    @Test("it takes the right to the files of the one and to make the other, a free name, and room")
    func refuses() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit(files: ["a.txt": "aaaa"])
            func code(_ caller: Principal) async -> Failure.Code? {
                let refused = await failure { try await Self.duplicate(shelf, caller) }
                return refused?.code
            }
            #expect(await code(shelf.eve) == .notFound)
            // A member of the source's project, not of the other one.
            #expect(await code(shelf.bob) == .notFound)
            _ = try await shelf.repositories.change(
                .models,
                shelf.model,
                visibility: .internal,
                gating: .manual,
                shelf.alice
            )
            #expect(await code(shelf.eve) == .forbidden)
            try await shelf.repositories.setAccess(of: shelf.eve.user, to: .models, shelf.model, .accepted, shelf.alice)
            let read = Principal(user: shelf.eve.user, isOperator: false, scopes: [.read], project: nil)
            #expect(await code(read) == .forbidden)
            try await shelf.store.write { tx in
                let small = Project(name: .named("other"), quota: Quota(bytes: 3))
                try tx.append(
                    .projectChanged(small),
                    project: small.name,
                    subject: "other",
                    actor: "t",
                    at: shelf.clock.now
                )
            }
            #expect(await code(shelf.eve) == .quotaExceeded)
            try await shelf.store.write { tx in
                let large = Project(name: .named("other"))
                try tx.append(
                    .projectChanged(large),
                    project: large.name,
                    subject: "other",
                    actor: "t",
                    at: shelf.clock.now
                )
            }
            try await Self.duplicate(shelf, shelf.eve)
            #expect(await code(shelf.eve) == .conflict)
            let made = try await shelf.repositories.repository(.models, Self.copy, for: .see, shelf.eve)
            #expect(made.visibility == .internal && made.gating == .manual)
        }
    }

    @Test("single files are lent to another repository only where they may be read, and are kept for a day")
    func files() async throws {
        try await withShelf { shelf in
            let head = try await shelf.commit(files: ["a.txt": "aaaa"])
            let here = sha256(Array("aaaa".utf8))
            let strange = sha256(Array("nowhere".utf8))
            _ = try await shelf.repositories.begin(.model, Self.copy, visibility: .private, shelf.eve)
            func copy(_ caller: Principal) async throws -> [Core.Digest] {
                try await shelf.repositories.copyFiles(
                    [here, strange],
                    from: (.models, shelf.model),
                    into: (.models, Self.copy),
                    caller
                )
            }
            #expect(await failure { _ = try await copy(shelf.eve) }?.code == .notFound)
            #expect(await failure { _ = try await copy(shelf.alice) }?.code == .notFound)
            _ = try await shelf.repositories.change(.models, shelf.model, visibility: .internal, shelf.alice)
            shelf.clock.advance(Self.years)
            #expect(try await copy(shelf.eve) == [strange])
            try await shelf.repositories.remove(.models, shelf.model, shelf.alice)
            #expect(try await shelf.repositories.collect().blobs == 0)
            let request = CommitRequest(
                reference: .main,
                message: "Copy",
                operations: [.link(path("b.bin"), here, Bytes(4))]
            )
            let made = try await shelf.repositories.commit(request, to: .models, Self.copy, shelf.eve)
            #expect(made.revision.id != head.id)
        }
    }
}
