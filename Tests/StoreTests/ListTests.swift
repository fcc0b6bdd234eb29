import Core
import Testing

@testable import Store

@Suite("Lists are partitioned by their cursors")
struct ListTests {
    let folder = TemporaryFolder()
    let brain = ProjectName.named("brain")

    @Test("pages of jobs hold every older job once, while others are being submitted")
    func jobsUnderInserts() async throws {
        let store = try await folder.open()
        for number in 1...40 {
            try await store.write { tx in
                try tx.submit(.number(UInt64(number) * 100), count: 3, array: .number(UInt64(number)))
            }
        }
        let expected = Set(try await store.read { try $0.jobs(JobFilter(), limit: 1000).map(\.id) })
        #expect(expected.count == 120)
        for filter in [JobFilter(), JobFilter(projects: [brain]), JobFilter(states: [.queued, .failed])] {
            var seen: [JobID] = []
            var cursor: JobCursor?
            var extra: UInt64 = 0
            while true {
                let page = try await store.read { [cursor] in try $0.jobs(filter, before: cursor, limit: 7) }
                guard let last = page.last else { break }
                seen += page.map(\.id)
                cursor = JobCursor(last)
                extra += 1
                let id = JobID(high: UInt64(2 + filter.states.count + (filter.projects?.count ?? 9)), low: extra)
                try await store.write { try $0.submit(id) }
            }
            #expect(Set(seen).count == seen.count)
            #expect(Set(seen).isSuperset(of: expected))
            let sequences = try await store.read { [seen] tx in try seen.map { try tx.job($0)?.sequence ?? 0 } }
            #expect(sequences == sequences.sorted(by: >))
        }
    }

    @Test("every condition of a filter narrows the list")
    func filters() async throws {
        let store = try await folder.open()
        try await store.write { tx in
            let workflow = Event.WorkflowSubmitted(
                workflow: .number(9),
                name: "w",
                project: .named("brain"),
                user: .named("alice")
            )
            try tx.append(.workflowSubmitted(workflow))
            try tx.submit(.number(1), workflow: .number(9), name: "train-a")
            try tx.submit(.number(2), project: .named("other"), name: "train-b")
            try tx.submit(.number(3), name: "trains")
            try tx.submit(.number(10), count: 2, array: .number(8), name: "eval")
            try tx.lease(RunKey(job: .number(3), number: 1), at: .named("edge-1"))
            try tx.endJob(.number(10), .failed)
        }
        func ids(_ filter: JobFilter) async throws -> [JobID] {
            try await store.read { try $0.jobs(filter, limit: 10).map(\.id) }
        }
        let second = JobID.number(10).advanced(by: 1)
        #expect(try await ids(JobFilter()) == [second, .number(10), .number(3), .number(2), .number(1)])
        #expect(try await ids(JobFilter(projects: [.named("other")])) == [.number(2)])
        #expect(try await ids(JobFilter(projects: [.named("other"), brain])).count == 5)
        #expect(try await ids(JobFilter(projects: [])) == [])
        #expect(try await ids(JobFilter(states: [.failed, .active])) == [.number(10), .number(3)])
        #expect(try await ids(JobFilter(projects: [brain], states: [.queued])) == [second, .number(1)])
        #expect(try await ids(JobFilter(namePrefix: "train-")) == [.number(2), .number(1)])
        #expect(try await ids(JobFilter(projects: [brain], namePrefix: "train")) == [.number(3), .number(1)])
        #expect(try await ids(JobFilter(workflow: .number(9))) == [.number(1)])
        #expect(try await ids(JobFilter(states: [.queued], array: .number(8))) == [second])
        #expect(try await ids(JobFilter(projects: [.named("other")], array: .number(8))) == [])
        #expect(try await ids(JobFilter(centre: .named("edge-1"))) == [.number(3)])
    }

    @Test("waiting jobs come by priority and then by arrival")
    func waiting() async throws {
        let store = try await folder.open()
        try await store.write { tx in
            try tx.submit(.number(5), priority: 100)
            try tx.submit(.number(4), priority: 900)
            try tx.submit(.number(3), priority: 900)
            try tx.submit(.number(2), project: .named("apes"))
            try tx.submit(.number(1), priority: 50)
            let first = try tx.jobsWaiting(in: .named("brain"), limit: 3, now: .start)
            #expect(first.map(\.id) == [4, 3, 5].map { .number($0) })
            #expect(try tx.projectsWaiting() == [.named("apes"), .named("brain")])
            #expect(try tx.waitingCount() == 5)
            #expect(try tx.waitingCount(.named("apes")) == 1)
        }
    }

    @Test("events can be followed for everybody, for some projects and for one subject")
    func events() async throws {
        let store = try await folder.open()
        try await store.write { tx in
            for number in 1...9 {
                let project: ProjectName? = number % 3 == 0 ? nil : number % 3 == 1 ? .named("brain") : .named("other")
                let granted = Event.blobGranted(.init(project: .named("brain"), digest: .number(1), size: 1))
                let subject = number < 5 ? "early" : "late"
                try tx.append(granted, project: project, subject: subject, actor: "point", at: .start)
            }
            #expect(try tx.lastSequence() == 9)
            #expect(try tx.events(after: 0, limit: 100).map(\.sequence) == Array(1...9))
            #expect(try tx.events(after: 4, limit: 2).map(\.sequence) == [5, 6])
            #expect(try tx.events(after: 0, limit: 3, projects: [.named("brain")]).map(\.sequence) == [1, 4, 7])
            let both: [ProjectName] = [.named("other"), .named("brain")]
            #expect(try tx.events(after: 1, limit: 3, projects: both).map(\.sequence) == [2, 4, 5])
            #expect(try tx.events(after: 0, limit: 9, subject: "late").map(\.sequence) == [5, 6, 7, 8, 9])
            #expect(try tx.events(after: 0, limit: 9, projects: both, subject: "late").map(\.sequence) == [5, 7, 8])
            #expect(try tx.events(after: 0, limit: 9, projects: []) == [])
            #expect(try tx.latestEvents(limit: 2).map(\.sequence) == [9, 8])
            #expect(try tx.latestEvents(limit: 3, projects: both).map(\.sequence) == [8, 7, 5])
            let first = try #require(try tx.events(after: 0, limit: 1).first)
            #expect(first.actor == "point" && first.at == .start && first.project == .named("brain"))
        }
    }

    @Test("pages of the ledger and of usage hold every row once")
    func ledgerPages() async throws {
        let store = try await folder.open()
        try await store.write { tx in
            for number in 1...9 {
                let run = RunKey(job: .number(UInt64(number)), number: 1)
                let from = Instant.after(number % 2)
                let usage = [
                    Usage(run: run, meter: .coreSeconds, from: from, to: .after(5), microUnits: 2),
                    Usage(run: run, meter: .cardSeconds, from: from, to: .after(5), microUnits: 3),
                ]
                try tx.submit(run.job)
                try tx.lease(run, reserved: 5)
                try tx.end(run, usage: usage, charged: 4, at: .after(5))
            }
            try tx.append(.voucherGranted(.init(project: .named("brain"), amount: 7, note: "gift")))
            var entries: [LedgerCursor] = []
            while true {
                let page = try tx.ledger(project: .named("brain"), before: entries.last, limit: 4)
                if page.isEmpty { break }
                entries += page.map(\.cursor)
            }
            #expect(entries.count == 9 * 5 + 2)
            #expect(entries == entries.sorted(by: >))
            #expect(Set(entries).count == entries.count)
            var rows: [UsageCursor] = []
            while true {
                let page = try tx.usage(project: .named("brain"), from: .start, after: rows.last, limit: 4)
                if page.isEmpty { break }
                rows += page.map { UsageCursor($0) }
            }
            #expect(Set(rows).count == 18)
            #expect(rows.count == 18)
            #expect(try tx.usage(to: .after(5), limit: 9) == [])
            #expect(try tx.vouchers(limit: 5).map(\.note) == ["gift"])
            #expect(try tx.vouchers(project: .named("other"), limit: 5) == [])
            #expect(try tx.ledger(account: .centre(.named("hub-1")), limit: 99).count == 9)
            let hours = try tx.usageHours(from: .after(7))
            #expect(hours.map(\.microUnits) == [27, 18])
            #expect(hours.first?.hour == Instant(rfc3339: "2026-01-31T09:00:00Z"))
            #expect(try tx.usageHours(from: .after(3600)) == [])
        }
    }
}
