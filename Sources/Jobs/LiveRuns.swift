import Core
import Store

/// The keys of every centre's live runs, brought up to date from the log: an agent's call costs what has changed since
/// the last one, not what lives.
struct LiveRuns {
    /// Where the log ended that this is up to date with; `nil` before anything was read.
    private var sequence: Int64?
    private var keys: [CentreName: Set<RunKey>] = [:]
    /// Where the log ended when a centre's keys last changed.
    private var changedAt: [CentreName: Int64] = [:]

    /// What happened since the last look is read at most to here; beyond, everything is read anew.
    private static let movesMax = 10_000

    /// Brings this up to the view of `tx`, unless somebody with a newer one was here before.
    mutating func follow(_ tx: ReadTransaction) throws {
        let last = try tx.lastSequence()
        guard let known = sequence else { return try readAll(tx, last) }
        guard known < last else { return }
        let moves = try tx.runMoves(after: known, limit: Self.movesMax)
        guard moves.count < Self.movesMax else { return try readAll(tx, last) }
        for move in moves {
            if move.isLive {
                keys[move.centre, default: []].insert(move.run)
            } else {
                keys[move.centre]?.remove(move.run)
            }
            changedAt[move.centre] = last
        }
        sequence = last
    }

    private mutating func readAll(_ tx: ReadTransaction, _ last: Int64) throws {
        keys = try tx.liveRunKeys()
        changedAt = keys.mapValues { _ in last }
        sequence = last
    }

    /// A centre's live runs in the view of `tx`; to be asked after ``follow(_:)``.
    func keys(at centre: CentreName, _ tx: ReadTransaction) throws -> Set<RunKey> {
        // Of a newer view than this caller's, and changed since, as far as one knows.
        if let changed = changedAt[centre], try changed > tx.lastSequence() {
            return try tx.liveRunKeys(at: centre)[centre] ?? []
        }
        return keys[centre] ?? []
    }

    /// The same in the middle of a transaction, with what it has done.
    func keys(at centre: CentreName, within tx: WriteTransaction) throws -> Set<RunKey> {
        guard let sequence else { return try tx.liveRunKeys(at: centre)[centre] ?? [] }
        let moves = try tx.runMoves(after: sequence, limit: Self.movesMax)
        guard moves.count < Self.movesMax else { return try tx.liveRunKeys(at: centre)[centre] ?? [] }
        var keys = keys[centre] ?? []
        for move in moves where move.centre == centre {
            if move.isLive { keys.insert(move.run) } else { keys.remove(move.run) }
        }
        return keys
    }
}
