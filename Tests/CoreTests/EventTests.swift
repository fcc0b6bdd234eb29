import Core
import Foundation
import TestKit
import Testing

@Suite struct EventTests {
    /// The dialect that the log and the wire use.
    static func encode(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(value)
    }

    static func decode<Value: Decodable>(_ type: Value.Type = Value.self, _ data: Data) throws -> Value {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(type, from: data)
    }

    struct Reader: PayloadReader {
        let data: Data
        func read<Payload: Decodable>() throws -> Payload { try EventTests.decode(Payload.self, data) }
    }

    static let project = ProjectName.fixture("demo")
    static let user = UserName.fixture("alice")
    static let centre = CentreName.fixture("hub-1")
    static let run = RunKey(job: .fixture(), number: 2)
    static let nodes = [
        NodeShare(node: "n1", tasks: 2, card: "h100-sxm5", emulated: true), NodeShare(node: "n2", tasks: 1),
    ]

    /// A job with every field set, and with keys of the user's own that look like ours.
    static var spec: JobSpec {
        var spec = JobSpec(name: "train", command: ["python3", "-m", "train"])
        spec.algorithm = AlgorithmReference(
            name: "train",
            version: "1.0",
            tree: .fixture(1),
            requirements: "requirements.txt"
        )
        spec.parameters = [
            "learning_rate": .number(0.5), "batchSize": .integer(8), "UPPER_case": .string("x"), "none": .null,
            "nested": .object([
                ("camelCase", .object([("deepKey", .integer(2)), ("deep_key", .integer(1))])),
                ("list", .array([.object([("a_b", .null)]), .bool(true)])), ("snake_case", .bool(false)),
            ]),
        ]
        spec.environment = ["MASTER_ADDR": "x", "someThing": "y", "some_thing": "z"]
        spec.tasks = 2
        spec.resources = TaskResources(cores: 1500, memory: .gibi(1), cards: 2, card: "h100-sxm5")
        spec.timeLimitSeconds = 60
        spec.array = 4
        spec.placement = PlacementConstraint(tiers: [.hub, .edge], centres: [centre], emulated: true)
        spec.preemptible = true
        spec.retries = RetryPolicy(limit: 3, on: RetryPolicy.Cause.allCases, backoffSeconds: 5)
        spec.onCentreLoss = .requeue(afterSeconds: 60)
        spec.isolation = .required
        spec.inputs = [
            JobInput(name: "a", source: .artifact(.fixture(2), .tree)),
            JobInput(name: "b", source: .output(job: "job-x", output: "text")),
        ]
        spec.outputs = ["model"]
        spec.after = ["collect"]
        return spec
    }

    static let capacity = CentreCapacity(
        engine: .local,
        engineVersion: "1",
        nodes: [
            Node(
                name: "n1",
                partition: "p",
                schedulable: false,
                cores: 4000,
                memory: .gibi(4),
                cards: [CardGroup(model: "h100-sxm5", count: 8, emulated: true, measuredTflops: 123.5)],
                measured: NodeMeasurement(fp32Gflops: 1.5, memoryGbps: 2.5, diskMbps: 3.5, at: .start)
            )
        ],
        isolates: true
    )

    static let all: [Event] =
        [
            .userCreated(User(name: user, isOperator: true)),
            .projectCreated(
                Project(
                    name: project,
                    title: "Démo",
                    weight: 7,
                    quota: Quota(cores: 1000, cards: 2, runs: 3),
                    metered: true
                )
            ),
            .projectChanged(Project(name: project)), .projectChanged(Project(name: project, parent: project)),
            .memberSet(Membership(project: project, user: user, role: .member)),
            .memberRemoved(.init(project: project, user: user)),
            .tokenIssued(
                Token(
                    id: .fixture(),
                    user: user,
                    hash: .fixture(),
                    scopes: Token.Scope.allCases,
                    project: project,
                    label: "ci",
                    createdAt: .start,
                    expiresAt: Instant(milliseconds: 253_402_300_799_999),
                    revokedAt: nil
                )
            ),
            .tokenRevoked(.init(token: .fixture())),
            .voucherGranted(.init(project: project, amount: 5_000_000, note: "spring")),
            .centreCreated(
                .init(centre: centre, tier: .hub, prices: PriceTable(cardHour: ["h100-sxm5": 7, "a_b": 8, "aB": 9]))
            ),
            .centreChanged(.init(centre: centre, state: .draining, prices: PriceTable())),
            .joinTokenIssued(.init(centre: centre, hash: .fixture(), expiresAt: .start)),
            .agentJoined(.init(centre: centre, agent: .fixture(), keyHash: .fixture())),
            .agentSeated(.init(centre: centre, agent: .fixture(), seat: "boot:1:2")),
            .capacityReported(.init(centre: centre, capacity: capacity)),
            .reservationCreated(
                Reservation(
                    name: .fixture("course"),
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
            .reservationCancelled(.init(reservation: .fixture("course"))),
            .simulationPublished(.init(simulation: .fixture("kth"), report: .sample, user: user)),
            .simulationRemoved(.init(simulation: .fixture("kth"))),
            .reservationMoved(
                .init(
                    reservation: .fixture("course"),
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
                    workflow: .fixture(),
                    name: "tour",
                    project: project,
                    user: user,
                    idempotency: .init(key: "k", request: .fixture())
                )
            ),
            .jobsSubmitted(
                .init(
                    first: .fixture(),
                    count: 4,
                    array: .fixture(),
                    workflow: .fixture(),
                    project: project,
                    user: user,
                    spec: spec,
                    dependencies: [.job(.fixture(9)), .array(.fixture(10))],
                    idempotency: .init(key: "k", request: .fixture())
                )
            ),
            .jobCancelRequested(.init(job: .fixture())),
            .jobForecast(
                .init(
                    job: .fixture(),
                    forecast: Forecast(
                        wait: .init(modelled: 60, p50: 90, p90: 300),
                        run: .init(modelled: 600, p50: 500, p90: 900),
                        pricePerHour: 2_000_000
                    )
                )
            ),
            .jobRequeued(.init(job: .fixture(), notBefore: .start, retriesUsed: 1)),
            .jobEnded(.init(job: .fixture(), state: .failed, detail: "left with exit status 1")),
            .runLeased(
                .init(
                    run: run,
                    centre: centre,
                    nodes: nodes,
                    resources: spec.resources,
                    tasks: 3,
                    reason: "it fits",
                    pricePerHour: 5,
                    reserved: 6
                )
            ),
            .runOffered(.init(run: run)),
            .runAccepted(.init(run: run)),
            .runPending(.init(run: run, engineJob: "4711")),
            .runWaiting(.init(run: run, reason: "Resources")),
            .runStarted(.init(run: run, startedAt: .start)),
            .runUnseen(.init(run: run, since: .start)),
            .runSeen(.init(run: run)),
            .runStopRequested(.init(run: run, reason: .superseded)),
            .runEnded(
                .init(
                    run: run,
                    outcome: RunOutcome(.outOfMemory, code: 9, detail: "x"),
                    endedAt: .start,
                    artifacts: [Artifact(name: "model", kind: .tree, digest: .fixture(), size: 3)],
                    usage: [Usage(run: run, meter: .pflopHours, from: .start, to: .after(1), microUnits: 5)],
                    charged: 4
                )
            ),
            .blobGranted(.init(project: project, digest: .fixture(), size: 3)),
        ] + Event.repositorySamples

    @Test("there is a sample of every kind, and every kind is written in snake_case")
    func complete() {
        #expect(Set(Self.all.map(\.kind)) == Set(Event.Kind.allCases))
        for kind in Event.Kind.allCases {
            let snake = "\(kind)".map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
            #expect(kind.rawValue == snake)
        }
    }

    @Test("every kind of event round-trips through the log's JSON, and equal events are equal bytes", arguments: all)
    func roundTrip(event: Event) throws {
        let data = try Self.encode(event.payload)
        let read = try Event(event.kind, reading: Reader(data: data))
        #expect(read == event)
        #expect(try Self.encode(read.payload) == data)
        // Our own parser reads what the log holds.
        _ = try JSON(parsing: data)
    }

    @Test("a payload's own field names are snake_case and survive the way back", arguments: all)
    func fieldNames(event: Event) throws {
        let json = try JSON(parsing: try Self.encode(event.payload))
        guard case .object(let members) = json else {
            Issue.record("a payload is an object")
            return
        }
        for (key, _) in members { #expect(!key.contains { $0.isUppercase }, "\(event.kind) has \(key)") }
    }

    @Test("the user's own keys are left alone: parameters, environment and prices by model, at every depth")
    func userKeys() throws {
        let read: JobSpec = try Self.decode(JobSpec.self, try Self.encode(Self.spec))
        #expect(read == Self.spec)
        #expect(read.parameters["nested"]?["camelCase"]?["deep_key"] == .integer(1))
        #expect(read.parameters["nested"]?["camelCase"]?["deepKey"] == .integer(2))
        #expect(read.environment["MASTER_ADDR"] == "x")
    }

    @Test("a job that says nothing of a lost centre waits for it")
    func centreLoss() throws {
        #expect(try Self.decode(CentreLossPolicy.self, Data("{}".utf8)) == .wait)
        for policy in [CentreLossPolicy.wait, .requeue(afterSeconds: 5)] {
            #expect(try Self.decode(CentreLossPolicy.self, Self.encode(policy)) == policy)
        }
    }

    @Test(
        "identifiers that are none cannot be decoded",
        arguments: [
            #"{"job":"wf-00000000000000000000000001"}"#, #"{"job":""}"#, #"{"job":1}"#, #"{"job":null}"#, "{}",
        ]
    )
    func badIdentifiers(text: String) {
        #expect(throws: (any Error).self) { try Self.decode(Event.JobCancelRequested.self, Data(text.utf8)) }
    }

    @Test("names, digests, run keys and times that are none cannot be decoded")
    func badValues() {
        #expect(throws: (any Error).self) { try Self.decode([ProjectName].self, Data(#"["A"]"#.utf8)) }
        #expect(throws: (any Error).self) { try Self.decode([Digest].self, Data(#"["sha256:00"]"#.utf8)) }
        #expect(throws: (any Error).self) { try Self.decode([RunKey].self, Data(#"["op-1"]"#.utf8)) }
        #expect(throws: (any Error).self) { try Self.decode([Instant].self, Data(#"["2026-02-30T00:00:00Z"]"#.utf8)) }
        #expect(throws: (any Error).self) { try Self.decode([Dependency].self, Data(#"["train"]"#.utf8)) }
    }

    @Test("JSON values pass through a foreign coder unchanged but for the order of keys")
    func jsonThroughCoder() throws {
        var generator = seeded("json through a coder")
        func sorted(_ value: JSON) -> JSON {
            switch value {
            case .array(let items): .array(items.map(sorted))
            case .object(let members):
                .object(members.map { ($0.key, sorted($0.value)) }.sorted { $0.0 < $1.0 })
            // Foreign coders write 1.0 as 1, and whole numbers beyond 2⁵³ by their shortest digits.
            case .integer(let integer): .number(Double(integer))
            case .null, .bool, .number, .string: value
            }
        }
        for exact in [JSON.integer(.min), .integer(.max), .integer(1 << 53 + 1), .number(0.1), .string("\u{0}é")] {
            #expect(try Self.decode([JSON].self, try Self.encode([exact])) == [exact])
        }
        for _ in 0..<500 {
            let value = JSONTests.random(&generator)
            let read: [JSON] = try Self.decode([JSON].self, try Self.encode([value]))
            #expect(read.map(sorted) == [sorted(value)])
        }
    }
}

@Suite struct TenancyTests {
    @Test("each role includes those below it")
    func roles() {
        #expect(Role.viewer < .member && Role.member < .owner && !(Role.owner < .owner))
        #expect(Role.allCases.max() == .owner)
    }
}
