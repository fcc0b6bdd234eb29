import Core
import Scheduling

extension Snapshot {
    /// Whose each job is.
    var owners: [JobID: ProjectName] {
        var owners: [JobID: ProjectName] = [:]
        for job in queue { owners[job.id] = job.project }
        for centre in centres { for run in centre.runs { owners[run.key.job] = run.project } }
        return owners
    }
}

extension Reason {
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
        case .ready, .dependency, .backoff, .impossible, .centres, .quota, .voucher: break
        }
        if case .wait(let until, let job) = way { reason.way = .wait(until: until, after: known(job)) }
        return reason
    }
}
