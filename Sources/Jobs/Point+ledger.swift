public import Core
import Store
public import Wire

extension Point {
    /// The balances that the caller may see: those of their projects, and for operators all.
    public func balances(_ caller: Principal) async throws -> [BalanceView] {
        try await store.read { tx in
            let projects = try Self.visible(to: caller, tx)
            return try tx.balances().filter { Self.sees($0.account, projects) }
                .map { BalanceView(account: "\($0.account)", amount: $0.amount) }
        }
    }

    private static func sees(_ account: Account, _ projects: [ProjectName]?) -> Bool {
        guard let projects else { return true }
        switch account {
        case .project(let name), .reserved(let name): return projects.contains(name)
        case .issued, .centre: return false
        }
    }

    /// Bookings, newest first.
    public func ledger(
        project: ProjectName?,
        cursor: String?,
        limit: Int,
        _ caller: Principal
    ) async throws -> Page<LedgerEntryView> {
        guard (1...1000).contains(limit) else { throw Failure(.malformed, "A page has 1 to 1,000 entries.") }
        let before = try cursor.map { try Self.ledgerCursor($0) }
        return try await store.read { tx in
            let found = try Self.merged(Self.visible(to: caller, asking: project, tx), limit: limit + 1) {
                try tx.ledger(project: $0, before: before, limit: limit + 1)
            } by: {
                $0.cursor > $1.cursor
            }
            let page = found.prefix(limit)
            return Page(
                items: page.map {
                    LedgerEntryView(
                        sequence: $0.cursor.sequence,
                        at: $0.at,
                        account: "\($0.entry.account)",
                        amount: $0.entry.amount,
                        memo: Self.memo(of: $0)
                    )
                },
                next: found.count > limit ? page.last.map { "\($0.cursor.sequence).\($0.cursor.position)" } : nil
            )
        }
    }

    /// What runs used, by the end of the interval, oldest first.
    public func usage(
        project: ProjectName?,
        from: Instant?,
        to: Instant?,
        cursor: String?,
        limit: Int,
        _ caller: Principal
    ) async throws -> Page<UsageView> {
        guard (1...1000).contains(limit) else { throw Failure(.malformed, "A page has 1 to 1,000 rows.") }
        let after = try cursor.map { try Self.usageCursor($0) }
        return try await store.read { tx in
            let found = try Self.merged(Self.visible(to: caller, asking: project, tx), limit: limit + 1) {
                try tx.usage(project: $0, from: from, to: to, after: after, limit: limit + 1)
            } by: {
                ($0.usage.to, $0.usage.run, $0.usage.meter.rawValue) < (
                    $1.usage.to, $1.usage.run, $1.usage.meter.rawValue
                )
            }
            let page = found.prefix(limit)
            return Page(
                items: page.map {
                    UsageView(
                        run: $0.usage.run,
                        project: $0.project,
                        centre: $0.centre,
                        meter: $0.usage.meter,
                        from: $0.usage.from,
                        to: $0.usage.to,
                        microUnits: $0.usage.microUnits
                    )
                },
                next: found.count > limit ? page.last.map { Self.text(UsageCursor($0)) } : nil
            )
        }
    }

    /// The first rows over several projects, from each project's own first; `nil` is all projects at once.
    private static func merged<Row>(
        _ projects: [ProjectName]?,
        limit: Int,
        _ rows: (ProjectName?) throws -> [Row],
        by isBefore: (Row, Row) -> Bool
    ) throws -> [Row] {
        guard let projects else { return try rows(nil) }
        return Array(try projects.flatMap { try rows($0) }.sorted(by: isBefore).prefix(limit))
    }

    private static func memo(of record: LedgerRecord) -> String {
        switch record.kind {
        case .grant:
            "voucher for \(record.project)" + ((record.note ?? "").isEmpty ? "" : ": \(record.note ?? "")")
        case .reserve: "set aside for \(record.run.map { "\($0)" } ?? "a run")"
        case .settle: "settled for \(record.run.map { "\($0)" } ?? "a run")"
        }
    }

    private static func ledgerCursor(_ text: String) throws -> LedgerCursor {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let sequence = Int64(parts[0]), let position = Int(parts[1]) else {
            throw Cursor.broken
        }
        return LedgerCursor(sequence: sequence, position: position)
    }

    private static func text(_ cursor: UsageCursor) -> String {
        "\(cursor.to.milliseconds).\(cursor.run).\(cursor.meter.rawValue).\(cursor.from.milliseconds)"
    }

    private static func usageCursor(_ text: String) throws -> UsageCursor {
        let parts = text.split(separator: ".")
        guard parts.count == 4, let to = Int64(parts[0]), let run = RunKey(String(parts[1])),
            let meter = Meter(rawValue: String(parts[2])), let from = Int64(parts[3])
        else { throw Cursor.broken }
        return UsageCursor(
            to: Instant(milliseconds: to),
            run: run,
            meter: meter,
            from: Instant(milliseconds: from)
        )
    }
}
