internal import Core

/// A plan and all that was found out for it, so that more can be asked of it later: why a job waits, whether the plan
/// looked at it or not, without another plan.
///
/// `@unchecked Sendable`: the grounds of its planner are not changed any more, only copied.
public struct Decision: @unchecked Sendable {
    private let planner: Planner

    public var plan: Plan { planner.plan }
    /// What it is about.
    public var snapshot: Snapshot { planner.snapshot }

    /// - Parameter terrain: Of an earlier plan over these centres, or of none.
    public init(_ snapshot: Snapshot, policy: Policy = Policy(), on terrain: inout Terrain) {
        self.init(snapshot, policy: policy, focus: nil, on: &terrain)
    }

    /// - Parameter focus: The job whose reason is worked out in full whatever that costs.
    init(_ snapshot: Snapshot, policy: Policy, focus: JobID?, on terrain: inout Terrain) {
        var planner = Planner(snapshot, policy: policy, focus: focus, on: &terrain)
        planner.run()
        self.planner = planner
    }

    /// Why a job waits, worked out in full. One that the plan did not look at is answered as if it came after all others.
    ///
    /// - Complexity: O(centres + distinct requests), and a few scans of the nodes of the centres that come into question.
    public func reason(for job: QueuedJob) -> Reason {
        if let placement = planner.plan.placements.first(where: { $0.job == job.id }) { return ready(placement) }
        var fork = Planner(forking: planner, focus: job.id)
        if let known = planner.plan.waiting[job.id] { return fork.detailed(known, job) }
        if let reason = fork.reasonOfItsOwn(job) { return reason }
        fork.consider(job, account: fork.account(of: job.project))
        if let placement = fork.plan.placements.first { return ready(placement) }
        guard let reason = fork.plan.waiting[job.id] else {
            preconditionFailure("a plan has neither placed \(job.id) nor said why not")
        }
        return reason
    }

    private func ready(_ placement: Plan.Placement) -> Reason {
        Reason(
            .ready(centre: placement.centre, why: placement.reason),
            way: .nothing,
            predictedStart: planner.snapshot.now
        )
    }
}

extension Planner {
    /// Goes on from where another has come to, apart from it.
    init(forking other: Planner, focus: JobID) {
        self = other
        self.focus = focus
        plan = Plan()
        // Nobody carries out what is found here.
        policy.consolidates = false
        grounds = grounds.map { $0.map { Ground($0) } }
    }

    /// Adds what a plan does not work out for everybody: when there will be room, and the cheapest way out.
    fileprivate mutating func detailed(_ reason: Reason, _ job: QueuedJob) -> Reason {
        switch reason.cause {
        case .capacity, .behind, .fairShare, .reserved: break
        case .ready, .dependency, .backoff, .impossible, .centres, .quota, .voucher: return reason
        }
        guard case .wait = reason.way else { return reason }
        var reason = reason
        let index = requestClass(job.request, of: job.project)
        let balance = accounts[account(of: job.project)].balance
        let affordable = affordable(index, balance)
        if case .capacity(var busy) = reason.cause, busy.freeAt == nil,
            let (number, opening) = earliest(index, affordable)
        {
            busy.centre = snapshot.centres[classes[index].candidates[number].centre].name
            busy.lack = lack(index, number)
            (busy.freeAt, busy.after) = (opening.at, opening.after)
            reason.cause = .capacity(busy)
        }
        let way = wayOut(index, affordable, balance: balance, detail: true, room: nil)
        if way != .wait(until: nil, after: nil) { reason.way = way }
        return foretold(reason, index, affordable)
    }
}
