import Core
import Glibc
import Testing

@testable import Store

@Suite("Opening a database")
struct OpeningTests {
    let folder = TemporaryFolder()

    @Test("a second opening is refused and names the holder, until the first is closed")
    func locked() async throws {
        let store = try await folder.open()
        let refused = await failure { _ = try await folder.open() }
        #expect(refused?.code == .unavailable)
        #expect(refused?.detail.contains("process \(getpid())") == true)
        try await store.close()
        let again = try await folder.open()
        try await again.close()
    }

    @Test("the folder of the database is made when it is missing")
    func makesFolder() async throws {
        let inner = folder.path + "/a/b"
        let store = try await EventStore.open(.init(path: inner + "/db"))
        try await store.write { try $0.submit(.number(1)) }
        try await store.close()
        for name in ["db", "db-wal", "db-shm", "db.lock"] { unlink(inner + "/" + name) }
        rmdir(inner)
        rmdir(folder.path + "/a")
    }

    @Test("a database of a newer version is refused")
    func future() async throws {
        let store = try await folder.open()
        try await store.writer.exclusively { core in
            try core.connection.run("INSERT INTO schema (version, name) VALUES (99, 'future')")
        }
        try await store.close()
        let refused = await failure { _ = try await folder.open() }
        #expect(refused?.code == .conflict)
        #expect(refused?.detail.contains("schema 99") == true)
    }

    @Test("somebody else's database is refused and left alone")
    func foreign() async throws {
        let store = try await folder.open()
        try await store.writer.exclusively { try $0.connection.run("DROP TABLE schema") }
        try await store.close()
        #expect(await failure { _ = try await folder.open() }?.code == .internal)
    }

    @Test("a file with a broken header is refused as damaged")
    func brokenHeader() async throws {
        let store = try await folder.open()
        try await store.write { try $0.submit(.number(1)) }
        try await store.close()
        overwrite(folder.database, at: 0, count: 100)
        let refused = await failure { _ = try await folder.open() }
        #expect(refused?.code == .internal)
        #expect(refused?.detail.contains("damaged") == true)
    }

    @Test("a file with a broken page is found by the check and by who reads it")
    func brokenPage() async throws {
        let store = try await folder.open()
        try await store.write { try $0.submit(.number(1), count: 5000, array: .number(2)) }
        try await store.checkIntegrity()
        try await store.close()
        // Beyond the roots of the tables and indexes, which opening reads.
        overwrite(folder.database, at: 4096 * 150, count: 4096 * 100)
        let broken = try await folder.open()
        #expect(await failure { try await broken.checkIntegrity() }?.code == .internal)
        #expect(
            await failure { _ = try await broken.read { try $0.jobs(JobFilter(), limit: .max) } }?.code == .internal
        )
    }

    @Test("migrations are numbered from 1 without gaps")
    func numbers() {
        #expect(Migration.all.map(\.number) == Array(1...Int64(Migration.all.count)))
    }

    @Test("live runs are found by their index")
    func indexes() async throws {
        let store = try await folder.open()
        let plans = try await store.writer.exclusively { core in
            try ["SELECT job FROM run WHERE centre = 'x' AND ended_at IS NULL ORDER BY job, number"].flatMap {
                try core.connection.all("EXPLAIN QUERY PLAN " + $0) { $0.text(3) }
            }
        }
        #expect(plans.allSatisfy { $0.contains("run_live") } && !plans.isEmpty)
    }

    @Test("every table but the log's own is a view that rebuilding empties")
    func views() async throws {
        let store = try await folder.open()
        let tables = try await store.writer.exclusively { core in
            try core.connection.all("SELECT name FROM sqlite_master WHERE type = 'table'") { $0.text(0) }
        }
        #expect(Set(tables).subtracting(["event", "schema", "progress"]) == Set(Schema.views))
    }

    private func overwrite(_ path: String, at offset: Int, count: Int) {
        let descriptor = Glibc.open(path, O_WRONLY)
        let bytes = [UInt8](repeating: 0x5A, count: count)
        #expect(pwrite(descriptor, bytes, count, off_t(offset)) == count)
        close(descriptor)
    }
}

/// Needs the right to mount a file system of its own; elsewhere the tests are skipped.
@Suite("A disk that will not take more", .enabled(if: Volume.isPossible))
struct DiskTests {
    @Test("a full disk fails the command and loses nothing; with space again, work goes on")
    func full() async throws {
        let volume = try #require(Volume(kibibytes: 4096))
        let ballast = volume.path + "/ballast"
        let descriptor = Glibc.open(ballast, O_WRONLY | O_CREAT, 0o600)
        let bytes = [UInt8](repeating: 1, count: 1 << 20)
        #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        close(descriptor)

        let store = try await EventStore.open(.init(path: volume.path + "/db"))
        var acknowledged: UInt64 = 0
        var refused: Failure?
        while refused == nil, acknowledged < 5000 {
            let next = acknowledged + 1
            refused = await failure { try await store.write { try $0.submit(.number(next), name: "fill") } }
            if refused == nil { acknowledged = next }
        }
        #expect(refused?.code == .storageExhausted)
        #expect(store.lastSequence == Int64(acknowledged))
        let total = try await store.read { try $0.jobCounts()[.named("brain")]?.total }
        #expect(total == Int(acknowledged))
        #expect(store.statistics.commitsFailed == 1)

        unlink(ballast)
        let next = acknowledged + 1
        try await store.write { try $0.submit(.number(next)) }
        try await store.checkIntegrity()
        try await store.close()
        let again = try await EventStore.open(.init(path: volume.path + "/db"))
        #expect(again.lastSequence == Int64(next))
        try await again.close()
    }

    @Test("a read-only folder is named, not crashed on")
    func readOnly() async throws {
        let volume = try #require(Volume(kibibytes: 4096))
        let store = try await EventStore.open(.init(path: volume.path + "/db"))
        try await store.close()
        volume.makeReadOnly()
        let refused = await failure { _ = try await EventStore.open(.init(path: volume.path + "/db")) }
        #expect(refused?.code == .storageExhausted)
        #expect(refused?.detail.contains(volume.path) == true)
    }
}

/// A small file system in memory.
final class Volume {
    let path: String

    static var isPossible: Bool { Volume(kibibytes: 64) != nil }

    init?(kibibytes: Int) {
        var template = Array("/tmp/onepoint-volume-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
        guard mount("tmpfs", path, "tmpfs", 0, "size=\(kibibytes)k") == 0 else {
            rmdir(path)
            return nil
        }
    }

    func makeReadOnly() { #expect(mount("tmpfs", path, "tmpfs", UInt(MS_RDONLY | MS_REMOUNT), nil) == 0) }

    deinit {
        umount2(path, Int32(MNT_DETACH))
        rmdir(path)
    }
}
