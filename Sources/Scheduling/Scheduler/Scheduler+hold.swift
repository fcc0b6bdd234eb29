extension Scheduler {
    /// Makes a class of jobs known that run already and never wait.
    public mutating func addHeldClass(_ need: Need) -> Int32 { append(need, []) }

    /// Makes a job known that runs already, on nodes that somebody else gave it. What a node has no room for is left out:
    /// it has shrunk since.
    ///
    /// - Parameters:
    ///   - job: Its number: a small one that no job has now.
    ///   - places: Its tasks by node; at least one.
    ///   - estimate: How long it is expected to run in all, in milliseconds.
    ///   - limit: How long it may run, in milliseconds.
    ///   - project: Whose it is; `nil` for nobody's.
    public mutating func hold(
        _ job: Int32,
        class number: Int32,
        at site: Int32,
        places: [Place],
        begin: Int64,
        estimate: Int64,
        limit: Int64,
        project: Int32? = nil
    ) {
        let account = project.map { accounts.ownAccount(of: $0) } ?? Accounts.nobody
        var held = Job(
            jobClass: number,
            line: line(number, account),
            arrival: begin,
            estimate: max(1, estimate),
            limit: max(1, limit),
            begin: begin,
            sequence: 0
        )
        held.site = site
        held.end = begin + held.limit
        if accounts.isInUse {
            held.charged = account
            accounts.charge(account, charge(for: held), sign: 1)
        }
        while jobs.count <= Int(job) { jobs.append(held) }
        jobs[Int(job)] = held
        let one = classes[Int(number)].need.one
        stands[job] = places.compactMap { place in
            let tasks = Int(place.tasks)
            guard states.tasks(sites[Int(site)].states[Int(place.node)], one, limit: tasks) >= tasks else { return nil }
            _ = sites[Int(site)].take(one, tasks: Int(place.tasks), node: place.node, on: 1000, &states)
            return Stand(node: place.node, tasks: place.tasks)
        }
        sites[Int(site)].add(Occupant(end: held.end, job: job))
        noteStay(job)
        guard reservations.isInUse else { return }
        reservations.hold(job, one, standsOf(job), site: site, from: begin, to: held.end)
    }
}
