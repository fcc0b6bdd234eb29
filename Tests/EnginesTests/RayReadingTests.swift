import Core
import Testing

@testable import Engines

@Suite("Ray's word and the shared folder's are joined")
struct RayReadingTests {
    static let run = RayFixtures.run
    static let start = Instant(milliseconds: 1_795_443_613_746)

    static func job(_ status: String, error: String? = nil, message: String? = nil) throws -> RayJob {
        try #require(RayJob(RayFixtures.job(run, status: status, error: error, message: message)))
    }

    static func traces(released: Bool = true, claimed: Bool = false, ending: EngineRun.State? = nil) -> RunTraces {
        RunTraces(isReleased: released, isClaimed: claimed, startedAt: claimed ? start : nil, ending: ending)
    }

    @Test("an exit record decides, whatever Ray says")
    func record() throws {
        let ending = EngineRun.State.ended(RunOutcome(.exit, code: 3), startedAt: Self.start, endedAt: Self.start)
        for status in [nil, "PENDING", "RUNNING", "STOPPED", "SUCCEEDED", "FAILED", "NEWWORD"] {
            let job = try status.map { try Self.job($0) }
            let reading = RayReading.of(Self.traces(claimed: true, ending: ending), job: job, isSending: false)
            #expect(reading == .known(ending), "with \(status ?? "no job")")
        }
    }

    @Test("what was not released is held, even when Ray has a job of that name")
    func held() throws {
        #expect(RayReading.of(Self.traces(released: false), job: nil, isSending: false) == .known(.held))
        let job = try Self.job("PENDING")
        #expect(RayReading.of(Self.traces(released: false), job: job, isSending: false) == .known(.held))
    }

    @Test("released and unknown to Ray without a claim: it never started, and is to be released again")
    func neverStarted() {
        #expect(RayReading.of(Self.traces(), job: nil, isSending: false) == .known(.held))
        #expect(RayReading.of(Self.traces(), job: nil, isSending: true) == .known(.pending("it is being sent to Ray")))
    }

    @Test("claimed and unknown to Ray: lost, once it stays so")
    func lost() {
        guard case .doubtful(let outcome) = RayReading.of(Self.traces(claimed: true), job: nil, isSending: false) else {
            Issue.record("believed at once")
            return
        }
        #expect(outcome.kind == .lost)
    }

    @Test("waiting and running are told by the claim, not by Ray's RUNNING")
    func running() throws {
        let pending = try Self.job("PENDING", message: "Job has not started yet. It waits.\nmore")
        #expect(
            RayReading.of(Self.traces(), job: pending, isSending: false)
                == .known(.pending("Job has not started yet. It waits."))
        )
        #expect(
            RayReading.of(Self.traces(), job: try Self.job("RUNNING"), isSending: false)
                == .known(.pending("Ray has begun it, and it waits for room for its tasks"))
        )
        for status in ["PENDING", "RUNNING", "SOMETHING"] {
            #expect(
                RayReading.of(Self.traces(claimed: true), job: try Self.job(status), isSending: false)
                    == .known(.running(startedAt: Self.start))
            )
        }
        #expect(
            RayReading.of(Self.traces(), job: try Self.job("SOMETHING"), isSending: false)
                == .known(.pending("Ray says SOMETHING"))
        )
    }

    @Test("what was claimed and has not started is being prepared")
    func prepared() throws {
        var traces = Self.traces(claimed: true)
        traces.startedAt = nil
        guard case .known(.pending) = RayReading.of(traces, job: try Self.job("RUNNING"), isSending: false) else {
            Issue.record("it is not pending")
            return
        }
    }

    @Test("an end that Ray's own stop asked for is a cancel")
    func stopped() throws {
        func reading(_ outcome: RunOutcome, _ status: String) throws -> RunOutcome.Kind? {
            let ending = EngineRun.State.ended(outcome, startedAt: Self.start, endedAt: Self.start)
            let traces = Self.traces(claimed: true, ending: ending)
            let seen = RayReading.of(traces, job: try Self.job(status), isSending: false)
            guard case .known(.ended(let outcome, _, _)) = seen else { return nil }
            return outcome.kind
        }
        let stopped = RunOutcome(.nodeFailure, detail: RunScript.stoppedByEngine)
        #expect(try reading(stopped, "STOPPED") == .cancelled)
        #expect(try reading(stopped, "FAILED") == .nodeFailure)
        #expect(try reading(RunOutcome(.signal, code: 15), "STOPPED") == .signal)
        #expect(try reading(RunOutcome(.succeeded), "STOPPED") == .succeeded)
    }

    @Test("what Ray fails for having waited long is released again, unless it began")
    func waitedLong() throws {
        let job = try Self.job("FAILED", error: "JOB_SUPERVISOR_ACTOR_START_TIMEOUT")
        #expect(RayReading.of(Self.traces(), job: job, isSending: false) == .known(.held))
        guard case .doubtful(let outcome) = RayReading.of(Self.traces(claimed: true), job: job, isSending: false)
        else {
            Issue.record("believed at once")
            return
        }
        #expect(outcome.kind == .nodeFailure)
    }

    /// The table of ``RayJob/outcome(began:)``, row by row: status, error, outcome before it began, and after.
    static let outcomes: [(String, String?, RunOutcome.Kind, RunOutcome.Kind)] = [
        ("SUCCEEDED", nil, .rejected, .nodeFailure), ("STOPPED", nil, .cancelled, .cancelled),
        ("FAILED", "RUNTIME_ENV_SETUP_FAILURE", .rejected, .nodeFailure),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT", .rejected, .nodeFailure),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_START_FAILURE", .rejected, .nodeFailure),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE", .rejected, .nodeFailure),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_DIED", .nodeFailure, .nodeFailure),
        ("FAILED", "JOB_SUPERVISOR_ACTOR_UNKNOWN_FAILURE", .nodeFailure, .nodeFailure),
        ("FAILED", "JOB_ENTRYPOINT_COMMAND_START_ERROR", .rejected, .nodeFailure),
        ("FAILED", "JOB_ENTRYPOINT_COMMAND_ERROR", .rejected, .nodeFailure),
        ("FAILED", "A_WORD_OF_TOMORROW", .nodeFailure, .nodeFailure), ("FAILED", nil, .nodeFailure, .nodeFailure),
    ]

    @Test("every end that only Ray tells of has its outcome", arguments: outcomes)
    func outcome(_ row: (String, String?, RunOutcome.Kind, RunOutcome.Kind)) throws {
        let job = try Self.job(row.0, error: row.1, message: "why\nwith a traceback")
        #expect(job.outcome(began: false)?.kind == row.2)
        #expect(job.outcome(began: true)?.kind == row.3)
        #expect(job.outcome(began: true)?.detail?.contains("traceback") != true)
    }

    @Test("what lives has no outcome", arguments: ["PENDING", "RUNNING", "A_WORD_OF_TOMORROW"])
    func alive(_ status: String) throws {
        #expect(try Self.job(status).outcome(began: false) == nil)
        #expect(try Self.job(status).outcome(began: true) == nil)
    }

    @Test("only submissions under a run's name are ours")
    func ours() {
        #expect(RayJob(RayFixtures.job(Self.run, status: "RUNNING")) != nil)
        #expect(RayJob(.object([("type", .string("DRIVER")), ("status", .string("RUNNING"))])) == nil)
        let other = JSON.object([
            ("type", .string("SUBMISSION")), ("submission_id", .string("raysubmit_x")), ("status", .string("RUNNING")),
        ])
        #expect(RayJob(other) == nil)
    }
}

/// Answers as Ray 2.60 gives them, in our own words where the words are anybody's.
enum RayFixtures {
    static let run: RunKey = {
        guard let run = RunKey("op-01m88sm9xz25pd88tajjr9c59p-1") else { preconditionFailure("a run's name") }
        return run
    }()

    static func job(_ run: RunKey, status: String, error: String? = nil, message: String? = nil) -> JSON {
        .object([
            ("type", .string("SUBMISSION")), ("job_id", .null), ("submission_id", .string("\(run)")),
            ("driver_info", .null), ("status", .string(status)), ("entrypoint", .string("true")),
            ("message", message.map { .string($0) } ?? .null), ("error_type", error.map { .string($0) } ?? .null),
            ("start_time", .integer(1_795_443_613_746)), ("end_time", .null),
            ("metadata", .object([("onepoint_folder", .string("/shared/centre"))])), ("runtime_env", .object([])),
            ("driver_agent_http_address", .null), ("driver_node_id", .null), ("driver_exit_code", .integer(7)),
        ])
    }

    static func node(_ id: String, name: String, state: String = "ALIVE", _ resources: [(String, Double)]) -> JSON {
        .object([
            ("node_id", .string(id)), ("node_ip", .string("192.0.2.2")), ("is_head_node", .bool(true)),
            ("state", .string(state)), ("state_message", .null), ("node_name", .string(name)),
            ("resources_total", .object(resources.map { ($0.0, .number($0.1)) })), ("labels", .object([])),
        ])
    }

    static func nodes(_ items: [JSON]) -> JSON {
        let inner = JSON.object([("total", .integer(Int64(items.count))), ("result", .array(items))])
        return .object([("result", .bool(true)), ("msg", .string("")), ("data", .object([("result", inner)]))])
    }

    static let version = #"{"version": "4", "ray_version": "2.60.0", "ray_commit": "b7", "session_name": "session_1"}"#
}
