public import Core

/// A consistent view of everything at one moment. Valid inside the closure that it is given to.
public class ReadTransaction {
    let connection: Connection
    let submissions: SubmissionCache
    /// Events after this place are not on the disk yet and must not be remembered.
    private let cachesThrough: Int64

    init(_ connection: Connection, submissions: SubmissionCache, cachesThrough: Int64) {
        self.connection = connection
        self.submissions = submissions
        self.cachesThrough = cachesThrough
    }

    /// What the jobs of the submission at that place in the log share.
    func submission(at sequence: Int64) throws -> Submission {
        if sequence <= cachesThrough, let submission = submissions[sequence] { return submission }
        let payload = try connection.first("SELECT payload FROM event WHERE seq = ?", sequence) { $0.utf8(0) }
        guard let payload else { throw Failure.damaged("no event \(sequence)") }
        let submission = Submission(try StoredJSON.decode(Event.JobsSubmitted.self, from: payload))
        if sequence <= cachesThrough { submissions.insert(submission, at: sequence) }
        return submission
    }
}

/// A consistent view of everything, and the one way to change it: ``append(_:project:subject:actor:at:)``.
public final class WriteTransaction: ReadTransaction {
    private let core: WriterCore

    init(_ core: WriterCore) {
        self.core = core
        super.init(core.connection, submissions: core.submissions, cachesThrough: core.committedSequence)
    }

    /// Writes an event to the log and applies it to the views.
    ///
    /// The closure's own earlier events are visible to its reads. When the closure throws, all of them are undone.
    /// - Parameters:
    ///   - project: Whose members may see it; `nil` for operators only.
    ///   - subject: What it is about: an id, or a kind and a name such as `centre/hub-1`.
    ///   - actor: Who caused it: `user/alice`, `agent/hub-1` or `point`.
    /// - Returns: Its place in the log.
    /// - Throws: `.conflict` when the event contradicts what is there (a name taken, a run that has ended already),
    ///   `.notFound` when it speaks of something that is not there. The whole command fails then, even when its closure
    ///   catches the error.
    @discardableResult
    public func append(
        _ event: Event,
        project: ProjectName?,
        subject: String,
        actor: String,
        at: Instant
    ) throws -> Int64 {
        do {
            return try write(event, project, subject, actor, at)
        } catch {
            core.spoil(error)
            throw error
        }
    }

    /// Writes something that means nothing, so that a disk which takes no more is noticed before somebody needs it.
    public func probe() throws {
        do {
            try connection.run(
                """
                INSERT INTO progress (name, seq) VALUES ('probe', 0)
                ON CONFLICT (name) DO UPDATE SET seq = 1 - progress.seq
                """
            )
        } catch {
            core.spoil(error)
            throw error
        }
    }

    private func write(
        _ event: Event,
        _ project: ProjectName?,
        _ subject: String,
        _ actor: String,
        _ at: Instant
    ) throws -> Int64 {
        let sequence = core.advance()
        try connection.run(
            "INSERT INTO event (seq, at, project, subject, kind, payload, actor) VALUES (?, ?, ?, ?, ?, ?, ?)",
            sequence,
            at,
            project,
            subject,
            event.kind.rawValue,
            try StoredJSON.encode(event.payload),
            actor
        )
        try apply(event, sequence: sequence, at: at)
        if case .jobsSubmitted(let submitted) = event { core.note(Submission(submitted), at: sequence) }
        return sequence
    }

    /// Makes the views what they are after the event. Plain SQL: decides nothing, so that a replay does the same.
    func apply(_ event: Event, sequence: Int64, at: Instant) throws {
        switch event {
        case .userCreated(let user): try apply(user)
        case .projectCreated(let project): try apply(created: project)
        case .projectChanged(let project): try apply(changed: project)
        case .memberSet(let membership): try apply(membership)
        case .memberRemoved(let removed): try apply(removed)
        case .tokenIssued(let token): try apply(token)
        case .tokenRevoked(let revoked): try apply(revoked, at)
        case .voucherGranted(let voucher): try apply(voucher, sequence, at)
        case .centreCreated(let created): try apply(created, at)
        case .centreChanged(let changed): try apply(changed)
        case .joinTokenIssued(let issued): try apply(issued)
        case .agentJoined(let joined): try apply(joined, at)
        case .agentSeated(let seated): try apply(seated)
        case .capacityReported(let reported): try apply(reported)
        case .reservationCreated(let reservation): try apply(reservation, sequence, at)
        case .reservationCancelled(let cancelled): try apply(cancelled, at)
        case .simulationPublished(let published): try apply(published, sequence, at)
        case .simulationRemoved(let removed): try apply(removed)
        case .reservationMoved(let moved): try apply(moved)
        case .workflowSubmitted(let submitted): try apply(submitted, sequence, at)
        case .jobsSubmitted(let submitted): try apply(submitted, sequence, at)
        case .jobCancelRequested(let requested): try apply(requested)
        case .jobForecast(let foretold): try apply(foretold.forecast, of: foretold.job, at)
        case .jobRequeued(let requeued): try apply(requeued)
        case .jobEnded(let ended): try apply(ended, at)
        case .runLeased(let leased): try apply(leased, sequence, at)
        case .runOffered(let mark): try apply(offered: mark.run)
        case .runAccepted(let mark): try apply(accepted: mark.run)
        case .runPending(let pending): try apply(pending)
        case .runWaiting(let waiting): try apply(waiting)
        case .runStarted(let started): try apply(started)
        case .runUnseen(let unseen): try apply(unseen)
        case .runSeen(let mark): try apply(seen: mark.run)
        case .runStopRequested(let requested): try apply(requested)
        case .runEnded(let ended): try apply(ended, sequence, at)
        case .blobGranted(let granted): try apply(granted)
        case .repositoryCreated(let created): try apply(created)
        case .repositoryChanged(let changed): try apply(changed, at)
        case .repositoryRemoved(let removed): try apply(removed)
        case .repositoryBlobGranted(let granted): try apply(granted)
        case .repositoryBlobsRevoked(let revoked): try apply(revoked)
        case .revisionCommitted(let committed): try apply(committed, sequence)
        case .referenceSet(let set): try apply(set)
        case .referenceRemoved(let removed): try apply(removed)
        case .revisionsDropped(let dropped): try apply(dropped)
        case .manifestPut(let put): try apply(put, at)
        case .manifestRemoved(let removed): try apply(removed)
        case .tagRemoved(let removed): try apply(removed)
        case .accessSet(let set): try apply(set, at)
        case .factNoted(let noted): try apply(noted, sequence, at)
        case .discussionSet(let set): try apply(set)
        case .discussionNoted(let noted): try apply(noted)
        case .publicationSettled(let settled): try apply(settled)
        case .sampleJudged(let judged): try apply(judged, sequence, at)
        case .repositoryDuplicated(let duplicated): try apply(duplicated)
        case .downloadsCounted(let counted): try apply(counted)
        }
    }

    /// A statement that must find exactly what the event speaks of.
    func change(_ what: @autoclosure () -> String, _ sql: String, _ values: any SQLBindable...) throws {
        guard try connection.runList(sql, values) > 0 else { throw Failure.missing(what()) }
    }
}
