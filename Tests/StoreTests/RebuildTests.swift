import Core
import Synchronization
import Testing

@testable import Store

@Suite("The log is the truth")
struct RebuildTests {
    let folder = TemporaryFolder()

    @Test("rebuilt views are the same to the byte after any history")
    func sameViews() async throws {
        let store = try await folder.open()
        try await write(600, to: store, seed: SeededGenerator.seed("sameViews"))
        let before = try await store.dump()
        #expect(before["job"]?.isEmpty == false && before["ledger_entry"]?.isEmpty == false)
        let calls = Mutex<[EventStore.RebuildProgress]>([])
        try await store.rebuild { progress in calls.withLock { $0.append(progress) } }
        let after = try await store.dump()
        for view in Schema.views { #expect(after[view] == before[view], "the view \(view) differs") }
        let progress = calls.withLock { $0 }
        #expect(progress.first?.done == 0)
        #expect(progress.last == .init(done: store.lastSequence, total: store.lastSequence))
    }

    @Test("a rebuild that was interrupted goes on when the database is opened")
    func interrupted() async throws {
        let first = try await folder.open()
        try await write(300, to: first, seed: SeededGenerator.seed("interrupted"))
        let before = try await first.dump()
        try await first.writer.exclusively { try $0.beginRebuild() }
        #expect(try await first.read { try $0.users() } == [])
        try await first.close()
        let second = try await folder.open()
        #expect(try await second.dump() == before)
        let found = try await second.writer.exclusively { try $0.rebuildPosition() }
        #expect(found == nil)
    }

    @Test("every count is what counting finds, and the ledger sums to zero, after every part of a history")
    func counts() async throws {
        let store = try await folder.open()
        let seed = SeededGenerator.seed("counts")
        for round in 0..<6 {
            try await write(100, to: store, seed: seed &+ UInt64(round), found: round == 0, first: UInt64(round) << 32)
            try await check(store)
        }
    }

    private func write(
        _ steps: Int,
        to store: EventStore,
        seed: UInt64,
        found: Bool = true,
        first: UInt64 = 0
    ) async throws {
        let history = Mutex(History(seed: seed, identifiersFrom: first))
        if found { try await store.write { tx in try history.withLock { try $0.found(tx) } } }
        for _ in 0..<steps { try await store.write { tx in try history.withLock { try $0.step(tx) } } }
    }

    private func check(_ store: EventStore) async throws {
        try await store.read { tx throws in
            let jobs = try tx.jobs(JobFilter(), limit: .max)
            var counts: [ProjectName: JobCounts] = [:]
            for job in jobs { counts[job.project, default: JobCounts()][job.state] += 1 }
            #expect(try tx.jobCounts() == counts)

            for job in jobs {
                let open = try Set(job.dependencies).filter { dependency in
                    switch dependency {
                    case .job(let id): try tx.job(id)?.state != .succeeded
                    case .array(let id): try tx.jobs(of: id, limit: .max).contains { $0.state != .succeeded }
                    }
                }
                #expect(job.unmetDependencies == open.count, "job \(job.id)")
            }

            var held: [ProjectName: ProjectUsage] = [:]
            var reserved: [ProjectName: MicroCredits] = [:]
            for run in try tx.liveRuns() {
                var usage = held[run.project] ?? ProjectUsage()
                usage.runs += 1
                usage.cores = usage.cores + run.resources.cores * run.tasks
                usage.cards += run.resources.cards * run.tasks
                held[run.project] = usage
                reserved[run.project] = (reserved[run.project] ?? 0) + run.reserved
            }
            for project in History.projects {
                #expect(try tx.projectUsage(project) == held[project] ?? ProjectUsage())
                var within = ProjectUsage()
                for other in History.projects
                where try tx.projectWithParents(other).contains(where: { $0.name == project }) {
                    let own = held[other] ?? ProjectUsage()
                    within.runs += own.runs
                    within.cores = within.cores + own.cores
                    within.cards += own.cards
                }
                #expect(try tx.projectUsage(within: project) == within)
                #expect(try tx.balance(.reserved(project)) == reserved[project] ?? 0)
            }

            let balances = try tx.balances()
            #expect(balances.reduce(0) { $0 + $1.amount.count } == 0)
            let entries = try tx.ledger(limit: .max)
            #expect(
                Dictionary(grouping: entries, by: \.cursor.sequence).values.allSatisfy { booking in
                    booking.reduce(0) { $0 + $1.entry.amount.count } == 0
                }
            )
            for balance in balances {
                let sum = entries.filter { $0.entry.account == balance.account }.reduce(0) {
                    $0 + $1.entry.amount.count
                }
                #expect(sum == balance.amount.count)
            }
            let rows = try tx.usage(limit: .max).reduce(0) { $0 + $1.usage.microUnits }
            let hours = try tx.usageHours(from: Instant(milliseconds: 0)).reduce(0) { $0 + $1.microUnits }
            #expect(rows == hours)
        }
    }
}
