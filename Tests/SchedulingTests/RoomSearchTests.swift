import Core
import Testing

@testable import Scheduling

@Suite("Looking for room to reserve") struct RoomSearchTests {
    private let cards = [CardGroup(model: "h100", count: 4)]

    private func search(
        _ centre: Snapshot.Centre,
        project: String? = "p",
        from: Int = 3600,
        to: Int = 7200
    ) throws -> RoomSearch {
        let found = RoomSearch(
            at: centre,
            for: project.map { projectName($0) },
            among: [],
            from: noon + .seconds(from),
            until: noon + .seconds(to),
            now: noon
        )
        return try #require(found)
    }

    @Test("whole nodes: those that are free in time first, those without cards before others")
    func nodes() throws {
        let late = Snapshot.Run.fixture(1, on: [NodeShare(node: "n1", tasks: 1)], seconds: 5000)
        let early = Snapshot.Run.fixture(2, on: [NodeShare(node: "n2", tasks: 1)], seconds: 600)
        let nodes = [
            Node.fixture("n1"), .fixture("n2"), .fixture("n3", cards: cards), .fixture("n4"), .fixture("n5", up: false),
        ]
        let search = try search(.fixture("c", nodes: nodes, runs: [late, early]))
        func names(_ count: Int, _ card: String? = nil, ignoring: Bool = false) throws -> [String]? {
            try search.find(.nodes(count, card: card), ignoringRuns: ignoring).get()?.map(\.node)
        }
        #expect(try names(2) == ["n2", "n4"])
        #expect(try names(3) == ["n2", "n3", "n4"])
        #expect(try names(1, "h100") == ["n3"])
        #expect(throws: RoomRefused.busy(most: 3, from: noon + .seconds(5000))) { try names(4) }
        #expect(try names(4, ignoring: true) == ["n1", "n2", "n3", "n4"])
        #expect(throws: RoomRefused.tooMuch(most: 4)) { try names(5) }
        #expect(throws: RoomRefused.tooMuch(most: 1)) { try names(2, "h100") }
        let lacking = search.lacking(try search.find(.nodes(4, card: nil), ignoringRuns: true).get())
        #expect(lacking == RoomLacking(nodes: 1, runs: 1, until: noon + .seconds(5000)))
        #expect(search.lacking(try search.find(.nodes(3, card: nil), ignoringRuns: false).get()) == nil)
    }

    @Test("what others have reserved during that time leaves less, and is named")
    func taken() throws {
        let centre = Snapshot.Centre.fixture("c", nodes: [.fixture("n1"), .fixture("n2"), .fixture("n3")]).reserving(
            .fixture("a", project: "q", from: 3000, to: 4000, [.init(node: "n1")]),
            .fixture("b", from: 6000, to: 9000, [.init(node: "n1")]),
            .fixture("gone", from: -100, to: 0),
            .fixture("later", from: 7200, to: 9000)
        )
        let search = try search(centre)
        let names = [ReservationName.named("a"), .named("b")]
        #expect(throws: RoomRefused.taken(most: 2, by: names)) {
            try search.find(.nodes(3, card: nil), ignoringRuns: true).get()
        }
        #expect(throws: RoomRefused.taken(most: 0, by: names)) {
            try search.find(.centre, ignoringRuns: true).get()
        }
        #expect(throws: RoomRefused.taken(most: 1, by: names)) {
            try search.find(.named(["n2", "n1"]), ignoringRuns: true).get()
        }
        #expect(throws: RoomRefused.unknownNodes(["n9"])) {
            try search.find(.named(["n1", "n9"]), ignoringRuns: true).get()
        }
        #expect(try search.find(.named(["n3", "n2"]), ignoringRuns: true).get()?.map(\.node) == ["n2", "n3"])
    }

    @Test("a centre is reserved whole when it will be empty, and runs of the same project are not in the way")
    func whole() throws {
        let run = Snapshot.Run.fixture(1, on: [NodeShare(node: "n1", tasks: 1)], project: "p", seconds: 5000)
        let centre = Snapshot.Centre.fixture("c", runs: [run])
        #expect(try search(centre).find(.centre, ignoringRuns: false).get() == nil)
        let busy = RoomRefused.busy(most: 0, from: noon + .seconds(5000))
        #expect(throws: busy) { try search(centre, project: nil).find(.centre, ignoringRuns: false).get() }
        let lacking = try search(centre, project: nil).lacking(nil)
        #expect(lacking == RoomLacking(nodes: 1, runs: 1, until: noon + .seconds(5000)))
    }

    @Test("cards come with their part of their node; of several kinds one has to be named")
    func cardsWithTheirPart() throws {
        let nodes = [Node.fixture("n1", cards: cards), .fixture("n2", cards: cards)]
        let search = try search(.fixture("c", nodes: nodes))
        let shares = try search.find(.cards(6, card: nil), ignoringRuns: false).get()
        #expect(
            shares == [
                .init(node: "n1", amount: .init(cores: .cores(16), memory: .gibi(64), cards: 4, card: "h100")),
                .init(node: "n2", amount: .init(cores: .cores(8), memory: .gibi(32), cards: 2, card: "h100")),
            ]
        )
        #expect(throws: RoomRefused.tooMuch(most: 8)) {
            try search.find(.cards(9, card: "h100"), ignoringRuns: false).get()
        }
        #expect(throws: RoomRefused.tooMuch(most: 0)) {
            try search.find(.cards(1, card: "910b"), ignoringRuns: false).get()
        }
        let mixed = [Node.fixture("n1", cards: cards + [CardGroup(model: "910b", count: 2)])]
        #expect(throws: RoomRefused.whichCard(["h100", "910b"])) {
            try self.search(.fixture("c", nodes: mixed)).find(.cards(1, card: nil), ignoringRuns: false).get()
        }
    }

    @Test("cores are spread over nodes, beside what runs and what is reserved")
    func cores() throws {
        let run = Snapshot.Run.fixture(1, on: [NodeShare(node: "n1", tasks: 1)], cores: 10, seconds: 5000)
        let part = Reservation.Amount(cores: .cores(12), memory: .gibi(4))
        let centre = Snapshot.Centre.fixture("c", nodes: [.fixture("n1"), .fixture("n2")], runs: [run])
            .reserving(.fixture("a", project: "q", from: 0, to: 9000, [.init(node: "n2", amount: part)]))
        let search = try search(centre)
        let shares = try search.find(.cores(.cores(8), memory: .gibi(16)), ignoringRuns: false).get()
        #expect(
            shares == [
                .init(node: "n1", amount: .init(cores: .cores(6), memory: .gibi(12))),
                .init(node: "n2", amount: .init(cores: .cores(2), memory: .gibi(4))),
            ]
        )
        #expect(throws: RoomRefused.busy(most: 10_000, from: noon + .seconds(5000))) {
            try search.find(.cores(.cores(11), memory: nil), ignoringRuns: false).get()
        }
        #expect(throws: RoomRefused.taken(most: 20_000, by: [.named("a")])) {
            try search.find(.cores(.cores(21), memory: nil), ignoringRuns: true).get()
        }
        #expect(throws: RoomRefused.tooMuch(most: 32_000)) {
            try search.find(.cores(.cores(33), memory: nil), ignoringRuns: true).get()
        }
        #expect(search.lacking(try search.find(.cores(.cores(20), memory: nil), ignoringRuns: true).get()) != nil)
    }

    @Test(
        "in the place of a failed node: as large, beside all that is kept, and of its own size where there is one"
    )
    func others() throws {
        let eight = [CardGroup(model: "h100", count: 8)]
        let nodes = [
            Node.fixture("n1", cards: cards, up: false), .fixture("n2", cards: eight), .fixture("n3", cards: cards),
            .fixture("n4"), .fixture("n5", cores: 32), .fixture("n6", up: false),
        ]
        var search = try search(
            .fixture("c", nodes: nodes).reserving(
                .fixture("own", project: "p", from: 3600, to: 7200, [.init(node: "n1"), .init(node: "n6")])
            )
        )
        func next(_ share: Reservation.Share) -> [String]? { search.others(for: share)?.map(\.node) }
        // What it had is known while it is still reported, and from its own beginning when it is gone.
        #expect(next(.init(node: "n1")) == ["n3"])
        let gone = Reservation.Share(
            node: "n0",
            size: .init(cores: .cores(16), memory: .gibi(64), cards: 4, card: "h100")
        )
        #expect(next(gone) == ["n2"])
        #expect(next(gone) == nil)
        #expect(next(.init(node: "n6")) == ["n4"])
        let part = Reservation.Amount(cores: .cores(20), memory: .gibi(8))
        #expect(next(.init(node: "n6", amount: part)) == ["n5"])
        #expect(next(.init(node: "n6", amount: part)) == nil)
        #expect(
            search.others(for: .init(node: "n6", amount: .init(cores: .cores(2), memory: 1)))?.first?.insteadOf == "n6"
        )
    }

    @Test("what a refusal says there is can be had, and what was found fits beside everything")
    func honest() {
        for seed in seeds(300) {
            var g = SeededGenerator(seed: seed)
            for var centre in PlanPropertyTests.snapshot(seed: seed).centres where centre.capacity != nil {
                for number in 0..<4 {
                    let from = Int.random(in: 0...3000, using: &g)
                    let to = from + Int.random(in: 1...3000, using: &g)
                    var one = Reservation.fixture(
                        "r\(number)",
                        at: centre.name.text,
                        project: Bool.random(using: &g) ? "p0" : nil,
                        from: from,
                        to: to
                    )
                    guard
                        let search = RoomSearch(
                            at: centre,
                            for: one.project,
                            among: [],
                            from: one.startsAt,
                            until: one.endsAt,
                            now: noon
                        )
                    else { continue }
                    let (kind, ignoring) = (Int.random(in: 0..<3, using: &g), Bool.random(using: &g))
                    func wanted(_ count: Int) -> RoomWanted {
                        switch kind {
                        case 0: .nodes(count, card: nil)
                        case 1: .cards(count, card: "h100")
                        default: .cores(MilliCores(Int64(count)), memory: nil)
                        }
                    }
                    let count = Int.random(in: 1...(kind == 2 ? 60_000 : 9), using: &g)
                    switch search.find(wanted(count), ignoringRuns: ignoring) {
                    case .success(let shares):
                        #expect(ignoring || search.lacking(shares) == nil, "seed \(seed)")
                        one.shares = shares
                        centre.reservations.append(one)
                    case .failure(.tooMuch(let most)):
                        #expect(most < count, "seed \(seed)")
                    case .failure(.taken(let most, let by)):
                        #expect(most < count && !by.isEmpty, "seed \(seed)")
                        if most > 0 {
                            let found = search.find(wanted(Int(most)), ignoringRuns: true)
                            #expect((try? found.get()) != nil, "\(found), seed \(seed)")
                        }
                    case .failure(.busy(let most, let time)):
                        #expect(!ignoring && most < count && time > one.startsAt, "seed \(seed)")
                        if most > 0 {
                            let found = search.find(wanted(Int(most)), ignoringRuns: false)
                            #expect((try? found.get()) != nil, "\(found), seed \(seed)")
                        }
                    case .failure(let other): Issue.record("\(other), seed \(seed)")
                    }
                }
            }
        }
    }
}
