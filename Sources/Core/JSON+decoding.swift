extension JSON {
    /// Reads a value in our one dialect: `snake_case` members for `camelCase` properties, unknown members ignored, the
    /// user's own keys (of dictionaries and of ``JSON`` values) left as they are.
    ///
    /// - Throws: `DecodingError` for the first fault, with the path of members and indexes that leads to it.
    public func decode<Value: Decodable>(_ type: Value.Type = Value.self) throws -> Value {
        try Reader(json: self).value()
    }
}

/// One value under the eyes of a type that reads itself.
///
/// Knows nothing of where it stands: whoever hands out a member adds its key to an error on the way out. So a path costs
/// nothing while all goes well.
private struct Reader: Decoder, SingleValueDecodingContainer {
    let json: JSON
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = json else { throw mismatch([String: JSON].self, "an object") }
        return KeyedDecodingContainer(Keyed<Key>(members))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let items) = json else { throw mismatch([JSON].self, "a list") }
        return Unkeyed(items: items)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func value<Value: Decodable>() throws -> Value {
        // As it is: its own way through a decoder would sort its members.
        if Value.self == JSON.self, let value = json as? Value { return value }
        return try Value(from: self)
    }

    func integer<Value: FixedWidthInteger>() throws -> Value {
        let value: Value? =
            switch json {
            case .integer(let integer): Value(exactly: integer)
            case .number(let number): Value(exactly: number)
            case .null, .bool, .string, .array, .object: nil
            }
        guard let value else { throw mismatch(Value.self, "an integer from \(Value.min) to \(Value.max)") }
        return value
    }

    private func mismatch(_ type: Any.Type, _ what: String) -> DecodingError {
        let message = "must be \(what); this is \(json.kind)"
        return .typeMismatch(type, .init(codingPath: [], debugDescription: message))
    }

    // MARK: SingleValueDecodingContainer

    func decodeNil() -> Bool { json == .null }

    func decode(_: Bool.Type) throws -> Bool {
        guard case .bool(let value) = json else { throw mismatch(Bool.self, "true or false") }
        return value
    }

    func decode(_: String.Type) throws -> String {
        guard case .string(let value) = json else { throw mismatch(String.self, "a string") }
        return value
    }

    func decode(_: Double.Type) throws -> Double {
        guard let value = json.numberValue else { throw mismatch(Double.self, "a number") }
        return value
    }

    func decode(_: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_: Int.Type) throws -> Int { try integer() }
    func decode(_: Int8.Type) throws -> Int8 { try integer() }
    func decode(_: Int16.Type) throws -> Int16 { try integer() }
    func decode(_: Int32.Type) throws -> Int32 { try integer() }
    func decode(_: Int64.Type) throws -> Int64 { try integer() }
    func decode(_: UInt.Type) throws -> UInt { try integer() }
    func decode(_: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_: UInt64.Type) throws -> UInt64 { try integer() }
    func decode<Value: Decodable>(_: Value.Type) throws -> Value { try value() }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let members: [(key: String, value: JSON)]
    /// Of large objects, so that reading all of one costs no more than its size.
    private let index: [String: JSON]?

    private static var scannedMax: Int { 24 }

    init(_ members: [(key: String, value: JSON)]) {
        self.members = members
        index =
            members.count > Self.scannedMax
            ? Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first } : nil
    }

    var codingPath: [any CodingKey] { [] }
    /// Of dictionaries, which alone ask for them.
    var allKeys: [Key] { members.compactMap { Key(stringValue: $0.key) } }

    /// The member of exactly that name, as in dictionaries, or else of the property of that name.
    private func find(_ key: Key) -> JSON? {
        let name = key.stringValue
        if let index { return index[name] ?? JSON.snakeCase(name).flatMap { index[$0] } }
        let length = name.utf8.count
        for member in members where member.key.utf8.count == length && member.key == name { return member.value }
        guard let snake = JSON.snakeCase(name) else { return nil }
        let snakeLength = snake.utf8.count
        for member in members where member.key.utf8.count == snakeLength && member.key == snake { return member.value }
        return nil
    }

    /// The key by the name that stands, or should stand, in the text.
    private func step(_ key: Key) -> Step {
        let name = key.stringValue
        return Step(members.contains { $0.key == name } ? name : JSON.memberName(of: name))
    }

    /// Hands a member out for reading.
    private func read<Value>(_ key: Key, _ body: (Reader) throws -> Value) throws -> Value {
        guard let json = find(key) else {
            throw DecodingError.keyNotFound(step(key), .init(codingPath: [], debugDescription: "is missing"))
        }
        do { return try body(Reader(json: json)) } catch let error as DecodingError { throw error.under(step(key)) }
    }

    /// The same for one that may be absent or null.
    private func readIfPresent<Value>(_ key: Key, _ body: (Reader) throws -> Value) throws -> Value? {
        guard let json = find(key) else { return nil }
        if case .null = json { return nil }
        do { return try body(Reader(json: json)) } catch let error as DecodingError { throw error.under(step(key)) }
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try read(key) { $0.decodeNil() } }

    func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try read(key) { try $0.decode(Bool.self) } }
    func decode(_: String.Type, forKey key: Key) throws -> String { try read(key) { try $0.decode(String.self) } }
    func decode(_: Double.Type, forKey key: Key) throws -> Double { try read(key) { try $0.decode(Double.self) } }
    func decode(_: Int.Type, forKey key: Key) throws -> Int { try read(key) { try $0.integer() } }
    func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try read(key) { try $0.integer() } }

    func decode<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value {
        try read(key) { try $0.value() }
    }

    func decodeIfPresent(_: Bool.Type, forKey key: Key) throws -> Bool? {
        try readIfPresent(key) { try $0.decode(Bool.self) }
    }

    func decodeIfPresent(_: String.Type, forKey key: Key) throws -> String? {
        try readIfPresent(key) { try $0.decode(String.self) }
    }

    func decodeIfPresent(_: Int.Type, forKey key: Key) throws -> Int? { try readIfPresent(key) { try $0.integer() } }

    func decodeIfPresent<Value: Decodable>(_: Value.Type, forKey key: Key) throws -> Value? {
        try readIfPresent(key) { try $0.value() }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try read(key) { try $0.container(keyedBy: type) }
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try read(key) { try $0.unkeyedContainer() }
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try read(key) { $0 } }
    func superDecoder() throws -> any Decoder { Reader(json: .object(members)) }
}

private struct Unkeyed: UnkeyedDecodingContainer {
    let items: [JSON]
    var codingPath: [any CodingKey] { [] }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex == items.count }
    private(set) var currentIndex = 0

    init(items: [JSON]) { self.items = items }

    private mutating func read<Value>(_ body: (Reader) throws -> Value) throws -> Value {
        let step = currentIndex
        guard step < items.count else {
            let context = DecodingError.Context(codingPath: [Step(step)], debugDescription: "is missing")
            throw DecodingError.valueNotFound(Value.self, context)
        }
        do {
            let value = try body(Reader(json: items[step]))
            currentIndex += 1
            return value
        } catch let error as DecodingError { throw error.under(Step(step)) }
    }

    mutating func decodeNil() -> Bool {
        guard !isAtEnd, items[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_: Value.Type) throws -> Value { try read { try $0.value() } }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested>
    {
        try read { try $0.container(keyedBy: type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try read { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { try read { $0 } }
}

/// One step of a path.
private struct Step: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(_ name: String) { (stringValue, intValue) = (name, nil) }
    init(_ index: Int) { (stringValue, intValue) = ("\(index)", index) }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { self.init(intValue) }
}

extension DecodingError {
    /// The same fault, seen from one level above.
    fileprivate func under(_ step: Step) -> DecodingError {
        func longer(_ context: Context) -> Context {
            Context(
                codingPath: [step] + context.codingPath,
                debugDescription: context.debugDescription,
                underlyingError: context.underlyingError
            )
        }
        switch self {
        case .typeMismatch(let type, let context): return .typeMismatch(type, longer(context))
        case .valueNotFound(let type, let context): return .valueNotFound(type, longer(context))
        case .keyNotFound(let key, let context): return .keyNotFound(key, longer(context))
        case .dataCorrupted(let context): return .dataCorrupted(longer(context))
        @unknown default: return self
        }
    }
}

extension Violation {
    /// What is wrong with a value, and where: for callers, without the names of our types.
    public init(decoding error: DecodingError) {
        let (path, message): ([any CodingKey], String) =
            switch error {
            case .keyNotFound(let key, let context): (context.codingPath + [key], "is missing")
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                (context.codingPath, context.debugDescription)
            @unknown default: ([], "cannot be read")
            }
        self.init(path.map { "/" + ($0.intValue.map(String.init) ?? $0.stringValue) }.joined(), message)
    }
}
