import Core
import Wire

@testable import Console

/// What the pages are drawn from in the tests: the tour as it stands half-way, over four centres.
enum Sample {
    static let now = instant("2026-11-23T20:15:00.000Z")

    static func instant(_ text: String) -> Instant { Instant(rfc3339: text) ?? Instant(milliseconds: 0) }
    static func ago(_ seconds: Int) -> Instant { now - .seconds(seconds) }
    static func project(_ name: String) -> ProjectName { ProjectName(name) ?? fallback() }
    static func centre(_ name: String) -> CentreName { CentreName(name) ?? fallback() }
    static func user(_ name: String) -> UserName { UserName(name) ?? fallback() }
    private static func fallback<Tag>() -> Name<Tag> {
        guard let name = Name<Tag>("unnamed") else { preconditionFailure("'unnamed' is a name") }
        return name
    }

    static func job(_ number: UInt64) -> JobID {
        JobID(high: 0x019a_b1f3_2c40_7d21, low: 0x5bd1_e995_0000_0000 + number * 7919)
    }
    static let workflow = WorkflowID(high: 0x019a_b1f3_2c40_1111, low: 42)
    static let array = ArrayID(high: 0x019a_b1f3_2c40_2222, low: 43)
    static func digest(_ seed: UInt8) -> Digest {
        guard let digest = Digest(bytes: (0..<32).map { UInt8($0) &* 37 &+ seed }) else {
            preconditionFailure("32 bytes")
        }
        return digest
    }

    static func frame(
        _ language: Language = .en,
        isOperator: Bool = true,
        project: ProjectName? = nil,
        path: String = "/console"
    ) -> Frame {
        Frame(
            words: Words(language: language),
            viewer: .init(
                user: user("alice"),
                isOperator: isOperator,
                canWrite: true,
                canAdminister: true,
                formToken: "form-token"
            ),
            project: project,
            projects: [Sample.project("climate"), Sample.project("language"), Sample.project("tour")],
            path: path,
            now: now,
            assets: .init(style: "style.css", script: "script.js", icon: "icon.svg")
        )
    }

    static func view(
        _ number: UInt64,
        _ name: String,
        _ state: JobState,
        project: String = "tour",
        centre: String? = nil,
        run: RunState? = nil,
        tasks: Int = 1,
        resources: TaskResources = TaskResources(),
        submitted: Int = 95,
        started: Int? = nil,
        ended: Int? = nil,
        index: Int? = nil,
        detail: String? = nil,
        waiting: String? = nil,
        unseen: Bool = false
    ) -> JobView {
        JobView(
            job: job(number),
            name: name,
            project: Sample.project(project),
            user: user("alice"),
            state: state,
            priority: 500,
            tasks: tasks,
            resources: resources,
            timeLimitSeconds: 300,
            workflow: project == "tour" ? workflow : nil,
            array: index == nil ? nil : array,
            arrayIndex: index,
            submittedAt: ago(submitted),
            startedAt: started.map { ago($0) },
            endedAt: ended.map { ago($0) },
            centre: centre.map { Sample.centre($0) },
            runState: run,
            unseenSince: unseen ? ago(20) : nil,
            cancelRequested: false,
            detail: detail,
            waitingCode: waiting
        )
    }

    static let gpu = TaskResources(cores: .cores(8), memory: .gibi(64), cards: 4, card: "ascend-910b3")

    static let jobs: [JobView] = [
        view(1, "train", .active, centre: "region-1", run: .running, tasks: 2, submitted: 95, started: 31),
        view(
            2,
            "pretrain-7b",
            .active,
            project: "language",
            centre: "hub-1",
            run: .running,
            tasks: 8,
            resources: gpu,
            submitted: 9200,
            started: 8700
        ),
        view(3, "surrogate", .active, centre: "region-1", run: .pending, submitted: 95),
        view(
            4,
            "ensemble",
            .active,
            project: "climate",
            centre: "edge-1",
            run: .running,
            submitted: 700,
            started: 640,
            index: 17,
            unseen: true
        ),
        view(5, "evaluate", .queued, submitted: 95, waiting: "dependency"),
        view(6, "sample", .queued, submitted: 95, waiting: "dependency"),
        view(
            7,
            "finetune-72b",
            .queued,
            project: "language",
            tasks: 16,
            resources: gpu,
            submitted: 5400,
            detail: "needs 64 cards",
            waiting: "capacity"
        ),
        view(
            8,
            "collect",
            .succeeded,
            centre: "hub-1",
            run: .succeeded,
            submitted: 95,
            started: 94,
            ended: 88,
            index: 0
        ),
        view(
            9,
            "collect",
            .succeeded,
            centre: "hub-1",
            run: .succeeded,
            submitted: 95,
            started: 94,
            ended: 86,
            index: 1
        ),
        view(
            10,
            "reanalysis",
            .failed,
            project: "climate",
            centre: "hub-1",
            run: .failed,
            submitted: 86_000,
            started: 85_000,
            ended: 82_000,
            detail: "needed more memory than it had asked for (attempt 3)"
        ),
        view(
            11,
            "sweep",
            .cancelled,
            project: "climate",
            submitted: 200_000,
            ended: 199_000,
            detail: "cancelled by alice"
        ),
    ]

    static func figures(_ name: Double, _ ready: Double, _ free: Double, _ measured: Double? = nil) -> Figures {
        Figures(nameplate: name, schedulable: ready, free: free, measured: measured)
    }

    static let tiers: [(Tier, CapacityFigures)] = [
        (
            .hub,
            CapacityFigures(
                cores: figures(256, 248, 64),
                memoryBytes: figures(0x1p40, 0x1p40, 0x1p39),
                cards: figures(64, 60, 12),
                pflops: figures(20.03, 18.78, 3.756, 15.1),
                processorGflops: 9210
            )
        ),
        (
            .region,
            CapacityFigures(
                cores: figures(128, 128, 90),
                memoryBytes: figures(0x1p39, 0x1p39, 0x1p38),
                cards: figures(16, 16, 16),
                pflops: figures(5.008, 5.008, 5.008)
            )
        ),
        (
            .edge,
            CapacityFigures(
                cores: figures(16, 8, 6),
                memoryBytes: figures(0x1p35, 0x1p34, 0x1p33),
                emulatedCards: figures(4, 4, 3)
            )
        ),
        (.device, CapacityFigures(cores: figures(4, 4, 3.5), memoryBytes: figures(0x1p33, 0x1p33, 0x1p32))),
    ]

    static let capacity = CapacityView(
        total: tiers.reduce(CapacityFigures()) { $0 + $1.1 },
        tiers: tiers.map { .init(tier: $0.0, centres: $0.0 == .hub ? 2 : 1, capacity: $0.1) },
        centres: tiers.map { .init(centre: centre("\($0.0.rawValue)-1"), tier: $0.0, connected: true, capacity: $0.1) },
        projects: []
    )

    static func event(
        _ sequence: Int64,
        _ kind: Event.Kind,
        _ subject: String,
        _ actor: String,
        _ seconds: Int,
        name: String? = nil,
        run: RunKey? = nil
    ) -> EventView {
        var payload: [(key: String, value: JSON)] = []
        if let name { payload.append(("name", .string(name))) }
        if let run { payload.append(("run", .string(run.description))) }
        return EventView(
            sequence: sequence,
            at: ago(seconds),
            project: project("tour"),
            subject: subject,
            kind: kind.rawValue,
            actor: actor,
            payload: .object(payload)
        )
    }

    static let events: [EventView] = [
        event(4180, .workflowSubmitted, workflow.description, "user/alice", 95, name: "tour"),
        event(4193, .runStarted, job(8).description, "agent/hub-1", 94),
        event(4207, .runUnseen, job(4).description, "point", 20),
        event(4203, .runEnded, job(9).description, "agent/hub-1", 86),
        event(4210, .centreChanged, "centre/edge-1", "user/alice", 12),
        event(4212, .voucherGranted, "project/climate", "user/alice", 3),
    ]

    static func centreView(
        _ name: String,
        _ tier: Tier,
        nodes: [CentreView.NodeView],
        state: CentreState = .open,
        connected: Bool = true
    ) -> CentreView {
        CentreView(
            name: centre(name),
            tier: tier,
            state: state,
            connected: connected,
            lastSeen: ago(connected ? 2 : 740),
            engine: tier == .hub ? .slurm : .local,
            engineVersion: tier == .hub ? "22.05.8" : nil,
            isolates: tier != .device,
            joinedAt: ago(400_000),
            agent: AgentID(high: 0x019a_b1f3_2c40_3333, low: 44),
            prices: PriceTable(cardHour: ["ascend-910b3": 4_500_000]),
            capacity: tiers.first { $0.0 == tier }?.1 ?? CapacityFigures(),
            nodes: nodes,
            liveRuns: nodes.reduce(0) { $0 + $1.runs.count },
            unseenRuns: connected ? 0 : 1
        )
    }

    static func node(
        _ name: String,
        cores: Int,
        free: Double,
        cards: [CardGroup] = [],
        freeCards: Int = 0,
        up: Bool = true
    ) -> CentreView.NodeView {
        CentreView.NodeView(
            node: Node(
                name: name,
                partition: cards.isEmpty ? nil : "train",
                schedulable: up,
                cores: .cores(cores),
                memory: .gibi(Int64(cores * 4)),
                cards: cards,
                measured: NodeMeasurement(fp32Gflops: 61.2, memoryGbps: 18.4, diskMbps: 240, at: ago(400_000))
            ),
            freeCores: MilliCores(Int64(free * 1000)),
            freeMemory: .gibi(Int64(free * 4)),
            freeCards: freeCards,
            runs: free < Double(cores) ? [RunKey(job: job(2), number: 1)] : []
        )
    }

    static let hub: CentreView = centreView(
        "hub-1",
        .hub,
        nodes: (1...6).map { number in
            node(
                "gpu-0\(number)",
                cores: 32,
                free: number < 5 ? 0 : number == 5 ? 13.5 : 32,
                cards: [CardGroup(model: "ascend-910b3", count: 8)],
                freeCards: number < 5 ? 0 : 8,
                up: number != 6
            )
        } + [node("login-1", cores: 8, free: 6)]
    )

    static let centres: [CentreView] = [
        hub,
        centreView("region-1", .region, nodes: [node("cn-1", cores: 16, free: 12)]),
        centreView(
            "edge-1",
            .edge,
            nodes: [
                node(
                    "box",
                    cores: 8,
                    free: 6,
                    cards: [CardGroup(model: "emulated", count: 4, emulated: true)],
                    freeCards: 3
                )
            ],
            connected: false
        ),
        centreView("device-1", .device, nodes: [node("pi", cores: 4, free: 3.5)], state: .draining),
    ]
}
