/// The kinds of events, as they stand in the log's `kind` column.
extension Event {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case userCreated = "user_created"
        case projectCreated = "project_created"
        case projectChanged = "project_changed"
        case memberSet = "member_set"
        case memberRemoved = "member_removed"
        case tokenIssued = "token_issued"
        case tokenRevoked = "token_revoked"
        case voucherGranted = "voucher_granted"
        case centreCreated = "centre_created"
        case centreChanged = "centre_changed"
        case joinTokenIssued = "join_token_issued"
        case agentJoined = "agent_joined"
        case agentSeated = "agent_seated"
        case capacityReported = "capacity_reported"
        case reservationCreated = "reservation_created"
        case reservationCancelled = "reservation_cancelled"
        case simulationPublished = "simulation_published"
        case simulationRemoved = "simulation_removed"
        case reservationMoved = "reservation_moved"
        case workflowSubmitted = "workflow_submitted"
        case jobsSubmitted = "jobs_submitted"
        case jobCancelRequested = "job_cancel_requested"
        case jobForecast = "job_forecast"
        case jobRequeued = "job_requeued"
        case jobEnded = "job_ended"
        case runLeased = "run_leased"
        case runOffered = "run_offered"
        case runAccepted = "run_accepted"
        case runPending = "run_pending"
        case runWaiting = "run_waiting"
        case runStarted = "run_started"
        case runUnseen = "run_unseen"
        case runSeen = "run_seen"
        case runStopRequested = "run_stop_requested"
        case runEnded = "run_ended"
        case blobGranted = "blob_granted"
        case repositoryCreated = "repository_created"
        case repositoryChanged = "repository_changed"
        case repositoryRemoved = "repository_removed"
        case repositoryBlobGranted = "repository_blob_granted"
        case repositoryBlobsRevoked = "repository_blobs_revoked"
        case revisionCommitted = "revision_committed"
        case referenceSet = "reference_set"
        case referenceRemoved = "reference_removed"
        case revisionsDropped = "revisions_dropped"
        case manifestPut = "manifest_put"
        case manifestRemoved = "manifest_removed"
        case tagRemoved = "tag_removed"
        case accessSet = "access_set"
        case factNoted = "fact_noted"
        case discussionSet = "discussion_set"
        case discussionNoted = "discussion_noted"
        case publicationSettled = "publication_settled"
        case sampleJudged = "sample_judged"
        case repositoryDuplicated = "repository_duplicated"
        case downloadsCounted = "downloads_counted"
    }

    public var kind: Kind {
        switch self {
        case .userCreated: .userCreated
        case .projectCreated: .projectCreated
        case .projectChanged: .projectChanged
        case .memberSet: .memberSet
        case .memberRemoved: .memberRemoved
        case .tokenIssued: .tokenIssued
        case .tokenRevoked: .tokenRevoked
        case .voucherGranted: .voucherGranted
        case .centreCreated: .centreCreated
        case .centreChanged: .centreChanged
        case .joinTokenIssued: .joinTokenIssued
        case .agentJoined: .agentJoined
        case .agentSeated: .agentSeated
        case .capacityReported: .capacityReported
        case .reservationCreated: .reservationCreated
        case .reservationCancelled: .reservationCancelled
        case .simulationPublished: .simulationPublished
        case .simulationRemoved: .simulationRemoved
        case .reservationMoved: .reservationMoved
        case .workflowSubmitted: .workflowSubmitted
        case .jobsSubmitted: .jobsSubmitted
        case .jobCancelRequested: .jobCancelRequested
        case .jobForecast: .jobForecast
        case .jobRequeued: .jobRequeued
        case .jobEnded: .jobEnded
        case .runLeased: .runLeased
        case .runOffered: .runOffered
        case .runAccepted: .runAccepted
        case .runPending: .runPending
        case .runWaiting: .runWaiting
        case .runStarted: .runStarted
        case .runUnseen: .runUnseen
        case .runSeen: .runSeen
        case .runStopRequested: .runStopRequested
        case .runEnded: .runEnded
        case .blobGranted: .blobGranted
        case .repositoryCreated: .repositoryCreated
        case .repositoryChanged: .repositoryChanged
        case .repositoryRemoved: .repositoryRemoved
        case .repositoryBlobGranted: .repositoryBlobGranted
        case .repositoryBlobsRevoked: .repositoryBlobsRevoked
        case .revisionCommitted: .revisionCommitted
        case .referenceSet: .referenceSet
        case .referenceRemoved: .referenceRemoved
        case .revisionsDropped: .revisionsDropped
        case .manifestPut: .manifestPut
        case .manifestRemoved: .manifestRemoved
        case .tagRemoved: .tagRemoved
        case .accessSet: .accessSet
        case .factNoted: .factNoted
        case .discussionSet: .discussionSet
        case .discussionNoted: .discussionNoted
        case .publicationSettled: .publicationSettled
        case .sampleJudged: .sampleJudged
        case .repositoryDuplicated: .repositoryDuplicated
        case .downloadsCounted: .downloadsCounted
        }
    }

    /// What is stored beside the kind.
    public var payload: any Codable & Sendable {
        switch self {
        case .userCreated(let payload): payload
        case .projectCreated(let payload): payload
        case .projectChanged(let payload): payload
        case .memberSet(let payload): payload
        case .memberRemoved(let payload): payload
        case .tokenIssued(let payload): payload
        case .tokenRevoked(let payload): payload
        case .voucherGranted(let payload): payload
        case .centreCreated(let payload): payload
        case .centreChanged(let payload): payload
        case .joinTokenIssued(let payload): payload
        case .agentJoined(let payload): payload
        case .agentSeated(let payload): payload
        case .capacityReported(let payload): payload
        case .reservationCreated(let payload): payload
        case .reservationCancelled(let payload): payload
        case .simulationPublished(let payload): payload
        case .simulationRemoved(let payload): payload
        case .reservationMoved(let payload): payload
        case .workflowSubmitted(let payload): payload
        case .jobsSubmitted(let payload): payload
        case .jobCancelRequested(let payload): payload
        case .jobForecast(let payload): payload
        case .jobRequeued(let payload): payload
        case .jobEnded(let payload): payload
        case .runLeased(let payload): payload
        case .runOffered(let payload): payload
        case .runAccepted(let payload): payload
        case .runPending(let payload): payload
        case .runWaiting(let payload): payload
        case .runStarted(let payload): payload
        case .runUnseen(let payload): payload
        case .runSeen(let payload): payload
        case .runStopRequested(let payload): payload
        case .runEnded(let payload): payload
        case .blobGranted(let payload): payload
        case .repositoryCreated(let payload): payload
        case .repositoryChanged(let payload): payload
        case .repositoryRemoved(let payload): payload
        case .repositoryBlobGranted(let payload): payload
        case .repositoryBlobsRevoked(let payload): payload
        case .revisionCommitted(let payload): payload
        case .referenceSet(let payload): payload
        case .referenceRemoved(let payload): payload
        case .revisionsDropped(let payload): payload
        case .manifestPut(let payload): payload
        case .manifestRemoved(let payload): payload
        case .tagRemoved(let payload): payload
        case .accessSet(let payload): payload
        case .factNoted(let payload): payload
        case .discussionSet(let payload): payload
        case .discussionNoted(let payload): payload
        case .publicationSettled(let payload): payload
        case .sampleJudged(let payload): payload
        case .repositoryDuplicated(let payload): payload
        case .downloadsCounted(let payload): payload
        }
    }

    /// Puts an event together from its stored form.
    public init(_ kind: Kind, reading reader: some PayloadReader) throws {
        self =
            switch kind {
            case .userCreated: .userCreated(try reader.read())
            case .projectCreated: .projectCreated(try reader.read())
            case .projectChanged: .projectChanged(try reader.read())
            case .memberSet: .memberSet(try reader.read())
            case .memberRemoved: .memberRemoved(try reader.read())
            case .tokenIssued: .tokenIssued(try reader.read())
            case .tokenRevoked: .tokenRevoked(try reader.read())
            case .voucherGranted: .voucherGranted(try reader.read())
            case .centreCreated: .centreCreated(try reader.read())
            case .centreChanged: .centreChanged(try reader.read())
            case .joinTokenIssued: .joinTokenIssued(try reader.read())
            case .agentJoined: .agentJoined(try reader.read())
            case .agentSeated: .agentSeated(try reader.read())
            case .capacityReported: .capacityReported(try reader.read())
            case .reservationCreated: .reservationCreated(try reader.read())
            case .reservationCancelled: .reservationCancelled(try reader.read())
            case .simulationPublished: .simulationPublished(try reader.read())
            case .simulationRemoved: .simulationRemoved(try reader.read())
            case .reservationMoved: .reservationMoved(try reader.read())
            case .workflowSubmitted: .workflowSubmitted(try reader.read())
            case .jobsSubmitted: .jobsSubmitted(try reader.read())
            case .jobCancelRequested: .jobCancelRequested(try reader.read())
            case .jobForecast: .jobForecast(try reader.read())
            case .jobRequeued: .jobRequeued(try reader.read())
            case .jobEnded: .jobEnded(try reader.read())
            case .runLeased: .runLeased(try reader.read())
            case .runOffered: .runOffered(try reader.read())
            case .runAccepted: .runAccepted(try reader.read())
            case .runPending: .runPending(try reader.read())
            case .runWaiting: .runWaiting(try reader.read())
            case .runStarted: .runStarted(try reader.read())
            case .runUnseen: .runUnseen(try reader.read())
            case .runSeen: .runSeen(try reader.read())
            case .runStopRequested: .runStopRequested(try reader.read())
            case .runEnded: .runEnded(try reader.read())
            case .blobGranted: .blobGranted(try reader.read())
            case .repositoryCreated: .repositoryCreated(try reader.read())
            case .repositoryChanged: .repositoryChanged(try reader.read())
            case .repositoryRemoved: .repositoryRemoved(try reader.read())
            case .repositoryBlobGranted: .repositoryBlobGranted(try reader.read())
            case .repositoryBlobsRevoked: .repositoryBlobsRevoked(try reader.read())
            case .revisionCommitted: .revisionCommitted(try reader.read())
            case .referenceSet: .referenceSet(try reader.read())
            case .referenceRemoved: .referenceRemoved(try reader.read())
            case .revisionsDropped: .revisionsDropped(try reader.read())
            case .manifestPut: .manifestPut(try reader.read())
            case .manifestRemoved: .manifestRemoved(try reader.read())
            case .tagRemoved: .tagRemoved(try reader.read())
            case .accessSet: .accessSet(try reader.read())
            case .factNoted: .factNoted(try reader.read())
            case .discussionSet: .discussionSet(try reader.read())
            case .discussionNoted: .discussionNoted(try reader.read())
            case .publicationSettled: .publicationSettled(try reader.read())
            case .sampleJudged: .sampleJudged(try reader.read())
            case .repositoryDuplicated: .repositoryDuplicated(try reader.read())
            case .downloadsCounted: .downloadsCounted(try reader.read())
            }
    }
}

/// Turns stored bytes into a payload; the store's own decoder stands behind it.
public protocol PayloadReader {
    func read<Payload: Decodable>() throws -> Payload
}
