import Core
import FoundationEssentials
import TestKit
import Testing

@testable import Store

@Suite("The log keeps every event as it was")
struct EventCodingTests {
    @Test("an event of every kind comes back equal from the log", arguments: Event.samples)
    func roundTrip(event: Event) throws {
        let payload = try StoredJSON.encode(event.payload)
        #expect(try StoredJSON.decode(kind: event.kind.rawValue, payload: payload) == event)
        #expect(try StoredJSON.encode(event.payload) == payload)
    }

    @Test("Foundation's encoder would write the same, key by key", arguments: Event.samples)
    func sameAsFoundation(event: Event) throws {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let ours = try JSON(parsing: try StoredJSON.encode(event.payload))
        #expect(try JSON(parsing: try encoder.encode(event.payload)) == ours)
    }

    @Test("there is a sample of every kind")
    func complete() {
        #expect(Set(Event.samples.map(\.kind)) == Set(Event.Kind.allCases))
    }

    @Test("keys are written in snake_case, and the user's own keys stay as they are")
    func keys() throws {
        let submitted = Event.samples.compactMap { if case .jobsSubmitted(let it) = $0 { it } else { nil } }.first!
        let text = String(decoding: try StoredJSON.encode(submitted), as: UTF8.self)
        #expect(text.contains("\"time_limit_seconds\":600"))
        #expect(text.contains("\"learning_rate\":"))
        #expect(text.contains("\"layerCount\":4"))
        #expect(text.contains("\"batch_size\":8"))
        #expect(text.contains("\"camelCase\":\"kept\""))
    }

    @Test("an unknown kind and a broken payload are named as damage")
    func damage() async {
        #expect(await failure { _ = try StoredJSON.decode(kind: "nonsense", payload: .init()) }?.code == .internal)
        let broken = await failure { _ = try StoredJSON.decode(kind: "job_ended", payload: .init("{}".utf8)) }
        #expect(broken?.code == .internal)
        #expect(broken?.note?.contains("JobEnded") == true)
    }
}

extension Event {
    /// One event of every kind, with every optional field set in at least one of them.
    static let samples: [Event] = {
        let project = ProjectName.named("brain")
        let user = UserName.named("alice")
        let centre = CentreName.named("hub-1")
        let job = JobID.number(1)
        let run = RunKey(job: job, number: 2)
        let measured = NodeMeasurement(fp32Gflops: 12.5, memoryGbps: 8.25, diskMbps: 100.25, at: .after(1))
        let node = Node(
            name: "n1",
            partition: "gpu",
            schedulable: false,
            cores: 2500,
            memory: .gibi(3),
            cards: [CardGroup(model: "h100-sxm5", count: 8, emulated: true, measuredTflops: 700.5)],
            measured: measured
        )
        let capacity = CentreCapacity(engine: .slurm, engineVersion: "24.05", nodes: [node], isolates: true)
        let share = NodeShare(node: "n1", tasks: 2, card: "h100-sxm5", emulated: true)
        let artifact = Artifact(name: "curve", kind: .file, digest: .number(3), size: 77)
        let usage = Usage(run: run, meter: .pflopHours, from: .start, to: .after(60), microUnits: 5)
        let token = Token(
            id: .number(4),
            user: user,
            hash: .number(5),
            scopes: [.read, .admin],
            project: project,
            label: "laptop",
            createdAt: .start,
            expiresAt: .after(9),
            revokedAt: .after(8)
        )
        let prices = PriceTable(coreHour: 5, cardHour: ["h100-sxm5": 9, "ascend-910b3": 8], cardHourDefault: 7)
        return [
            .userCreated(User(name: user, isOperator: true)),
            .projectCreated(Project(name: project, title: "Brain “脑”", weight: 7, quota: Quota(cores: 4, cards: 5))),
            .projectChanged(
                Project(name: project, parent: .named("apes"), quota: Quota(runs: 6, bytes: .gibi(3)), metered: true)
            ),
            .memberSet(Membership(project: project, user: user, role: .owner)),
            .memberRemoved(.init(project: project, user: user)),
            .tokenIssued(token),
            .tokenRevoked(.init(token: .number(4))),
            .voucherGranted(.init(project: project, amount: 12, note: "first \"half\"/year\n")),
            .centreCreated(.init(centre: centre, tier: .edge, prices: prices)),
            .centreChanged(.init(centre: centre, state: .draining, prices: prices)),
            .joinTokenIssued(.init(centre: centre, hash: .number(6), expiresAt: .after(3))),
            .agentJoined(.init(centre: centre, agent: .number(7), keyHash: .number(8))),
            .agentSeated(.init(centre: centre, agent: .number(7), seat: "boot:1:2")),
            .capacityReported(.init(centre: centre, capacity: capacity)),
            .reservationCreated(
                Reservation(
                    name: .named("course"),
                    centre: centre,
                    project: project,
                    startsAt: .start,
                    endsAt: Instant(milliseconds: 1_900_000_000_000),
                    shares: [
                        .init(node: "n1"),
                        .init(
                            node: "n2",
                            amount: .init(cores: 1500, memory: .gibi(2), cards: 3, card: "h100-sxm5", emulated: true)
                        ),
                    ],
                    note: "for “the” course",
                    user: user
                )
            ),
            .reservationCancelled(.init(reservation: .named("course"))),
            .simulationPublished(.init(simulation: .named("kth"), report: .sample, user: user)),
            .simulationRemoved(.init(simulation: .named("kth"))),
            .reservationMoved(
                .init(
                    reservation: .named("course"),
                    shares: [
                        .init(
                            node: "n3",
                            size: .init(cores: 8000, memory: .gibi(64), cards: 4, card: "h100-sxm5"),
                            insteadOf: "n1"
                        )
                    ]
                )
            ),
            .workflowSubmitted(
                .init(
                    workflow: .number(9),
                    name: "tour",
                    project: project,
                    user: user,
                    idempotency: .init(key: "k1", request: .number(10))
                )
            ),
            .jobsSubmitted(
                .init(
                    first: job,
                    count: 3,
                    array: .number(11),
                    workflow: .number(9),
                    project: project,
                    user: user,
                    spec: .full,
                    dependencies: [.job(.number(12)), .array(.number(13))],
                    idempotency: .init(key: "k2", request: .number(14))
                )
            ),
            .jobCancelRequested(.init(job: job)),
            .jobForecast(
                .init(
                    job: job,
                    forecast: Forecast(
                        wait: .init(modelled: 0, p50: 1, p90: 7),
                        run: .init(modelled: 60, p50: 50, p90: 80),
                        pricePerHour: 12
                    )
                )
            ),
            .jobRequeued(.init(job: job, notBefore: .after(4), retriesUsed: 2)),
            .jobEnded(.init(job: job, state: .failed, detail: "left with exit status 3")),
            .runLeased(
                .init(
                    run: run,
                    centre: centre,
                    nodes: [share],
                    resources: TaskResources(cores: 250, memory: 9, cards: 1, card: "h100-sxm5"),
                    tasks: 2,
                    reason: "it was free",
                    pricePerHour: 3,
                    reserved: 4
                )
            ),
            .runOffered(.init(run: run)),
            .runAccepted(.init(run: run)),
            .runPending(.init(run: run, engineJob: "4711")),
            .runWaiting(.init(run: run, reason: "Resources")),
            .runStarted(.init(run: run, startedAt: .after(5))),
            .runUnseen(.init(run: run, since: .after(6))),
            .runSeen(.init(run: run)),
            .runStopRequested(.init(run: run, reason: .superseded)),
            .runEnded(
                .init(
                    run: run,
                    outcome: RunOutcome(.timeLimit, code: 9, detail: "too slow"),
                    endedAt: .after(7),
                    artifacts: [artifact],
                    usage: [usage],
                    charged: 3
                )
            ),
            .blobGranted(.init(project: project, digest: .number(15), size: 99)),
        ] + repositorySamples
    }()
}
