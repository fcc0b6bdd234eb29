import Core
import GRDB
import GRDBSQLite

/// What SQLite said, before it is put into words for a caller.
struct StoreFault: Error {
    /// The extended result code.
    var code: Int32
    var message: String
    /// The primary code that the call itself returned.
    var step: Int32

    init(code: Int32, message: String, step: Int32) {
        self.code = code
        self.message = message
        self.step = step
    }
}

extension Failure {
    /// Puts any error of this layer into words; a `Failure`, a cancellation and a caller's own error stay as they are.
    ///
    /// - Parameter path: The database file, for what operators read.
    static func of(_ error: any Error, path: String) -> any Error {
        switch error {
        case let fault as StoreFault: of(code: fault.code, message: fault.message, path: path)
        case let fault as DatabaseError:
            of(code: fault.extendedResultCode.rawValue, message: fault.message ?? "\(fault.resultCode)", path: path)
        default: error
        }
    }

    private static func of(code: Int32, message: String, path: String) -> Failure {
        let note = "SQLite \(code): \(message) (\(path))"
        switch code & 0xFF {
        case SQLITE_FULL:
            return Failure(.storageExhausted, "The disk under the database is full; free some space.", note: note)
        case SQLITE_READONLY, SQLITE_CANTOPEN, SQLITE_PERM:
            return Failure(
                .storageExhausted,
                "The database cannot be written where it lies; make its folder and files writable for the point.",
                note: note
            )
        case SQLITE_IOERR:
            return Failure(
                .storageExhausted,
                "The disk under the database refused to read or write; check its space and its health.",
                note: note
            )
        case SQLITE_CORRUPT, SQLITE_NOTADB:
            return .damaged(note)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return Failure(
                .unavailable,
                "The database is held by another program; end it and try again.",
                note: note,
                retryAfter: .seconds(1)
            )
        case SQLITE_CONSTRAINT:
            return Failure(
                .conflict,
                "This exists already, or another request came first; look it up before you decide again.",
                note: note
            )
        default:
            return Failure(.internal, "The database could not carry this out; the log has the rest.", note: note)
        }
    }

    /// The database does not hold what it must.
    static func damaged(_ note: String) -> Failure {
        Failure(
            .internal,
            "The database is damaged or is not one of Onepoint's; restore a backup, or set the file aside to begin anew.",
            note: note
        )
    }

    /// An event speaks of something that the views do not have.
    static func missing(_ what: String) -> Failure { Failure(.notFound, "There is no \(what).") }
}
