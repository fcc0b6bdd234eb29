internal import Core
public import Scheduling

/// The centres that a trace is replayed on.
public struct Federation: Sendable {
    public struct Node: Hashable, Sendable {
        public var milliCores: Int
        public var memoryMiB: Int
        public var cards: Int
        /// Of its cards; empty without.
        public var model: String
        /// What it draws, if that is known.
        public var power: Power?

        public init(milliCores: Int, memoryMiB: Int, cards: Int = 0, model: String = "") {
            self.milliCores = milliCores
            self.memoryMiB = memoryMiB
            self.cards = cards
            self.model = model
        }
    }

    /// What a node draws, in watts: in proportion to what of it is in use.
    ///
    /// > Source: Fan, Weber and Barroso, "Power Provisioning for a Warehouse-sized Computer" (ISCA 2007), section 2: power
    /// > is close to linear in use.
    public struct Power: Hashable, Sendable {
        /// Without its cards, with no core in use, and with all.
        public var idle: Double
        public var busy: Double
        /// Of one card that nobody holds, and of one that is held whole.
        public var cardIdle: Double
        public var cardBusy: Double

        public init(idle: Double, busy: Double, cardIdle: Double = 0, cardBusy: Double = 0) {
            self.idle = idle
            self.busy = busy
            self.cardIdle = cardIdle
            self.cardBusy = cardBusy
        }
    }

    /// A project, with its part beside its siblings and how much it and those below it may hold at a time.
    public struct Project: Hashable, Sendable {
        public var name: String
        /// Index of the one whose share its own is a part of; it stands before its children.
        public var parent: Int?
        public var weight: Int
        public var limits: Scheduler.Limits

        public init(name: String, parent: Int? = nil, weight: Int = 100, limits: Scheduler.Limits = .init()) {
            self.name = name
            self.parent = parent
            self.weight = weight
            self.limits = limits
        }
    }

    public struct Centre: Sendable {
        public var name: String
        public var tier: String
        public var nodes: [Node]
        /// Credits for an hour of one core, and of one card.
        public var coreHour: Double
        public var cardHour: Double

        public init(name: String, tier: String = "hub", nodes: [Node], coreHour: Double = 0, cardHour: Double = 0) {
            self.name = name
            self.tier = tier
            self.nodes = nodes
            self.coreHour = coreHour
            self.cardHour = cardHour
        }

        public var cards: Int { nodes.reduce(0) { $0 + $1.cards } }
        public var cores: Int { nodes.reduce(0) { $0 + $1.milliCores } / 1000 }
    }

    public var centres: [Centre]
    /// Those that have another weight than others, a parent, or limits. All further ones of a trace are equal.
    public var projects: [Project] = []
    /// Room that is kept in advance, known from the first submission on.
    public var reservations: [Reservation] = []
    /// What a job brings along whose trace does not say it.
    public var inputBytesPerJob: Int64?

    /// Card models are told apart by a bit each.
    static let modelsMax = 64
    /// More nodes than any federation has; above it a file is refused.
    public static let nodesMax = 1_000_000

    public init(centres: [Centre]) { self.centres = centres }

    /// One machine of equal processors, any of which will do.
    public static func processors(_ count: Int) -> Federation {
        Federation(
            centres: [Centre(name: "machine", nodes: [Node(milliCores: count * 1000, memoryMiB: Int(Int32.max))])]
        )
    }

    /// The nodes of a CSV list.
    ///
    /// - Throws: ``TraceFault``.
    public static func nodes(of path: String) throws(TraceFault) -> [Node] {
        guard let nodes = TraceTable(try TextFile.read(path))?.nodes(), !nodes.isEmpty else {
            throw TraceFault(
                path: path,
                what: "is no list of nodes: it needs columns cpu_milli, memory_mib, gpu and model"
            )
        }
        return nodes
    }

    /// Dense FP16, of all cards that the catalogue knows.
    public var petaflops: Double {
        centres.reduce(0) { sum, centre in
            sum
                + centre.nodes.reduce(0) { sum, node in
                    sum + Double(node.cards) * (Accelerator.named(node.model)?.fp16DenseTflops ?? 0)
                } / 1000
        }
    }

    /// Whether it is known of every node what it draws.
    var knowsPower: Bool { centres.allSatisfy { $0.nodes.allSatisfy { $0.power != nil } } }

    /// What a run draws above what its nodes do when they are idle.
    func watts(_ need: Need, _ places: [Scheduler.Place], at centre: Int) -> Double {
        places.reduce(0) { sum, place in
            let node = centres[centre].nodes[Int(place.node)]
            guard let power = node.power else { return sum }
            let tasks = place.isRest ? Double(need.restCards) / Double(max(1, need.cards)) : Double(place.tasks)
            let cores = Double(need.milliCores) / Double(max(1, node.milliCores)) * (power.busy - power.idle)
            let cards = Double(need.cards * need.cardMilli) / 1000 * (power.cardBusy - power.cardIdle)
            return sum + tasks * (cores + cards)
        }
    }

    /// Federations that come with Onepoint.
    public enum Preset: String, CaseIterable, Sendable {
        /// Four centres of the make-up that a city's public platform has: a hub for training, a supercomputer, a
        /// region's cloud and an edge room. Above 1,000 PFLOPS.
        case shanghai
        /// 776 nodes of eight equal cards in four centres, as in the federated trace of the benchmarks.
        case fed4
    }

    public static func preset(_ preset: Preset) -> Federation {
        func nodes(_ count: Int, cores: Int, gibi: Int, cards: Int = 0, _ model: String = "") -> [Node] {
            Array(
                repeating: Node(milliCores: cores * 1000, memoryMiB: gibi * 1024, cards: cards, model: model),
                count: count
            )
        }
        switch preset {
        case .shanghai:
            return Federation(centres: [
                Centre(
                    name: "hub-training",
                    tier: "hub",
                    nodes: nodes(320, cores: 192, gibi: 1536, cards: 8, "ascend-910b2")
                        + nodes(32, cores: 128, gibi: 1024, cards: 8, "h20"),
                    coreHour: 0.05,
                    cardHour: 6
                ),
                Centre(
                    name: "hub-supercomputer",
                    tier: "hub",
                    nodes: nodes(600, cores: 128, gibi: 512)
                        + nodes(48, cores: 64, gibi: 512, cards: 4, "a100-80gb"),
                    coreHour: 0.04,
                    cardHour: 8
                ),
                Centre(
                    name: "region-cloud",
                    tier: "region",
                    nodes: nodes(60, cores: 96, gibi: 768, cards: 8, "a800")
                        + nodes(40, cores: 96, gibi: 512, cards: 8, "l20"),
                    coreHour: 0.06,
                    cardHour: 7
                ),
                Centre(
                    name: "edge-room",
                    tier: "edge",
                    nodes: nodes(24, cores: 48, gibi: 256, cards: 4, "l40s")
                        + nodes(16, cores: 32, gibi: 128, cards: 2, "t4"),
                    coreHour: 0.08,
                    cardHour: 5
                ),
            ])
        case .fed4:
            return Federation(
                centres: zip(["A", "B", "C", "D"], [300, 150, 126, 200]).map { name, count in
                    Centre(name: name, nodes: nodes(count, cores: 128, gibi: 1024, cards: 8, "generic"))
                }
            )
        }
    }

    /// The models of all cards, by number.
    ///
    /// - Throws: ``TraceFault`` above ``modelsMax``.
    func models() throws(TraceFault) -> [String] {
        let names = Set(centres.flatMap { $0.nodes.lazy.filter { $0.cards > 0 }.map(\.model) }).sorted()
        guard names.count <= Self.modelsMax else {
            throw TraceFault(
                path: "the federation",
                what: "has \(names.count) card models; at most 64 can be told apart"
            )
        }
        return names
    }

    func kinds(_ models: [String]) -> [[NodeKind]] {
        let number = Dictionary(models.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return centres.map { centre in
            centre.nodes.map {
                NodeKind(
                    milliCores: $0.milliCores,
                    memoryMiB: $0.memoryMiB,
                    cards: $0.cards,
                    model: number[$0.model] ?? 0
                )
            }
        }
    }
}
