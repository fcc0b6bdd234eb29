import Core

/// Reads a JSON object strictly: unknown fields are faults, and all faults are reported at once.
///
/// A missing or wrong field reads as `nil` and is noted; callers put their value together with whatever they have, and
/// ``finish(_:)`` throws when anything was noted.
struct BodyReader {
    private let members: [(key: String, value: JSON)]
    private let pointer: String
    private var taken: Set<String> = []
    private(set) var violations: [Violation] = []

    init(_ json: JSON) { self.init(json, pointer: "") }

    private init(_ json: JSON, pointer: String) {
        self.pointer = pointer
        if case .object(let members) = json {
            self.members = members
        } else {
            members = []
            violations = [Violation(pointer, "must be an object; this is \(json.kind)")]
        }
    }

    /// Notes a fault of a field, or of the object itself when `key` is empty.
    mutating func fault(_ key: String, _ message: String) {
        violations.append(Violation(key.isEmpty ? pointer : pointer + "/" + key.pointerToken, message))
    }

    /// A field that may be absent; `null` counts as absent.
    mutating func optional<Value>(_ key: String, _ what: String, _ convert: (JSON) -> Value?) -> Value? {
        taken.insert(key)
        guard let json = members.first(where: { $0.key == key })?.value, json != .null else { return nil }
        guard let value = convert(json) else {
            fault(key, "must be \(what)")
            return nil
        }
        return value
    }

    mutating func required<Value>(_ key: String, _ what: String, _ convert: (JSON) -> Value?) -> Value? {
        if let json = members.first(where: { $0.key == key })?.value, json != .null {
            return optional(key, what, convert)
        }
        taken.insert(key)
        fault(key, "is missing: give \(what)")
        return nil
    }

    // -- the kinds that bodies of ours consist of

    mutating func name<Tag>(_ key: String, as: Name<Tag>.Type = Name<Tag>.self) -> Name<Tag>? {
        required(key, "a name: \(Name<Tag>.rule)") { $0.stringValue.flatMap { Name($0) } }
    }

    mutating func optionalName<Tag>(_ key: String, as: Name<Tag>.Type = Name<Tag>.self) -> Name<Tag>? {
        optional(key, "a name: \(Name<Tag>.rule)") { $0.stringValue.flatMap { Name($0) } }
    }

    /// A line of text for people; `charactersMax` in Unicode scalars, no control characters.
    mutating func optionalText(_ key: String, charactersMax: Int = 200) -> String? {
        optional(key, "one line of at most \(charactersMax) characters") { json in
            guard let text = json.stringValue, text.unicodeScalars.count <= charactersMax,
                text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
            else { return nil }
            return text
        }
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        required(key, "an integer from \(range.lowerBound) to \(range.upperBound)") { json in
            json.integerValue.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func optionalInteger(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        optional(key, "an integer from \(range.lowerBound) to \(range.upperBound)") { json in
            json.integerValue.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    mutating func optionalBool(_ key: String) -> Bool? { optional(key, "true or false", \.boolValue) }

    mutating func digest(_ key: String) -> Digest? {
        required(key, "a digest: 'sha256:' and 64 hexadecimal digits in lower case") {
            $0.stringValue.flatMap { Digest($0) }
        }
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _: Value.Type = Value.self) -> Value?
    where Value.RawValue == String {
        required(key, Self.list(Value.self)) { $0.stringValue.flatMap { Value(rawValue: $0) } }
    }

    mutating func optionalChoice<Value: RawRepresentable & CaseIterable>(
        _ key: String,
        _: Value.Type = Value.self
    ) -> Value? where Value.RawValue == String {
        optional(key, Self.list(Value.self)) { $0.stringValue.flatMap { Value(rawValue: $0) } }
    }

    /// A list of at least one choice.
    mutating func choices<Value: RawRepresentable & CaseIterable>(_ key: String, _: Value.Type = Value.self) -> [Value]?
    where Value.RawValue == String {
        required(key, "a list with any of \(Self.list(Value.self))") { json in
            guard let items = json.arrayValue, !items.isEmpty, items.count <= Value.allCases.count else { return nil }
            let values = items.compactMap { $0.stringValue.flatMap { Value(rawValue: $0) } }
            return values.count == items.count ? values : nil
        }
    }

    mutating func digests(_ key: String, countMax: Int) -> [Digest]? {
        required(key, "a list of at most \(countMax) digests") { json in
            guard let items = json.arrayValue, items.count <= countMax else { return nil }
            let values = items.compactMap { $0.stringValue.flatMap { Digest($0) } }
            return values.count == items.count ? values : nil
        }
    }

    /// A nested object that may be absent.
    mutating func optionalObject<Value>(_ key: String, _ read: (inout BodyReader) -> Value?) -> Value? {
        guard let json = optional(key, "an object", { if case .object = $0 { $0 } else { nil } }) else { return nil }
        var inner = BodyReader(json, pointer: pointer + "/" + key.pointerToken)
        let value = read(&inner)
        inner.noteUnknown()
        violations += inner.violations
        return value
    }

    /// All fields, for objects whose keys are the caller's own.
    mutating func entries<Value>(_ what: String, _ convert: (JSON) -> Value?) -> [String: Value] {
        var entries: [String: Value] = [:]
        for (key, json) in members {
            taken.insert(key)
            if let value = convert(json) { entries[key] = value } else { fault(key, "must be \(what)") }
        }
        return entries
    }

    /// The value when nothing is wrong with it.
    mutating func finish<Value>(_ value: Value?) throws(Failure) -> Value {
        noteUnknown()
        guard violations.isEmpty, let value else {
            let count = violations.count
            throw Failure(
                .invalid,
                count == 1 ? "One thing is wrong with the body." : "\(count) things are wrong with the body.",
                violations: violations
            )
        }
        return value
    }

    private mutating func noteUnknown() {
        for member in members where !taken.contains(member.key) {
            fault(member.key, "is not known here; there are \(taken.sorted().joined(separator: ", "))")
        }
    }

    private static func list<Value: RawRepresentable & CaseIterable>(_: Value.Type) -> String
    where Value.RawValue == String {
        Value.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
    }
}

extension String {
    /// Escaped for a JSON Pointer (RFC 6901, section 3).
    var pointerToken: String { replacing("~", with: "~0").replacing("/", with: "~1") }
}
