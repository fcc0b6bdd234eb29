import Core
import Curation
import Testing

@Suite struct SpotCheckTests {
    static func said(_ person: String, _ isGood: Bool, _ risks: [String] = [], at second: Int64 = 0)
        -> WorkList.Judgement
    {
        WorkList.Judgement(
            person: person,
            isGood: isGood,
            risks: risks,
            at: Instant(milliseconds: 1_790_000_000_000 + second * 1000)
        )
    }

    static func items(_ count: Int) -> [WorkList.Item] {
        (0..<count).map { WorkList.Item(place: $0 * 3, digest: Governance.digest("\($0)"), id: "doc-\($0)") }
    }

    private static func refusal(_ list: inout WorkList, _ event: WorkList.Event) -> WorkList.Refusal? {
        do {
            try list.apply(event)
            return nil
        } catch { return error }
    }

    @Test("an item is judged, reviewed by another, and settled by a third where they disagree")
    func lifecycle() throws {
        var list = WorkList(items: Self.items(2))
        #expect(list.awaits(.judge, of: 0, by: "a") && !list.awaits(.review, of: 0, by: "b"))
        try list.apply(WorkList.Event(.judge, place: 0, judgement: Self.said("a", true)))
        #expect(list.awaits(.review, of: 0, by: "b") && !list.awaits(.review, of: 0, by: "a"))
        try list.apply(WorkList.Event(.review, place: 0, judgement: Self.said("b", true, at: 1)))
        #expect(list.items[0].verdict?.isGood == true)
        try list.apply(WorkList.Event(.judge, place: 3, judgement: Self.said("a", true)))
        try list.apply(WorkList.Event(.review, place: 3, judgement: Self.said("b", false, ["A.2.e"], at: 1)))
        #expect(list.items[1].verdict == nil && list.tally.disputed == 1)
        #expect(list.awaits(.adjudicate, of: 3, by: "c") && !list.awaits(.adjudicate, of: 3, by: "b"))
        try list.apply(
            WorkList.Event(.adjudicate, place: 3, judgement: Self.said("c", false, ["A.2.e", "A.4.c"], at: 2))
        )
        let tally = list.tally
        #expect(tally.settled == 2 && tally.good == 1 && tally.bad == 1)
        #expect(tally.risks.map(\.id) == ["A.2.e", "A.4.c"])
    }

    @Test("what must not happen is refused, and changes nothing")
    func refusals() throws {
        var list = WorkList(items: Self.items(1))
        func refused(_ step: WorkList.Step, _ judgement: WorkList.Judgement, place: Int = 0) -> WorkList.Refusal? {
            let before = list
            let refusal = Self.refusal(&list, WorkList.Event(step, place: place, judgement: judgement))
            #expect(refusal == nil || list == before)
            return refusal
        }
        #expect(refused(.judge, Self.said("a", true), place: 1) == .unknownItem)
        #expect(refused(.review, Self.said("a", true)) == .wrongState)
        #expect(refused(.adjudicate, Self.said("a", true)) == .wrongState)
        #expect(refused(.judge, Self.said("", true)) == .contradiction)
        #expect(refused(.judge, Self.said("a", true, ["A.1.a"])) == .contradiction)
        #expect(refused(.judge, Self.said("a", false, at: 9)) == nil)
        #expect(refused(.judge, Self.said("b", false)) == .wrongState)
        #expect(refused(.review, Self.said("a", false, at: 9)) == .samePerson)
        #expect(refused(.review, Self.said("b", true, at: 8)) == .tooEarly)
        #expect(refused(.review, Self.said("b", true, at: 9)) == nil)
        #expect(refused(.adjudicate, Self.said("a", true, at: 10)) == .samePerson)
        #expect(refused(.adjudicate, Self.said("b", true, at: 10)) == .samePerson)
        #expect(refused(.adjudicate, Self.said("c", true, at: 8)) == .tooEarly)
        // Repeats are harmless.
        let repeated = try list.apply(WorkList.Event(.judge, place: 0, judgement: Self.said("a", false, at: 9)))
        #expect(!repeated)
    }

    @Test("whatever comes in, no person has two parts in one item, and what is written is read back")
    func anyOrder() throws {
        var chance = SplitMix(seed: Governance.seed("anyOrder"))
        var list = WorkList(items: Self.items(12))
        for second in 0..<400 {
            let isGood = Bool.random(using: &chance)
            let event = WorkList.Event(
                WorkList.Step.allCases.randomElement(using: &chance) ?? .judge,
                place: Int.random(in: 0..<36, using: &chance),
                judgement: Self.said("p\(Int.random(in: 0..<4, using: &chance))", isGood, at: Int64(second))
            )
            _ = Self.refusal(&list, event)
        }
        for item in list.items {
            let people = item.state.steps.map(\.judgement.person)
            #expect(Set(people).count == people.count)
        }
        #expect(list.tally.settled > 0)
        #expect(try WorkList(Governance.json(list.json.text)) == list)
    }

    @Test("a text that holds what would have been refused is refused, every fault at once")
    func hostileText() {
        let digest = Governance.digest("x").description
        let text = """
            {"items": [
              {"place": 0, "digest": "\(digest)", "id": "a", "review": {"person": "b", "good": true, "at": "2026-01-01T00:00:00Z"}},
              {"place": 1, "digest": "\(digest)", "id": "b", "judge": {"person": "a", "good": true, "at": "2026-01-01T00:00:00Z"},
               "review": {"person": "a", "good": true, "at": "2026-01-02T00:00:00Z"}},
              {"place": 1, "digest": "\(digest)", "id": "c"},
              {"place": -1, "digest": "x", "id": "", "undo": true}]}
            """
        let faults = Governance.faults { _ = try WorkList(Governance.json(text)) }.map {
            String($0.prefix { $0 != ":" })
        }
        let places = [
            "/items/0/review", "/items/1/review", "/items/2/place", "/items/3/place", "/items/3/digest", "/items/3/id",
            "/items/3/undo",
        ]
        #expect(faults.sorted() == places.sorted())
    }

    private static func check(_ population: Int, drawn: Int, bad: Int, open: Int = 0) throws -> SpotCheck {
        let draw = SampleDraw(root: Governance.digest("root"), purpose: "p", population: population, size: drawn)
        let places = draw.places(hash: Governance.sha256)
        var check = SpotCheck(
            draw: draw,
            items: places.map { WorkList.Item(place: $0, digest: Governance.digest(""), id: "\($0)") }
        )
        for (index, place) in places.dropLast(open).enumerated() {
            let isGood = index >= bad
            try check.apply(WorkList.Event(.judge, place: place, judgement: said("a", isGood)))
            try check.apply(WorkList.Event(.review, place: place, judgement: said("b", isGood)))
        }
        return check
    }

    @Test("a spot check passes at its rule's share and fails one item below it, also before it is done")
    func verdicts() throws {
        let rule = SpotCheck.Rule(itemsMin: 250, passMin: 0.96, confidence: 0.95)
        #expect(try Self.check(9000, drawn: 250, bad: 10).verdict(rule).outcome == .passed)
        #expect(try Self.check(9000, drawn: 250, bad: 11).verdict(rule).outcome == .failed)
        #expect(try Self.check(9000, drawn: 250, bad: 11, open: 200).verdict(rule).outcome == .failed)
        let open = try Self.check(9000, drawn: 250, bad: 3, open: 200).verdict(rule)
        #expect(open.outcome == .open && open.open == 200 && open.badLeft == 7)
        #expect(try Self.check(9000, drawn: 249, bad: 0).verdict(rule).outcome == .tooSmall)
        // Of a corpus of 100 documents 100 are enough.
        #expect(try Self.check(100, drawn: 100, bad: 4).verdict(rule).outcome == .passed)
        #expect(try Self.check(0, drawn: 0, bad: 0).verdict(rule).outcome == .tooSmall)
    }

    @Test("who knows the root can tell whether the items are those that were drawn")
    func redrawn() throws {
        let check = try Self.check(500, drawn: 20, bad: 1)
        #expect(check.isRedrawn(hash: Governance.sha256))
        let chosen = SpotCheck(draw: check.draw, items: Self.items(20))
        #expect(!chosen.isRedrawn(hash: Governance.sha256))
        #expect(try SpotCheck(Governance.json(check.json.text)) == check)
    }

    @Test("only trained and examined people work on an annotation batch, each in their role")
    func annotation() throws {
        func person(_ id: String, _ role: AnnotationBatch.Role, _ isPassed: Bool = true) -> AnnotationBatch.Person {
            AnnotationBatch.Person(
                id: id,
                role: role,
                training: Governance.digest("t"),
                exam: Governance.digest("e"),
                isExamPassed: isPassed
            )
        }
        var batch = AnnotationBatch(
            name: "safety-1",
            kind: .safety,
            rules: Governance.digest("rules"),
            rulesCover: ["A.1.a"],
            storage: "vault",
            people: [
                person("a", .annotator), person("b", .reviewer), person("c", .annotator, false),
                person("b", .annotator),
            ],
            work: WorkList(items: Self.items(1))
        )
        #expect(throws: WorkList.Refusal.notQualified) {
            try batch.apply(WorkList.Event(.judge, place: 0, judgement: Self.said("c", true)))
        }
        try batch.apply(WorkList.Event(.judge, place: 0, judgement: Self.said("a", true)))
        #expect(throws: WorkList.Refusal.notQualified) {
            try batch.apply(WorkList.Event(.review, place: 0, judgement: Self.said("a", true)))
        }
        try batch.apply(WorkList.Event(.review, place: 0, judgement: Self.said("b", true)))
        #expect(batch.withSeveralRoles == ["b"])
        let text = batch.json.text
        #expect(try AnnotationBatch(Governance.json(text)) == batch)
        let forged = text.replacing("\"person\":\"a\"", with: "\"person\":\"x\"")
        let faults = Governance.faults { _ = try AnnotationBatch(Governance.json(forged)) }
        #expect(faults.count == 1 && faults[0].hasPrefix("/work/items/0/judge: "))
    }
}
