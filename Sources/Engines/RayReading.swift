internal import Core

/// Ray's word and the shared folder's, joined. The folder goes first: Ray forgets, and is wrong at times.
enum RayReading {
    /// - Parameters:
    ///   - traces: Read *after* Ray was asked, so that what ended in between shows.
    ///   - job: `nil` when Ray was asked and does not know it.
    ///   - isSending: Whether its submission is under way in this process.
    static func of(_ traces: RunTraces, job: RayJob?, isSending: Bool) -> RunReading {
        if let ending = traces.ending { return .known(job?.status == .stopped ? stopped(ending) : ending) }
        guard traces.isReleased else { return .known(.held) }
        guard let job else {
            if traces.isClaimed {
                return .doubtful(RunOutcome(.lost, detail: "Ray does not know it any more, and it left no record"))
            }
            // Never sent, or forgotten before it began: to be released again, which asks Ray first.
            return .known(isSending ? .pending("it is being sent to Ray") : .held)
        }
        if let outcome = job.outcome(began: traces.isClaimed) {
            // Ray gives up on what waited long; we do not.
            if !traces.isClaimed, job.gaveUpWaiting { return .known(.held) }
            return .doubtful(outcome)
        }
        if let started = traces.startedAt { return .known(.running(startedAt: started)) }
        if traces.isClaimed { return .known(.pending("it is being prepared")) }
        switch job.status {
        case .pending: return .known(.pending(job.message.map(RayJob.firstLine)))
        case .other(let word): return .known(.pending("Ray says \(word)"))
        default: return .known(.pending("Ray has begun it, and it waits for room for its tasks"))
        }
    }

    /// A record tells that the engine asked the run to stop; that somebody wanted it, only Ray tells.
    private static func stopped(_ ending: EngineRun.State) -> EngineRun.State {
        guard case .ended(let outcome, let startedAt, let endedAt) = ending, outcome.isStopByEngine else {
            return ending
        }
        return .ended(
            RunOutcome(.cancelled, detail: "somebody stopped it at the Ray cluster"),
            startedAt: startedAt,
            endedAt: endedAt
        )
    }
}

extension RayJob {
    /// Ray fails what has waited longer than `RAY_JOB_START_TIMEOUT_SECONDS`, a quarter of an hour unless set, even
    /// when it only waits for its turn.
    var gaveUpWaiting: Bool { status == .failed && errorType == "JOB_SUPERVISOR_ACTOR_START_TIMEOUT" }
}
