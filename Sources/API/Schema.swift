import Core

/// A JSON Schema (draft 2020-12), put together from the few kinds that our documents need.
struct Schema: Sendable {
    let json: JSON

    init(_ json: JSON) { self.json = json }

    init(type: String, _ more: [(key: String, value: JSON)] = []) {
        json = .object([("type", .string(type))] + more)
    }

    static let anything = Schema(.bool(true))
    static let string = Schema(type: "string")
    static let boolean = Schema(type: "boolean")
    static let integer = Schema(type: "integer")
    static let number = Schema(type: "number")
    static let time = Schema(type: "string", [("format", .string("date-time"))])
    static let name = pattern("^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    static let digest = pattern("^sha256:[0-9a-f]{64}$")

    static func string(_ text: String) -> Schema { Schema(type: "string", [("description", .string(text))]) }

    /// - Parameter range: What is taken; the handler checks it itself.
    static func integer(_ text: String, in range: ClosedRange<Int64>? = nil) -> Schema {
        let bounds: [(key: String, value: JSON)] =
            range.map { range in
                let least = ("minimum", JSON.integer(range.lowerBound))
                return range.upperBound == .max ? [least] : [least, ("maximum", .integer(range.upperBound))]
            } ?? []
        return Schema(type: "integer", [("format", .string("int64")), ("description", .string(text))] + bounds)
    }

    static func pattern(_ pattern: String) -> Schema { Schema(type: "string", [("pattern", .string(pattern))]) }

    static func identifier(_ prefix: String) -> Schema { pattern("^\(prefix)-[0-7][0-9a-hjkmnp-tv-z]{25}$") }

    static func choice(_ values: [String]) -> Schema {
        Schema(type: "string", [("enum", .array(values.map { .string($0) }))])
    }

    static func choice(_ type: any (RawRepresentable<String> & CaseIterable).Type) -> Schema {
        func cases<Choice: RawRepresentable<String> & CaseIterable>(_: Choice.Type) -> [String] {
            Choice.allCases.map(\.rawValue)
        }
        return choice(cases(type))
    }

    static func array(of element: Schema) -> Schema { Schema(type: "array", [("items", element.json)]) }

    static func map(of value: Schema) -> Schema { Schema(type: "object", [("additionalProperties", value.json)]) }

    static func component(_ name: String) -> Schema {
        Schema(.object([("$ref", .string("#/components/schemas/\(name)"))]))
    }

    /// An object that takes no other fields; its properties in alphabetic order.
    static func object(_ properties: [String: Schema], required: [String] = [], text: String? = nil) -> Schema {
        var members: [(key: String, value: JSON)] = []
        if let text { members.append(("description", .string(text))) }
        if !properties.isEmpty {
            let sorted = properties.sorted { $0.key < $1.key }
            members.append(("properties", .object(sorted.map { ($0.key, $0.value.json) })))
            members.append(("additionalProperties", .bool(false)))
        }
        if !required.isEmpty { members.append(("required", .array(required.map { .string($0) }))) }
        return Schema(type: "object", members)
    }
}
