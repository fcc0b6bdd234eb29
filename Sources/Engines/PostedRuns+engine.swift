internal import Core

/// What every engine does with its posted runs in the same way.
extension PostedRuns {
    /// Notes that a run is to start.
    ///
    /// - Returns: What its engine is to be told; `nil` when it has started or ended already.
    func release(_ run: RunKey) async throws(EngineError) -> JSON? {
        try await blocking { () throws(EngineError) in
            let document = try self.document(run)
            let traces = try self.traces(run)
            if traces.isClaimed || traces.ending != nil { return nil }
            try self.noteRelease(run)
            return document
        }
    }

    /// Each run as its folder and its engine together tell of it, and those that were asked to end and have not, beyond
    /// their grace. Call it after the engine was asked: whatever the engine says has ended has left its record by then.
    func list(
        _ read: @escaping @Sendable (RunKey, RunTraces) -> RunReading
    ) async throws(EngineError) -> (seen: [EngineRun], overdue: [RunKey]) {
        try await blocking { () throws(EngineError) in
            var overdue: [RunKey] = []
            let seen = try self.all().map { run throws(EngineError) -> EngineRun in
                let traces = try self.traces(run)
                let state = try self.settle(read(run, traces), of: run, traces)
                if case .running = state, self.isOverdue(run) { overdue.append(run) }
                return EngineRun(run: run, engineJob: run.description, state: state)
            }
            return (seen, overdue)
        }
    }

    /// What a cancel came to on the shared folder.
    enum Cancellation: Sendable {
        /// It had ended before.
        case over
        /// Its script is told to end.
        case asked
        /// Nothing of it has started, nor ever will.
        case never(wasReleased: Bool)
    }

    func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) -> Cancellation {
        try await blocking { () throws(EngineError) in
            guard self.isKnown(run) else { throw .unknownRun(run) }
            let traces = try self.traces(run)
            if traces.ending != nil { return .over }
            // Whoever takes the claim first decides: we, and a late start ends at once; or its script, which is told.
            return try self.askToEnd(run, grace: grace) ? .never(wasReleased: traces.isReleased) : .asked
        }
    }

    /// - Returns: Whether nothing of it has started, nor ever will.
    func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        try await blocking { () throws(EngineError) in
            guard self.isKnown(run) else { throw .unknownRun(run) }
            guard try self.traces(run).ending == nil else { return false }
            return try self.end(run, RunOutcome(.cancelled)) != nil
        }
    }

    func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try await blocking { () throws(EngineError) in
            try self.runs.logs(run, task: task, from: offset, countMax: countMax)
        }
    }

    /// Forgets an ended run, once `clear` has made its engine forget it.
    func forget(_ run: RunKey, clear: () async throws(EngineError) -> Void) async throws(EngineError) {
        let isKnown = try await blocking { () throws(EngineError) -> Bool in
            guard self.isKnown(run) else { return false }
            guard try self.traces(run).ending != nil else {
                throw .refused("The run \(run) has not ended; cancel it first.")
            }
            return true
        }
        guard isKnown else { return }
        try await clear()
        try await blocking { () throws(EngineError) in try self.forget(run) }
    }
}
