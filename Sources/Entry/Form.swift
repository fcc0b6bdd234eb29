import Core

/// The fields of a submitted form or of a query, in their order: `application/x-www-form-urlencoded`.
///
/// > Source: WHATWG URL, section 5.1.
package struct Form: Sendable, Hashable {
    package private(set) var fields: [(name: String, value: String)]

    package static func == (a: Form, b: Form) -> Bool {
        a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
    }

    package func hash(into hasher: inout Hasher) {
        for field in fields {
            hasher.combine(field.name)
            hasher.combine(field.value)
        }
    }

    /// The most fields that are read; the rest is dropped.
    package static let fieldsMax = 2000

    package init(_ fields: [(name: String, value: String)] = []) { self.fields = fields }

    /// Never fails: broken percent signs stand for themselves, broken UTF-8 is replaced.
    package init(parsing text: some StringProtocol) {
        fields = text.utf8.split(separator: UInt8(ascii: "&"), maxSplits: Self.fieldsMax).prefix(Self.fieldsMax).map {
            let parts = $0.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decode(parts[0]), parts.count > 1 ? Self.decode(parts[1]) : "")
        }
    }

    /// The first field of that name with the spaces around it taken off; `nil` when absent or empty.
    package subscript(name: String) -> String? {
        guard let value = fields.first(where: { $0.name == name })?.value else { return nil }
        let trimmed = value.trimmed
        return trimmed.isEmpty ? nil : trimmed
    }

    /// The first field of that name as it was sent.
    package func raw(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    /// Every value of that name.
    package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    /// The same fields with one replaced, or taken out by `nil`.
    package func with(_ name: String, _ value: String?) -> Form {
        var kept = fields.filter { $0.name != name }
        if let value { kept.append((name, value)) }
        return Form(kept)
    }

    /// The text form, percent-encoded.
    package var encoded: String {
        fields.map { "\($0.name.percentEncoded)=\($0.value.percentEncoded)" }.joined(separator: "&")
    }

    /// A path with these fields as its query.
    package func on(_ path: String) -> String { fields.isEmpty ? path : "\(path)?\(encoded)" }

    private static func decode(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self).percentDecoded
    }
}

extension String {
    /// Without the white space at both ends.
    package var trimmed: String {
        var rest = Substring(self)
        while rest.first?.isWhitespace == true { rest.removeFirst() }
        while rest.last?.isWhitespace == true { rest.removeLast() }
        return String(rest)
    }
}
