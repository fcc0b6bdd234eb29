internal import Core

/// Slurm by `sbatch`, `squeue`, `scontrol` and `scancel`, as the agent's own user.
struct SlurmCommandLine: SlurmAccess {
    /// Of the cluster that is meant; `nil` for the one that the commands find themselves.
    var configFile: String?

    private let folders = ["/usr/local/slurm/bin", "/opt/slurm/bin"]

    init(configFile: String? = nil) { self.configFile = configFile }

    /// Each call ends within this time; a frozen controller would keep it longer.
    private static let timeout = Duration.seconds(60)

    /// Of one answer: room for the 100,000 jobs of a large cluster's owner.
    private static let answerBytesMax = 64 << 20

    /// `squeue` and `scontrol` ask for the partitions too.
    var callsOfReading: Int { 2 }

    func version() async throws(EngineError) -> String {
        let text = try await call("sinfo", ["--version"])
        // `slurm-wlm 22.05.8` or `slurm 24.11.5`.
        return text.split(whereSeparator: \.isWhitespace).last.map(String.init) ?? "of unknown version"
    }

    func jobs() async throws(EngineError) -> [SlurmJob] {
        // One line each, of an array one for each element; the reason last, for it may hold anything.
        let text = try await call(
            "squeue",
            ["--noheader", "--me", "--array", "--states=all", "--format=%i|%j|%T|%N|%r"]
        )
        return text.split(separator: "\n").compactMap { Self.job($0) }
    }

    /// `number|name|state|nodes|reason`, for a job of ours.
    static func job(_ line: Substring) -> SlurmJob? {
        let parts = line.split(separator: "|", maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count == 5, parts[1].hasPrefix("op-") else { return nil }
        let number = parts[0].split(separator: "_", maxSplits: 1)
        guard let first = number.first, Int(first) != nil else { return nil }
        return SlurmJob(
            number: String(first),
            part: SlurmJob.Part(number.count > 1 ? number[1] : nil),
            name: String(parts[1]),
            state: SlurmState([String(parts[2])]),
            reason: String(parts[4]),
            nodes: SlurmHosts.expanded(parts[3])
        )
    }

    func past(_ names: [String]) async throws(EngineError) -> [SlurmJob]? {
        let end = try await run(
            "sacct",
            [
                "--noheader", "--parsable2", "--allocations", "--starttime=now-\(SlurmEngine.pastDays)days",
                "--name=\(names.joined(separator: ","))", "--format=JobID,JobName,State,NodeList,Reason",
            ]
        )
        if end.status > 0, end.text.contains("accounting storage is disabled") { return nil }
        return try text(of: end, "sacct").split(separator: "\n").compactMap { Self.job($0) }.filter(\.hasEnded)
    }

    func submit(_ submission: SlurmSubmission) async throws(EngineError) -> String {
        let path = "\(submission.folder)/batch"
        try await blocking { () throws(EngineError) in
            do throws(Disk.Fault) {
                try Disk.replace(Array(submission.script.utf8), in: submission.folder, as: "batch", durable: false)
            } catch {
                throw .unreachable("The batch script \(path) cannot be written: \(error.sentence).")
            }
        }
        let shape = submission.shape
        var words = [
            "--parsable", "--hold", "--no-requeue", "--job-name=\(submission.name)", "--ntasks=\(shape.tasks)",
            "--cpus-per-task=\(shape.coresPerTask)", "--mem-per-cpu=\(shape.mebibytesPerCore)M",
            "--time=\(shape.minutes)", "--output=\(submission.output)", "--open-mode=append",
            "--chdir=\(submission.folder)", "--export=HOME,PATH,LANG",
        ]
        if let elements = submission.elements { words.append("--array=0-\(elements - 1)") }
        if let cards = shape.cardsPerTask { words.append("--gpus-per-task=\(cards)") }
        if let partition = shape.partition { words.append("--partition=\(partition)") }
        if let account = shape.account { words.append("--account=\(account)") }
        let text = try await call("sbatch", words + [path])
        // `id` or `id;cluster`, on the last line: site hooks may print before it.
        guard let line = text.split(separator: "\n").last, let id = line.split(separator: ";").first,
            Int(id) != nil
        else { throw .unreachable("sbatch answered '\(text.prefix(200))', which holds no job number.") }
        return String(id)
    }

    func release(_ number: String, elements: [Int]) async throws(EngineError) {
        do throws(EngineError) {
            _ = try await call("scontrol", ["release", Self.name(number, elements)])
        } catch {
            guard Self.isGone(error) else { throw error }
        }
    }

    func cancel(_ number: String, elements: [Int]) async throws(EngineError) {
        do throws(EngineError) { _ = try await call("scancel", ["--quiet", Self.name(number, elements)]) } catch {
            guard Self.isGone(error) else { throw error }
        }
    }

    /// Running, over, or forgotten.
    private static func isGone(_ error: EngineError) -> Bool {
        guard case .refused(let why) = error else { return false }
        return why.contains("Invalid job id") || why.contains("already finished")
    }

    /// Such as `12` or `12_[0-3,7]`.
    static func name(_ number: String, _ elements: [Int]) -> String {
        elements.isEmpty ? number : "\(number)_[\(ranges(elements))]"
    }

    /// Such as `0-3,7`.
    static func ranges(_ elements: [Int]) -> String {
        var ranges: [ClosedRange<Int>] = []
        for index in elements.sorted() {
            if let last = ranges.last, index <= last.upperBound + 1 {
                ranges[ranges.count - 1] = last.lowerBound...max(index, last.upperBound)
            } else {
                ranges.append(index...index)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ",")
    }

    func nodes() async throws(EngineError) -> [SlurmNode] {
        let text = try await call("scontrol", ["show", "nodes", "--oneliner", "--details"])
        return text.split(separator: "\n").compactMap { Self.node($0) }
    }

    /// One line of words such as `State=IDLE+DRAIN`.
    static func node(_ line: Substring) -> SlurmNode? {
        var fields: [String: String] = [:]
        for word in line.split(separator: " ") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, fields[parts[0]] == nil { fields[parts[0]] = parts[1] }
        }
        guard let name = fields["NodeName"], let state = fields["State"],
            let cores = Int64(fields["CPUEfctv"] ?? fields["CPUTot"] ?? ""),
            let mebibytes = Int64(fields["RealMemory"] ?? "")
        else { return nil }
        // A star marks a node that does not respond.
        var states = Set(state.split(separator: "+").map { word in String(word.filter { $0 != "*" }) })
        if state.contains("*") { states.insert("NOT_RESPONDING") }
        return SlurmNode(
            name: name,
            partitions: (fields["Partitions"] ?? "").split(separator: ",").map(String.init),
            states: states,
            cores: cores,
            mebibytes: mebibytes,
            gres: fields["Gres"] ?? "",
            usedCores: Int64(fields["CPUAlloc"] ?? "") ?? 0,
            usedMebibytes: Int64(fields["AllocMem"] ?? "") ?? 0,
            usedGres: fields["GresUsed"] ?? ""
        )
    }

    /// - Throws: ``EngineError/refused(_:)`` when the controller itself said no, in its own words.
    private func call(_ name: String, _ arguments: [String]) async throws(EngineError) -> String {
        try text(of: try await run(name, arguments), name)
    }

    private func run(_ name: String, _ arguments: [String]) async throws(EngineError) -> Tool.End {
        let (folders, configFile) = (folders, configFile)
        return try await blocking { () throws(EngineError) -> Tool.End in
            guard let tool = Tool(name, folders: folders) else {
                throw .unreachable(
                    "'\(name)' was not found. Run the agent where Slurm's commands are."
                )
            }
            return tool.run(
                arguments,
                timeout: Self.timeout,
                bytesMax: Self.answerBytesMax,
                environment: Self.environment(OwnEnvironment.all, configFile: configFile)
            )
        }
    }

    private func text(of end: Tool.End, _ name: String) throws(EngineError) -> String {
        if end.isCut {
            throw .unreachable("\(name) printed more than \(Self.answerBytesMax >> 20) MiB, which is not read.")
        }
        guard end.status != 0 else { return end.text }
        let line = end.text.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(400)
        guard end.status > 0, Self.isRefusal(name, end.text) else {
            throw .unreachable(
                end.status < 0
                    ? "\(name) did not end within \(Self.timeout.components.seconds) s: the controller may be frozen."
                    : "\(name) failed: \(line)"
            )
        }
        throw .refused("Slurm refuses it: \(line)")
    }

    /// The agent's own variables without those that would change what we ask for, and with words in English.
    ///
    /// > Source: `squeue(1)` and `sbatch(1)`, INPUT ENVIRONMENT VARIABLES.
    static func environment(_ all: [String], configFile: String?) -> [String] {
        var foreign = [
            "SQUEUE_", "SBATCH_", "SINFO_", "SCANCEL_", "SACCT_", "SLURM_CLUSTERS=", "SLURM_JWT=", "SLURM_TIME_FORMAT=",
            "LC_ALL=",
        ]
        if configFile != nil { foreign.append("SLURM_CONF=") }
        return all.filter { text in !foreign.contains(where: text.hasPrefix) } + ["LC_ALL=C"]
            + (configFile.map { ["SLURM_CONF=\($0)"] } ?? [])
    }

    /// In the line in which the tool itself says why it failed; what site hooks print around it proves nothing.
    private static func isRefusal(_ name: String, _ text: String) -> Bool {
        let mark = name == "sbatch" ? "Batch job submission failed:" : "error"
        return text.split(separator: "\n").contains { $0.contains(mark) && SlurmRefusal.isMeant(by: String($0)) }
    }
}
