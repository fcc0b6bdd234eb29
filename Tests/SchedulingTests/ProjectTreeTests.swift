import Core
import Scheduling
import Testing

/// Projects within projects in the plan: whose turn it is, and which level stands in the way.
@Suite struct ProjectTreeTests {
    @Test("to hang flat projects below one more changes nothing")
    func oneRoof() {
        for seed in seeds(200) {
            var snapshot = PlanPropertyTests.snapshot(seed: seed &* 2 &+ 1)
            let known = Set(snapshot.projects.map(\.name))
            snapshot.queue.removeAll { !known.contains($0.project) }
            let flat = plan(snapshot)
            for index in snapshot.projects.indices { snapshot.projects[index].parent = projectName("roof") }
            snapshot.projects.insert(.init(name: projectName("roof"), weight: 7, usage: 3), at: Int(seed % 2))
            #expect(plan(snapshot) == flat, "seed \(seed)")
        }
    }

    // MARK: order

    /// The order as the text of docs/scheduling.md says it, level by level.
    private struct Plain {
        var projects: [Snapshot.Project]
        var queues: [ProjectName: [JobID]]

        func within(_ name: ProjectName) -> [Snapshot.Project] {
            projects.filter { $0.parent == name }.reduce([]) { $0 + [$1] + within($1.name) }
        }

        /// The project whose own job is next among these, and among those of `own`.
        func next(among siblings: [Snapshot.Project], own: Snapshot.Project? = nil) -> ProjectName? {
            func hasWork(_ name: ProjectName) -> Bool { !(queues[name] ?? []).isEmpty }
            var rivals: [(standing: Double, name: ProjectName, project: Snapshot.Project?)] = []
            for project in siblings {
                let below = within(project.name)
                guard hasWork(project.name) || below.contains(where: { hasWork($0.name) }) else { continue }
                let usage = below.reduce(project.usage) { $0 + $1.usage }
                rivals.append((usage / Double(project.weight), project.name, project))
            }
            if let own, hasWork(own.name) { rivals.append((own.usage / 100, own.name, nil)) }
            guard let first = rivals.min(by: { ($0.standing, $0.name) < ($1.standing, $1.name) }) else { return nil }
            guard let project = first.project else { return first.name }
            let below = projects.filter { $0.parent == project.name }
            return below.isEmpty ? project.name : next(among: below, own: project)
        }

        /// Takes the next job, whose project is then charged so much.
        mutating func take(_ hours: Double) -> JobID? {
            guard let name = next(among: projects.filter { $0.parent == nil }),
                let index = projects.firstIndex(where: { $0.name == name })
            else { return nil }
            projects[index].usage += hours
            return queues[name]?.removeFirst()
        }
    }

    @Test("the next job is the first of whoever has used least for its weight, from the top of the tree down")
    func order() {
        for seed in seeds(300) {
            var g = SeededGenerator(seed: seed)
            // Sixteenths, so that sums in any order are the same.
            let projects = (0..<Int.random(in: 1...9, using: &g)).map { index in
                Snapshot.Project(
                    name: projectName("p\(index)"),
                    parent: index > 0 && Int.random(in: 0..<4, using: &g) > 0
                        ? projectName("p\(Int.random(in: 0..<index, using: &g))") : nil,
                    weight: 1 << Int.random(in: 0...9, using: &g),
                    usage: Double(Int.random(in: 0...64, using: &g)) / 16
                )
            }
            let queue = (0..<40).map { number in
                QueuedJob.fixture(number, project: "p\(Int.random(in: 0..<projects.count, using: &g))")
            }
            var plain = Plain(
                projects: projects,
                queues: Dictionary(grouping: queue, by: \.project).mapValues { $0.map(\.id) }
            )
            let snapshot = Snapshot.fixture(
                [.fixture("hub", nodes: [.fixture("n1", cores: 16)])],
                queue,
                projects: projects.shuffled(using: &g)
            )
            // An hour of a sixteenth of everything.
            let expected = (0..<16).map { _ in plain.take(1.0 / 16) }
            #expect(plan(snapshot).placements.map(\.job) == expected, "seed \(seed)")
        }
    }

    @Test("a parent that is unknown, below itself or too far up counts as none, and nothing hangs")
    func brokenTrees() {
        var loop = (0..<4).map {
            Snapshot.Project(name: projectName("p\($0)"), parent: projectName("p\(($0 + 1) % 3)"))
        }
        loop[1].quota = Quota(runs: 0)
        let deep = (4..<40).map { Snapshot.Project(name: projectName("p\($0)"), parent: projectName("p\($0 + 1)")) }
        let queue = (0..<42).map { QueuedJob.fixture($0, project: "p\($0)") }
        let snapshot = Snapshot.fixture([.fixture("hub")], queue, projects: loop + deep)
        let made = plan(snapshot)
        #expect(made.placements.count == 16 && made.placements.count + made.waiting.count == queue.count)
        #expect(Outlook(snapshot).prospects(of: Set(queue.map(\.id))).count > 16)
    }

    // MARK: shares

    /// A leaf of the tree with work that comes as it pleases.
    private struct Leaf {
        var name: String
        /// Of all cores, with what it makes come.
        var appetite: Double
        /// Of all cores, what is due to it while it has work.
        var share: Double
        var backlog = 0.0
        var received = 0.0
        var due = 0.0
    }

    @Test("in a tree everybody with work gets what is due to it, whatever the others want", arguments: seeds(3))
    func shares(seed: UInt64) {
        var g = SeededGenerator(seed: seed)
        let cores = 32
        func project(_ name: String, _ weight: Int, under parent: String? = nil) -> Snapshot.Project {
            Snapshot.Project(name: projectName(name), parent: parent.map(projectName), weight: weight)
        }
        var federation = Federation(
            [.fixture("hub", nodes: [.fixture("n1", cores: cores)])],
            projects: [
                project("physics", 300), project("biology", 100),
                project("optics", 50, under: "physics"), project("plasma", 50, under: "physics"),
                // Its own jobs weigh 100 beside these.
                project("cells", 100, under: "biology"), project("genes", 200, under: "biology"),
            ]
        )
        var leaves = [
            Leaf(name: "optics", appetite: 0.1, share: 0.375), Leaf(name: "plasma", appetite: 3, share: 0.375),
            Leaf(name: "biology", appetite: 1, share: 0.0625), Leaf(name: "cells", appetite: 2, share: 0.0625),
            Leaf(name: "genes", appetite: 2, share: 0.125),
        ]
        let names = Dictionary(uniqueKeysWithValues: leaves.indices.map { (projectName(leaves[$0].name), $0) })
        var number = 0
        for _ in 0..<400 {
            var waiting = Array(repeating: 0, count: leaves.count)
            for job in federation.snapshot.queue { if let leaf = names[job.project] { waiting[leaf] += 1 } }
            for leaf in leaves.indices where waiting[leaf] < 2 * cores {
                leaves[leaf].backlog += leaves[leaf].appetite * Double(cores)
                while leaves[leaf].backlog > 0 {
                    let steps = Int.random(in: 1...9, using: &g)
                    number += 1
                    federation.submit(.fixture(number, .fixture(seconds: steps * 60), project: leaves[leaf].name))
                    leaves[leaf].backlog -= Double(steps)
                    waiting[leaf] += 1
                }
            }
            let before = federation.snapshot.projects.map(\.usage)
            federation.step(seconds: 60)
            var wanted = Array(repeating: 0, count: leaves.count)
            for job in federation.snapshot.queue { if let leaf = names[job.project] { wanted[leaf] += 1 } }
            for (project, usage) in zip(federation.snapshot.projects, before) {
                guard let leaf = names[project.name] else { continue }
                let held = (project.usage - usage) * 60 * Double(cores)
                leaves[leaf].received += held
                leaves[leaf].due += min(leaves[leaf].share * Double(cores), held + Double(wanted[leaf]))
            }
        }
        for leaf in leaves {
            let part = leaf.received / leaf.due
            #expect(part >= 0.95, "\(leaf.name) got \(part) of what was due, seed \(seed)")
        }
        let lent = leaves[1].received / leaves.reduce(0) { $0 + $1.received }
        #expect(lent > 0.75 - 0.1 - 0.02, "plasma got \(lent), its sibling's rest included, seed \(seed)")
    }

    // MARK: limits and reasons

    @Test("a quota further up holds for all below together, for what the plan itself places too, and is named")
    func quotaAbove() {
        let projects: [Snapshot.Project] = [
            .init(name: projectName("top"), quota: Quota(cores: .cores(6))),
            .init(name: projectName("one"), parent: projectName("top"), quota: Quota(cores: .cores(3))),
            .init(name: projectName("two"), parent: projectName("top")),
        ]
        let run = Snapshot.Run.fixture(90, on: [NodeShare(node: "n1", tasks: 1)], cores: 2, project: "top")
        let snapshot = Snapshot.fixture(
            [.fixture("hub", nodes: [.fixture("n1", cores: 64)], runs: [run])],
            [
                .fixture(1, .fixture(cores: 2), project: "one"), .fixture(2, .fixture(cores: 2), project: "one"),
                .fixture(3, .fixture(cores: 2), project: "two"), .fixture(4, .fixture(cores: 2), project: "two"),
                .fixture(5, .fixture(cores: 2), project: "elsewhere"),
            ],
            projects: projects
        )
        let made = plan(snapshot)
        #expect(Set(made.placements.map(\.job)) == [jobID(1), jobID(3), jobID(5)])
        #expect(
            made.waiting[jobID(2)]?.headline
                == "Project one holds 2 of the 3 cores that its quota allows, and this job needs 2."
        )
        #expect(
            made.waiting[jobID(4)]?.headline
                == "Project top holds 6 of the 6 cores that its quota allows, and this job needs 2."
        )
        #expect(made.waiting[jobID(4)]?.wayOut == "raise the quota of project top from 6 to 8 cores")
        #expect(explain(snapshot.queue[3], in: snapshot).names["project"] == "top")
    }

    @Test("the level that has used more of its share is named: the highest of which nothing goes first")
    func fairShareLevel() {
        func project(_ name: String, under parent: String?, _ usage: Double) -> Snapshot.Project {
            Snapshot.Project(name: projectName(name), parent: parent.map(projectName), usage: usage)
        }
        let all = Request.fixture(cores: 16)
        let snapshot = Snapshot.fixture(
            [.fixture("hub")],
            [
                .fixture(1, all, project: "rival"), .fixture(2, all, project: "rival"),
                .fixture(3, all, project: "right"), .fixture(4, all, project: "top"), .fixture(5, all, project: "left"),
                .fixture(6, all, project: "inner"),
            ],
            projects: [
                project("inner", under: "left", 6), project("left", under: "top", 5),
                project("right", under: "top", 2), project("rival", under: nil, 0), project("top", under: nil, 3),
            ]
        )
        let made = plan(snapshot)
        #expect(made.placements.map(\.job) == [jobID(1)] && made.reservations.map(\.job) == [jobID(2)])
        let levels = (3...6).map { made.waiting[jobID($0)]?.names["project"] }
        #expect(levels == ["top", "top", "left", "inner"])
        #expect((3...6).map { made.waiting[jobID($0)]?.figures["ahead"] } == [2, 3, 4, 5])
        #expect(made.waiting[jobID(3)]?.code == "fair_share")
    }
}
