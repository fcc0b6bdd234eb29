/// Where SQLite and PostgreSQL differ, collected in one place. Everything else is written once, in what both accept:
/// `INSERT … ON CONFLICT`, partial indexes, `CASE`, `COALESCE`, text, `BIGINT` and `INTEGER`, 0 and 1 for booleans.
enum Dialect {
    /// The log's key. SQLite stores rows in the order of an `INTEGER PRIMARY KEY`; PostgreSQL takes `BIGINT PRIMARY KEY`.
    static let sequenceKey = "INTEGER PRIMARY KEY"

    /// Takes the write lock at once, so that a batch never fails half way for want of it. PostgreSQL: `BEGIN`, then
    /// `SELECT pg_advisory_xact_lock(…)` before the first append, because readers follow the log by number and a
    /// smaller number that commits later would be skipped.
    static let beginWrite = "BEGIN IMMEDIATE"

    /// PostgreSQL: `BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`.
    static let beginRead = "BEGIN DEFERRED"

    /// Every connection's settings. `cache_size` is in KiB when negative; none of this exists in PostgreSQL.
    static let settings = [
        "PRAGMA cache_size = -8192", "PRAGMA mmap_size = 0", "PRAGMA temp_store = MEMORY",
    ]

    /// The writer's settings. FULL: a commit is on the disk before anybody is told of it. The checkpoint copies the WAL
    /// back every 16 MiB; a WAL that a long reader made larger shrinks again afterwards.
    static let writerSettings = [
        "PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 4096", "PRAGMA journal_size_limit = 67108864",
    ]

    /// A rehearsal's writer: it alone has the file, and what survives is what was committed, not what a disk has.
    static let rehearsalSettings = [
        "PRAGMA journal_mode = MEMORY", "PRAGMA locking_mode = EXCLUSIVE", "PRAGMA synchronous = OFF",
        "PRAGMA cache_size = -262144",
    ]

    /// Whether a table of that name exists. PostgreSQL: `information_schema.tables`.
    static let tableNamed = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"

    /// Whether there is any table at all.
    static let anyTable = "SELECT 1 FROM sqlite_master WHERE type = 'table' LIMIT 1"

    /// The end of the range of texts that begin with `prefix`, for ASCII. Columns compare by bytes here; PostgreSQL
    /// needs `COLLATE "C"` on `job.name`.
    static func end(ofPrefix prefix: String) -> String { prefix + "\u{7F}" }

    /// Places for that many parameters: `?, ?, ?`. PostgreSQL numbers them: `$1, $2, $3`.
    static func places(_ count: Int) -> String { Array(repeating: "?", count: count).joined(separator: ", ") }
}
