import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import Wire

/// Shows what a task prints as it prints it, through broken connections and from one attempt to the next.
struct LogFollower: Sendable {
    let client: PointClient
    let job: String
    /// `nil` follows the job through all its attempts; otherwise only this one.
    var run: Int?
    var task = 0
    /// Pieces as JSON, a line each, instead of the bytes.
    var asJSON = false

    /// Broken connections in a row without a byte between them before it gives up.
    static let failuresMax = 12
    private static let lookPeriod = Duration.milliseconds(250)

    /// Shows everything from `offset` of the run to the end of the job, or of the run when one was chosen.
    ///
    /// - Returns: The job as it stood last: terminal unless a run was chosen.
    func follow(from offset: Int64 = 0) async throws -> JobDetail {
        var shown = run
        var next = offset
        while true {
            shown = try await stream(run: shown, from: &next) ?? shown
            if run != nil { return try await detail() }
            // The log may end before the point has heard of the run's end, and a retry may follow it.
            while true {
                let detail = try await detail()
                if detail.summary.state.isTerminal { return detail }
                if let latest = detail.runs.map(\.number).max(), latest != shown {
                    if let shown { terminal.printError("-- attempt \(shown) is over, attempt \(latest) follows --") }
                    (shown, next) = (latest, 0)
                    break
                }
                try await Task.sleep(for: Self.lookPeriod)
            }
        }
    }

    func detail() async throws -> JobDetail {
        try WireJSON.decode(from: try await client.get("/v1/jobs/\(job.percentEncoded)"))
    }

    /// Shows one run's log to its end; the run that it was.
    private func stream(run: Int?, from next: inout Int64) async throws -> Int? {
        var run = run
        var failures = 0
        while true {
            let before = next
            do {
                if try await connection(&run, &next) { return run }
            } catch let failure as Failure where Self.isPassing(failure.code) {
                guard failures < Self.failuresMax else { throw failure }
                try await Task.sleep(for: backoff(failures + 1, failure.retryAfter))
            }
            failures = next > before ? 0 : failures + 1
        }
    }

    private static func isPassing(_ code: Failure.Code) -> Bool {
        code == .unavailable || code == .rateLimited || code == .internal
    }

    /// One connection; true once the log's end came.
    private func connection(_ run: inout Int?, _ next: inout Int64) async throws -> Bool {
        let query: [(String, String?)] = [
            ("follow", "true"), ("run", run.map { "\($0)" }), ("task", "\(task)"), ("offset", "\(next)"),
        ]
        let response = try await client.open(
            .get,
            "/v1/jobs/\(job.percentEncoded)/logs",
            query,
            headers: [("Accept", "text/event-stream")],
            secondsMax: 30 * 86_400
        )
        var parser = EventStreamParser()
        do {
            for try await buffer in response.body {
                for message in try parser.push(buffer.readableBytesView) {
                    if try take(message, &run, &next) { return true }
                }
            }
        } catch {
            throw client.unreachable(error)
        }
        // A stream that ends without its end is a broken one.
        throw Failure(.unavailable, "The connection to \(client.credentials.url) was closed.")
    }

    private func take(_ message: EventStreamParser.Message, _ run: inout Int?, _ next: inout Int64) throws -> Bool {
        let json = try? JSON(parsing: Array(message.data.utf8))
        switch message.event {
        case "log":
            guard let json, let offset = json["offset"]?.integerValue, let bytes = Self.bytes(json) else {
                throw Failure(
                    .internal,
                    "The point sent a piece of a log that cannot be read. Is it of another version?"
                )
            }
            run = json["run"]?.integerValue.map { Int($0) } ?? run
            // What came twice is shown once.
            let seen = max(0, min(next - offset, Int64(bytes.count)))
            let fresh = bytes.dropFirst(Int(seen))
            if asJSON, !fresh.isEmpty {
                terminal.print(Self.piece(fresh, run: run, task: task, offset: offset + seen).text)
            } else {
                terminal.write(fresh)
            }
            next = max(next, offset + Int64(bytes.count))
            return false
        case "end":
            if let number = json?["run"]?.integerValue, number > 0 { run = Int(number) }
            return true
        case "error":
            throw json.flatMap { Failure(problem: $0) } ?? Failure(.unavailable, "The point broke off the stream.")
        default: return false
        }
    }

    /// A piece of a log in the shape of the API's stream: `text`, or `base64` where the bytes are no UTF-8.
    static func piece(_ bytes: some Collection<UInt8>, run: Int?, task: Int, offset: Int64) -> JSON {
        let content: (key: String, value: JSON) =
            String(validating: bytes, as: UTF8.self).map { ("text", .string($0)) }
            ?? ("base64", .string(Data(bytes).base64EncodedString()))
        return .object([
            ("run", run.map { .integer(Int64($0)) } ?? .null), ("task", .integer(Int64(task))),
            ("offset", .integer(offset)), content,
        ])
    }

    private static func bytes(_ json: JSON) -> [UInt8]? {
        if let text = json["text"]?.stringValue { return Array(text.utf8) }
        return (json["base64"]?.stringValue).flatMap { Data(base64Encoded: $0) }.map { Array($0) }
    }
}

extension JobDetail {
    /// What `run` and its like leave with: the job's own status where it has one.
    var exitStatus: Int32 {
        switch summary.state {
        case .succeeded: return ExitStatus.ok.rawValue
        case .queued, .active, .failed, .cancelled: break
        }
        guard summary.state == .failed, let outcome = runs.max(by: { $0.number < $1.number })?.outcome else {
            return ExitStatus.jobFailed.rawValue
        }
        switch (outcome.kind, outcome.code) {
        case (.exit, let code?) where (1...255).contains(code): return Int32(code)
        // As a shell reports it.
        case (.signal, let code?) where (1...127).contains(code): return 128 + Int32(code)
        default: return ExitStatus.jobFailed.rawValue
        }
    }
}
