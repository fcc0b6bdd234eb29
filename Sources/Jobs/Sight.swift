import Core
import Synchronization
import Wire

/// When each centre was last heard of, in this process's life.
///
/// Kept in memory on purpose: after an outage of our own nobody can have been heard of, and every clock starts anew.
final class Sight: Sendable {
    private struct State {
        var lastSeen: [CentreName: Instant] = [:]
        /// Since when we could see most centres without a break. Losses are counted from no earlier than this.
        var clearSince: Instant
        var isClear = true
        /// Runs that an agent should hold and does not say so, since when.
        var absent: [CentreName: [RunKey: Instant]] = [:]
        var unknown: Set<RunKey> = []
        /// When the last beat was, and since when beats have come without a step of the clock.
        var lastBeat: Instant
        var steadySince: Instant
    }

    /// After this long no call that was begun before, and repeated or delayed on its way, explains that an agent does
    /// not name a run.
    static let absenceMax = Duration.milliseconds(ExchangeRequest.waitMillisecondsMax) * 4
    /// Calls further apart than this, as around a partition, may both be late ones: what they lack is counted anew.
    static let callGapMax = Duration.milliseconds(ExchangeRequest.waitMillisecondsMax) * 2

    private static let unknownMax = 10_000

    private let state: Mutex<State>
    let startedAt: Instant

    init(startedAt: Instant) {
        self.startedAt = startedAt
        state = Mutex(State(clearSince: startedAt, lastBeat: startedAt, steadySince: startedAt))
    }

    /// Told at every look at the centres, before anything is concluded from the time.
    ///
    /// When the clock stepped, because it was set or because we were stopped for a while, nothing is known of the time
    /// in between: every clock starts anew.
    ///
    /// - Parameter limit: From which on it is a step: more than looks are apart, and less than silence takes together
    ///   with the longest wait of an agent's call, which is a third of it.
    /// - Returns: How far it stepped, if it did.
    func beat(at now: Instant, stepsFrom limit: Duration) -> Duration? {
        state.withLock { state in
            let passed = now - state.lastBeat
            state.lastBeat = now
            guard passed < .zero || passed >= limit else { return nil }
            state.steadySince = now
            state.clearSince = now
            state.lastSeen = state.lastSeen.mapValues { min($0, now) }
            state.absent = [:]
            return passed
        }
    }

    /// - Returns: Whether this is the first word of it in this process's life.
    func saw(_ centre: CentreName, at now: Instant) -> Bool {
        state.withLock { state in
            let last = state.lastSeen.updateValue(now, forKey: centre)
            if let last, now - last > Self.callGapMax { state.absent[centre] = nil }
            return last == nil
        }
    }

    /// Notes which accepted runs an agent did not name in a call that has just begun.
    ///
    /// - Returns: Those that it has not named for longer than ``absenceMax``, in calls that kept coming.
    func noteAbsent(_ runs: Set<RunKey>, at centre: CentreName, now: Instant) -> Set<RunKey> {
        state.withLock { state in
            let before = state.absent[centre] ?? [:]
            guard !runs.isEmpty || !before.isEmpty else { return [] }
            let since = Dictionary(runs.map { ($0, before[$0] ?? now) }) { first, _ in first }
            state.absent[centre] = since.isEmpty ? nil : since
            return Set(since.filter { now - $0.value > Self.absenceMax }.keys)
        }
    }

    /// Whether this run, which an agent holds and nobody here knows, is mentioned for the first time.
    func isNews(unknown run: RunKey) -> Bool {
        state.withLock { state in
            if state.unknown.count >= Self.unknownMax { state.unknown = [] }
            return state.unknown.insert(run).inserted
        }
    }

    func lastSeen(_ centre: CentreName) -> Instant? { state.withLock { $0.lastSeen[centre] } }

    /// Since when a centre is silent, counted from our own start, or the last step of our clock, at the earliest; `nil` while it is not.
    func silentSince(_ centre: CentreName, now: Instant, after limit: Duration) -> Instant? {
        let since = state.withLock { max($0.lastSeen[centre] ?? startedAt, $0.steadySince) }
        return now - since >= limit ? since : nil
    }

    /// Notes how many of the joined centres are silent. When most of them are, the fault is likelier ours.
    ///
    /// - Returns: Since when losses may be counted; `nil` while we ourselves seem to be cut off.
    func noteSilence(silent: Int, of joined: Int, now: Instant) -> Instant? {
        state.withLock { state in
            let isClear = joined < 2 || silent * 2 <= joined
            if isClear, !state.isClear { state.clearSince = now }
            state.isClear = isClear
            return isClear ? state.clearSince : nil
        }
    }
}

/// What was found at a silent centre whose runs are all marked: nothing to do from one moment up to another, if losses
/// are counted from the same. While the log has not grown either, it need not even be looked at.
struct Quiet: Sendable {
    /// Where the log ended.
    var sequence: Int64
    var from: Instant
    var until: Instant
    var clearSince: Instant?
}
