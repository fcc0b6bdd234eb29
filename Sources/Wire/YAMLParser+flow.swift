import Core

extension YAMLParser {
    /// Reads `[…]` or `{…}`.
    mutating func flow(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        try note(pointer, depth: depth)
        let isSequence = peek() == UInt8(ascii: "[")
        position += 1
        return isSequence
            ? try flowSequence(at: pointer, depth: depth) : try flowMapping(at: pointer, depth: depth)
    }

    private mutating func flowContent() throws(YAMLError) {
        while true {
            let start = position
            skipSpaces()
            if peek() == UInt8(ascii: "#"), position > start || column == 0 { skipToBreak() }
            if isAtEnd { throw fault("ends inside brackets") }
            guard Self.isBreak(peek()) else { break }
            takeBreak()
        }
        if isAtMarker { throw fault("ends inside brackets") }
    }

    private mutating func flowSequence(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        var items: [JSON] = []
        var height = 0
        while true {
            try flowContent()
            if peek() == UInt8(ascii: "]") { break }
            if peek() == UInt8(ascii: ",") { throw fault("has a ',' without a value before it") }
            let child = "\(pointer)/\(items.count)"
            let home = here()
            let isQuoted = peek() == UInt8(ascii: "\"") || peek() == UInt8(ascii: "'")
            let startLine = line
            var item = try flowNode(at: child, depth: depth + 1)
            try flowContent()
            if peek() == UInt8(ascii: ":"), isQuoted || isBlank(1) || UInt8.isFlowIndicator(peek(1)) {
                // A pair without braces is a mapping of one member.
                guard let key = keyText(item.json), line == startLine else {
                    throw fault("has a key that is not a plain word on one line")
                }
                position += 1
                let value = try flowValue(at: child + "/" + pointerPart(key), depth: depth + 2)
                item = Node(json: .object([(key, value.json)]), height: value.height + 1)
                positions[child] = home
                try flowContent()
            }
            items.append(item.json)
            height = max(height, item.height + 1)
            if peek() == UInt8(ascii: ",") {
                position += 1
            } else if peek() != UInt8(ascii: "]") {
                throw fault("lacks a ',' or ']' in a list")
            }
        }
        position += 1
        return Node(json: .array(items), height: height)
    }

    private mutating func flowMapping(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        var members: [(key: String, value: JSON)] = []
        var keys: Set<String> = []
        var merged: [JSON] = []
        var height = 0
        while true {
            try flowContent()
            if peek() == UInt8(ascii: "}") { break }
            let keyPosition = here()
            let isMerge = peek() == UInt8(ascii: "<")
            let key = try flowKey()
            try flowContent()
            let child = pointer + "/" + pointerPart(key)
            var value = Node(json: .null)
            if peek() == UInt8(ascii: ":") {
                position += 1
                value = try flowValue(at: child, depth: depth + 1)
                try flowContent()
            }
            height = max(height, value.height + 1)
            if isMerge, key == "<<" {
                merged.append(value.json)
            } else if keys.insert(key).inserted {
                members.append((key, value.json))
                positions[child] = keyPosition
            } else {
                duplicates.append(.init(position: keyPosition, message: "repeats the key '\(key.prefix(80))'"))
            }
            if peek() == UInt8(ascii: ",") {
                position += 1
            } else if peek() != UInt8(ascii: "}") {
                throw fault("lacks a ',' or '}' in a mapping")
            }
        }
        position += 1
        try merge(merged, into: &members, keys: &keys)
        return Node(json: .object(members), height: height)
    }

    private mutating func flowKey() throws(YAMLError) -> String {
        switch peek() {
        case UInt8(ascii: "\""): return try doubleQuoted()
        case UInt8(ascii: "'"): return try singleQuoted()
        case UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "*"), UInt8(ascii: "&"), UInt8(ascii: "!"),
            UInt8(ascii: "]"), UInt8(ascii: ","), UInt8(ascii: ":"):
            throw fault("has a key that is not a plain word")
        case UInt8(ascii: "?") where isBlank(1): throw fault("has a key marked by '?'; keys must be plain words")
        default: return try plain(indent: -1, inFlow: true)
        }
    }

    private mutating func flowValue(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        try flowContent()
        switch peek() {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"):
            try note(pointer, depth: depth)
            return Node(json: .null)
        default: return try flowNode(at: pointer, depth: depth)
        }
    }

    private mutating func flowNode(at pointer: String, depth: Int) throws(YAMLError) -> Node {
        let before = values
        var anchor: String?
        if peek() == UInt8(ascii: "&") {
            anchor = try anchorName()
            try flowContent()
        }
        let node: Node
        switch peek() {
        case UInt8(ascii: "["), UInt8(ascii: "{"): node = try flow(at: pointer, depth: depth)
        case UInt8(ascii: "*"):
            if anchor != nil { throw fault("has an anchor on an alias") }
            node = try alias(at: pointer, depth: depth)
        case UInt8(ascii: "\""):
            try note(pointer, depth: depth)
            node = Node(json: .string(try doubleQuoted()))
        case UInt8(ascii: "'"):
            try note(pointer, depth: depth)
            node = Node(json: .string(try singleQuoted()))
        case UInt8(ascii: "!"): throw fault("has a tag; write the value without it")
        default:
            try note(pointer, depth: depth)
            node = Node(json: try scalar(try plain(indent: -1, inFlow: true)))
        }
        if let anchor {
            anchors[anchor] = Anchored(json: node.json, values: values - before, height: node.height)
        }
        return node
    }

    private func keyText(_ json: JSON) -> String? {
        switch json {
        case .string(let text): text
        case .integer, .number, .bool, .null: json.text
        case .array, .object: nil
        }
    }
}
