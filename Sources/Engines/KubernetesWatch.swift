internal import Core
internal import Synchronization

/// Keeps one kind of object in sight: lists it once, follows its events, and lists anew only when it must.
///
/// A watch is one call that the API server ends after ``Pace/period``; the next goes on where it ended. Between two
/// events there may be nothing to hear, so what was heard last is told by the calls' beginnings and ends, and who has
/// not been heard for ``Pace/silenceMax`` is not believed.
///
/// The work is done by a task of its own from the first question on; it is cancelled when the watch is let go.
final class KubernetesWatch<Object: KubernetesObject>: Sendable {
    private let task: WatchTask<Object>

    /// - Parameter changed: Called when anything has changed, on any thread.
    init(
        _ kind: KubernetesKind,
        _ client: KubernetesClient,
        pace: KubernetesPace = KubernetesPace(),
        changed: @escaping @Sendable () -> Void = {}
    ) {
        task = WatchTask(kind, client, pace, changed: changed)
    }

    deinit { task.stop() }

    /// All of them. Waits for the first list, and for one more try when the last one failed.
    ///
    /// - Throws: What keeps us from seeing them.
    func objects() async throws(EngineError) -> [Object] { try await task.objects() }

    /// One of them, as a dictionary would give it, when they are in sight now.
    func known(_ name: String) -> Object? { task.known(name) }

    /// Shows what we have written before the watch comes to it.
    func note(_ object: Object, version: String) { task.state.withLock { $0.mirror.note(object, version: version) } }
}

/// The task of a ``KubernetesWatch``, and what it shares with whoever asks.
private final class WatchTask<Object: KubernetesObject>: Sendable {
    struct State {
        var mirror = KubernetesMirror<Object>()
        /// Where the list stands that is followed.
        var path: String?
        var listedAt: ContinuousClock.Instant?
        var heardAt: ContinuousClock.Instant?
        /// Why nothing is seen, since the last try.
        var fault: EngineError?
        /// How many tries have come to something, good or bad.
        var tries = 0
        var task: Task<Void, Never>?
        var isOver = false
    }

    let kind: KubernetesKind
    let client: KubernetesClient
    let pace: KubernetesPace
    let changed: @Sendable () -> Void
    let state = Mutex(State())
    /// Rings when a try has come to something.
    private let news = Bell()
    /// Rings when somebody wants to know, so that the next try is made soon.
    private let wanted = Bell()

    init(
        _ kind: KubernetesKind,
        _ client: KubernetesClient,
        _ pace: KubernetesPace,
        changed: @escaping @Sendable () -> Void
    ) {
        (self.kind, self.client, self.pace, self.changed) = (kind, client, pace, changed)
    }

    func stop() {
        state.withLock { state in
            state.isOver = true
            state.task?.cancel()
            state.task = nil
        }
    }

    private func start() {
        state.withLock { state in
            guard state.task == nil, !state.isOver else { return }
            // Cancelled by `stop`, when the watch is let go.
            state.task = Task { await self.work() }
        }
    }

    // MARK: Asking

    func known(_ name: String) -> Object? {
        state.withLock { state in
            guard state.fault == nil, let heardAt = state.heardAt, .now - heardAt <= pace.silenceMax else { return nil }
            return state.mirror[name]
        }
    }

    func objects() async throws(EngineError) -> [Object] {
        start()
        let (tries, began) = (state.withLock { $0.tries }, ContinuousClock.now)
        while true {
            let rings = news.rings
            let (answer, mayWait) = state.withLock { state in
                // Who asks is told of what was tried after they asked. A silence is not broken by waiting.
                (look(state), state.tries == tries && (state.fault != nil || state.heardAt == nil))
            }
            guard mayWait, .now - began < pace.silenceMax, !Task.isCancelled else { return try answer.get() }
            wanted.ring()
            await news.wait(beyond: rings, atMost: .seconds(1))
        }
    }

    private func look(_ state: State) -> Result<[Object], EngineError> {
        if let fault = state.fault { return .failure(fault) }
        let silence = state.heardAt.map { .now - $0 }
        if let silence, silence <= pace.silenceMax { return .success(state.mirror.objects) }
        let time = silence.map { "for \($0.components.seconds) s" } ?? "yet"
        return .failure(
            .unreachable(
                "Nothing was heard \(time) of the \(kind.rawValue) of Kubernetes at \(client.http.base). Check the "
                    + "network to it."
            )
        )
    }

    // MARK: Working

    private func work() async {
        var failures = 0
        while !Task.isCancelled {
            let steps = Steps()
            do throws(EngineError) {
                try await follow(try await list(), steps)
                failures = 0
            } catch {
                let step = steps.last.withLock { $0 }
                // A stream that broke is gone on with at once; what cannot be begun is a fault.
                if step == .none, !Task.isCancelled { fail(error) }
                failures = step == .event ? 1 : failures + 1
                let rings = wanted.rings
                try? await Task.sleep(for: pace.retryMin)
                guard failures > 1 else { continue }
                let backoff = min(pace.retryMin * (1 << min(failures, 12)), pace.retryMax)
                await wanted.wait(beyond: rings, atMost: backoff * Double.random(in: 0.5...1))
            }
        }
    }

    /// How far a watch has come.
    private final class Steps: Sendable {
        enum Step { case none, begun, event }
        let last = Mutex(Step.none)
        func reach(_ step: Step) { last.withLock { $0 = step } }
    }

    /// - Returns: Where the list stands that is to be followed. It is asked for when there is none, or it is old.
    private func list() async throws(EngineError) -> String {
        let current = state.withLock { state in
            let isYoung = state.listedAt.map { .now - $0 < pace.listPeriod } ?? false
            return isYoung && state.mirror.version != nil ? state.path : nil
        }
        if let current { return current }
        let listing = try await client.list(kind)
        let hasChanged = hear { state in
            state.listedAt = .now
            state.path = listing.path
            return state.mirror.take(listing)
        }
        if hasChanged { changed() }
        return listing.path
    }

    /// Follows the events until the API server ends the call.
    private func follow(_ path: String, _ steps: Steps) async throws(EngineError) {
        guard let version = state.withLock({ $0.mirror.version }) else { return }
        let began = ContinuousClock.now
        let answer = try await client.watch(path, from: version, for: pace.period, slack: pace.slack) {
            steps.reach(.begun)
            self.hear { _ in }
        } each: { line throws(EngineError) in
            try self.take(line, of: path)
            steps.reach(.event)
        }
        if let answer {
            if answer.status == 410 {
                state.withLock { $0.mirror.lose() }
                steps.reach(.begun)
            }
            throw client.fault(answer, "GET \(path)?watch=1")
        }
        // Whoever ends watches as soon as they begin would be asked without end.
        guard steps.last.withLock({ $0 == .event }) || .now - began >= pace.shortest else {
            throw .unreachable("Kubernetes at \(client.http.base) ended a watch of \(path) at once.")
        }
        hear { _ in }
    }

    private func take(_ line: [UInt8], of path: String) throws(EngineError) {
        do throws(EngineError) {
            let event = try client.http.json(EngineHTTP.Answer(status: 200, body: line), of: "GET \(path)")
            let result: Result<Bool, KubernetesMirror<Object>.Fault> = hear { state in
                do throws(KubernetesMirror<Object>.Fault) { return .success(try state.mirror.take(event)) } catch {
                    return .failure(error)
                }
            }
            switch result {
            case .success(let hasChanged): if hasChanged { changed() }
            case .failure(.expired):
                throw .unreachable("Kubernetes at \(client.http.base) does not know any more where the watch stood.")
            case .failure(.refused(let why)), .failure(.nonsense(let why)):
                throw .unreachable("Kubernetes at \(client.http.base) answered a watch of \(path) with \(why).")
            }
        } catch {
            // What cannot be read would come again: it is gone on from a list.
            state.withLock { $0.mirror.lose() }
            throw error
        }
    }

    /// Notes that something was heard, and what.
    @discardableResult
    private func hear<T: Sendable>(_ change: (inout State) -> T) -> T {
        defer { news.ring() }
        return state.withLock { state in
            state.tries += 1
            state.fault = nil
            state.heardAt = .now
            return change(&state)
        }
    }

    private func fail(_ fault: EngineError) {
        state.withLock { state in
            state.tries += 1
            state.fault = fault
        }
        news.ring()
    }
}

/// How a cluster is kept in sight.
struct KubernetesPace: Sendable {
    /// How long one watch is held open. Each is one call.
    var period: Duration = .seconds(30)
    /// What the API server may be late in ending it.
    var slack: Duration = .seconds(10)
    /// Who has not been heard for so long is not believed.
    var silenceMax: Duration = .seconds(45)
    /// Everything is listed anew so often, should something have been missed for a reason that nobody has thought of.
    var listPeriod: Duration = .seconds(600)
    /// A watch that said nothing and was ended sooner counts as refused.
    var shortest: Duration = .seconds(1)
    /// After a failure, doubled up to `retryMax`.
    var retryMin: Duration = .milliseconds(100)
    var retryMax: Duration = .seconds(10)
}
