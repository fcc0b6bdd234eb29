public import Core
internal import Logging
internal import Synchronization

extension RayEngine: SharedEngine {
    /// What Ray has given out, less what runs of this centre hold or held a moment ago, as far as two counts agree: what
    /// Ray counts is some seconds old, so that a run which comes or goes would pass for a stranger's.
    ///
    /// Nothing before the third count, since what ended before the first look may be in the two before it. Nothing where
    /// Ray's monitor does not run (`ray start --no-monitor`), which is who counts.
    public func others() async throws(EngineError) -> [NodeUse] {
        let count = try await client.usage()
        shared.withLock { $0.begin(count?.taken) }
        guard let count else { return [] }
        let nodes = try await client.nodes()
        try await lookForOurs(try await client.jobs(), on: nodes)
        let found = shared.withLock { shared in
            guard shared.counts > 1 else { return [NodeUse]() }
            shared.latest = self.others(count.used, beside: shared.own.byNode, on: nodes, shared.names)
            return shared.latest.compactMap { node, use in shared.before[node].map { use.least(with: $0) } }
        }
        return found.filter { !$0.isNothing }.sorted { $0.node < $1.node }
    }

    /// Asks what runs of this centre hold, and where.
    private func lookForOurs(_ jobs: [RayJob], on nodes: [RayNode]) async throws(EngineError) {
        let jobs = jobs.filter { $0.folder == configuration.folder }
        var holdings: [RayHolding] = []
        if jobs.contains(where: { $0.status == .running || $0.status == .pending }) {
            holdings = try await client.supervisors() + client.bundles()
        }
        shared.withLock { shared in
            shared.own.note(holdings, jobs: jobs, after: shared.counts)
            shared.names = RayCards.names(nodes)
        }
    }

    /// By Ray's ids of nodes.
    private func others(
        _ used: [String: [String: Double]],
        beside own: [String: [String: Double]],
        on nodes: [RayNode],
        _ names: [String: String]
    ) -> [String: NodeUse] {
        var found: [String: NodeUse] = [:]
        for node in nodes {
            guard let name = names[node.id], let used = used[node.id] else { continue }
            // Sums of fractions come out a little beside the number.
            func left(_ resource: String) -> Double {
                let amount = (used[RayClient.spelled(resource)] ?? 0) - (own[node.id]?[resource] ?? 0)
                return amount > 1e-6 ? min(amount, 1e18) : 0
            }
            found[node.id] = NodeUse(
                node: name,
                cores: MilliCores(Int64((min(left("CPU"), 1e9) * 1000).rounded())),
                memory: Bytes(Int64(left("memory"))),
                cards: cards.groups(node).compactMap { group in
                    // Who has a part of a card leaves nobody a whole one.
                    let count = Int(min(left(group.family), 1e9).rounded(.up))
                    return count > 0
                        ? CardGroup(model: group.model, count: count, emulated: configuration.emulatesCards) : nil
                }
            )
        }
        return found
    }

    /// Says of runs that have begun where their tasks stand. Ray is asked once for each that is new.
    func standing(_ seen: [EngineRun], _ jobs: [RunKey: RayJob]) async -> [EngineRun] {
        let running = Set(seen.filter { if case .running = $0.state { true } else { false } }.map(\.run))
        let isNews = shared.withLock { shared in
            defer { shared.located = running }
            return !running.isSubset(of: shared.located)
        }
        if isNews {
            // Without it the picture is the plan's until they are gone, which is no reason to see nothing of them.
            do throws(EngineError) { try await lookForOurs(Array(jobs.values), on: try await client.nodes()) } catch {
                log.info("where runs stand is unknown", metadata: ["error": "\(error)"])
            }
        }
        return shared.withLock { shared in
            seen.map { run in
                guard running.contains(run.run), let nodes = shared.own.standing[run.run] else { return run }
                var run = run
                let shares = nodes.compactMap { id, tasks in
                    shared.names[id].map { NodeShare(node: $0, tasks: tasks) }
                }
                if shares.count == nodes.count { run.nodes = shares.sorted { $0.node < $1.node } }
                return run
            }
        }
    }

    /// What is remembered between two looks.
    struct Shared: Sendable {
        var own = RayOwnUse()
        /// Runs that were running at the last look, so that Ray has been asked where they stand.
        var located: Set<RunKey> = []
        /// By Ray's ids of nodes.
        var names: [String: String] = [:]
        /// How many counts have been read.
        private(set) var counts = 0
        private var taken: Double?
        /// What others seem to hold by the latest count, and seemed to by the one before, by Ray's ids of nodes.
        var latest: [String: NodeUse] = [:]
        private(set) var before: [String: NodeUse] = [:]

        /// - Parameter taken: When the count was taken that was read; `nil` if there is none.
        mutating func begin(_ taken: Double?) {
            guard taken == nil || taken != self.taken else { return }
            self.taken = taken
            counts += 1
            (before, latest) = (latest, [:])
        }
    }
}

extension NodeUse {
    /// What two looks agree on.
    fileprivate func least(with other: NodeUse) -> NodeUse {
        NodeUse(
            node: node,
            cores: min(cores, other.cores),
            memory: min(memory, other.memory),
            cards: cards.compactMap { group in
                guard let count = other.cards.first(where: { $0.model == group.model })?.count else { return nil }
                return CardGroup(model: group.model, count: min(group.count, count), emulated: group.emulated)
            }
        )
    }
}
