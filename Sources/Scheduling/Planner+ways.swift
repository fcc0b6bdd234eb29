internal import Core

/// The cheapest ways out for a blocked job.
extension Planner {
    /// A way out that keeps less than this of what was asked for is no help to anybody.
    private static let keptMin = 0.25
    /// One that keeps at least this much comes before changing the placement.
    private static let keptWell = 0.5

    /// What would start it now with the least change; else waiting.
    mutating func wayOut(
        _ index: Int,
        _ affordable: [Int],
        balance: MicroCredits?,
        detail: Bool,
        room: Room?
    ) -> Reason.WayOut {
        let wait = Reason.WayOut.wait(until: room?.start, after: room?.after)
        guard detail else { return wait }
        if balance == nil, let known = classes[index].way { return known == .nothing ? wait : known }
        var options: [(way: Reason.WayOut, kept: Double)] = []
        for number in affordable {
            if let shorter = shorter(index, number) { options.append(shorter) }
            if let smaller = smaller(index, number) { options.append(smaller) }
        }
        let best = options.enumerated().max { ($0.element.kept, $1.offset) < ($1.element.kept, $0.offset) }?.element
        let way: Reason.WayOut
        if let best, best.kept >= Self.keptWell {
            way = best.way
        } else if let other = elsewhere(classes[index]) {
            way = other
        } else if let best, best.kept >= Self.keptMin {
            way = best.way
        } else {
            way = .nothing
        }
        if balance == nil { classes[index].way = way }
        return way == .nothing ? wait : way
    }

    /// The longest time limit that ends before the room kept for others is needed.
    private func shorter(_ index: Int, _ number: Int) -> (way: Reason.WayOut, kept: Double)? {
        let candidate = classes[index].candidates[number]
        let limit = classes[index].request.timeLimitSeconds
        guard let ground = grounds[candidate.centre] else { return nil }
        let tenant = classes[index].tenant
        let others = ground.booked?.bookings.binding(tenant).map(\.startsAt) ?? []
        let starts = (ground.holds.map(\.start) + others).filter { $0 < classes[index].end }.sorted(by: >)
        for start in starts
        where ground.usable(until: start, for: tenant).tasks(candidate.demand) >= candidate.demand.tasks {
            let seconds = Int((start - now).milliseconds / 1000)
            guard seconds > 0 else { continue }
            let centre = snapshot.centres[candidate.centre].name
            return (
                .shorter(seconds: seconds, insteadOf: limit, centre: centre), Double(seconds) / Double(max(1, limit))
            )
        }
        return nil
    }

    private func smaller(_ index: Int, _ number: Int) -> (way: Reason.WayOut, kept: Double)? {
        let candidate = classes[index].candidates[number]
        guard let ground = grounds[candidate.centre],
            let (request, ratio) = ground.usable(until: classes[index].end, for: classes[index].tenant)
                .shrink(classes[index].request, candidate.demand)
        else { return nil }
        let centre = snapshot.centres[candidate.centre].name
        return (.smaller(instead: request, of: classes[index].request, centre: centre, now: true), ratio)
    }

    /// A centre that only the job's own constraint shuts out and that has room now.
    func elsewhere(_ made: RequestClass) -> Reason.WayOut? {
        for (index, centre) in snapshot.centres.enumerated() {
            let tier: Tier?
            switch made.obstacles[index] {
            case .tier(let other): tier = other
            case .notNamed
            where made.request.placement.tiers.isEmpty
                || made.request.placement.tiers.contains(centre.tier):
                tier = nil
            default: continue
            }
            guard let ground = grounds[index], let shapes = shapes[index], let capacity = centre.capacity,
                case .success(let flavours) = Gates.make(
                    made.request,
                    shapes: shapes,
                    isolates: capacity.isolates,
                    upOnly: true
                )
            else { continue }
            let usable = ground.usable(until: made.end, for: made.tenant)
            for flavour in flavours {
                let demand = Demand(made.request, flavour: flavour)
                if usable.tasks(demand) >= demand.tasks { return .elsewhere(centre: centre.name, tier: tier) }
            }
        }
        return nil
    }
}
