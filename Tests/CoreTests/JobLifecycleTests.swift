import Testing

@testable import Core

@Suite struct JobLifecycleTests {
    /// What can happen to a job.
    enum Input: Hashable, CaseIterable {
        case place, runEndedCurrent, runEndedOld, runEndedFuture, givenUpCurrent, givenUpOld, cancel
    }

    static func live(_ state: JobState, cancelRequested: Bool = false) -> JobLifecycle {
        JobLifecycle(state: state, runNumber: 2, retriesUsed: 0, cancelRequested: cancelRequested)
    }

    @Test("a terminal job ignores everything", arguments: [JobState.succeeded, .failed, .cancelled], Input.allCases)
    func terminal(state: JobState, input: Input) {
        for kind in RunOutcome.Kind.allCases {
            var job = Self.live(state)
            let before = job
            #expect(apply(input, kind, to: &job).isEmpty)
            #expect(job == before)
        }
    }

    @Test("every state and input: only the listed ones move, and what is returned is what became true")
    func table() {
        for state in JobState.allCases {
            for isCancelled in [false, true] where state == .active || !isCancelled {
                for input in Input.allCases {
                    for kind in RunOutcome.Kind.allCases {
                        for limit in [0, 1] {
                            var job = Self.live(state, cancelRequested: isCancelled)
                            let before = job
                            let changes = apply(input, kind, to: &job, limit: limit)
                            let expected = Self.expected(
                                state,
                                input,
                                kind,
                                isCancelled: isCancelled,
                                mayRetry: limit > 0
                            )
                            #expect(job.state == expected, "\(state) \(input) \(kind) cancel \(isCancelled)")
                            if expected == state, input != .cancel || state != .active {
                                #expect(job == before)
                                #expect(changes.isEmpty)
                            }
                            check(changes, against: job)
                        }
                    }
                }
            }
        }
    }

    /// The table of docs/lifecycle.md.
    static func expected(
        _ state: JobState,
        _ input: Input,
        _ kind: RunOutcome.Kind,
        isCancelled: Bool,
        mayRetry: Bool
    ) -> JobState {
        switch (state, input) {
        case (.succeeded, _), (.failed, _), (.cancelled, _): state
        case (.queued, .place): .active
        case (.queued, .cancel): .cancelled
        case (.queued, _): .queued
        case (.active, .place), (.active, .runEndedOld), (.active, .runEndedFuture), (.active, .givenUpOld): .active
        case (.active, .cancel): .active
        case (.active, .givenUpCurrent): isCancelled ? .cancelled : .queued
        case (.active, .runEndedCurrent):
            switch kind {
            case .succeeded: .succeeded
            case _ where isCancelled: .cancelled
            case .preempted: .queued
            case .cancelled: .cancelled
            case .exit, .signal, .timeLimit, .outOfMemory, .rejected, .missingOutput, .nodeFailure, .lost:
                mayRetry ? .queued : .failed
            }
        }
    }

    private func apply(
        _ input: Input,
        _ kind: RunOutcome.Kind,
        to job: inout JobLifecycle,
        limit: Int = 3
    ) -> [JobLifecycle.Change] {
        let retries = RetryPolicy(limit: limit, on: RetryPolicy.Cause.allCases)
        func end(_ number: Int) -> [JobLifecycle.Change] {
            job.runEnded(number: number, outcome: RunOutcome(kind), retries: retries, now: .start)
        }
        switch input {
        case .place:
            let number = job.place()
            if number != nil { #expect(number == job.runNumber && job.state == .active) }
            return []
        case .runEndedCurrent: return end(2)
        case .runEndedOld: return end(1)
        case .runEndedFuture: return end(3)
        case .givenUpCurrent: return job.runGivenUp(number: 2)
        case .givenUpOld: return job.runGivenUp(number: 1)
        case .cancel: return job.requestCancel(detail: "asked")
        }
    }

    private func check(_ changes: [JobLifecycle.Change], against job: JobLifecycle) {
        #expect(changes.count <= 1)
        switch changes.first {
        case .ended(let state, _): #expect(job.state == state && state.isTerminal && job.notBefore == nil)
        case .requeued(let notBefore, let used):
            #expect(job.state == .queued && job.notBefore == notBefore && job.retriesUsed == used)
        case .cancelRequested(let run):
            #expect(job.state == .active && job.cancelRequested && run == job.runNumber)
        case nil: break
        }
    }

    @Test("runs are numbered from 1 without gaps, and only one is live at a time")
    func numbering() {
        var job = JobLifecycle()
        for number in 1...5 {
            #expect(job.place() == number)
            #expect(job.place() == nil)
            _ = job.runEnded(number: number, outcome: RunOutcome(.preempted), retries: RetryPolicy(), now: .start)
        }
        #expect(job.runNumber == 5)
    }

    @Test("the end of a run counts once: the second report of it changes nothing")
    func endsOnce() {
        var job = JobLifecycle()
        _ = job.place()
        #expect(
            job.runEnded(number: 1, outcome: RunOutcome(.succeeded), retries: RetryPolicy(), now: .start).count == 1
        )
        let before = job
        for kind in RunOutcome.Kind.allCases {
            #expect(
                job.runEnded(number: 1, outcome: RunOutcome(kind), retries: RetryPolicy(limit: 9), now: .start).isEmpty
            )
        }
        #expect(job == before)
    }

    @Test("preemption is no retry: it costs none, waits for nothing, and may happen any number of times")
    func preemption() {
        var job = JobLifecycle()
        for number in 1...50 {
            _ = job.place()
            let changes = job.runEnded(
                number: number,
                outcome: RunOutcome(.preempted),
                retries: RetryPolicy(limit: 0, on: []),
                now: .start
            )
            #expect(changes == [.requeued(notBefore: nil, retriesUsed: 0)])
        }
    }

    @Test("a run given up is no retry either")
    func givenUp() {
        var job = JobLifecycle()
        _ = job.place()
        #expect(job.runGivenUp(number: 1) == [.requeued(notBefore: nil, retriesUsed: 0)])
        #expect(job.place() == 2)
        // The late twin's own word about run 1 is about an old fence.
        #expect(job.runEnded(number: 1, outcome: RunOutcome(.succeeded), retries: RetryPolicy(), now: .start).isEmpty)
        #expect(job.state == .active)
    }

    @Test("repeats wait 1, 2, 4 … seconds, never more than an hour, and stop at the limit")
    func backoff() {
        var job = JobLifecycle()
        let retries = RetryPolicy(limit: 20, on: [.exit], backoffSeconds: 1)
        var waits: [Int64] = []
        for number in 1...21 {
            _ = job.place()
            #expect(job.notBefore == nil)
            for change in job.runEnded(
                number: number,
                outcome: RunOutcome(.exit, code: 1),
                retries: retries,
                now: .start
            ) {
                if case .requeued(let notBefore, let used) = change {
                    #expect(used == number)
                    waits.append(notBefore.map { ($0 - .start).milliseconds / 1000 } ?? -1)
                }
            }
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] + Array(repeating: 3600, count: 8))
        #expect(job.state == .failed)
        #expect(job.retriesUsed == 20)
    }

    @Test(
        "the wait is between nothing and an hour whatever the policy and the count say",
        arguments: [Int.min, -1, 0, 1, 7, 3599, 3600, 3601, 1 << 52, 1 << 61, Int.max],
        [Int.min, -1, 0, 1, 11, 12, 13, 63, 64, Int.max]
    )
    func waitIsBounded(backoffSeconds: Int, used: Int) {
        let wait = RetryPolicy(backoffSeconds: backoffSeconds).wait(before: used)
        #expect((0...3600).contains(wait))
        if backoffSeconds >= 3600 { #expect(wait == 3600) }
        if backoffSeconds <= 0 { #expect(wait == 0) }
    }

    @Test("only the causes that the policy names are repeated", arguments: RunOutcome.Kind.allCases)
    func causes(kind: RunOutcome.Kind) {
        for cause in RetryPolicy.Cause.allCases {
            var job = JobLifecycle()
            _ = job.place()
            _ = job.runEnded(
                number: 1,
                outcome: RunOutcome(kind),
                retries: RetryPolicy(limit: 1, on: [cause]),
                now: .start
            )
            let isRepeated = RunOutcome(kind).retryCause == cause || kind == .preempted
            #expect((job.state == .queued) == isRepeated, "\(kind) under \(cause)")
        }
    }

    @Test("a cancel of a waiting job ends it at once, and of a running one is noted once and wins over every other end")
    func cancel() {
        var waiting = JobLifecycle()
        #expect(waiting.requestCancel(detail: "by alice") == [.ended(.cancelled, detail: "by alice")])
        for kind in RunOutcome.Kind.allCases {
            var job = JobLifecycle()
            _ = job.place()
            #expect(job.requestCancel(detail: nil) == [.cancelRequested(run: 1)])
            #expect(job.requestCancel(detail: nil).isEmpty)
            let retries = RetryPolicy(limit: 9, on: RetryPolicy.Cause.allCases)
            _ = job.runEnded(number: 1, outcome: RunOutcome(kind), retries: retries, now: .start)
            // What had succeeded before the wish arrived has succeeded.
            #expect(job.state == (kind == .succeeded ? .succeeded : .cancelled), "\(kind)")
        }
    }

    @Test("a job to be cancelled whose centre is given up is cancelled, not run again")
    func cancelThenGiveUp() {
        var job = JobLifecycle()
        _ = job.place()
        _ = job.requestCancel(detail: nil)
        _ = job.runGivenUp(number: 1)
        #expect(job.state == .cancelled)
    }

    @Test("a cancel between two attempts ends the job and forgets the wait")
    func cancelDuringBackoff() {
        var job = JobLifecycle()
        _ = job.place()
        let retries = RetryPolicy(limit: 1, on: [.exit])
        _ = job.runEnded(number: 1, outcome: RunOutcome(.exit), retries: retries, now: .start)
        #expect(job.notBefore != nil)
        _ = job.requestCancel(detail: nil)
        #expect(job.state == .cancelled)
        #expect(job.notBefore == nil)
    }

    @Test("a random history never leaves a terminal state, never lowers a number and ends at most once")
    func property() {
        var generator = seeded("job lifecycle")
        for _ in 0..<500 {
            var job = JobLifecycle()
            var ends = 0
            for _ in 0..<40 {
                let before = job
                var changes: [JobLifecycle.Change] = []
                switch Int.random(in: 0..<5, using: &generator) {
                case 0, 1: _ = job.place()
                case 2:
                    changes = job.runEnded(
                        number: Int.random(in: 0...job.runNumber + 1, using: &generator),
                        outcome: RunOutcome(RunOutcome.Kind.allCases.randomElement(using: &generator) ?? .lost),
                        retries: RetryPolicy(limit: 3, on: RetryPolicy.Cause.allCases),
                        now: .start
                    )
                case 3: changes = job.runGivenUp(number: job.runNumber)
                default:
                    if Int.random(in: 0..<8, using: &generator) == 0 { changes = job.requestCancel(detail: nil) }
                }
                if before.state.isTerminal { #expect(job == before) }
                #expect(job.runNumber >= before.runNumber && job.retriesUsed >= before.retriesUsed)
                #expect(job.retriesUsed <= 3)
                ends += changes.count { if case .ended = $0 { true } else { false } }
            }
            #expect(ends == (job.state.isTerminal ? 1 : 0))
        }
    }
}

@Suite struct DependencyTests {
    @Test("a dependency reads the id of a job or an array, and nothing else")
    func text() {
        let job = Dependency.job(.fixture())
        let array = Dependency.array(.fixture())
        #expect(Dependency(job.description) == job)
        #expect(Dependency(array.description) == array)
        #expect(Dependency("train") == nil)
        #expect(Dependency("wf-\(JobID.fixture().base32)") == nil)
    }
}
