import Core
import Scheduling
import Testing

@Suite struct TerrainTests {
    /// Something happens to a federation: a plan is carried out in part, runs end, nodes and centres come and go.
    private func change(_ snapshot: inout Snapshot, after plan: Plan, _ g: inout SeededGenerator) {
        snapshot.now = snapshot.now + .seconds(Int.random(in: 0...600, using: &g))
        for placement in plan.placements where Int.random(in: 0..<4, using: &g) > 0 {
            guard let index = snapshot.queue.firstIndex(where: { $0.id == placement.job }),
                let centre = snapshot.centres.firstIndex(where: { $0.name == placement.centre })
            else { continue }
            let job = snapshot.queue.remove(at: index)
            snapshot.centres[centre].runs.append(
                Snapshot.Run(
                    key: RunKey(job: job.id, number: 1),
                    project: job.project,
                    nodes: placement.nodes,
                    resources: job.request.resources,
                    leasedAt: snapshot.now,
                    timeLimitSeconds: job.request.timeLimitSeconds,
                    priority: job.priority,
                    preemptible: job.preemptible
                )
            )
            snapshot.centres[centre].runs.sort { $0.key < $1.key }
        }
        for preemption in plan.preemptions where Bool.random(using: &g) {
            for centre in snapshot.centres.indices {
                for run in snapshot.centres[centre].runs.indices
                where snapshot.centres[centre].runs[run].key == preemption.run {
                    snapshot.centres[centre].runs[run].stopping = true
                }
            }
        }
        guard let centre = snapshot.centres.indices.randomElement(using: &g) else { return }
        switch Int.random(in: 0..<7, using: &g) {
        case 6:
            let node = snapshot.centres[centre].capacity?.nodes.first?.name ?? "n0"
            snapshot.centres[centre].others = [
                NodeUse(node: node, cores: .cores(Int.random(in: 0...3, using: &g)), memory: .gibi(1))
            ]
            snapshot.centres[centre].queue = .init(turns: Int.random(in: 0...2, using: &g), waitSeconds: 60)
        case 0: if !snapshot.centres[centre].runs.isEmpty { snapshot.centres[centre].runs.removeLast() }
        case 1:
            let nodes = snapshot.centres[centre].capacity?.nodes.count ?? 0
            if nodes > 0 { snapshot.centres[centre].capacity?.nodes[0].schedulable.toggle() }
        case 2: snapshot.centres[centre].state = Bool.random(using: &g) ? .open : .draining
        case 3: snapshot.centres[centre].capacity?.nodes.append(.fixture("new", cores: 4))
        case 4: snapshot.centres.remove(at: centre)
        default:
            // Equal, but not the same arrays.
            snapshot.centres[centre].runs = snapshot.centres[centre].runs.map { $0 }
        }
    }

    @Test("a plan on known terrain equals one made from nothing, after every step")
    func sameAsAnew() {
        for seed in seeds(60) {
            var g = SeededGenerator(seed: seed)
            var snapshot = PlanPropertyTests.snapshot(seed: seed)
            var terrain = Terrain()
            for step in 0..<12 {
                let known = plan(snapshot, on: &terrain)
                #expect(known == plan(snapshot), "seed \(seed), step \(step)")
                change(&snapshot, after: known, &g)
                if step.isMultiple(of: 4) {
                    let more = PlanPropertyTests.snapshot(seed: seed &+ 1000 &* UInt64(step + 1)).queue
                    let known = Set(snapshot.queue.map(\.id) + snapshot.centres.flatMap { $0.runs.map(\.key.job) })
                    snapshot.queue += more.filter { !known.contains($0.id) }
                }
            }
        }
    }

    /// Three centres of sixty nodes, and jobs of few kinds: what is known of a centre is brought up to date, not forgotten.
    private func large(_ g: inout SeededGenerator) -> Snapshot {
        let centres = (0..<3).map { number in
            Snapshot.Centre.fixture(
                "c\(number)",
                nodes: (0..<60).map { node in
                    .fixture(
                        "n\(node)",
                        cores: [8, 16, 32][Int.random(in: 0..<3, using: &g)],
                        gibi: [32, 64][Int.random(in: 0..<2, using: &g)],
                        cards: node.isMultiple(of: 3) ? [CardGroup(model: "h100", count: 8)] : [],
                        up: Int.random(in: 0..<20, using: &g) > 0
                    )
                }
            )
        }
        return Snapshot(now: noon, centres: centres, projects: [.init(name: projectName("p"))], queue: [])
    }

    private func submit(_ count: Int, to snapshot: inout Snapshot, from number: inout Int, _ g: inout SeededGenerator) {
        for _ in 0..<count {
            number += 1
            let request = Request.fixture(
                tasks: Int.random(in: 0..<8, using: &g) == 0 ? Int.random(in: 2...20, using: &g) : 1,
                cores: [1, 3, 7, 8, 12, 16, 30][Int.random(in: 0..<7, using: &g)],
                gibi: [1, 20, 60][Int.random(in: 0..<3, using: &g)],
                cards: [0, 0, 0, 1, 4, 8][Int.random(in: 0..<6, using: &g)],
                seconds: [600, 3600, 40_000][Int.random(in: 0..<3, using: &g)]
            )
            snapshot.queue.append(.fixture(number, request, priority: Int.random(in: 1...3, using: &g) * 100))
        }
    }

    @Test("the same on large centres of which little changes")
    func sameOnLargeCentres() {
        for seed in seeds(3) {
            var g = SeededGenerator(seed: seed)
            var snapshot = large(&g)
            var terrain = Terrain()
            var number = 0
            for step in 0..<16 {
                submit(step < 4 ? 120 : 12, to: &snapshot, from: &number, &g)
                let known = plan(snapshot, on: &terrain)
                #expect(known == plan(snapshot), "seed \(seed), step \(step)")
                snapshot.now = snapshot.now + .seconds(Int.random(in: 0...300, using: &g))
                let placed = Dictionary(uniqueKeysWithValues: known.placements.map { ($0.job, $0) })
                for job in snapshot.queue {
                    guard let placement = placed[job.id],
                        let centre = snapshot.centres.firstIndex(where: { $0.name == placement.centre })
                    else { continue }
                    snapshot.centres[centre].runs.append(
                        Snapshot.Run(
                            key: RunKey(job: job.id, number: 1),
                            project: job.project,
                            nodes: placement.nodes,
                            resources: job.request.resources,
                            leasedAt: snapshot.now,
                            timeLimitSeconds: job.request.timeLimitSeconds,
                            priority: job.priority
                        )
                    )
                }
                snapshot.queue.removeAll { placed[$0.id] != nil }
                for centre in snapshot.centres.indices {
                    for _ in 0..<Int.random(in: 0...3, using: &g) where !snapshot.centres[centre].runs.isEmpty {
                        let index = snapshot.centres[centre].runs.indices.randomElement(using: &g) ?? 0
                        snapshot.centres[centre].runs.remove(at: index)
                    }
                    snapshot.centres[centre].runs.sort { $0.key < $1.key }
                }
            }
        }
    }
}
