/// The tree of a Parquet schema, with the levels at which its values are there.
///
/// > Source: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md, "Nested Types" with the rules for
/// > lists that older writers wrote; the levels after Melnik and others, "Dremel" (VLDB 2010).
indirect enum ParquetNode: Sendable {
    /// A column of the file, by its index among all columns.
    case leaf(Int)
    /// `definition` is the level from which the struct is there.
    case object(definition: Int, members: [(name: String, node: ParquetNode)])
    /// From the level `definition` the list is there, from the next one on it has elements. An element that is not the
    /// first has the repetition level `repetition`.
    case list(definition: Int, repetition: Int, element: ParquetNode)

    /// Any column below the node; the first one.
    var firstLeaf: Int {
        switch self {
        case .leaf(let index): index
        case .object(_, let members): members.first?.node.firstLeaf ?? 0
        case .list(_, _, let element): element.firstLeaf
        }
    }
}

/// What a column holds.
struct ParquetLeafType: Sendable {
    enum Physical: Int, Sendable {
        case boolean
        case int32
        case int64
        case int96
        case float
        case double
        case byteArray
        case fixed
    }

    enum Meaning: Equatable, Sendable {
        case plain
        case text
        case unsigned
        case decimal(scale: Int)
        case date
        /// Units of a second: 1,000, 1,000,000 or 1,000,000,000.
        case timestamp(perSecond: Int)
        case uuid
        case float16
    }

    var physical: Physical
    var byteCount: Int
    var meaning: Meaning
    var definitionMax: Int
    var repetitionMax: Int
}

/// Makes the tree of the flat list that a footer holds.
struct ParquetSchema {
    private(set) var fields: [(name: String, node: ParquetNode?, refusal: String?, leaves: Range<Int>)] = []
    private(set) var leaves: [ParquetLeafType?] = []

    /// Structs and lists in each other that are read. Deeper columns are refused.
    static let depthMax = 8
    private static let fixedMaxBytes = 1 << 16

    private let elements: [ParquetMetadata.Element]
    private var next = 1

    init(_ metadata: ParquetMetadata) throws(ParquetFault) {
        elements = metadata.elements
        guard let root = elements.first, root.childCount >= 0 else {
            throw .damaged("the schema")
        }
        for _ in 0..<root.childCount {
            let first = leaves.count
            guard next < elements.count else { throw .damaged("the schema") }
            let name = elements[next].name
            do throws(ParquetFault) {
                let node = try node(definition: 0, repetition: 0, depth: 0)
                fields.append((name, node, nil, first..<leaves.count))
            } catch .unsupported(let what) {
                // `next` stands behind the column's elements all the same, since they are walked to their end.
                fields.append((name, nil, what, first..<leaves.count))
            }
        }
        guard next == elements.count else { throw .damaged("the schema") }
    }

    /// Takes the element at `next` and all below it.
    private mutating func node(definition: Int, repetition: Int, depth: Int) throws(ParquetFault) -> ParquetNode {
        guard next < elements.count else { throw .damaged("the schema") }
        guard depth <= 32 else { throw .damaged("a schema that is nested more than 32 deep") }
        let element = elements[next]
        guard (0...2).contains(element.repetition) else { throw .damaged("a repetition of the schema") }
        if element.repetition == 2 {
            // A repeated field outside of a list is a list by itself.
            let inner = try content(definition: definition + 1, repetition: repetition + 1, depth: depth + 1)
            return .list(definition: definition, repetition: repetition + 1, element: inner)
        }
        let definition = definition + element.repetition
        let isList = element.logical == 3 || element.converted == 3
        let isMap = element.logical == 2 || element.converted == 1 || element.converted == 2
        guard isList || isMap, element.childCount == 1, element.physical == nil, next + 1 < elements.count,
            elements[next + 1].repetition == 2
        else { return try content(definition: definition, repetition: repetition, depth: depth) }
        next += 1
        let repeated = elements[next]
        let isElement =
            isMap || repeated.childCount != 1 || repeated.name == "array" || repeated.name == "\(element.name)_tuple"
        if !isElement { next += 1 }
        let inner =
            isElement
            ? try content(definition: definition + 1, repetition: repetition + 1, depth: depth + 1)
            : try node(definition: definition + 1, repetition: repetition + 1, depth: depth + 1)
        return .list(definition: definition, repetition: repetition + 1, element: inner)
    }

    /// The element at `next` without its repetition.
    private mutating func content(definition: Int, repetition: Int, depth: Int) throws(ParquetFault) -> ParquetNode {
        let element = elements[next]
        next += 1
        guard element.childCount > 0 else {
            leaves.append(nil)
            let type = try Self.leafType(element, definition: definition, repetition: repetition)
            guard depth <= Self.depthMax else { throw .unsupported("nesting deeper than \(Self.depthMax)") }
            leaves[leaves.count - 1] = type
            return .leaf(leaves.count - 1)
        }
        guard element.physical == nil, element.childCount <= elements.count - next else { throw .damaged("the schema") }
        var members: [(name: String, node: ParquetNode)] = []
        var refusal: ParquetFault?
        for _ in 0..<element.childCount {
            guard next < elements.count else { throw .damaged("the schema") }
            let name = elements[next].name
            do throws(ParquetFault) {
                members.append(
                    (name, try node(definition: definition, repetition: repetition, depth: depth + 1))
                )
            } catch .unsupported(let what) {
                refusal = .unsupported("\(name): \(what)")
            }
        }
        if let refusal { throw refusal }
        return .object(definition: definition, members: members)
    }

    private static func leafType(
        _ element: ParquetMetadata.Element,
        definition: Int,
        repetition: Int
    ) throws(ParquetFault) -> ParquetLeafType {
        guard let number = element.physical, let physical = ParquetLeafType.Physical(rawValue: number) else {
            throw element.physical == nil ? .unsupported("a struct without members") : .damaged("a type of the schema")
        }
        var byteCount = 0
        switch physical {
        case .boolean, .byteArray: break
        case .int32, .float: byteCount = 4
        case .int64, .double: byteCount = 8
        case .int96: byteCount = 12
        case .fixed:
            byteCount = element.typeLength
            guard (1...fixedMaxBytes).contains(byteCount) else { throw .damaged("the length of a fixed type") }
        }
        return ParquetLeafType(
            physical: physical,
            byteCount: byteCount,
            meaning: meaning(element, physical, byteCount),
            definitionMax: definition,
            repetitionMax: repetition
        )
    }

    private static func meaning(
        _ element: ParquetMetadata.Element,
        _ physical: ParquetLeafType.Physical,
        _ byteCount: Int
    ) -> ParquetLeafType.Meaning {
        let isWhole = physical == .int32 || physical == .int64
        switch (element.logical, element.converted) {
        case (1, _), (4, _), (12, _), (0, 0), (0, 4), (0, 19): return physical == .byteArray ? .text : .plain
        case (5, _), (0, 5): return (0...38).contains(element.scale) ? .decimal(scale: element.scale) : .plain
        case (6, _), (0, 6): return physical == .int32 ? .date : .plain
        case (8, _):
            guard physical == .int64 else { return .plain }
            return .timestamp(perSecond: element.unit == 1 ? 1_000 : element.unit == 2 ? 1_000_000 : 1_000_000_000)
        case (0, 9): return physical == .int64 ? .timestamp(perSecond: 1_000) : .plain
        case (0, 10): return physical == .int64 ? .timestamp(perSecond: 1_000_000) : .plain
        case (10, _): return isWhole && !element.isSigned ? .unsigned : .plain
        case (0, 11), (0, 12), (0, 13), (0, 14): return isWhole ? .unsigned : .plain
        case (14, _): return byteCount == 16 ? .uuid : .plain
        case (15, _): return byteCount == 2 ? .float16 : .plain
        default: return .plain
        }
    }
}
