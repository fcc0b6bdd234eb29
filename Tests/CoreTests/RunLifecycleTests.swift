import Testing

@testable import Core

@Suite struct RunLifecycleTests {
    enum Input: Hashable, CaseIterable {
        case offer, submitting, staging, pending, waiting, running, delivering, succeeded, failed, lost
        case loseSight, regainSight, cancel, preempt, consolidate, drain, superseded, giveUp
    }

    /// Every life that transitions can reach, found by walking; with the inputs that led there.
    static let reachable: [RunLifecycle: [Input]] = {
        var found: [RunLifecycle: [Input]] = [RunLifecycle(): []]
        var frontier = [RunLifecycle()]
        while let life = frontier.popLast() {
            for input in Input.allCases {
                var next = life
                _ = apply(input, to: &next)
                if found[next] == nil {
                    found[next] = (found[life] ?? []) + [input]
                    frontier.append(next)
                }
            }
        }
        return found
    }()

    static let live = reachable.keys.filter { !$0.state.isTerminal }
    static let terminal = reachable.keys.filter { $0.state.isTerminal }

    @discardableResult
    static func apply(_ input: Input, to life: inout RunLifecycle) -> [RunLifecycle.Change] {
        func end(_ kind: RunOutcome.Kind) -> [RunLifecycle.Change] {
            life.observe(RunObservation(phase: .ended, endedAt: .start, outcome: RunOutcome(kind)), now: .start)
        }
        return switch input {
        case .offer: life.offer()
        case .submitting: life.observe(RunObservation(phase: .submitting), now: .start)
        case .staging: life.observe(RunObservation(phase: .submitting, waiting: "staging in"), now: .start)
        case .pending: life.observe(RunObservation(phase: .pending, engineJob: "e1"), now: .start)
        case .waiting:
            life.observe(RunObservation(phase: .pending, engineJob: "e1", waiting: "Resources"), now: .start)
        case .running: life.observe(RunObservation(phase: .running, engineJob: "e1", startedAt: .start), now: .start)
        case .delivering:
            life.observe(
                RunObservation(phase: .running, engineJob: "e1", startedAt: .start, waiting: "uploading out"),
                now: .start
            )
        case .succeeded: end(.succeeded)
        case .failed: end(.exit)
        case .lost: life.observe(RunObservation(phase: .ended), now: .start)
        case .loseSight: life.loseSight(since: .start)
        case .regainSight: life.regainSight()
        case .cancel: life.requestStop(.cancel, now: .start)
        case .preempt: life.requestStop(.preempt, now: .start)
        case .consolidate: life.requestStop(.consolidate, now: .start)
        case .drain: life.requestStop(.drain, now: .start)
        case .superseded: life.requestStop(.superseded, now: .start)
        case .giveUp: life.giveUp(now: .start)
        }
    }

    /// What the views make of the changes that were written down: the store's own rules, in short.
    static func replay(_ changes: [RunLifecycle.Change], onto life: RunLifecycle) -> RunLifecycle {
        var (state, lease, stop, unseen) = (life.state, life.lease, life.stop, life.unseenSince)
        var waiting = life.waiting
        for change in changes {
            switch change {
            case .offered: lease = .offered
            case .accepted:
                lease = .accepted
                if state == .leased { state = .submitting }
            case .pending: state = .pending
            case .waits(let reason): waiting = reason
            case .started: (state, waiting) = (.running, nil)
            case .ended(let outcome, _): (state, lease, waiting) = (outcome.state, .ended, nil)
            case .unseen(let since): unseen = since
            case .seen: unseen = nil
            case .stopRequested(let reason): stop = reason
            }
        }
        return RunLifecycle(state: state, lease: lease, stop: stop, unseenSince: unseen, waiting: waiting)
    }

    @Test("a terminal state wins once: no input moves it or is worth writing down", arguments: Input.allCases)
    func terminalWins(input: Input) {
        #expect(!Self.terminal.isEmpty)
        for before in Self.terminal {
            var life = before
            #expect(Self.apply(input, to: &life).isEmpty)
            #expect(life == before)
        }
    }

    @Test("what is written down is exactly what changed, from every reachable life", arguments: Input.allCases)
    func changesTellAll(input: Input) {
        for before in Self.reachable.keys {
            var life = before
            let changes = Self.apply(input, to: &life)
            #expect(Self.replay(changes, onto: before) == life, "\(input) after \(Self.reachable[before] ?? [])")
            #expect(changes.isEmpty == (life == before))
        }
    }

    @Test("a repeat of the same input changes nothing more, from every reachable life", arguments: Input.allCases)
    func repeats(input: Input) {
        for before in Self.reachable.keys {
            var life = before
            Self.apply(input, to: &life)
            let once = life
            #expect(Self.apply(input, to: &life).isEmpty, "\(input) after \(Self.reachable[before] ?? [])")
            #expect(life == once)
        }
    }

    @Test("states only move forward", arguments: Input.allCases)
    func forward(input: Input) {
        for before in Self.reachable.keys {
            var life = before
            Self.apply(input, to: &life)
            #expect(life.state.rank >= before.state.rank)
            if life.state.rank == before.state.rank { #expect(life.state == before.state) }
        }
    }

    @Test("in every reachable life the lease fits the state")
    func leaseFits() {
        for life in Self.reachable.keys {
            #expect((life.lease == .ended) == life.state.isTerminal)
            switch life.lease {
            case .granted:
                #expect(life.state == .leased && life.unseenSince == nil && life.stop == nil)
            case .offered: #expect(life.state == .leased)
            case .accepted: #expect(life.state != .leased)
            case .ended: break
            }
        }
    }

    @Test("any order of an agent's reports ends in the state of the latest phase")
    func outOfOrder() {
        let reports: [Input] = [.submitting, .pending, .running, .succeeded]
        for first in reports {
            for second in reports {
                for third in reports {
                    var life = RunLifecycle()
                    for input in [first, second, third] { Self.apply(input, to: &life) }
                    let furthest = [first, second, third].max {
                        (reports.firstIndex(of: $0) ?? 0) < (reports.firstIndex(of: $1) ?? 0)
                    }
                    let expected: RunState =
                        switch furthest {
                        case .submitting: .submitting
                        case .pending: .pending
                        case .running: .running
                        default: .succeeded
                        }
                    #expect(life.state == expected)
                }
            }
        }
    }

    @Test("what a run waits for is its inputs, then its turn, then its outputs, and a late word changes none of it")
    func waits() {
        var life = RunLifecycle(state: .leased, lease: .offered)
        Self.apply(.staging, to: &life)
        #expect(life.state == .submitting && life.waiting == "staging in")
        Self.apply(.pending, to: &life)
        #expect(life.state == .pending && life.waiting == nil)
        Self.apply(.waiting, to: &life)
        Self.apply(.staging, to: &life)
        #expect(life.waiting == "Resources")
        Self.apply(.running, to: &life)
        Self.apply(.staging, to: &life)
        #expect(life.state == .running && life.waiting == nil)
        // It has ended at its engine, and its outputs are on their way.
        #expect(Self.apply(.delivering, to: &life) == [.waits("uploading out")])
        #expect(Self.apply(.delivering, to: &life) == [])
        #expect(life.state == .running && life.waiting == "uploading out")
        Self.apply(.succeeded, to: &life)
        #expect(life.state == .succeeded && life.waiting == nil)
    }

    @Test("a run whose start is heard of when its outputs are on their way has started, and waits for them")
    func delivers() {
        var life = RunLifecycle(state: .leased, lease: .offered)
        let changes = Self.apply(.delivering, to: &life)
        #expect(changes == [.accepted, .pending(engineJob: "e1"), .started(at: .start), .waits("uploading out")])
    }

    @Test("an engine that gives its runs no name is believed all the same: waiting is written down")
    func pendingWithoutName() {
        var life = RunLifecycle(state: .submitting, lease: .accepted)
        let changes = life.observe(RunObservation(phase: .pending), now: .start)
        #expect(changes == [.pending(engineJob: nil)])
        #expect(life.state == .pending)
    }

    @Test("a run whose first report is its end is accepted, named, started and ended in one go")
    func wholeLifeInOneReport() {
        var life = RunLifecycle()
        let changes = life.observe(
            RunObservation(
                phase: .ended,
                engineJob: "e1",
                startedAt: .start,
                endedAt: .after(5),
                outcome: RunOutcome(.succeeded)
            ),
            now: .after(9)
        )
        #expect(
            changes == [
                .accepted, .pending(engineJob: "e1"), .started(at: .start),
                .ended(RunOutcome(.succeeded), at: .after(5)),
            ]
        )
    }

    @Test("an end without an outcome is a loss, and its time is ours")
    func endWithoutOutcome() {
        var life = RunLifecycle(state: .running, lease: .accepted)
        let changes = life.observe(RunObservation(phase: .ended), now: .after(3))
        guard case .ended(let outcome, let at) = changes.last else {
            Issue.record("no end among \(changes)")
            return
        }
        #expect(outcome.kind == .lost && at == .after(3))
    }

    @Test("a centre whose clock is ahead cannot put a start or an end into our future")
    func clockAhead() {
        var life = RunLifecycle(state: .submitting, lease: .accepted)
        let running = life.observe(RunObservation(phase: .running, startedAt: .after(86_400)), now: .start)
        #expect(running == [.started(at: .start)])
        let ended = life.observe(
            RunObservation(phase: .ended, endedAt: .after(90_000), outcome: RunOutcome(.succeeded)),
            now: .after(5)
        )
        #expect(ended == [.ended(RunOutcome(.succeeded), at: .after(5))])
    }

    @Test("a start is written down once, by the report that brings it or by our own clock")
    func startedOnce() {
        var life = RunLifecycle(state: .pending, lease: .accepted)
        #expect(life.observe(RunObservation(phase: .running), now: .after(2)) == [.started(at: .after(2))])
        let ended = life.observe(
            RunObservation(phase: .ended, startedAt: .start, endedAt: .after(4), outcome: RunOutcome(.succeeded)),
            now: .after(5)
        )
        #expect(ended == [.ended(RunOutcome(.succeeded), at: .after(4))])
    }

    @Test("a lease that nobody was told of can be taken back at once", arguments: StopReason.allCases)
    func stopGranted(reason: StopReason) {
        var life = RunLifecycle()
        let changes = life.requestStop(reason, now: .start)
        #expect(life.state == RunOutcome(reason.outcome).state && life.lease == .ended)
        #expect(changes.count == 1)
    }

    @Test("a lease that was offered ends only by the agent's word", arguments: StopReason.allCases)
    func stopOffered(reason: StopReason) {
        var life = RunLifecycle()
        _ = life.offer()
        #expect(life.requestStop(reason, now: .start) == [.stopRequested(reason)])
        #expect(life.state == .leased && life.lease == .offered)
    }

    @Test("a cancel overrides a softer wish, any wish the one to take it back, and a softer wish never anything else")
    func stopOverrides() {
        for first in StopReason.allCases {
            for second in StopReason.allCases {
                var life = RunLifecycle(state: .pending, lease: .accepted)
                _ = life.requestStop(first, now: .start)
                _ = life.requestStop(second, now: .start)
                let isHarder = second == .cancel || first == .withdraw
                #expect(life.stop == (isHarder ? second : first), "\(first) then \(second)")
            }
        }
    }

    @Test("what has started is not taken back, and asked nothing any more")
    func withdraw() {
        var life = RunLifecycle(state: .pending, lease: .accepted)
        #expect(life.requestStop(.withdraw, now: .start) == [.stopRequested(.withdraw)])
        _ = life.observe(.init(phase: .running, startedAt: .after(1)), now: .after(2))
        #expect(life.state == .running && life.stop == nil)
        #expect(life.requestStop(.withdraw, now: .after(3)).isEmpty)
        var cancelled = RunLifecycle(state: .pending, lease: .accepted, stop: .cancel)
        _ = cancelled.observe(.init(phase: .running, startedAt: .after(1)), now: .after(2))
        #expect(cancelled.stop == .cancel)
    }

    @Test("a centre's silence marks what it was told of and nothing else, and keeps the first moment")
    func loseSight() {
        var granted = RunLifecycle()
        #expect(granted.loseSight(since: .start).isEmpty)
        var offered = RunLifecycle()
        _ = offered.offer()
        #expect(offered.loseSight(since: .start) == [.unseen(since: .start)])
        #expect(offered.loseSight(since: .after(9)).isEmpty)
        #expect(offered.unseenSince == .start)
        #expect(offered.state == .leased)
    }

    @Test("sight comes back by a report or by the agent's holding it, once")
    func regain() {
        var held = RunLifecycle(state: .running, lease: .accepted, unseenSince: .start)
        #expect(held.regainSight() == [.seen])
        #expect(held.regainSight().isEmpty)
        var reported = RunLifecycle(state: .running, lease: .accepted, unseenSince: .start)
        #expect(reported.observe(RunObservation(phase: .running), now: .after(1)) == [.seen])
    }

    @Test("only an unseen run can be given up, and the centre's order to stop it is written down with it")
    func giveUp() {
        for before in Self.live {
            var life = before
            let changes = life.giveUp(now: .after(60))
            guard before.unseenSince != nil else {
                #expect(changes.isEmpty && life == before)
                continue
            }
            #expect(life.state == .lost && life.lease == .ended && life.stop == .superseded)
            #expect(changes.first == .stopRequested(.superseded))
            guard case .ended(let outcome, let at) = changes.last else {
                Issue.record("no end among \(changes)")
                continue
            }
            #expect(outcome.kind == .lost && at == .after(60))
        }
    }

    @Test("the late twin of a run given up changes nothing, whatever it says")
    func lateTwin() {
        var life = RunLifecycle(state: .running, lease: .accepted, unseenSince: .start)
        _ = life.giveUp(now: .after(60))
        let before = life
        for input in Input.allCases { #expect(Self.apply(input, to: &life).isEmpty) }
        #expect(life == before)
    }

    @Test("every outcome has a state, a sentence and, unless the policy never repeats it, a cause")
    func outcomes() {
        for kind in RunOutcome.Kind.allCases {
            #expect(RunOutcome(kind).state.isTerminal)
            #expect(!RunOutcome(kind, code: 3, detail: "the disk").summary.isEmpty)
            #expect(RunOutcome(kind, detail: "the disk").summary.hasSuffix(": the disk"))
            let isRetried = ![.succeeded, .cancelled, .preempted].contains(kind)
            #expect((RunOutcome(kind).retryCause != nil) == isRetried)
        }
        for reason in StopReason.allCases { #expect(RunOutcome(reason.outcome).state.isTerminal) }
    }
}
