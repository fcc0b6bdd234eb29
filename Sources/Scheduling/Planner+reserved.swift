internal import Core

/// What reservations in advance have to do with a blocked job.
extension Planner {
    /// The cause of a job that would start now, were it not for a reservation; of several the one that is over first.
    func reservedCause(_ index: Int, _ affordable: [Int]) -> Reason.Cause? {
        var best: (centre: CentreName, window: Reason.Window)?
        for number in affordable {
            let centre = classes[index].candidates[number].centre
            guard case .reserved(let window) = classes[index].obstacles[centre] else { continue }
            let name = snapshot.centres[centre].name
            if best.map({ (window.until, name) < ($0.window.until, $0.centre) }) ?? true { best = (name, window) }
        }
        return best.map { .reserved(centre: $0.centre, $0.window) }
    }

    /// Adds when such a job is expected to start: no room is kept for it, so that nobody has worked that out.
    mutating func foretold(_ reason: Reason, _ index: Int, _ affordable: [Int]) -> Reason {
        guard case .reserved = reason.cause else { return reason }
        var reason = reason
        if reason.predictedStart == nil, let (_, opening) = earliest(index, affordable) {
            reason.predictedStart = opening.at
            if case .wait(nil, _) = reason.way { reason.way = .wait(until: opening.at, after: opening.after) }
        }
        return reason
    }
}
