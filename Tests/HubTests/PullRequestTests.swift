import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("Pull requests are merged whole or not at all")
struct PullRequestTests {
    /// Opens a pull request that puts these files.
    private static func open(_ shelf: Shelf, _ files: [String: String], by caller: Principal? = nil) async throws -> Int
    {
        var kept: [KeptFile] = []
        for (name, text) in files.sorted(by: { $0.key < $1.key }) {
            kept.append(try await shelf.repositories.keep(ByteBuffer(string: text), at: path(name)))
        }
        let request = CommitRequest(
            reference: .main,
            message: "Propose",
            operations: kept.map(\.operation),
            brought: kept,
            opensPullRequest: true
        )
        let outcome = try await shelf.repositories.commit(request, to: .models, shelf.model, caller ?? shelf.bob)
        return try #require(outcome.pullRequest)
    }

    private static func text(_ shelf: Shelf, _ file: String) async throws -> String? {
        let found = try await shelf.repositories.entry(file, at: shelf.main(), for: .read, shelf.alice)
        guard let digest = found.entry?.digest else { return nil }
        let bytes = try await shelf.repositories.content(of: digest, countMax: 1000, in: found.repository)
        return String(buffer: bytes)
    }

    private static func merge(_ shelf: Shelf, _ number: Int, _ caller: Principal? = nil) async throws -> Revision {
        try await shelf.repositories.merge(number, comment: nil, in: .models, shelf.model, caller ?? shelf.alice)
            .revision
    }

    private static func detail(_ shelf: Shelf, _ number: Int) async throws -> Repositories.DiscussionDetail {
        try await shelf.repositories.discussion(number, in: .models, shelf.model, shelf.alice)
    }

    @Test("what it changed comes into main beside what main changed since, as one commit, and it says so")
    func merges() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit(files: ["a.txt": "a", "d/b.txt": "b"])
            let number = try await Self.open(shelf, ["d/b.txt": "proposed", "d/new.txt": "n"])
            let head = try await shelf.commit(files: ["a.txt": "moved on", "d/other.txt": "o"])
            #expect(try await Self.detail(shelf, number).conflicts == [])
            let merged = try await shelf.repositories.merge(
                number,
                comment: "Fine.",
                in: .models,
                shelf.model,
                shelf.alice
            ).revision
            #expect(merged.parent == head.id && merged.title == "Propose (#1)" && merged.author == shelf.alice.user)
            #expect(merged.message.hasSuffix("Co-authored-by: bob <bob@onepoint>"))
            #expect(try await Self.text(shelf, "a.txt") == "moved on")
            #expect(try await Self.text(shelf, "d/b.txt") == "proposed")
            #expect(
                try await shelf.paths() == [".gitattributes", "a.txt", "d", "d/b.txt", "d/new.txt", "d/other.txt"]
            )
            let detail = try await Self.detail(shelf, number)
            #expect(detail.discussion.state == .merged && detail.discussion.mergeCommit == merged.id)
            #expect(detail.notes.map(\.kind) == [.commit, .comment, .state])
            #expect(detail.notes.map(\.text) == ["Propose", "Fine.", "merged"])
        }
    }

    @Test("a conflict is refused with its files named, and nothing has changed")
    func conflicts() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit(files: ["a.txt": "a", "b.txt": "b"])
            let number = try await Self.open(shelf, ["a.txt": "mine", "b.txt": "both"])
            let head = try await shelf.commit(files: ["a.txt": "theirs", "b.txt": "both"])
            #expect(try await Self.detail(shelf, number).conflicts == ["a.txt"])
            let refused = await failure { _ = try await Self.merge(shelf, number) }
            #expect(refused?.code == .conflict && refused?.detail.contains("'a.txt'") ?? false, "\(refused as Any)")
            #expect(try await Self.detail(shelf, number).discussion.state == .open)
            let now = try await shelf.repositories.revision(at: shelf.main(), for: .see, shelf.alice).revision
            #expect(now?.id == head.id)
        }
    }

    @Test("drafts, closed and merged ones are not merged; a merged one takes no commits")
    func states() async throws {
        try await withShelf { shelf in
            let draft = try await shelf.repositories.open(
                "Draft",
                "",
                isPullRequest: true,
                in: .models,
                shelf.model,
                shelf.bob
            )
            #expect(await failure { _ = try await Self.merge(shelf, draft.number) }?.code == .conflict)
            func set(_ isOpen: Bool) async throws {
                _ = try await shelf.repositories.setOpen(
                    isOpen,
                    draft.number,
                    comment: nil,
                    in: .models,
                    shelf.model,
                    shelf.bob
                )
            }
            try await set(false)
            #expect(await failure { _ = try await Self.merge(shelf, draft.number) }?.code == .conflict)
            try await set(true)
            let reference = try #require(ReferenceName(.pullRequest, "\(draft.number)"))
            let kept = try await shelf.repositories.keep(ByteBuffer(string: "x"), at: path("x.txt"))
            let commit = try await shelf.commit([kept.operation], brought: [kept], to: reference, shelf.bob)
            _ = try await Self.merge(shelf, draft.number)
            #expect(await failure { _ = try await Self.merge(shelf, draft.number) }?.code == .conflict)
            #expect(await failure { try await set(false) }?.code == .conflict)
            let late = try await shelf.repositories.keep(ByteBuffer(string: "y"), at: path("y.txt"))
            let refused = await failure {
                _ = try await shelf.commit([late.operation], brought: [late], to: reference, shelf.bob)
            }
            #expect(refused?.code == .conflict)
            #expect(try await shelf.paths() == [".gitattributes", "x.txt"])
            let notes = try await Self.detail(shelf, draft.number).notes
            #expect(notes.map(\.text) == ["closed", "open", "Change", "merged"])
            #expect(notes[2].detail == commit.id.text)
        }
    }

    @Test("of many that are merged at once all come in, and each once")
    func race() async throws {
        try await withShelf { shelf in
            var numbers: [Int] = []
            for index in 0..<8 { numbers.append(try await Self.open(shelf, ["f\(index).txt": "\(index)"])) }
            // Two ask for each.
            let outcomes = await withTaskGroup(of: (Int, Bool).self) { group in
                for number in numbers + numbers {
                    group.addTask { (number, await failure { _ = try await Self.merge(shelf, number) } == nil) }
                }
                return await group.reduce(into: [Int: Int]()) { $0[$1.0, default: 0] += $1.1 ? 1 : 0 }
            }
            #expect(outcomes == Dictionary(uniqueKeysWithValues: numbers.map { ($0, 1) }))
            #expect(try await shelf.paths() == [".gitattributes"] + (0..<8).map { "f\($0).txt" })
            let history = try await shelf.repositories.history(at: shelf.main(), limit: 100, shelf.alice).revisions
            #expect(history.count == 9)
        }
    }

    @Test("who may only see neither merges nor closes; what somebody said, only they change")
    func rights() async throws {
        try await withShelf { shelf in
            let number = try await Self.open(shelf, ["a.txt": "a"])
            _ = try await shelf.repositories.change(.models, shelf.model, visibility: .internal, shelf.alice)
            func code(_ body: () async throws -> Void) async -> Failure.Code? { await failure(body)?.code }
            #expect(await code { _ = try await Self.merge(shelf, number, shelf.eve) } == .forbidden)
            let repositories = shelf.repositories
            func close(_ caller: Principal?) async throws {
                _ = try await repositories.setOpen(false, number, comment: nil, in: .models, shelf.model, caller)
            }
            #expect(await code { try await close(shelf.eve) } == .forbidden)
            #expect(await code { try await close(nil) } == .unauthenticated)
            let said = try await repositories.comment("Why?", on: number, in: .models, shelf.model, shelf.eve)
            func change(_ text: String?, _ caller: Principal) async throws -> DiscussionNote {
                try await repositories.change(
                    comment: said.place,
                    of: number,
                    to: text,
                    in: .models,
                    shelf.model,
                    caller
                )
            }
            #expect(await code { _ = try await change("Because.", shelf.alice) } == .forbidden)
            let changed = try await change("Why not?", shelf.eve)
            #expect(changed.text == "Why not?" && changed.editedAt != nil && changed.at == said.at)
            // Who may write may take it back.
            let hidden = try await change(nil, shelf.alice)
            #expect(hidden.isHidden && hidden.text.isEmpty && hidden.author == shelf.eve.user)
            #expect(await code { _ = try await change("again", shelf.eve) } == .conflict)
            _ = try await repositories.change(.models, shelf.model, visibility: .private, shelf.alice)
            #expect(await code { try await close(shelf.eve) } == .notFound)
            let read = Principal(user: shelf.bob.user, isOperator: false, scopes: [.read], project: nil)
            #expect(await code { _ = try await Self.merge(shelf, number, read) } == .forbidden)
            let before = try await Self.detail(shelf, number)
            try await shelf.store.rebuild()
            let after = try await Self.detail(shelf, number)
            #expect(before.notes == after.notes && before.discussion == after.discussion)
        }
    }
}
