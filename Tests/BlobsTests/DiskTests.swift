import Blobs
import Core
import Glibc
import NIOCore
import Testing

/// A file system of 2 MiB of its own, where the one who runs the tests may mount one.
final class SmallDisk: Sendable {
    let scratch = Scratch()
    let isMounted: Bool

    init() { isMounted = spawn(["/bin/mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", scratch.path]) == 0 }
    deinit { if isMounted { _ = spawn(["/bin/umount", scratch.path]) } }

    func remount(_ how: String) -> Bool { spawn(["/bin/mount", "-o", "remount,\(how)", scratch.path]) == 0 }

    /// Takes all free space but `left` bytes, in a file named `ballast`.
    func fill(leaving left: Int) {
        var raw = statvfs()
        statvfs(scratch.path, &raw)
        let count = Int(raw.f_bavail) * Int(raw.f_frsize) - left
        scratch.write("ballast", [UInt8](repeating: 0, count: max(0, count)))
    }

    func free() { unlink(scratch.path + "/ballast") }

    static let canMount: Bool = SmallDisk().isMounted
}

@Suite(
    "Disks that are full or read-only",
    .enabled(if: SmallDisk.canMount, "Skipped: these tests mount a small tmpfs, which takes the rights of root.")
)
struct DiskTests {
    let disk = SmallDisk()

    @Test("a full disk refuses with a clear sentence, keeps the offset, and all goes on when there is room")
    func fullUpload() async throws {
        let store = try await disk.scratch.store()
        let data = content(1, 900_000)
        let wanted = try await putElsewhere(data).digest
        let id = try await store.begin(now: now)
        try await store.append(id, offset: 0, ByteBuffer(data[0..<300_000]))
        disk.fill(leaving: 100_000)
        let refusal = await failure(.storageExhausted) {
            try await store.append(id, offset: 300_000, ByteBuffer(data[300_000..<900_000]))
        }
        #expect(refusal?.detail.contains("full") == true)
        #expect(try await store.offset(of: id) == 300_000)
        let part = "\(disk.scratch.path)/store/uploads/\(id)/part"
        #expect(contents(part) == Array(data[0..<300_000]), "a part of a failed write stayed")
        _ = await failure(.storageExhausted) { _ = try await store.begin(size: 500_000, now: now) }
        disk.free()
        try await store.append(id, offset: 300_000, ByteBuffer(data[300_000..<900_000]))
        #expect(try await store.finish(id, expected: wanted).digest == wanted)
        #expect(try await store.verify(wanted) == .intact(900_000))
    }

    @Test("a copy, a stream and a folder that do not fit leave nothing behind")
    func fullPut() async throws {
        let store = try await disk.scratch.store()
        let other = Scratch()
        let data = content(2, 600_000)
        for index in 0..<3 { other.write("in/\(index)", content(UInt64(index), 300_000)) }
        other.write("file", data)
        disk.fill(leaving: 400_000)
        _ = await failure(.storageExhausted) { try await store.put(data) }
        _ = await failure(.storageExhausted) { try await store.put(file: other.path + "/file") }
        _ = await failure(.storageExhausted) { try await store.put(file: other.path + "/file", consume: true) }
        #expect(contents(other.path + "/file") == data)
        #expect(disk.scratch.names("store/uploads").isEmpty)
        #expect(blobFiles(disk.scratch).isEmpty)
        _ = await failure(.storageExhausted) { _ = try await store.packTree(other.path + "/in", name: "x") }
        try await eventually("nothing on its way") { disk.scratch.names("store/uploads").isEmpty }
        for file in blobFiles(disk.scratch) {
            let digest = try #require(Digest(hex: file.dropFirst(3)))
            #expect(try await store.verify(digest) == .intact(300_000))
        }
    }

    @Test("a folder that does not fit into its place leaves nothing there")
    func fullMaterialise() async throws {
        let store = try await disk.scratch.store()
        let other = Scratch()
        for index in 0..<3 { other.write("in/\(index)", content(UInt64(index), 300_000)) }
        let (artifact, _) = try await store.packTree(other.path + "/in", name: "x")
        disk.fill(leaving: 500_000)
        _ = await failure(.storageExhausted) {
            try await store.materialise(artifact.digest, kind: .tree, at: disk.scratch.path + "/out")
        }
        #expect(disk.scratch.names("") == ["ballast", "store"])
        try await store.materialise(artifact.digest, kind: .tree, at: disk.scratch.path + "/out", mode: .hardLink)
    }

    @Test("a log on a full disk keeps what was acknowledged")
    func fullLog() async throws {
        let logs = try await disk.scratch.logs()
        let run = RunKey(job: JobID(high: 1, low: 1), number: 1)
        let data = content(3, 500_000)
        try await logs.append(run, task: 0, offset: 0, ByteBuffer(data[0..<1000]))
        disk.fill(leaving: 100_000)
        _ = await failure(.storageExhausted) {
            try await logs.append(run, task: 0, offset: 1000, ByteBuffer(data[1000..<500_000]))
        }
        #expect(try await logs.size(run, task: 0) == 1000)
        disk.free()
        #expect(try await logs.append(run, task: 0, offset: 1000, ByteBuffer(data[1000..<500_000])) == 500_000)
        #expect(try await logs.read(run, task: 0, offset: 0, countMax: 1 << 20).array == data)
    }

    @Test("a file on another file system is copied even when it may be consumed")
    func otherFileSystem() async throws {
        let store = try await disk.scratch.store()
        let other = Scratch()
        other.write("file", [1, 2, 3])
        let blob = try await store.put(file: other.path + "/file", consume: true)
        #expect(entry(other.path + "/file") == nil)
        #expect(try await store.bytes(blob.digest) == [1, 2, 3])
        try await store.materialise(blob.digest, kind: .file, at: other.path + "/out", mode: .hardLink)
        #expect(contents(other.path + "/out") == [1, 2, 3])
    }

    @Test("a read-only disk serves what it has and says why it takes no more")
    func readOnly() async throws {
        let store = try await disk.scratch.store()
        let logs = try await disk.scratch.logs()
        let id = try await store.begin(now: now)
        let blob = try await store.put([1, 2, 3])
        try #require(disk.remount("ro"))
        let refusal = await failure(.storageExhausted) { try await store.put([4]) }
        #expect(refusal?.detail.contains("read-only") == true)
        _ = await failure(.storageExhausted) { try await store.append(id, offset: 0, ByteBuffer([1])) }
        _ = await failure(.storageExhausted) { _ = try await store.begin(now: now) }
        let run = RunKey(job: JobID(high: 1, low: 1), number: 1)
        _ = await failure(.storageExhausted) { try await logs.append(run, task: 0, offset: 0, ByteBuffer([1])) }
        #expect(try await store.bytes(blob.digest) == [1, 2, 3])
        try #require(disk.remount("rw"))
        try await store.append(id, offset: 0, ByteBuffer([1]))
        try await store.put([4])
    }
}
