import Core

/// One start of a user's code, as it really happened.
struct Execution {
    enum End {
        /// By itself, with this outcome.
        case own(RunOutcome)
        /// Because somebody asked the engine to stop it.
        case stopped
        /// With the node under it.
        case node
    }

    var run: RunKey
    var centre: Int
    var startedAt: Instant
    var ended: (End, at: Instant)?
}

/// What really happened, written down by those who did it and read only by the audit.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class Truth: @unchecked Sendable {
    private(set) var executions: [Execution] = []
    private(set) var starts: [RunKey: [Int]] = [:]
    /// How many run now.
    private(set) var running = 0
    /// Starts that the fence turned away.
    private(set) var twinsRefused = 0
    /// Exchanges that were refused because another seat speaks for the centre.
    private(set) var seatsRefused = 0
    /// How often another agent spoke for a centre than before.
    private(set) var handovers = 0
    /// Runs whose end the engine forgot before anybody said that it could.
    private(set) var forgotten: Set<RunKey> = []
    /// When the disk of a centre's agent lost what it knew.
    private(set) var amnesias: [(centre: Int, at: Instant)] = []
    /// From when to when each centre's words reached the point; a gap is of more than fifteen seconds, since an agent
    /// whose call is parked for ten is not silent.
    private(set) var heard: [Int: [(from: Instant, to: Instant)]] = [:]
    /// Whose words they were last.
    private var speakers: [Int: String] = [:]
    /// Jobs that somebody asked to cancel, since when.
    var cancelled: [JobID: Instant] = [:]
    private(set) var complaints: [String] = []

    func start(_ run: RunKey, centre: Int, at: Instant) -> Int {
        executions.append(Execution(run: run, centre: centre, startedAt: at))
        starts[run, default: []].append(executions.count - 1)
        running += 1
        return executions.count - 1
    }

    func end(_ execution: Int, _ end: Execution.End, at: Instant) {
        guard executions[execution].ended == nil else { return }
        executions[execution].ended = (end, at)
        running -= 1
    }

    func refuseTwin() { twinsRefused += 1 }
    func forget(_ run: RunKey) { forgotten.insert(run) }
    func noteAmnesia(centre: Int, at: Instant) { amnesias.append((centre, at)) }
    func complain(_ text: String) { if complaints.count < 100 { complaints.append(text) } }

    func refuseSeat() { seatsRefused += 1 }

    /// - Parameter disk: What the speaker knows. Another one may know less than the one before.
    func hear(centre: Int, from disk: String, at: Instant, sent: Instant) {
        if let last = speakers.updateValue(disk, forKey: centre), last != disk {
            handovers += 1
            noteAmnesia(centre: centre, at: at)
        }
        // What was long on its way tells nothing of how things are.
        guard at - sent < .seconds(15) else { return }
        var spans = heard.removeValue(forKey: centre) ?? []
        if let last = spans.last, at - last.to < .seconds(15) {
            // One that was parked may be told of after others that came later.
            spans[spans.count - 1].to = max(last.to, at)
        } else {
            spans.append((at, at))
        }
        heard[centre] = spans
    }

    /// How long a centre had been silent at a moment.
    func silence(centre: Int, at: Instant) -> Duration {
        let last = heard[centre, default: []].last { $0.from <= at }
        return at - min(at, last?.to ?? VirtualTime.start)
    }
}
