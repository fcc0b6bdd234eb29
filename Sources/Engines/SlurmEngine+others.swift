public import Core
internal import Synchronization

extension SlurmEngine {
    /// What the nodes had given out when capacity was asked for last, less what jobs of ours have there. What Slurm rounds
    /// up, as to whole processors, counts as others' too: nobody else can have it.
    ///
    /// A job that began or ended between the two questions makes it wrong by itself until the next time; where ours are
    /// alone, never by more than nothing.
    public func others() async throws(EngineError) -> [NodeUse] {
        let nodes = state.withLock { $0.nodes }
        // Nobody has anything: the usual case of an idle cluster costs no call.
        guard nodes.contains(where: { $0.usedCores > 0 || $0.usedMebibytes > 0 }) else { return [] }
        let (runs, batches) = (runs, batches)
        let ours = try await blocking { () throws(EngineError) in
            try runs.runs().compactMap { run in
                batches.place(of: run).flatMap { place in batches.shape(of: run).map { (place, $0) } }
            }
        }
        var listing = SlurmListing([])
        if !ours.isEmpty {
            await budget.take(access.callsOfReading)
            listing = SlurmListing(try await access.jobs(among: Set(ours.compactMap { $0.0.number })))
        }
        var held: [String: SlurmUse] = [:]
        for (place, shape) in ours {
            guard let job = listing.job(place), job.state == .running else { continue }
            for share in shape.shares(on: job.nodes) { held[share.node, default: SlurmUse()].add(shape, share.tasks) }
        }
        return nodes.compactMap { node in
            let ours = held[node.name] ?? SlurmUse()
            let types = SlurmNode.cards(node.gres)
            let cards = SlurmNode.cards(node.usedGres).map { used in
                let mine = ours.cards[used.type] ?? (types.count == 1 ? ours.cards[SlurmUse.anyCard] : nil) ?? 0
                return CardGroup(model: model(of: used.type), count: max(0, used.count - mine))
            }
            let use = NodeUse(
                node: node.name,
                cores: MilliCores(max(0, node.usedCores - ours.cores) * 1000),
                memory: .mebi(max(0, node.usedMebibytes - ours.mebibytes)),
                cards: cards.filter { $0.count > 0 }
            )
            return use.isNothing ? nil : use
        }
    }
}

/// What jobs of ours hold of one node.
private struct SlurmUse {
    /// Of cards whose type was left to Slurm.
    static let anyCard = ""

    var cores: Int64 = 0
    var mebibytes: Int64 = 0
    /// By the cluster's own type.
    var cards: [String: Int] = [:]

    mutating func add(_ shape: SlurmShape, _ tasks: Int) {
        cores += Int64(shape.coresPerTask * tasks)
        mebibytes += Int64(shape.coresPerTask * tasks) * shape.mebibytesPerCore
        guard let text = shape.cardsPerTask else { return }
        let words = text.split(separator: ":")
        guard let count = words.last.flatMap({ Int($0) }) else { return }
        cards[words.count > 1 ? String(words[0]) : Self.anyCard, default: 0] += count * tasks
    }
}

extension SlurmShape {
    /// How its tasks stand on the nodes that it was given. Slurm does not say that in a list; they are taken to be spread
    /// evenly, the first nodes having one more.
    func shares(on nodes: [String]) -> [NodeShare] {
        guard !nodes.isEmpty else { return [] }
        return nodes.enumerated().compactMap { index, node in
            let count = tasks / nodes.count + (index < tasks % nodes.count ? 1 : 0)
            return count > 0 ? NodeShare(node: node, tasks: count) : nil
        }
    }
}
