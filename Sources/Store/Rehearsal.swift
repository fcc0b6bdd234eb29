import Core

/// How a simulation opens a store: every command runs at once on the caller's thread, alone in its transaction, so that
/// nothing depends on threads; and the disk can refuse, or the process die, at every commit.
///
/// Only one thread at a time may use a store that was opened so.
package struct Rehearsal: Sendable {
    /// Called before a read; throws when the process is dead.
    package var mayRead: @Sendable () throws -> Void
    /// Called before a commit; throwing undoes the command, as a disk that refuses does.
    package var willCommit: @Sendable () throws -> Void
    /// Called after a commit, before anybody is told; throwing loses the answer, as the end of the process does.
    package var didCommit: @Sendable () throws -> Void

    package init(
        mayRead: @escaping @Sendable () throws -> Void = {},
        willCommit: @escaping @Sendable () throws -> Void = {},
        didCommit: @escaping @Sendable () throws -> Void = {}
    ) {
        (self.mayRead, self.willCommit, self.didCommit) = (mayRead, willCommit, didCommit)
    }
}

extension WriterCore {
    /// Reads what is committed, on the writer's own connection: nobody else is in the middle of anything.
    func reading<Value>(_ body: (ReadTransaction) throws -> Value) throws -> Value {
        try connection.run(Dialect.beginRead)
        defer { if !connection.isAutocommit { _ = try? connection.run("COMMIT") } }
        return try body(ReadTransaction(connection, submissions: submissions, cachesThrough: .max))
    }
}

extension EventStore {
    /// Reads at once; only in a rehearsal.
    package func rehearsedRead<Value>(_ body: (ReadTransaction) throws -> Value) throws -> Value {
        guard let rehearsal = writer.rehearsal else { throw Failure.closed }
        return try writer.rehearse(rehearsal, body)
    }

    /// Every view as text in one order: equal for equal views.
    package func dump() async throws -> [String: [String]] { try await writer.exclusively { try $0.dump() } }
}
