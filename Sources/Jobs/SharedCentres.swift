import Core
import Scheduling
import Synchronization
import Wire

/// What is known of centres whose engines others use too: what these hold, and how runs of ours fare in the engine's own
/// queue.
///
/// Where others wait too, what becomes free goes to who is in that queue, so we have to be in it; but what waits there
/// cannot go where there is room sooner. So only so many at a time may, and how many is learned: one more for each that
/// starts soon, half as many when one does not.
///
/// Kept in memory: agents tell what others hold again to a new process, and the rest is soon learned anew.
///
/// > Source: additive increase and multiplicative decrease, Chiu and Jain, "Analysis of the Increase and Decrease
/// > Algorithms for Congestion Avoidance in Computer Networks" (Computer Networks and ISDN Systems 17, 1989).
final class SharedCentres: Sendable {
    fileprivate struct Queue {
        /// How many runs may wait there.
        var limit = SharedCentres.limitAtFirst
        /// How long the latest waited, in seconds.
        var waits: [Int] = []
        var halvedAt: Instant?
        /// Since when who waits there.
        var waiting: [RunKey: Instant] = [:]
    }

    private struct State {
        /// By centre, with who said so.
        var others: [CentreName: (agent: AgentID, uses: [NodeUse])] = [:]
        var queues: [CentreName: Queue] = [:]
    }

    static let limitAtFirst = 4
    static let limitMax = 64
    /// A run that starts within this time makes room for one more; one that does not goes where there is room.
    static let soonSeconds = 60
    /// One that waits for longer halves the limit, once in this time.
    static let longSeconds = 600
    fileprivate static let waitsMax = 32

    private let state = Mutex(State())

    /// An agent says what others hold at its centre.
    ///
    /// - Returns: Whether that is news.
    func note(_ uses: [NodeUse], of agent: AgentPrincipal) -> Bool {
        let uses = uses.filter { !$0.isNothing }.sorted { $0.node < $1.node }
        return state.withLock { state in
            let known = state.others[agent.centre]
            guard known?.agent != agent.agent || known?.uses != uses else { return false }
            state.others[agent.centre] = (agent.agent, uses)
            return true
        }
    }

    /// What its agent has said that others hold; nothing after another has joined.
    func others(at centre: Centre) -> [NodeUse] {
        state.withLock { state in
            guard let known = state.others[centre.name], known.agent == centre.agent else { return [] }
            return known.uses
        }
    }

    /// A run's centre says how it stands.
    func note(_ observation: RunObservation, of run: RunKey, at centre: CentreName, now: Instant) {
        state.withLock { state in
            switch observation.phase {
            case .submitting: break
            case .pending:
                if state.queues[centre]?.waiting[run] == nil {
                    state.queues[centre, default: Queue()].waiting[run] = now
                }
            case .ended: state.queues[centre]?.waiting[run] = nil
            case .running:
                guard let since = state.queues[centre]?.waiting.removeValue(forKey: run),
                    state.others[centre]?.uses.isEmpty == false
                else { return }
                let wait = max(0, Int((min(observation.startedAt ?? now, now) - since).seconds))
                state.queues[centre]?.learn(wait)
            }
        }
    }

    /// How many more runs may be given to a centre's own queue.
    ///
    /// - Parameter waiting: All runs there that have not started; only asked for where others are.
    func queue(at centre: Centre, now: Instant, waiting: () -> [RunKey]) -> Snapshot.EngineQueue {
        guard !others(at: centre).isEmpty else { return Snapshot.EngineQueue() }
        let waiting = waiting()
        let queue = look(at: centre.name, waiting, now)
        return Snapshot.EngineQueue(turns: max(0, queue.limit - waiting.count), waitSeconds: queue.median)
    }

    /// Whether a run somewhere has been waiting for longer than it should.
    func hasGuests(now: Instant) -> Bool {
        state.withLock { state in
            state.queues.contains { centre, queue in
                state.others[centre]?.uses.isEmpty == false && queue.waiting.values.contains { Self.isLong($0, now) }
            }
        }
    }

    /// The runs of a centre that have been waiting in its own queue, among others, for longer than they should.
    func guests(at centre: Centre, now: Instant) -> Set<RunKey> {
        guard !others(at: centre).isEmpty else { return [] }
        return state.withLock { state in
            Set((state.queues[centre.name]?.waiting ?? [:]).lazy.filter { Self.isLong($0.value, now) }.map(\.key))
        }
    }

    private static func isLong(_ since: Instant, _ now: Instant) -> Bool { now - since >= .seconds(soonSeconds) }

    /// For people; `nil` where nobody else is.
    func view(of centre: Centre, runs: [Run], now: Instant) -> SharedUse? {
        let uses = others(at: centre)
        guard !uses.isEmpty else { return nil }
        let waiting = runs.filter { $0.startedAt == nil }.map(\.key)
        let queue = look(at: centre.name, waiting, now)
        return SharedUse(
            cores: uses.reduce(0) { $0 + $1.cores },
            memory: uses.reduce(0) { $0 + $1.memory },
            cards: uses.reduce(0) { $1.cards.reduce($0) { $0 + $1.count } },
            waiting: waiting.count,
            waitingMax: queue.limit,
            waitSeconds: queue.median
        )
    }

    private func look(at centre: CentreName, _ waiting: [RunKey], _ now: Instant) -> Queue {
        state.withLock { state in
            var queue = state.queues[centre] ?? Queue()
            // Some were given up, or ended before anybody heard of it.
            if !queue.waiting.isEmpty {
                let waiting = Set(waiting)
                queue.waiting = queue.waiting.filter { waiting.contains($0.key) }
            }
            queue.age(now)
            state.queues[centre] = queue
            return queue
        }
    }
}

extension SharedCentres.Queue {
    fileprivate var median: Int? { waits.isEmpty ? nil : waits.sorted()[waits.count / 2] }

    fileprivate mutating func learn(_ wait: Int) {
        waits.append(wait)
        if waits.count > SharedCentres.waitsMax { waits.removeFirst() }
        if wait <= SharedCentres.soonSeconds { limit = min(limit + 1, SharedCentres.limitMax) }
    }

    fileprivate mutating func age(_ now: Instant) {
        let long = Duration.seconds(SharedCentres.longSeconds)
        guard let oldest = waiting.values.min(), now - oldest >= long, halvedAt.map({ now - $0 >= long }) ?? true else {
            return
        }
        limit = max(1, limit / 2)
        halvedAt = now
    }
}
