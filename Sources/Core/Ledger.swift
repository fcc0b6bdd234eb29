/// What is measured of a run.
public enum Meter: String, Hashable, Sendable, Codable, CaseIterable {
    case coreSeconds = "core_seconds"
    case cardSeconds = "card_seconds"
    /// 10¹⁵ dense FP16 operations a second, for an hour, by the catalogue's nameplate. Emulated cards count none.
    case pflopHours = "pflop_hours"
}

/// An amount of one meter that one run used in one interval. The key is (run, meter, from).
public struct Usage: Hashable, Sendable, Codable {
    public var run: RunKey
    public var meter: Meter
    public var from: Instant
    public var to: Instant
    /// Millionths of the meter's unit.
    public var microUnits: Int64

    public init(run: RunKey, meter: Meter, from: Instant, to: Instant, microUnits: Int64) {
        self.run = run
        self.meter = meter
        self.from = from
        self.to = to
        self.microUnits = microUnits
    }

    /// What a run used from its start to its end: nothing when it never started.
    ///
    /// - Parameter fp16Tflops: Dense FP16 TFLOPS of one card of a model; `nil` when unknown.
    public static func of(_ run: Run, fp16Tflops: (String) -> Double?) -> [Usage] {
        guard let from = run.startedAt, let to = run.endedAt, to > from else { return [] }
        let milliseconds = (to - from).milliseconds
        // Saturating: the times are an agent's, and its clock may stand anywhere.
        var rows = [
            (Meter.coreSeconds, saturating((run.resources.cores * run.tasks).count, times: milliseconds))
        ]
        if run.resources.cards > 0 {
            let cards = saturating(Int64(run.resources.cards), times: Int64(run.tasks))
            rows.append((.cardSeconds, saturating(cards, times: saturating(milliseconds, times: 1000))))
            let tflops = run.nodes.reduce(0.0) { sum, share in
                let each = share.emulated ? 0 : share.card.flatMap(fp16Tflops) ?? 0
                return sum + each * Double(run.resources.cards) * Double(share.tasks)
            }
            // TFLOPS × ms → PFLOP-hours × 10⁶: ÷ 1000 for peta, ÷ 3.6e6 for hours, × 10⁶ for millionths.
            rows.append((.pflopHours, saturating(tflops * Double(milliseconds) / 3600)))
        }
        return rows.map { Usage(run: run.key, meter: $0.0, from: from, to: to, microUnits: $0.1) }
    }
}

/// Where credits stand.
public enum Account: Hashable, Sendable, LosslessStringConvertible {
    /// What vouchers were issued out of; the negative of all credits in the world.
    case issued
    /// What a project can spend. Negative when an unmetered project owes.
    case project(ProjectName)
    /// What is set aside for a project's live runs.
    case reserved(ProjectName)
    /// What a centre has earned.
    case centre(CentreName)

    public var description: String {
        switch self {
        case .issued: "issued"
        case .project(let name): "project/\(name)"
        case .reserved(let name): "reserved/\(name)"
        case .centre(let name): "centre/\(name)"
        }
    }

    public init?(_ description: String) {
        let parts = description.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts.first, parts.dropFirst().first) {
        case ("issued", nil): self = .issued
        case ("project", let name?):
            guard let name = ProjectName(String(name)) else { return nil }; self = .project(name)
        case ("reserved", let name?):
            guard let name = ProjectName(String(name)) else { return nil }; self = .reserved(name)
        case ("centre", let name?): guard let name = CentreName(String(name)) else { return nil }; self = .centre(name)
        default: return nil
        }
    }
}

/// One side of a booking. The entries of one event sum to zero.
public struct LedgerEntry: Hashable, Sendable {
    public var account: Account
    public var amount: MicroCredits

    public init(account: Account, amount: MicroCredits) {
        self.account = account
        self.amount = amount
    }

    /// A voucher is handed to a project.
    public static func grant(_ amount: MicroCredits, to project: ProjectName) -> [LedgerEntry] {
        [LedgerEntry(account: .issued, amount: -amount), LedgerEntry(account: .project(project), amount: amount)]
    }

    /// Credits are set aside before a run is dispatched.
    public static func reserve(_ amount: MicroCredits, for project: ProjectName) -> [LedgerEntry] {
        [
            LedgerEntry(account: .project(project), amount: -amount),
            LedgerEntry(account: .reserved(project), amount: amount),
        ]
    }

    /// A run ended: the centre gets its due, the rest goes back.
    ///
    /// - Parameter charged: Never more than `reserved`: what a run takes beyond its time limit is the platform's own.
    public static func settle(
        reserved: MicroCredits,
        charged: MicroCredits,
        project: ProjectName,
        centre: CentreName
    ) -> [LedgerEntry] {
        precondition(charged <= reserved && charged >= 0, "a run is charged at most what was reserved for it")
        return [
            LedgerEntry(account: .reserved(project), amount: -reserved),
            LedgerEntry(account: .centre(centre), amount: charged),
            LedgerEntry(account: .project(project), amount: reserved - charged),
        ]
    }
}

extension Run {
    /// What the run costs now that it has ended; zero when it never started.
    public var charge: MicroCredits {
        guard let startedAt, let endedAt, endedAt > startedAt else { return 0 }
        return min(
            reserved,
            .charge(perHour: pricePerHour, milliseconds: (endedAt - startedAt).milliseconds, units: 1)
        )
    }
}
