import Blobs
import Core
import Glibc
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("Jobs read revisions and write them")
struct SourceTests {
    private let brain = ProjectName.named("brain")

    private func source(_ shelf: Shelf, _ revision: String = "main", _ file: String? = nil) -> RepositorySource {
        RepositorySource(shelf: .models, path: shelf.model, revision: revision, file: file)
    }

    @Test("a name means the same for ever once it was pinned")
    func pinned() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let first = try await shelf.commit(files: ["w/a.bin": "1", "w/b.bin": "2", "README.md": "x"])
            let (pin, digest, kind) = try await shelf.repositories.pin(source(shelf), for: brain, shelf.alice)
            #expect(pin.revision == first.id)
            #expect(pin.name == "models/brain/tiny")
            #expect(kind == .tree)
            let files = try await shelf.blobs.manifest(of: digest).files.map(\.path)
            #expect(files == ["README.md", "w/a.bin", "w/b.bin"])
            _ = try await shelf.commit(files: ["w/a.bin": "changed"])
            let later = try await shelf.repositories.pin(source(shelf, first.id.text), for: brain, shelf.alice)
            #expect(later.digest == digest)
            let folder = try await shelf.repositories.pin(source(shelf, first.id.text, "w"), for: brain, shelf.alice)
            #expect(try await shelf.blobs.manifest(of: folder.digest).files.map(\.path) == ["a.bin", "b.bin"])
            let file = try await shelf.repositories.pin(
                source(shelf, first.id.text, "w/b.bin"),
                for: brain,
                shelf.alice
            )
            #expect(file.kind == .file)
            #expect(file.digest == sha256(Array("2".utf8)))
            let granted = try await shelf.store.read { try $0.blobGrant(project: brain, digest: file.digest) }
            #expect(granted == Bytes(1))
        }
    }

    @Test("what is not there or not the caller's is not found")
    func refused() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            await #expect(throws: Failure.self) {
                try await shelf.repositories.pin(source(shelf), for: brain, shelf.alice)
            }
            _ = try await shelf.commit(files: ["a": "1"])
            for (source, caller) in [
                (source(shelf, "nothing"), shelf.alice), (source(shelf, "main", "b"), shelf.alice),
                (source(shelf), shelf.eve),
            ] {
                let failure = await #expect(throws: Failure.self) {
                    try await shelf.repositories.pin(source, for: brain, caller)
                }
                #expect(failure?.code == .notFound)
            }
        }
    }

    @Test("an output is committed once its job has succeeded, and lineage tells both ways")
    func published() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let head = try await shelf.commit(files: ["w.bin": "base"])
            let base = try await shelf.repositories.pin(source(shelf), for: brain, shelf.alice)
            let target = RepositoryPath(project: brain, name: Shelf.name("tuned"))
            let left = try await shelf.blobs.put(ByteBuffer(string: "tuned weights"))
            var spec = JobSpec(name: "tune", command: ["true"])
            spec.inputs = [JobInput(name: "base", source: .artifact(base.digest, base.kind), origin: base.pin)]
            spec.outputs = ["model"]
            spec.publish = [Publication(output: "model", kind: .model, path: target, branch: "main", folder: "epoch-1")]
            let job = try await shelf.succeed(
                spec,
                leaving: [
                    Artifact(name: "model", kind: .file, digest: left.digest, size: left.size)
                ]
            )
            #expect(try await shelf.repositories.publishDue() == 1)
            #expect(try await shelf.repositories.publishDue() == 0)
            let made = try await shelf.repositories.repository(.models, target, for: .see, shelf.alice)
            let list = try await shelf.repositories.list(
                at: RevisionAddress(.models, target),
                isRecursive: true,
                limit: 10,
                shelf.alice
            )
            #expect(list.entries.map(\.path) == ["epoch-1", "epoch-1/model"])
            #expect(list.entries.last?.entry.digest == left.digest)
            let forward = try await shelf.repositories.lineage(of: job, shelf.alice)
            #expect(forward.edges.map(\.direction) == [.input, .output])
            #expect(forward.edges.map(\.path) == ["models/brain/tiny", "models/brain/tuned"])
            #expect(forward.edges.first?.revision == head.id)
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let back = try await shelf.repositories.lineage(of: repository.id, at: "main", shelf.alice)
            #expect(back.edges.map(\.job) == [job])
            #expect(try await shelf.repositories.lineage(of: made.id, at: "main", shelf.bob).edges.count == 1)
            await #expect(throws: Failure.self) { try await shelf.repositories.lineage(of: job, shelf.eve) }
        }
    }

    @Test("what an output replaces is its folders; files beside them stay, and a repeat changes nothing")
    func replaced() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let target = RepositoryPath(project: brain, name: Shelf.name("corpus"))
            func publish(_ files: [String: String], replace: Bool?) async throws -> [String] {
                var list: [TreeManifest.File] = []
                for (path, text) in files {
                    let blob = try await shelf.blobs.put(ByteBuffer(string: text))
                    list.append(.init(path: path, digest: blob.digest, size: blob.size, executable: false))
                }
                let tree = try await shelf.blobs.put(ByteBuffer(bytes: TreeManifest(files: list).canonical))
                var spec = JobSpec(name: "join", command: ["true"])
                spec.outputs = ["corpus"]
                spec.publish = [
                    Publication(output: "corpus", kind: .dataset, path: target, branch: "main", replace: replace)
                ]
                _ = try await shelf.succeed(
                    spec,
                    leaving: [Artifact(name: "corpus", kind: .tree, digest: tree.digest, size: tree.size)]
                )
                #expect(try await shelf.repositories.publishDue() == 1)
                let page = try await shelf.repositories.list(
                    at: RevisionAddress(.datasets, target),
                    isRecursive: true,
                    limit: 20,
                    shelf.alice
                )
                return page.entries.filter { $0.entry.kind != .folder }.map(\.path).sorted()
            }
            let first = ["data/0": "a", "data/1": "b", "notes/0": "n", "README.md": "r"]
            var there = try await publish(first, replace: true)
            #expect(there == first.keys.sorted())
            let second = ["data/0": "c", "governance/run.json": "{}"]
            for _ in 0..<2 {
                there = try await publish(second, replace: true)
                #expect(there == ["README.md", "data/0", "governance/run.json", "notes/0"])
            }
            there = try await publish(["data/9": "d"], replace: nil)
            #expect(there.count == 5)
        }
    }

    @Test("an output that cannot be published says why, and is not tried again")
    func unpublishable() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            var spec = JobSpec(name: "tune", command: ["true"])
            spec.outputs = ["model"]
            let foreign = RepositoryPath(project: .named("other"), name: Shelf.name("mine"))
            spec.publish = [Publication(output: "model", kind: .model, path: foreign, branch: "main")]
            let left = try await shelf.blobs.put(ByteBuffer(string: "w"))
            let job = try await shelf.succeed(
                spec,
                leaving: [
                    Artifact(name: "model", kind: .file, digest: left.digest, size: left.size)
                ]
            )
            #expect(try await shelf.repositories.publishDue() == 1)
            #expect(try await shelf.repositories.publishDue() == 0)
            let view = try await shelf.repositories.lineage(of: job, shelf.alice)
            #expect(view.publications.map(\.state) == [.failed])
            #expect(view.publications.first?.detail?.contains("other") == true)
        }
    }
}

extension Shelf {
    /// A job of alice's that ran and left something.
    func succeed(_ spec: JobSpec, leaving artifacts: [Artifact]) async throws -> JobID {
        let project = ProjectName.named("brain")
        let job = JobID(high: 1 << 40, low: UInt64.random(in: 0 ... .max))
        let run = RunKey(job: job, number: 1)
        let centre = CentreName.named("hub-1")
        let now = clock.now
        try await store.write { tx in
            func append(_ event: Event) throws {
                try tx.append(event, project: project, subject: "\(job)", actor: "user/alice", at: now)
            }
            if try tx.centre(centre) == nil {
                try append(.centreCreated(.init(centre: centre, tier: .hub, prices: PriceTable())))
            }
            try append(
                .jobsSubmitted(.init(first: job, count: 1, project: project, user: alice.user, spec: spec))
            )
            try append(
                .runLeased(
                    .init(
                        run: run,
                        centre: centre,
                        nodes: [NodeShare(node: "n1", tasks: 1)],
                        resources: spec.resources,
                        tasks: 1,
                        reason: "it fits",
                        pricePerHour: 0,
                        reserved: 0
                    )
                )
            )
            try append(.runOffered(.init(run: run)))
            try append(.runAccepted(.init(run: run)))
            try append(.runStarted(.init(run: run, startedAt: now)))
            try append(
                .runEnded(
                    .init(
                        run: run,
                        outcome: RunOutcome(.succeeded, code: 0),
                        endedAt: now,
                        artifacts: artifacts,
                        usage: [],
                        charged: 0
                    )
                )
            )
            try append(.jobEnded(.init(job: job, state: .succeeded, detail: nil)))
        }
        return job
    }
}

/// Changes a file that is read-only, as a failing disk would.
func overwrite(_ file: String, with text: String) throws {
    #expect(chmod(file, 0o644) == 0)
    let descriptor = open(file, O_WRONLY)
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
}
