internal import Core
internal import Logging
internal import Synchronization

extension SlurmEngine {
    /// One call to the controller for all runs, joined with what the runs' own files say. The files count more: Slurm
    /// forgets what ended, and was seen to start twice what it had lost.
    public func list() async throws(EngineError) -> [EngineRun] {
        let (runs, batches) = (runs, batches)
        let all = try await blocking { () throws(EngineError) -> [Seen] in
            try runs.runs().compactMap { run in
                runs.look(at: run).map { look in
                    let isReleased = look.ending == nil && Disk.exists(runs.folder(run).file("released"))
                    return Seen(run: run, look: look, place: batches.place(of: run), isReleased: isReleased)
                }
            }
        }
        // What has ended needs nobody's word.
        guard all.contains(where: { $0.look.ending == nil && $0.place != nil }) else {
            return all.compactMap { seen in seen.look.ending.map { seen.engineRun($0) } }
        }
        await budget.take(access.callsOfReading)
        let places = all.filter { $0.look.ending == nil }.compactMap(\.place)
        let numbers = Set(places.compactMap(\.number))
        // Whose number got lost is found by name.
        let isLost = places.contains { $0.number == nil }
        let listing = SlurmListing(isLost ? try await access.jobs() : try await access.jobs(among: numbers))
        try await adopt(from: listing)
        let missing = all.compactMap { seen in
            seen.look.ending == nil && (seen.isReleased || seen.look.claim != nil)
                ? seen.place.flatMap { listing.has($0) ? nil : $0 } : nil
        }
        let past = await past(of: missing)
        var wishes = Wishes()
        var list: [EngineRun] = []
        for seen in all {
            let job = seen.place.flatMap { listing.job($0) }
            if let ending = seen.look.ending {
                list.append(seen.engineRun(ending))
                // What was to end it did not reach Slurm.
                if job?.state == .pending { wishes.cancel.append(seen.run) }
            } else if let place = seen.place, place.number != nil {
                let word: Word =
                    if let job { .job(job) } else if listing.has(place) { .leftOut } else if let job = past?.job(place)
                    {
                        .past(job)
                    } else { .none(isKnown: past != nil) }
                // What cannot be settled for one run must not hide the others.
                let state: EngineRun.State
                do throws(EngineError) { state = try await judge(seen, word, &wishes) } catch {
                    log.warning("slurm run not settled", metadata: ["run": "\(seen.run)", "error": "\(error)"])
                    state = seen.look.claim == .started ? running(seen) : .pending("\(error)")
                }
                var found = seen.engineRun(state)
                if case .running = state, case .job(let job) = word, let shape = batches.shape(of: seen.run) {
                    found.nodes = shape.shares(on: job.nodes)
                }
                list.append(found)
            }
        }
        await carryOut(wishes, superseded: listing)
        return list
    }

    private struct Seen: Sendable {
        var run: RunKey
        var look: SharedRuns.Look
        var place: SlurmBatches.Place?
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
            EngineRun(run: run, engineJob: place?.text ?? "", state: state)
        }
    }

    /// What Slurm says of a run.
    private enum Word {
        case job(SlurmJob)
        /// The controller knows its array, and not the element: it was cancelled before it was on its own, or is forgotten.
        case leftOut
        /// Forgotten by the controller; accounting tells how it ended.
        case past(SlurmJob)
        /// - isKnown: Whether nobody is left to be asked: accounting said nothing of it, or there is none.
        case none(isKnown: Bool)
    }

    /// What a look found to be done at Slurm, for all runs together.
    private struct Wishes {
        var release: [RunKey] = []
        var cancel: [RunKey] = []
        var resubmit: [RunKey] = []
    }

    private func carryOut(_ wishes: Wishes, superseded listing: SlurmListing) async {
        do throws(EngineError) {
            // Submissions that were answered after all: only the noted one is ever released.
            for (name, numbers) in listing.numbers {
                for (number, isHeld) in numbers where isHeld && batches.isSuperseded(name, number) {
                    await budget.take()
                    try await access.cancel(number, elements: [])
                }
            }
            try await withAll(wishes.cancel) { run throws(EngineError) in try await self.cancelAtSlurm(run) }
            try await resubmit(wishes.resubmit)
            if !wishes.release.isEmpty {
                for result in await releaseAll(wishes.release, isPaid: false) { try result.get() }
            }
        } catch {
            // The next look finds the same again.
            log.warning("slurm not told all", metadata: ["error": "\(error)"])
        }
    }

    /// Asks for all at once, so that they are gathered.
    private func withAll(
        _ runs: [RunKey],
        _ body: @escaping @Sendable (RunKey) async throws(EngineError) -> Void
    ) async throws(EngineError) {
        let results = await withTaskGroup(of: Result<Void, EngineError>.self) { group in
            for run in runs {
                group.addTask {
                    do throws(EngineError) { return .success(try await body(run)) } catch { return .failure(error) }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for result in results { try result.get() }
    }

    /// Where a run stands that has not ended by its own word.
    private func judge(_ seen: Seen, _ word: Word, _ wishes: inout Wishes) async throws(EngineError) -> EngineRun.State
    {
        if case .none = word {} else { state.withLock { $0.absences[seen.run] = nil } }
        switch (seen.look.claim, word) {
        case (.cancelled?, _):
            return try await conclude(seen.run, RunOutcome(.cancelled))
        case (.started?, .job(let job)):
            switch job.state {
            case .running, .unknown:
                if posted.isOverdue(seen.run) { wishes.cancel.append(seen.run) }
                return running(seen)
            case .pending, .ended:
                // Also when the controller has lost sight of it and means to start it again: it may go on, or have been
                // ended by nodes that were told so.
                return try await judgeStill(seen, job, isToldOver: job.hasEnded && !seen.look.hasTwin, &wishes)
            }
        case (.started?, .past(let job)): return try await judgeStill(seen, job, isToldOver: false, &wishes)
        case (.started?, .leftOut), (.started?, .none):
            return try await judgeStill(seen, nil, isToldOver: false, &wishes)
        case (nil, .job(let job)):
            switch job.state {
            case .ended(let kind): return try await judgeUnstarted(seen, kind, job.reason, &wishes)
            case .pending, .running, .unknown: return waiting(seen, job, &wishes)
            }
        case (nil, .past(let job)):
            guard case .ended(let kind) = job.state else { return .pending(nil) }
            return try await judgeUnstarted(seen, kind, job.reason, &wishes)
        case (nil, .leftOut):
            return try await judgeUnstarted(seen, .cancelled, "it is not in its array any more", &wishes)
        case (nil, .none(let isKnown)): return absent(seen, isKnown, &wishes)
        }
    }

    /// Slurm has it, and nothing of it has begun.
    private func waiting(_ seen: Seen, _ job: SlurmJob, _ wishes: inout Wishes) -> EngineRun.State {
        // Whatever Slurm does with it, its script waits for our release.
        guard seen.isReleased else { return .held }
        switch job.state {
        case .pending where job.isHeld:
            // Its release was lost on the way.
            wishes.release.append(seen.run)
            return .pending(nil)
        case .pending: return .pending(job.waiting)
        case .unknown(let word): return .pending("Slurm says '\(word)', which is not known here")
        case .running, .ended: return .pending("it is being started")
        }
    }

    private func running(_ seen: Seen) -> EngineRun.State {
        posted.noteLife(of: seen.run)
        return seen.look.startedAt.map { .running(startedAt: $0) } ?? .pending("it is being prepared")
    }

    /// Slurm does not run it, and it left no end: its script may live all the same, or have been killed with its node.
    private func judgeStill(
        _ seen: Seen,
        _ job: SlurmJob?,
        isToldOver: Bool,
        _ wishes: inout Wishes
    ) async throws(EngineError) -> EngineRun.State {
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
        if case .ended = state, job?.state == .pending { wishes.cancel.append(seen.run) }
        return state
    }

    /// Over for Slurm before anything of the user's started.
    private func judgeUnstarted(
        _ seen: Seen,
        _ kind: RunOutcome.Kind,
        _ reason: String,
        _ wishes: inout Wishes
    ) async throws(EngineError) -> EngineRun.State {
        if kind == .succeeded, !seen.isReleased {
            // Somebody else had released it, and its script left when it had waited in vain.
            wishes.resubmit.append(seen.run)
            return .held
        }
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

    /// The controller does not list a job that was not claimed. Once it is lost for good it is submitted once more: should
    /// the first come back, only one of the two can claim it.
    private func absent(_ seen: Seen, _ isKnown: Bool, _ wishes: inout Wishes) -> EngineRun.State {
        guard seen.isReleased else { return .held }
        guard isKnown else { return .pending("its engine does not list it, and its accounting does not answer") }
        let isLost = state.withLock { state in
            let before = state.absences[seen.run] ?? (0, .now)
            state.absences[seen.run] = (before.count + 1, before.since)
            let mayLag = state.withoutPast == nil
            return before.count + 1 >= Self.absencesMax && (!mayLag || .now - before.since >= Self.pastLag)
        }
        if isLost { wishes.resubmit.append(seen.run) }
        return .pending("its engine does not list it")
    }

    /// Submits runs again that Slurm has lost, and releases those that were.
    private func resubmit(_ members: [RunKey]) async throws(EngineError) {
        var groups: [SlurmShape: [RunKey]] = [:]
        for run in members { if let shape = batches.shape(of: run) { groups[shape, default: []].append(run) } }
        for (shape, members) in groups {
            log.notice("slurm has lost jobs, submitting them again", metadata: ["runs": "\(members.count)"])
            await budget.take()
            var due: [RunKey] = []
            for (run, result) in await submit(members, shape) {
                state.withLock { $0.absences[run] = nil }
                switch result {
                case .success: if Disk.exists(runs.folder(run).file("released")) { due.append(run) }
                case .failure(.refused(let why)):
                    let runs = runs
                    if try await blocking({ () throws(EngineError) in try runs.forbid(run) }) {
                        _ = try await conclude(run, RunOutcome(.rejected, detail: why))
                    }
                case .failure(let error): throw error
                }
            }
            for result in await releaseAll(due, isPaid: false) { try result.get() }
        }
    }

    private func conclude(_ run: RunKey, _ outcome: RunOutcome) async throws(EngineError) -> EngineRun.State {
        let runs = runs
        return try await blocking { () throws(EngineError) in try runs.conclude(run, outcome) }
    }
}
