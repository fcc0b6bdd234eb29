internal import Core

/// One job as Ray's Jobs REST interface tells of it.
struct RayJob: Hashable, Sendable {
    /// The five words of Ray's `JobStatus`; anything else is kept as it came.
    enum Status: Hashable, Sendable {
        case pending, running, stopped, succeeded, failed
        case other(String)

        init(_ word: String) {
            switch word {
            case "PENDING": self = .pending
            case "RUNNING": self = .running
            case "STOPPED": self = .stopped
            case "SUCCEEDED": self = .succeeded
            case "FAILED": self = .failed
            default: self = .other(word)
            }
        }
    }

    var run: RunKey
    var status: Status
    var message: String?
    var errorType: String?
    /// When Ray accepted it, not when it began to run.
    var acceptedAt: Instant?
    var endedAt: Instant?
    var exitCode: Int?
    /// The number of its driver, once that has begun.
    var driver: String?
    /// The shared folder of the centre that sent it: several may use one cluster.
    var folder: String?

    /// The key of `folder` in a job's metadata.
    static let folderKey = "onepoint_folder"

    /// The job in an item of `GET /api/jobs/`; `nil` for what is not ours: other people's submissions, and drivers
    /// that connected by themselves.
    init?(_ json: JSON) {
        guard json["type"]?.stringValue == "SUBMISSION",
            let run = json["submission_id"]?.stringValue.flatMap({ RunKey($0) }),
            let status = json["status"]?.stringValue
        else { return nil }
        self.run = run
        self.status = Status(status)
        message = json["message"]?.stringValue
        errorType = json["error_type"]?.stringValue
        acceptedAt = json["start_time"]?.integerValue.map { Instant(milliseconds: $0) }
        endedAt = json["end_time"]?.integerValue.map { Instant(milliseconds: $0) }
        exitCode = json["driver_exit_code"]?.integerValue.map { Int($0) }
        driver = json["job_id"]?.stringValue
        folder = json["metadata"]?[Self.folderKey]?.stringValue
    }

    /// How it ended, where only Ray can tell: its script never began, or left no exit record.
    ///
    /// | Ray says | before its script began | after it |
    /// | --- | --- | --- |
    /// | `SUCCEEDED` | `rejected`: the script was not reached | `node_failure`: the record is missing |
    /// | `STOPPED` | `cancelled` | `cancelled` |
    /// | `FAILED`, `RUNTIME_ENV_SETUP_FAILURE` | `rejected` | `node_failure` |
    /// | `FAILED`, `JOB_SUPERVISOR_ACTOR_START_TIMEOUT`, `…_START_FAILURE`, `…_UNSCHEDULABLE` | `rejected` | `node_failure` |
    /// | `FAILED`, `JOB_SUPERVISOR_ACTOR_DIED`, `…_UNKNOWN_FAILURE` | `node_failure` | `node_failure` |
    /// | `FAILED`, `JOB_ENTRYPOINT_COMMAND_START_ERROR` | `rejected` | `node_failure` |
    /// | `FAILED`, `JOB_ENTRYPOINT_COMMAND_ERROR` | `rejected`: the shell found no script | `node_failure` |
    /// | `FAILED`, another word or none | `node_failure` | `node_failure` |
    ///
    /// > Source: `JobStatus` and `JobErrorType` in Ray 2.60, `dashboard/modules/job/common.py`, and where
    /// > `job_manager.py` and `job_supervisor.py` set them.
    ///
    /// - Parameter began: Whether the run's script claimed the run.
    /// - Returns: `nil` while Ray says that it lives.
    func outcome(began: Bool) -> RunOutcome? {
        switch status {
        case .pending, .running, .other: return nil
        case .stopped: return RunOutcome(.cancelled, detail: began ? nil : "before it started")
        case .succeeded:
            return began
                ? RunOutcome(.nodeFailure, detail: "Ray says that it ended, and it left no record of how")
                : RunOutcome(
                    .rejected,
                    detail: "Ray ran its entry point without reaching its script: is the shared folder there on every "
                        + "node?"
                )
        case .failed:
            let why = [errorType, message.map(Self.firstLine)].compactMap { $0 }.joined(separator: ": ")
            if began { return RunOutcome(.nodeFailure, detail: "its node or driver went away under it (\(why))") }
            switch errorType {
            case "JOB_ENTRYPOINT_COMMAND_ERROR":
                return RunOutcome(
                    .rejected,
                    detail: "its script was not reached (status \(exitCode ?? 1)): the shared folder must be seen "
                        + "under the same path on every Ray node"
                )
            case "RUNTIME_ENV_SETUP_FAILURE", "JOB_SUPERVISOR_ACTOR_START_TIMEOUT",
                "JOB_SUPERVISOR_ACTOR_START_FAILURE", "JOB_SUPERVISOR_ACTOR_UNSCHEDULABLE",
                "JOB_ENTRYPOINT_COMMAND_START_ERROR":
                return RunOutcome(.rejected, detail: "Ray could not start it (\(why))")
            default: return RunOutcome(.nodeFailure, detail: "Ray lost it before it started (\(why))")
            }
        }
    }

    /// Messages carry whole logs and tracebacks.
    static func firstLine(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return line.cut(to: 200)
    }
}
