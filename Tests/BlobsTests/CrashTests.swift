import Blobs
import Core
import Glibc
import NIOCore
import Testing

@Suite("A process that is killed")
struct CrashTests {
    /// What the probe said was acknowledged before it was killed.
    struct Said {
        var uploads: [UploadID: (seed: UInt64, size: Int, offset: Int64)] = [:]
        var stored: Set<Digest> = []
        var logEnd: Int64 = 0

        init(_ text: String) {
            // The last line may be cut.
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                let words = line.split(separator: " ").map(String.init)
                switch words[0] {
                case "begun":
                    if let id = UploadID(words[1]), let seed = UInt64(words[2]), let size = Int(words[3]) {
                        uploads[id] = (seed, size, 0)
                    }
                case "at": if let id = UploadID(words[1]) { uploads[id]?.offset = Int64(words[2]) ?? 0 }
                case "stored": if let digest = Digest(words[1]) { stored.insert(digest) }
                case "log": logEnd = Int64(words[1]) ?? 0
                default: Issue.record("the probe said: \(line)")
                }
            }
        }
    }

    static var probe: String {
        let arguments = CommandLine.arguments
        let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
        return String(bundle[..<(bundle.lastIndex(of: "/") ?? bundle.startIndex)]) + "/BlobsCrashProbe"
    }

    /// Runs the probe and kills it in the middle of whatever follows so many lines.
    ///
    /// - Returns: What it said.
    static func runAndKill(
        _ arguments: [String],
        in scratch: Scratch,
        _ round: Int,
        lines: Int,
        _ random: inout Seeded
    ) async throws -> String {
        let output = "\(scratch.path)/said-\(round)"
        let probe = try #require(launch([probe] + arguments, output: output), "no probe at \(probe)")
        try await eventually("\(lines) lines of the probe in round \(round)") {
            (contents(output) ?? []).count { $0 == UInt8(ascii: "\n") } >= lines
        }
        var spin = Int.random(in: 0...2_000_000, using: &random)
        while spin > 0 { spin -= 1 }
        kill(probe, SIGKILL)
        wait(for: probe)
        return String(decoding: contents(output) ?? [], as: UTF8.self)
    }

    @Test("loses nothing that was acknowledged, shows nothing that is not whole, and goes on where it stood")
    func killed() async throws {
        let scratch = Scratch()
        var random = Seeded(state: testSeed())
        let run = RunKey(job: JobID(high: 1, low: 1), number: 1)
        var (resumed, seen) = (0, 0)
        for round in 0..<10 {
            let output = try await Self.runAndKill(
                [scratch.path + "/store", "\(random.next())"],
                in: scratch,
                round,
                lines: Int.random(in: 1...80, using: &random),
                &random
            )
            let said = Said(output)
            let store = try await scratch.store()
            for file in blobFiles(scratch) {
                let digest = try #require(Digest(hex: file.dropFirst(3)), "a stray file: \(file)")
                guard case .intact = try await store.verify(digest) else {
                    Issue.record("round \(round): \(digest) is not what its name says")
                    continue
                }
                seen += 1
            }
            #expect(try await store.missing(of: Array(said.stored)).isEmpty, "round \(round)")
            for digest in said.stored { try await store.delete(digest) }
            for id in store.openUploads {
                // Its beginning, or its end, may have been interrupted.
                guard let upload = said.uploads[id], let offset = try? await store.offset(of: id) else {
                    try await store.abort(id)
                    continue
                }
                #expect(offset >= upload.offset, "round \(round)")
                let data = content(upload.seed, upload.size)
                let wanted = try await putElsewhere(data).digest
                try await store.append(id, offset: offset, ByteBuffer(data[Int(offset)...]))
                #expect(try await store.finish(id, expected: wanted).digest == wanted)
                #expect(try await store.bytes(wanted) == data)
                resumed += 1
            }
            try await store.sweepUploads(olderThan: farFuture)
            #expect(scratch.names("store/uploads").isEmpty)

            let logs = try await scratch.logs()
            let size = try await logs.size(run, task: 0)?.count ?? 0
            #expect(size >= said.logEnd)
            #expect(try await logs.read(run, task: 0, offset: 0, countMax: 8 << 20).array == content(77, Int(size)))
        }
        print("killed 10 times: \(resumed) uploads resumed, \(seen) blobs checked")
        #expect(resumed > 0)
    }
}
