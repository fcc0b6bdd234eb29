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
/// libyaml reads the text; what its scalars mean is decided here, by the core schema of YAML 1.2 without octal numbers:
/// `yes`, `no`, `on`, `off`, dates and `0o17` are strings. Anchors, aliases and the merge key `<<` are read. Keys must
/// be scalars. Tags other than `!!str` and several documents in one text are refused. JSON texts are YAML texts.
///
/// Safe for texts of strangers: nesting, size and the expansion of aliases are capped, and no input takes more than
/// linear time in the text and the capped expansion.
/// > Source: YAML Ain't Markup Language 1.2.2, section 10.3; decision 13 says why libyaml and why its events.
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
    /// Bytes of all scalars of a document once its aliases are expanded.
    static let textMax = 2 * bytesMax
    /// Bytes of all pointers in ``positions``.
    static let pointersMax = 16 * bytesMax

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
        do {
            return try YAMLReader.read(bytes)
        } catch {
            // JSON writes characters beyond 16 bits as two escapes, which libyaml refuses.
            if let json = plainJSON(bytes) { return YAMLDocument(json: json, positions: ["": start]) }
            throw error
        }
    }

    /// The value of a JSON text that cannot have more values than are allowed, since it lacks the commas and brackets.
    private static func plainJSON(_ bytes: [UInt8]) -> JSON? {
        let separators = bytes.count { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }
        guard separators < valuesMax, let json = try? JSON(parsing: bytes) else { return nil }
        return json
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
