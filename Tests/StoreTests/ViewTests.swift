import Core
import Testing

@testable import Store

@Suite("Views say what the events said")
struct ViewTests {
    let folder = TemporaryFolder()
    let brain = ProjectName.named("brain")
    let alice = UserName.named("alice")
    let hub = CentreName.named("hub-1")

    @Test("users, projects, members and tokens")
    func tenancy() async throws {
        let store = try await folder.open()
        let project = Project(name: brain, title: "Brain", weight: 9, quota: Quota(cores: 1500, runs: 3), metered: true)
        let token = Token(
            id: .number(1),
            user: alice,
            hash: .number(2),
            scopes: [.read, .write],
            project: brain,
            label: "laptop",
            createdAt: .start,
            expiresAt: .after(60)
        )
        try await store.write { [brain, alice] tx in
            try tx.append(.userCreated(User(name: alice, isOperator: true)))
            try tx.append(.userCreated(User(name: .named("bob"), isOperator: false)))
            try tx.append(.projectCreated(Project(name: brain)))
            try tx.append(.projectCreated(Project(name: .named("other"))))
            try tx.append(.projectChanged(project))
            try tx.append(.memberSet(Membership(project: brain, user: alice, role: .viewer)))
            try tx.append(.memberSet(Membership(project: brain, user: alice, role: .owner)))
            try tx.append(.memberSet(Membership(project: brain, user: .named("bob"), role: .member)))
            try tx.append(.memberRemoved(.init(project: brain, user: .named("bob"))))
            try tx.append(.tokenIssued(token))
        }
        try await store.write { try $0.append(.tokenRevoked(.init(token: .number(1))), at: .after(5)) }
        try await store.write { try $0.append(.tokenRevoked(.init(token: .number(1))), at: .after(6)) }
        try await store.read { [brain, alice] tx throws in
            #expect(try tx.user(alice) == User(name: alice, isOperator: true))
            #expect(try tx.users().map(\.name.text) == ["alice", "bob"])
            #expect(try tx.project(brain) == project)
            #expect(try tx.projects().map(\.name.text) == ["brain", "other"])
            #expect(try tx.projects(of: alice).map(\.name) == [brain])
            #expect(try tx.members(of: brain) == [Membership(project: brain, user: alice, role: .owner)])
            #expect(try tx.memberships(of: alice).count == 1)
            #expect(try tx.role(of: alice, in: brain) == .owner)
            #expect(try tx.role(of: .named("bob"), in: brain) == nil)
            var revoked = token
            revoked.revokedAt = .after(5)
            #expect(try tx.token(.number(1)) == revoked)
            #expect(try tx.tokens(of: alice) == [revoked])
            #expect(try tx.tokens(confinedTo: brain) == [revoked])
            #expect(try tx.tokens() == [revoked])
        }
    }

    @Test("projects make a tree")
    func projectTree() async throws {
        let store = try await folder.open()
        let names = ["a", "b", "c", "d"].map { ProjectName.named($0) }
        try await store.write { tx in
            for (name, parent) in zip(names, [nil, names[0], names[1], names[0]] as [ProjectName?]) {
                try tx.append(.projectCreated(Project(name: name, parent: parent)))
            }
        }
        try await store.write { tx in
            #expect(try tx.projectWithParents(names[2]).map(\.name) == [names[2], names[1], names[0]])
            #expect(try tx.projectWithParents(.named("none")).isEmpty)
            #expect(try names.map { try tx.projectLevels(of: $0) } == [3, 2, 1, 1])
            try tx.append(.projectChanged(Project(name: names[1])))
            #expect(try tx.projectWithParents(names[2]).map(\.name) == [names[2], names[1]])
            #expect(try names.map { try tx.projectLevels(of: $0) } == [2, 2, 1, 1])
            // Nobody may make a loop; were there one, nothing would hang.
            try tx.append(.projectChanged(Project(name: names[1], parent: names[2])))
            #expect(try tx.projectWithParents(names[2]).count == Project.levelsMax)
            #expect(try tx.projectUsage(within: names[1]) == ProjectUsage())
            #expect(try tx.projectLevels(of: names[1]) > Project.levelsMax)
        }
    }

    @Test("centres and the right to join them")
    func centres() async throws {
        let store = try await folder.open()
        let prices = PriceTable(coreHour: 3)
        let capacity = CentreCapacity(engine: .local, engineVersion: "1", nodes: [], isolates: false)
        try await store.write { [hub] tx in
            try tx.append(.centreCreated(.init(centre: hub, tier: .hub, prices: PriceTable())))
            try tx.append(.joinTokenIssued(.init(centre: hub, hash: .number(1), expiresAt: .after(10))))
            try tx.append(.joinTokenIssued(.init(centre: hub, hash: .number(2), expiresAt: .after(20))))
            #expect(try tx.joinToken(.number(1)) == nil)
            #expect(try tx.joinToken(.number(2)) == JoinToken(centre: hub, expiresAt: .after(20)))
            try tx.append(.agentJoined(.init(centre: hub, agent: .number(3), keyHash: .number(4))), at: .after(1))
            #expect(try tx.joinToken(.number(2)) == nil)
            try tx.append(.agentSeated(.init(centre: hub, agent: .number(3), seat: "here")))
            try tx.append(.capacityReported(.init(centre: hub, capacity: capacity)))
            try tx.append(.centreChanged(.init(centre: hub, state: .draining)))
            try tx.append(.centreChanged(.init(centre: hub, prices: prices)))
            let centre = Centre(
                name: hub,
                tier: .hub,
                state: .draining,
                prices: prices,
                agent: .number(3),
                agentKeyHash: .number(4),
                agentSeat: "here",
                capacity: capacity,
                createdAt: .start,
                joinedAt: .after(1)
            )
            #expect(try tx.centre(hub) == centre)
            #expect(try tx.centres() == [centre])
            try tx.append(.centreChanged(.init(centre: hub, state: .removed)))
            #expect(try tx.centres() == [])
            #expect(try tx.centreHeads().map(\.state) == [.removed])
        }
    }

    @Test("a job and its run from submission to success")
    func runs() async throws {
        let store = try await folder.open()
        let job = JobID.number(1)
        let run = RunKey(job: job, number: 1)
        let artifact = Artifact(name: "out", kind: .tree, digest: .number(5), size: 10)
        let usage = Usage(run: run, meter: .coreSeconds, from: .after(3), to: .after(9), microUnits: 42)
        try await store.write { [brain, hub] tx in
            try tx.submit(job, key: "once")
            let first = try #require(try tx.job(job))
            #expect(first.state == .queued && first.spec.name == "work" && first.run == nil && first.sequence == 1)
            try tx.append(.voucherGranted(.init(project: brain, amount: 1000, note: "")))
            try tx.lease(run, reserved: 100, cards: 1, time: .after(1))
            #expect(try tx.job(job)?.lifecycle == JobLifecycle(state: .active, runNumber: 1))
            #expect(try tx.run(run)?.lifecycle == RunLifecycle())
            #expect(try tx.balance(.project(brain)) == 900)
            #expect(try tx.balance(.reserved(brain)) == 100)
            let usage = try tx.projectUsage(brain)
            #expect(usage.runs == 1 && usage.cores == 3000 && usage.cards == 2)
            try tx.append(.runOffered(.init(run: run)))
            #expect(try tx.run(run)?.lifecycle.lease == .offered)
            try tx.append(.runUnseen(.init(run: run, since: .after(2))))
            #expect(try tx.run(run)?.lifecycle.unseenSince == .after(2))
            try tx.append(.runSeen(.init(run: run)))
            #expect(try tx.run(run)?.lifecycle.unseenSince == nil)
            try tx.append(.runAccepted(.init(run: run)))
            #expect(try tx.run(run)?.lifecycle == RunLifecycle(state: .submitting, lease: .accepted))
            try tx.append(.runPending(.init(run: run, engineJob: "4711")))
            try tx.append(.runPending(.init(run: run, engineJob: nil)))
            #expect(try tx.run(run)?.state == .pending)
            #expect(try tx.run(run)?.engineJob == "4711")
            try tx.append(.runStarted(.init(run: run, startedAt: .after(3))))
            try tx.append(.jobCancelRequested(.init(job: job)))
            try tx.append(.runStopRequested(.init(run: run, reason: .cancel)))
            #expect(try tx.job(job)?.lifecycle.cancelRequested == true)
            #expect(try tx.liveRuns(at: hub).map(\.key) == [run])
        }
        try await store.write { [hub] tx in
            let ended = Event.RunEnded(
                run: run,
                outcome: RunOutcome(.exit, code: 3, detail: "no"),
                endedAt: .after(9),
                artifacts: [artifact],
                usage: [usage],
                charged: 30
            )
            try tx.append(.runEnded(ended), at: .after(10))
            try tx.endJob(job, .succeeded, detail: "done", at: .after(11))
            #expect(try tx.liveRuns() == [])
            let run = try #require(try tx.run(run))
            #expect(run.lifecycle == RunLifecycle(state: .failed, lease: .ended, stop: .cancel))
            #expect(run.outcome == RunOutcome(.exit, code: 3, detail: "no"))
            #expect(run.startedAt == .after(3) && run.endedAt == .after(9) && run.leasedAt == .after(1))
            #expect(run.charged == 30 && run.artifacts == [artifact] && run.centre == hub)
            #expect(run.nodes == [NodeShare(node: "n1", tasks: 2, card: "h100-sxm5", emulated: true)])
        }
        try await store.read { [brain, hub, alice] tx throws in
            #expect(try tx.projectUsage(brain) == ProjectUsage())
            #expect(try tx.balance(.project(brain)) == 970)
            #expect(try tx.balance(.centre(hub)) == 30)
            #expect(try tx.artifacts(of: job) == [artifact])
            #expect(try tx.blobGrant(project: brain, digest: .number(5)) == 10)
            #expect(try tx.blobGrants(.number(5)) == 1)
            #expect(try tx.usage(of: run) == [usage])
            #expect(try tx.usage(limit: 9) == [UsageRecord(usage: usage, project: brain, centre: hub)])
            #expect(try tx.usageSince(.start) == [brain: [.coreSeconds: 42]])
            let job = try #require(try tx.job(job))
            #expect(job.state == .succeeded && job.endedAt == .after(11) && job.detail == "done")
            #expect(try tx.jobCounts()[brain]?.succeeded == 1)
            #expect(try tx.jobCounts()[brain]?.total == 1)
            let kept = try tx.idempotency(project: brain, user: alice, key: "once")
            #expect(kept == IdempotencyRecord(request: .number(9), resource: "\(job.id)", at: .start))
        }
    }

    @Test("a job goes back into the queue with its wait and its count of retries")
    func requeue() async throws {
        let store = try await folder.open()
        let job = JobID.number(1)
        try await store.write { tx in
            try tx.submit(job)
            try tx.lease(RunKey(job: job, number: 1))
            try tx.end(RunKey(job: job, number: 1), .exit)
            try tx.append(.jobRequeued(.init(job: job, notBefore: .after(5), retriesUsed: 1)))
            let expected = JobLifecycle(state: .queued, runNumber: 1, retriesUsed: 1, notBefore: .after(5))
            #expect(try tx.job(job)?.lifecycle == expected)
            #expect(try tx.jobsWaiting(now: .after(4)) == [])
            #expect(try tx.jobsWaiting(now: .after(5)).map(\.id) == [job])
            #expect(try tx.jobsBackingOff(after: .after(4)).map(\.id) == [job])
            #expect(try tx.jobsBackingOff(after: .after(5)) == [])
            #expect(try tx.nextNotBefore() == .after(5))
            try tx.lease(RunKey(job: job, number: 2))
            #expect(try tx.job(job)?.lifecycle.notBefore == nil)
            #expect(try tx.runs(of: job).map(\.key.number) == [1, 2])
        }
    }

    @Test("what has ended does not end again, and nothing of the attempt is left")
    func terminalWinsOnce() async throws {
        let store = try await folder.open()
        let job = JobID.number(1)
        let run = RunKey(job: job, number: 1)
        try await store.write { tx in
            try tx.submit(job)
            try tx.lease(run, reserved: 10)
            try tx.end(run)
            try tx.endJob(job, .succeeded)
        }
        let before = try await store.dump()
        #expect(await failure { try await store.write { try $0.end(run, .lost) } }?.code == .conflict)
        #expect(await failure { try await store.write { try $0.endJob(job, .failed) } }?.code == .conflict)
        #expect(
            await failure { try await store.write { try $0.lease(RunKey(job: job, number: 2)) } }?.code == .conflict
        )
        let unknown = JobID.number(7)
        #expect(await failure { try await store.write { try $0.endJob(unknown, .failed) } }?.code == .notFound)
        #expect(try await store.dump() == before)
        #expect(store.lastSequence == 4)
    }

    @Test("a run is never charged more than was reserved")
    func overcharge() async throws {
        let store = try await folder.open()
        let run = RunKey(job: .number(1), number: 1)
        let refused = await failure {
            try await store.write { tx in
                try tx.submit(run.job)
                try tx.lease(run, reserved: 10)
                try tx.end(run, charged: 11)
            }
        }
        #expect(refused?.code == .conflict)
        #expect(store.lastSequence == 0)
    }

    @Test("a name or key that is taken is a conflict")
    func taken() async throws {
        let store = try await folder.open()
        try await store.write { try $0.submit(.number(1), key: "k") }
        #expect(await failure { try await store.write { try $0.submit(.number(2), key: "k") } }?.code == .conflict)
        #expect(await failure { try await store.write { try $0.submit(.number(1)) } }?.code == .conflict)
        let found = try await store.read { try $0.jobCounts()[.named("brain")]?.total }
        #expect(found == 1)
    }
}
