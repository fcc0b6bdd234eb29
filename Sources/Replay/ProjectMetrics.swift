/// What became of the jobs of one project, and what it got of its share.
public struct ProjectMetrics: Hashable, Sendable {
    public var name: String
    /// That started.
    public var jobs = 0
    public var meanWait = 0.0
    public var meanSlowdown = 0.0
    /// Part of all cards (or cores, where no job has cards) that it held while it had work, waiting or running.
    public var held = 0.0
    /// What it held then beside what was due to it: its share, or as much of that as it had work for and its limits allow.
    /// Above 1 it used what others left.
    public var ofDue = 0.0
    /// Its part of everything by weight, while all projects have work.
    public var share = 0.0

    /// Jain's index of the mean slowdowns: 1 when all projects fare alike.
    public static func jain(_ projects: [ProjectMetrics]) -> Double {
        Metrics.jain(projects.filter { $0.jobs > 0 }.map(\.meanSlowdown))
    }

    /// - Returns: One for each project with jobs, in their order.
    static func all(
        _ jobs: [TraceJob],
        _ projects: ReplayProjects,
        _ schedule: Schedule,
        _ federation: Federation
    ) -> [ProjectMetrics] {
        let (owners, names) = (projects.owners, projects.names)
        guard !names.isEmpty else { return [] }
        let ran = jobs.indices.filter { schedule.start[$0] >= 0 && owners[$0] >= 0 }
        let hasCards = ran.contains { jobs[$0].cards > 0 }
        let capacity = Double(max(1, federation.centres.reduce(0) { $0 + (hasCards ? $1.cards : $1.cores) }))
        var members = Array(repeating: [Int](), count: names.count)
        for index in ran { members[Int(owners[index])].append(index) }
        let (shares, limits) = (projects.shares, projects.limits(inCards: hasCards))
        return names.indices.map { number in
            var made = ProjectMetrics(name: names[number])
            let members = members[number]
            made.share = shares[number]
            made.jobs = members.count
            guard !members.isEmpty else { return made }
            for index in members {
                let wait = Double(schedule.start[index] - jobs[index].submit)
                made.meanWait += wait / Double(members.count)
                made.meanSlowdown +=
                    Metrics.slowdown(wait: wait, run: Double(jobs[index].run)) / Double(members.count)
            }
            var (held, due, time) = (0.0, 0.0, 0.0)
            for stretch in stretches(members, jobs, schedule) {
                held += stretch.held * stretch.seconds
                due +=
                    min(capacity * shares[number], limits[number], stretch.held + stretch.waiting) * stretch.seconds
                time += stretch.seconds
            }
            made.held = time > 0 ? held / time / capacity : 0
            made.ofDue = due > 0 ? held / due : 1
            return made
        }
    }

    private struct Stretch {
        var seconds: Double
        var held: Double
        var waiting: Double
    }

    /// The times in which some jobs waited or ran, cut where anything changes.
    private static func stretches(_ members: [Int], _ jobs: [TraceJob], _ schedule: Schedule) -> [Stretch] {
        struct Change {
            var at: Int64
            var held: Double
            var waiting: Double
        }
        var changes: [Change] = []
        changes.reserveCapacity(3 * members.count)
        for index in members {
            let size = jobs[index].size
            let start = schedule.start[index]
            changes.append(Change(at: jobs[index].submit, held: 0, waiting: size))
            changes.append(Change(at: start, held: size, waiting: -size))
            changes.append(Change(at: start + jobs[index].run, held: -size, waiting: 0))
        }
        changes.sort { $0.at < $1.at }
        var stretches: [Stretch] = []
        var now = Stretch(seconds: 0, held: 0, waiting: 0)
        for (change, next) in zip(changes, changes.dropFirst()) {
            now.held += change.held
            now.waiting += change.waiting
            now.seconds = Double(next.at - change.at)
            // Sums of sizes such as 0.3 do not end at zero exactly.
            if now.seconds > 0, now.held + now.waiting > 1e-6 { stretches.append(now) }
        }
        return stretches
    }
}

extension [ProjectMetrics] {
    /// Those first who got least of what was due to them.
    public var worstFirst: [ProjectMetrics] {
        sorted { ($0.ofDue, $0.name) < ($1.ofDue, $1.name) }
    }
}
