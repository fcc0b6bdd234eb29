public import Core

/// Whether any centre could ever run a request, were it empty.
public enum Feasibility: Hashable, Sendable {
    /// Some centre could, or a centre that might has not reported yet, or none that the job may use is known.
    case possible
    /// No centre that the job may use could. `nearest` is the request most like it that one could run.
    case impossible(Impossible)

    /// What there is to say about an impossible request.
    public struct Impossible: Hashable, Sendable {
        /// The request most like it that some centre could run when empty; `nil` when none is.
        public var nearest: Request?
        /// The centre that could.
        public var centre: CentreName?
        /// One sentence: `with 4 instead of 16 cores a task it would fit edge-1`.
        public var text: String
        /// What each centre that the job may use lacks.
        public var findings: [Finding]

        /// One line for each centre that the job may use.
        public var evidence: [String] { findings.map(\.text) }
    }
}

/// Whether any of the centres could ever run a request, were it empty and all its nodes up. To be asked at submission:
/// what is impossible is better refused than left waiting.
///
/// A centre that is draining or unseen counts, since it may come back; one that has not reported yet may be able to.
/// - Complexity: O(nodes).
public func feasibility(_ request: Request, centres: [Snapshot.Centre]) -> Feasibility {
    feasibility(request, centres: centres, shapes: centres.map { $0.capacity.map(Shapes.init) })
}

/// The same with the shapes already counted; `plan` has them.
func feasibility(_ request: Request, centres: [Snapshot.Centre], shapes: [Shapes?]) -> Feasibility {
    var findings: [Finding] = []
    for (centre, shapes) in zip(centres, shapes) where Gates.placement(request, centre) == nil {
        guard let shapes, let capacity = centre.capacity else { return .possible }
        switch Gates.make(request, shapes: shapes, isolates: capacity.isolates, upOnly: false) {
        case .success: return .possible
        case .failure(let closed): findings.append(Finding(centre: centre.name, obstacle: closed.obstacle))
        }
    }
    guard !findings.isEmpty else { return .possible }
    var best: (change: Change, centre: CentreName)?
    for (centre, shapes) in zip(centres, shapes) where Gates.placement(request, centre) == nil {
        guard let shapes, let capacity = centre.capacity,
            let change = nearest(request, shapes: shapes, isolates: capacity.isolates)
        else { continue }
        if best.map({ (change.cost, centre.name) < ($0.change.cost, $0.centre) }) ?? true {
            best = (change, centre.name)
        }
    }
    guard let best else {
        return .impossible(
            .init(nearest: nil, centre: nil, text: "no smaller request would fit either", findings: findings)
        )
    }
    return .impossible(
        .init(
            nearest: best.change.request,
            centre: best.centre,
            text: "with \(difference(best.change.request, from: request)) it would fit \(best.centre)",
            findings: findings
        )
    )
}

private struct Change {
    var request: Request
    /// Changes of kind weigh more than any reduction of size.
    var cost: Double
}

/// The least change that makes a centre able to run it when empty.
private func nearest(_ request: Request, shapes: Shapes, isolates: Bool) -> Change? {
    var base = request
    var kinds = 0.0
    if base.isolation == .required, !isolates {
        base.isolation = .auto
        kinds += 1
    }
    if base.resources.cards > 0 {
        if shapes.flavours.isEmpty {
            base.resources.cards = 0
            base.resources.card = nil
            kinds += 2
        } else if !base.placement.emulated, shapes.flavours.allSatisfy(\.emulated) {
            base.placement.emulated = true
            kinds += 1
        }
        if let card = base.resources.card,
            !shapes.flavours.contains(where: { $0.model == card && (!$0.emulated || base.placement.emulated) })
        {
            base.resources.card = nil
            kinds += 1
        }
    }
    guard case .success(let flavours) = shapes.flavours(for: base) else { return nil }
    var best: Change?
    for flavour in flavours {
        let demand = Demand(base, flavour: flavour)
        guard let (smaller, ratio) = shapes.columns.shrink(base, demand, counts: shapes.counts) else { continue }
        let cost = kinds + 1 - ratio
        if best.map({ cost < $0.cost }) ?? true { best = Change(request: smaller, cost: cost) }
    }
    return best
}

/// What differs, in words: `4 instead of 16 cores a task and 2 instead of 4 tasks`.
func difference(_ new: Request, from old: Request) -> String {
    var parts: [String] = []
    let perTask = old.tasks > 1 ? " a task" : ""
    if new.resources.cores != old.resources.cores {
        parts.append("\(new.resources.cores) instead of \(Dimension.cores.phrase(old.resources.cores.count))\(perTask)")
    }
    if new.resources.memory != old.resources.memory {
        parts.append(
            "\(new.resources.memory) instead of \(Dimension.memory.phrase(old.resources.memory.count))\(perTask)"
        )
    }
    if new.resources.cards != old.resources.cards {
        parts.append(
            "\(new.resources.cards) instead of \(Dimension.cards.phrase(Int64(old.resources.cards)))\(perTask)"
        )
    } else if let card = old.resources.card, new.resources.card == nil {
        parts.append("any card instead of \(card)")
    }
    if new.placement.emulated, !old.placement.emulated { parts.append("emulated cards allowed") }
    if new.isolation != old.isolation { parts.append("isolation \(new.isolation.rawValue) instead of required") }
    if new.tasks != old.tasks { parts.append("\(new.tasks) instead of \(counted(old.tasks, "task"))") }
    return listed(parts, limit: 8)
}
