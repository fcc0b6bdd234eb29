import Core
import Engines
import Glibc
import Synchronization
import TestKit
import Testing
import Wire

@testable import Agent

@Suite struct AgentTests {
    @Test("a run is staged, held, released, followed, delivered and forgotten")
    func wholeWay() async throws {
        let text = String(repeating: "line of a log\n", count: 50_000)
        let site = Site(output: "result") { _ in .init(output: Array(text.utf8)) }
        let input = site.blob("input")
        try await site.start()
        let run = site.lease(inputs: [.init(path: "data/in", kind: .file, digest: input)]) { $0.outputs = ["out"] }
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        let entry = try #require(site.point.entry(run))
        #expect(entry.end?.outcome?.kind == .succeeded)
        #expect(entry.end?.artifacts.map(\.digest) == [digest(of: "result".utf8)])
        #expect(site.point.with { $0.granted.contains(digest(of: "result".utf8)) })
        #expect(entry.logs[0] == Array(text.utf8))
        #expect(entry.sealed == [0])
        #expect(site.point.with { $0.logBytesRepeated } == 0)
        #expect(site.fake.starts(of: run) == 1)
        #expect(try await site.fake.list().isEmpty)
    }

    @Test(
        "killed at any call and started anew, the agent releases once and delivers everything",
        .timeLimit(.minutes(10))
    )
    func killedAnywhere() async throws {
        let text = String(repeating: "x", count: 300_000)
        var place = 1
        var reached = true
        while reached {
            let site = Site(output: "result") { _ in .init(output: Array(text.utf8)) }
            let input = site.blob("input")
            site.point.fuse.set(at: place)
            let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)]) { $0.outputs = ["out"] }
            try await site.start()
            await site.wait("the fuse blows at \(place), or all is done") {
                site.point.fuse.isBlown || (site.outcome(run) != nil && site.names("runs").isEmpty)
            }
            reached = site.point.fuse.isBlown
            await site.kill()
            try await site.start()
            await site.wait("the run ends after a kill at \(place)") { site.outcome(run) != nil }
            await site.waitForgotten()
            await site.kill()
            let entry = try #require(site.point.entry(run))
            #expect(entry.end?.outcome?.kind == .succeeded, "killed at \(place)")
            #expect(entry.logs[0]?.count == text.utf8.count, "killed at \(place)")
            #expect(entry.sealed == [0], "killed at \(place)")
            #expect(site.fake.starts(of: run) == 1, "killed at \(place)")
            #expect(entry.end?.artifacts.map(\.digest) == [digest(of: "result".utf8)], "killed at \(place)")
            place += place < 24 ? 1 : 4
        }
        #expect(place > 30)
    }

    @Test("over a link that loses and repeats calls every run is released once and every log is whole")
    func lossyLink() async throws {
        let seed = SeededGenerator.seed("AgentTests.lossyLink")
        let site = Site(output: "result") { order in .init(output: Array("\(order.run)".utf8)) }
        site.point.with {
            $0.generator = SeededGenerator(seed)
            $0.loss = 150
        }
        let input = site.blob("shared")
        let runs = (1...30).map { index in
            site.lease(UInt64(index), inputs: [.init(path: "in", kind: .file, digest: input)]) { $0.outputs = ["out"] }
        }
        try await site.start()
        for _ in 0..<3 {
            let before = site.point.with { $0.exchanges }
            await site.wait("some exchanges") { site.point.with { $0.exchanges } > before + 10 }
            await site.kill()
            try await site.start()
        }
        await site.wait("all runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        await site.waitForgotten()
        await site.kill()
        for run in runs {
            #expect(site.outcome(run) == .succeeded)
            #expect(site.fake.starts(of: run) == 1)
            #expect(site.point.entry(run)?.logs[0] == Array("\(run)".utf8))
        }
    }

    @Test("the same bytes are fetched once for many runs, and one run's refusal is not another's")
    func staging() async throws {
        let site = Site()
        let input = site.blob("shared")
        let runs = (1...20).map { site.lease(UInt64($0), inputs: [.init(path: "in", kind: .file, digest: input)]) }
        site.point.with { $0.refusesDownloads = runs[0] }
        try await site.start()
        await site.wait("all runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        await site.waitForgotten()
        await site.kill()
        for run in runs.dropFirst() { #expect(site.outcome(run) == .succeeded) }
        #expect(site.point.with { $0.downloads[input] } == [0])
        // One list serves all; there is not one for each run.
        #expect(site.fake.calls.count { $0 == .list } < 5000)
    }

    @Test("an output that was promised and is not there is the run's failure")
    func missingOutput() async throws {
        let site = Site()
        try await site.start()
        let run = site.lease { $0.outputs = ["out"] }
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .missingOutput)
    }

    @Test("a stop before the submission ends the run without a start")
    func stopBefore() async throws {
        let site = Site()
        let run = site.lease()
        site.point.with { $0.runs[run]?.stop = .cancel }
        try await site.start()
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .cancelled)
        #expect(site.fake.starts(of: run) == 0)
        #expect(!site.fake.calls.contains(.release))
    }

    @Test("a stop while it runs ends it as what the stop was for", arguments: [StopReason.cancel, .preempt, .drain])
    func stopAfter(reason: StopReason) async throws {
        let site = Site { _ in .init(duration: nil) }
        let run = site.lease()
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        site.point.with { $0.runs[run]?.stop = reason }
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == reason.outcome)
    }

    @Test("a run that its engine has forgotten is lost, but only after asking again")
    func forgotten() async throws {
        let site = Site { _ in .init(duration: nil) }
        let run = site.lease()
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        for _ in 0..<20 { site.fake.fail(.init(.list)) }
        let lists = site.fake.calls.count { $0 == .list }
        await site.wait("the engine is asked although it does not answer") {
            site.fake.calls.count { $0 == .list } >= lists + 20
        }
        #expect(site.outcome(run) == nil)
        let before = site.fake.calls.count { $0 == .list }
        site.fake.lose(run)
        await site.wait("the run ends") { site.outcome(run) != nil }
        #expect(site.outcome(run) == .lost)
        #expect(site.fake.calls.count { $0 == .list } >= before + 3)
        await site.waitForgotten()
        await site.kill()
    }

    @Test("a run that its engine forgot, and before that did not answer when it was released, is not submitted anew")
    func forgottenUnseen() async throws {
        let site = Site { _ in .init(duration: nil) }
        let run = site.lease()
        site.fake.fail(.init(.release, afterItsWork: true))
        for _ in 0..<200 { site.fake.fail(.init(.list)) }
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        site.fake.lose(run)
        site.fake.answerAgain()
        await site.wait("the run ends") { site.outcome(run) != nil }
        #expect(site.outcome(run) == .lost)
        #expect(site.fake.starts(of: run) == 1)
        #expect(site.fake.calls.count { $0 == .submit } == 1)
        await site.waitForgotten()
        await site.kill()
    }

    @Test("nor are those that ran when the agent was started anew, and could not be looked at")
    func forgottenAfterRestart() async throws {
        let site = Site { _ in .init(duration: nil) }
        // Many, since it depends on the moment at which one is forgotten.
        let runs = (1...30).map { site.lease($0) }
        try await site.start()
        await site.wait("the runs start") { runs.allSatisfy { site.fake.starts(of: $0) == 1 } }
        await site.kill()
        for _ in 0..<2000 { site.fake.fail(.init(.logs)) }
        let looks = site.fake.calls.count { $0 == .logs }
        try await site.start()
        await site.wait("their logs are asked for in vain") { site.fake.calls.count { $0 == .logs } > looks + 30 }
        for run in runs { site.fake.lose(run) }
        await site.wait("a look finds none of them") { site.fake.calls.count { $0 == .logs } > looks + 60 }
        site.fake.answerAgain()
        await site.wait("the runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        #expect(runs.allSatisfy { site.outcome($0) == .lost })
        #expect(site.fake.calls.count { $0 == .submit } == runs.count)
        await site.waitForgotten()
        await site.kill()
    }

    @Test("what was released is not begun anew, though it ended and was forgotten while no agent lived")
    func forgottenWithoutAgent() async throws {
        let site = Site { _ in .init(duration: nil) }
        let runs = (1...30).map { site.lease($0) }
        try await site.start()
        await site.wait("the runs start") { runs.allSatisfy { site.fake.starts(of: $0) == 1 } }
        await site.kill()
        for run in runs { site.fake.lose(run) }
        try await site.start()
        await site.wait("the runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        #expect(runs.allSatisfy { site.outcome($0) == .lost })
        #expect(site.fake.calls.count { $0 == .submit } == runs.count)
        await site.waitForgotten()
        await site.kill()
    }

    @Test("a run that the engine's list leaves out for a while is neither lost nor stopped")
    func leftOut() async throws {
        let site = Site { _ in .init(duration: .seconds(60)) }
        let run = site.lease()
        var pace = Site.pace
        pace.absenceMin = .seconds(3600)
        try await site.start(pace)
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        site.fake.list(run, hidden: true)
        let lists = site.fake.calls.count { $0 == .list }
        await site.wait("the engine was listed without it many times") {
            site.fake.calls.count { $0 == .list } >= lists + 20
        }
        #expect(site.outcome(run) == nil)
        site.fake.list(run, hidden: false)
        site.fake.advance(by: .seconds(60))
        await site.wait("the run ends") { site.outcome(run) != nil }
        #expect(site.outcome(run) == .succeeded)
        #expect(!site.fake.calls.contains(.cancel))
        await site.waitForgotten()
        await site.kill()
    }

    @Test("the agent goes on without the point, and tells it all when it is back")
    func pointAway() async throws {
        let site = Site(output: "result") { _ in .init(output: Array("log".utf8), duration: .seconds(1)) }
        let run = site.lease { $0.outputs = ["out"] }
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        site.point.with { $0.isDown = true }
        site.fake.advance(by: .seconds(5))
        await site.kill()
        try await site.start()
        let lists = site.fake.calls.count { $0 == .list }
        await site.wait("the engine is looked at") { site.fake.calls.count { $0 == .list } > lists + 3 }
        #expect(site.outcome(run) == nil)
        site.point.with { $0.isDown = false }
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .succeeded)
        #expect(site.point.entry(run)?.logs[0] == Array("log".utf8))
        #expect(site.fake.starts(of: run) == 1)
    }

    @Test("what others hold is told once, again when the point was away, and what cannot be seen holds up nothing")
    func others() async throws {
        let site = Site { _ in .init(duration: .seconds(1)) }
        site.engine.standing.withLock { $0 = [NodeShare(node: "fake-2", tasks: 1)] }
        let run = site.lease()
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        await site.wait("where it stands is told") {
            site.point.with { $0.nodes[run] } == [NodeShare(node: "fake-2", tasks: 1)]
        }
        #expect(site.point.with { $0.others }.isEmpty)
        let uses = [NodeUse(node: "fake-1", cores: 1000, memory: .gibi(1))]
        site.engine.held.withLock { $0 = uses }
        await site.wait("it is told") { site.point.with { $0.others.last } == uses }
        func asksAgain() async {
            let exchanges = site.point.with { $0.exchanges }
            await site.wait("the point is asked again") { site.point.with { $0.exchanges } > exchanges + 2 }
        }
        await asksAgain()
        let told = site.point.with { $0.others.count }
        await asksAgain()
        #expect(site.point.with { $0.others.count } == told)
        site.point.with { $0.isDown = true }
        await asksAgain()
        site.point.with { $0.isDown = false }
        await site.wait("it is told again") { site.point.with { $0.others.count } > told }
        site.engine.held.withLock { $0 = [] }
        await site.wait("that they have left is told") { site.point.with { $0.others.last } == [] }
        await site.kill()
    }

    @Test("a run that the point gave up is stopped, or when it has ended forgotten", arguments: [true, false])
    func givenUp(hasEnded: Bool) async throws {
        let site = Site(output: "result") { _ in .init(duration: .seconds(1)) }
        let run = site.lease { $0.outputs = ["out"] }
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        await site.kill()
        site.point.with {
            $0.runs[run]?.isGivenUp = true
            $0.runs[run]?.stop = .superseded
        }
        if hasEnded { site.fake.advance(by: .seconds(5)) }
        try await site.start()
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == nil)
        #expect(try await site.fake.list().isEmpty)
        #expect(site.point.with { $0.uploadsBegun } == 0)
    }

    @Test("a held run that the point has settled is never released")
    func settledHeld() async throws {
        let site = Site()
        let run = site.lease()
        try await site.accepted(run)
        site.point.with { $0.runs[run]?.isGivenUp = true }
        try await site.start()
        await site.waitForgotten()
        await site.kill()
        #expect(site.fake.starts(of: run) == 0)
        #expect(try await site.fake.list().isEmpty)
    }

    @Test("a run that the point does not know is not started, and not asked about in a tight circle")
    func unknown() async throws {
        let site = Site()
        let run = site.lease()
        try await site.accepted(run)
        site.point.with { $0.runs = [:] }
        try await site.start()
        let before = site.point.with { $0.exchanges }
        await site.wait("some exchanges") { site.point.with { $0.exchanges } > before + 20 }
        await site.kill()
        #expect(site.fake.starts(of: run) == 0)
        #expect(!site.names("runs").isEmpty)
    }

    @Test("a record that cannot be read is kept aside, and the others go on")
    func unreadable() async throws {
        let site = Site()
        let folder = try AgentFolder(root: site.path, threads: pool)
        let run = site.lease()
        let order = try #require(site.point.entry(run)?.order)
        try await folder.save(AgentRecord(order: order))
        let (found, _) = try await folder.load()
        #expect(found.map(\.key) == [run])
        let other = RunKey(job: JobID(high: 1, low: 99), number: 1)
        let file = "\(site.path)/runs/\(other).json"
        try #require(write("{", to: file))
        let (rest, aside) = try await folder.load()
        #expect(rest.map(\.key) == [run])
        #expect(aside == ["\(other).json"])
        #expect(site.names("runs").contains("\(other).json.unreadable"))
    }

    @Test("what the engine has and no record here is of goes on when it is live for the point")
    func strayAdopted() async throws {
        let site = Site(output: "result") { _ in .init(output: Array("log".utf8), duration: .seconds(1)) }
        let run = site.lease { $0.outputs = ["out"] }
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        await site.kill()
        try #require(unlink("\(site.path)/runs/\(run).json") == 0)
        try await site.start()
        await site.wait("the run is taken up again") { site.names("runs").contains("\(run).json") }
        site.fake.advance(by: .seconds(5))
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .succeeded)
        #expect(site.point.entry(run)?.logs[0] == Array("log".utf8))
        #expect(site.fake.starts(of: run) == 1)
    }

    @Test("an agent names no strays before it has seen its engine")
    func blind() async throws {
        let site = Site { _ in .init(duration: nil) }
        let run = site.lease()
        try await site.start()
        await site.wait("the run starts") { site.fake.starts(of: run) == 1 }
        await site.kill()
        try #require(unlink("\(site.path)/runs/\(run).json") == 0)
        for _ in 0..<20 { site.fake.fail(.init(.list)) }
        site.point.with { $0.strays = [] }
        try await site.start()
        await site.wait("the run is taken up again") { site.names("runs").contains("\(run).json") }
        let strays = site.point.with { $0.strays }
        let seen = try #require(strays.firstIndex { $0 != nil })
        #expect(seen > 0)
        #expect(strays[seen] == [run])
        #expect(strays[seen...].allSatisfy { $0 != nil })
        await site.kill()
    }

    @Test(
        """
        a stray that is over for the point is ended and its log brought, however often the engine fails; one that is \
        unknown is left alone
        """
    )
    func strayCleared() async throws {
        let site = Site { _ in .init(output: Array("log".utf8), duration: nil) }
        let (over, unknown) = (site.lease(1), site.lease(2))
        try await site.start()
        await site.wait("the runs start") { [over, unknown].allSatisfy { site.fake.starts(of: $0) == 1 } }
        await site.kill()
        for run in [over, unknown] { try #require(unlink("\(site.path)/runs/\(run).json") == 0) }
        site.point.with {
            $0.runs[over]?.isGivenUp = true
            // As if nothing of it had come before the record was lost.
            $0.runs[over]?.logs = [:]
            $0.runs[unknown] = nil
        }
        for call in [FakeEngine.Call.cancel, .cancel, .forget] { site.fake.fail(.init(call)) }
        try await site.start()
        var left: [RunKey] = []
        repeat {
            let lists = site.fake.calls.count { $0 == .list }
            await site.wait("the engine is looked at") { site.fake.calls.count { $0 == .list } > lists + 3 }
            left = try await site.fake.list().map(\.run)
        } while left.contains(over)
        #expect(left == [unknown])
        #expect(site.point.entry(over)?.logs[0] == Array("log".utf8))
        let exchanges = site.point.with { $0.exchanges }
        await site.wait("some exchanges") { site.point.with { $0.exchanges } > exchanges + 3 }
        guard case .running? = try await site.fake.list().first?.state else {
            Issue.record("a run that the point does not know was touched")
            return
        }
        await site.kill()
    }

    @Test("a run that waits at its engine is taken back when asked for; one that has started goes on")
    func withdrawn() async throws {
        let site = Site { _ in .init(duration: .seconds(60)) }
        let running = site.lease(1)
        try await site.start()
        await site.wait("the first starts") { site.fake.starts(of: running) == 1 }
        site.fake.set(startDelay: .seconds(3600))
        let releases = site.fake.calls.count { $0 == .release }
        let waiting = site.lease(2)
        await site.wait("the second waits") { site.fake.calls.count { $0 == .release } > releases }
        for run in [running, waiting] { site.point.with { $0.runs[run]?.stop = .withdraw } }
        await site.wait("the second comes back") { site.outcome(waiting) != nil }
        #expect(site.outcome(waiting) == .preempted)
        #expect(site.fake.starts(of: waiting) == 0)
        let exchanges = site.point.with { $0.exchanges }
        await site.wait("some exchanges") { site.point.with { $0.exchanges } > exchanges + 3 }
        #expect(site.outcome(running) == nil)
        site.fake.advance(by: .seconds(60))
        await site.wait("the first ends") { site.outcome(running) != nil }
        #expect(site.outcome(running) == .succeeded)
        #expect(!site.fake.calls.contains(.cancel))
        await site.waitForgotten()
        await site.kill()
    }

    @Test("a thousand live runs cost one list a period and few looks at logs")
    func thousand() async throws {
        let site = Site { _ in .init(duration: nil) }
        let runs = (1...1000).map { site.lease(UInt64($0)) }
        try await site.start()
        await site.wait("all runs start") { runs.allSatisfy { site.fake.starts(of: $0) == 1 } }
        let before = site.fake.calls
        let began = ContinuousClock.now
        let exchanges = site.point.with { $0.exchanges }
        await site.wait("a while passes") { ContinuousClock.now - began > .seconds(1) }
        let calls = site.fake.calls[before.count...]
        let seconds = (ContinuousClock.now - began).seconds
        // 200 looks at logs a second at most, and those that come with a change.
        let looks = calls.count { $0 == .logs }
        #expect(Double(looks) < 1300 + 200 * seconds, "\(looks) looks at logs in \(seconds) s")
        #expect(Double(site.point.with { $0.exchanges } - exchanges) < 500 * max(1, seconds))
        await site.kill()
    }
}

private func write(_ text: String, to path: String) -> Bool {
    guard let file = fopen(path, "w") else { return false }
    defer { fclose(file) }
    return fputs(text, file) >= 0
}
