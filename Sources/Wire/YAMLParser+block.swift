import Core

/// Where a block node may stand.
struct BlockPlace {
    /// Columns of the collection around it; -1 at the top.
    var parentIndent: Int
    /// Whether a collection may begin on this very line: behind `- ` and at the top, not behind `key:`.
    var allowsCompact: Bool
    /// The value of a mapping's key: a sequence may then be no further in than the key.
    var isMappingValue = false
}

extension YAMLParser {
    /// Reads a node in block context; `null` when there is nothing further in than `parentIndent`.
    mutating func block(_ place: BlockPlace, at pointer: String, depth: Int) throws(YAMLError) -> Node {
        let ownLine = line
        let before = values
        // The place of the key or dash, for a value that is absent.
        let home = here()
        try skipToContent()
        guard !isAtEnd, !isAtMarker, isInside(place, ownLine: ownLine) else {
            try note(pointer, depth: depth)
            positions[pointer] = home
            return Node(json: .null)
        }
        var compact = place.allowsCompact || line != ownLine
        var anchor: String?
        var isString = false
        // What an anchor on its own line refers to begins on the next.
        while peek() == UInt8(ascii: "&") || peek() == UInt8(ascii: "!") {
            // `&a key: value` anchors the key, not the mapping.
            if compact, try isKeyAhead(afterProperties: true), column > place.parentIndent {
                throw fault("has an anchor or tag on a key; put it behind the ':' or on a line of its own")
            }
            if peek() == UInt8(ascii: "&") {
                guard anchor == nil else { throw fault("has two anchors for one value") }
                anchor = try anchorName()
            } else {
                isString = try tag()
            }
            let line = line
            try skipToContent()
            guard !isAtEnd, !isAtMarker, isInside(place, ownLine: ownLine) else {
                try note(pointer, depth: depth)
                if let anchor { anchors[anchor] = Anchored(json: .null, values: 1, height: 0) }
                return Node(json: isString ? .string("") : .null)
            }
            compact = compact && self.line == line || self.line != line
        }
        let node = try content(
            place,
            compact: compact,
            isString: isString,
            hasAnchor: anchor != nil,
            at: pointer,
            depth: depth
        )
        if let anchor {
            anchors[anchor] = Anchored(json: node.json, values: values - before, height: node.height)
        }
        return node
    }

    private func isInside(_ place: BlockPlace, ownLine: Int) -> Bool {
        line == ownLine || column > place.parentIndent
            || place.isMappingValue && column == place.parentIndent && isDash
    }

    private var isDash: Bool { peek() == UInt8(ascii: "-") && isBlank(1) }

    private mutating func content(
        _ place: BlockPlace,
        compact: Bool,
        isString: Bool,
        hasAnchor: Bool,
        at pointer: String,
        depth: Int
    ) throws(YAMLError) -> Node {
        switch peek() {
        case UInt8(ascii: "-") where isBlank(1):
            guard compact else { throw fault("has a list on the line of its key; begin it on the next line") }
            return try blockSequence(at: pointer, depth: depth)
        case UInt8(ascii: "?") where isBlank(1):
            throw fault("has a key marked by '?'; keys must be plain words")
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            try note(pointer, depth: depth)
            return Node(json: .string(try blockScalar(parentIndent: place.parentIndent)))
        case UInt8(ascii: "*"):
            if hasAnchor { throw fault("has an anchor on an alias") }
            if try isKeyAhead() { throw fault("has an alias as a key; keys must be plain words") }
            let node = try alias(at: pointer, depth: depth)
            try endOfLine()
            return node
        default: break
        }
        if try isKeyAhead() {
            guard compact else { throw fault("has a second ':' on this line; quote the value, or begin a new line") }
            return try blockMapping(at: pointer, depth: depth)
        }
        let node: Node
        switch peek() {
        case UInt8(ascii: "["), UInt8(ascii: "{"): node = try flow(at: pointer, depth: depth)
        case UInt8(ascii: "\""):
            try note(pointer, depth: depth)
            node = Node(json: .string(try doubleQuoted()))
        case UInt8(ascii: "'"):
            try note(pointer, depth: depth)
            node = Node(json: .string(try singleQuoted()))
        default:
            try note(pointer, depth: depth)
            let text = try plain(indent: place.parentIndent, inFlow: false)
            return Node(json: isString ? .string(text) : try scalar(text))
        }
        try endOfLine()
        return node
    }

    /// Only a comment may stand behind a value on its line.
    private mutating func endOfLine() throws(YAMLError) {
        let start = position
        skipSpaces()
        if peek() == UInt8(ascii: "#"), position > start { skipToBreak() }
        guard isAtEnd || Self.isBreak(peek()) else {
            if peek() == UInt8(ascii: ":") { throw fault("has a key that is not a plain word on one line") }
            throw fault("has something behind the end of a value")
        }
    }

    private mutating func blockSequence(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        try note(pointer, depth: depth)
        let indent = column
        var items: [JSON] = []
        var height = 0
        while true {
            position += 1
            let place = BlockPlace(parentIndent: indent, allowsCompact: true)
            let item = try block(place, at: "\(pointer)/\(items.count)", depth: depth + 1)
            items.append(item.json)
            height = max(height, item.height + 1)
            try skipToContent()
            guard !isAtEnd, !isAtMarker, column >= indent else { break }
            guard column == indent else { throw fault("is indented unlike the lines before it") }
            guard isDash else { break }
        }
        return Node(json: .array(items), height: height)
    }

    private mutating func blockMapping(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        try note(pointer, depth: depth)
        let indent = column
        var members: [(key: String, value: JSON)] = []
        var keys: Set<String> = []
        var merged: [JSON] = []
        var height = 0
        while true {
            let keyPosition = here()
            let isMerge = peek() == UInt8(ascii: "<")
            let key = try blockKey()
            position += 1
            let place = BlockPlace(parentIndent: indent, allowsCompact: false, isMappingValue: true)
            let child = pointer + "/" + pointerPart(key)
            let first = positions[child]
            let value = try block(place, at: child, depth: depth + 1)
            height = max(height, value.height + 1)
            if isMerge, key == "<<" {
                merged.append(value.json)
            } else if keys.insert(key).inserted {
                members.append((key, value.json))
                positions[child] = keyPosition
            } else {
                positions[child] = first
                let first = first.map { ", first on line \($0.line)" } ?? ""
                duplicates.append(.init(position: keyPosition, message: "repeats the key '\(key.prefix(80))'\(first)"))
            }
            try skipToContent()
            guard !isAtEnd, !isAtMarker, column >= indent else { break }
            guard column == indent else { throw fault("is indented unlike the lines before it") }
            guard try isKeyAhead() else {
                if isDash { break }
                throw fault("lacks a ':' behind a key")
            }
        }
        try merge(merged, into: &members, keys: &keys)
        return Node(json: .object(members), height: height)
    }

    /// Reads a key up to its `:`.
    private mutating func blockKey() throws(YAMLError) -> String {
        switch peek() {
        case UInt8(ascii: "\""): return try keyEnd(try doubleQuoted())
        case UInt8(ascii: "'"): return try keyEnd(try singleQuoted())
        case UInt8(ascii: "*"): throw fault("has an alias as a key; keys must be plain words")
        case UInt8(ascii: "&"), UInt8(ascii: "!"):
            throw fault("has an anchor or tag on a key; put it behind the ':' or on a line of its own")
        default:
            try checkPlainStart(inFlow: false)
            let start = position
            while !(peek() == UInt8(ascii: ":") && isBlank(1)) { position += 1 }
            var end = position
            while end > start, Self.isSpace(bytes[end - 1]) { end -= 1 }
            return String(decoding: bytes[start..<end], as: UTF8.self)
        }
    }

    private mutating func keyEnd(_ key: String) throws(YAMLError) -> String {
        skipSpaces()
        return key
    }

    /// Whether this line holds a scalar and behind it a `:`: the beginning of a mapping.
    func isKeyAhead(afterProperties: Bool = false) throws(YAMLError) -> Bool {
        var ahead = self
        if afterProperties {
            while ahead.peek() == UInt8(ascii: "&") || ahead.peek() == UInt8(ascii: "!") {
                while !ahead.isBlank() { ahead.position += 1 }
                ahead.skipSpaces()
            }
        }
        switch ahead.peek() {
        case UInt8(ascii: "\""), UInt8(ascii: "'"):
            let quote = ahead.peek()
            ahead.position += 1
            while true {
                if ahead.isAtEnd || Self.isBreak(ahead.peek()) { return false }
                let byte = ahead.peek()
                ahead.position += 1
                if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                    ahead.position += 1
                } else if byte == quote {
                    guard quote == UInt8(ascii: "'"), ahead.peek() == quote else { break }
                    ahead.position += 1
                }
            }
            ahead.skipSpaces()
            return ahead.peek() == UInt8(ascii: ":") && ahead.isBlank(1)
        case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: ">"), UInt8(ascii: "#"): return false
        default:
            var last: UInt8 = 0x20
            while !ahead.isAtEnd, !Self.isBreak(ahead.peek()) {
                if ahead.peek() == UInt8(ascii: ":"), ahead.isBlank(1) { return last != 0 && ahead.position > position }
                if ahead.peek() == UInt8(ascii: "#"), Self.isSpace(last) { return false }
                last = ahead.peek()
                ahead.position += 1
            }
            return false
        }
    }

    /// Reads a tag; only the one that makes a string is known.
    private mutating func tag() throws(YAMLError) -> Bool {
        guard bytes[position...].starts(with: "!!str".utf8), isBlank(5) else {
            throw fault("has a tag; write the value without it")
        }
        position += 5
        return true
    }

    /// A key as a part of a JSON Pointer.
    func pointerPart(_ key: String) -> String { escaped(key) }
}
