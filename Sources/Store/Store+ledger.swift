public import Core

extension ReadTransaction {
    /// Where an account stands; zero when nothing was ever booked on it.
    public func balance(_ account: Account) throws -> MicroCredits {
        try connection.first("SELECT amount FROM balance WHERE account = ?", account) {
            MicroCredits($0.integer(0))
        } ?? 0
    }

    /// Every account that was ever booked on, in the order of their text. They sum to zero.
    public func balances() throws -> [LedgerEntry] {
        try connection.all("SELECT account, amount FROM balance ORDER BY account") {
            LedgerEntry(account: try $0.value(0), amount: MicroCredits($0.integer(1)))
        }
    }

    /// Entries, the newest first.
    ///
    /// - Parameters:
    ///   - account: Only those on this account.
    ///   - project: Only those of bookings that concern this project.
    ///   - before: The last entry of the page before.
    public func ledger(
        account: Account? = nil,
        project: ProjectName? = nil,
        before: LedgerCursor? = nil,
        limit: Int
    ) throws -> [LedgerRecord] {
        var filter = "WHERE (seq, position) < (?, ?)"
        var values: [any SQLBindable] = [before?.sequence ?? .max, before?.position ?? 0]
        if let account {
            filter += " AND account = ?"
            values.append(account)
        }
        if let project {
            filter += " AND project = ?"
            values.append(project)
        }
        return try connection.all(
            """
            SELECT seq, position, at, account, amount, project, kind, run, note FROM ledger_entry \(filter)
            ORDER BY seq DESC, position DESC LIMIT ?
            """,
            list: values + [limit],
            read: Self.ledgerRecord
        )
    }

    /// Vouchers, the newest first.
    ///
    /// - Parameter before: The `sequence` of the last one of the page before.
    public func vouchers(project: ProjectName? = nil, before: Int64? = nil, limit: Int) throws -> [Voucher] {
        let query = """
            SELECT seq, at, project, amount, note FROM ledger_entry
            WHERE kind = 'grant' AND position = 1 AND seq < ?
            """
        let read = { (row: borrowing Row) throws -> Voucher in
            Voucher(
                sequence: row.integer(0),
                at: row.instant(1),
                project: try row.value(2),
                amount: MicroCredits(row.integer(3)),
                note: row.text(4)
            )
        }
        guard let project else {
            return try connection.all("\(query) ORDER BY seq DESC LIMIT ?", before ?? .max, limit, read: read)
        }
        return try connection.all(
            "\(query) AND project = ? ORDER BY seq DESC LIMIT ?",
            before ?? .max,
            project,
            limit,
            read: read
        )
    }

    /// What runs used, by the end of their intervals, oldest first.
    ///
    /// - Parameters:
    ///   - from: Only intervals that ended at this time or later.
    ///   - to: Only intervals that ended before this time.
    ///   - after: The last row of the page before.
    public func usage(
        project: ProjectName? = nil,
        from: Instant? = nil,
        to: Instant? = nil,
        after: UsageCursor? = nil,
        limit: Int
    ) throws -> [UsageRecord] {
        var filter = "WHERE to_at >= ? AND to_at < ?"
        var values: [any SQLBindable] = [
            // A page begins where the one before ended, not at the beginning of the period.
            after?.to ?? from ?? Instant(milliseconds: .min), to ?? Instant(milliseconds: .max),
        ]
        if let project {
            filter += " AND project = ?"
            values.append(project)
        }
        if let after {
            filter += " AND (to_at, job, number, meter, from_at) > (?, ?, ?, ?, ?)"
            values += [after.to, after.run.job, after.run.number, after.meter, after.from] as [any SQLBindable]
        }
        return try connection.all(
            """
            SELECT job, number, meter, from_at, to_at, micro_units, project, centre FROM usage \(filter)
            ORDER BY to_at, job, number, meter, from_at LIMIT ?
            """,
            list: values + [limit],
            read: Self.usageRecord
        )
    }

    /// The usage of one run.
    public func usage(of run: RunKey) throws -> [Usage] {
        try connection.all(
            """
            SELECT job, number, meter, from_at, to_at, micro_units, project, centre FROM usage
            WHERE job = ? AND number = ? ORDER BY meter, from_at
            """,
            run.job,
            run.number
        ) { try Self.usageRecord($0).usage }
    }

    /// Usage by project, meter and the hour in which the run ended: what fair share decays.
    ///
    /// - Parameter from: Hours from the one that holds this time.
    /// - Complexity: O(projects × hours), whatever the number of runs.
    public func usageHours(from: Instant, project: ProjectName? = nil) throws -> [UsageHour] {
        let all = try connection.all(
            "SELECT hour, project, meter, micro_units FROM usage_hour WHERE hour >= ? ORDER BY hour, project, meter",
            from.hour
        ) {
            UsageHour(
                hour: $0.instant(0),
                project: try $0.value(1),
                meter: try $0.choice(2),
                microUnits: $0.integer(3)
            )
        }
        guard let project else { return all }
        return all.filter { $0.project == project }
    }

    /// The sums over ``usageHours(from:project:)``: by project and meter, in millionths of the meter's unit.
    public func usageSince(_ from: Instant, project: ProjectName? = nil) throws -> [ProjectName: [Meter: Int64]] {
        var result: [ProjectName: [Meter: Int64]] = [:]
        for row in try usageHours(from: from, project: project) {
            result[row.project, default: [:]][row.meter, default: 0] += row.microUnits
        }
        return result
    }

    private static func ledgerRecord(_ row: borrowing Row) throws -> LedgerRecord {
        LedgerRecord(
            cursor: LedgerCursor(sequence: row.integer(0), position: row.int(1)),
            at: row.instant(2),
            entry: LedgerEntry(account: try row.value(3), amount: MicroCredits(row.integer(4))),
            project: try row.value(5),
            kind: try row.choice(6),
            run: try row.optional(7),
            note: row.optionalText(8)
        )
    }

    private static func usageRecord(_ row: borrowing Row) throws -> UsageRecord {
        UsageRecord(
            usage: Usage(
                run: RunKey(job: try row.value(0), number: row.int(1)),
                meter: try row.choice(2),
                from: row.instant(3),
                to: row.instant(4),
                microUnits: row.integer(5)
            ),
            project: try row.value(6),
            centre: try row.value(7)
        )
    }
}

extension Instant {
    /// The full hour at or before it.
    fileprivate var hour: Instant {
        let rest = milliseconds % 3_600_000
        return Instant(milliseconds: milliseconds - (rest < 0 ? rest + 3_600_000 : rest))
    }
}

extension WriteTransaction {
    func apply(_ voucher: Event.VoucherGranted, _ sequence: Int64, _ at: Instant) throws {
        let entries = LedgerEntry.grant(voucher.amount, to: voucher.project)
        try book(entries, .grant, voucher.project, note: voucher.note, sequence, at)
    }

    /// Writes the entries of one event and moves the balances with them.
    func book(
        _ entries: [LedgerEntry],
        _ kind: LedgerRecord.Kind,
        _ project: ProjectName,
        run: RunKey? = nil,
        note: String? = nil,
        _ sequence: Int64,
        _ at: Instant
    ) throws {
        precondition(entries.reduce(0) { $0 + $1.amount.count } == 0, "the entries of one event sum to zero")
        for (position, entry) in entries.enumerated() {
            try connection.run(
                """
                INSERT INTO ledger_entry (seq, position, at, account, amount, project, kind, run, note)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                sequence,
                position,
                at,
                entry.account,
                entry.amount,
                project,
                kind.rawValue,
                run?.description,
                note
            )
            try connection.run(
                """
                INSERT INTO balance (account, amount) VALUES (?, ?)
                ON CONFLICT (account) DO UPDATE SET amount = balance.amount + excluded.amount
                """,
                entry.account,
                entry.amount
            )
        }
    }

    func keep(_ usage: Usage, _ run: Run) throws {
        try connection.run(
            """
            INSERT INTO usage (job, number, meter, from_at, to_at, micro_units, project, centre)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            run.key.job,
            run.key.number,
            usage.meter,
            usage.from,
            usage.to,
            usage.microUnits,
            run.project,
            run.centre
        )
        try connection.run(
            """
            INSERT INTO usage_hour (hour, project, meter, micro_units) VALUES (?, ?, ?, ?)
            ON CONFLICT (hour, project, meter) DO UPDATE SET
                micro_units = usage_hour.micro_units + excluded.micro_units
            """,
            usage.to.hour,
            run.project,
            usage.meter,
            usage.microUnits
        )
    }
}
