import Blobs
import Core
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite("Collection takes what nobody needs, and nothing else")
struct CollectionTests {
    /// Long enough for every lease to end.
    private static let years = Duration.seconds(10 * 365 * 24 * 3600)

    @Test("an upload that nothing refers to goes a day after its last use, and what is committed stays")
    func unused() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let first = try await shelf.commit(files: ["a.txt": "kept"])
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let blob = try await shelf.blobs.put(ByteBuffer(string: "never committed"))
            try await shelf.repositories.grant(blob, in: repository, shelf.alice)
            #expect(try await shelf.repositories.collect() == Collected())
            shelf.clock.advance(Self.years)
            // Somebody is told that it is there: another day.
            #expect(try await shelf.repositories.size(of: blob.digest, in: repository) == blob.size)
            #expect(try await shelf.repositories.collect() == Collected())
            shelf.clock.advance(.seconds(25 * 3600))
            let collected = try await shelf.repositories.collect()
            #expect(collected.grants == 1)
            #expect(collected.blobs == 1)
            #expect(collected.bytes == blob.size)
            #expect(try await shelf.blobs.size(of: blob.digest) == nil)
            #expect(try await shelf.paths(first.id.text) == ["a.txt"])
            #expect(try await shelf.repositories.collect() == Collected())
            let bytes = try await shelf.store.read { try $0.storage(of: shelf.model.project) }
            #expect(bytes == Bytes(4))
        }
    }

    @Test("what another repository has too stays for it")
    func shared() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            let text = ["a.txt": "the same in both"]
            _ = try await shelf.commit(files: text)
            let other = RepositoryPath(project: shelf.model.project, name: Shelf.name("other"))
            _ = try await shelf.repositories.create(.model, other, shelf.alice)
            let kept = try await shelf.repositories.keep(ByteBuffer(string: "the same in both"), at: path("b.txt"))
            _ = try await shelf.repositories.commit(
                CommitRequest(reference: .main, message: "m", operations: [kept.operation], brought: [kept]),
                to: .models,
                other,
                shelf.alice
            )
            try await shelf.repositories.remove(.models, shelf.model, shelf.alice)
            shelf.clock.advance(Self.years)
            #expect(try await shelf.repositories.collect().blobs == 0)
            try await shelf.repositories.remove(.models, other, shelf.alice)
            #expect(try await shelf.repositories.collect().blobs == 1)
        }
    }

    @Test("revisions that no reference leads to go, with what only they held")
    func squashed() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            _ = try await shelf.commit(files: ["a.txt": "old"])
            _ = try await shelf.commit(files: ["a.txt": "new"])
            _ = try await shelf.repositories.squash(.main, of: .models, shelf.model, message: "one", shelf.alice)
            shelf.clock.advance(Self.years)
            let collected = try await shelf.repositories.collect()
            #expect(collected.revisions == 2)
            #expect(collected.blobs == 1)
            #expect(try await shelf.paths() == ["a.txt"])
        }
    }

    @Test("pushes, reads, removals and collection at once: no dangling reference, no wrong byte, nothing missing")
    func together() async throws {
        var random = SplitMix(seed: freshSeed("collection together"))
        let seeds = (0..<6).map { _ in random.next() }
        try await withShelf(hasFirstCommit: false) { shelf in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (writer, seed) in seeds.enumerated() {
                    group.addTask {
                        var random = SplitMix(seed: seed)
                        for step in 0..<30 {
                            try await push(step, writer, &random, shelf)
                        }
                    }
                }
                group.addTask {
                    // Every lease is old for it, so that only the order of things protects a push.
                    for _ in 0..<40 {
                        _ = try await shelf.repositories.collect(leaseLifetime: .seconds(60))
                        shelf.clock.advance(.seconds(1))
                    }
                }
                try await group.waitForAll()
            }
            // Closure: every file of every revision and manifest is there and is what its name says.
            let repositories = try await shelf.store.read { try $0.repositories(after: nil, limit: 1000) }
            var looked = 0
            for repository in repositories {
                let digests = try await shelf.store.read { tx in
                    try tx.digestsOfRevisions(of: repository.id).union(tx.digestsOfManifests(of: repository.id))
                }
                for digest in digests {
                    #expect(try await shelf.blobs.verify(digest) != .absent)
                    #expect(try await shelf.store.read { try $0.blobGrant(repository.id, digest) } != nil)
                    looked += 1
                }
            }
            #expect(looked > 0)
        }
    }

    /// Uploads, is told that it is there, commits, and now and then removes; nothing of it may fail for want of bytes.
    private func push(_ step: Int, _ writer: Int, _ random: inout SplitMix, _ shelf: Shelf) async throws {
        let target = RepositoryPath(project: shelf.model.project, name: Shelf.name("w\(writer)"))
        if step == 0 { _ = try await shelf.repositories.create(.model, target, shelf.alice) }
        let repository = try await shelf.repositories.repository(.models, target, for: .write, shelf.alice)
        let content = "content \(random.next() % 12)"
        let blob = try await shelf.blobs.put(ByteBuffer(string: content))
        try await shelf.repositories.grant(blob, in: repository, shelf.alice)
        #expect(try await shelf.repositories.size(of: blob.digest, in: repository) == blob.size)
        if step % 3 == 1 {
            // The same as an artifact, under a tag that moves.
            let config = try await shelf.blobs.put(ByteBuffer(string: "{}"))
            try await shelf.repositories.grant(config, in: repository, shelf.alice)
            let file: (String?, [UInt8], String) = ("d/f\(random.next() % 3)", Array(content.utf8), "raw")
            let pushed = try await shelf.put(ArtifactRevisionTests.manifest([file]), ["t"], target)
            #expect(try await Array(shelf.files("t", target).values) == [blob.digest])
            if step % 2 == 1 {
                let reference = ManifestReference.digest(.sha256(pushed.record.digest))
                #expect(try await shelf.repositories.removeManifest(reference, in: .models, target, shelf.alice))
            }
        }
        let operation: FileOperation =
            step % 7 == 6 ? .deleteFile(path("f0")) : .link(path("f\(random.next() % 3)"), blob.digest, blob.size)
        do {
            _ = try await shelf.repositories.commit(
                CommitRequest(reference: .main, message: "m", operations: [operation]),
                to: .models,
                target,
                shelf.alice
            )
        } catch let failure as Failure where step % 7 == 6 && failure.code == .notFound {
            // There was no such file to delete.
        }
    }

    @Test("bytes that changed on the disk are taken out of service, noted, and healed by a push")
    func scrubbed() async throws {
        try await withShelf(hasFirstCommit: false) { shelf in
            _ = try await shelf.commit(files: ["a.txt": "as it was"])
            let repository = try await shelf.repositories.repository(.models, shelf.model, for: .see, shelf.alice)
            let digest = sha256(Array("as it was".utf8))
            #expect(try await shelf.repositories.scrub().quarantined.isEmpty)
            try overwrite("\(shelf.folder)/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)", with: "as it is.")
            #expect(try await shelf.repositories.scrub().quarantined == [digest])
            #expect(try await shelf.repositories.size(of: digest, in: repository) == nil)
            let facts = try await shelf.store.read { try $0.facts(about: "\(digest)", in: repository.id) }
            #expect(facts.map(\.kind).contains("quarantined"))
            _ = try await shelf.blobs.put(ByteBuffer(string: "as it was"))
            #expect(try await shelf.repositories.size(of: digest, in: repository) != nil)
        }
    }
}
