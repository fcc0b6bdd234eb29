import Core

/// One pass over the bytes of a YAML text; see ``YAMLDocument`` for what it accepts.
///
/// Every node function begins with `position` at or before the node and leaves it behind the node.
struct YAMLParser {
    let bytes: [UInt8]
    var position = 0
    /// From 0.
    var line = 0
    /// Offset of the first byte of the current line.
    var lineStart = 0
    var positions: [String: TextPosition] = [:]
    var duplicates: [YAMLError.Fault] = []
    var anchors: [String: Anchored] = [:]
    var values = 0
    /// Characters of the current line that were counted already, and up to where.
    private var counted = (lineStart: 0, offset: 0, characters: 0)

    /// What an anchor stands for and what it costs to repeat it.
    struct Anchored {
        var json: JSON
        var values: Int
        var height: Int
    }

    init(bytes: [UInt8]) { self.bytes = bytes }

    // MARK: - Bytes

    /// The byte so many places on; 0 at the end, which is no valid byte of a document.
    func peek(_ ahead: Int = 0) -> UInt8 {
        position + ahead < bytes.count ? bytes[position + ahead] : 0
    }

    var isAtEnd: Bool { position >= bytes.count }
    var column: Int { position - lineStart }

    static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
    /// A space, a break, or the end.
    func isBlank(_ ahead: Int = 0) -> Bool {
        position + ahead >= bytes.count || Self.isSpace(bytes[position + ahead])
            || Self.isBreak(bytes[position + ahead])
    }

    mutating func takeBreak() {
        if peek() == 0x0D, peek(1) == 0x0A { position += 1 }
        position += 1
        line += 1
        lineStart = position
    }

    mutating func skipSpaces() {
        while !isAtEnd, Self.isSpace(bytes[position]) { position += 1 }
    }

    mutating func skipToBreak() {
        while !isAtEnd, !Self.isBreak(bytes[position]) { position += 1 }
    }

    /// Whether a line begins here that ends the document: `---` or `...`.
    var isAtMarker: Bool {
        column == 0 && isBlank(3)
            && (peek() == UInt8(ascii: "-") && peek(1) == UInt8(ascii: "-") && peek(2) == UInt8(ascii: "-")
                || peek() == UInt8(ascii: ".") && peek(1) == UInt8(ascii: ".") && peek(2) == UInt8(ascii: "."))
    }

    /// Skips spaces, comments and empty lines up to the next thing that means something.
    mutating func skipToContent() throws(YAMLError) {
        while !isAtEnd {
            let atLineStart = column == 0
            let start = position
            skipSpaces()
            if peek() == UInt8(ascii: "#"), atLineStart || position > start || position == 0 { skipToBreak() }
            guard !isAtEnd, Self.isBreak(peek()) else {
                if atLineStart, !isAtEnd, bytes[start..<position].contains(0x09),
                    !UInt8.isFlowBracket(peek())
                {
                    throw fault("is indented by a tab; indent by spaces")
                }
                return
            }
            takeBreak()
        }
    }

    // MARK: - Faults and positions

    /// Where `position` is. Counts on from the last call, so that long lines cost linear time.
    mutating func here() -> TextPosition {
        if counted.lineStart != lineStart || counted.offset > position { counted = (lineStart, lineStart, 0) }
        counted.characters += characters(from: counted.offset)
        counted.offset = position
        return TextPosition(line: line + 1, column: counted.characters + 1)
    }

    /// Only the first bytes of characters count.
    private func characters(from start: Int) -> Int {
        let end = min(position, bytes.count)
        return start < end ? bytes[start..<end].count { $0 & 0xC0 != 0x80 } : 0
    }

    func fault(_ message: String) -> YAMLError {
        let place = TextPosition(line: line + 1, column: characters(from: lineStart) + 1)
        return YAMLError(faults: duplicates + [YAMLError.Fault(position: place, message: message)])
    }

    /// Counts one more value.
    mutating func note(_ pointer: String, depth: Int) throws(YAMLError) {
        values += 1
        guard values <= YAMLDocument.valuesMax else {
            throw fault("has more than \(YAMLDocument.valuesMax) values, aliases expanded")
        }
        guard depth < YAMLDocument.depthMax else {
            throw fault("is nested deeper than \(YAMLDocument.depthMax) levels")
        }
        positions[pointer] = here()
    }

    // MARK: - The document

    mutating func document() throws(YAMLError) -> YAMLDocument {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { (position, lineStart) = (3, 3) }
        try skipToContent()
        var hasDirective = false
        while peek() == UInt8(ascii: "%"), column == 0 {
            guard bytes[position...].starts(with: "%YAML 1.".utf8) else { throw fault("has an unknown directive") }
            hasDirective = true
            skipToBreak()
            try skipToContent()
        }
        if isAtMarker, peek() == UInt8(ascii: "-") {
            position += 3
        } else if hasDirective {
            throw fault("has a directive without '---' behind it")
        }
        let json = try block(BlockPlace(parentIndent: -1, allowsCompact: true), at: "", depth: 0).json
        try skipToContent()
        if isAtMarker {
            let isEnd = peek() == UInt8(ascii: ".")
            if isEnd { position += 3 }
            try skipToContent()
            if !isAtEnd { throw fault("has a second document; only one is read") }
        }
        if !isAtEnd { throw fault("goes on after its end; is this line indented right?") }
        guard duplicates.isEmpty else { throw YAMLError(faults: duplicates) }
        return YAMLDocument(json: json, positions: positions)
    }

    /// A value with the height of its nesting, for anchors.
    struct Node {
        var json: JSON
        var height = 0
    }

    // MARK: - Anchors and aliases

    /// Reads the name behind `&` or `*`.
    mutating func anchorName() throws(YAMLError) -> String {
        position += 1
        let start = position
        while !isBlank(), !UInt8.isFlowIndicator(peek()) { position += 1 }
        guard position > start, position - start <= 128 else { throw fault("has an anchor without a proper name") }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    mutating func alias(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        positions[pointer] = here()
        let name = try anchorName()
        guard let anchored = anchors[name] else { throw fault("uses the alias '*\(name)' before its anchor") }
        values += anchored.values
        guard values <= YAMLDocument.valuesMax else {
            throw fault("has more than \(YAMLDocument.valuesMax) values, aliases expanded")
        }
        guard depth + anchored.height < YAMLDocument.depthMax else {
            throw fault("is nested deeper than \(YAMLDocument.depthMax) levels, aliases expanded")
        }
        return Node(json: anchored.json, height: anchored.height)
    }

    /// Merges what `<<` brings behind a mapping's own members.
    ///
    /// > Source: https://yaml.org/type/merge.html
    mutating func merge(
        _ merged: [JSON],
        into members: inout [(key: String, value: JSON)],
        keys: inout Set<String>
    ) throws(YAMLError) {
        for value in merged {
            let sources: [JSON] = if case .array(let items) = value { items } else { [value] }
            for source in sources {
                guard case .object(let others) = source else { throw fault("merges something that is no mapping") }
                for other in others where keys.insert(other.key).inserted { members.append(other) }
            }
        }
    }
}

extension UInt8 {
    static func isFlowIndicator(_ byte: UInt8) -> Bool {
        isFlowBracket(byte) || byte == UInt8(ascii: ",")
    }

    static func isFlowBracket(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "}"): true
        default: false
        }
    }
}
