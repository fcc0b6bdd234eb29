internal import Core

/// How one version of Slurm's REST interface wants to be spoken to, and how it answers.
///
/// > Source: the OpenAPI documents of slurmrestd 22.05 and 24.11, and what both were seen to do; 0.0.39 by its
/// > documentation only.
struct SlurmDialect: Sendable, Hashable {
    /// The last part of `v0.0.38`.
    var version: Int

    /// The newest first. 22.05 speaks 36 to 38, 24.11 speaks 40 to 42.
    static let known = [42, 41, 40, 39, 38, 37, 36].map { SlurmDialect(version: $0) }

    var path: String { "/slurm/v0.0.\(version)" }

    /// Accounting's own, where it is loaded.
    var pastPath: String { "/slurmdb/v0.0.\(version)" }

    /// From here on one call ends jobs by a list, and none takes `12_[0-3]`.
    var takesLists: Bool { version >= 40 }

    /// From here on there is `/jobs/state/`.
    var tellsStates: Bool { version >= 40 }

    /// From here on answers are made by one parser: numbers are objects, states and flags are lists.
    private var isParsed: Bool { version >= 39 }

    /// The body of `POST …/job/submit`: a held job.
    func body(_ submission: SlurmSubmission, environment: [(name: String, value: String)]) -> JSON {
        let shape = submission.shape
        var job: [(key: String, value: JSON)] = [
            ("name", .string(submission.name)), ("hold", .bool(true)),
            ("tasks", .integer(Int64(shape.tasks))),
            ("cpus_per_task", .integer(Int64(shape.coresPerTask))),
            ("memory_per_cpu", number(shape.mebibytesPerCore)),
            ("time_limit", number(Int64(shape.minutes))),
            ("current_working_directory", .string(submission.folder)),
            ("standard_output", .string(submission.output)),
            ("open_mode", isParsed ? .array([.string("APPEND")]) : .string("append")),
        ]
        if let elements = submission.elements { job.append(("array", .string("0-\(elements - 1)"))) }
        if let partition = shape.partition { job.append(("partition", .string(partition))) }
        if let account = shape.account { job.append(("account", .string(account))) }
        job.append(isParsed ? ("requeue", .bool(false)) : ("no_requeue", .bool(true)))
        if let cards = shape.cardsPerTask {
            job.append(isParsed ? ("tres_per_task", .string("gres/gpu:\(cards)")) : ("gpus_per_task", .string(cards)))
        }
        job.append(
            (
                "environment",
                isParsed
                    ? .array(environment.map { .string("\($0.name)=\($0.value)") })
                    : .object(environment.map { (key: $0.name, value: JSON.string($0.value)) })
            )
        )
        let script = (key: "script", value: JSON.string(submission.script))
        return version >= 41 ? .object([("job", .object(job + [script]))]) : .object([script, ("job", .object(job))])
    }

    /// The body of `POST …/job/{id}` that lets a held job go.
    var release: JSON { .object([("hold", .bool(false))]) }

    private func number(_ value: Int64) -> JSON {
        isParsed
            ? .object([("set", .bool(true)), ("infinite", .bool(false)), ("number", .integer(value))]) : .integer(value)
    }

    /// A number in any version's form; `nil` where it is unset or infinite.
    static func number(_ json: JSON?) -> Int64? {
        if let plain = json?.integerValue { return plain }
        guard json?["set"] == .bool(true), json?["infinite"] != .bool(true) else { return nil }
        return json?["number"]?.integerValue
    }

    /// One word or several.
    static func words(_ json: JSON?) -> [String] {
        if let word = json?.stringValue { return [word] }
        return (json?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// A job of ours; `nil` for anybody else's.
    static func job(_ json: JSON) -> SlurmJob? {
        guard let id = number(json["job_id"]), let name = json["name"]?.stringValue, name.hasPrefix("op-") else {
            return nil
        }
        // 0 and nothing stand for no array.
        let array = number(json["array_job_id"]) ?? 0
        let waiting = json["array_task_string"]?.stringValue ?? ""
        let part: SlurmJob.Part =
            array == 0
            ? .whole
            : waiting.isEmpty ? number(json["array_task_id"]).map { .element(Int($0)) } ?? .whole : .waiting(waiting)
        return SlurmJob(
            number: "\(array == 0 ? id : array)",
            part: part,
            name: name,
            state: SlurmState(words(json["job_state"])),
            reason: json["state_reason"]?.stringValue ?? "",
            nodes: SlurmHosts.expanded(json["nodes"]?.stringValue ?? "")
        )
    }

    /// The numbers of jobs and elements with their states, as `/jobs/state/` tells of them: of those jobs and arrays.
    static func states(_ json: JSON, of numbers: Set<String>) -> [String: [String]]? {
        guard let items = json["jobs"]?.arrayValue else { return nil }
        var states: [String: [String]] = [:]
        for item in items {
            guard let id = item["job_id"]?.stringValue ?? number(item["job_id"]).map({ "\($0)" }) else { return nil }
            if numbers.contains(String(id.prefix { $0.isNumber })) { states[id] = words(item["state"]) }
        }
        return states
    }

    /// A job of ours as accounting tells of it.
    static func pastJob(_ json: JSON) -> SlurmJob? {
        guard let id = number(json["job_id"]), let name = json["name"]?.stringValue, name.hasPrefix("op-") else {
            return nil
        }
        let array = number(json["array"]?["job_id"]) ?? 0
        return SlurmJob(
            number: "\(array == 0 ? id : array)",
            part: array == 0 ? .whole : number(json["array"]?["task_id"]).map { .element(Int($0)) } ?? .whole,
            name: name,
            state: SlurmState(words(json["state"]?["current"])),
            reason: json["state"]?["reason"]?.stringValue ?? ""
        )
    }

    static func node(_ json: JSON) -> SlurmNode? {
        guard let name = json["name"]?.stringValue,
            let cores = number(json["effective_cpus"]) ?? number(json["cpus"]),
            let mebibytes = number(json["real_memory"])
        else { return nil }
        let states = words(json["state"]) + words(json["state_flags"])
        return SlurmNode(
            name: name,
            partitions: words(json["partitions"]),
            states: Set(states.flatMap { $0.split(separator: "+") }.map { $0.filter { $0 != "*" }.uppercased() }),
            cores: cores,
            mebibytes: mebibytes,
            gres: json["gres"]?.stringValue ?? "",
            usedCores: number(json["alloc_cpus"]) ?? 0,
            usedMebibytes: number(json["alloc_memory"]) ?? 0,
            usedGres: json["gres_used"]?.stringValue ?? ""
        )
    }

    /// Such as `22.05.8`.
    static func release(_ json: JSON) -> String? {
        (json["meta"]?["Slurm"] ?? json["meta"]?["slurm"])?["release"]?.stringValue
    }

    /// What stands in `errors`: the number under any of its names, and the words.
    static func faults(_ json: JSON) -> [(number: Int64, text: String)] {
        (json["errors"]?.arrayValue ?? []).map { fault in
            let number = ["error_number", "error_code", "errno"].lazy.compactMap { fault[$0]?.integerValue }.first
            let words = ["description", "error"].compactMap { fault[$0]?.stringValue }.filter { !$0.isEmpty }
            return (number ?? 0, words.joined(separator: ": "))
        }
    }
}
