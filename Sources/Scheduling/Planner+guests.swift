internal import Core

/// Taking back runs that wait in the queue of a centre's own engine, for room that they could start in now.
///
/// What waits there was sent because there was room nowhere, and cannot go elsewhere by itself. A run that has not started
/// loses nothing by that; should its engine start it first, it stays.
extension Planner {
    /// Keeps the room of one that was asked back and is still on its way.
    mutating func keepRoom(for move: Snapshot.Move, at centre: Int) {
        let guest = snapshot.guests.first { $0.job.id == move.job }
        guard let ground = grounds[centre], let job = guest?.job else { return }
        let index = requestClass(job.request, of: job.project)
        let (end, tenant) = (classes[index].end, classes[index].tenant)
        for candidate in classes[index].candidates where candidate.centre == centre {
            // What was meant for it may have failed meanwhile.
            let fit = ground.fit(candidate.demand, on: move.nodes, until: end, for: tenant)
            guard let fit = fit ?? ground.fit(candidate.demand, until: end, for: tenant) else { continue }
            return take(fit, candidate, for: job, until: end)
        }
    }

    /// Looks for room elsewhere, now that it is this one's turn.
    ///
    /// - Returns: Whether there is some.
    mutating func takeBack(_ guest: Snapshot.Guest, account: Int) -> Bool {
        guard !guest.stopping, guest.moves < policy.movesMax,
            let home = snapshot.centres.firstIndex(where: { $0.name == guest.centre })
        else { return false }
        let index = requestClass(guest.job.request, of: guest.job.project)
        // It holds what its quota allows already. What is set aside for it comes back only with its end.
        guard let number = bestCandidate(index, guest.job, balance: accounts[account].balance, besides: home),
            let fit = classes[index].candidates[number].fit
        else { return false }
        let candidate = classes[index].candidates[number]
        take(fit, candidate, for: guest.job, until: classes[index].end)
        plan.takeBacks.append(
            .init(
                run: guest.run,
                centre: guest.centre,
                destination: snapshot.centres[candidate.centre].name,
                nodes: nodeShares(fit, candidate, cards: guest.job.request.resources.cards)
            )
        )
        return true
    }

    private func take(_ fit: Fit, _ candidate: RequestClass.Candidate, for job: QueuedJob, until end: Instant) {
        let pieces = fit.shares.map { Piece(node: $0.node, tasks: $0.tasks, candidate.demand) }
        grounds[candidate.centre]?.take(pieces, job: job.id, of: job.project, until: end)
    }
}
