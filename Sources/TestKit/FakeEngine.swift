public import Core
public import Engines
internal import Synchronization

/// An engine in memory, with a clock that only ``advance(by:)`` moves and faults that tests order.
public final class FakeEngine: Engine {
    /// What a run does, unless its test says otherwise: nothing, for no time, with success.
    public struct Program: Sendable {
        public var output: [UInt8]
        /// How long it runs; `nil` until it is stopped.
        public var duration: Duration?
        public var outcome: RunOutcome
        /// Whether it goes on until the end of the grace.
        public var ignoresStop: Bool

        public init(
            output: [UInt8] = [],
            duration: Duration? = .zero,
            outcome: RunOutcome = RunOutcome(.succeeded),
            ignoresStop: Bool = false
        ) {
            self.output = output
            self.duration = duration
            self.outcome = outcome
            self.ignoresStop = ignoresStop
        }
    }

    public enum Call: Sendable, Hashable { case capacity, submit, release, list, cancel, withdraw, logs, forget }

    /// A call that fails, with or without having done its work before.
    public struct Fault: Sendable {
        public var call: Call
        public var error: EngineError
        /// The answer is lost, not the call: the hardest case for callers.
        public var afterItsWork: Bool

        public init(_ call: Call, _ error: EngineError = .unreachable("no answer"), afterItsWork: Bool = false) {
            self.call = call
            self.error = error
            self.afterItsWork = afterItsWork
        }
    }

    private struct Entry {
        var order: EngineOrder
        var state: EngineRun.State
        var program: Program
        var releasedAt: Instant?
        var stopAt: Instant?
        var stopOutcome: RunOutcome?
        var starts = 0
    }

    private struct State {
        var now: Instant
        var runs: [RunKey: Entry] = [:]
        var faults: [Fault] = []
        var calls: [Call] = []
        var capacity: CentreCapacity
        var startDelay: Duration = .zero
        var highest: [JobID: Int] = [:]
        var starts: [RunKey: Int] = [:]
        var hidden: Set<RunKey> = []
    }

    private let state: Mutex<State>
    private let program: @Sendable (EngineOrder) -> Program

    /// - Parameters:
    ///   - capacity: What it offers; by default one node `fake-1` of 8 cores and 16 GiB.
    ///   - now: Where its clock begins.
    ///   - program: What each run is to do.
    public init(
        capacity: CentreCapacity? = nil,
        now: Instant = Instant(milliseconds: 1_790_000_000_000),
        program: @escaping @Sendable (EngineOrder) -> Program = { _ in Program() }
    ) {
        let node = Node(name: "fake-1", cores: 8000, memory: .gibi(16))
        let capacity =
            capacity ?? CentreCapacity(engine: .fake, engineVersion: "1", nodes: [node], isolates: false)
        state = Mutex(State(now: now, capacity: capacity))
        self.program = program
    }

    // What tests do to it.

    /// Moves the clock; what is due happens in between.
    public func advance(by duration: Duration) {
        state.withLock {
            $0.now = $0.now + duration
            Self.settle(&$0)
        }
    }

    /// Lets the next call of that kind fail.
    public func fail(_ fault: Fault) { state.withLock { $0.faults.append(fault) } }

    /// Every further call is unreachable, until ``answerAgain()``.
    public func fallSilent() {
        let all: [Call] = [.capacity, .submit, .release, .list, .cancel, .withdraw, .logs, .forget]
        state.withLock { state in state.faults += all.flatMap { call in (0..<1000).map { _ in Fault(call) } } }
    }

    public func answerAgain() { state.withLock { $0.faults = [] } }

    /// Loses all memory of a run, as engines do that purge their accounting.
    public func lose(_ run: RunKey) { state.withLock { $0.runs[run] = nil } }

    /// Leaves a run out of the list, as engines do whose list lags, or takes it in again.
    public func list(_ run: RunKey, hidden: Bool) {
        state.withLock { state in
            if hidden { state.hidden.insert(run) } else { state.hidden.remove(run) }
        }
    }

    /// Ends a run from outside.
    public func end(_ run: RunKey, _ outcome: RunOutcome) {
        state.withLock { state in
            guard case .running(let started)? = state.runs[run]?.state else { return }
            state.runs[run]?.state = .ended(outcome, startedAt: started, endedAt: state.now)
        }
    }

    public func set(capacity: CentreCapacity) { state.withLock { $0.capacity = capacity } }

    /// How long released runs wait for the engine.
    public func set(startDelay: Duration) { state.withLock { $0.startDelay = startDelay } }

    public var now: Instant { state.withLock { $0.now } }
    /// All calls so far, in order, failed ones too.
    public var calls: [Call] { state.withLock { $0.calls } }
    /// How often a run was started, even one that was lost since: more than once is a fault of the caller or of ours.
    public func starts(of run: RunKey) -> Int { state.withLock { $0.starts[run] ?? 0 } }
    /// What a run was submitted with.
    public func order(of run: RunKey) -> EngineOrder? { state.withLock { $0.runs[run]?.order } }

    // What an engine does.

    public var kind: EngineKind { .fake }

    public func capacity() async throws(EngineError) -> CentreCapacity {
        try perform(.capacity) { state throws(EngineError) in state.capacity }
    }

    public func submit(_ order: EngineOrder) async throws(EngineError) -> String {
        try perform(.submit) { state throws(EngineError) in
            if state.runs[order.run] == nil {
                state.runs[order.run] = Entry(order: order, state: .held, program: self.program(order))
            }
            return "fake-\(order.run)"
        }
    }

    public func release(_ run: RunKey) async throws(EngineError) {
        try perform(.release) { state throws(EngineError) in
            guard let entry = state.runs[run] else { throw .unknownRun(run) }
            guard entry.state == .held else { return }
            if run.number < state.highest[run.job] ?? 0 {
                let outcome = RunOutcome(.lost, detail: "a newer run of this job was claimed here")
                state.runs[run]?.state = .ended(outcome, startedAt: nil, endedAt: state.now)
                return
            }
            state.highest[run.job] = run.number
            state.runs[run]?.state = .pending(nil)
            state.runs[run]?.releasedAt = state.now
            Self.settle(&state)
        }
    }

    public func list() async throws(EngineError) -> [EngineRun] {
        try perform(.list) { state throws(EngineError) in
            state.runs.values.filter { !state.hidden.contains($0.order.run) }.map {
                EngineRun(run: $0.order.run, engineJob: "fake-\($0.order.run)", state: $0.state)
            }
            .sorted { $0.run < $1.run }
        }
    }

    public func cancel(_ run: RunKey, grace: Duration) async throws(EngineError) {
        try perform(.cancel) { state throws(EngineError) in
            guard let entry = state.runs[run] else { throw .unknownRun(run) }
            switch entry.state {
            case .held, .pending:
                state.runs[run]?.state = .ended(RunOutcome(.cancelled), startedAt: nil, endedAt: state.now)
            case .running:
                let at = entry.program.ignoresStop ? state.now + grace : state.now
                state.runs[run]?.stopAt = entry.stopAt.map { min($0, at) } ?? at
                state.runs[run]?.stopOutcome = entry.stopOutcome ?? RunOutcome(.cancelled)
                Self.settle(&state)
            case .ended: break
            }
        }
    }

    public func withdraw(_ run: RunKey) async throws(EngineError) -> Bool {
        try perform(.withdraw) { state throws(EngineError) in
            guard let entry = state.runs[run] else { throw .unknownRun(run) }
            switch entry.state {
            case .held, .pending:
                state.runs[run]?.state = .ended(RunOutcome(.cancelled), startedAt: nil, endedAt: state.now)
                return true
            case .running, .ended: return false
            }
        }
    }

    public func logs(_ run: RunKey, task: Int, from offset: Int64, countMax: Int) async throws(EngineError) -> [UInt8] {
        try perform(.logs) { state throws(EngineError) in
            guard let entry = state.runs[run] else { throw .unknownRun(run) }
            guard entry.starts > 0, task < entry.order.tasks else { return [] }
            return Array(entry.program.output.dropFirst(Int(clamping: max(0, offset))).prefix(max(0, countMax)))
        }
    }

    public func forget(_ run: RunKey) async throws(EngineError) {
        try perform(.forget) { state throws(EngineError) in
            guard let entry = state.runs[run] else { return }
            guard case .ended = entry.state else { throw .refused("The run \(run) has not ended; cancel it first.") }
            state.runs[run] = nil
        }
    }

    private func perform<T: Sendable>(
        _ call: Call,
        _ work: (inout State) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        let result = state.withLock { state -> Result<T, EngineError> in
            state.calls.append(call)
            let at = state.faults.firstIndex { $0.call == call }
            let fault = at.map { state.faults.remove(at: $0) }
            if let fault, !fault.afterItsWork { return .failure(fault.error) }
            do throws(EngineError) {
                let value = try work(&state)
                return fault.map { .failure($0.error) } ?? .success(value)
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Lets everything happen that is due at the present time.
    private static func settle(_ state: inout State) {
        for run in state.runs.keys {
            guard var entry = state.runs[run] else { continue }
            if case .pending = entry.state, let released = entry.releasedAt, released + state.startDelay <= state.now {
                entry.state = .running(startedAt: released + state.startDelay)
                entry.starts += 1
                state.starts[run, default: 0] += 1
            }
            if case .running(let started) = entry.state {
                let limit = started + .seconds(entry.order.timeLimitSeconds)
                var ends: [(Instant, RunOutcome)] = [(limit, RunOutcome(.timeLimit))]
                if let duration = entry.program.duration { ends.append((started + duration, entry.program.outcome)) }
                if let at = entry.stopAt, let outcome = entry.stopOutcome { ends.append((at, outcome)) }
                if let first = ends.min(by: { $0.0 < $1.0 }), first.0 <= state.now {
                    entry.state = .ended(first.1, startedAt: started, endedAt: first.0)
                }
            }
            state.runs[run] = entry
        }
    }
}
