public import Core

/// What is to be done next, and why nothing is done about the rest.
///
/// Optimistic: whoever carries it out checks each item against current rows, and leaves what no longer holds to the
/// next cycle.
public struct Plan: Hashable, Sendable {
    /// In order of decision.
    public var placements: [Placement] = []
    /// One reason for every job of the queue that is not placed.
    public var waiting: [JobID: Reason] = [:]
    public var preemptions: [Preemption] = []
    public var takeBacks: [TakeBack] = []
    /// For whom room is kept, where and from when. Not to be written down: the next plan finds it anew.
    public var reservations: [Reservation] = []

    public init() {}

    /// A job that starts now.
    public struct Placement: Hashable, Sendable {
        public var job: JobID
        public var centre: CentreName
        /// One entry per node; every task stands on exactly one.
        public var nodes: [NodeShare]
        /// What an hour of the whole run costs.
        public var pricePerHour: MicroCredits
        /// To be set aside: the price of the whole time limit.
        public var reserve: MicroCredits
        /// Why there: one sentence with numbers.
        public var reason: String
    }

    /// A run that is to stop so that a job of higher priority finds room, or that is to be moved so that a job finds its
    /// place.
    public struct Preemption: Hashable, Sendable {
        public var run: RunKey
        public var centre: CentreName
        /// The job it gives way to; its ``QueuedJob/claim`` is to be set to `centre`.
        public var job: JobID
        /// Where its job's next run goes, in the same centre, when it is moved: to be remembered as a ``Snapshot/Move``.
        public var destination: [NodeShare]?
        public var reason: String
    }

    /// A run that waits at its centre's engine and is to be taken back, as it could start elsewhere now.
    public struct TakeBack: Hashable, Sendable {
        public var run: RunKey
        public var centre: CentreName
        /// Where its job's next run goes: to be remembered as a ``Snapshot/Move``.
        public var destination: CentreName
        public var nodes: [NodeShare]
    }

    /// Room kept for a blocked job.
    public struct Reservation: Hashable, Sendable {
        public var job: JobID
        public var centre: CentreName
        /// When it is expected to start, at the latest, if runs keep their time limits.
        public var start: Instant
    }
}

/// Decides what starts now, where, and why the rest waits.
///
/// In order: jobs that room was made for by preemption; then always the first job (by priority, then arrival) of the
/// project with the least usage for its weight. Each passes the gates or gets its reason; it is placed where it fits
/// best; else it may preempt, or runs may be moved for it, or it has room kept for it that later jobs must leave alone.
/// docs/scheduling.md says it all.
///
/// Deterministic: the same snapshot gives the same plan.
/// - Complexity: O(nodes + runs + queue · centres) while requests repeat; each distinct request adds a scan of the nodes.
///
/// > Sources: Lifka, "The ANL/IBM SP Scheduling System" (JSSPP 1995) and Mu'alem and Feitelson, "Utilization,
/// > Predictability, Workloads, and User Runtime Estimates in Scheduling the IBM SP2 with Backfilling" (IEEE TPDS 2001)
/// > for EASY backfill; Ghodsi et al., "Dominant Resource Fairness" (NSDI 2011) for the order of projects.
public func plan(_ snapshot: Snapshot, policy: Policy = Policy()) -> Plan {
    var terrain = Terrain()
    return plan(snapshot, policy: policy, on: &terrain)
}

/// The same, with what an earlier plan over these centres found out: the same answer, sooner.
public func plan(_ snapshot: Snapshot, policy: Policy = Policy(), on terrain: inout Terrain) -> Plan {
    Decision(snapshot, policy: policy, on: &terrain).plan
}

/// Why a job waits, or that it does not: the answer ``plan(_:policy:)`` has for it, worked out in full.
///
/// - Parameter job: One of the snapshot's queue, or one to be imagined in it: it takes the place of the job of that id.
public func explain(_ job: QueuedJob, in snapshot: Snapshot, policy: Policy = Policy()) -> Reason {
    var terrain = Terrain()
    return explain(job, in: snapshot, policy: policy, on: &terrain)
}

/// The same, with what an earlier plan over these centres found out.
public func explain(
    _ job: QueuedJob,
    in snapshot: Snapshot,
    policy: Policy = Policy(),
    on terrain: inout Terrain
) -> Reason {
    var snapshot = snapshot
    if let index = snapshot.queue.firstIndex(where: { $0.id == job.id }) {
        snapshot.queue[index] = job
    } else {
        snapshot.queue.append(job)
    }
    return Decision(snapshot, policy: policy, focus: job.id, on: &terrain).reason(for: job)
}
