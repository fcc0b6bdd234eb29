import Core
import Curation
import NIOCore
import Store
import Testing
import Wire

@testable import Hub

@Suite struct JudgingTests {
    private static func people(_ count: Int) -> [Principal] { (0..<count).map { Shelf.person("judge-\($0)") } }

    /// More members of `brain`.
    private static func join(_ people: [Principal], _ shelf: Shelf) async throws {
        try await shelf.store.write { tx in
            for person in people {
                try tx.append(
                    .memberSet(Membership(project: .named("brain"), user: person.user, role: .member)),
                    project: .named("brain"),
                    subject: person.user.text,
                    actor: "system",
                    at: shelf.clock.now
                )
            }
        }
    }

    private static func judge(
        _ shelf: Shelf,
        _ release: Release,
        _ step: WorkList.Step,
        _ place: Int,
        _ isGood: Bool,
        _ person: Principal,
        risks: [String] = []
    ) async throws -> VerdictView {
        let sample = try await shelf.repositories.sample("spot-check", of: release)
        return try await shelf.repositories.judge(
            sample,
            .init(step: step, place: place, isGood: isGood, risks: risks),
            person
        )
    }

    @Test("a record is judged by one, reviewed by another, settled by a third; nobody has two parts")
    func lifecycle() async throws {
        try await withShelf { shelf in
            let release = try await shelf.publish(try ReleaseFixture())
            let people = Self.people(2)
            try await Self.join(people, shelf)
            let place = try #require(
                try await shelf.repositories.sample("spot-check", of: release).work.items.first?.place
            )
            let first = try await Self.judge(shelf, release, .judge, place, true, shelf.alice)
            #expect(first.step == "judge" && first.person == shelf.alice.user && first.good)
            // Said again it is the same; said otherwise it comes too late.
            #expect(try await Self.judge(shelf, release, .judge, place, true, shelf.alice) == first)
            let other = await failure { _ = try await Self.judge(shelf, release, .judge, place, false, shelf.alice) }
            #expect(other?.code == .conflict)
            let same = await failure { _ = try await Self.judge(shelf, release, .review, place, true, shelf.alice) }
            #expect(same?.code == .forbidden)
            let early = await failure { _ = try await Self.judge(shelf, release, .adjudicate, place, true, shelf.bob) }
            #expect(early?.code == .conflict)
            _ = try await Self.judge(shelf, release, .review, place, false, shelf.bob, risks: ["unlawful"])
            for person in [shelf.alice, shelf.bob] {
                let twice = await failure { _ = try await Self.judge(shelf, release, .adjudicate, place, true, person) }
                #expect(twice?.code == .forbidden, "\(person.user)")
            }
            _ = try await Self.judge(shelf, release, .adjudicate, place, false, people[0], risks: ["unlawful"])
            let sample = try await shelf.repositories.sample("spot-check", of: release)
            let item = try #require(sample.work.item(at: place))
            #expect(item.verdict?.isGood == false && item.verdict?.person == people[0].user.text)
            #expect(sample.work.tally.settled == 1 && sample.work.tally.bad == 1)
            let page = try await shelf.repositories.verdicts(on: sample, cursor: nil, limit: 2, shelf.bob)
            #expect(page.items.map(\.step) == ["judge", "review"])
            let rest = try await shelf.repositories.verdicts(on: sample, cursor: page.next, limit: 2, shelf.bob)
            #expect(rest.items.map(\.step) == ["adjudicate"] && rest.next == nil)
        }
    }

    @Test("of many who judge one record at once, each step is taken by one person and no person takes two")
    func together() async throws {
        try await withShelf { shelf in
            let release = try await shelf.publish(try ReleaseFixture())
            let people = Self.people(8)
            try await Self.join(people, shelf)
            let items = try await shelf.repositories.sample("spot-check", of: release).work.items
            // Everybody tries every step of every record, good or bad by their number: whatever wins must be lawful.
            await withTaskGroup(of: Void.self) { group in
                for (number, person) in people.enumerated() {
                    group.addTask {
                        for item in items {
                            for step in WorkList.Step.allCases {
                                _ = try? await Self.judge(
                                    shelf,
                                    release,
                                    step,
                                    item.place,
                                    number.isMultiple(of: 2),
                                    person
                                )
                            }
                        }
                    }
                }
            }
            let sample = try await shelf.repositories.sample("spot-check", of: release)
            let verdicts = try await shelf.repositories.verdicts(on: sample, cursor: nil, limit: 500, shelf.alice).items
            for item in items {
                let here = verdicts.filter { $0.place == item.place }
                #expect(Set(here.map(\.step)).count == here.count && Set(here.map(\.person)).count == here.count)
                #expect(here.count >= 2)
                if here.count == 3 { #expect(here[0].good != here[1].good) }
            }
            #expect(sample.work.tally.reviewed == items.count)
        }
    }

    @Test("whoever reads a public release sees its samples, and only members judge or are told who did")
    func tenants() async throws {
        try await withShelf { shelf in
            let release = try await shelf.publish(try ReleaseFixture(), visibility: .public)
            let seen = try await shelf.repositories.release(release.repository.id, at: "main", shelf.eve)
            let sample = try await shelf.repositories.sample("spot-check", of: seen)
            let place = try #require(sample.work.items.first?.place)
            #expect(try await shelf.repositories.record(at: place, of: sample).record["id"] == .string("doc-\(place)"))
            #expect(
                await failure { _ = try await Self.judge(shelf, seen, .judge, place, true, shelf.eve) }?.code
                    == .forbidden
            )
            let list = await failure {
                _ = try await shelf.repositories.verdicts(on: sample, cursor: nil, limit: 1, shelf.eve)
            }
            #expect(list?.code == .forbidden)
            var reader = shelf.bob
            reader = Principal(user: reader.user, isOperator: false, scopes: [.read], project: nil)
            let narrow = reader
            #expect(
                await failure { _ = try await Self.judge(shelf, seen, .judge, place, true, narrow) }?.code == .forbidden
            )
            #expect(try await shelf.repositories.sample("spot-check", of: seen).work.tally.judged == 0)
        }
    }

    @Test("verdicts belong to the records: a later revision of the same records has them, other records have not")
    func republished() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            let release = try await shelf.publish(fixture)
            let place = try #require(
                try await shelf.repositories.sample("spot-check", of: release).work.items.first?.place
            )
            _ = try await Self.judge(shelf, release, .judge, place, true, shelf.alice)
            fixture.addPack()
            let second = try await shelf.publish(fixture)
            #expect(second.revision.id != release.revision.id)
            #expect(try await shelf.repositories.sample("spot-check", of: second).work.tally.judged == 1)
            let third = try await shelf.publish(try ReleaseFixture(records: 21))
            #expect(try await shelf.repositories.sample("spot-check", of: third).work.tally.judged == 0)
        }
    }

    @Test("verdicts that came with the release count, and whoever gave them has had their part")
    func brought() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            let name = "governance/samples/spot-check.json"
            var check = try SpotCheck(JSON(parsing: Array((fixture.files[name] ?? "").utf8)))
            let place = check.work.items[0].place
            let said = WorkList.Judgement(person: "alice", isGood: true, at: ReleaseFixture.time)
            try check.apply(WorkList.Event(.judge, place: place, judgement: said))
            fixture.files[name] = check.json.text
            let release = try await shelf.publish(fixture)
            let same = await failure { _ = try await Self.judge(shelf, release, .review, place, true, shelf.alice) }
            #expect(same?.code == .forbidden)
            _ = try await Self.judge(shelf, release, .review, place, true, shelf.bob)
            #expect(try await shelf.repositories.sample("spot-check", of: release).work.tally.settled == 1)
        }
    }

    @Test("a sample of other records than the root draws, or of another release, is not judged")
    func chosen() async throws {
        try await withShelf { shelf in
            var fixture = try ReleaseFixture()
            let name = "governance/samples/spot-check.json"
            let honest = try #require(fixture.files[name])
            let check = try SpotCheck(JSON(parsing: Array(honest.utf8)))
            let drawn = Set(check.work.items.map(\.place))
            let free = try #require((0..<20).first { !drawn.contains($0) })
            var items = Array(check.work.items.dropLast())
            items.append(.init(place: free, digest: fixture.digest(fixture.lines[free]), id: "chosen"))
            fixture.files[name] = SpotCheck(draw: check.draw, items: items).json.text
            let release = try await shelf.publish(fixture)
            let refused = await failure { _ = try await shelf.repositories.sample("spot-check", of: release) }
            #expect(refused?.code == .invalid)
            #expect(try await shelf.repositories.samples(of: release).map(\.purpose) == ["spot-check"])
            fixture.files[name] = honest
            fixture.files["governance/items.json"] = #"{"root":"\#(String(repeating: "0", count: 64))","records":20}"#
            let other = try await shelf.publish(fixture)
            #expect(
                await failure { _ = try await shelf.repositories.sample("spot-check", of: other) }?.code == .invalid
            )
        }
    }
}
