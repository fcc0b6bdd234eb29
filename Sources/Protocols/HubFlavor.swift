import Core
import Wire

/// A size of machine that clients of the Hub ask for by name, made of what the centres really have.
///
/// Names: `cpu-basic` and its larger kin, and the catalogue's model of a card with the number of them on one node, such
/// as `h100-sxm5` and `h100-sxm5x4`. Emulated cards say so at the end. Where several tiers have the same, each has it
/// under a name of its own too (`cpu-basic-edge`); without a tier it may be placed in any.
struct HubFlavor: Hashable, Sendable {
    var name: String
    var title: String
    var resources: TaskResources
    /// Where it is to be placed; `nil` is anywhere.
    var tier: Tier?
    var isEmulated = false
    /// The most that an hour costs, wherever it is placed.
    var pricePerHour: MicroCredits

    /// The Hub's names for processors, and how many cores these are. The first shrinks to what there is, because clients
    /// that name no flavour ask for it.
    private static let processors: [(name: String, title: String, cores: Int)] = [
        ("cpu-basic", "CPU Basic", 2), ("cpu-upgrade", "CPU Upgrade", 8), ("cpu-xl", "CPU XL", 16),
        ("cpu-performance", "CPU Performance", 32),
    ]
    /// A flavour has its share of the node's memory, and at most this much for each core: what the Hub gives with
    /// `cpu-basic`.
    private static let memoryPerCoreMax = Bytes.gibi(8)

    /// The Hub's names for cards, by the models of the catalogue that they may stand for, the likeliest first.
    private static let aliases: [String: (models: [String], count: Int)] = {
        let a100 = ["a100-80gb", "a100-40gb", "a800"]
        let h100 = ["h100-sxm5", "h100-pcie", "h100-nvl"]
        var all: [String: (models: [String], count: Int)] = [
            "t4-small": (["t4"], 1), "t4-medium": (["t4"], 1), "l4x1": (["l4"], 1), "l40sx1": (["l40s"], 1),
            "a10g-small": (["a10g"], 1), "a10g-large": (["a10g"], 1), "a10g-largex2": (["a10g"], 2),
            "a10g-largex4": (["a10g"], 4), "a100-large": (a100, 1), "a100x4": (a100, 4), "a100x8": (a100, 8),
            "h100": (h100, 1), "h200": (["h200-sxm"], 1),
        ]
        for count in [2, 4, 8] {
            all["h100x\(count)"] = (h100, count)
            all["h200x\(count)"] = (["h200-sxm"], count)
        }
        return all
    }()
}

extension HubFlavor {
    /// A node that takes work, with what its centre says of it.
    private struct Place {
        var tier: Tier
        var node: Node
        var prices: PriceTable

        /// The memory that goes with some of its cores.
        func memory(with cores: MilliCores, atMost limit: Bytes = .gibi(1 << 30)) -> Bytes {
            guard node.cores.count > 0 else { return 0 }
            let share = Int64(clamping: Int128(node.memory.count) * Int128(cores.count) / Int128(node.cores.count))
            // Whole mebibytes, so that sizes read well.
            return Bytes(min(share, limit.count) / (1 << 20) * (1 << 20))
        }

        func price(_ resources: TaskResources, card: CardGroup? = nil) -> MicroCredits {
            let share = NodeShare(node: node.name, tasks: 1, card: card?.model, emulated: card?.emulated ?? false)
            return prices.perHour(resources: resources, nodes: [share])
        }
    }

    /// Everything that can be asked for now, processors first.
    static func all(of centres: [CentreView]) -> [HubFlavor] {
        let places = centres.filter { $0.state == .open && $0.connected }.flatMap { centre in
            centre.nodes.map(\.node).filter(\.schedulable).map {
                Place(tier: centre.tier, node: $0, prices: centre.prices)
            }
        }
        let byTier = Tier.allCases.map { tier in (tier, flavors(of: places.filter { $0.tier == tier })) }
        var tiers: [String: Int] = [:]
        for flavor in byTier.flatMap(\.1) { tiers[flavor.name, default: 0] += 1 }
        var all = flavors(of: places)
        for (tier, flavors) in byTier {
            for var flavor in flavors where tiers[flavor.name, default: 0] > 1 {
                flavor.name += "-\(tier.rawValue)"
                flavor.title += ", \(tier.rawValue)"
                flavor.tier = tier
                all.append(flavor)
            }
        }
        return all
    }

    /// The flavour of that name, or what the Hub's own name for cards stands for here.
    static func named(_ name: String, among flavors: [HubFlavor]) -> HubFlavor? {
        if let flavor = flavors.first(where: { $0.name == name }) { return flavor }
        guard let alias = aliases[name] else { return nil }
        return alias.models.lazy.compactMap { model in
            flavors.first {
                $0.resources.card == model && $0.resources.cards == alias.count && !$0.isEmulated && $0.tier == nil
            }
        }.first
    }

    private static func flavors(of places: [Place]) -> [HubFlavor] {
        processors.compactMap { processor($0.name, $0.title, cores: $0.cores, places) } + cards(of: places)
    }

    private static func processor(_ name: String, _ title: String, cores: Int, _ places: [Place]) -> HubFlavor? {
        let wanted = MilliCores.cores(cores)
        let isLeast = name == processors[0].name
        let sizes = places.filter { isLeast || $0.node.cores >= wanted }.map { place in
            let cores = min(wanted, place.node.cores)
            let limit = Bytes(Int64(Double(memoryPerCoreMax.count) * cores.cores))
            return TaskResources(cores: cores, memory: place.memory(with: cores, atMost: limit))
        }
        guard let best = sizes.max(by: { ($0.cores, $0.memory) < ($1.cores, $1.memory) }), best.memory.count > 0
        else { return nil }
        let holders = places.filter { $0.node.cores >= best.cores && $0.node.memory >= best.memory }
        return HubFlavor(
            name: name,
            title: title,
            resources: best,
            pricePerHour: holders.map { $0.price(best) }.max() ?? 0
        )
    }

    private struct Kind: Hashable {
        var model: String
        var isEmulated: Bool
    }

    private static func cards(of places: [Place]) -> [HubFlavor] {
        var holders: [Kind: [(place: Place, group: CardGroup)]] = [:]
        for place in places {
            for group in place.node.cards where group.count > 0 {
                holders[Kind(model: group.model, isEmulated: group.emulated), default: []].append((place, group))
            }
        }
        return holders.sorted { ($0.key.model, $0.key.isEmulated ? 1 : 0) < ($1.key.model, $1.key.isEmulated ? 1 : 0) }
            .flatMap { kind, holders in
                let most = holders.map(\.group.count).max() ?? 0
                let counts = Set(sequence(first: 1) { $0 * 2 <= most ? $0 * 2 : nil } + [most]).sorted()
                return counts.compactMap { count in
                    card(kind, count: count, holders.filter { $0.group.count >= count })
                }
            }
    }

    /// Some cards of one node, with as much of the rest as their share of the node's cards is: so all that have so many
    /// cards can take it, and no card is left without cores.
    private static func card(
        _ kind: Kind,
        count: Int,
        _ holders: [(place: Place, group: CardGroup)]
    ) -> HubFlavor? {
        let shares = holders.map { place, _ in
            let cards = max(1, place.node.cards.reduce(0) { $0 + $1.count })
            let cores = place.node.cores.count * Int64(count) / Int64(cards)
            let whole = cores >= 1000 ? MilliCores(cores / 1000 * 1000) : MilliCores(cores)
            return (cores: whole, memory: place.memory(with: MilliCores(cores)))
        }
        guard let cores = shares.map(\.cores).min(), let memory = shares.map(\.memory).min(), cores.count > 0,
            memory.count > 0
        else { return nil }
        let resources = TaskResources(cores: cores, memory: memory, cards: count, card: kind.model)
        let accelerator = Accelerator.named(kind.model)
        let title = [accelerator?.vendor, accelerator?.title ?? kind.model].compactMap { $0 }.joined(separator: " ")
        let word = kind.model.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
        return HubFlavor(
            name: String(word) + (count > 1 ? "x\(count)" : "") + (kind.isEmulated ? "-emulated" : ""),
            title: (count > 1 ? "\(count)x " : "") + title + (kind.isEmulated ? " (emulated)" : ""),
            resources: resources,
            isEmulated: kind.isEmulated,
            pricePerHour: holders.map { $0.place.price(resources, card: $0.group) }.max() ?? 0
        )
    }

    /// As the Hub describes hardware. A credit is shown where the Hub has a dollar.
    var json: JSON {
        let perMinute = (pricePerHour.count + 59) / 60
        let known = resources.card.flatMap { Accelerator.named($0) }
        let accelerator = resources.card.map { model in
            JSON.members([
                "type": "gpu", "model": .string(known?.title ?? model), "quantity": .string("\(resources.cards)"),
                "vram": .string(known?.memory.map { "\($0 * resources.cards)" } ?? "not known"),
                "manufacturer": .string(known?.vendor ?? "not known"),
            ])
        }
        return .members([
            "name": .string(name), "prettyName": .string(title), "cpu": .string("\(resources.cores) vCPU"),
            "ram": .string("\(resources.memory)"), "accelerator": accelerator ?? .null,
            "unitCostMicroUSD": .integer(perMinute), "unitCostUSD": .number(Double(perMinute) / 1_000_000),
            "unitLabel": "minute",
        ])
    }
}
