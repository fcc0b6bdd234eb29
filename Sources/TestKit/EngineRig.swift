public import Core
public import Engines

/// What an engine under test can be asked to show.
public enum EngineFeature: Sendable, Hashable, CaseIterable {
    /// Runs real processes with `/bin/sh`.
    case processes
    /// Gives its runs no variables but those of the contract.
    case ownEnvironment
    /// Starts gangs of several processes.
    case gangs
    /// Ends a run that uses more memory than it asked for.
    case memoryLimits
    /// A new driver object on the same state goes on.
    case reopens
    /// The supervising process of a run can be killed.
    case supervisors
    /// Refuses a run whose job has been run again since.
    case fences
}

/// A program that every engine can carry out, real or not.
public struct EngineProgram: Sendable, Hashable {
    public enum End: Sendable, Hashable {
        case exit(Int)
        case signal(Int)
        /// Goes on until somebody stops it.
        case never
    }

    /// What it prints first.
    public var prints: String
    public var end: End
    /// Whether the polite signal does nothing.
    public var ignoresStop: Bool

    public init(prints: String = "", end: End = .exit(0), ignoresStop: Bool = false) {
        self.prints = prints
        self.end = end
        self.ignoresStop = ignoresStop
    }

    /// The same in the language of `/bin/sh`. Each start adds a line to `starts` in the outputs folder.
    public var shell: String {
        let quoted = prints.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
        let end =
            switch end {
            case .exit(let code): "exit \(code)"
            case .signal(let number): "kill -\(number) $$"
            case .never: "while :; do sleep 0.05; done"
            }
        return """
            echo started >> "$ONEPOINT_OUTPUTS/starts"
            \(ignoresStop ? "trap '' TERM" : "")
            printf %s '\(quoted)'
            \(end)
            """
    }
}

/// An engine under test and the small world around it.
public protocol EngineRig: Sendable {
    var features: Set<EngineFeature> { get }
    /// The engine, the same at every call until ``reopen()``.
    func engine() async throws -> any Engine
    /// Throws the driver object away and makes another on the same state.
    func reopen() async throws
    /// A description of a run in folders of its own; `program` is what it is to do.
    func order(_ run: RunKey, program: EngineProgram) async throws -> EngineOrder
    /// Lets a little time pass between two looks.
    func settle() async throws
    /// Kills the process that supervises the run, as `kill -9` does.
    func killSupervisor(of run: RunKey) async throws
    /// The content of a file that the run left in its outputs folder; `nil` when there is none.
    func output(_ name: String, of run: RunKey) async throws -> String?
    /// Whether some process holds a lock (`flock`) on that file in the outputs folder.
    func isLocked(_ name: String, of run: RunKey) async throws -> Bool
}

/// What an engine did wrong.
public struct EngineFault: Error, CustomStringConvertible, Sendable {
    public var description: String
    public init(_ description: String) { self.description = description }
}

/// The words the conformance suite is written in.
public struct EngineBench: Sendable {
    public let rig: any EngineRig

    public init(_ rig: any EngineRig) { self.rig = rig }

    public func newRun(number: Int = 1, of job: JobID? = nil) -> RunKey {
        var generator = SystemRandomNumberGenerator()
        let now = Instant(milliseconds: 1_790_000_000_000)
        return RunKey(job: job ?? JobID(now: now, using: &generator), number: number)
    }

    /// Submits a run of that program, changed by `change`, and returns it held.
    public func submit(
        _ program: EngineProgram,
        run: RunKey? = nil,
        _ change: (inout EngineOrder) -> Void = { _ in }
    ) async throws -> EngineOrder {
        var order = try await rig.order(run ?? newRun(), program: program)
        change(&order)
        _ = try await rig.engine().submit(order)
        return order
    }

    /// As ``submit(_:run:_:)``, and released.
    public func start(
        _ program: EngineProgram,
        run: RunKey? = nil,
        _ change: (inout EngineOrder) -> Void = { _ in }
    ) async throws -> EngineOrder {
        let order = try await submit(program, run: run, change)
        try await rig.engine().release(order.run)
        return order
    }

    /// As ``start(_:run:_:)`` of a text of `/bin/sh`, with further arguments.
    public func shell(
        _ text: String,
        arguments: [String] = [],
        _ change: (inout EngineOrder) -> Void = { _ in }
    ) async throws -> EngineOrder {
        try await start(EngineProgram()) {
            $0.command = ["/bin/sh", "-c", text, "sh"] + arguments
            change(&$0)
        }
    }

    public func state(of run: RunKey) async throws -> EngineRun.State? {
        try await rig.engine().list().first { $0.run == run }?.state
    }

    /// Looks until `isRight` holds; says after `limit` what was seen last.
    public func wait<T>(
        _ what: String,
        limit: Duration = .seconds(240),
        _ look: () async throws -> T,
        until isRight: (T) -> Bool
    ) async throws -> T {
        let begin = ContinuousClock.now
        while true {
            let seen = try await look()
            if isRight(seen) { return seen }
            if ContinuousClock.now - begin > limit {
                throw EngineFault("waited \(limit) for \(what); saw last: \(seen)")
            }
            try await rig.settle()
        }
    }

    /// Waits for the end of a run.
    public func end(of run: RunKey) async throws -> (outcome: RunOutcome, startedAt: Instant?, endedAt: Instant) {
        let seen = try await wait("the end of \(run)", { try await state(of: run) }) {
            if case .ended = $0 { true } else { false }
        }
        guard case .ended(let outcome, let started, let ended) = seen else { throw EngineFault("\(run) has no end") }
        return (outcome, started, ended)
    }

    public func running(_ run: RunKey) async throws {
        _ = try await wait("\(run) to run", { try await state(of: run) }) {
            if case .running = $0 { true } else { false }
        }
    }

    public func log(of run: RunKey, task: Int = 0) async throws -> String {
        let bytes = try await rig.engine().logs(run, task: task, from: 0, countMax: 1 << 20)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Waits until the log holds that text.
    public func says(_ text: String, _ run: RunKey, task: Int = 0) async throws {
        _ = try await wait("'\(text)' in the log of \(run)", { try await log(of: run, task: task) }) { log in
            log.split(separator: text, maxSplits: 1, omittingEmptySubsequences: false).count > 1
        }
    }

    public func expect(_ isRight: Bool, _ what: @autoclosure () -> String) throws {
        if !isRight { throw EngineFault(what()) }
    }

    public func equal<T: Equatable>(_ seen: T, _ wanted: T, _ what: String) throws {
        if seen != wanted { throw EngineFault("\(what): expected \(wanted), saw \(seen)") }
    }

    /// The run must be unknown to the call.
    public func isUnknown(_ run: RunKey, _ what: String, _ call: () async throws -> Void) async throws {
        do {
            try await call()
        } catch EngineError.unknownRun(run) {
            return
        } catch {
            throw EngineFault("\(what) of an unknown run failed with \(error)")
        }
        throw EngineFault("\(what) of an unknown run did not fail")
    }
}
