import Core
import FoundationEssentials
import GRDBSQLite

/// One database connection with its prepared statements; the only code that binds and steps.
///
/// GRDB opens, configures and closes the connection and owns the queue it lives on. Binding and stepping go to SQLite
/// directly, because rows by column index and parameters without boxing cost a third of the record layer.
///
/// Confined to the serial queue of its lane, so it needs no lock of its own.
final class Connection {
    private let handle: OpaquePointer
    private var statements: [String: OpaquePointer] = [:]
    private let memo = DecodingMemo()

    /// Statements kept prepared. Texts are constants but for the lists' filters, so this is never reached in practice.
    private static let statementsMax = 400

    init(handle: OpaquePointer) {
        self.handle = handle
        // GRDB watches commits for its observers. We have none and begin and end transactions ourselves, unseen by GRDB,
        // which would take a commit that it did not see begin for a broken invariant.
        sqlite3_commit_hook(handle, nil, nil)
        sqlite3_rollback_hook(handle, nil, nil)
        sqlite3_update_hook(handle, nil, nil)
    }

    deinit { finalizeStatements() }

    /// Must precede the closing of the connection.
    func finalizeStatements() {
        for statement in statements.values { sqlite3_finalize(statement) }
        statements = [:]
    }

    /// Whether no transaction is open: after some errors SQLite rolls the whole of it back by itself.
    var isAutocommit: Bool { sqlite3_get_autocommit(handle) != 0 }

    /// Whether the main database can only be read, because of the file or of the medium under it.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Executes a statement that yields no rows; returns how many rows it changed.
    @discardableResult
    func run(_ sql: String, _ values: any SQLBindable...) throws -> Int { try runList(sql, values) }

    /// Executes a statement with its parameters as a list.
    @discardableResult
    func runList(_ sql: String, _ values: [any SQLBindable]) throws -> Int {
        let statement = try prepared(sql)
        defer { sqlite3_reset(statement) }
        try bind(values, to: statement)
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: continue
            case SQLITE_DONE: return Int(sqlite3_changes(handle))
            case let code: throw fault(code)
            }
        }
    }

    /// Every row that a query yields.
    func all<Value>(
        _ sql: String,
        _ values: any SQLBindable...,
        read: (borrowing Row) throws -> Value
    ) throws -> [Value] {
        try all(sql, list: values, read: read)
    }

    /// Every row that a query yields, with its parameters as a list.
    func all<Value>(_ sql: String, list: [any SQLBindable], read: (borrowing Row) throws -> Value) throws -> [Value] {
        let statement = try prepared(sql)
        defer { sqlite3_reset(statement) }
        try bind(list, to: statement)
        var result: [Value] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: result.append(try read(Row(statement: statement, memo: memo)))
            case SQLITE_DONE: return result
            case let code: throw fault(code)
            }
        }
    }

    /// The first row that a query yields.
    func first<Value>(
        _ sql: String,
        _ values: any SQLBindable...,
        read: (borrowing Row) throws -> Value
    ) throws -> Value? {
        let statement = try prepared(sql)
        defer { sqlite3_reset(statement) }
        try bind(values, to: statement)
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return try read(Row(statement: statement, memo: memo))
        case SQLITE_DONE: return nil
        case let code: throw fault(code)
        }
    }

    private func prepared(_ sql: String) throws -> OpaquePointer {
        if let statement = statements[sql] { return statement }
        if statements.count >= Self.statementsMax { finalizeStatements() }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw fault(code) }
        statements[sql] = statement
        return statement
    }

    private func bind(_ values: [any SQLBindable], to statement: OpaquePointer) throws {
        for (index, value) in values.enumerated() {
            let position = Int32(index + 1)
            let code =
                switch value.sqlValue {
                case .null: sqlite3_bind_null(statement, position)
                case .integer(let value): sqlite3_bind_int64(statement, position, value)
                case .text(var value):
                    value.withUTF8 { Self.bindText($0, to: statement, at: position) }
                case .utf8(let value):
                    value.withUnsafeBytes {
                        Self.bindText($0.assumingMemoryBound(to: UInt8.self), to: statement, at: position)
                    }
                }
            guard code == SQLITE_OK else { throw fault(code) }
        }
    }

    private static func bindText(
        _ bytes: UnsafeBufferPointer<UInt8>,
        to statement: OpaquePointer,
        at position: Int32
    ) -> Int32 {
        // SQLITE_TRANSIENT: SQLite copies at once, so the bytes need not outlive this call.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        guard let base = bytes.baseAddress else { return sqlite3_bind_text(statement, position, "", 0, transient) }
        return base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
            sqlite3_bind_text(statement, position, $0, Int32(bytes.count), transient)
        }
    }

    private func fault(_ code: Int32) -> StoreFault {
        StoreFault(code: sqlite3_extended_errcode(handle), message: String(cString: sqlite3_errmsg(handle)), step: code)
    }
}

/// Values by the text that they were decoded from. Confined to its connection's queue.
private final class DecodingMemo {
    /// A thousand short texts, or a few of a megabyte.
    private static let textsMax = 1000
    private static let bytesMax = 4 << 20

    private var values: [Data: Any] = [:]
    private var bytes = 0

    subscript(text: Data) -> Any? { values[text] }

    func keep(_ value: Any, of text: Data) {
        guard text.count <= Self.bytesMax else { return }
        if values.count >= Self.textsMax || bytes + text.count > Self.bytesMax { (values, bytes) = ([:], 0) }
        values[text] = value
        bytes += text.count
    }
}

/// The row under a statement's cursor; columns by index from 0.
struct Row: ~Copyable {
    fileprivate let statement: OpaquePointer
    /// The connection's, which outlives the row; unmanaged, because a row is made for every row of a query.
    private let memo: Unmanaged<DecodingMemo>

    fileprivate init(statement: OpaquePointer, memo: DecodingMemo) {
        (self.statement, self.memo) = (statement, .passUnretained(memo))
    }

    func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(statement, column)) }

    func bool(_ column: Int32) -> Bool { integer(column) != 0 }

    func text(_ column: Int32) -> String {
        guard let bytes = sqlite3_column_text(statement, column) else { return "" }
        let count = Int(sqlite3_column_bytes(statement, column))
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    func utf8(_ column: Int32) -> Data {
        guard let bytes = sqlite3_column_text(statement, column) else { return Data() }
        return Data(bytes: bytes, count: Int(sqlite3_column_bytes(statement, column)))
    }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }
    func optionalInt(_ column: Int32) -> Int? { isNull(column) ? nil : int(column) }
    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }
    func instant(_ column: Int32) -> Instant { Instant(milliseconds: integer(column)) }
    func optionalInstant(_ column: Int32) -> Instant? { isNull(column) ? nil : instant(column) }

    /// An identifier, a name, a digest: anything with one text form.
    func value<Value: LosslessStringConvertible>(_ column: Int32, as type: Value.Type = Value.self) throws -> Value {
        let text = text(column)
        guard let value = Value(text) else { throw unreadable(column, text) }
        return value
    }

    /// The same for the identifiers that most rows begin with, read where they stand.
    func value<Tag>(_ column: Int32, as type: ID<Tag>.Type = ID<Tag>.self) throws -> ID<Tag> {
        let count = Int(sqlite3_column_bytes(statement, column))
        guard let id = ID<Tag>(utf8: .init(start: sqlite3_column_text(statement, column), count: count)) else {
            throw unreadable(column, text(column))
        }
        return id
    }

    func optional<Value: LosslessStringConvertible>(
        _ column: Int32,
        as type: Value.Type = Value.self
    ) throws -> Value? {
        isNull(column) ? nil : try value(column)
    }

    /// A case of an enumeration by its raw text.
    func choice<Value: RawRepresentable<String>>(_ column: Int32, as type: Value.Type = Value.self) throws -> Value {
        let text = text(column)
        guard let value = Value(rawValue: text) else { throw unreadable(column, text) }
        return value
    }

    func optionalChoice<Value: RawRepresentable<String>>(
        _ column: Int32,
        as type: Value.Type = Value.self
    ) throws -> Value? {
        isNull(column) ? nil : try choice(column)
    }

    func json<Value: Decodable>(_ column: Int32, as type: Value.Type = Value.self) throws -> Value {
        try StoredJSON.decode(Value.self, from: utf8(column))
    }

    /// The same for texts that stand in many rows, such as where runs were placed: each is decoded once.
    func repeatedJSON<Value: Decodable>(_ column: Int32, as type: Value.Type = Value.self) throws -> Value {
        let text = utf8(column)
        let memo = memo.takeUnretainedValue()
        // In two steps: where `Value` is an optional, nothing known would pass for a known `nil`.
        if let known = memo[text], let value = known as? Value { return value }
        let value = try StoredJSON.decode(Value.self, from: text)
        memo.keep(value, of: text)
        return value
    }

    private func unreadable(_ column: Int32, _ text: String) -> Failure {
        let name = sqlite3_column_name(statement, column).map { String(cString: $0) } ?? "\(column)"
        return .damaged("column \(name) holds \(text.prefix(80))")
    }
}
