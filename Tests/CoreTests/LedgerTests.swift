import Core
import Testing

@Suite struct LedgerTests {
    static func sum(_ entries: [LedgerEntry]) -> MicroCredits { entries.reduce(0) { $0 + $1.amount } }

    @Test("every booking sums to zero, and so does every history of grants, reservations and settlements")
    func sumsToZero() {
        var generator = seeded("ledger")
        let (project, centre) = (ProjectName.fixture("demo"), CentreName.fixture("hub-1"))
        var balances: [Account: MicroCredits] = [:]
        func book(_ entries: [LedgerEntry]) {
            #expect(Self.sum(entries) == 0)
            for entry in entries {
                balances[entry.account, default: 0] = balances[entry.account, default: 0] + entry.amount
            }
        }
        for _ in 0..<2000 {
            book(LedgerEntry.grant(MicroCredits(.random(in: 0...1_000_000_000, using: &generator)), to: project))
            let reserved = MicroCredits(.random(in: 0...1_000_000_000, using: &generator))
            book(LedgerEntry.reserve(reserved, for: project))
            let charged = MicroCredits(.random(in: 0...reserved.count, using: &generator))
            book(LedgerEntry.settle(reserved: reserved, charged: charged, project: project, centre: centre))
            #expect(balances[.reserved(project)] == 0)
            #expect(balances.values.reduce(0, +) == 0)
        }
    }

    @Test("accounts round-trip as text, and what is none is refused")
    func accounts() {
        let project = ProjectName.fixture("demo")
        for account in [Account.issued, .project(project), .reserved(project), .centre(.fixture("hub-1"))] {
            #expect(Account(account.description) == account)
        }
        for text in [
            "", "issued/", "issued/x", "project", "project/", "project/A", "project/a/b", "x/a", "/a", "centre//a",
        ] {
            #expect(Account(text) == nil, "\(text)")
        }
    }

    @Test("a run is charged for its time at its price, never beyond what was reserved, and nothing if it never started")
    func charge() {
        #expect(Run.fixture().charge == 1_000_000)
        #expect(Run.fixture(endedAt: .after(36_000)).charge == 2_000_000)
        #expect(Run.fixture(startedAt: nil).charge == 0)
        #expect(Run.fixture(endedAt: nil).charge == 0)
        #expect(Run.fixture(endedAt: .start).charge == 0)
        #expect(Run.fixture(endedAt: .after(-5)).charge == 0)
        #expect(Run.fixture(endedAt: Instant(milliseconds: .max)).charge == 2_000_000)
    }

    @Test("usage is core-seconds, card-seconds and dense FP16 PFLOP-hours in millionths")
    func usage() {
        let run = Run.fixture(
            resources: TaskResources(cores: 1500, cards: 4, card: "a"),
            tasks: 3,
            nodes: [NodeShare(node: "n", tasks: 2, card: "a"), NodeShare(node: "m", tasks: 1, card: "b")],
            endedAt: .after(1800)
        )
        let rows = Usage.of(run) { ["a": 500.0, "b": 125.0][$0] }
        #expect(rows.map(\.meter) == [.coreSeconds, .cardSeconds, .pflopHours])
        #expect(rows.allSatisfy { $0.run == run.key && $0.from == .start && $0.to == .after(1800) })
        // 1.5 cores × 3 tasks × 1800 s; 4 cards × 3 tasks × 1800 s.
        #expect(rows[0].microUnits == 8_100_000_000)
        #expect(rows[1].microUnits == 21_600_000_000)
        // (8 cards × 0.5 PFLOPS + 4 × 0.125) × half an hour.
        #expect(rows[2].microUnits == 2_250_000)
    }

    @Test("emulated cards and unknown models count no PFLOP-hours, but their time is counted")
    func emulated() {
        let resources = TaskResources(cores: 1000, cards: 1)
        for share in [
            NodeShare(node: "n", tasks: 1, card: "a", emulated: true), NodeShare(node: "n", tasks: 1, card: "x"),
            NodeShare(node: "n", tasks: 1),
        ] {
            let rows = Usage.of(.fixture(resources: resources, nodes: [share])) { $0 == "a" ? 1000 : nil }
            #expect(rows.first { $0.meter == .pflopHours }?.microUnits == 0)
            #expect(rows.first { $0.meter == .cardSeconds }?.microUnits == 3_600_000_000)
        }
    }

    @Test("a run without cards has one row; one that never started, or ended before it began, has none")
    func noUsage() {
        #expect(Usage.of(.fixture()) { _ in nil }.map(\.meter) == [.coreSeconds])
        #expect(Usage.of(.fixture(startedAt: nil)) { _ in nil }.isEmpty)
        #expect(Usage.of(.fixture(endedAt: nil)) { _ in nil }.isEmpty)
        #expect(Usage.of(.fixture(endedAt: .start)) { _ in nil }.isEmpty)
        #expect(Usage.of(.fixture(endedAt: .after(-1))) { _ in nil }.isEmpty)
    }

    @Test("a clock that stands anywhere does not bring the accounts down")
    func wildClocks() {
        let run = Run.fixture(
            resources: TaskResources(cores: 4_096_000, cards: 1024),
            tasks: 10_000,
            nodes: [NodeShare(node: "n", tasks: 10_000, card: "a")],
            startedAt: Instant(milliseconds: .min),
            endedAt: Instant(milliseconds: .max)
        )
        for tflops in [0, 1e6, .infinity, .nan, -1] {
            for row in Usage.of(run, fp16Tflops: { _ in tflops }) where row.meter != .pflopHours {
                #expect(row.microUnits == .max)
            }
        }
        #expect(run.charge == run.reserved)
    }
}
