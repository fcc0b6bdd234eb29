public import Core

/// What follows from a snapshot if nobody else comes: the ``Scheduler`` put into its place and run ahead.
///
/// It knows nodes, runs, gates, the tree of projects with their shares and quotas, priorities, the order of the queue and
/// what is reserved in advance; vouchers and preemption it leaves out, as it leaves out who may still come. What that is
/// worth is learned: see ``Calibration``.
public struct Outlook {
    /// What a job may expect.
    public struct Prospect: Hashable, Sendable {
        /// Seconds until it starts, if every run takes as long as is expected of it.
        public var wait: Double
        /// Likewise, if every run takes its whole time limit.
        public var waitMax: Double
        /// At the cheapest centre that could run it.
        public var pricePerHour: MicroCredits

        public init(wait: Double = 0, waitMax: Double = 0, pricePerHour: MicroCredits) {
            (self.wait, self.waitMax, self.pricePerHour) = (wait, waitMax, pricePerHour)
        }
    }

    private var scheduler: Scheduler
    private var numbers: [JobID: (number: Int32, pricePerHour: MicroCredits)] = [:]
    private var projects: [ProjectName: Int32] = [:]
    private let now: Int64

    /// - Parameter waiting: Those of the queue that take part.
    public init(_ snapshot: Snapshot, waiting: (QueuedJob) -> Bool = { _ in true }) {
        now = snapshot.now.milliseconds
        var makes: [Flavour] = []
        let nodes = snapshot.centres.map { $0.capacity?.nodes.filter(\.schedulable) ?? [] }
        scheduler = Scheduler(
            sites: nodes.map { $0.map { Self.kind(of: $0, &makes) } },
            rules: .standard
        )
        // From the top down.
        let ranks = snapshot.projects.ranks
        for index in ranks.indices.sorted(by: { (ranks[$0].depth, $0) < (ranks[$1].depth, $1) }) {
            let (project, parent) = (snapshot.projects[index], ranks[index].parent)
            projects[project.name] = scheduler.addProject(
                under: parent < 0 ? nil : projects[snapshot.projects[parent].name],
                weight: project.weight,
                limits: Self.limits(project.quota)
            )
        }
        // Of whom nobody else has said anything.
        for project in snapshot.centres.lazy.flatMap(\.reservations).compactMap(\.project)
        where projects[project] == nil { projects[project] = scheduler.addProject() }
        for project in snapshot.projects {
            if let number = projects[project.name] { scheduler.addUsage(of: number, project.usage, at: now) }
        }
        var next: Int32 = 0
        var held: [Need: Int32] = [:]
        func heldClass(_ need: Need) -> Int32 {
            if let known = held[need] { return known }
            let made = scheduler.addHeldClass(need)
            held[need] = made
            return made
        }
        let horizon = Int64(Policy().othersHorizonSeconds) * 1000
        for (site, centre) in snapshot.centres.enumerated() {
            if Gates.state(centre) != nil { scheduler.setOpen(Int32(site), false) }
            let places = Dictionary(nodes[site].enumerated().map { ($0.element.name, Int32($0.offset)) }) { a, _ in a }
            for run in centre.runs {
                let stands = run.nodes.compactMap { share in
                    places[share.node].map { Scheduler.Place(node: $0, tasks: Int32(share.tasks), isRest: false) }
                }
                guard !stands.isEmpty else { continue }
                let estimate = Int64(min(run.estimateSeconds ?? .max, run.timeLimitSeconds)) * 1000
                let number = heldClass(Self.need(run.resources, tasks: run.tasks))
                scheduler.hold(
                    next,
                    class: number,
                    at: Int32(site),
                    places: stands,
                    begin: (run.startedAt ?? run.leasedAt).milliseconds,
                    // Who is asked to stop does so.
                    estimate: run.stopping ? 1 : estimate,
                    limit: Int64(run.timeLimitSeconds) * 1000,
                    project: projects[run.project]
                )
                next += 1
            }
            for (node, resources) in Self.others(at: centre, nodes[site], places) {
                let number = heldClass(Self.need(resources, tasks: 1))
                scheduler.hold(
                    next,
                    class: number,
                    at: Int32(site),
                    places: [Scheduler.Place(node: node, tasks: 1, isRest: false)],
                    begin: now,
                    estimate: horizon,
                    limit: horizon,
                    project: nil
                )
                next += 1
            }
            for reservation in centre.reservations where reservation.endsAt > snapshot.now {
                scheduler.addWindow(window(reservation, nodes[site], places), at: Int32(site))
            }
        }
        submit(snapshot, nodes.map { !$0.isEmpty }, makes, waiting, first: next)
    }

    /// What others hold of each node, as far as runs of ours leave it: those may be waiting for just that.
    private static func others(
        at centre: Snapshot.Centre,
        _ nodes: [Node],
        _ places: [String: Int32]
    ) -> [(node: Int32, resources: TaskResources)] {
        guard !centre.others.isEmpty else { return [] }
        var left = nodes.map { node in
            TaskResources(cores: node.cores, memory: node.memory, cards: cards(of: node)?.count ?? 0)
        }
        for run in centre.runs {
            for share in run.nodes {
                guard let node = places[share.node].map({ Int($0) }) else { continue }
                left[node].cores = left[node].cores - run.resources.cores * share.tasks
                left[node].memory = left[node].memory - run.resources.memory * share.tasks
                left[node].cards -= run.resources.cards * share.tasks
            }
        }
        return centre.others.compactMap { use in
            guard let node = places[use.node] else { return nil }
            let (left, whole) = (left[Int(node)], cards(of: nodes[Int(node)]))
            let cards = use.cards.first { $0.model == whole?.model && $0.emulated == whole?.emulated }
            let resources = TaskResources(
                cores: max(0, min(use.cores, left.cores)),
                memory: max(0, min(use.memory, left.memory)),
                cards: max(0, min(cards?.count ?? 0, left.cards))
            )
            return resources == TaskResources(cores: 0, memory: 0) ? nil : (node, resources)
        }
    }

    /// Nodes that the centre does not have now are left out.
    private func window(_ reservation: Reservation, _ nodes: [Node], _ places: [String: Int32]) -> Scheduler.Window {
        Scheduler.Window(
            from: reservation.startsAt.milliseconds,
            to: reservation.endsAt.milliseconds,
            project: reservation.project.flatMap { projects[$0] },
            reservation.shares.map { shares in
                shares.compactMap { share in
                    guard let node = places[share.node] else { return nil }
                    guard let amount = share.amount else { return .init(node: node) }
                    let group = Self.cards(of: nodes[Int(node)])
                    let isCounted = group.map { $0.model == amount.card && $0.emulated == amount.emulated } ?? false
                    let part = Scheduler.Window.Amount(
                        milliCores: Self.plain(amount.cores.count),
                        // Rounded up: what is kept is kept whole.
                        memoryMiB: Self.plain((amount.memory.count + (1 << 20) - 1) >> 20),
                        cardMilli: isCounted ? Self.plain(Int64(amount.cards)) * 1000 : 0
                    )
                    return .init(node: node, amount: part)
                }
            }
        )
    }

    private mutating func submit(
        _ snapshot: Snapshot,
        _ hasNodes: [Bool],
        _ makes: [Flavour],
        _ waiting: (QueuedJob) -> Bool,
        first: Int32
    ) {
        let shapes = snapshot.centres.map { $0.capacity.map(Shapes.init) }
        var classes: [Request: (number: Int32, pricePerHour: MicroCredits)?] = [:]
        var next = first
        let queue = snapshot.queue.filter(waiting).sorted {
            ($0.submittedAt, $0.sequence) < ($1.submittedAt, $1.sequence)
        }
        for job in queue {
            if classes[job.request] == nil {
                var sites: [Int32] = []
                var models: UInt64 = 0
                var price: MicroCredits?
                for (index, centre) in snapshot.centres.enumerated() where hasNodes[index] {
                    guard case .success(let flavours) = Gates.all(job.request, centre, shapes[index]) else { continue }
                    sites.append(Int32(index))
                    for flavour in flavours {
                        let cards = job.request.resources.cards > 0 ? shapes[index]?.flavours[flavour] : nil
                        if let cards, let number = makes.firstIndex(of: cards) { models |= 1 << UInt64(number) }
                        let asked = centre.prices.perHour(job.request, flavour: flavour, of: shapes[index])
                        price = min(price ?? asked, asked)
                    }
                }
                let need = Self.need(job.request.resources, tasks: job.request.tasks, models: models)
                let number = sites.isEmpty ? nil : scheduler.addClass(need, sites: sites)
                classes[job.request] = .some(number.map { ($0, price ?? 0) })
            }
            guard case .some(.some(let known)) = classes[job.request] else { continue }
            scheduler.submit(
                next,
                class: known.number,
                estimate: Int64(job.estimateSeconds) * 1000,
                limit: Int64(job.request.timeLimitSeconds) * 1000,
                project: projects[job.project],
                priority: job.priority,
                at: job.submittedAt.milliseconds
            )
            numbers[job.id] = (next, known.pricePerHour)
            next += 1
        }
    }

    /// - Parameter jobs: Of the snapshot's queue.
    /// - Returns: Those that were found to start; the others start too far away to be foreseen, or never.
    /// - Complexity: In what happens until the last of them has started, at most `eventsMax` ends.
    public func prospects(of jobs: Set<JobID>, eventsMax: Int = 50_000) -> [JobID: Prospect] {
        let wanted = Set(jobs.compactMap { numbers[$0]?.number })
        guard !wanted.isEmpty else { return [:] }
        let expected = scheduler.foresee(wanted, at: now, eventsMax: eventsMax)
        let atMost = scheduler.foresee(wanted, at: now, isByLimits: true, eventsMax: eventsMax)
        var prospects: [JobID: Prospect] = [:]
        for job in jobs {
            guard let (number, price) = numbers[job], let start = expected[number] else { continue }
            let seconds = Double(start - now) / 1000
            let latest = atMost[number].map { Double($0 - now) / 1000 } ?? seconds
            prospects[job] = Prospect(wait: seconds, waitMax: max(seconds, latest), pricePerHour: price)
        }
        return prospects
    }

    // MARK: numbers for names

    /// A node counts by its largest group of cards.
    private static func cards(of node: Node) -> CardGroup? { node.cards.max { $0.count < $1.count } }

    private static func kind(of node: Node, _ makes: inout [Flavour]) -> NodeKind {
        let group = cards(of: node)
        var model = 0
        if let group {
            let flavour = Flavour(model: group.model, emulated: group.emulated)
            model = makes.firstIndex(of: flavour) ?? makes.count
            // More models than a set has bits: the last bit stands for all the rest.
            if model == makes.count, model < 64 { makes.append(flavour) }
        }
        return NodeKind(
            milliCores: plain(node.cores.count),
            memoryMiB: plain(node.memory.count >> 20),
            cards: plain(Int64(group?.count ?? 0)),
            model: min(model, 63)
        )
    }

    /// What centres report may be anything: what no machine has counts as the most that is reckoned with.
    private static func plain(_ amount: Int64) -> Int { Int(max(0, min(Int64(Int32.max), amount))) }

    private static func limits(_ quota: Quota) -> Scheduler.Limits {
        var limits = Scheduler.Limits()
        if let cores = quota.cores { limits.milliCores = Int(cores.count) }
        if let cards = quota.cards { limits.cardMilli = plain(Int64(cards)) * 1000 }
        if let runs = quota.runs { limits.runs = runs }
        return limits
    }

    private static func need(_ resources: TaskResources, tasks: Int, models: UInt64 = .max) -> Need {
        Need(
            tasks: tasks,
            milliCores: plain(resources.cores.count),
            memoryMiB: plain(resources.memory.count >> 20),
            cards: plain(Int64(resources.cards)),
            models: resources.cards > 0 ? models : .max
        )
    }
}
