internal import Core

/// One card that can be given to one run at a time.
struct PhysicalCard: Hashable, Sendable {
    var vendor: String
    var model: String
    /// In the numbering of its vendor; emulated ones are numbered behind the real.
    var index: Int
    var emulated: Bool

    /// How an assignment names it on disk.
    var note: String { "\(emulated ? "emulated" : "real"):\(vendor):\(index)" }

    static func all(detected: [DetectedCard], emulated: [CardGroup]) -> [PhysicalCard] {
        var cards = detected.map { PhysicalCard(vendor: $0.vendor, model: $0.model, index: $0.index, emulated: false) }
        var next: [String: Int] = [:]
        for card in cards { next[card.vendor] = max(next[card.vendor] ?? 0, card.index + 1) }
        for group in emulated {
            let vendor = Accelerator.named(group.model)?.vendor ?? "emulated"
            for _ in 0..<max(0, group.count) {
                cards.append(PhysicalCard(vendor: vendor, model: group.model, index: next[vendor] ?? 0, emulated: true))
                next[vendor, default: 0] += 1
            }
        }
        return cards
    }

    /// Equal cards counted, in order of their first.
    static func groups(_ cards: [PhysicalCard]) -> [CardGroup] {
        var groups: [CardGroup] = []
        for card in cards {
            if let at = groups.firstIndex(where: { $0.model == card.model && $0.emulated == card.emulated }) {
                groups[at].count += 1
            } else {
                groups.append(CardGroup(model: card.model, count: 1, emulated: card.emulated))
            }
        }
        return groups
    }

    /// Cards for all tasks: of one model, and real unless emulated ones were asked for.
    ///
    /// - Returns: `nil` when not enough are free.
    static func choose(
        _ count: Int,
        of cards: [PhysicalCard],
        free isFree: (PhysicalCard) -> Bool,
        model: String?,
        emulated: Bool
    ) -> [PhysicalCard]? {
        let fitting = cards.filter { $0.emulated == emulated && (model == nil || $0.model == model) }
        for group in groups(fitting) {
            let free = fitting.filter { $0.model == group.model && isFree($0) }
            if free.count >= count { return Array(free.prefix(count)) }
        }
        return nil
    }

    /// Variables that make `mine` the only cards a task sees; `present` are the vendors of real cards here.
    static func environment(_ mine: [PhysicalCard], present: Set<String>) -> [(String, String)] {
        let indices = mine.map { String($0.index) }.joined(separator: ",")
        var variables = [("ONEPOINT_CARDS", indices)]
        if let first = mine.first {
            variables.append(("ONEPOINT_CARD_MODEL", first.model))
            if first.emulated { variables.append(("ONEPOINT_CARDS_EMULATED", "1")) }
        }
        let names = [
            "NVIDIA": "CUDA_VISIBLE_DEVICES", "AMD": "HIP_VISIBLE_DEVICES", "Huawei": "ASCEND_RT_VISIBLE_DEVICES",
        ]
        for (vendor, name) in names.sorted(by: { $0.key < $1.key }) {
            if mine.first?.vendor == vendor {
                variables.append((name, indices))
            } else if present.contains(vendor) {
                // A task without cards of this vendor must not find any: -1 names none.
                variables.append((name, "-1"))
            }
        }
        return variables
    }
}
