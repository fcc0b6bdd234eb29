internal import CSupervise
internal import Core
internal import Logging
internal import Synchronization

extension LocalEngine {
    /// Every run's state. What has ended is read from disk once; a live one costs a few system calls.
    func look() throws(EngineError) -> [EngineRun] {
        guard let names = Disk.names(in: "\(configuration.root)/runs") else {
            throw .unreachable("The folder \(configuration.root)/runs cannot be read.")
        }
        let ended = state.withLock { $0.ended }
        return names.compactMap { name in
            guard let run = RunKey(name), let state = ended[run] ?? look(at: run) else { return nil }
            return EngineRun(run: run, engineJob: name, state: state)
        }
    }

    /// One run's state; `nil` when it was never submitted.
    func look(at run: RunKey) -> EngineRun.State? {
        let folder = folder(run)
        let (known, noted) = state.withLock { ($0.claims[run], $0.started[run]) }
        if let ending = folder.ending() { return remember(ending, of: run) }
        guard let claim = known ?? folder.claim else {
            guard Disk.exists(folder.file("order")) else { return nil }
            guard Disk.exists(folder.file("released")) else { return .held }
            return startAgain(run)
        }
        if known == nil { state.withLock { $0.claims[run] = claim } }
        if claim == .cancelled { return write(RunOutcome(.cancelled), of: run) }
        guard isAlive(claim) else {
            // It may have written its last word while we looked.
            if let ending = folder.ending() { return remember(ending, of: run) }
            let left = onepoint_kill_run(folder.path, run.description)
            log.warning("run lost its supervisor", metadata: ["run.id": "\(run)", "processes.left": "\(left)"])
            return write(RunOutcome(.nodeFailure, detail: "its supervisor went away under it"), of: run)
        }
        if let started = noted ?? folder.startedAt() {
            if noted == nil { state.withLock { $0.started[run] = started } }
            return .running(startedAt: started)
        }
        return .pending("it is being prepared")
    }

    /// A released run that nobody has claimed: its cards are taken, or its start was cut short.
    private func startAgain(_ run: RunKey) -> EngineRun.State {
        if state.withLock({ $0.starting.contains(run) }) { return .pending("it is being started") }
        do throws(EngineError) {
            if let waiting = try launch(run) { return .pending(waiting) }
        } catch {
            log.warning("run cannot be started", metadata: ["run.id": "\(run)", "error": "\(error)"])
            if case .unreachable(let why) = error { return .pending(why) }
        }
        return folder(run).ending() ?? .pending("it is being started")
    }

    private func remember(_ ending: EngineRun.State, of run: RunKey) -> EngineRun.State {
        state.withLock {
            $0.ended[run] = ending
            $0.claims[run] = nil
            $0.started[run] = nil
        }
        return ending
    }

    /// Writes down how a run ended for which no supervisor can. The first word counts.
    @discardableResult
    func write(_ outcome: RunOutcome, of run: RunKey) -> EngineRun.State {
        let folder = folder(run)
        let started = folder.startedAt()
        let ended = Machine.now()
        do throws(Disk.Fault) {
            _ = try Disk.publish(
                RunFolder.record(outcome, startedAt: started, endedAt: ended),
                in: folder.path,
                as: "exit"
            )
            try? Disk.touch("\(configuration.root)/events/changed")
        } catch {
            // Nothing is lost: the next look comes to the same end.
            log.warning("exit record cannot be written", metadata: ["run.id": "\(run)", "error": "\(error.sentence)"])
            return .ended(outcome, startedAt: started, endedAt: ended)
        }
        return folder.ending().map { remember($0, of: run) } ?? .ended(outcome, startedAt: started, endedAt: ended)
    }

    /// Ends a run that nobody has started. Whoever links the claim first decides: we, and it never starts; or the
    /// supervisor.
    ///
    /// - Returns: Whether nothing of it has started, nor ever will.
    private func forbid(_ run: RunKey) throws(Disk.Fault) -> Bool {
        let folder = folder(run)
        if folder.claim == nil { _ = try Disk.publish(Array("cancelled\n".utf8), in: folder.path, as: "claim") }
        if case .supervisor? = folder.claim { return false }
        write(RunOutcome(.cancelled), of: run)
        return true
    }

    /// - Returns: Whether a run that had not started was taken back.
    func takeBack(_ run: RunKey) throws(EngineError) -> Bool {
        guard Disk.exists(folder(run).file("order")) else { throw .unknownRun(run) }
        if folder(run).ending() != nil { return false }
        do throws(Disk.Fault) { return try forbid(run) } catch {
            throw .unreachable("The run \(run) cannot be kept from starting: \(error.sentence).")
        }
    }

    /// Asks for the end of a run; ends it at once while it is held.
    func end(_ run: RunKey, grace: Duration) throws(EngineError) {
        let folder = folder(run)
        guard Disk.exists(folder.file("order")) else { throw .unknownRun(run) }
        if folder.ending() != nil { return }
        do throws(Disk.Fault) {
            guard try !forbid(run), let claim = folder.claim, case .supervisor(let process, let start, _) = claim else {
                return
            }
            let milliseconds = max(0, min(grace.milliseconds, 86_399_999))
            try Disk.replace(Array("grace_ms \(milliseconds)\n".utf8), in: folder.path, as: "cancel")
            if !isAlive(claim) || onepoint_signal(process, start, 10 /* SIGUSR1 */) != 0 { _ = look(at: run) }
        } catch {
            throw .unreachable("The wish to cancel cannot be written: \(error.sentence).")
        }
    }
}
