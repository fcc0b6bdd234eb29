import Core

/// Everything that is said to a person in one language: messages, numbers, times, names of states.
struct Words: Sendable {
    let language: Language

    /// A message of the catalogue with its gaps filled: `{0}`, `{1}`, …; `(s)` follows the first of them in number.
    func callAsFunction(_ message: Message, _ arguments: String...) -> String {
        var text = message.text(in: language)
        if let plural = text.range(of: "(s)") { text.replaceSubrange(plural, with: arguments.first == "1" ? "" : "s") }
        for (index, argument) in arguments.enumerated() {
            guard let gap = text.range(of: "{\(index)}") else { continue }
            text.replaceSubrange(gap, with: argument)
        }
        return text
    }

    /// A whole number in groups of three digits: `12,480`.
    func count(_ value: some BinaryInteger) -> String {
        let digits = String(value.magnitude)
        var out = value < 0 ? "−" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { out += "," }
            out.append(digit)
        }
        return out
    }

    /// A figure with at most three significant decimals and no needless zeros: `0.312`, `12.5`, `1,280`.
    func figure(_ value: Double) -> String {
        guard value.isFinite else { return "–" }
        let magnitude = value.magnitude
        let places = magnitude == 0 || magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = (magnitude * scale).rounded()
        guard scaled < 1e15 else { return "≥ 10¹⁵" }
        if scaled == 0, magnitude > 0 { return "< 0.001" }
        let whole = Int64(scaled / scale)
        var fraction = String(Int64(scaled) - whole * Int64(scale))
        fraction = String(repeating: "0", count: places - fraction.count < 0 ? 0 : places - fraction.count) + fraction
        while fraction.last == "0" { fraction.removeLast() }
        let sign = value < 0 && scaled > 0 ? "−" : ""
        return sign + count(whole) + (places == 0 || fraction.isEmpty ? "" : "." + fraction)
    }

    /// An amount of credits with its unit left out: at least two decimals so that columns align, at most six.
    func credits(_ amount: MicroCredits) -> String {
        let magnitude = amount.count.magnitude
        var fraction = String(magnitude % 1_000_000)
        fraction = String(repeating: "0", count: 6 - fraction.count) + fraction
        while fraction.count > 2, fraction.last == "0" { fraction.removeLast() }
        return (amount.count < 0 ? "−" : "") + count(magnitude / 1_000_000) + "." + fraction
    }

    /// A length of time in its two largest units: `1 h 04 min`, `12 s`, `340 ms`.
    func duration(_ duration: Duration) -> String {
        let milliseconds = max(0, duration.milliseconds)
        let seconds = milliseconds / 1000
        func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
        switch seconds {
        case 0: return milliseconds == 0 ? self(.unitSeconds, "0") : self(.unitMilliseconds, "\(milliseconds)")
        case 1..<10: return self(.unitSeconds, "\(seconds).\(milliseconds % 1000 / 100)")
        case 10..<60: return self(.unitSeconds, "\(seconds)")
        case 60..<3600 where seconds % 60 == 0: return self(.unitMinutesWhole, "\(seconds / 60)")
        case 60..<3600: return self(.unitMinutes, "\(seconds / 60)", two(seconds % 60))
        case 3600..<86_400 where seconds % 3600 == 0: return self(.unitHoursWhole, "\(seconds / 3600)")
        case 3600..<86_400: return self(.unitHours, "\(seconds / 3600)", two(seconds / 60 % 60))
        default: return self(.unitDays, "\(seconds / 86_400)", "\(seconds / 3600 % 24)")
        }
    }

    /// A point in time, absolute: `2026-11-23 20:14:05 UTC`, the exact form in the element.
    func time(_ instant: Instant) -> HTML {
        let exact = instant.rfc3339
        return "<time datetime=\"\(exact)\">\(Self.readable(instant)) UTC</time>"
    }

    /// A point in time, relative to now, for lists: `3 min ago`; the exact time is in the element and its tooltip.
    func ago(_ instant: Instant, now: Instant) -> HTML {
        let distance = now - instant
        let seconds = distance.milliseconds / 1000
        let text: String =
            switch seconds {
            case ..<(-60): Self.readable(instant)
            case ..<5: self(.agoNow)
            case ..<60: self(.agoSeconds, "\(seconds)")
            case ..<3600: self(.agoMinutes, "\(seconds / 60)")
            case ..<86_400: self(.agoHours, "\(seconds / 3600)")
            case ..<(86_400 * 30): self(.agoDays, "\(seconds / 86_400)")
            default: String(Self.readable(instant).prefix(10))
            }
        return "<time datetime=\"\(instant.rfc3339)\" title=\"\(Self.readable(instant)) UTC\">\(text)</time>"
    }

    private static func readable(_ instant: Instant) -> String {
        let text = Array(instant.rfc3339.utf8)
        guard text.count >= 19 else { return instant.rfc3339 }
        return String(decoding: text[0..<10], as: UTF8.self) + " " + String(decoding: text[11..<19], as: UTF8.self)
    }

    func callAsFunction(_ state: JobState) -> String {
        switch state {
        case .queued: self(.stateQueued)
        case .active: self(.stateActive)
        case .succeeded: self(.stateSucceeded)
        case .failed: self(.stateFailed)
        case .cancelled: self(.stateCancelled)
        }
    }

    func callAsFunction(_ state: RunState) -> String {
        switch state {
        case .leased: self(.runLeased)
        case .submitting: self(.runSubmitting)
        case .pending: self(.runPending)
        case .running: self(.runRunning)
        case .succeeded: self(.stateSucceeded)
        case .failed: self(.stateFailed)
        case .cancelled: self(.stateCancelled)
        case .preempted: self(.runPreempted)
        case .lost: self(.runLost)
        }
    }

    func callAsFunction(_ shelf: RepositoryShelf) -> String {
        switch shelf {
        case .models: self(.shelfModels)
        case .datasets: self(.shelfDatasets)
        case .images: self(.shelfImages)
        }
    }

    func callAsFunction(_ kind: RepositoryKind) -> String {
        switch kind {
        case .model: self(.kindModel)
        case .dataset: self(.kindDataset)
        case .algorithm: self(.kindAlgorithm)
        case .image: self(.kindImage)
        }
    }

    func callAsFunction(_ visibility: Visibility) -> String {
        switch visibility {
        case .private: self(.visibilityPrivate)
        case .internal: self(.visibilityInternal)
        case .public: self(.visibilityPublic)
        }
    }

    func callAsFunction(_ tier: Tier) -> String {
        switch tier {
        case .hub: self(.tierHub)
        case .region: self(.tierRegion)
        case .edge: self(.tierEdge)
        case .device: self(.tierDevice)
        }
    }

    func callAsFunction(_ role: Role) -> String {
        switch role {
        case .owner: self(.roleOwner)
        case .member: self(.roleMember)
        case .viewer: self(.roleViewer)
        }
    }

    func callAsFunction(_ scope: Token.Scope) -> String {
        switch scope {
        case .read: self(.scopeRead)
        case .write: self(.scopeWrite)
        case .admin: self(.scopeAdmin)
        }
    }

    func callAsFunction(_ state: CentreState) -> String {
        switch state {
        case .open: self(.centreOpen)
        case .draining: self(.centreDraining)
        case .removed: self(.centreRemoved)
        }
    }

    func callAsFunction(_ meter: Meter) -> String {
        switch meter {
        case .coreSeconds: self(.meterCoreSeconds)
        case .cardSeconds: self(.meterCardSeconds)
        case .pflopHours: self(.meterPflopHours)
        }
    }

    /// The class of reason that a waiting job has; codes that the catalogue does not know stand for themselves.
    func waiting(_ code: String) -> String {
        switch code {
        case "ready": self(.waitingPlacement)
        case "dependency": self(.waitingDependency)
        case "backoff": self(.waitingBackoff)
        case "impossible": self(.waitingImpossible)
        case "centres": self(.waitingCentre)
        case "quota": self(.waitingQuota)
        case "voucher": self(.waitingBudget)
        case "capacity": self(.waitingCapacity)
        case "behind": self(.waitingBehind)
        case "fair_share": self(.waitingFairShare)
        case "reserved": waitingReserved
        case "queue": self(.waitingQueue)
        default: code.split(separator: "_").joined(separator: " ")
        }
    }

    /// What happened, by the kind of event.
    func event(_ kind: String) -> String {
        guard let kind = Event.Kind(rawValue: kind) else { return kind }
        return switch kind {
        case .userCreated: self(.eventUserCreated)
        case .projectCreated: self(.eventProjectCreated)
        case .projectChanged: self(.eventProjectChanged)
        case .memberSet: self(.eventMemberSet)
        case .memberRemoved: self(.eventMemberRemoved)
        case .tokenIssued: self(.eventTokenIssued)
        case .tokenRevoked: self(.eventTokenRevoked)
        case .voucherGranted: self(.eventVoucherGranted)
        case .centreCreated: self(.eventCentreCreated)
        case .centreChanged: self(.eventCentreChanged)
        case .joinTokenIssued: self(.eventJoinTokenIssued)
        case .agentJoined: self(.eventAgentJoined)
        case .agentSeated: self(.eventAgentSeated)
        case .capacityReported: self(.eventCapacityReported)
        case .reservationCreated: eventReservationCreated
        case .reservationCancelled: eventReservationCancelled
        case .simulationPublished: eventSimulationPublished
        case .simulationRemoved: eventSimulationRemoved
        case .reservationMoved: eventReservationMoved
        case .workflowSubmitted: self(.eventWorkflowSubmitted)
        case .jobsSubmitted: self(.eventJobsSubmitted)
        case .jobCancelRequested: self(.eventJobCancelRequested)
        case .jobForecast: self(.eventJobForecast)
        case .jobRequeued: self(.eventJobRequeued)
        case .jobEnded: self(.eventJobEnded)
        case .runLeased: self(.eventRunLeased)
        case .runOffered: self(.eventRunOffered)
        case .runAccepted: self(.eventRunAccepted)
        case .runPending: self(.eventRunPending)
        case .runWaiting: self(.eventRunWaiting)
        case .runStarted: self(.eventRunStarted)
        case .runUnseen: self(.eventRunUnseen)
        case .runSeen: self(.eventRunSeen)
        case .runStopRequested: self(.eventRunStopRequested)
        case .runEnded: self(.eventRunEnded)
        case .blobGranted: self(.eventBlobGranted)
        case .repositoryCreated: self(.eventRepositoryCreated)
        case .repositoryChanged: self(.eventRepositoryChanged)
        case .repositoryRemoved: self(.eventRepositoryRemoved)
        case .repositoryBlobGranted: self(.eventRepositoryBlobGranted)
        case .repositoryBlobsRevoked: self(.eventRepositoryBlobsRevoked)
        case .revisionCommitted: self(.eventRevisionCommitted)
        case .referenceSet: self(.eventReferenceSet)
        case .referenceRemoved: self(.eventReferenceRemoved)
        case .revisionsDropped: self(.eventRevisionsDropped)
        case .manifestPut: self(.eventManifestPut)
        case .manifestRemoved: self(.eventManifestRemoved)
        case .tagRemoved: self(.eventTagRemoved)
        case .accessSet: self(.eventAccessSet)
        case .factNoted: self(.eventFactNoted)
        case .discussionSet: self(.eventDiscussionSet)
        case .discussionNoted: self(.eventDiscussionNoted)
        case .publicationSettled: self(.eventPublicationSettled)
        case .sampleJudged: self(.eventSampleJudged)
        case .repositoryDuplicated: self(.eventRepositoryDuplicated)
        case .downloadsCounted: self(.eventDownloadsCounted)
        }
    }
}

extension String {
    /// Where a piece of text stands; by bytes, which is enough for gaps like `{0}`.
    fileprivate func range(of piece: String) -> Range<String.Index>? {
        let needle = Array(piece.utf8)
        let hay = utf8
        var start = hay.startIndex
        while start != hay.endIndex {
            if hay[start...].starts(with: needle) { return start..<hay.index(start, offsetBy: needle.count) }
            start = hay.index(after: start)
        }
        return nil
    }
}
