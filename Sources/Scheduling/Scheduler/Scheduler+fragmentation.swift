/// What jobs typically ask of cards: the measure that ``Scheduler/freeCards(for:)`` holds what is free against.
public struct TypicalRequests: Sendable {
    let mix: Mix

    /// - Parameter needs: What was asked for, and how often. Of gangs a task counts; what asks for no card does not. Rare
    ///   requests are left out: the typical 95 per cent count.
    public init(_ needs: some Sequence<(need: Need, count: Int)>) { mix = Mix(needs) }

    /// Whether nobody asked for cards.
    public var isEmpty: Bool { mix.isEmpty }
}

extension Scheduler {
    /// Cards that nobody holds at the sites that are open, and how much of them a typical request could not use: the mean
    /// over the requests of all that is free on the nodes where one does not fit, and of what is free of cards that have
    /// too little for it where it does. Both in thousandths of a card.
    ///
    /// > Source: the fragmentation of Weng et al., "Beware of Fragmentation" (USENIX ATC 2023), section 3, over requests
    /// > for cards alone.
    /// - Complexity: O(states of nodes · typical requests).
    public func freeCards(for requests: TypicalRequests) -> (free: Double, lost: Double) {
        var sums = (free: 0.0, lost: 0.0)
        for site in sites where site.isOpen {
            for group in site.groups { add(group.state, group.nodes.count, requests, &sums) }
            for promise in site.promises {
                for kept in promise.nodes { add(site.states[Int(kept.node)], 1, requests, &sums) }
            }
        }
        return sums
    }

    private func add(
        _ number: Int32,
        _ count: Int,
        _ requests: TypicalRequests,
        _ sums: inout (free: Double, lost: Double)
    ) {
        let state = states[number]
        let model = states.kinds[Int(state.kind)].model
        sums.free += Double(count * state.freeCardMilli)
        sums.lost += Double(count) * requests.mix.fragmentation(state, model: model)
    }
}
