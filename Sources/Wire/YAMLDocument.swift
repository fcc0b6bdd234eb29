public import Core

/// A place in a text as editors count it: both from 1, columns in characters of UTF-8 text.
public struct TextPosition: Hashable, Sendable, Comparable {
    public var line: Int
    public var column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public static func < (a: TextPosition, b: TextPosition) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// Why a text is not the YAML that we accept.
public struct YAMLError: Error, Hashable, Sendable {
    public struct Fault: Hashable, Sendable {
        public var position: TextPosition
        /// What is wrong, as a sentence without its subject's place.
        public var message: String
    }

    /// In the order of the text. A fault of syntax is the last, since nothing behind it can be read.
    public var faults: [Fault]
}

/// A YAML text read as JSON, with the place of every value, so that faults can be shown where they are.
///
/// The subset of YAML 1.2 that job files need, with its core schema: `yes`, `no`, `on` and `off` are strings.
/// Block and flow collections, all five kinds of scalars, anchors, aliases and the merge key `<<` are read. Keys must
/// be scalars. Tags, keys marked by `?` and several documents in one text are refused. JSON texts are YAML texts.
///
/// Safe for texts of strangers: nesting, size and the expansion of aliases are capped, and no input takes more than
/// linear time in the text and the capped expansion.
/// > Source: YAML Ain't Markup Language 1.2.2, chapters 5 to 10. Folding of scalars follows section 6.5 and 8.1.3.
public struct YAMLDocument: Sendable {
    public var json: JSON
    /// By JSON Pointer. What came by an alias is found at the alias.
    public var positions: [String: TextPosition]

    /// Bytes of a text.
    public static let bytesMax = 4 << 20
    /// Levels of nesting, those of aliased values counted.
    public static let depthMax = JSON.depthMax
    /// Values of a document once its aliases are expanded.
    public static let valuesMax = 200_000

    /// Reads a text of one document. An empty one is `null`.
    ///
    /// - Throws: ``YAMLError`` with every repeated key and the first fault of syntax.
    public static func parse(_ text: String, bytesMax: Int = bytesMax) throws(YAMLError) -> YAMLDocument {
        try parse(utf8: Array(text.utf8), bytesMax: bytesMax)
    }

    /// Reads the bytes of one document, which must be UTF-8.
    public static func parse(utf8 bytes: [UInt8], bytesMax: Int = bytesMax) throws(YAMLError) -> YAMLDocument {
        let start = TextPosition(line: 1, column: 1)
        guard bytes.count <= bytesMax else {
            let message = "may be \(bytesMax) bytes long; this has \(bytes.count)"
            throw YAMLError(faults: [YAMLError.Fault(position: start, message: message)])
        }
        guard String(validating: bytes, as: UTF8.self) != nil else {
            throw YAMLError(faults: [YAMLError.Fault(position: start, message: "is not UTF-8")])
        }
        var parser = YAMLParser(bytes: bytes)
        return try parser.document()
    }

    /// Where the value at that pointer stands, or the nearest value around it.
    public func position(of pointer: String) -> TextPosition {
        var pointer = Substring(pointer)
        while true {
            if let position = positions[String(pointer)] { return position }
            guard let slash = pointer.lastIndex(of: "/") else { return TextPosition(line: 1, column: 1) }
            pointer = pointer[..<slash]
        }
    }
}
