public import Core

/// What somebody wants to reserve at a centre.
public enum RoomWanted: Hashable, Sendable {
    case centre
    /// These nodes.
    case named([String])
    /// So many whole nodes; with cards of a model where one is given.
    case nodes(Int, card: String?)
    /// So many cards of one kind, each with its part of its node's cores and memory.
    case cards(Int, card: String?)
    /// Spread over nodes in whatever pieces there are; without `memory` each core brings its part of its node's.
    case cores(MilliCores, memory: Bytes?)
}

/// Why there is no such room.
public enum RoomRefused: Error, Hashable, Sendable {
    /// Names that are no nodes of the centre.
    case unknownNodes([String])
    /// The centre has several kinds of cards, and none was named.
    case whichCard([String])
    /// Even with nothing reserved there it has no more than `most`: nodes, cards or milli-cores.
    case tooMuch(most: Int64)
    /// What is reserved there already leaves `most` during that time.
    case taken(most: Int64, by: [ReservationName])
    /// Runs may last into it by their time limits: only `most` are free when it would begin. It could begin at `from`.
    case busy(most: Int64, from: Instant)
}

/// What a reservation will lack when it begins, if runs last as long as they may.
public struct RoomLacking: Hashable, Sendable {
    /// Nodes on which not all of it will be free.
    public var nodes: Int
    /// Runs of others on them.
    public var runs: Int
    /// When the last of it is free.
    public var until: Instant
}

/// Looks for room at one centre that can be reserved from an instant to another.
///
/// The nodes are chosen now and stay chosen, as Slurm's are: those that are free when the time comes before others, nodes
/// without cards before those with, parts where the most of it is in one place.
public struct RoomSearch {
    private let make: Make
    private let start: Instant
    /// Those that overlap.
    private let others: [Reservation]
    /// By node, the most that those keep of it at one time; `nil` for nodes that none is about.
    private var taken: [Int: Amounts]
    /// By node, the runs that may still be in the way when it begins.
    private let leaving: [[Booked.Stay]]

    /// - Parameters:
    ///   - centre: With its runs and reservations. Runs of `project` and those below it are not in the way of its own
    ///     reservation.
    ///   - project: `nil` for maintenance.
    ///   - projects: All, as far as they are parts of others.
    /// - Returns: `nil` when the centre has not reported what it has.
    public init?(
        at centre: Snapshot.Centre,
        for project: ProjectName?,
        among projects: [Snapshot.Project],
        from start: Instant,
        until end: Instant,
        now: Instant
    ) {
        guard let capacity = centre.capacity else { return nil }
        make = Make(capacity)
        self.start = start
        others = centre.reservations.filter { $0.endsAt > now && $0.overlaps(from: start, until: end) }
        taken = Self.taken(others, on: make, from: start)
        let load = Load(centre.runs, others: centre.others, on: make)
        let families = projects.families(
            of: (centre.reservations.map(\.project) + [project]).compactMap { $0 }
        )
        let ground = Ground(centre, make, load, families: families, now: now, policy: Policy())
        let owners = Self.owners(others, families, on: make)
        let family = project.flatMap { families[$0] } ?? []
        var leaving = [[Booked.Stay]](repeating: [], count: make.nodes.count)
        for (number, run) in load.held.enumerated() where !family.contains(load.tenants[run.tenant]) {
            let owner = load.tenants[run.tenant]
            let end = ground.expectedEnd(run)
            guard end > start else { continue }
            for index in load.piecesOfRun[number] {
                let piece = load.pieces[index]
                // It stands in what is reserved for it.
                if owners[piece.node]?.contains(owner) == true { continue }
                leaving[piece.node].append(
                    .init(start: now, end: end, project: owner, piece: piece, run: number, isKept: false)
                )
            }
        }
        self.leaving = leaving
    }

    private static func owners(
        _ others: [Reservation],
        _ families: [ProjectName: Set<ProjectName>],
        on make: Make
    ) -> [Int: Set<ProjectName>] {
        var owners: [Int: Set<ProjectName>] = [:]
        for other in others {
            guard let family = other.project.flatMap({ families[$0] }) else { continue }
            for (node, _, _) in Bookings.shares(other.shares, on: make) {
                owners[node, default: []].formUnion(family)
            }
        }
        return owners
    }

    /// - Parameter ignoringRuns: Whether runs may last into it; then it lacks what they hold until they end.
    /// - Returns: What to keep on which nodes; `nil` is the whole centre.
    public func find(_ wanted: RoomWanted, ignoringRuns: Bool) -> Result<[Reservation.Share]?, RoomRefused> {
        switch wanted {
        case .centre:
            guard others.isEmpty else { return .failure(.taken(most: 0, by: names(others))) }
            let occupied = make.nodes.indices.filter { !leaving[$0].isEmpty }
            guard ignoringRuns || occupied.isEmpty else {
                return .failure(.busy(most: Int64(make.nodes.count - occupied.count), from: freedAt(occupied)))
            }
            return .success(nil)
        case .named(let names): return named(names, ignoringRuns).map { $0 }
        case .nodes(let count, let card):
            return nodes(count, plainFirst: card == nil, ignoringRuns) { node in
                card == nil || make.nodes[node].cards.contains { $0.model == card && $0.count > 0 }
            }.map { $0 }
        case .cards(let count, let card): return cards(count, card, ignoringRuns).map { $0 }
        case .cores(let cores, let memory):
            return parts(of: cores.count, ignoringRuns) { node in
                let whole = Bookings.whole(node, of: make)
                let (bytes, per) = memory.map { ($0.count, cores.count) } ?? (whole.memory, whole.cores)
                return Part(cores: (1, 1), memory: (bytes, per), flavour: nil)
            }.map { $0 }
        }
    }

    /// What a reservation lacks when it begins, and until when; `nil` when nothing.
    public func lacking(_ shares: [Reservation.Share]?) -> RoomLacking? {
        var lacking = RoomLacking(nodes: 0, runs: 0, until: start)
        var runs: Set<Int> = []
        for (node, amounts, isWhole) in Bookings.shares(shares, on: make) where !leaving[node].isEmpty {
            var free = Bookings.whole(node, of: make)
            for stay in leaving[node] { free.add(stay.piece, times: -1) }
            if !isWhole, free.holds(amounts) { continue }
            lacking.nodes += 1
            for stay in leaving[node] { if let run = stay.run { runs.insert(run) } }
            for stay in leaving[node].sorted(by: { $0.end < $1.end }) {
                free.add(stay.piece)
                lacking.until = max(lacking.until, stay.end)
                if !isWhole, free.holds(amounts) { break }
            }
        }
        lacking.runs = runs.count
        return lacking.nodes == 0 ? nil : lacking
    }

    // MARK: whole nodes

    private func named(_ names: [String], _ ignoringRuns: Bool) -> Result<[Reservation.Share], RoomRefused> {
        let unknown = names.filter { make.index[$0] == nil }
        guard unknown.isEmpty else { return .failure(.unknownNodes(unknown)) }
        let nodes = Set(names.compactMap { make.index[$0] }).sorted()
        let open = nodes.filter { taken[$0] == nil }
        guard open.count == nodes.count else { return refuse(open.count, nodes) }
        let occupied = nodes.filter { !leaving[$0].isEmpty }
        guard ignoringRuns || occupied.isEmpty else {
            return .failure(.busy(most: Int64(nodes.count - occupied.count), from: freedAt(occupied)))
        }
        return .success(nodes.map(share))
    }

    /// A whole node.
    private func share(_ node: Int) -> Reservation.Share {
        Reservation.Share(node: make.nodes[node].name, size: size(node))
    }

    private func nodes(
        _ count: Int,
        plainFirst: Bool,
        _ ignoringRuns: Bool,
        where fits: (Int) -> Bool
    ) -> Result<[Reservation.Share], RoomRefused> {
        let fitting = make.nodes.indices.filter { node in
            make.nodes[node].schedulable && make.index[make.nodes[node].name] == node && fits(node)
        }
        guard fitting.count >= count else { return .failure(.tooMuch(most: Int64(fitting.count))) }
        let open = fitting.filter { taken[$0] == nil }
        guard open.count >= count else { return refuse(open.count, fitting) }
        let ordered = open.sorted { a, b in
            let (endA, endB) = (freedAt([a]), freedAt([b]))
            if endA != endB { return endA < endB }
            if plainFirst, make.plain[a] != make.plain[b] { return make.plain[a] }
            return a < b
        }
        let chosen = ordered.prefix(count)
        guard ignoringRuns || chosen.allSatisfy({ leaving[$0].isEmpty }) else {
            return .failure(.busy(most: Int64(open.count { leaving[$0].isEmpty }), from: freedAt(Array(chosen))))
        }
        return .success(chosen.sorted().map(share))
    }

    // MARK: others for those that are lost

    /// Looks for as much elsewhere as a share keeps on a node that is down or gone: another whole node with at least what
    /// it had, or as many cards of the model or cores, as at the beginning. Of those that can be had the ones that are
    /// free before the ones that runs hold for a while yet.
    ///
    /// What is found counts as taken from then on.
    ///
    /// - Returns: `nil` when there is no such room.
    public mutating func others(for share: Reservation.Share) -> [Reservation.Share]? {
        let found = find(insteadOf: share, ignoringRuns: false) ?? find(insteadOf: share, ignoringRuns: true)
        guard let found, !found.isEmpty else { return nil }
        for (node, amounts, _) in Bookings.shares(found, on: make) {
            taken[node, default: Amounts(flavours: make.shapes.flavours.count)].add(amounts)
        }
        return found.map { other in
            var other = other
            other.insteadOf = share.node
            return other
        }
    }

    private func find(insteadOf share: Reservation.Share, ignoringRuns: Bool) -> [Reservation.Share]? {
        if let amount = share.amount {
            guard amount.cards > 0 else {
                let wanted = RoomWanted.cores(amount.cores, memory: amount.memory)
                return (try? find(wanted, ignoringRuns: ignoringRuns).get()) ?? nil
            }
            return try? cards(amount.cards, amount.card, ignoringRuns).get()
        }
        guard let size = share.size ?? make.index[share.node].map({ self.size($0) }) else {
            return try? nodes(1, plainFirst: true, ignoringRuns, where: { _ in true }).get()
        }
        // One of the same size leaves larger ones to those who need them.
        let same = try? nodes(1, plainFirst: size.cards == 0, ignoringRuns, where: { self.size($0) == size }).get()
        return same
            ?? (try? nodes(1, plainFirst: size.cards == 0, ignoringRuns) { node in
                let own = self.size(node, of: size.card)
                return own.cores >= size.cores && own.memory >= size.memory && own.cards >= size.cards
            }.get())
    }

    /// What a node has, with its most plentiful cards, or those of a model.
    private func size(_ node: Int, of model: String? = nil) -> Reservation.Amount {
        let groups = make.nodes[node].cards.filter { model == nil || $0.model == model }
        let most = groups.max { $0.count < $1.count }
        return Reservation.Amount(
            cores: make.nodes[node].cores,
            memory: make.nodes[node].memory,
            cards: most?.count ?? 0,
            card: most?.count ?? 0 > 0 ? most?.model : nil,
            emulated: most?.emulated ?? false
        )
    }

    // MARK: parts of nodes

    /// What one unit takes of a node: `cores.0 / cores.1` milli-cores and so on, rounded up for all of them together.
    private struct Part {
        var cores: (Int64, per: Int64)
        var memory: (Int64, per: Int64)
        /// One card a unit, if any.
        var flavour: Int?

        func amounts(_ units: Int64, flavours: Int) -> Amounts {
            var amounts = Amounts(flavours: flavours)
            amounts.cores = Self.times(cores, units)
            amounts.memory = Self.times(memory, units)
            if let flavour { amounts.cards[flavour] = units }
            return amounts
        }

        /// The most units that fit.
        func units(in amounts: Amounts) -> Int64 {
            var most = min(Self.most(cores, amounts.cores), Self.most(memory, amounts.memory))
            if let flavour { most = min(most, amounts.cards[flavour]) }
            return max(0, most)
        }

        private static func times(_ rate: (Int64, per: Int64), _ units: Int64) -> Int64 {
            Int64(clamping: (Int128(rate.0) * Int128(units) + Int128(rate.per) - 1) / Int128(rate.per))
        }

        private static func most(_ rate: (Int64, per: Int64), _ have: Int64) -> Int64 {
            rate.0 == 0 ? .max : Int64(clamping: Int128(max(0, have)) * Int128(rate.per) / Int128(rate.0))
        }
    }

    private func cards(
        _ count: Int,
        _ card: String?,
        _ ignoringRuns: Bool
    ) -> Result<[Reservation.Share], RoomRefused> {
        let flavours = make.shapes.flavours
        let fitting = flavours.indices.filter { card == nil || flavours[$0].model == card }
        guard let flavour = fitting.first else { return .failure(.tooMuch(most: 0)) }
        guard fitting.count == 1 || card != nil else { return .failure(.whichCard(flavours.map(\.model))) }
        return parts(of: Int64(count), ignoringRuns) { node in
            let whole = Bookings.whole(node, of: make)
            let all = whole.cards.reduce(0, +)
            guard all > 0 else { return nil }
            return Part(cores: (whole.cores, all), memory: (whole.memory, all), flavour: flavour)
        }
    }

    /// The fewest nodes for so many units; `part` is what a unit takes of a node, `nil` for none there.
    private func parts(
        of count: Int64,
        _ ignoringRuns: Bool,
        _ part: (Int) -> Part?
    ) -> Result<[Reservation.Share], RoomRefused> {
        let nodes = make.nodes.indices.compactMap { node -> (node: Int, part: Part)? in
            guard make.nodes[node].schedulable, make.index[make.nodes[node].name] == node else { return nil }
            return part(node).map { (node, $0) }
        }
        func sum(_ room: (Int) -> Amounts) -> Int64 {
            nodes.reduce(0) { $0 + min(count, $1.part.units(in: room($1.node))) }
        }
        let most = sum { Bookings.whole($0, of: make) }
        guard most >= count else { return .failure(.tooMuch(most: most)) }
        let open = sum { unreserved($0) }
        guard open >= count else { return refuse(Int(open), nodes.map(\.node)) }
        let free = sum { room($0, at: start) }
        guard ignoringRuns || free >= count else {
            let ends = Set(nodes.flatMap { leaving[$0.node].map(\.end) }).sorted()
            let at = ends.dropLast().partitioningIndex { end in sum { room($0, at: end) } >= count }
            return .failure(.busy(most: free, from: ends.isEmpty ? start : ends[at]))
        }
        let ordered = nodes.map { node, part in (node, part, part.units(in: room(node, at: start))) }
            .sorted { a, b in
                if make.plain[a.0] != make.plain[b.0] { return make.plain[a.0] }
                return a.2 != b.2 ? a.2 > b.2 : a.0 < b.0
            }
        var units: [Int: Int64] = [:]
        var left = count
        for (node, _, most) in ordered where left > 0 && most > 0 {
            units[node] = min(left, most)
            left -= min(left, most)
        }
        // What runs hold then comes last, and only where that was accepted.
        for (node, part, _) in ordered where left > 0 {
            let more = min(left, part.units(in: unreserved(node)) - units[node, default: 0])
            guard more > 0 else { continue }
            units[node, default: 0] += more
            left -= more
        }
        let shares = nodes.compactMap { node, part -> Reservation.Share? in
            guard let units = units[node] else { return nil }
            let amounts = part.amounts(units, flavours: make.shapes.flavours.count)
            let flavour = part.flavour.map { make.shapes.flavours[$0] }
            return .init(
                node: make.nodes[node].name,
                amount: .init(
                    cores: MilliCores(amounts.cores),
                    memory: Bytes(amounts.memory),
                    cards: flavour == nil ? 0 : Int(units),
                    card: flavour?.model,
                    emulated: flavour?.emulated ?? false
                )
            )
        }
        return .success(shares)
    }

    // MARK: what a node has

    /// Beside other reservations, whatever runs; of those the most that is kept at one time.
    private func unreserved(_ node: Int) -> Amounts {
        var room = Bookings.whole(node, of: make)
        if let taken = taken[node] { room.add(taken, times: -1) }
        return room
    }

    /// The same, at a time also beside runs that are expected to be there still.
    private func room(_ node: Int, at time: Instant) -> Amounts {
        var room = unreserved(node)
        for stay in leaving[node] where stay.end > time { room.add(stay.piece, times: -1) }
        return room
    }

    private static func taken(_ others: [Reservation], on make: Make, from start: Instant) -> [Int: Amounts] {
        var taken: [Int: Amounts] = [:]
        let flavours = make.shapes.flavours.count
        for time in Set(others.map { max(start, $0.startsAt) }) {
            var sums: [Int: Amounts] = [:]
            for other in others where other.startsAt <= time && time < other.endsAt {
                for (node, amounts, _) in Bookings.shares(other.shares, on: make) {
                    sums[node, default: Amounts(flavours: flavours)].add(amounts)
                }
            }
            for (node, sum) in sums { taken[node] = taken[node]?.merged(sum, max) ?? sum }
        }
        return taken
    }

    private func freedAt(_ nodes: [Int]) -> Instant {
        nodes.reduce(start) { max($0, leaving[$1].reduce(start) { max($0, $1.end) }) }
    }

    private func refuse<Value>(_ most: Int, _ nodes: [Int]) -> Result<Value, RoomRefused> {
        let wanted = Set(nodes)
        let by = others.filter { other in Bookings.shares(other.shares, on: make).contains { wanted.contains($0.node) }
        }
        return .failure(.taken(most: Int64(most), by: names(by)))
    }

    private func names(_ reservations: [Reservation]) -> [ReservationName] { reservations.map(\.name).sorted() }
}
