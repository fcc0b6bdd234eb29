import Core
import Foundation
import Glibc
import Testing

@testable import Corpora

/// Sites on loopback that note what they are asked, and a folder for what a test writes.
final class CrawlSite: Sendable {
    struct Request: Decodable, Sendable {
        var host: String
        var path: String
        /// When it came, and when the last of its answer was about to go, in seconds of one clock.
        var start: Double
        var end: Double
        var status: Int
        var agent: String
        var ifNoneMatch: String
        var ifModifiedSince: String
    }

    let folder: String
    let port: Int
    private let process: pid_t
    private let scheme: String

    /// - Parameter certificate: Path of a PEM file of a key and its certificate, for sites that speak TLS.
    init(certificate: String? = nil) async throws {
        scheme = certificate == nil ? "http" : "https"
        folder = NSTemporaryDirectory() + "onepoint-crawl-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let program = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "crawl-site.py").path
        process = try #require(
            Self.launch(
                ["/usr/bin/env", "python3", program, folder + "/log"] + (certificate.map { [$0] } ?? []),
                output: folder + "/port"
            )
        )
        var said: Int?
        try await Self.eventually("the sites") { [folder] in
            let text = (try? String(contentsOfFile: folder + "/port", encoding: .utf8)) ?? ""
            if text.hasSuffix("\n") { said = Int(text.dropLast()) }
            return said != nil
        }
        port = try #require(said, "the sites did not start")
    }

    deinit {
        kill(process, SIGKILL)
        Self.wait(for: process)
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Everything that was asked, in order.
    func requests() throws -> [Request] {
        let text = try String(contentsOfFile: folder + "/log", encoding: .utf8)
        return try text.split(separator: "\n").map { try JSON(parsing: Array($0.utf8)).decode(Request.self) }
            .sorted { $0.start < $1.start }
    }

    /// A crawl over some of the sites; `more` is further lines of its file.
    func crawl(_ name: String, hosts: [Int], seeds: [String], delay: Double, _ more: String = "") throws -> CrawlFile {
        let scope = hosts.map { "{name: 127.0.0.\($0), allow_private: true}" }.joined(separator: ", ")
        let yaml = """
            name: \(name)
            product: OnepointTest
            contact: tests@example.org
            seeds: [\(seeds.map { "'\(scheme)://\($0.replacing("/", with: ":\(port)/", maxReplacements: 1))'" }.joined(separator: ", "))]
            scope: {hosts: [\(scope)]}
            delay: \(delay)
            output: \(name)
            \(more)
            """
        let path = "\(folder)/\(name).yaml"
        try yaml.write(toFile: path, atomically: true, encoding: .utf8)
        return try CrawlFile(path)
    }

    func run(_ file: CrawlFile, archiveMaxBytes: Int = 1_000_000_000, trustedRoots: String? = nil) async throws
        -> CrawlRecord
    {
        var run = CrawlRun(file, runtime: SystemRuntime()) {
            Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        }
        run.archiveMaxBytes = archiveMaxBytes
        run.trustedRoots = trustedRoots
        return try await run.run { _ in }
    }

    /// Waits for a level, with a limit that a busy machine does not reach.
    static func eventually(_ what: String, _ isSo: () throws -> Bool) async throws {
        let end = ContinuousClock.now + .seconds(240)
        while try !isSo() {
            try #require(ContinuousClock.now < end, "\(what) did not come")
            // Files and other processes ring nobody.
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    static func launch(_ arguments: [String], output: String) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var child: pid_t = 0
        return posix_spawn(&child, arguments[0], &actions, nil, &pointers, environ) == 0 ? child : nil
    }

    @discardableResult
    static func wait(for child: pid_t) -> CInt {
        var status: CInt = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        return status
    }
}
