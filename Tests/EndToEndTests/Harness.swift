import AsyncHTTPClient
import Core
import Foundation
import NIOCore
import NIOHTTP1
import Testing
import Wire

/// A program under test in a process of its own; ended by its process id.
final class Program: @unchecked Sendable {
    // Guarded by Process itself: only its pid and its end are read from other tasks.
    private let process = Process()
    let log: URL

    init(_ arguments: [String], log: URL, environment: [String: String] = [:]) throws {
        self.log = log
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        handle.seekToEndOfFile()
        process.executableURL = Self.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = handle
        process.standardError = handle
        try process.run()
    }

    /// `onepoint`, built beside the tests, or another build of it that ONEPOINT_BINARY names.
    static let executable: URL = {
        if let path = ProcessInfo.processInfo.environment["ONEPOINT_BINARY"] { return URL(fileURLWithPath: path) }
        let runner = URL(
            fileURLWithPath: (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        )
        return runner.deletingLastPathComponent().appendingPathComponent("onepoint")
    }()

    var isRunning: Bool { process.isRunning }

    /// SIGKILL, and its end awaited.
    func kill() async {
        Foundation.kill(process.processIdentifier, SIGKILL)
        await process.end()
    }

    /// SIGTERM, and its end awaited.
    @discardableResult
    func terminate() async -> Int32 {
        process.terminate()
        await process.end()
        return process.terminationStatus
    }

    /// SIGINT, as by Ctrl-C, and its end awaited.
    func interrupt() async -> Int32 {
        Foundation.kill(process.processIdentifier, SIGINT)
        await process.end()
        return process.terminationStatus
    }

    /// SIGKILL without waiting, for the end of a test.
    func abandon() { Foundation.kill(process.processIdentifier, SIGKILL) }

    var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}

/// A point with its data folder, its operator's token, and the command line pointed at it.
final class PointUnderTest: @unchecked Sendable {
    // Tests use one from one task at a time.
    let folder: URL
    private(set) var server: Program
    let port: Int
    private(set) var token = ""
    private let data: URL
    private let environment: [String: String]

    var url: String { "http://127.0.0.1:\(port)" }

    init(
        _ configuration: String = PointUnderTest.oneCentre,
        dataFolder: URL? = nil,
        environment: [String: String] = [:]
    ) async throws {
        self.environment = environment
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "onepoint-\(UUID().uuidString.prefix(8))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        data = dataFolder ?? folder.appendingPathComponent("data")
        try configuration.write(to: folder.appendingPathComponent("config.yaml"), atomically: true, encoding: .utf8)
        port = try Self.freePort()
        server = try Self.start(folder, data, port, environment)
        try await untilReady()
        token = try String(contentsOf: folder.appendingPathComponent("token"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static func start(
        _ folder: URL,
        _ data: URL,
        _ port: Int,
        _ environment: [String: String]
    ) throws -> Program {
        try Program(
            [
                "serve", "--data", data.path,
                "--config", folder.appendingPathComponent("config.yaml").path,
                "--listen", "127.0.0.1:\(port)", "--token-file", folder.appendingPathComponent("token").path,
            ],
            log: folder.appendingPathComponent("serve.log"),
            environment: environment
        )
    }

    func restart() async throws {
        server = try Self.start(folder, data, port, environment)
        try await untilReady()
    }

    func untilReady() async throws {
        try await eventually("the point to be ready", tail: { self.server.output }) {
            try #require(self.server.isRunning, "the point ended: \(self.server.output.suffix(2000))")
            return
                (try? await HTTPClient.shared.execute(
                    HTTPClientRequest(url: self.url + "/readyz"),
                    timeout: .seconds(5)
                ))?.status == .ok
        }
    }

    deinit {
        if server.isRunning { server.abandon() }
        try? FileManager.default.removeItem(at: folder)
    }

    /// One centre that offers more cores than the machine has, so that many short jobs run side by side.
    static let oneCentre = """
        centres:
          - {name: hub-1, tier: hub, cores: 16, memory: 16GiB}
        """

    private static func freePort() throws -> Int {
        let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(bound)
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // MARK: Calls

    struct Answer {
        var status: Int
        var body: Data
        var json: JSON { (try? JSON(parsing: body)) ?? .null }
        func decode<Value: Decodable>(_: Value.Type = Value.self) throws -> Value { try WireJSON.decode(from: body) }
    }

    func call(
        _ method: String,
        _ path: String,
        json: String? = nil,
        form: String? = nil,
        token: String? = nil,
        headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Authorization", value: "Bearer \(token ?? self.token)")
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        if let form {
            request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: form))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(60))
        let body = try await response.body.collect(upTo: 64 << 20)
        return Answer(status: Int(response.status.code), body: Data(body.readableBytesView))
    }

    func submit(_ json: String) async throws -> SubmissionView {
        let answer = try await call("POST", "/v1/jobs?project=demo", json: json)
        try #require(answer.status == 201, "\(String(decoding: answer.body, as: UTF8.self))")
        return try answer.decode()
    }

    func job(_ job: JobID) async throws -> JobDetail { try await call("GET", "/v1/jobs/\(job)").decode() }

    /// Waits until a job has ended.
    func end(of job: JobID, within limit: Duration = .seconds(240)) async throws -> JobDetail {
        try await eventually("\(job) to end", within: limit, tail: { self.server.output }) {
            let detail = try await self.job(job)
            return detail.summary.state.isTerminal ? detail : nil
        }
    }

    func log(of job: JobID, task: Int = 0) async throws -> String {
        try await eventually("the log of \(job) to be complete") {
            var request = HTTPClientRequest(url: self.url + "/v1/jobs/\(job)/logs?task=\(task)&limit=1048576")
            request.headers.add(name: "Authorization", value: "Bearer \(self.token)")
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            let body = try await response.body.collect(upTo: 64 << 20)
            guard response.headers.first(name: "Onepoint-Log-Complete") == "true" else { return nil }
            return String(buffer: body)
        }
    }
}

/// Looks again and again until `body` yields something; fails with what it last saw.
func eventually<Value>(
    _ what: String,
    within limit: Duration = .seconds(240),
    tail: () -> String = { "" },
    _ body: () async throws -> Value?
) async throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    while clock.now < deadline {
        if let value = try await body() { return value }
        await pause()
    }
    throw TimedOut(what: what, seen: String(tail().suffix(4000)))
}

func eventually(
    _ what: String,
    within limit: Duration = .seconds(240),
    tail: () -> String = { "" },
    _ body: () async throws -> Bool
) async throws {
    _ = try await eventually(what, within: limit, tail: tail) { try await body() ? true : nil }
}

struct TimedOut: Error, CustomStringConvertible {
    var what: String
    var seen: String
    var description: String { "waited in vain for \(what); seen last:\n\(seen)" }
}

/// The period of polling another process, which has no other way to tell us.
private func pause() async {
    await withCheckedContinuation { continuation in
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { continuation.resume() }
    }
}

/// Runs the command line against a point.
struct CommandLineUnderTest {
    let point: PointUnderTest

    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    func run(_ arguments: String...) async throws -> Outcome { try await run(arguments) }

    func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> Outcome {
        let process = Process()
        process.executableURL = Program.executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging([
            "ONEPOINT_URL": point.url, "ONEPOINT_TOKEN": point.token,
            "XDG_CONFIG_HOME": point.folder.appendingPathComponent("client").path,
        ]) { $1 }.merging(environment) { $1 }
        let (out, errors) = (
            point.folder.appendingPathComponent("out-\(UUID())"), point.folder.appendingPathComponent("err-\(UUID())")
        )
        for file in [out, errors] { _ = FileManager.default.createFile(atPath: file.path, contents: nil) }
        process.standardOutput = try FileHandle(forWritingTo: out)
        process.standardError = try FileHandle(forWritingTo: errors)
        process.standardInput = FileHandle.nullDevice
        try process.run()
        await process.end()
        return Outcome(
            status: process.terminationStatus,
            output: try String(contentsOf: out, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8)
        )
    }
}

extension Process {
    /// Returns when the process has ended, without holding one of the few threads that all tests share.
    func end() async {
        while isRunning { await pause() }
    }
}
