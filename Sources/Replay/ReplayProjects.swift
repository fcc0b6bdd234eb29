internal import Core
internal import Scheduling

/// The projects of a replay: whose jobs there are, and what the federation says of them.
struct ReplayProjects {
    /// By job: the index of its project; -1 for none. Empty without projects.
    let owners: [Int32]
    /// Of projects with jobs of their own, in the order of the trace's numbers.
    let names: [String]
    /// By name: which of the federation's it is, if it is one.
    private let declared: [Int?]
    /// By name: as the trace names it, and its number there.
    private let aliases: [[String]]
    private let all: [Federation.Project]

    /// - Parameter owner: Who counts as a project; `nil` when nobody does.
    init(
        of jobs: [TraceJob],
        _ owner: TraceJob.Owner?,
        _ known: [TraceJob.Owner: [Int32: String]],
        _ federation: Federation
    ) {
        all = federation.projects
        guard let owner else {
            (owners, names, declared, aliases) = ([], [], [], [])
            return
        }
        let numbers = Set(jobs.lazy.map { $0.owner(owner) }.filter { $0 >= 0 }).sorted()
        let index = Dictionary(uniqueKeysWithValues: numbers.enumerated().map { ($1, Int32($0)) })
        let byName = Dictionary(
            federation.projects.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        var names: [String] = []
        var declared: [Int?] = []
        var aliases: [[String]] = []
        for number in numbers {
            let isCentre = owner == .home && Int(number) < federation.centres.count
            let own = known[owner]?[number] ?? (isCentre ? federation.centres[Int(number)].name : nil)
            names.append(own ?? "\(owner.rawValue) \(number)")
            declared.append(own.flatMap { byName[$0] } ?? byName["\(number)"])
            aliases.append([own, "\(number)"].compactMap { $0 })
        }
        owners = jobs.map { index[$0.owner(owner)] ?? -1 }
        (self.names, self.declared, self.aliases) = (names, declared, aliases)
    }

    /// The scheduler's numbers for projects.
    struct Numbers {
        /// Of those with jobs, by name.
        var named: [Int32] = []
        /// Of the federation's.
        var declared: [Int32] = []
    }

    /// Makes them known.
    ///
    /// - Parameter sharing: Whether the scheduler is to share between them; else it only knows whose is what.
    func add(to scheduler: inout Scheduler, sharing: Bool) -> Numbers {
        guard !names.isEmpty else { return Numbers() }
        var numbers: [Int32] = []
        for project in all {
            let parent = project.parent.map { numbers[$0] }
            numbers.append(
                sharing
                    ? scheduler.addProject(under: parent, weight: project.weight, limits: project.limits)
                    : scheduler.addHolder(under: parent)
            )
        }
        let named = declared.map { index in
            index.map { numbers[$0] } ?? (sharing ? scheduler.addProject() : scheduler.addHolder())
        }
        return Numbers(named: named, declared: numbers)
    }

    /// As a point knows them, with names of its own, and the name of each of those with jobs.
    var asPoint: (all: [Snapshot.Project], named: [ProjectName]) {
        guard !names.isEmpty else { return ([], []) }
        var made = all.enumerated().map { index, project in
            let limits = project.limits
            return Snapshot.Project(
                name: Self.name(ofDeclared: index),
                parent: project.parent.map { Self.name(ofDeclared: $0) },
                weight: project.weight,
                quota: Quota(
                    cores: limits.milliCores == .max ? nil : MilliCores(Int64(limits.milliCores)),
                    cards: limits.cardMilli == .max ? nil : limits.cardMilli / 1000,
                    runs: limits.runs == .max ? nil : limits.runs
                )
            )
        }
        let named = declared.enumerated().map { number, index in
            index.map { Self.name(ofDeclared: $0) } ?? Federation.known("t\(number)")
        }
        for (index, name) in zip(declared, named) where index == nil { made.append(Snapshot.Project(name: name)) }
        return (made, named)
    }

    private static func name(ofDeclared index: Int) -> ProjectName { Federation.known("p\(index)") }

    /// The name by which a point knows a project that something is reserved for.
    func name(of holder: Holder, _ named: [ProjectName]) -> ProjectName {
        switch holder {
        case .declared(let index): Self.name(ofDeclared: index)
        case .named(let index): named[index]
        }
    }

    /// A project that something is reserved for: one of the federation's, or one of those with jobs.
    enum Holder {
        case declared(Int)
        case named(Int)

        func number(_ numbers: Numbers) -> Int32 {
            switch self {
            case .declared(let index): numbers.declared[index]
            case .named(let index): numbers.named[index]
            }
        }
    }

    /// The project that a reservation names; `nil` when there is none.
    func holder(_ name: String) -> Holder? {
        if let index = all.firstIndex(where: { $0.name == name }) { return .declared(index) }
        return aliases.firstIndex { $0.contains(name) }.map { .named($0) }
    }

    /// By name: whether it is a holder, or below it.
    func members(of holder: Holder) -> [Bool] {
        names.indices.map { name in
            switch holder {
            case .named(let index): return name == index
            case .declared(let index):
                var at = declared[name]
                while let known = at, known != index { at = all[known].parent }
                return at == index
            }
        }
    }

    /// What is due to each of those with jobs, by name: its part of everything while all of them have work. On every
    /// level it is by weight among those that have jobs in or below them; a project's own jobs stand beside the projects
    /// below it with the standard weight.
    var shares: [Double] {
        var hasJobs = Array(repeating: false, count: all.count)
        for case let index? in declared { hasJobs[index] = true }
        let hasOwn = hasJobs
        var below = Array(repeating: 0, count: all.count)
        for index in all.indices.reversed() where hasJobs[index] {
            guard let parent = all[index].parent else { continue }
            hasJobs[parent] = true
            below[parent] += all[index].weight
        }
        // Children come after their parents.
        var shares = Array(repeating: 0.0, count: all.count)
        let others = declared.count { $0 == nil } * Scheduler.standardWeight
        let top = all.indices.reduce(others) { $0 + (hasJobs[$1] && all[$1].parent == nil ? all[$1].weight : 0) }
        for (index, project) in all.enumerated() {
            let (whole, weights) =
                project.parent.map { parent in
                    (shares[parent], below[parent] + (hasOwn[parent] ? Scheduler.standardWeight : 0))
                } ?? (1, top)
            shares[index] = whole * Double(project.weight) / Double(max(1, weights))
        }
        return declared.map { index in
            guard let index else { return Double(Scheduler.standardWeight) / Double(max(1, top)) }
            guard below[index] > 0 else { return shares[index] }
            return shares[index] * Double(Scheduler.standardWeight) / Double(Scheduler.standardWeight + below[index])
        }
    }

    /// Whether the limits of a job's project and of all above it would allow it if nobody else held anything.
    func couldHold(_ job: Int, _ need: Need) -> Bool {
        guard !owners.isEmpty, owners[job] >= 0 else { return true }
        var at = declared[Int(owners[job])]
        while let index = at {
            let limits = all[index].limits
            if limits.runs < 1 || need.totalMilliCores > limits.milliCores || need.totalCardMilli > limits.cardMilli {
                return false
            }
            at = all[index].parent
        }
        return true
    }

    /// The most that each may hold, its own limits and those above it, in cards or else in cores; by name.
    func limits(inCards: Bool) -> [Double] {
        declared.map { index in
            var most = Double.infinity
            var at = index
            while let project = at {
                let limits = all[project].limits
                let own = inCards ? limits.cardMilli : limits.milliCores
                if own != .max { most = min(most, Double(own) / 1000) }
                at = all[project].parent
            }
            return most
        }
    }
}
