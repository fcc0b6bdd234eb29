import Core
import Replay
import Scheduling
import Testing

@testable import onepoint

/// What the file of a federation says beside its nodes, and what a replay makes of it.
@Suite("A replay's federation: watts, projects, data") struct FederationFileTests {
    private static func run(
        _ jobs: [TraceJob],
        _ policy: String = "easy",
        on federation: Federation,
        _ options: ReplayOptions = ReplayOptions()
    ) throws -> Experiment.Outcome {
        try Experiment(Trace(name: "test", jobs: jobs), on: federation, options: options)
            .run(try #require(ReplayPolicy(policy)), cpuTime: { 0 })
    }

    @Test("watts, projects and the data of a job are read from the file")
    func read() throws {
        let file = try ScratchFile(
            """
            job_input: 20GiB
            centres:
              - name: hub-1
                nodes:
                  - {count: 2, cores: 4, cards: 2, model: h20, watts: {idle: 100, busy: 200, card_idle: 10, card_busy: 110}}
            projects:
              - {name: brain, weight: 300, limits: {cores: 6, cards: 2.5, runs: 7}}
              - {name: vision, parent: brain}
            """,
            ending: "yaml"
        )
        let federation = try Federation.load(file.path)
        #expect(federation.inputBytesPerJob == 20 << 30)
        let power = Federation.Power(idle: 100, busy: 200, cardIdle: 10, cardBusy: 110)
        #expect(federation.centres[0].nodes.map(\.power) == [power, power])
        #expect(federation.projects.map(\.name) == ["brain", "vision"])
        #expect(federation.projects.map(\.weight) == [300, 100])
        #expect(federation.projects.map(\.parent) == [nil, 0])
        let limits = federation.projects[0].limits
        #expect([limits.milliCores, limits.cardMilli, limits.runs] == [6000, 2500, 7])
        #expect(federation.projects[1].limits.runs == .max)
    }

    @Test("a child before its parent, a name twice and watts of some nodes only are faults")
    func faults() throws {
        let file = try ScratchFile(
            """
            job_input: much
            centres:
              - name: hub-1
                nodes:
                  - {cores: 4, watts: {idle: 100, busy: 50}}
                  - {cores: 4}
            projects:
              - {name: vision, parent: brain}
              - {name: brain}
              - {name: brain, limits: {cores: -1}}
            """,
            ending: "yaml"
        )
        let failure = try #require(throws: Failure.self) { try Federation.load(file.path) }
        let pointers = failure.violations.map { $0.pointer.split(separator: " ").last ?? "" }
        #expect(
            Set(pointers) == [
                "/job_input", "/centres/0/nodes/0/watts/busy", "/centres", "/projects/0/parent", "/projects/2/name",
                "/projects/2/limits/cores",
            ]
        )
    }

    @Test("reservations are read, from the first submission or by the trace's time, of nodes or a whole centre")
    func reservations() throws {
        let file = try ScratchFile(
            """
            centres:
              - {name: hub-1, nodes: [{count: 2, cores: 4, cards: 2, model: h20}, {cores: 8}]}
              - {name: hub-2, nodes: [{cores: 4}]}
            reservations:
              - {name: course, project: brain, centre: hub-1, nodes: 2, model: h20, after_hours: 24, hours: 0.5}
              - {name: power, maintenance: true, centre: hub-2, at_seconds: 86400, hours: 12}
            """,
            ending: "yaml"
        )
        let federation = try Federation.load(file.path)
        #expect(
            federation.reservations == [
                .init(
                    name: "course",
                    project: "brain",
                    centre: 0,
                    nodes: 2,
                    model: "h20",
                    start: .after(86_400),
                    seconds: 1800
                ), .init(name: "power", centre: 1, start: .at(86_400), seconds: 43_200),
            ]
        )
    }

    @Test("a reservation without a centre, an owner, a beginning or an end, of what is not there or taken, is a fault")
    func reservationFaults() throws {
        func pointers(_ reservations: String) throws -> [String] {
            let file = try ScratchFile(
                "centres: [{name: hub-1, nodes: [{count: 2, cores: 4}]}]\nreservations:\n" + reservations,
                ending: "yaml"
            )
            let failure = try #require(throws: Failure.self) { try Federation.load(file.path) }
            for violation in failure.violations { #expect(violation.pointer.contains(":"), "the line is named") }
            return failure.violations.compactMap { $0.pointer.split(separator: " ").last.map { String($0) } }.sorted()
        }
        #expect(
            try pointers("- {}") == [
                "/reservations/0", "/reservations/0/centre", "/reservations/0/hours", "/reservations/0/name",
                "/reservations/0/project",
            ]
        )
        let plain = "centre: hub-1, after_hours: 1, hours: 1"
        #expect(
            try pointers("- {name: a, project: p, maintenance: true, \(plain), at_seconds: 5}")
                == ["/reservations/0", "/reservations/0/project"]
        )
        #expect(
            try pointers("- {name: a, project: p, \(plain), model: h20}\n- {name: a, project: p, \(plain), node: 1}")
                == [
                    "/reservations/0/model", "/reservations/0/model", "/reservations/1/name", "/reservations/1/node",
                ]
        )
        #expect(try pointers("- {name: a, project: p, \(plain), nodes: 3}") == ["/reservations/0/nodes"])
        #expect(
            try pointers("- {name: a, project: p, \(plain), nodes: 1}\n- {name: b, maintenance: true, \(plain)}")
                == ["/reservations/1/centre"]
        )
        let tiny = "{name: a, project: p, centre: hub-1, after_hours: -1, hours: 0}"
        #expect(try pointers("- \(tiny)").contains("/reservations/0/hours"))
    }

    @Test("energy is what idle nodes draw until the last end, and what runs draw above that")
    func energy() throws {
        var node = Federation.Node(milliCores: 4000, memoryMiB: 1024, cards: 2)
        let job = TraceJob(submit: 0, run: 3600, requested: 3600, milliCores: 2000, cards: 1)
        #expect(try Self.run([job], on: .init(centres: [.init(name: "a", nodes: [node])])).metrics.kilowattHours == nil)
        node.power = Federation.Power(idle: 100, busy: 200, cardIdle: 10, cardBusy: 110)
        let federation = Federation(centres: [.init(name: "a", nodes: [node])])
        // 120 W of the idle node, half of its 100 W for cores, one card's 100 W.
        let alone = try #require(try Self.run([job], on: federation).metrics.kilowattHours)
        #expect(abs(alone - 0.27) < 1e-9)
        // What an outage cuts off is not drawn: 15 minutes, away for 15, then the whole hour.
        var options = ReplayOptions()
        options.outages = [.init(centre: 0, start: 900, end: 1800)]
        let cut = try #require(try Self.run([job], on: federation, options).metrics.kilowattHours)
        #expect(abs(cut - (0.12 * 1.5 + 0.15 * 1.25)) < 1e-9)
    }

    @Test("fragmentation is the part of the free card time that a typical request could not have used")
    func fragmentation() throws {
        let federation = Federation(
            centres: [.init(name: "a", nodes: [.init(milliCores: 64_000, memoryMiB: 1024, cards: 8)])]
        )
        func jobs(_ cards: Int) -> [TraceJob] {
            [0, 50, 100].map { TraceJob(submit: $0, run: 1000, requested: 1000, cards: cards) }
        }
        // Three cards stay free all the time, and everybody wants five; or four are free for whoever wants four, once.
        #expect(try Self.run(jobs(5), on: federation).metrics.fragmentation == 1)
        #expect(try Self.run(jobs(4), on: federation).metrics.fragmentation == 0)
        let cores = [TraceJob(submit: 0, run: 10, milliCores: 1000), TraceJob(submit: 9, run: 10, milliCores: 1000)]
        #expect(try Self.run(cores, on: federation).metrics.fragmentation == nil)
    }

    @Test("bytes moved are those of jobs that ran elsewhere than at home, and untold where nobody says how many")
    func moved() throws {
        let node = Federation.Node(milliCores: 1000, memoryMiB: 1024)
        var federation = Federation(centres: [.init(name: "a", nodes: [node]), .init(name: "b", nodes: [node])])
        var jobs = (0..<4).map { index in
            TraceJob(submit: Int64(index), run: 1000, requested: 1000, milliCores: 1000, home: 0)
        }
        let untold = try Self.run(jobs, on: federation)
        #expect(untold.metrics.moved == 2 && untold.metrics.movedBytes == nil)
        jobs[1].inputBytes = 7
        #expect(untold.schedule.centre[1] == 1)
        #expect(try Self.run(jobs, on: federation).metrics.movedBytes == 7)
        federation.inputBytesPerJob = 100
        #expect(try Self.run(jobs, on: federation).metrics.movedBytes == 107)
    }

    @Test("weights, parents and limits of projects are those of the file")
    func projects() throws {
        var federation = Federation.processors(8)
        federation.projects = [
            .init(name: "7", weight: 300), .init(name: "group", weight: 100), .init(name: "8", parent: 1, weight: 300),
            .init(name: "9", parent: 1),
        ]
        let jobs = (0..<300).map { index in
            TraceJob(submit: 0, run: 1000, requested: 1000, milliCores: 1000, user: Int32(7 + index % 3))
        }
        var options = ReplayOptions()
        options.projects = .user
        let shared = try Self.run(jobs, "onepoint", on: federation, options)
        #expect(shared.projects.map(\.name) == ["user 7", "user 8", "user 9"])
        #expect(shared.projects.map(\.share) == [0.75, 0.1875, 0.0625])
        let waits = shared.projects.map(\.meanWait)
        #expect(waits[0] < waits[1] && waits[1] < waits[2], "\(waits)")
        federation.projects[0].limits.runs = 0
        #expect(try Self.run(jobs, "onepoint", on: federation, options).schedule.impossible == 100)
        #expect(try Self.run(jobs, "easy", on: federation, options).schedule.impossible == 0, "it knows no limits")
        federation.projects[0].limits.runs = .max
        federation.projects[1].limits.milliCores = 1000
        let limited = try Self.run(jobs, "onepoint", on: federation, options)
        let starts = jobs.indices.filter { jobs[$0].user > 7 }.map { limited.schedule.start[$0] }
        #expect(Set(starts).count == starts.count, "two of a project that may hold one core started together")
        #expect(limited.projects[1].ofDue <= 1.01, "what a limit forbids is not due")
    }
}
