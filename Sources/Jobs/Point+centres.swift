public import Core
import Logging
import Scheduling
import Store
public import Wire

extension Point {
    public func centres(_ caller: Principal) async throws -> [CentreView] {
        try await store.read { tx in try tx.centres().map { try self.view($0, caller, tx) } }
    }

    public func centre(_ name: CentreName, _ caller: Principal) async throws -> CentreView {
        try await store.read { tx in try self.view(Self.find(name, tx), caller, tx) }
    }

    static func find(_ name: CentreName, _ tx: ReadTransaction) throws -> Centre {
        guard let centre = try tx.centre(name), centre.state != .removed else {
            throw Failure(.notFound, "There is no centre '\(name)'. `onepoint centres list` shows those there are.")
        }
        return centre
    }

    /// Makes a centre that nobody has joined as yet.
    public func createCentre(
        _ name: CentreName,
        tier: Tier,
        prices: PriceTable?,
        _ caller: Principal
    ) async throws -> JoinView {
        try Self.requireOperator(caller)
        return try await createCentre(name, tier: tier, prices: prices ?? PriceTable(), actor: Actor.user(caller))
    }

    func createCentre(_ name: CentreName, tier: Tier, prices: PriceTable, actor: String) async throws -> JoinView {
        try Self.check(prices)
        let now = now()
        return try await issueJoin(actor: actor, name) { tx in
            guard try tx.centre(name) == nil else {
                throw Failure(
                    .conflict,
                    "The name '\(name)' is or was a centre's. Choose another, or renew its join token to join it again."
                )
            }
            try tx.append(
                .centreCreated(.init(centre: name, tier: tier, prices: prices)),
                project: nil,
                subject: "centre/\(name)",
                actor: actor,
                at: now
            )
        }
    }

    /// A fresh one-time token for a centre that exists: a new machine, or a lost key.
    public func renewJoin(_ name: CentreName, _ caller: Principal) async throws -> JoinView {
        try Self.requireOperator(caller)
        return try await issueJoin(actor: Actor.user(caller), name) { _ = try Self.find(name, $0) }
    }

    func issueJoin(
        actor: String,
        _ name: CentreName,
        _ check: @escaping @Sendable (WriteTransaction) throws -> Void
    ) async throws -> JoinView {
        let now = now()
        let (secret, hash) = makeSecret()
        let expiresAt = now + settings.joinTokenLifetime
        try await write { tx in
            try check(tx)
            try tx.append(
                .joinTokenIssued(.init(centre: name, hash: hash, expiresAt: expiresAt)),
                project: nil,
                subject: "centre/\(name)",
                actor: actor,
                at: now
            )
        }
        return JoinView(centre: name, token: "oj_\(secret)", expiresAt: expiresAt)
    }

    /// Spends a one-time token: whoever holds the answer is the centre's only agent from now on.
    public func join(_ request: JoinRequest) async throws -> JoinResponse {
        let unknown = Failure(
            .unauthenticated,
            "This join token is not known, was used or has expired. Ask for a new one with `onepoint centres join`."
        )
        guard request.token.hasPrefix("oj_"), request.token.utf8.count < 200 else { throw unknown }
        let tokenHash = Self.hash(secret: String(request.token.dropFirst(3)))
        let agent = makeID(AgentID.self)
        let (secret, keyHash) = makeSecret()
        let now = now()
        let centre = try await write { tx in
            guard let token = try tx.joinToken(tokenHash), token.expiresAt > now else { throw unknown }
            let centre = try Self.find(token.centre, tx)
            try tx.append(
                .agentJoined(.init(centre: centre.name, agent: agent, keyHash: keyHash)),
                project: nil,
                subject: "centre/\(centre.name)",
                actor: "agent/\(centre.name)",
                at: now
            )
            return centre.name
        }
        agents.forget()
        centresChanged()
        _ = sight.saw(centre, at: now)
        log.notice("agent joined", metadata: ["centre": "\(centre)"])
        return JoinResponse(centre: centre, agent: agent, key: "oa_\(agent.base32)_\(secret)")
    }

    /// No new work goes there; what runs goes on, unless `evict` also stops what declared itself preemptible.
    public func drainCentre(_ name: CentreName, evict: Bool, _ caller: Principal) async throws -> CentreView {
        try Self.requireOperator(caller)
        let now = now()
        let view = try await write { tx in
            let centre = try Self.find(name, tx)
            if centre.state != .draining {
                try tx.append(
                    .centreChanged(.init(centre: name, state: .draining)),
                    project: nil,
                    subject: "centre/\(name)",
                    actor: Actor.user(caller),
                    at: now
                )
            }
            if evict {
                for run in try tx.liveRuns(at: name) {
                    guard let job = try tx.job(run.key.job), job.spec.preemptible else { continue }
                    try tx.stop(run, .drain, actor: Actor.user(caller), at: now, counters: self.counters)
                }
            }
            return try self.view(Self.find(name, tx), caller, tx)
        }
        orderBell.ring()
        centresChanged()
        placeBell.ring()
        return view
    }

    public func resumeCentre(_ name: CentreName, _ caller: Principal) async throws -> CentreView {
        try await change(name, caller) { .init(centre: $0.name, state: .open) }
    }

    public func setPrices(_ name: CentreName, _ prices: PriceTable, _ caller: Principal) async throws -> CentreView {
        try Self.check(prices)
        return try await change(name, caller) { .init(centre: $0.name, prices: prices) }
    }

    private func change(
        _ name: CentreName,
        _ caller: Principal,
        _ event: @escaping @Sendable (Centre) -> Event.CentreChanged
    ) async throws -> CentreView {
        try Self.requireOperator(caller)
        let now = now()
        let view = try await write { tx in
            let centre = try Self.find(name, tx)
            try tx.append(
                .centreChanged(event(centre)),
                project: nil,
                subject: "centre/\(name)",
                actor: Actor.user(caller),
                at: now
            )
            return try self.view(Self.find(name, tx), caller, tx)
        }
        centresChanged()
        placeBell.ring()
        return view
    }

    /// The name stays for the ledger and cannot be used again.
    public func removeCentre(_ name: CentreName, _ caller: Principal) async throws {
        try Self.requireOperator(caller)
        let now = now()
        try await write { tx in
            let centre = try Self.find(name, tx)
            let live = try tx.liveRuns(at: name).count
            guard live == 0 else {
                let what = live == 1 ? "1 run is" : "\(live) runs are"
                let way = centre.state == .draining ? "Wait" : "Drain it and wait"
                throw Failure(
                    .conflict,
                    "\(what) still live at '\(name)'. \(way) until nothing is, or cancel the jobs first."
                )
            }
            for record in try tx.liveReservations(now: now) where record.reservation.centre == name {
                try Self.cancel(record.reservation, by: Actor.user(caller), at: now, tx)
            }
            try tx.append(
                .centreChanged(.init(centre: name, state: .removed)),
                project: nil,
                subject: "centre/\(name)",
                actor: Actor.user(caller),
                at: now
            )
        }
        agents.forget()
        centresChanged()
        orderBell.ring()
        placeBell.ring()
    }

    private static func check(_ prices: PriceTable) throws {
        let rates =
            [("/core_hour", prices.coreHour), ("/card_hour_default", prices.cardHourDefault)]
            + prices.cardHour.map { ("/card_hour/\($0.key)", $0.value) }
        let wrong = rates.filter { !(0...1_000_000_000_000).contains($0.1.count) }
        guard wrong.isEmpty else {
            throw Failure(
                .invalid,
                "A price is out of range.",
                violations: wrong.map { Violation($0.0, "must be 0 to 10¹² millionths of a credit an hour") }
            )
        }
    }

    // MARK: Views

    /// Everybody signed in sees centres; only operators see who the agent is.
    func view(_ centre: Centre, _ caller: Principal, _ tx: ReadTransaction) throws -> CentreView {
        let runs = try tx.liveRuns(at: centre.name)
        let lastSeen = sight.lastSeen(centre.name)
        let others = shared.others(at: centre)
        let nodes = NodeLoad.of(centre, runs: runs, others: others)
        return CentreView(
            name: centre.name,
            tier: centre.tier,
            state: centre.state,
            connected: isConnected(centre),
            lastSeen: lastSeen,
            engine: centre.capacity?.engine,
            engineVersion: centre.capacity?.engineVersion,
            isolates: centre.capacity?.isolates,
            joinedAt: centre.joinedAt,
            agent: caller.isOperator ? centre.agent : nil,
            prices: centre.prices,
            link: settings.links[centre.name],
            capacity: CapacityFigures.of(centre, runs: runs, others: others),
            shared: shared.view(of: centre, runs: runs, now: now()),
            nodes: nodes.map { load in
                CentreView.NodeView(
                    node: load.node,
                    freeCores: load.freeCores,
                    freeMemory: load.freeMemory,
                    freeCards: load.freeCards,
                    runs: caller.isOperator ? load.runs : []
                )
            },
            liveRuns: runs.count,
            unseenRuns: runs.count { $0.lifecycle.unseenSince != nil }
        )
    }

    func isConnected(_ centre: Centre) -> Bool {
        guard centre.agent != nil, let lastSeen = sight.lastSeen(centre.name) else { return false }
        return now() - lastSeen < settings.silenceAfter
    }

    public func capacity(_ caller: Principal) async throws -> CapacityView {
        try await store.read { try self.capacity(caller, $0) }
    }

    func capacity(_ caller: Principal, _ tx: ReadTransaction) throws -> CapacityView {
        let names = try Self.visible(to: caller, tx)
        let live = Dictionary(grouping: try tx.liveRuns()) { $0.centre }
        let rows = try tx.centres().map { centre in
            CapacityView.CentreRow(
                centre: centre.name,
                tier: centre.tier,
                connected: isConnected(centre),
                capacity: .of(centre, runs: live[centre.name] ?? [], others: shared.others(at: centre)),
                shared: shared.view(of: centre, runs: live[centre.name] ?? [], now: now())
            )
        }
        let byProject = Dictionary(grouping: live.values.joined()) { $0.project }
        return CapacityView(
            total: rows.reduce(CapacityFigures()) { $0 + $1.capacity },
            tiers: Tier.allCases.map { tier in
                let own = rows.filter { $0.tier == tier }
                return .init(
                    tier: tier,
                    centres: own.count,
                    capacity: own.reduce(CapacityFigures()) { $0 + $1.capacity }
                )
            },
            centres: rows,
            projects: byProject.filter { names?.contains($0.key) ?? true }.sorted { $0.key < $1.key }.map {
                project,
                runs in
                .init(
                    project: project,
                    runs: runs.count,
                    cores: runs.reduce(0) { $0 + $1.resources.cores.cores * Double($1.tasks) },
                    cards: runs.reduce(0) { $0 + $1.resources.cards * $1.tasks },
                    pflops: runs.reduce(0) { $0 + $1.pflops }
                )
            }
        )
    }
}
