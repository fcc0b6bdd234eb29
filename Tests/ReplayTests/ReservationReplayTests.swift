import Replay
import Scheduling
import Testing

/// What is reserved in advance, in a replay.
@Suite("A replay's reservations") struct ReservationReplayTests {
    private static let node = Federation.Node(milliCores: 4000, memoryMiB: 1024)

    private static func run(
        _ jobs: [TraceJob],
        _ policy: String,
        on federation: Federation,
        _ options: ReplayOptions = ReplayOptions()
    ) throws -> Experiment.Outcome {
        var trace = Trace(name: "test", jobs: jobs)
        trace.names[.project] = [0: "brain", 1: "apes"]
        var options = options
        options.projects = .project
        return try Experiment(trace, on: federation, options: options)
            .run(try #require(ReplayPolicy(policy)), cpuTime: { 0 })
    }

    private static func job(_ submit: Int64, _ seconds: Int64, cores: Int = 4, project: Int32 = 1) -> TraceJob {
        var job = TraceJob(submit: submit, run: seconds, requested: seconds, milliCores: cores * 1000)
        job.project = project
        return job
    }

    @Test(
        "the holder uses what is reserved, whether the policy knows projects or not, and others wait until it is over",
        arguments: ["onepoint", "point", "easy", "conservative", "easy-saf", "greedy"]
    )
    func holder(policy: String) throws {
        var federation = Federation(centres: [.init(name: "a", nodes: [Self.node, Self.node])])
        federation.reservations = [
            .init(name: "course", project: "brain", centre: 0, nodes: 1, start: .after(100), seconds: 1000)
        ]
        // One takes the other node for long. Two others would last into the window, one ends before it; the holder's
        // comes when it has begun.
        let jobs = [
            Self.job(50, 5000), Self.job(51, 5000), Self.job(52, 2000), Self.job(60, 80),
            Self.job(400, 500, project: 0),
        ]
        let outcome = try Self.run(jobs, policy, on: federation)
        #expect(outcome.schedule.start[0] == 50 && outcome.schedule.start[3] == 60)
        #expect(outcome.schedule.start[4] == 400, "the window begins at 150")
        #expect(Set(outcome.schedule.start[1...2]).min() == 1150, "the second the window is over")
        let reservation = try #require(outcome.reservations.first)
        #expect(reservation.start == 150 && reservation.seconds == 1000 && reservation.nodes == 1)
        #expect(reservation.used == 0.5 && reservation.others == 0)
        #expect(reservation.project == "brain" && reservation.centre == "a")
    }

    @Test("maintenance empties a centre; work goes elsewhere or waits; forecasts know of it")
    func maintenance() throws {
        var federation = Federation(centres: [
            .init(name: "a", nodes: [Self.node]), .init(name: "b", nodes: [Self.node]),
        ])
        federation.reservations = [
            .init(name: "power", centre: 0, start: .at(1000), seconds: 500),
            .init(name: "water", centre: 1, start: .at(1000), seconds: 9000),
        ]
        let jobs = [Self.job(0, 900), Self.job(0, 950), Self.job(10, 200), Self.job(20, 95)]
        for policy in ["onepoint", "point", "easy", "fcfs"] {
            let outcome = try Self.run(jobs, policy, on: federation)
            #expect(outcome.schedule.start.prefix(2) == [0, 0])
            #expect(outcome.schedule.start[2] == 1500, "by \(policy), where it is over first")
            // Under first come, first served nobody passes one who waits.
            #expect(outcome.schedule.start[3] == (policy == "fcfs" ? 1700 : 900), "by \(policy)")
            #expect(outcome.reservations.map(\.used) == [nil, nil])
            #expect(outcome.reservations.map(\.others) == [0, 0])
        }
        var options = ReplayOptions()
        options.forecastEvery = 1
        let many = (0..<60).map { Self.job(Int64($0 * 100), 90) }
        let foretold = try Self.run(many, "onepoint", on: federation, options)
        #expect(foretold.schedule.forecasts != nil)
        #expect(foretold.schedule.hash == (try Self.run(many, "onepoint", on: federation)).schedule.hash)
    }

    @Test("who runs longer than it may stands in others' room, and that is told")
    func overrun() throws {
        var federation = Federation(centres: [.init(name: "a", nodes: [Self.node])])
        federation.reservations = [
            .init(name: "course", project: "brain", centre: 0, nodes: 1, start: .after(100), seconds: 100)
        ]
        federation.projects = [.init(name: "brain")]
        var late = Self.job(0, 150, cores: 2)
        late.requested = 100
        let outcome = try Self.run([late], "easy", on: federation)
        #expect(outcome.schedule.start == [0])
        #expect(outcome.reservations[0].used == 0 && outcome.reservations[0].others == 0.25)
        // What an outage cuts off is not counted.
        var options = ReplayOptions()
        options.outages = [.init(centre: 0, start: 120, end: 5000)]
        let cut = try Self.run([late], "easy", on: federation, options)
        #expect(cut.reservations[0].others == 0.1)
    }

    @Test("projects below the holder are its own; a name that nobody has is refused")
    func holders() throws {
        var federation = Federation(centres: [.init(name: "a", nodes: [Self.node])])
        federation.projects = [.init(name: "institute"), .init(name: "brain", parent: 0), .init(name: "apes")]
        federation.reservations = [
            .init(name: "course", project: "institute", centre: 0, start: .at(0), seconds: 1000)
        ]
        for policy in ["onepoint", "point", "easy"] {
            let outcome = try Self.run([Self.job(0, 50), Self.job(1, 50, project: 0)], policy, on: federation)
            #expect(outcome.schedule.start == [1000, 1], "\(policy)")
            #expect(outcome.reservations[0].used == 0.05)
        }
        federation.reservations[0].project = "nobody"
        let fault = #expect(throws: TraceFault.self) { try Self.run([Self.job(0, 50)], "easy", on: federation) }
        #expect(fault?.description.contains("'nobody'") == true)
    }

    @Test("nodes are chosen so that no two overlap: without cards first, of a model where one is named")
    func chosen() throws {
        let card = Federation.Node(milliCores: 4000, memoryMiB: 1024, cards: 2, model: "h20")
        var federation = Federation(centres: [.init(name: "a", nodes: [card, Self.node, Self.node])])
        func reserve(_ name: String, _ nodes: Int?, _ model: String? = nil, from: Int64 = 0) {
            federation.reservations.append(
                .init(name: name, centre: 0, nodes: nodes, model: model, start: .after(from), seconds: 100)
            )
        }
        reserve("one", 1)
        reserve("two", 1, "h20")
        reserve("three", 1)
        reserve("later", nil, from: 100)
        try federation.checkReservations()
        reserve("four", 1, from: 50)
        let fault = #expect(throws: Federation.ReservationFault.self) { try federation.checkReservations() }
        #expect(fault?.index == 4 && fault?.pointer == "/nodes")
        #expect(fault?.what == "needs 1 of the nodes of a, and there are 0 beside one, two, three, later at that time")
    }

    @Test("the page names each reservation, and what was used of it")
    func page() throws {
        var federation = Federation(centres: [.init(name: "a", nodes: [Self.node])])
        federation.reservations = [
            .init(name: "<course>", project: "brain", centre: 0, start: .after(0), seconds: 7200)
        ]
        var trace = Trace(name: "test", jobs: [Self.job(0, 1800, project: 0)])
        trace.names[.project] = [0: "brain"]
        var options = ReplayOptions()
        options.projects = .project
        let experiment = try Experiment(trace, on: federation, options: options)
        let outcome = try experiment.run(try #require(ReplayPolicy("easy")), cpuTime: { 0 })
        let page = experiment.html([outcome], [])
        #expect(page.contains("&lt;course&gt;") && !page.contains("<course>"))
        #expect(page.contains("<td>2<td>25<td>0</tr>"))
    }
}
