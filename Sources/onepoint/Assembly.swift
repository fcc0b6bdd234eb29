import ArgumentParser
import Blobs
import CSupervise
import Core
import Engines
import FoundationEssentials
import Glibc
public import Hub
public import Jobs
import Logging
import NIOPosix
import Store
import Wire

/// The one place where the parts are put together, and where the system's clock comes in.
struct Assembly: Sendable {
    let data: String
    let log: Logger
    let threads: NIOThreadPool

    init(data: String, log: Logger) throws {
        onepoint_keep_buffers()
        self.data = data
        self.log = log
        threads = NIOThreadPool(numberOfThreads: 8)
        threads.start()
        do {
            // Databases, logs and results of all tenants: for this user's eyes only.
            try FileManager.default.createDirectory(
                atPath: data,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw Failure(
                .storageExhausted,
                "The data folder \(data) cannot be made. Check that the disk is writable.",
                note: "\(error)"
            )
        }
    }

    /// The system's clock.
    static let now: @Sendable () -> Instant = {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// What supervisors are started from: this very program.
    static func executable() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        guard count > 0, count < buffer.count else {
            throw Failure(.internal, "This program cannot tell where it is: /proc is not mounted.")
        }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    func openStore() async throws -> EventStore {
        let log = log
        return try await EventStore.open(.init(path: "\(data)/onepoint.sqlite")) { progress in
            log.notice("rebuilding views", metadata: ["done": "\(progress.done)", "of": "\(progress.total)"])
        }
    }

    /// The services of the point, over one store.
    func open(
        settings: Point.Settings,
        bucket: ServerConfiguration.BucketEntry? = nil
    ) async throws -> (point: Point, repositories: Repositories) {
        let store = try await openStore()
        let blobs = try await BlobStore.open(root: data, threads: threads, bucket: try bucket.map(Self.bucket))
        let logs = try await LogStore.open(root: data, threads: threads)
        let bell = Bell()
        let repositories = Repositories(
            store: store,
            blobs: blobs,
            keptBeforeBucket: bucket?.keep ?? 0,
            seal: AddressSeal(key: try sealKey()),
            bell: bell,
            now: Self.now,
            log: log
        )
        let point = Point(
            store: store,
            blobs: blobs,
            logs: logs,
            revisions: repositories,
            eventBell: bell,
            settings: settings,
            now: Self.now,
            log: log
        )
        return (point, repositories)
    }

    /// Keys come from the environment, where every tool for S3 looks for them, and are in no file of ours.
    private static func bucket(_ entry: ServerConfiguration.BucketEntry) throws -> S3Bucket {
        let environment = ProcessInfo.processInfo.environment
        guard let keyID = environment["AWS_ACCESS_KEY_ID"], let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
            throw Failure(
                .invalid,
                "The configuration has a bucket, and the environment no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            )
        }
        let credentials = S3Credentials(
            keyID: keyID,
            secret: secret,
            sessionToken: environment["AWS_SESSION_TOKEN"]
        )
        return try S3Bucket(
            .init(
                endpoint: entry.endpoint,
                region: entry.region,
                bucket: entry.name,
                prefix: entry.prefix,
                credentials: credentials
            ),
            now: now
        )
    }

    /// What addresses are signed with: made at the first start, for this user's eyes only.
    private func sealKey() throws -> [UInt8] {
        let path = "\(data)/seal.key"
        let unusable = Failure(
            .storageExhausted,
            "The key \(path) can neither be read nor made; check the folder's rights."
        )
        if let known = FileManager.default.contents(atPath: path), known.count == 32 { return Array(known) }
        var random = SystemRandomNumberGenerator()
        let key = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        // Under another name first: a start that is killed half way leaves no half a key.
        let draft = path + ".new"
        guard
            FileManager.default.createFile(
                atPath: draft,
                contents: Data(key),
                attributes: [.posixPermissions: 0o600]
            ), rename(draft, path) == 0
        else { throw unusable }
        return key
    }
}

extension Repositories: RevisionSource {}

/// What goes to standard error as it happens. Standard output is for answers.
func makeLogger(_ level: Logger.Level) -> Logger {
    var log = Logger(label: "onepoint") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = level
    return log
}

/// A path that does not depend on where the program was started.
func absolute(_ path: String) throws -> String {
    if path.hasPrefix("/") { return path }
    let here = FileManager.default.currentDirectoryPath
    return "\(here)/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
}

func standardError(_ text: String) {
    var text = text
    text.withUTF8 { bytes in _ = Glibc.write(2, bytes.baseAddress, bytes.count) }
}

/// How much is logged.
enum LogLevel: String, CaseIterable, ExpressibleByArgument {
    case trace, debug, info, notice, warning, error

    var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .notice }
}
