internal import Core

/// What somebody holds of a Ray node for as long as it lives: a job's supervisor, or one bundle of a placement group.
struct RayHolding: Hashable, Sendable {
    /// Unique while the cluster lives.
    var id: String
    /// The number of the job whose driver made it, such as `02000000`; of a supervisor, that of nobody in particular.
    var driver: String
    /// The submission that a supervisor carries out.
    var run: RunKey?
    var node: String
    /// By Ray's own names: cores, bytes and pieces.
    var resources: [String: Double]

    /// What a supervisor is called, before the name of its submission.
    ///
    /// > Source: Ray 2.60, `JOB_ACTOR_NAME_TEMPLATE` in `dashboard/modules/job/common.py`.
    private static let supervisorPrefix = "_ray_internal_job_actor_"

    /// A supervisor of one of our runs, in an item of `GET /api/v0/actors?detail=True`.
    init?(supervisor json: JSON) {
        guard let id = json["actor_id"]?.stringValue, let node = json["node_id"]?.stringValue,
            let name = json["name"]?.stringValue, name.hasPrefix(Self.supervisorPrefix),
            let run = RunKey(String(name.dropFirst(Self.supervisorPrefix.count)))
        else { return nil }
        (self.id, driver, self.run, self.node) = (id, "", run, node)
        resources = json["required_resources"].map(RayNode.amounts) ?? [:]
    }

    /// The bundles of an item of `GET /api/v0/placement_groups?detail=True`.
    static func bundles(_ json: JSON) -> [RayHolding] {
        guard let group = json["placement_group_id"]?.stringValue, let driver = json["creator_job_id"]?.stringValue
        else {
            return []
        }
        return (json["bundles"]?.arrayValue ?? []).enumerated().compactMap { index, bundle in
            guard let node = bundle["node_id"]?.stringValue, !node.isEmpty else { return nil }
            let resources = bundle["unit_resources"].map(RayNode.amounts) ?? [:]
            return RayHolding(id: "\(group) \(index)", driver: driver, run: nil, node: node, resources: resources)
        }
    }

    private init(id: String, driver: String, run: RunKey?, node: String, resources: [String: Double]) {
        (self.id, self.driver, self.run, self.node) = (id, driver, run, node)
        self.resources = resources
    }
}

/// What a cluster's monitor counted as given out, some seconds ago.
struct RayCount: Sendable {
    /// By the head's clock, and another for each count.
    var taken: Double
    /// By the nodes' ids and by resource as ``RayClient/spelled(_:)``.
    var used: [String: [String: Double]]
}

/// What runs of ours hold, and held of late, as a count that was begun before may still have it.
struct RayOwnUse: Sendable {
    private var seen: [String: (holding: RayHolding, count: Int)] = [:]
    /// Where runs stand, by Ray's ids of nodes: how many tasks.
    private(set) var standing: [RunKey: [String: Int]] = [:]

    /// - Parameters:
    ///   - jobs: Of ours, with the numbers of their drivers.
    ///   - count: How many counts had been read before the holdings were.
    mutating func note(_ holdings: [RayHolding], jobs: [RayJob], after count: Int) {
        let runs = Dictionary(jobs.compactMap { job in job.driver.map { ($0, job.run) } }) { first, _ in first }
        let ours = Set(jobs.map(\.run))
        // The next count may have been taken before it ended; the one after that was not.
        seen = seen.filter { count - $0.value.count <= 1 }
        var supervisors: [RunKey: [String: Int]] = [:]
        var gangs: [RunKey: [String: Int]] = [:]
        for holding in holdings {
            if let run = holding.run {
                guard ours.contains(run) else { continue }
                supervisors[run] = [holding.node: 1]
            } else {
                guard let run = runs[holding.driver] else { continue }
                gangs[run, default: [:]][holding.node, default: 0] += 1
            }
            seen[holding.id] = (holding, count)
        }
        // A gang's tasks stand in its bundles, and its supervisor only waits for them.
        standing = supervisors.merging(gangs) { $1 }
    }

    /// By node, what is or may still be counted as given out.
    var byNode: [String: [String: Double]] {
        seen.values.reduce(into: [:]) { sums, entry in
            sums[entry.holding.node, default: [:]].merge(entry.holding.resources, uniquingKeysWith: +)
        }
    }
}
