internal import Core
internal import Scheduling

extension Federation {
    /// As a point knows its centres, with names of its own: a trace's may be anything.
    func snapshot(_ projects: [Snapshot.Project]) -> Snapshot {
        Snapshot(
            now: Instant(milliseconds: 0),
            centres: centres.enumerated().map { number, centre in
                Snapshot.Centre(
                    name: Self.name(ofCentre: number),
                    tier: Tier(rawValue: centre.tier) ?? .hub,
                    capacity: CentreCapacity(
                        engine: .local,
                        engineVersion: "",
                        nodes: centre.nodes.enumerated().map(Self.node),
                        isolates: true
                    ),
                    prices: PriceTable(
                        coreHour: Self.credits(centre.coreHour),
                        cardHourDefault: Self.credits(centre.cardHour)
                    )
                )
            },
            projects: projects,
            queue: []
        )
    }

    static func name(ofCentre number: Int) -> CentreName { known("c\(number)") }

    private static func node(_ number: Int, _ node: Node) -> Core.Node {
        let (model, isEmulated) = EventLog.parts(ofModel: node.model)
        return Core.Node(
            name: "n\(number)",
            cores: MilliCores(Int64(node.milliCores)),
            memory: .mebi(Int64(node.memoryMiB)),
            cards: node.cards > 0 ? [CardGroup(model: model, count: node.cards, emulated: isEmulated)] : []
        )
    }

    /// The number of a node of that name.
    static func number(ofNode name: String) -> Int? { Int(name.dropFirst()) }

    private static func credits(_ credits: Double) -> MicroCredits { MicroCredits(Int64((credits * 1e6).rounded())) }

    func reservations(_ bookings: [Booking], of holders: [ProjectName?], at centre: Int) -> [Core.Reservation] {
        reservations.indices.filter { reservations[$0].centre == centre }.map { index in
            Core.Reservation(
                name: Self.known("r\(index)"),
                centre: Self.name(ofCentre: centre),
                project: holders[index],
                startsAt: Instant(milliseconds: bookings[index].start * 1000),
                endsAt: Instant(milliseconds: bookings[index].end * 1000),
                shares: reservations[index].nodes == nil ? nil : bookings[index].nodes.map { .init(node: "n\($0)") },
                user: Self.known("replay")
            )
        }
    }

    /// A name that is one.
    static func known<Tag>(_ text: String) -> Name<Tag> {
        guard let name = Name<Tag>(text) else { preconditionFailure("'\(text)' is no name") }
        return name
    }
}

extension Experiment {
    /// Makes ready to replay the trace by the plans of a point.
    ///
    /// - Throws: ``TraceFault`` when jobs ask for what no point gives out.
    func pointReplay(
        _ estimates: ReplayOptions.Estimates,
        progress: @escaping (Int) -> Void
    ) throws(TraceFault) -> PointReplay {
        let (all, named) = projects.asPoint
        var snapshot = federation.snapshot(all)
        let requests = try requests(in: snapshot)
        let nobody: ProjectName = Federation.known("nobody")
        let holding = holders.map { $0.map { projects.name(of: $0, named) } }
        for centre in snapshot.centres.indices {
            snapshot.centres[centre].reservations = federation.reservations(bookings, of: holding, at: centre)
        }
        return PointReplay(
            jobs: replayed,
            requests: requests,
            owners: replayed.indices.map { job in
                projects.owners.isEmpty || projects.owners[job] < 0 ? nobody : named[Int(projects.owners[job])]
            },
            ownerNumbers: projects.owners,
            snapshot: snapshot,
            windowEnds: bookings.map(\.end),
            reserved: reservedTime,
            federation: federation,
            estimates: estimates,
            options: options,
            progress: progress
        )
    }

    /// What each job asks a point for; `nil` for one that no centre could run, or no limit of its project allows.
    private func requests(in snapshot: Snapshot) throws(TraceFault) -> [Request?] {
        var known: [ClassKey: Request?] = [:]
        var requests: [Request?] = []
        requests.reserveCapacity(replayed.count)
        for (index, job) in replayed.enumerated() {
            let key = classKey(job)
            if known[key] == nil { known[key] = .some(try request(job, key, in: snapshot)) }
            let isAllowed = projects.couldHold(index, key.need)
            requests.append(isAllowed ? known[key] ?? nil : nil)
        }
        return requests
    }

    private func request(_ job: TraceJob, _ key: ClassKey, in snapshot: Snapshot) throws(TraceFault) -> Request? {
        guard key.need.cardMilli == 1000 else {
            throw TraceFault(path: trace.name, what: "asks for parts of cards, which no point gives out")
        }
        let (card, takesEmulated) = try models(job)
        let places = places(job)?.map { Federation.name(ofCentre: Int($0)) } ?? []
        guard !places.isEmpty || job.places < 0 else { return nil }
        let need = equalTasks(key.need, job)
        // Who does not fit at home goes where it does.
        for centres in key.home >= 0 ? [[Federation.name(ofCentre: Int(key.home))], places] : [places] {
            let request = Request(
                tasks: need.tasks,
                resources: TaskResources(
                    cores: MilliCores(Int64(need.milliCores)),
                    memory: .mebi(Int64(need.memoryMiB)),
                    cards: need.cards,
                    card: card
                ),
                placement: PlacementConstraint(centres: centres, emulated: takesEmulated)
            )
            if case .possible = feasibility(request, centres: snapshot.centres) { return request }
        }
        return nil
    }

    /// A point's tasks are equal: cards that fill no node evenly go into the largest tasks that do.
    private func equalTasks(_ need: Need, _ job: TraceJob) -> Need {
        guard need.restCards > 0,
            let cards = (1...cardsMax).last(where: {
                job.cards.isMultiple(of: $0) && cardsMax.isMultiple(of: $0)
            })
        else { return need }
        let tasks = job.cards / cards
        return Need(
            tasks: tasks,
            milliCores: job.milliCores / tasks,
            memoryMiB: job.memoryMiB / tasks,
            cards: cards
        )
    }

    /// The one model that a job asks for, or that any will do, and whether emulated cards will.
    private func models(_ job: TraceJob) throws(TraceFault) -> (card: String?, takesEmulated: Bool) {
        let all = models.map(EventLog.parts(ofModel:))
        guard job.cards > 0, job.models >= 0 else { return (nil, true) }
        let right = Set(trace.modelSets[Int(job.models)])
        let allowed = zip(models, all).filter { right.contains($0.0) }.map(\.1)
        let takesEmulated = allowed.contains { $0.isEmulated }
        let names = Set(allowed.map(\.model))
        if names == Set(all.filter { takesEmulated || !$0.isEmulated }.map(\.model)) { return (nil, takesEmulated) }
        guard names.count <= 1 else {
            throw TraceFault(path: trace.name, what: "asks for one of several card models, which no point understands")
        }
        return (names.first ?? right.first ?? "none", takesEmulated)
    }
}
