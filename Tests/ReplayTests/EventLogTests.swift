import Core
import Foundation
import Replay
import Testing

@Suite("A point's own log as a trace") struct EventLogTests {
    private static func line(_ event: Event, _ second: Int64) throws -> JSON {
        .object([
            (key: "at", value: .string(Instant(milliseconds: 1_800_000_000_000 + second * 1000).rfc3339)),
            (key: "kind", value: .string(event.kind.rawValue)),
            (key: "payload", value: try JSON(encoding: event.payload)),
            (key: "sequence", value: .integer(second)),
        ])
    }

    private static func read(_ text: String) throws -> Trace {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("events-\(UUID().uuidString)")
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        return try Trace.read(path.path)
    }

    private static let alone = JobID(high: 0, low: 1)
    private static let first = JobID(high: 0, low: 10)

    private static func events() throws -> [JSON] {
        let (hub, edge) = (try #require(CentreName("hub-1")), try #require(CentreName("edge-1")))
        let (brain, alice) = (try #require(ProjectName("brain")), try #require(UserName("alice")))
        func capacity(_ centre: CentreName, cores: Int) -> Event {
            .capacityReported(
                .init(
                    centre: centre,
                    capacity: CentreCapacity(
                        engine: .fake,
                        engineVersion: "1",
                        nodes: [
                            Node(
                                name: "n1",
                                cores: .cores(cores),
                                memory: .gibi(64),
                                cards: [CardGroup(model: "l20", count: 4, emulated: true)]
                            )
                        ],
                        isolates: true
                    )
                )
            )
        }
        var gang = JobSpec(name: "gang", command: ["train"])
        gang.tasks = 2
        gang.resources = TaskResources(cores: .cores(1), cards: 1)
        gang.placement.emulated = true
        var array = JobSpec(name: "array", command: ["sweep"])
        array.placement.tiers = [.edge]
        array.timeLimitSeconds = 600
        var events: [(Int64, Event)] = [
            (0, .centreCreated(.init(centre: hub, tier: .hub, prices: PriceTable()))),
            (0, .centreCreated(.init(centre: edge, tier: .edge, prices: PriceTable()))),
            (1, capacity(hub, cores: 8)), (1, capacity(edge, cores: 1)),
            (10, .jobsSubmitted(.init(first: alone, count: 1, project: brain, user: alice, spec: gang))),
            (
                11,
                .jobsSubmitted(
                    .init(
                        first: first,
                        count: 3,
                        array: ArrayID(high: 0, low: 5),
                        project: brain,
                        user: alice,
                        spec: array,
                        dependencies: [.job(alone)]
                    )
                )
            ),
        ]
        func run(_ job: JobID, at centre: CentreName, from: Int64, to: Int64) {
            let key = RunKey(job: job, number: 1)
            func instant(_ second: Int64) -> Instant { Instant(milliseconds: 1_800_000_000_000 + second * 1000) }
            events.append(
                (
                    from,
                    .runLeased(
                        .init(
                            run: key,
                            centre: centre,
                            nodes: [],
                            resources: TaskResources(),
                            tasks: 1,
                            reason: "",
                            pricePerHour: 0,
                            reserved: 0
                        )
                    )
                )
            )
            events.append((from, .runStarted(.init(run: key, startedAt: instant(from)))))
            events.append(
                (
                    to,
                    .runEnded(
                        .init(
                            run: key,
                            outcome: RunOutcome(.succeeded),
                            endedAt: instant(to),
                            artifacts: [],
                            usage: [],
                            charged: 0
                        )
                    )
                )
            )
            events.append((to, .jobEnded(.init(job: job, state: .succeeded, detail: nil))))
        }
        run(alone, at: hub, from: 12, to: 112)
        run(first, at: edge, from: 113, to: 123)
        run(first.advanced(by: 1), at: edge, from: 123, to: 143)
        return try events.map { try line($0.1, $0.0) }
    }

    @Test("jobs, what they waited for, where they may go, and the federation, as lines or as pages")
    func reads() throws {
        let events = try Self.events()
        let lines = events.map(\.text).joined(separator: "\n")
        let trace = try Self.read(lines)
        #expect(trace.jobs.map(\.run) == [100, 10, 20])
        let begin: Int64 = 1_800_000_000
        #expect(trace.jobs.map(\.submit) == [begin + 10, begin + 112, begin + 112], "an array waits for the gang")
        #expect(trace.jobs.map(\.tasks) == [2, 1, 1] && trace.jobs[0].cards == 2)
        #expect(trace.jobs.map(\.requested) == [3600, 600, 600])
        #expect(trace.jobs[0].places == -1 && trace.placeSets[Int(trace.jobs[1].places)] == ["edge-1"])
        #expect(
            trace.names == [.user: [0: "alice"], .project: [0: "brain"]] && trace.jobs.allSatisfy { $0.project == 0 }
        )
        #expect(trace.skipped == ["job that did not run to its end": 1])
        #expect(trace.federation?.centres.map(\.name) == ["hub-1", "edge-1"])
        let page = JSON.object([(key: "items", value: .array(events)), (key: "next", value: .string("x"))]).text
        #expect(try Self.read(page + "\n{\"items\":[]}\n").jobs == trace.jobs)

        let federation = try #require(trace.federation)
        let outcome = try Experiment(trace, on: federation, options: ReplayOptions())
            .run(try #require(ReplayPolicy("onepoint")), cpuTime: { 0 })
        #expect(outcome.schedule.centre == [0, 1, 1], "the array stays at the edge")
        #expect(outcome.metrics.maxWait == 10 || outcome.metrics.maxWait == 20, "one after the other on one core")
    }

    @Test("lines that are cut, foreign or no events are counted, and what is left is replayed")
    func damaged() throws {
        var lines = try Self.events().map(\.text)
        lines.insert("{\"kind\": \"job", at: 3)
        lines.insert("{\"kind\":\"run_started\",\"at\":\"2026-01-01T00:00:00Z\",\"payload\":{\"run\":7}}", at: 4)
        lines.insert("{\"kind\":\"of_the_future\",\"at\":\"2026-01-01T00:00:00Z\",\"payload\":{}}", at: 5)
        let trace = try Self.read(lines.joined(separator: "\n"))
        #expect(trace.jobs.count == 3)
        #expect(trace.skipped["unreadable event"] == 3)
        #expect(throws: TraceFault.self) { try Self.read("{\"items\":[]}") }
    }
}
