public import Core
internal import Logging
internal import Synchronization

extension SlurmEngine {
    // MARK: Submit

    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        if let known = batches.place(of: order.run)?.text { return known }
        return try await submissions.ask(order) { await self.submitAll($0) }
    }

    /// Writes runs down and submits them, those that ask the same as one array.
    private func submitAll(_ orders: [EngineOrder]) async -> [Result<String, EngineError>] {
        var results = await write(orders)
        // The first call is paid for.
        var isPaid = true

        // A call of ours may have been answered when nobody listened any more.
        let tried = orders.map(\.run).filter { results[$0] == nil && batches.place(of: $0) != nil }
        if !tried.isEmpty {
            isPaid = false
            do throws(EngineError) {
                try await adopt(from: SlurmListing(try await access.jobs()))
                for run in tried { if let text = batches.place(of: run)?.text { results[run] = .success(text) } }
            } catch {
                for run in tried { results[run] = .failure(error) }
            }
        }

        var groups: [SlurmShape: [RunKey]] = [:]
        var taken: Set<RunKey> = []
        for order in orders where results[order.run] == nil && taken.insert(order.run).inserted {
            groups[shape(order), default: []].append(order.run)
        }
        let parts = groups.flatMap { shape, runs in
            runs.chunks(of: state.withLock { $0.elementsMax }).map { (shape, $0) }
        }
        await withTaskGroup(of: [RunKey: Result<String, EngineError>].self) { group in
            for (index, (shape, runs)) in parts.enumerated() {
                if index >= Self.callsAtOnceMax, let done = await group.next() { results.merge(done) { $1 } }
                let mustPay = index > 0 || !isPaid
                group.addTask {
                    if mustPay { await self.budget.take() }
                    return await self.submit(runs, shape)
                }
            }
            for await done in group { results.merge(done) { $1 } }
        }
        return orders.map { results[$0.run] ?? .failure(.unreachable("The run \($0.run) was not submitted.")) }
    }

    /// Runs that ask different things are submitted by several calls at once.
    private static let callsAtOnceMax = 8

    /// Writes runs down as held. For many the disk is flushed once.
    ///
    /// - Returns: Those that are settled: known, or not to be written.
    private func write(_ orders: [EngineOrder]) async -> [RunKey: Result<String, EngineError>] {
        let (runs, batches) = (runs, batches)
        let written = try? await blocking { () throws(EngineError) -> [RunKey: Result<String, EngineError>] in
            let isMany = orders.count > 4
            var results: [RunKey: Result<String, EngineError>] = [:]
            for order in orders {
                let place = batches.place(of: order.run)
                if let known = place?.text {
                    results[order.run] = .success(known)
                } else if place == nil {
                    // What nobody has submitted may have been written by half.
                    do throws(EngineError) { try runs.write(order, afresh: true, durable: !isMany) } catch {
                        results[order.run] = .failure(error)
                    }
                }
            }
            do throws(Disk.Fault) { if isMany { try Disk.flushAll(runs.root) } } catch {
                let fault = EngineError.unreachable("\(runs.root) cannot be flushed: \(error.sentence).")
                for order in orders where results[order.run] == nil { results[order.run] = .failure(fault) }
            }
            return results
        }
        return written
            ?? Dictionary(orders.map { ($0.run, .failure(.unreachable("This process is shutting down."))) }) { $1 }
    }

    /// Finds the numbers of batches whose answers were lost, by their names.
    func adopt(from listing: SlurmListing) async throws(EngineError) {
        let batches = batches
        try await blocking { () throws(EngineError) in
            for name in batches.unanswered {
                // Of two, the first; the other is cancelled by a later look.
                let first = listing.numbers[name]?.keys.min { Int64($0) ?? 0 < Int64($1) ?? 0 }
                if let first { try batches.note(first, of: name) }
            }
        }
    }

    /// Submits runs as one job, for which the caller has taken a call from the budget.
    func submit(_ members: [RunKey], _ shape: SlurmShape) async -> [RunKey: Result<String, EngineError>] {
        func all(_ error: EngineError) -> [RunKey: Result<String, EngineError>] {
            Dictionary(members.map { ($0, .failure(error)) }) { $1 }
        }
        let batches = batches
        do throws(EngineError) {
            let batch = try await blocking { () throws(EngineError) in try batches.open(members, shape) }
            let number = try await access.submit(submission(batch))
            try await blocking { () throws(EngineError) in try batches.note(number, of: batch.name) }
            state.withLock { $0.elementsMax = min(Self.elementsMax, $0.elementsMax * 2) }
            return Dictionary(
                members.map { ($0, batches.place(of: $0)?.text.map { .success($0) } ?? .failure(.unknownRun($0))) }
            ) { $1 }
        } catch {
            guard members.count > 1 else { return all(error) }
            // Slurm may take fewer at a time than we thought, or has room for fewer.
            state.withLock { $0.elementsMax = max(1, members.count / 2) }
            guard case .refused(let why) = error else { return all(error) }
            // What asks for the same is refused in the same words, unless it is for their number.
            await budget.take()
            let first = await submit([members[0]], shape)
            if case .failure(.refused)? = first[members[0]] { return all(error).merging(first) { $1 } }
            log.notice("slurm does not take an array, trying a smaller one", metadata: ["why": "\(why)"])
            return all(.unreachable("An array of \(members.count) was refused, fewer are tried next: \(why)"))
                .merging(first) { $1 }
        }
    }

    private func shape(_ order: EngineOrder) -> SlurmShape {
        let cores = Int(max(1, (order.resources.cores.count + 999) / 1000))
        let mebibytes = max(1, (order.resources.memory.count + (1 << 20) - 1) >> 20)
        let card = order.nodes.first?.card ?? order.resources.card
        let cards = order.resources.cards
        return SlurmShape(
            tasks: order.tasks,
            coresPerTask: cores,
            mebibytesPerCore: max(1, (mebibytes + Int64(cores) - 1) / Int64(cores)),
            cardsPerTask: cards == 0 ? nil : card.map { "\(type(of: $0)):\(cards)" } ?? "\(cards)",
            minutes: (max(1, order.timeLimitSeconds) + 59) / 60 + 5,
            partition: configuration.partition,
            account: configuration.account
        )
    }

    private func submission(_ batch: SlurmBatches.Batch) -> SlurmSubmission {
        let (folder, shape) = (batches.folder(batch.name), batch.shape)
        let isArray = batch.runs.count > 1
        let place = isArray ? folder : runs.folder(batch.runs[0]).path
        // Slurm places the tasks and starts them; each finds its place in the gang by what srun tells it.
        let launcher =
            shape.tasks == 1
            ? ""
            : " srun --ntasks=\(shape.tasks) --cpus-per-task=\(shape.coresPerTask) --kill-on-bad-exit=1 --export=ALL"
        // Whoever released it, it begins when we say so; and leaves its place to others when that takes long.
        let script = """
            #!/bin/sh
            dir=\(RunScript.quoted(place))\(isArray ? "/$SLURM_ARRAY_TASK_ID" : "")
            tries=0
            until [ -e "$dir/released" ] || [ -e "$dir/claim" ]; do
                [ $tries -lt \(Self.patienceSeconds) ] || exit 0
                tries=$((tries + 1))
                sleep 1
            done
            exec sh "$dir/script" main\(launcher)

            """
        return SlurmSubmission(
            name: batch.name,
            shape: shape,
            elements: isArray ? batch.runs.count : nil,
            script: script,
            folder: folder,
            output: "\(place)\(isArray ? "/%a" : "")/engine.log"
        )
    }

    /// How long a job that was started without our release waits for it.
    private static let patienceSeconds = 60

    // MARK: Release

    public func release(_ run: RunKey) async throws(EngineError) {
        let (runs, batches) = (runs, batches)
        let isDue = try await blocking { () throws(EngineError) -> Bool in
            guard let look = runs.look(at: run), batches.place(of: run)?.number != nil else { throw .unknownRun(run) }
            do throws(Disk.Fault) { try Disk.touch(runs.folder(run).file("released")) } catch {
                throw .unreachable("The release of \(run) cannot be written: \(error.sentence).")
            }
            return look.claim == nil && look.ending == nil
        }
        guard isDue else { return }
        // What the controller has lost is found out by the next list, which knows more than one answer tells.
        try await releases.ask(run) { await self.releaseAll($0) }
    }

    /// One call for each array; the first is paid for.
    func releaseAll(_ all: [RunKey], isPaid: Bool = true) async -> [Result<Void, EngineError>] {
        let places = all.map { batches.place(of: $0) }
        let results = await forEachJob(places, isPaid: isPaid) { number, elements throws(EngineError) in
            try await self.access.release(number, elements: elements)
        }
        return places.map { $0?.number.flatMap { results[$0] } ?? .success(()) }
    }

    // MARK: Cancel

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        let posted = posted
        let neverStarted = try await blocking { () throws(EngineError) -> Bool in
            guard let look = posted.runs.look(at: run) else { throw .unknownRun(run) }
            return look.ending == nil ? try posted.askToEnd(run, grace: grace) : false
        }
        // Its script sees the wish within a second; Slurm is asked only when it does not heed it.
        guard neverStarted else { return }
        try await cancelAtSlurm(run)
    }

    public func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        let posted = posted
        let isWithdrawn = try await blocking { () throws(EngineError) -> Bool in
            guard let look = posted.runs.look(at: run) else { throw .unknownRun(run) }
            return look.ending == nil ? try posted.end(run, RunOutcome(.cancelled)) != nil : false
        }
        if isWithdrawn { try await cancelAtSlurm(run) }
        return isWithdrawn
    }

    /// Ends a run's job, together with those of others.
    func cancelAtSlurm(_ run: RunKey) async throws(EngineError) {
        guard let place = batches.place(of: run), place.number != nil else { return }
        try await cancellations.ask(place) { await self.cancelAll($0) }
    }

    private func cancelAll(_ places: [SlurmBatches.Place]) async -> [Result<Void, EngineError>] {
        let results = await forEachJob(places, isPaid: true) { number, elements throws(EngineError) in
            try await self.access.cancel(number, elements: elements)
        }
        return places.map { $0.number.flatMap { results[$0] } ?? .success(()) }
    }

    /// Makes one call for each job among the places, with its elements.
    private func forEachJob(
        _ places: [SlurmBatches.Place?],
        isPaid: Bool,
        _ call: (String, [Int]) async throws(EngineError) -> Void
    ) async -> [String: Result<Void, EngineError>] {
        var jobs: [String: Set<Int>] = [:]
        for place in places {
            guard let number = place?.number else { continue }
            jobs[number, default: []].formUnion(place?.index.map { [$0] } ?? [])
        }
        var results: [String: Result<Void, EngineError>] = [:]
        var isPaid = isPaid
        for (number, elements) in jobs {
            if !isPaid { await budget.take() }
            isPaid = false
            do throws(EngineError) {
                try await call(number, elements.sorted())
                results[number] = .success(())
            } catch { results[number] = .failure(error) }
        }
        return results
    }
}

extension Array {
    fileprivate func chunks(of count: Int) -> [[Element]] {
        stride(from: 0, to: self.count, by: count).map { Array(self[$0..<Swift.min($0 + count, self.count)]) }
    }
}
