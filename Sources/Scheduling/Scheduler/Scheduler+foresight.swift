extension Scheduler {
    /// When waiting jobs would start if nobody else came and every run took as long as is expected of it: this very
    /// scheduler, a copy of it, put through what would follow.
    ///
    /// - Parameters:
    ///   - wanted: The jobs that are asked about; the copy goes on until all have started.
    ///   - isByLimits: Whether every run takes its whole time limit instead.
    ///   - eventsMax: How many ends it goes on for at most.
    /// - Returns: By job, in milliseconds; those that do not start within `eventsMax` are missing.
    public func foresee(
        _ wanted: Set<Int32>,
        at now: Int64,
        isByLimits: Bool = false,
        eventsMax: Int = 100_000
    ) -> [Int32: Int64] {
        var copy = self
        var ends = EndHeap()
        for site in copy.sites {
            for occupant in site.occupants {
                ends.push(copy.expectedEnd(occupant.job, isByLimits, at: now), occupant.job)
            }
        }
        var found: [Int32: Int64] = [:]
        var started: [Start] = []
        var events = 0
        var time = now
        // Nothing is learned on the way: what a job that really ended would teach is not known.
        while true {
            started.removeAll(keepingCapacity: true)
            copy.pass(at: time, started: &started)
            for start in started {
                if wanted.contains(start.job) { found[start.job] = time }
                let job = copy.jobs[Int(start.job)]
                ends.push(time + (isByLimits ? job.limit : job.estimate), start.job)
            }
            // What is reserved comes free at its end, whether anything else happens then or not.
            let next = min(ends.first ?? .max, copy.nextWindowEnd ?? .max)
            guard found.count < wanted.count, events < eventsMax, next < .max else { return found }
            if next < ends.first ?? .max { events += 1 }
            time = max(time, next)
            while let next = ends.first, next <= time, let end = ends.pop() {
                copy.end(end.number, at: time)
                events += 1
            }
        }
    }

    /// A run that has outlived what was expected of it is expected to go on for a quarter of what it has run.
    private func expectedEnd(_ job: Int32, _ isByLimits: Bool, at now: Int64) -> Int64 {
        let entry = jobs[Int(job)]
        let end = entry.begin + (isByLimits ? entry.limit : entry.estimate)
        return end > now ? end : now + max(60_000, (now - entry.begin) / 4)
    }
}
