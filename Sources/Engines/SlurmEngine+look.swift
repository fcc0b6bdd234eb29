internal import Core
internal import Logging
internal import Synchronization

extension SlurmEngine {
    /// One call to the controller for all runs, joined with what the runs' own files say. The files count more: Slurm
    /// forgets what ended, and was seen to start twice what it had lost.
    public func list() async throws(EngineError) -> [EngineRun] {
        let runs = runs
        let looks = try await blocking { () throws(EngineError) -> [Seen] in
            try runs.runs().compactMap { run in
                runs.look(at: run).map { look in
                    Seen(
                        run: run,
                        look: look,
                        id: Self.engineJob(run, runs),
                        isReleased: Disk.exists(runs.folder(run).file("released"))
                    )
                }
            }
        }
        // What has ended needs nobody's word.
        guard looks.contains(where: { $0.look.ending == nil && $0.id != nil }) else {
            return looks.compactMap { seen in seen.look.ending.map { seen.engineRun($0) } }
        }
        await budget.take()
        let jobs = Dictionary(grouping: try await access.jobs(), by: \.name)
        var list: [EngineRun] = []
        for seen in looks {
            if let ending = seen.look.ending {
                list.append(seen.engineRun(ending))
            } else if let id = seen.id {
                let same = jobs[seen.run.description] ?? []
                // A submission that was answered after all: only the noted one is ever released.
                for twin in same where twin.id != id && twin.isHeld {
                    await budget.take()
                    try await access.cancel(twin.id)
                }
                // What cannot be settled for one run must not hide the others.
                let state: EngineRun.State
                do throws(EngineError) { state = try await judge(seen, same.first { $0.id == id }) } catch {
                    log.warning("slurm run not settled", metadata: ["run": "\(seen.run)", "error": "\(error)"])
                    state = seen.look.claim == .started ? running(seen) : .pending("\(error)")
                }
                list.append(seen.engineRun(state))
            }
        }
        return list
    }

    private struct Seen: Sendable {
        var run: RunKey
        var look: SharedRuns.Look
        var id: String?
        var isReleased: Bool

        var traces: RunTraces {
            RunTraces(
                isReleased: isReleased,
                isClaimed: look.claim == .started,
                startedAt: look.startedAt,
                ending: look.ending,
                beat: look.beat
            )
        }

        func engineRun(_ state: EngineRun.State) -> EngineRun {
            EngineRun(run: run, engineJob: id ?? "", state: state)
        }
    }

    /// Where a run stands that has not ended by its own word.
    private func judge(_ seen: Seen, _ job: SlurmJob?) async throws(EngineError) -> EngineRun.State {
        if job != nil { state.withLock { $0.absences[seen.run] = nil } }
        switch (seen.look.claim, job?.state) {
        case (.started?, .running?), (.started?, .unknown?):
            try await endHard(seen)
            return running(seen)
        case (.started?, .pending?), (.started?, .ended?), (.started?, nil):
            // Also when the controller has lost sight of it and means to start it again: it may go on, or have been
            // ended by nodes that were told so.
            return try await judgeStill(seen, job)
        case (.cancelled?, _):
            return try await conclude(seen.run, RunOutcome(.cancelled))
        case (nil, .pending?):
            guard let job, !job.isHeld else {
                guard seen.isReleased, let id = seen.id else { return .held }
                // Its release was lost on the way.
                await budget.take()
                _ = try await access.release(id)
                return .pending(nil)
            }
            return .pending(job.waiting)
        case (nil, .running?): return .pending("it is being started")
        case (nil, .unknown(let word)?): return .pending("Slurm says '\(word)', which is not known here")
        case (nil, .ended(let kind)?):
            return try await judgeUnstarted(seen, kind, job?.reason ?? "")
        case (nil, nil):
            return try await resubmit(seen)
        }
    }

    private func running(_ seen: Seen) -> EngineRun.State {
        posted.noteLife(of: seen.run)
        return seen.look.startedAt.map { .running(startedAt: $0) } ?? .pending("it is being prepared")
    }

    /// Slurm does not run it, and it left no end: its script may live all the same, or have been killed with its node.
    private func judgeStill(_ seen: Seen, _ job: SlurmJob?) async throws(EngineError) -> EngineRun.State {
        let isToldOver = if case .ended? = job?.state { !seen.look.hasTwin } else { false }
        let outcome =
            switch job?.state {
            case .ended(.succeeded)?, .ended(.exit)?, nil, .pending?, .running?, .unknown?:
                RunOutcome(.nodeFailure, detail: "its engine does not run it any more, and it left no word")
            case .ended(let kind)?: RunOutcome(kind, detail: "by the word of its engine")
            }
        let posted = posted
        let state = try await blocking { () throws(EngineError) in
            try posted.settle(
                .doubtful(outcome),
                of: seen.run,
                seen.traces,
                within: isToldOver ? Self.lastWordMax : nil
            )
        }
        if case .ended = state, let job, job.state == .pending {
            await budget.take()
            try await access.cancel(job.id)
        }
        return state
    }

    /// Over for Slurm before anything of the user's started.
    private func judgeUnstarted(
        _ seen: Seen,
        _ kind: RunOutcome.Kind,
        _ reason: String
    ) async throws(EngineError) -> EngineRun.State {
        let runs = runs
        let neverStarts = try await blocking { () throws(EngineError) in try runs.forbid(seen.run) }
        guard neverStarts else { return .pending("it is being started") }
        let text = try await engineWords(seen.run)
        // Cancelled after its release without a wish of ours: Slurm does so by itself when it cannot launch a job, as after
        // a crash of its controller when a node still has another of that number.
        let isFailure = [.succeeded, .exit].contains(kind) || kind == .cancelled && seen.isReleased
        return try await conclude(
            seen.run,
            isFailure
                ? RunOutcome(.nodeFailure, detail: "its script could not begin on the node (Slurm: \(reason))\(text)")
                : RunOutcome(kind, detail: "its engine ended it before it started")
        )
    }

    /// The end of what the batch script printed itself.
    private func engineWords(_ run: RunKey) async throws(EngineError) -> String {
        let path = runs.folder(run).file("engine.log")
        let bytes = try await blocking { () throws(EngineError) in Disk.read(path, bytesMax: 65_536) }
        let words = String(decoding: bytes ?? [], as: UTF8.self).split(whereSeparator: \.isWhitespace).suffix(40)
        return words.isEmpty ? "" : ": \(words.joined(separator: " "))"
    }

    /// The controller has lost a job that was not claimed: it is submitted once more. Should the first come back, only
    /// one of the two can claim it.
    private func resubmit(_ seen: Seen) async throws(EngineError) -> EngineRun.State {
        guard seen.isReleased else { return .held }
        let absences = state.withLock { state in
            state.absences[seen.run, default: 0] += 1
            return state.absences[seen.run] ?? 0
        }
        guard absences >= Self.absencesMax else { return .pending("its engine does not list it") }
        let runs = runs
        let batch = try await blocking { () throws(EngineError) in
            Disk.read(runs.folder(seen.run).file("submission"), bytesMax: 1 << 20)
        }
        guard let batch, let json = try? JSON(parsing: batch), let submission = SlurmSubmission(json) else {
            let neverStarts = try await blocking { () throws(EngineError) in try runs.forbid(seen.run) }
            guard neverStarts else { return .pending("it is being started") }
            return try await conclude(seen.run, RunOutcome(.lost, detail: "its engine has lost it"))
        }
        log.notice("slurm lost a job, submitting it again", metadata: ["run": "\(seen.run)"])
        await budget.take()
        let id: String
        do throws(EngineError) { id = try await note(try await access.submit(submission), for: seen.run) } catch {
            guard case .refused(let why) = error,
                try await blocking({ () throws(EngineError) in try runs.forbid(seen.run) })
            else { throw error }
            return try await conclude(seen.run, RunOutcome(.rejected, detail: why))
        }
        await budget.take()
        _ = try await access.release(id)
        return .pending("its engine had lost it; it was submitted again")
    }

    /// A run that does not heed its stop is ended by Slurm.
    private func endHard(_ seen: Seen) async throws(EngineError) {
        guard posted.isOverdue(seen.run), let id = seen.id else { return }
        await budget.take()
        try await access.cancel(id)
    }

    private func conclude(_ run: RunKey, _ outcome: RunOutcome) async throws(EngineError) -> EngineRun.State {
        let runs = runs
        return try await blocking { () throws(EngineError) in try runs.conclude(run, outcome) }
    }
}

extension SlurmSubmission {
    /// As it is kept beside its run, so that it can be repeated when the controller loses it.
    var json: JSON {
        .object([
            ("name", .string(name)), ("script", .string(script)), ("tasks", .integer(Int64(tasks))),
            ("cores_per_task", .integer(Int64(coresPerTask))), ("mebibytes_per_core", .integer(mebibytesPerCore)),
            ("cards_per_task", cardsPerTask.map { .string($0) } ?? .null), ("minutes", .integer(Int64(minutes))),
            ("folder", .string(folder)), ("partition", partition.map { .string($0) } ?? .null),
            ("account", account.map { .string($0) } ?? .null),
        ])
    }

    init?(_ json: JSON) {
        guard let name = json["name"]?.stringValue, let script = json["script"]?.stringValue,
            let tasks = json["tasks"]?.integerValue, let cores = json["cores_per_task"]?.integerValue,
            let mebibytes = json["mebibytes_per_core"]?.integerValue, let minutes = json["minutes"]?.integerValue,
            let folder = json["folder"]?.stringValue
        else { return nil }
        self.init(
            name: name,
            script: script,
            tasks: Int(tasks),
            coresPerTask: Int(cores),
            mebibytesPerCore: mebibytes,
            cardsPerTask: json["cards_per_task"]?.stringValue,
            minutes: Int(minutes),
            folder: folder,
            partition: json["partition"]?.stringValue,
            account: json["account"]?.stringValue
        )
    }
}
