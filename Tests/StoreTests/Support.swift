import Core
import Glibc

@testable import Store

/// A folder that goes away with the test.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/onepoint-store-XXXXXX".utf8CString)
        path = template.withUnsafeMutableBufferPointer { String(cString: mkdtemp($0.baseAddress!)) }
    }

    deinit {
        for name in ["db", "db-wal", "db-shm", "db.lock", "db-journal"] { unlink(path + "/" + name) }
        rmdir(path)
    }

    var database: String { path + "/db" }

    func open(readers: Int = 2) async throws -> EventStore {
        try await EventStore.open(.init(path: database, readers: readers))
    }
}

/// A small generator whose whole state is its seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    /// The seed from the environment, or a new one, printed so that a failure can be repeated.
    static func seed(_ test: String) -> UInt64 {
        let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0 ... .max)
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return seed
    }

    /// SplitMix64. Source: https://prng.di.unimi.it/splitmix64.c
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension Instant {
    /// The morning on which every test begins.
    static let start = Instant(rfc3339: "2026-01-31T09:30:00Z")!

    static func after(_ seconds: Int) -> Instant { start + .seconds(seconds) }
}

extension Name {
    static func named(_ text: String) -> Self { Self(text)! }
}

extension Digest {
    /// A digest of nothing in particular.
    static func number(_ number: UInt64) -> Digest {
        var generator = SeededGenerator(number)
        return Digest(bytes: (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &generator) })!
    }
}

extension RepositoryName {
    static func named(_ text: String) -> Self { Self(text)! }
}

extension GitHash {
    static func number(_ number: UInt64) -> Self { Self(String(Digest.number(number).hex.prefix(40)))! }
}

extension ID {
    static func number(_ number: UInt64) -> Self { Self(high: 1 << 40 | number >> 32, low: number << 20) }
}

extension JobSpec {
    /// A specification in which every field has a value of its own.
    static var full: JobSpec {
        var spec = JobSpec(name: "train-llm", command: ["python", "{algorithm}/train.py", "--lr", "3e-4"])
        spec.algorithm = AlgorithmReference(
            name: "byte-lm",
            version: "1.2.0",
            tree: .number(1),
            requirements: "requirements.txt"
        )
        spec.parameters = [
            "learning_rate": .number(0.0003),
            "layerCount": .integer(4),
            "nested": .object([("batch_size", .integer(8)), ("seqLen", .array([.integer(1), .null, .bool(true)]))]),
        ]
        spec.environment = ["OMP_NUM_THREADS": "2", "camelCase": "kept"]
        spec.tasks = 2
        spec.resources = TaskResources(cores: 1500, memory: .gibi(2), cards: 1, card: "h100-sxm5")
        spec.timeLimitSeconds = 600
        spec.placement = PlacementConstraint(tiers: [.region], centres: [.named("region-1")], emulated: true)
        spec.priority = 700
        spec.preemptible = true
        spec.gracePeriodSeconds = 5
        spec.retries = RetryPolicy(limit: 3, on: [.exit, .lost, .timeLimit], backoffSeconds: 2)
        spec.onCentreLoss = .requeue(afterSeconds: 30)
        spec.isolation = .required
        spec.inputs = [
            JobInput(name: "text", source: .output(job: "collect", output: "corpus")),
            JobInput(name: "model", source: .artifact(.number(2), .tree)),
        ]
        spec.outputs = ["checkpoint", "curve"]
        spec.after = ["collect"]
        return spec
    }
}

extension WriteTransaction {
    /// Appends with the test's own project and actor.
    @discardableResult
    func append(_ event: Event, at: Instant = .start) throws -> Int64 {
        try append(event, project: .named("brain"), subject: event.kind.rawValue, actor: "user/alice", at: at)
    }

    /// Submits one job, or an array when there is more than one.
    func submit(
        _ first: JobID,
        count: Int = 1,
        array: ArrayID? = nil,
        workflow: WorkflowID? = nil,
        project: ProjectName = .named("brain"),
        name: String = "work",
        priority: Int = 500,
        after dependencies: [Dependency] = [],
        key: String? = nil,
        at: Instant = .start
    ) throws {
        var spec = JobSpec(name: name, command: ["true"])
        spec.priority = priority
        let submitted = Event.JobsSubmitted(
            first: first,
            count: count,
            array: array,
            workflow: workflow,
            project: project,
            user: .named("alice"),
            spec: spec,
            dependencies: dependencies,
            idempotency: key.map { .init(key: $0, request: .number(9)) }
        )
        try append(.jobsSubmitted(submitted), project: project, subject: "\(first)", actor: "user/alice", at: at)
    }

    func lease(
        _ run: RunKey,
        at centre: CentreName = .named("hub-1"),
        reserved: MicroCredits = 0,
        cards: Int = 0,
        time: Instant = .start
    ) throws {
        let leased = Event.RunLeased(
            run: run,
            centre: centre,
            nodes: [NodeShare(node: "n1", tasks: 2, card: cards > 0 ? "h100-sxm5" : nil, emulated: true)],
            resources: TaskResources(cores: 1500, memory: .gibi(1), cards: cards, card: nil),
            tasks: 2,
            reason: "it was free",
            pricePerHour: 7_200_000,
            reserved: reserved
        )
        try append(.runLeased(leased), at: time)
    }

    func end(
        _ run: RunKey,
        _ outcome: RunOutcome.Kind = .succeeded,
        artifacts: [Artifact] = [],
        usage: [Usage] = [],
        charged: MicroCredits = 0,
        at: Instant = .start
    ) throws {
        let ended = Event.RunEnded(
            run: run,
            outcome: RunOutcome(outcome),
            endedAt: at,
            artifacts: artifacts,
            usage: usage,
            charged: charged
        )
        try append(.runEnded(ended), at: at)
    }

    func endJob(_ job: JobID, _ state: JobState, detail: String? = nil, at: Instant = .start) throws {
        try append(.jobEnded(.init(job: job, state: state, detail: detail)), at: at)
    }
}

/// The failure that an operation ends with; `nil` when it succeeds or fails otherwise.
func failure(_ body: () async throws -> Void) async -> Failure? {
    do { try await body() } catch { return error as? Failure }
    return nil
}

extension ReadTransaction {
    /// The first few of every project's waiting jobs.
    func jobsWaiting(now: Instant) throws -> [Job] {
        try projectsWaiting().flatMap { try jobsWaiting(in: $0, limit: 9, now: now) }
    }
}
