import Core
import Curation
import Entry
import Wire

@testable import Console

extension OverviewPage {
    static let sample = OverviewPage(
        overview: OverviewView(
            capacity: Sample.capacity,
            jobs: ["queued": 12_480, "active": 214, "succeeded": 87_102, "failed": 93, "cancelled": 11],
            waiting: [
                .init(
                    code: "capacity",
                    count: 9120,
                    headline: "needs 64 cards of ascend-910b3 at one centre; 12 are free"
                ),
                .init(code: "dependency", count: 3100, headline: "waits for train, which is running"),
                .init(code: "quota", count: 260, headline: "project climate holds 64 of 64 cores"),
            ],
            running: Array(Sample.jobs.prefix(4)),
            recent: Sample.events
        )
    )
    static let emptySample = OverviewPage(
        overview: OverviewView(
            capacity: CapacityView(total: CapacityFigures(), tiers: [], centres: [], projects: []),
            jobs: [:],
            waiting: [],
            running: [],
            recent: []
        )
    )
}

extension JobsPage {
    static let sample = JobsPage(
        page: Page(items: Sample.jobs, next: "eyJhIjoxfQ"),
        counts: ["queued": 12_480, "active": 214, "succeeded": 87_102, "failed": 93, "cancelled": 11],
        query: Form(),
        centres: Sample.centres.map(\.name)
    )
}

extension JobPage {
    private static func run(
        _ number: Int,
        _ outcome: RunOutcome?,
        leased: Int,
        started: Int?,
        ended: Int?,
        centre: String
    ) -> RunView {
        RunView(
            Run(
                key: RunKey(job: Sample.job(1), number: number),
                project: Sample.project("tour"),
                centre: Sample.centre(centre),
                lifecycle: RunLifecycle(state: outcome?.state ?? .running, lease: outcome == nil ? .accepted : .ended),
                nodes: [NodeShare(node: "cn-1", tasks: 2, card: "emulated", emulated: true)],
                resources: TaskResources(),
                tasks: 2,
                reason: "region-1 starts it at once; hub-1 would cost 0.4 credits more",
                engineJob: "4711",
                leasedAt: Sample.ago(leased),
                startedAt: started.map { Sample.ago($0) },
                endedAt: ended.map { Sample.ago($0) },
                outcome: outcome,
                pricePerHour: 40_000,
                reserved: 3334,
                charged: outcome == nil ? nil : 180
            ),
            tier: .region
        )
    }

    static let sample = JobPage(
        job: JobDetail(
            summary: Sample.jobs[0],
            spec: {
                var spec = JobSpec(name: "train", command: ["python3", "{algorithm}/main.py", "--name", "it's a run"])
                spec.algorithm = AlgorithmReference(
                    name: "byte-transformer",
                    version: "1.0.0",
                    tree: Sample.digest(7),
                    requirements: "requirements.txt"
                )
                spec.parameters = ["steps": .integer(500), "width": .integer(96)]
                spec.tasks = 2
                spec.timeLimitSeconds = 300
                spec.placement = PlacementConstraint(tiers: [.region])
                spec.retries = RetryPolicy(limit: 2)
                spec.inputs = [
                    JobInput(name: "text", source: .output(job: Sample.array.description, output: "text")),
                    JobInput(name: "prices", source: .artifact(Sample.digest(3), .file)),
                ]
                spec.outputs = ["model", "report"]
                return spec
            }(),
            runs: [
                run(1, RunOutcome(.nodeFailure), leased: 84, started: 78, ended: 62, centre: "region-1"),
                run(2, nil, leased: 58, started: 31, ended: nil, centre: "region-1"),
            ],
            artifacts: [
                Artifact(name: "model", kind: .tree, digest: Sample.digest(1), size: .mebi(12)),
                Artifact(name: "report", kind: .file, digest: Sample.digest(2), size: 4211),
            ],
            dependencies: [DependencyView(on: .array(Sample.array), name: "collect", states: ["succeeded": 4])],
            forecast: nil,
            retriesUsed: 1,
            charged: 180,
            reserved: 3334
        ),
        why: WhyView(
            job: Sample.job(1),
            state: .active,
            code: "running",
            headline: "It runs on cn-1 of region-1 since 31 s; its time limit is in 4 min 29 s.",
            evidence: ["region-1: 12 of 16 cores free, starts at once", "hub-1: tier hub is not allowed by the job"],
            wayOut: nil,
            predictedStart: nil,
            figures: [:]
        ),
        log: .init(
            run: 2,
            task: 0,
            tasks: 2,
            offset: 0,
            end: 312,
            text: """
                rank 0 of 2 at 127.0.0.1:29500
                corpus: 2,411,094 bytes, held out 5 %
                unigram perplexity 22.914
                step   50  loss 2.817  perplexity 16.73  (412 kB/s)
                step  100  loss 2.402  perplexity 11.05  (418 kB/s)
                step  150  loss 2.211  perplexity  9.12  (420 kB/s)
                checkpoint written: step-150.npz

                """,
            isComplete: false
        ),
        events: [
            Sample.event(4185, .jobsSubmitted, Sample.job(1).description, "user/alice", 95, name: "train"),
            Sample.event(4196, .runLeased, Sample.job(1).description, "point", 84),
            Sample.event(
                4197,
                .runAccepted,
                Sample.job(1).description,
                "agent/region-1",
                83,
                run: RunKey(job: Sample.job(1), number: 1)
            ),
            Sample.event(
                4205,
                .runAccepted,
                Sample.job(1).description,
                "agent/region-1",
                56,
                run: RunKey(job: Sample.job(1), number: 2)
            ),
            Sample.event(
                4206,
                .runPending,
                Sample.job(1).description,
                "agent/region-1",
                38,
                run: RunKey(job: Sample.job(1), number: 2)
            ),
        ]
    )

    /// A job that waits: no run, no log, a reason.
    static let waitingSample = JobPage(
        job: JobDetail(
            summary: Sample.jobs[6],
            spec: JobSpec(name: "finetune-72b", command: ["torchrun", "finetune.py"]),
            runs: [],
            artifacts: [],
            dependencies: [],
            forecast: ForecastView(
                Forecast(
                    wait: .init(modelled: 600, p50: 900, p90: 4200),
                    run: .init(modelled: 3600, p50: 3300, p90: 6000),
                    pricePerHour: 1_250_000
                ),
                madeAt: Sample.now
            ),
            retriesUsed: 0,
            charged: 0,
            reserved: 0
        ),
        why: WhyView(
            job: Sample.job(7),
            state: .queued,
            code: "capacity",
            headline: "It needs 64 cards of ascend-910b3 at one centre at once; the most that is free is 12, at hub-1.",
            evidence: [
                "hub-1: 60 schedulable, 12 free; 48 are held by 8 runs, the first of which ends by 22:10",
                "region-1: has 16 cards, fewer than the job needs",
                "edge-1: only emulated cards, which the job does not allow",
            ],
            wayOut: "Ask for 12 cards or fewer, and it starts at once.",
            predictedStart: Sample.instant("2026-11-23T22:10:00.000Z"),
            predictedStartP90: Sample.instant("2026-11-23T23:40:00.000Z"),
            figures: [:]
        ),
        log: nil,
        events: []
    )
}

extension WorkflowsPage {
    static let sample = WorkflowsPage(page: Page(items: [WorkflowPage.sample.workflow], next: nil), query: Form())
}

extension WorkflowPage {
    private static func node(
        _ name: String,
        _ number: UInt64,
        _ states: [JobState: Int],
        centre: String,
        tier: Tier,
        tasks: Int = 1,
        started: Int? = nil,
        ended: Int? = nil,
        after: [(String, [String])] = []
    ) -> WorkflowView.Node {
        let count = states.values.reduce(0, +)
        return WorkflowView.Node(
            name: name,
            job: count == 1 ? Sample.job(number) : nil,
            array: count > 1 ? Sample.array : nil,
            count: count,
            states: Dictionary(uniqueKeysWithValues: states.map { ($0.key.rawValue, $0.value) }),
            tasks: tasks,
            centres: started == nil ? [] : [Sample.centre(centre)],
            tiers: [tier],
            startedAt: started.map { Sample.ago($0) },
            endedAt: ended.map { Sample.ago($0) },
            after: after.map { .init(node: $0.0, outputs: $0.1) },
            charged: ended == nil ? 0 : 412
        )
    }

    static let sample = WorkflowPage(
        workflow: WorkflowView(
            workflow: Sample.workflow,
            name: "tour",
            project: Sample.project("tour"),
            user: Sample.user("alice"),
            state: .active,
            submittedAt: Sample.ago(95),
            endedAt: nil,
            charged: 1648,
            nodes: [
                node("collect", 8, [.succeeded: 4], centre: "hub-1", tier: .hub, started: 94, ended: 86),
                node("simulate", 20, [.succeeded: 1], centre: "hub-1", tier: .hub, tasks: 2, started: 94, ended: 70),
                node(
                    "train",
                    1,
                    [.active: 1],
                    centre: "region-1",
                    tier: .region,
                    tasks: 2,
                    started: 31,
                    after: [("collect", ["text"])]
                ),
                node(
                    "surrogate",
                    3,
                    [.active: 1],
                    centre: "region-1",
                    tier: .region,
                    started: 20,
                    after: [("simulate", ["trajectory"])]
                ),
                node(
                    "evaluate",
                    5,
                    [.queued: 1],
                    centre: "edge-1",
                    tier: .edge,
                    after: [
                        ("train", ["model"]), ("collect", ["text"]), ("surrogate", ["surrogate"]),
                        ("simulate", ["trajectory"]),
                    ]
                ),
                node("sample", 6, [.queued: 1], centre: "device-1", tier: .device, after: [("train", ["model"])]),
            ]
        )
    )
}

extension CentresPage { static let sample = CentresPage(centres: Sample.centres) }

extension JoinPage {
    static let sample = JoinPage(
        join: JoinView(
            centre: Sample.centre("hub-2"),
            token: "join-7c1e0e6b5c9d4e",
            expiresAt: Sample.now + .seconds(3600)
        ),
        address: "https://point.example"
    )
}

extension LedgerPage {
    private static let entries: [LedgerEntryView] = (0..<8).flatMap { index -> [LedgerEntryView] in
        let amount = Int64(1_200_000 + index * 310_000)
        let at = Sample.ago(index * 400 + 20)
        return [("centre/hub-1", amount), ("reserved/tour", -amount)].map { account, amount in
            LedgerEntryView(
                sequence: Int64(4210 - index),
                at: at,
                account: account,
                amount: MicroCredits(amount),
                memo: "run op-01kaq ended"
            )
        }
    }

    static let sample = LedgerPage(
        balances: [
            BalanceView(account: "project/climate", amount: 12_480_500_000),
            BalanceView(account: "project/tour", amount: -1_648),
            BalanceView(account: "reserved/tour", amount: 3334),
            BalanceView(account: "centre/hub-1", amount: 88_120_000),
            BalanceView(account: "issued", amount: -12_568_602_186),
        ],
        list: .entries(
            Page(
                items: entries,
                next: "abc"
            )
        ),
        query: Form()
    )
    static let usageSample = LedgerPage(
        balances: [],
        list: .usage(
            Page(
                items: [
                    UsageView(
                        run: RunKey(job: Sample.job(2), number: 1),
                        project: Sample.project("language"),
                        centre: Sample.centre("hub-1"),
                        meter: .pflopHours,
                        from: Sample.ago(8700),
                        to: Sample.ago(100),
                        microUnits: 23_921_000
                    ),
                    UsageView(
                        run: RunKey(job: Sample.job(2), number: 1),
                        project: Sample.project("language"),
                        centre: Sample.centre("hub-1"),
                        meter: .coreSeconds,
                        from: Sample.ago(8700),
                        to: Sample.ago(100),
                        microUnits: 550_400_000_000
                    ),
                ],
                next: nil
            )
        ),
        query: Form([("view", "usage")])
    )
}

extension TokensPage {
    private static func token(
        _ number: UInt64,
        _ label: String,
        _ scopes: [Token.Scope],
        expires: Int?,
        revoked: Bool = false
    ) -> TokenView {
        TokenView(
            Token(
                id: TokenID(high: 0x019a_b1f3_2c40_4444, low: number),
                user: Sample.user("alice"),
                hash: Sample.digest(9),
                scopes: scopes,
                project: number == 2 ? Sample.project("tour") : nil,
                label: label,
                createdAt: Sample.ago(90_000),
                expiresAt: expires.map { Sample.now + .seconds($0) },
                revokedAt: revoked ? Sample.ago(50) : nil
            )
        )
    }

    static let sample = TokensPage(
        tokens: [
            token(1, "laptop", [.read, .write, .admin], expires: 7_000_000),
            token(2, "nightly pipeline", [.read, .write], expires: nil),
            token(3, "old script", [.read], expires: 100, revoked: true),
        ],
        fault: nil,
        typed: Form()
    )
}

extension IssuedTokenPage {
    static let sample = IssuedTokenPage(
        issued: IssuedToken(
            token: TokensPage.sample.tokens[0],
            secret: "op_01kb0yk5j0fk2mdx5v3y1zz4q8_8z1q5n0b4m6w3v7c2x9k1j8h5g4f3d2s1a0p9o8i7u6y5t4r3e2w1q"
        )
    )
}

extension ProjectsPage {
    static let sample = ProjectsPage(projects: [
        project("arctic", under: "climate"), project("ice", under: "arctic"), project("maps", under: "elsewhere"),
        ProjectPage.sample.view,
    ])

    private static func project(_ name: String, under parent: String) -> ProjectView {
        var view = ProjectPage.sample.view
        view.project.name = Sample.project(name)
        view.project.parent = Sample.project(parent)
        return view
    }
}

extension ProjectPage {
    static let sample = ProjectPage(
        view: ProjectView(
            project: Project(
                name: Sample.project("climate"),
                title: "Seasonal forecasts",
                parent: Sample.project("science"),
                weight: 200,
                quota: Quota(cores: .cores(64), cards: 8, bytes: .gibi(512)),
                metered: true
            ),
            balance: 12_480_500_000,
            reserved: 4_000_000,
            runs: 3,
            cores: 12.5,
            cards: 4,
            stored: .gibi(96),
            role: .owner,
            jobs: ["active": 3, "queued": 260]
        ),
        members: [
            Membership(project: Sample.project("climate"), user: Sample.user("alice"), role: .owner),
            Membership(project: Sample.project("climate"), user: Sample.user("bao"), role: .member),
        ]
    )
}

extension SubmitPage {
    static let sample = SubmitPage(document: SubmitPage.example, key: "key-1", problem: nil, faults: [])
    static let estimatedSample = SubmitPage(
        document: SubmitPage.example,
        key: "key-1",
        problem: nil,
        faults: [],
        estimates: [
            EstimateView(
                name: "hello",
                count: 4,
                code: "capacity",
                headline: "Every centre that could run it is busy: edge-1 has 0 of 1 core free on its best node.",
                evidence: [],
                wayOut: "were tier device allowed, it would start now at device-1",
                timeLimitSeconds: 300,
                forecast: ForecastView(
                    Forecast(
                        wait: .init(modelled: 600, p50: 900, p90: 4200),
                        run: .init(modelled: 200, p50: 180, p90: 290),
                        pricePerHour: 50_000
                    ),
                    madeAt: Sample.now
                ),
                costMax: 4167
            )
        ]
    )
    static let faultySample = SubmitPage(
        document: """
            name: Hello World
            command: [sh, -c, "echo Hello"]
            resources:
              cores: 1
              memory: lots
              time_limit: 5m
            taks: 2

            """,
        key: "key-1",
        problem: "The job has 3 faults.",
        faults: [
            .init(line: 1, pointer: "/name", message: "use 1 to 63 characters of a-z, 0-9 and '-'"),
            .init(line: 5, pointer: "/resources/memory", message: "is not an amount of memory such as 512MiB"),
            .init(line: 7, pointer: "/taks", message: "is not known here; did you mean 'tasks'?"),
        ]
    )
}

extension TreePage {
    static let sample = TreePage(
        name: "model",
        digest: Sample.digest(1),
        tree: TreeManifest(files: [
            .init(path: "config.json", digest: Sample.digest(4), size: 612, executable: false),
            .init(path: "weights/step-500.npz", digest: Sample.digest(5), size: .mebi(12), executable: false),
        ])
    )
}

extension LoginPage { static let sample = LoginPage(next: "/console", fault: nil) }

extension ProblemPage {
    static let sample = ProblemPage(
        problem: Problem(
            ProblemKind(.notFound),
            detail: "There is no job of that name, or you may not see it.",
            requestID: "a1b2c3"
        )
    )
}

extension ConfirmPage {
    static let sample = ConfirmPage(
        title: "Cancel 2 jobs?",
        question: "What already runs is stopped. This cannot be taken back.",
        items: ["train", "evaluate"],
        action: "/console/jobs/cancel",
        fields: Form([("job", "a"), ("job", "b"), ("sure", "yes")]),
        button: "Yes, cancel them",
        back: "/console/jobs",
        section: .jobs
    )
}

/// Every page by name, as tests and screenshots want them.
enum Gallery {
    static func pages(_ frame: Frame) -> [(name: String, html: HTML)] {
        var anonymous = frame
        anonymous.viewer = nil
        return [
            ("login", LoginPage.sample.render(anonymous)),
            ("overview", OverviewPage.sample.render(frame)), ("overview-empty", OverviewPage.emptySample.render(frame)),
            ("jobs", JobsPage.sample.render(frame)), ("job", JobPage.sample.render(frame)),
            ("job-waiting", JobPage.waitingSample.render(frame)), ("workflows", WorkflowsPage.sample.render(frame)),
            ("workflow", WorkflowPage.sample.render(frame)), ("centres", CentresPage.sample.render(frame)),
            ("centre", CentrePage.sample.render(frame)), ("join", JoinPage.sample.render(frame)),
            ("simulations", SimulationsPage.sample.render(frame)),
            ("simulations-empty", SimulationsPage.emptySample.render(frame)),
            ("simulation", SimulationPage.sample.render(frame)),
            ("ledger", LedgerPage.sample.render(frame)), ("ledger-usage", LedgerPage.usageSample.render(frame)),
            ("tokens", TokensPage.sample.render(frame)), ("token-issued", IssuedTokenPage.sample.render(frame)),
            ("projects", ProjectsPage.sample.render(frame)), ("project", ProjectPage.sample.render(frame)),
            ("submit", SubmitPage.sample.render(frame)), ("submit-estimate", SubmitPage.estimatedSample.render(frame)),
            ("submit-faults", SubmitPage.faultySample.render(frame)),
            ("tree", TreePage.sample.render(frame)), ("problem", ProblemPage.sample.render(frame)),
            ("confirm", ConfirmPage.sample.render(frame)),
            ("training", TrainingPage.sample.render(frame)), ("governance", GovernancePage.sample.render(frame)),
            ("governance-damaged", GovernancePage.damagedSample.render(frame)),
            ("samples", SamplesPage.sample.render(frame)), ("judge", JudgePage.sample(.judge).render(frame)),
            ("judge-review", JudgePage.sample(.review, steps: [("li", true)]).render(frame)),
            (
                "judge-settle", JudgePage.sample(.adjudicate, steps: [("li", true), ("wang", false)]).render(frame)
            ),
            ("document", DocumentPage.sample.render(frame)),
            ("document-dropped", DocumentPage.droppedSample.render(frame)),
            ("document-taken", DocumentPage.takenSample.render(frame)),
            ("document-repeated", DocumentPage.repeatedSample.render(frame)),
            ("document-searching", DocumentPage.searchingSample.render(frame)),
        ]
    }
}
