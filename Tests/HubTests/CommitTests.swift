import Blobs
import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite struct CommitTests {
    @Test("a commit is seen as a whole: its files, its revision and its message")
    func whole() async throws {
        try await withShelf { shelf in
            let first = try await shelf.commit(files: ["a.txt": "a", "sub/b.txt": "b"])
            #expect(try await shelf.paths() == [".gitattributes", "a.txt", "sub", "sub/b.txt"])
            let found = try await shelf.repositories.entry("sub/b.txt", at: shelf.main(), for: .read, shelf.bob)
            #expect(found.revision.id == first.id && found.entry?.oid == GitObject.blob("b".utf8))
            let history = try await shelf.repositories.history(at: shelf.main(), limit: 10, shelf.alice).revisions
            #expect(history.map(\.title) == ["Change", "initial commit"])
        }
    }

    @Test("a commit that names another parent than the present one is refused, and nothing changes")
    func stale() async throws {
        try await withShelf { shelf in
            let first = try await shelf.commit(files: ["a.txt": "a"])
            _ = try await shelf.commit(files: ["a.txt": "b"], parent: first.id)
            let refused = await failure { _ = try await shelf.commit(files: ["c.txt": "c"], parent: first.id) }
            #expect(refused?.code == .preconditionFailed)
            #expect(try await shelf.paths() == [".gitattributes", "a.txt"])
        }
    }

    @Test("commits that name no parent all arrive when they come at once")
    func together() async throws {
        try await withShelf { shelf in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<12 {
                    group.addTask { _ = try await shelf.commit(files: ["f\(number).txt": "\(number)"]) }
                }
                try await group.waitForAll()
            }
            #expect(try await shelf.paths().count == 13)
            #expect(
                try await shelf.repositories.history(at: shelf.main(), limit: 50, shelf.alice).revisions.count == 13
            )
        }
    }

    @Test("a commit that changes nothing is the commit before it")
    func nothing() async throws {
        try await withShelf { shelf in
            let first = try await shelf.commit(files: ["a.txt": "a"])
            #expect(try await shelf.commit(files: ["a.txt": "a"]) == first)
        }
    }

    @Test("bytes that are in the store but not in the repository cannot be named in it")
    func closure() async throws {
        try await withShelf { shelf in
            let secret = try await shelf.blobs.put(Array("secret".utf8))
            let operations = [FileOperation.link(path("x.bin"), secret.digest, secret.size)]
            let refused = await failure { _ = try await shelf.commit(operations) }
            #expect(refused?.code == .invalid)
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            try await shelf.repositories.grant(secret, in: repository, shelf.alice)
            _ = try await shelf.commit(operations)
            let wrong = [FileOperation.link(path("y.bin"), secret.digest, Bytes(secret.size.count + 1))]
            #expect(await failure { _ = try await shelf.commit(wrong) }?.code == .invalid)
        }
    }

    @Test("members commit, others do not, and whoever may not see a repository is not told of it")
    func rights() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit([], shelf.bob)
            #expect(await failure { _ = try await shelf.commit([], shelf.eve) }?.code == .notFound)
            _ = try await shelf.repositories.change(.models, shelf.model, visibility: .internal, shelf.alice)
            #expect(await failure { _ = try await shelf.commit([], shelf.eve) }?.code == .forbidden)
            let request = CommitRequest(reference: .main, message: "", operations: [])
            let anonymous = await failure {
                _ = try await shelf.repositories.commit(request, to: .models, shelf.model, nil)
            }
            #expect(anonymous?.code == .unauthenticated)
        }
    }

    @Test("more operations than a commit may have are refused, and so is a regular file that is too large")
    func limits() async throws {
        try await withShelf { shelf in
            let many = (0...Repositories.operationsMax).map { FileOperation.deleteFile(path("f\($0)")) }
            #expect(await failure { _ = try await shelf.commit(many) }?.code == .tooLarge)
            let large = ByteBuffer(repeating: 0, count: Int(Repositories.regularFileMax.count) + 1)
            let refused = await failure { _ = try await shelf.repositories.keep(large, at: path("x")) }
            #expect(refused?.code == .tooLarge)
        }
    }

    @Test("pages of a tree are the tree, whatever their size and wherever they are cut")
    func pages() async throws {
        try await withShelf { shelf in
            var files: [String: String] = [:]
            for a in 0..<4 {
                for b in 0..<3 { files["d\(a)/e\(b)/f.txt"] = "x" }
                files["d\(a).txt"] = "y"
            }
            _ = try await shelf.commit(files: files)
            let whole = try await shelf.paths()
            for isRecursive in [true, false] {
                for limit in [1, 2, 3, 7] {
                    var (paths, last): ([String], String?) = ([], nil)
                    repeat {
                        let page = try await shelf.repositories.list(
                            at: shelf.main(),
                            isRecursive: isRecursive,
                            after: last,
                            limit: limit,
                            shelf.alice
                        )
                        paths += page.entries.map(\.path)
                        last = page.hasMore ? page.entries.last?.path : nil
                    } while last != nil
                    #expect(paths == (isRecursive ? whole : whole.filter { !$0.contains("/") }))
                }
            }
        }
    }

    @Test("each path is put down to the commit that brought it to what it is")
    func lastChanges() async throws {
        try await withShelf { shelf in
            let first = try await shelf.commit(files: ["a.txt": "1", "d/b.txt": "1"])
            let second = try await shelf.commit(files: ["d/b.txt": "2"])
            let changes = try await shelf.repositories.lastChanges(
                of: ["a.txt", "d/b.txt", "d", ".gitattributes", "none"],
                at: shelf.main(),
                shelf.alice
            )
            #expect(changes["a.txt"] == first && changes["d/b.txt"] == second && changes["d"] == second)
            #expect(changes[".gitattributes"]?.title == "initial commit" && changes["none"] == nil)
        }
    }

    @Test("branches, tags and pull requests keep what they point at")
    func references() async throws {
        try await withShelf { shelf in
            let first = try await shelf.commit(files: ["a.txt": "1"])
            let dev = try #require(ReferenceName(.branch, "dev"))
            try await shelf.repositories.add(dev, at: shelf.main(), shelf.bob)
            let again = await failure { try await shelf.repositories.add(dev, at: shelf.main(), shelf.bob) }
            #expect(again?.code == .conflict)
            _ = try await shelf.commit([.deleteFile(path("a.txt"))], to: dev)
            #expect(try await shelf.paths("dev") == [".gitattributes"])
            #expect(try await shelf.paths() == [".gitattributes", "a.txt"])
            let nowhere = try #require(ReferenceName(.branch, "nowhere"))
            let absent = await failure { _ = try await shelf.commit([], to: nowhere) }
            #expect(absent?.note == Repositories.revisionNote)
            let request = CommitRequest(
                reference: .main,
                message: "Propose",
                operations: [.deleteFile(path("a.txt"))],
                opensPullRequest: true
            )
            let outcome = try await shelf.repositories.commit(request, to: .models, shelf.model, shelf.bob)
            #expect(outcome.pullRequest == 1 && outcome.revision.parent == first.id)
            #expect(try await shelf.paths("refs/pr/1") == [".gitattributes"])
            #expect(try await shelf.paths() == [".gitattributes", "a.txt"])
            let main = await failure {
                try await shelf.repositories.remove(.main, of: .models, shelf.model, shelf.alice)
            }
            #expect(main?.code == .forbidden)
        }
    }

    @Test("a squashed branch has one revision with the same files")
    func squashed() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit(files: ["a.txt": "1"])
            let before = try await shelf.paths()
            let squashed = try await shelf.repositories.squash(
                .main,
                of: .models,
                shelf.model,
                message: "One",
                shelf.alice
            )
            #expect(squashed.parent == nil)
            #expect(try await shelf.paths() == before)
        }
    }

    @Test("the card and the weights of a model are found out once and can be searched for")
    func facts() async throws {
        try await withShelf { shelf in
            let card =
                "---\nlicense: mit\ntags:\n- tiny\nlanguage: [en, zh]\npipeline_tag: text-generation\n---\n# Tiny\n"
            let header = #"{"w":{"dtype":"BF16","shape":[3,4],"data_offsets":[0,24]},"__metadata__":{"a":"b"}}"#
            var weights = ByteBuffer()
            weights.writeInteger(UInt64(header.utf8.count), endianness: .little)
            weights.writeString(header)
            weights.writeBytes([UInt8](repeating: 0, count: 24))
            let readme = try await shelf.repositories.keep(ByteBuffer(string: card), at: path("README.md"))
            let model = try await shelf.repositories.keep(weights, at: path("model.safetensors"))
            let revision = try await shelf.commit([readme.operation, model.operation], brought: [readme, model])
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            await shelf.repositories.noteFacts(about: revision, of: repository, shelf.alice)
            let facts = try await shelf.repositories.facts(about: revision, of: repository)
            #expect(facts.card?.task == "text-generation" && facts.parameters == ["BF16": 12])
            #expect(facts.card?.tags(on: .models) == ["tiny", "text-generation", "license:mit", "en", "zh"])
            var search = Repositories.Search()
            search.tags = ["license:mit", "en"]
            search.parameters = 10...20
            #expect(try await shelf.repositories.search(.models, search, shelf.bob).found.count == 1)
            #expect(try await shelf.repositories.search(.models, search, shelf.eve).found.isEmpty)
            search.parameters = 13...20
            #expect(try await shelf.repositories.search(.models, search, shelf.bob).found.isEmpty)
        }
    }

    @Test("counts that no number holds are the largest there is")
    func hugeCounts() async throws {
        try await withShelf { shelf in
            let header = #"{"w":{"dtype":"F8","shape":[9000000000000000000],"data_offsets":[0,0]}}"#
            var weights = ByteBuffer()
            weights.writeInteger(UInt64(header.utf8.count), endianness: .little)
            weights.writeString(header)
            let first = try await shelf.repositories.keep(weights, at: path("a.safetensors"))
            weights.writeBytes([0])
            let second = try await shelf.repositories.keep(weights, at: path("b.safetensors"))
            let revision = try await shelf.commit([first.operation, second.operation], brought: [first, second])
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            await shelf.repositories.noteFacts(about: revision, of: repository, shelf.alice)
            var search = Repositories.Search()
            search.parameters = 1...(.max)
            let found = try await shelf.repositories.search(.models, search, shelf.alice).found
            #expect(found.map(\.facts.parameterCount) == [.max])
        }
    }

    @Test("a project's repositories hold no more than its quota, each repository's bytes counted once")
    func quota() async throws {
        try await withShelf { shelf in
            let held = try await shelf.store.read { try $0.storage(of: .named("brain")) }
            try await shelf.store.write { tx in
                var project = try #require(try tx.project(.named("brain")))
                project.quota.bytes = held + 1000
                try tx.append(
                    .projectChanged(project),
                    project: project.name,
                    subject: "brain",
                    actor: "system",
                    at: shelf.clock.now
                )
            }
            let text = String(repeating: "x", count: 600)
            _ = try await shelf.commit(files: ["a.txt": text])
            _ = try await shelf.commit(files: ["copy.txt": text])
            let over = await failure { _ = try await shelf.commit(files: ["b.txt": text + "y"]) }
            #expect(over?.code == .quotaExceeded, "\(String(describing: over))")
            #expect(try await shelf.paths() == [".gitattributes", "a.txt", "copy.txt"])
            #expect(try await shelf.repositories.room(in: .named("brain"))?.bytes == 400)
            #expect(try await shelf.repositories.room(in: .named("other")) == nil)
        }
    }

    @Test("what a project is part of limits its repositories too; within that they move as they like")
    func quotaAbove() async throws {
        try await withShelf { shelf in
            let held = try await shelf.store.read { try $0.storage(of: .named("brain")) }
            let target = RepositoryPath(project: .named("below"), name: Shelf.name("tiny"))
            func write(_ changes: [Event]) async throws {
                try await shelf.store.write { tx in
                    for change in changes {
                        try tx.append(
                            change,
                            project: target.project,
                            subject: "x",
                            actor: "system",
                            at: shelf.clock.now
                        )
                    }
                }
            }
            try await write([
                .projectCreated(Project(name: .named("above"), quota: Quota(bytes: held + 1000))),
                .projectCreated(Project(name: target.project, parent: .named("above"))),
                .memberSet(Membership(project: target.project, user: .named("alice"), role: .owner)),
                .projectChanged(Project(name: .named("brain"), parent: .named("above"), quota: Quota(bytes: .mebi(1)))),
            ])
            _ = try await shelf.commit(files: ["a.txt": String(repeating: "x", count: 600)])
            let over = await failure {
                _ = try await shelf.commit(files: ["b.txt": String(repeating: "y", count: 600)])
            }
            #expect(
                over?.code == .quotaExceeded && over?.detail.contains("'above'") == true,
                "\(String(describing: over))"
            )
            let room = try await shelf.repositories.room(in: target.project)
            #expect(room?.project == .named("above") && room?.bytes == 400)
            _ = try await shelf.repositories.move(.models, from: shelf.model, to: target, shelf.alice)
            #expect(try await shelf.store.read { try $0.storage(within: .named("above")) } == held + 600)
            #expect(try await shelf.store.read { try $0.storage(of: .named("brain")) } == 0)
        }
    }

    @Test("a repository moves only to where there is room for it")
    func movedOverQuota() async throws {
        try await withShelf { shelf in
            _ = try await shelf.commit(files: ["a.txt": String(repeating: "x", count: 600)])
            let target = RepositoryPath(project: .named("small"), name: Shelf.name("tiny"))
            func set(_ bytes: Bytes, isNew: Bool) async throws {
                let project = Project(name: target.project, quota: Quota(bytes: bytes))
                try await shelf.store.write { tx in
                    let changes: [Event] =
                        isNew
                        ? [
                            .projectCreated(project),
                            .memberSet(Membership(project: project.name, user: .named("alice"), role: .owner)),
                        ] : [.projectChanged(project)]
                    for change in changes {
                        try tx.append(
                            change,
                            project: project.name,
                            subject: "small",
                            actor: "system",
                            at: shelf.clock.now
                        )
                    }
                }
            }
            try await set(500, isNew: true)
            let over = await failure {
                _ = try await shelf.repositories.move(.models, from: shelf.model, to: target, shelf.alice)
            }
            #expect(over?.code == .quotaExceeded, "\(String(describing: over))")
            try await set(.mebi(1), isNew: false)
            _ = try await shelf.repositories.move(.models, from: shelf.model, to: target, shelf.alice)
            #expect(try await shelf.store.read { try $0.storage(of: .named("brain")) } == 0)
            #expect(try await shelf.store.read { try $0.storage(of: target.project) } > 600)
        }
    }
}
