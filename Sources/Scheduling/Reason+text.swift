internal import Core

extension Reason {
    /// One sentence.
    public var headline: String {
        switch cause {
        case .ready(let centre, _): return "It can start now at \(centre)."
        case .dependency(let names, let count):
            guard !names.isEmpty else { return "It waits for \(counted(count, "job")) to succeed first." }
            let more = count > names.count && names.count <= 3 ? " and \(count - names.count) more" : ""
            return "It waits for \(counted(count, "job")) to succeed first: \(listed(names))\(more)."
        case .backoff(let until): return "Its last attempt failed; it is tried again at \(until)."
        case .impossible: return "No centre that it may use could ever run it, even when empty."
        case .centres: return "No centre that could run it is open to it now."
        case .quota(let project, let dimension, let used, let limit, let need):
            return "Project \(project) holds \(dimension.text(used)) of the \(dimension.phrase(limit)) that its quota "
                + "allows, and this job needs \(dimension.text(need))."
        case .voucher(let project, let balance, let need, let centre):
            return "Project \(project) has \(balance) credits left, and this job needs \(need) set aside even at "
                + "\(centre), its cheapest centre."
        case .capacity(let busy):
            if busy.moving > 0 {
                return "Its place is being made at \(busy.centre): \(counted(busy.moving, "run")) "
                    + "\(busy.moving == 1 ? "is" : "are") being moved to other nodes there."
            }
            if !busy.preempting.isEmpty {
                return "Room is being made for it at \(busy.centre): \(counted(busy.preempting.count, "run")) of lower "
                    + "priority \(busy.preempting.count == 1 ? "is" : "are") stopping."
            }
            let lack = busy.lack
            let place = lack.dimension == .tasks ? "" : " on its best node"
            let start = predictedStart.map { ", and room is kept for it from \($0)" } ?? ""
            return "Every centre that could run it is busy: \(busy.centre) has \(lack.text) free\(place)\(start)."
        case .behind(let ahead, _):
            return "There is room, but \(counted(ahead, "job")) ahead of it get\(ahead == 1 ? "s" : "") it first."
        case .fairShare(let project, let ahead, _):
            return
                "There is room, but project \(project) has used more of its share: \(counted(ahead, "job")) of other "
                + "projects go\(ahead == 1 ? "es" : "") first."
        case .reserved(let centre, let window):
            return "There is room at \(centre), but it is kept for \(window.phrase)."
        }
    }

    /// What was looked at, one line each: centres, and what each lacks. Centres that the job itself shuts out are
    /// counted in one line.
    public var evidence: [String] {
        var lines: [String] = []
        switch cause {
        case .ready(_, let why): lines.append(why)
        case .dependency(let names, let count):
            lines += names.map { "\($0) has not succeeded yet" }
            if count > names.count, !names.isEmpty { lines.append("and \(count - names.count) more") }
        case .quota(_, let dimension, let used, let limit, let need):
            lines.append(
                "\(dimension.rawValue): \(dimension.text(used)) held + \(dimension.text(need)) needed = "
                    + "\(dimension.text(sum(used, need))), over \(dimension.text(limit))"
            )
        case .voucher(_, let balance, let need, _): lines.append("\(need - balance) credits are missing")
        case .capacity(let busy):
            if busy.ahead > 0 { lines.append("\(counted(busy.ahead, "job")) ahead of it in order") }
            if let freeAt = busy.freeAt {
                let after = busy.after.map { " when \($0) ends" } ?? ""
                let kept = busy.isReserved ? "kept for it" : "not kept for it"
                lines.append("\(busy.centre) is expected to have room at \(freeAt)\(after), \(kept)")
            }
            if let others = busy.others { lines.append("other users of \(busy.centre) hold \(others.text) there") }
            lines += busy.preempting.map { "\($0) is stopping" }
            if busy.moving > 0 {
                lines.append(
                    "room is free in sum but scattered, and what the moved lose is little against what it would wait"
                )
            }
        case .behind(_, let job?), .fairShare(_, _, let job?): lines.append("\(job) is the next that room is kept for")
        case .reserved:
            if let predictedStart { lines.append("it is expected to start at \(predictedStart)") }
        case .backoff, .impossible, .centres, .behind, .fairShare: break
        }
        var unnamed = 0
        var otherTier = 0
        for finding in findings {
            switch finding.obstacle {
            case .notNamed: unnamed += 1
            case .tier: otherTier += 1
            default: lines.append(finding.text)
            }
        }
        if unnamed > 0 { lines.append("\(counted(unnamed, "centre")) not among those that the job names") }
        if otherTier > 0 { lines.append("\(counted(otherTier, "centre")) of tiers that the job does not allow") }
        return lines
    }

    /// The cheapest way out, as a clause that can stand alone.
    public var wayOut: String {
        switch way {
        case .nothing: return "nothing has to be done"
        case .wait(let until?, let after?): return "cancel nothing: expected to start at \(until) when \(after) ends"
        case .wait(let until?, nil): return "cancel nothing: expected to start at \(until)"
        case .wait(nil, _): return "cancel nothing: it starts when those ahead of it have had their turn"
        case .dependencies: return "nothing has to be done: it starts once they have succeeded"
        case .smaller(let instead, let request, let centre, let now):
            let change = difference(instead, from: request)
            return "with \(change) it would \(now ? "start now at" : "fit") \(centre)"
        case .shorter(let seconds, let old, let centre):
            return "with a time limit of \(seconds) instead of \(old) seconds it would start now at \(centre)"
        case .elsewhere(let centre, let tier?):
            return "were tier \(tier.rawValue) allowed, it would start now at \(centre)"
        case .elsewhere(let centre, nil): return "were \(centre) among its centres, it would start now there"
        case .quota(let project, let dimension, let from, let to):
            return "raise the quota of project \(project) from \(dimension.text(from)) to \(dimension.phrase(to))"
        case .voucher(let project, let missing): return "grant project \(project) a voucher of \(missing) credits"
        case .centre(let name?, .draining?): return "resume centre \(name)"
        case .centre(let name?, .unseen?): return "look after centre \(name): its agent is silent"
        case .centre(let name?, .notReported?): return "wait for the first report of centre \(name)"
        case .centre(let name?, .nodesDown?): return "bring the nodes of centre \(name) back"
        case .centre: return "connect a centre that it may use, or widen its placement"
        }
    }

    /// The numbers in it, for translators: milli-cores, bytes, counts, micro-credits and milliseconds since 1970.
    public var figures: [String: Int64] {
        var figures: [String: Int64] = [:]
        switch cause {
        case .ready, .impossible: break
        case .dependency(_, let count): figures["jobs"] = Int64(count)
        case .backoff(let until): figures["until_ms"] = until.milliseconds
        case .centres: break
        case .quota(_, _, let used, let limit, let need):
            figures = ["used": used, "limit": limit, "need": need]
        case .voucher(_, let balance, let need, _):
            figures = ["balance_microcredits": balance.count, "need_microcredits": need.count]
        case .capacity(let busy):
            figures = ["need": busy.lack.need, "have": busy.lack.have, "ahead": Int64(busy.ahead)]
            figures["free_at_ms"] = busy.freeAt?.milliseconds
            if !busy.preempting.isEmpty { figures["preempting"] = Int64(busy.preempting.count) }
            if busy.moving > 0 { figures["moving"] = Int64(busy.moving) }
        case .behind(let ahead, _), .fairShare(_, let ahead, _): figures["ahead"] = Int64(ahead)
        case .reserved(_, let window):
            figures = ["from_ms": window.from.milliseconds, "until_ms": window.until.milliseconds]
        }
        if !findings.isEmpty { figures["centres"] = Int64(findings.count) }
        figures["predicted_start_ms"] = predictedStart?.milliseconds
        return figures
    }

    /// The names in it, for translators: `project`, `centre`, `dimension`, `job`.
    public var names: [String: String] {
        switch cause {
        case .ready(let centre, _): ["centre": centre.text]
        case .dependency(let names, _): names.first.map { ["job": $0] } ?? [:]
        case .backoff, .impossible, .centres: [:]
        case .quota(let project, let dimension, _, _, _): ["project": project.text, "dimension": dimension.rawValue]
        case .voucher(let project, _, _, let centre): ["project": project.text, "centre": centre.text]
        case .capacity(let busy): ["centre": busy.centre.text, "dimension": busy.lack.dimension.rawValue]
        case .behind(_, let job): job.map { ["job": $0.description] } ?? [:]
        case .fairShare(let project, _, _): ["project": project.text]
        case .reserved(let centre, let window): ["centre": centre.text, "reservation": window.name.text]
        }
    }
}
