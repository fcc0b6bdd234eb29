import Core
import FoundationEssentials

/// What a statement's parameter can be: the three storage classes that every dialect has.
enum SQLValue {
    case null
    case integer(Int64)
    case text(String)
    /// Text that is UTF-8 bytes already, such as encoded JSON.
    case utf8(Data)
}

/// A value that knows how it stands in a column.
protocol SQLBindable {
    var sqlValue: SQLValue { get }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    // A closure, because a key path of a generic type is put together anew at each use.
    var sqlValue: SQLValue { map { $0.sqlValue } ?? .null }
}

extension Int64: SQLBindable { var sqlValue: SQLValue { .integer(self) } }
extension Int: SQLBindable { var sqlValue: SQLValue { .integer(Int64(self)) } }
extension Bool: SQLBindable { var sqlValue: SQLValue { .integer(self ? 1 : 0) } }
extension String: SQLBindable { var sqlValue: SQLValue { .text(self) } }
extension Data: SQLBindable { var sqlValue: SQLValue { .utf8(self) } }
extension Instant: SQLBindable { var sqlValue: SQLValue { .integer(milliseconds) } }
extension Bytes: SQLBindable { var sqlValue: SQLValue { .integer(count) } }
extension MilliCores: SQLBindable { var sqlValue: SQLValue { .integer(count) } }
extension MicroCredits: SQLBindable { var sqlValue: SQLValue { .integer(count) } }
extension ID: SQLBindable { var sqlValue: SQLValue { .text(description) } }
extension Name: SQLBindable { var sqlValue: SQLValue { .text(text) } }
extension Digest: SQLBindable { var sqlValue: SQLValue { .text(description) } }
extension Dependency: SQLBindable { var sqlValue: SQLValue { .text(description) } }
extension Account: SQLBindable { var sqlValue: SQLValue { .text(description) } }
extension JobState: SQLBindable { var sqlValue: SQLValue { .text(rawValue) } }
extension RunState: SQLBindable { var sqlValue: SQLValue { .text(rawValue) } }
extension Role: SQLBindable { var sqlValue: SQLValue { .text(rawValue) } }
extension Meter: SQLBindable { var sqlValue: SQLValue { .text(rawValue) } }
extension RepositoryName: SQLBindable { var sqlValue: SQLValue { .text(text) } }
extension GitHash: SQLBindable { var sqlValue: SQLValue { .text(text) } }
extension ReferenceName: SQLBindable { var sqlValue: SQLValue { .text(description) } }
