import Core
import Scheduling

extension Reason {
    /// The other jobs that it speaks of.
    var namedJobs: Set<JobID> {
        var jobs: Set<JobID> = []
        switch cause {
        case .capacity(let busy):
            jobs.formUnion(busy.preempting.map(\.job))
            if let after = busy.after { jobs.insert(after) }
        case .behind(_, let job?), .fairShare(_, _, let job?): jobs.insert(job)
        case .behind, .fairShare, .ready, .dependency, .backoff, .impossible, .centres, .quota, .voucher, .reserved:
            break
        }
        if case .wait(_, let job?) = way { jobs.insert(job) }
        return jobs
    }

    /// The same without the names of jobs that its reader may not know of.
    func naming(_ isKnown: (JobID) -> Bool) -> Reason {
        var reason = self
        func known(_ job: JobID?) -> JobID? { job.flatMap { isKnown($0) ? $0 : nil } }
        switch cause {
        case .capacity(var busy):
            busy.after = known(busy.after)
            busy.preempting = busy.preempting.filter { isKnown($0.job) }
            reason.cause = .capacity(busy)
        case .behind(let ahead, let job): reason.cause = .behind(ahead: ahead, heldFor: known(job))
        case .fairShare(let project, let ahead, let job):
            reason.cause = .fairShare(project: project, ahead: ahead, heldFor: known(job))
        case .ready, .dependency, .backoff, .impossible, .centres, .quota, .voucher, .reserved: break
        }
        if case .wait(let until, let job) = way { reason.way = .wait(until: until, after: known(job)) }
        return reason
    }
}
