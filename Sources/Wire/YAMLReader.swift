// libyaml as Yams carries it. Yams' own tree of nodes is not safe for texts of strangers: see decision 13.
import CYaml
import Core

/// Makes one document of libyaml's events.
///
/// Events come one by one, so that every cap holds before anything is built, and nothing recurses deeper than
/// ``YAMLDocument/depthMax``.
final class YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let bytes: UnsafeBufferPointer<UInt8>
    private var positions: [String: TextPosition] = [:]
    private var pointers = 0
    private var duplicates: [YAMLError.Fault] = []
    private var anchors: [String: Node] = [:]
    private var total = Cost()
    /// Of the last event.
    private var last = TextPosition(line: 1, column: 1)

    /// What repeating a value costs.
    private struct Cost {
        var values = 0
        /// Bytes of scalars.
        var text = 0
    }

    /// A value, what it cost, and how many levels are inside it.
    private struct Node {
        var json: JSON
        var cost = Cost()
        var height = 0
    }

    private struct Event {
        var kind: yaml_event_type_t
        var position: TextPosition
        /// Of a scalar, or the name of an alias.
        var text = ""
        var anchor: String?
        /// Whether the schema says what the scalar means.
        var isPlain = false
    }

    /// - Parameter bytes: UTF-8.
    /// - Throws: ``YAMLError`` with every repeated key and the first fault of syntax.
    static func read(_ bytes: [UInt8]) throws(YAMLError) -> YAMLDocument {
        try bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(YAMLError) -> YAMLDocument in try YAMLReader(bytes).document() }
        }.get()
    }

    /// - Parameter bytes: They outlive the reader.
    private init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
        // libyaml keeps the parser's address.
        parser = .allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    private func document() throws(YAMLError) -> YAMLDocument {
        positions[""] = TextPosition(line: 1, column: 1)
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            return YAMLDocument(json: .null, positions: positions)
        }
        try refuseTagDirectives()
        guard yaml_parser_initialize(parser) == 1 else { throw syntaxFault() }
        yaml_parser_set_input_string(parser, start, bytes.count)
        _ = try next()
        guard try next().kind == YAML_DOCUMENT_START_EVENT else {
            return YAMLDocument(json: .null, positions: positions)
        }
        let first = try next()
        let json = try node(first, at: "", place: first.position, depth: 0).json
        _ = try next()
        let last = try next()
        guard last.kind == YAML_STREAM_END_EVENT else {
            throw fault(last.position, "has a second document; only one is read")
        }
        guard duplicates.isEmpty else { throw YAMLError(faults: duplicates) }
        return YAMLDocument(json: json, positions: positions)
    }

    // MARK: - Values

    /// - Parameter place: Where people look for the value: at its key, if it has one.
    private func node(
        _ event: Event,
        at pointer: String,
        place: TextPosition,
        depth: Int
    ) throws(YAMLError) -> Node {
        positions[pointer] = place
        pointers += pointer.utf8.count
        guard pointers <= YAMLDocument.pointersMax else {
            throw fault(event.position, "has too many values in long keys")
        }
        if event.kind == YAML_ALIAS_EVENT {
            guard let node = anchors[event.text] else {
                throw fault(event.position, "uses the alias '*\(event.text.prefix(80))' before its anchor is complete")
            }
            try count(node.cost, at: event.position)
            try check(depth: depth + node.height, at: event.position)
            return node
        }
        let before = total
        try count(Cost(values: 1, text: event.text.utf8.count), at: event.position)
        try check(depth: depth, at: event.position)
        // Inside this value its own name means nothing.
        if let anchor = event.anchor { anchors[anchor] = nil }
        var node: Node
        switch event.kind {
        case YAML_SEQUENCE_START_EVENT: node = try sequence(at: pointer, depth: depth)
        case YAML_MAPPING_START_EVENT: node = try mapping(at: pointer, depth: depth)
        default: node = Node(json: event.isPlain ? try scalar(event) : .string(event.text))
        }
        node.cost = Cost(values: total.values - before.values, text: total.text - before.text)
        if let anchor = event.anchor { anchors[anchor] = node }
        return node
    }

    private func count(_ cost: Cost, at position: TextPosition) throws(YAMLError) {
        total.values += cost.values
        total.text += cost.text
        guard total.values <= YAMLDocument.valuesMax else {
            throw fault(position, "has more than \(YAMLDocument.valuesMax) values, aliases expanded")
        }
        guard total.text <= YAMLDocument.textMax else {
            throw fault(position, "has more than \(YAMLDocument.textMax) bytes of text, aliases expanded")
        }
    }

    private func check(depth: Int, at position: TextPosition) throws(YAMLError) {
        guard depth < YAMLDocument.depthMax else {
            throw fault(position, Self.tooDeep)
        }
    }

    private func sequence(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        var items: [JSON] = []
        var height = 0
        while true {
            let event = try next()
            if event.kind == YAML_SEQUENCE_END_EVENT { return Node(json: .array(items), height: height) }
            let item = try node(event, at: "\(pointer)/\(items.count)", place: event.position, depth: depth + 1)
            items.append(item.json)
            height = max(height, item.height + 1)
        }
    }

    private func mapping(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        var members: [(key: String, value: JSON)] = []
        var keys: [String: TextPosition] = [:]
        var merged: [(value: JSON, position: TextPosition)] = []
        var height = 0
        while true {
            let key = try next()
            if key.kind == YAML_MAPPING_END_EVENT { break }
            guard key.kind == YAML_SCALAR_EVENT, key.anchor == nil, !key.isPlain || !key.text.isEmpty else {
                throw fault(key.position, "has a key that is no plain word or quoted text")
            }
            try count(Cost(text: key.text.utf8.count), at: key.position)
            let child = "\(pointer)/\(escaped(key.text))"
            let value = try node(try next(), at: child, place: key.position, depth: depth + 1)
            height = max(height, value.height + 1)
            if key.isPlain, key.text == "<<" {
                merged.append((value.json, key.position))
            } else if let first = keys.updateValue(key.position, forKey: key.text) {
                keys[key.text] = first
                let message = "repeats the key '\(key.text.prefix(80))', first on line \(first.line)"
                duplicates.append(YAMLError.Fault(position: key.position, message: message))
            } else {
                members.append((key.text, value.json))
            }
        }
        // What is merged stands behind a mapping's own members. Source: https://yaml.org/type/merge.html
        for (value, position) in merged {
            let sources: [JSON] = if case .array(let items) = value { items } else { [value] }
            for source in sources {
                guard case .object(let others) = source else {
                    throw fault(position, "merges something that is no mapping")
                }
                for other in others where keys.updateValue(position, forKey: other.key) == nil { members.append(other) }
            }
        }
        return Node(json: .object(members), height: height)
    }

    /// What a plain scalar means.
    private func scalar(_ event: Event) throws(YAMLError) -> JSON {
        do { return try Self.scalar(event.text) } catch { throw fault(event.position, error.message) }
    }

    struct ScalarError: Error { var message: String }

    /// > Source: YAML 1.2.2, section 10.3.2, without octal numbers.
    static func scalar(_ text: String) throws(ScalarError) -> JSON {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        switch text.drop(while: { $0 == "+" || $0 == "-" }) {
        case ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN":
            throw ScalarError(message: "has a number that JSON cannot hold")
        default: break
        }
        if text.hasPrefix("0x"), text.utf8.dropFirst(2).allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) {
            return Int64(text.dropFirst(2), radix: 16).map { .integer($0) } ?? .string(text)
        }
        // Of these characters, Swift reads just the numbers of the core schema.
        guard text.utf8.allSatisfy({ numeric.contains($0) }) else { return .string(text) }
        if let value = Int64(text) { return .integer(value) }
        guard let value = Double(text) else { return .string(text) }
        guard value.isFinite else { throw ScalarError(message: "has a number out of range") }
        return .number(value)
    }

    private static let numeric = Array("0123456789+-.eE".utf8)

    // MARK: - libyaml

    private func next() throws(YAMLError) -> Event {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw syntaxFault() }
        defer { yaml_event_delete(&raw) }
        var event = Event(kind: raw.type, position: TextPosition(raw.start_mark))
        last = event.position
        var tag: String?
        switch raw.type {
        case YAML_ALIAS_EVENT: event.text = Self.text(raw.data.alias.anchor) ?? ""
        case YAML_SCALAR_EVENT:
            let scalar = raw.data.scalar
            event.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            event.anchor = Self.text(scalar.anchor)
            tag = Self.text(scalar.tag)
            event.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && tag == nil
            if tag == "tag:yaml.org,2002:str" { tag = nil }
        case YAML_SEQUENCE_START_EVENT:
            event.anchor = Self.text(raw.data.sequence_start.anchor)
            tag = Self.text(raw.data.sequence_start.tag)
        case YAML_MAPPING_START_EVENT:
            event.anchor = Self.text(raw.data.mapping_start.anchor)
            tag = Self.text(raw.data.mapping_start.tag)
        default: break
        }
        if tag != nil { throw fault(event.position, "has a tag; write the value without it") }
        return event
    }

    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
        pointer.map { String(decodingCString: $0, as: UTF8.self) }
    }

    /// Refuses what could only name tags. libyaml compares each with all others: 4 MiB of them take minutes.
    private func refuseTagDirectives() throws(YAMLError) {
        let word = Array("%TAG".utf8)
        for (offset, byte) in bytes.enumerated() where byte == word[0] && bytes[offset...].starts(with: word) {
            guard offset > 0 else { throw fault(last, "has a directive %TAG; write values without tags") }
            switch bytes[offset - 1] {
            // The last bytes of all that ends a line for libyaml, and of a byte order mark.
            case 0x0A, 0x0D, 0x85, 0xA8, 0xA9, 0xBF:
                throw fault(position(ofByte: offset), "has a directive %TAG; write values without tags")
            default: break
            }
        }
    }

    private func position(ofByte offset: Int) -> TextPosition {
        let before = bytes.prefix(offset)
        let line = before.lastIndex(of: 0x0A).map { before[($0 + 1)...] } ?? before
        return TextPosition(line: before.count { $0 == 0x0A } + 1, column: line.count { $0 & 0xC0 != 0x80 } + 1)
    }

    private func fault(_ position: TextPosition, _ message: String) -> YAMLError {
        YAMLError(faults: duplicates + [YAMLError.Fault(position: position, message: message)])
    }

    /// What libyaml says, as the end of a sentence.
    private func syntaxFault() -> YAMLError {
        guard let words = parser.pointee.problem else { return fault(TextPosition(line: 1, column: 1), "is too large") }
        let problem = String(cString: words)
        // The reader of bytes, which is ahead of the parser, knows only an offset.
        guard parser.pointee.error != YAML_READER_ERROR else {
            return fault(position(ofByte: parser.pointee.problem_offset), "has a control character")
        }
        if problem.hasPrefix("Maximum nesting level") {
            return fault(TextPosition(parser.pointee.context_mark), Self.tooDeep)
        }
        let position = TextPosition(parser.pointee.problem_mark)
        let next = parser.pointee.buffer.pointer?.pointee ?? 0
        if problem == "found character that cannot start any token", next != 0 {
            let character = Character(Unicode.Scalar(next))
            let isTab = character == "\t"
            return fault(
                position,
                isTab
                    ? "is indented by a tab; indent by spaces"
                    : "has '\(character)' at the beginning of a value; quote it"
            )
        }
        guard let words = parser.pointee.context else { return fault(position, "is not YAML: \(problem)") }
        let message = "is not YAML: \(problem) \(String(cString: words))"
        let start = TextPosition(parser.pointee.context_mark)
        // What is open at the end of the text, or lacks its ':', is found where it begins.
        let isOpen = next == 0 || problem == "could not find expected ':'"
        if isOpen { return fault(start == position ? last : start, message) }
        return fault(position, start.line == position.line ? message : "\(message) begun on line \(start.line)")
    }

    private static let tooDeep = "is nested deeper than \(YAMLDocument.depthMax) levels, aliases expanded"
}

extension TextPosition {
    fileprivate init(_ mark: yaml_mark_t) { self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1) }
}
