import Core

/// Replaying the log into empty views.
extension WriterCore {
    /// Events of one transaction.
    private static let replayBatch = 1000

    private static let progressName = "rebuild"

    /// The last event replayed by a rebuild that has not ended; `nil` when there is none.
    func rebuildPosition() throws -> Int64? {
        try connection.first("SELECT seq FROM progress WHERE name = ?", Self.progressName) { $0.integer(0) }
    }

    /// Empties the views and notes, in the same transaction, that they have to be filled again.
    func beginRebuild() throws {
        try inTransaction { _ in
            for view in Schema.views { try connection.run("DELETE FROM \(view)") }
            try connection.run(
                "INSERT INTO progress (name, seq) VALUES (?, 0) ON CONFLICT (name) DO UPDATE SET seq = 0",
                Self.progressName
            )
        }
    }

    /// Applies what the views do not have yet.
    func replay(_ progress: (EventStore.RebuildProgress) -> Void) throws {
        guard var position = try rebuildPosition() else { return }
        let total = committedSequence
        progress(.init(done: position, total: total))
        while position < total {
            position = try inTransaction { tx in
                let batch = try tx.storedEvents(after: position, limit: Self.replayBatch)
                guard let last = batch.last else { throw Failure.damaged("the log has a gap after \(position)") }
                for stored in batch {
                    let record = try stored.record()
                    try tx.apply(record.event, sequence: record.sequence, at: record.at)
                }
                try connection.run("UPDATE progress SET seq = ? WHERE name = ?", last.sequence, Self.progressName)
                return last.sequence
            }
            progress(.init(done: position, total: total))
        }
        _ = try inTransaction { _ in try connection.run("DELETE FROM progress WHERE name = ?", Self.progressName) }
    }

    /// Every view as text in one order, for comparing.
    func dump() throws -> [String: [String]] {
        var result: [String: [String]] = [:]
        for view in Schema.views {
            let columns = try connection.all("SELECT name FROM pragma_table_info(?) ORDER BY cid", view) { $0.text(0) }
            let joined = columns.map { "COALESCE(quote(\($0)), '')" }.joined(separator: " || '|' || ")
            result[view] = try connection.all("SELECT \(joined) AS line FROM \(view) ORDER BY line") { $0.text(0) }
        }
        return result
    }
}
