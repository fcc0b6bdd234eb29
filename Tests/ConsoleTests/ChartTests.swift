import Core
import Testing
import Wire

@testable import Console

@Suite struct ChartTests {
    /// From the environment, else a new one; printed with every failure.
    static let seed: UInt64 =
        Environment.value("ONEPOINT_TEST_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)

    @Test("in any graph nodes do not overlap, edges lead forward, and none runs through a node")
    func layoutProperties() {
        var random = Seeded(state: Self.seed)
        for round in 0..<200 {
            let count = Int.random(in: 1...24, using: &random)
            var edges: [GraphLayout.Edge] = []
            for to in 0..<count {
                for from in 0..<to where Int.random(in: 0..<count, using: &random) < 2 {
                    edges.append(.init(from: from, to: to, label: from % 2 == 0 ? "output" : ""))
                }
            }
            let layout = GraphLayout(count: count, edges: edges)
            let note = Comment(rawValue: "seed \(Self.seed), round \(round)")
            #expect(layout.boxes.count == count && layout.routes.count == edges.count, note)
            for (index, a) in layout.boxes.enumerated() {
                #expect(a.x >= 0 && a.y >= -0.01 && a.x + a.width <= layout.width + 0.01, note)
                #expect(a.y + a.height <= layout.height + 0.01, note)
                for b in layout.boxes[(index + 1)...] { #expect(!overlap(a, b), note) }
            }
            for route in layout.routes {
                let (from, to) = (layout.boxes[route.edge.from], layout.boxes[route.edge.to])
                #expect(from.layer < to.layer && from.x + from.width < to.x, note)
                #expect(zip(route.points, route.points.dropFirst()).allSatisfy { $0.x < $1.x }, note)
                #expect(route.points.first?.x == from.x + from.width && route.points.last?.x == to.x, note)
                for (a, b) in zip(route.points, route.points.dropFirst()) where a.y == b.y {
                    for (index, box) in layout.boxes.enumerated()
                    where index != route.edge.from && index != route.edge.to {
                        let crosses = a.y > box.y && a.y < box.y + box.height && a.x < box.x + box.width && b.x > box.x
                        #expect(!crosses, note)
                    }
                }
            }
        }
    }

    private func overlap(_ a: GraphLayout.Box, _ b: GraphLayout.Box) -> Bool {
        a.x < b.x + b.width && b.x < a.x + a.width && a.y + a.height > b.y + 0.01 && b.y + b.height > a.y + 0.01
    }

    @Test("edges enter a node one below the other, in the order in which they come")
    func ports() throws {
        let layout = GraphLayout(count: 4, edges: (0..<3).map { .init(from: $0, to: 3, label: "x") })
        let ends = layout.routes.sorted { ($0.points.first?.y ?? 0) < ($1.points.first?.y ?? 0) }.compactMap {
            $0.points.last?.y
        }
        #expect(ends == ends.sorted() && Set(ends).count == 3)
    }

    @Test("an empty graph, a loop, a cycle and an unknown node are laid out without them")
    func oddGraphs() {
        #expect(GraphLayout(count: 0, edges: []).boxes.isEmpty)
        let loop = GraphLayout(count: 1, edges: [.init(from: 0, to: 0, label: ""), .init(from: 0, to: 9, label: "")])
        #expect(loop.boxes.count == 1 && loop.routes.isEmpty)
        let cycle = GraphLayout(
            count: 3,
            edges: [
                .init(from: 0, to: 1, label: ""), .init(from: 1, to: 2, label: ""), .init(from: 2, to: 0, label: ""),
            ]
        )
        #expect(cycle.routes.count == 2 && Set(cycle.boxes.map(\.layer)) == [0, 1, 2])
    }

    @Test("the parts of a bar fill it and never leave it")
    func bars() {
        let bar = BarChart(
            parts: [.init(kind: "used", value: 3, title: "a"), .init(kind: "free", value: 5, title: "b")],
            scale: 4,
            label: "bar"
        ).render().text
        #expect(bar.contains("x=\"0\" width=\"75\"") && bar.contains("x=\"75\" width=\"125\""))
        #expect(BarChart(parts: [], scale: 0, label: "empty").render().text.contains("role=\"img\""))
    }

    @Test("a job's time line begins at its submission and has its runs one after the other without gaps")
    func timeline() {
        let page = JobPage.sample
        let strip = JobTimeline(job: page.job, events: page.events).strip(now: Sample.now)
        #expect(strip.rows.count == 2)
        #expect(strip.rows[0].phases.map(\.kind) == [.queued, .leased, .staging, .running])
        #expect(strip.rows[1].phases.map(\.kind) == [.queued, .leased, .staging, .pending, .running])
        #expect(strip.rows[0].phases.first?.from == page.job.summary.submittedAt)
        let phases = strip.rows.flatMap(\.phases)
        for (a, b) in zip(phases, phases.dropFirst()) { #expect(a.to == b.from) }
        #expect(phases.last?.to == Sample.now)
        let waiting = JobPage.waitingSample
        let queued = JobTimeline(job: waiting.job, events: []).strip(now: Sample.now)
        #expect(queued.rows.count == 1 && queued.rows[0].phases.map(\.kind) == [.queued])
    }

    @Test("a node of many jobs shows the state a person has to know first")
    func nodeStates() {
        func state(_ states: [String: Int]) -> JobState {
            var node = WorkflowPage.sample.workflow.nodes[0]
            node.states = states
            return GraphChart.state(of: node)
        }
        #expect(state(["succeeded": 3, "failed": 1]) == .failed)
        #expect(state(["succeeded": 3, "queued": 1]) == .active)
        #expect(state(["queued": 4]) == .queued)
        #expect(state(["succeeded": 3, "cancelled": 1]) == .cancelled)
        #expect(state(["succeeded": 4]) == .succeeded)
        #expect(state([:]) == .queued)
    }

    @Test("a machine is drawn with a square for each core and card, larger machines with fewer")
    func machines() {
        let small = NodeChart(Sample.node("box", cores: 4, free: 1.5), title: "box").render().text
        #expect(small.occurrences(of: "class=\"core\"") == 4 && small.occurrences(of: "core used") == 3)
        let large = NodeChart(Sample.node("big", cores: 512, free: 512), title: "big").render().text
        #expect(large.occurrences(of: "class=\"core\"") <= NodeChart.coreSquaresMax)
        let emulated = Sample.node(
            "edge",
            cores: 2,
            free: 2,
            cards: [CardGroup(model: "emulated", count: 2, emulated: true)],
            freeCards: 2
        )
        #expect(NodeChart(emulated, title: "edge").render().text.occurrences(of: "emulated") == 2)
    }

    @Test("lines stand on one scale, and a level stretch takes two points")
    func lines() {
        let chart = LineChart(
            lines: [
                .init(name: "a", values: [0, 50, 50, 50, 50, 100]), .init(name: "b", values: [100, 0, 0, 0, 0, 200]),
            ],
            top: 100,
            scale: ["100", "50", "0"],
            times: ["0", "1 h"],
            label: "lines"
        )
        let drawn = chart.render().text
        #expect(drawn.contains("points=\"0,100 1,50 4,50 5,0\""), "\(drawn)")
        #expect(
            drawn.contains("points=\"0,0 1,100 4,100 5,0\""),
            "what is above the scale is drawn at its top: \(drawn)"
        )
        #expect(drawn.contains("class=\"series-a\"") && drawn.contains("class=\"series-b\""))
        #expect(drawn.contains("d=\"M0 50H5\""))
        let many = LineKey(names: (0..<16).map { "p\($0)" }).render().text
        #expect(many.occurrences(of: "series-a") == 2 && many.occurrences(of: "series-a dashed") == 1)
        for (values, top) in [([], 1.0), ([0], 1), ([1], 1), ([3, 1.5], 3), ([51], 60), ([1001], 1500)] {
            #expect(LineChart.top(of: values) == top, "\(values)")
        }
        let empty = LineChart(lines: [], top: 0, scale: [], times: [], label: "none").render().text
        #expect(empty.contains("role=\"img\""))
    }

    @Test("an interval lies on its side of zero, and says whether it touches it")
    func intervals() {
        func drawn(_ low: Double, _ high: Double) -> String {
            IntervalChart(mean: (low + high) / 2, low: low, high: high, scale: 100, label: "i").render().text
        }
        #expect(drawn(-100, -50).contains("is-better") && drawn(-100, -50).contains("x=\"2\" y=\"4.5\" width=\"49\""))
        #expect(drawn(50, 100).contains("is-worse") && drawn(-1, 1).contains("is-open"))
        #expect(IntervalChart(mean: 0, low: 0, high: 0, scale: 0, label: "none").render().text.contains("is-open"))
    }

    @Test("an area has gaps where values are unknown and nothing to show with one value")
    func areas() {
        #expect(AreaChart(values: [1], label: "one").render().isEmpty)
        let drawn = AreaChart(values: [1, 2, nil, 2, 3], label: "gap").render().text
        #expect(drawn.occurrences(of: "M") >= 4)
    }
}

/// SplitMix64. > Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
