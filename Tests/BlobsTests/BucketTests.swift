import Core
import Foundation
import NIOCore
import Testing

@testable import Blobs

/// Blobs whose bytes are in a bucket of a real S3 service, which checks every signature.
@Suite(
    "Bytes in a bucket",
    .serialized,
    .enabled(if: S3Service.isInstalled, "no S3 service is installed: scripts/setup-clients s3 does it")
)
struct BucketTests {
    private static func withStore(
        _ test: (_ scratch: Scratch, _ bucket: S3Bucket, _ service: S3Service) async throws -> Void
    ) async throws {
        let scratch = Scratch()
        let service = try await S3Service(in: scratch)
        try await test(scratch, try service.bucket(), service)
        withExtendedLifetime((scratch, service)) {}
    }

    /// How many bytes of the disk a blob takes.
    private static func occupied(_ store: BlobStore, _ digest: Digest) async throws -> Int {
        Int(try await store.status(of: digest).st_blocks) * 512
    }

    @Test("what moves to the bucket is read as before, whole and in part, and takes no room here")
    func moved() async throws {
        try await Self.withStore { scratch, bucket, _ in
            let store = try await scratch.store(bucket: bucket)
            let (small, large) = (content(1, 1000), content(2, 3_000_001))
            // In two parts, of which the second is short.
            let huge = [UInt8](repeating: 7, count: 64 << 20) + content(3, 1001)
            let blobs = [try await store.put(small), try await store.put(large), try await store.put(huge)]
            let leased = try await store.status(of: blobs[1].digest).st_mtim.tv_sec
            let done = try await store.offload(keeping: 0)
            #expect(done == Offloaded(blobs: 2, bytes: Bytes(Int64(large.count + huge.count))))
            #expect(scratch.names("store/loose") == [])
            for (blob, bytes) in zip(blobs, [small, large, huge]) {
                #expect(try await store.size(of: blob.digest) == blob.size)
                #expect(try await store.bytes(blob.digest) == bytes)
                #expect(try await store.verify(blob.digest) == .intact(blob.size))
            }
            #expect(try await Self.occupied(store, blobs[0].digest) > 0)
            #expect(try await Self.occupied(store, blobs[1].digest) == 0)
            #expect(try await store.status(of: blobs[1].digest).st_mtim.tv_sec == leased)
            let reader = try await store.open(blobs[2].digest)
            let edge = (64 << 20) - 1
            #expect(try await reader.read(offset: Int64(edge), countMax: 10).array == Array(huge[edge..<edge + 10]))
            #expect(try await reader.read(offset: Int64(huge.count), countMax: 10).array == [])
            // The same bytes once more move nothing, and a second round has nothing to do.
            #expect(try await store.put(large) == blobs[1])
            #expect(try await store.offload(keeping: 0) == Offloaded())
            // Another process knows them by the stubs alone; one without the bucket says where they are.
            #expect(try await scratch.store(bucket: bucket).bytes(blobs[1].digest) == large)
            let without = try await scratch.store()
            let failure = await failure(.unavailable) { _ = try await without.open(blobs[1].digest) }
            #expect(failure?.detail.contains("bucket") ?? false)
            _ = await BlobsTests.failure(.unavailable) {
                try await store.materialise(blobs[1].digest, kind: .file, at: scratch.path + "/out")
            }
        }
    }

    @Test("those that were not wanted for longest go first, and only as many as must")
    func order() async throws {
        try await Self.withStore { scratch, bucket, _ in
            let store = try await scratch.store(bucket: bucket)
            var digests: [Digest] = []
            for number in 0..<4 { digests.append(try await store.put(content(UInt64(10 + number), 2 << 20)).digest) }
            for (age, index) in [2, 0, 3, 1].enumerated() {
                _ = try await store.use([digests[index]], at: now + .seconds(age))
            }
            #expect(try await store.offload(keeping: Bytes(4 << 20)).blobs == 2)
            var here: [Bool] = []
            for digest in digests { here.append(try await Self.occupied(store, digest) > 0) }
            #expect(here == [false, true, false, true])
        }
    }

    @Test("what is collected goes from the bucket too, and what comes back meanwhile stays")
    func removed() async throws {
        try await Self.withStore { scratch, bucket, _ in
            let store = try await scratch.store(bucket: bucket)
            let blob = try await store.put(content(20, 2 << 20))
            _ = try await store.offload(keeping: 0)
            #expect(try store.collect(blob.digest, unleasedSince: now) == nil)
            #expect(try store.collect(blob.digest, unleasedSince: farFuture) == blob.size)
            #expect(try await store.size(of: blob.digest) == nil)
            #expect(try await bucket.size(of: blob.digest) == blob.size.count)
            #expect(try await store.offload(keeping: 0).objectsRemoved == 1)
            #expect(try await bucket.size(of: blob.digest) == nil && scratch.names("store/loose") == [])
            // Collected and pushed again before the next round: the object goes and comes.
            _ = try await store.put(content(20, 2 << 20))
            _ = try await store.offload(keeping: 0)
            try await store.delete(blob.digest)
            _ = try await store.put(content(20, 2 << 20))
            #expect(try await store.offload(keeping: 0) == Offloaded(blobs: 1, bytes: blob.size, objectsRemoved: 1))
            #expect(try await store.bytes(blob.digest) == content(20, 2 << 20))
        }
    }

    @Test("a blob that the disk has damaged goes to no bucket, is taken out of service, and keeps no other from moving")
    func damaged() async throws {
        try await Self.withStore { scratch, bucket, _ in
            let store = try await scratch.store(bucket: bucket)
            let sizes = [2 << 20, (64 << 20) + 1, 2 << 20]
            var blobs: [StoredBlob] = []
            for (number, size) in sizes.enumerated() {
                blobs.append(try await store.put([UInt8](repeating: UInt8(number), count: size)))
                _ = try await store.use([blobs[number].digest], at: now + .seconds(number))
            }
            for blob in blobs.dropLast() {
                let path = try await store.place(of: blob.digest)
                #expect(chmod(path, 0o644) == 0)
                let file = open(path, O_WRONLY)
                #expect(pwrite(file, [9], 1, 1_000_000) == 1)
                close(file)
            }
            for blob in blobs.enumerated() {
                _ = try await store.use([blob.element.digest], at: now + .seconds(blob.offset))
            }
            let done = try await store.offload(keeping: 0)
            #expect(done.blobs == 1 && Set(done.damaged) == Set(blobs.dropLast().map(\.digest)), "\(done)")
            for blob in blobs.dropLast() {
                #expect(try await store.size(of: blob.digest) == nil)
                #expect(try await bucket.size(of: blob.digest) == nil)
            }
            #expect(try await store.verify(blobs[2].digest) == .intact(blobs[2].size))
        }
    }

    @Test("an object that was lost is taken out of service, and healed by a push")
    func lost() async throws {
        try await Self.withStore { scratch, bucket, _ in
            let store = try await scratch.store(bucket: bucket)
            let bytes = content(30, 2 << 20)
            let blob = try await store.put(bytes)
            _ = try await store.offload(keeping: 0)
            try await bucket.remove(blob.digest)
            _ = await failure(.internal) { _ = try await store.bytes(blob.digest) }
            guard case .quarantined = try await store.verify(blob.digest) else {
                Issue.record("it is still served")
                return
            }
            #expect(try await store.size(of: blob.digest) == nil)
            _ = try await store.put(bytes)
            _ = try await store.offload(keeping: 0)
            #expect(try await store.bytes(blob.digest) == bytes)
        }
    }

    @Test("without the service nothing is lost: what is here stays, what is there waits, and who asks is told")
    func unreachable() async throws {
        try await Self.withStore { scratch, bucket, service in
            let store = try await scratch.store(bucket: bucket)
            let there = try await store.put(content(40, 2 << 20))
            _ = try await store.offload(keeping: 0)
            let here = try await store.put(content(41, 2 << 20))
            service.end()
            _ = await failure(.unavailable) { _ = try await store.bytes(there.digest) }
            _ = await failure(.unavailable) { _ = try await store.offload(keeping: 0) }
            #expect(try await store.bytes(here.digest) == content(41, 2 << 20))
        }
    }

    @Test("a wrong key is refused in the service's words, and none of it is said again")
    func wrongKey() async throws {
        try await Self.withStore { scratch, _, service in
            let bucket = try service.bucket(secret: "not the secret")
            let store = try await scratch.store(bucket: bucket)
            _ = try await store.put(content(50, 2 << 20))
            let refused = await failure(.internal) { _ = try await store.offload(keeping: 0) }
            #expect(refused?.detail.contains("SignatureDoesNotMatch") ?? false, "\(String(describing: refused))")
            #expect(!"\(String(reflecting: bucket.settings))".contains("not the secret"))
        }
    }

    @Test("a process that is killed while it moves bytes loses none, and leaves no object for long")
    func killed() async throws {
        try await Self.withStore { scratch, _, service in
            var random = Seeded(state: testSeed())
            let bucket = try service.bucket(prefix: "crash/")
            var (kept, gone): (Set<Digest>, Set<Digest>) = ([], [])
            for round in 0..<8 {
                let said = try await CrashTests.runAndKill(
                    [scratch.path + "/store", "\(random.next())", service.address, service.keyID, service.secret],
                    in: scratch,
                    round,
                    lines: Int.random(in: 2...25, using: &random),
                    &random
                )
                // The last line may be cut.
                for line in said.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                    let words = line.split(separator: " ")
                    let digest = try #require(Digest(String(words[1])))
                    switch words[0] {
                    case "stored": kept.insert(digest)
                    case "removing": kept.remove(digest)
                    default: gone.insert(digest)
                    }
                }
                let store = try await scratch.store(bucket: bucket)
                _ = try await store.offload(keeping: Bytes(6 << 20))
                for digest in kept {
                    let verdict = try await store.verify(digest)
                    guard case .intact = verdict else {
                        Issue.record("round \(round): \(digest) is \(verdict)")
                        continue
                    }
                }
                for digest in gone {
                    #expect(try await store.size(of: digest) == nil)
                    // What the killed process had sent may arrive after the first look, and the next round removes it.
                    try await eventually("\(digest) to be gone in round \(round)") {
                        guard try await bucket.size(of: digest) != nil else { return true }
                        _ = try await store.offload(keeping: Bytes(6 << 20))
                        return false
                    }
                }
            }
            print("killed 8 times: \(kept.count) blobs kept, \(gone.count) gone")
        }
    }
}

@Suite struct S3SignatureTests {
    private static let credentials = S3Credentials(
        keyID: "AKIAIOSFODNN7EXAMPLE",
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    )

    @Test(
        "the examples of Amazon's documentation are signed as there",
        arguments: [
            (
                "/test.txt", [], [("range", "bytes=0-9")],
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
            ),
            ("/", [("lifecycle", "")], [], "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            (
                "/", [("max-keys", "2"), ("prefix", "J")], [],
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
            ),
        ] as [(String, [(String, String)], [(String, String)], String)]
    )
    func examples(
        _ path: String,
        _ query: [(String, String)],
        _ headers: [(String, String)],
        _ expected: String
    ) throws {
        let signed = S3Signature.headers(
            "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: path,
            query: query,
            headers: headers,
            payload: BlobHasher.digest(of: [UInt8]()),
            region: "us-east-1",
            Self.credentials,
            at: try #require(Instant(rfc3339: "2013-05-24T00:00:00.000Z"))
        )
        let authorization = try #require(signed.first { $0.name == "authorization" }?.value)
        #expect(authorization.hasSuffix("Signature=\(expected)"), "\(authorization)")
    }

    @Test("an endpoint is a scheme and a host, and nothing else")
    func endpoints() throws {
        func bucket(_ endpoint: String) throws -> S3Bucket {
            try S3Bucket(
                .init(endpoint: endpoint, region: "x", bucket: "x", prefix: "", credentials: Self.credentials)
            ) { now }
        }
        for good in ["http://127.0.0.1:9000", "https://s3.example.org", "https://s3.example.org:443"] {
            #expect(throws: Never.self, "\(good)") { try bucket(good) }
        }
        for bad in ["", "s3.example.org", "ftp://x", "https://", "https://x/y", "https://me@x", "https://x?y"] {
            #expect(throws: Failure.self, "\(bad)") { try bucket(bad) }
        }
    }
}

/// A service of its own for one test.
final class S3Service: Sendable {
    private static let python =
        (ProcessInfo.processInfo.environment["ONEPOINT_CLIENTS"] ?? NSHomeDirectory() + "/.cache/onepoint-clients")
        + "/s3/bin/python3"

    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: python) }

    let address: String
    let keyID: String
    let secret: String
    private let process: pid_t

    init(in scratch: Scratch) async throws {
        let output = scratch.path + "/service"
        let program = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "s3-service.py").path
        process = try #require(launch([Self.python, program], output: output))
        func words() -> [Substring] {
            let lines = String(decoding: contents(output) ?? [], as: UTF8.self).split(separator: "\n")
            return lines.last { $0.hasPrefix("ready ") }?.split(separator: " ") ?? []
        }
        try await eventually("the S3 service") { words().count == 4 }
        let said = words().map { String($0) }
        try #require(said.count == 4)
        (address, keyID, secret) = (said[1], said[2], said[3])
    }

    func bucket(prefix: String = "test/", secret: String? = nil) throws -> S3Bucket {
        let credentials = S3Credentials(keyID: keyID, secret: secret ?? self.secret)
        return try S3Bucket(
            .init(
                endpoint: address,
                region: "us-east-1",
                bucket: "onepoint",
                prefix: prefix,
                credentials: credentials
            )
        ) { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
    }

    func end() {
        kill(process, SIGKILL)
        wait(for: process)
    }

    deinit { if kill(process, 0) == 0 { end() } }
}
