public import Core

/// Reads the rows of one row group, page by page, so that its size does not matter.
///
/// The reader touches no file. Its caller reads what is asked for:
///
///     var rows = try ParquetRows(file, group: 0, columns: ["text", "id"])
///     var window: [UInt8] = []
///     loop: while true {
///         switch try rows.step(window.span) {
///         case .read(let range): window = // these bytes of the file, all of them
///         case .row: use(rows.row)
///         case .end: break loop
///         }
///     }
///
/// Values are JSON: whole numbers, floating-point numbers (null for those that JSON has not: infinities and NaN), flags,
/// strings; structs are objects, lists are arrays, maps are arrays of objects with `key` and `value`. Dates and times
/// are ISO 8601 (`2026-01-31`, `2026-01-31T12:00:00.5`, in UTC where the column says so), decimals are strings of digits,
/// and bytes that are no text are base64. Text that is not UTF-8 is repaired with U+FFFD. Times of a day are whole numbers
/// of the column's unit.
///
/// After a fault the rest of the row group cannot be read; other row groups can.
public struct ParquetRows: Sendable {
    public enum Step: Equatable, Sendable {
        /// The next step needs these bytes of the file, all of them.
        case read(Range<Int>)
        /// ``row`` holds the next row.
        case row
        case end
    }

    /// The columns that are read, in the order asked for.
    public let columns: [String]
    /// The values of the current row, one for each of ``columns``.
    public private(set) var row: [JSON] = []

    private let nodes: [ParquetNode]
    private var leaves: [ParquetLeafReader?]
    private let selected: [Int]
    private let limits: ParquetLimits
    private var rowsLeft: Int
    private var elementsLeft = 0
    /// The column that waits for bytes of the file, and how many.
    private var waiting: (leaf: Int, count: Int)?

    /// - Parameter columns: Which columns to read, by their names; all that can be read if nothing. A name that the
    ///   file has not is a fault.
    public init(_ file: ParquetFile, group: Int, columns: [String]? = nil) throws(ParquetFault) {
        guard file.groups.indices.contains(group) else { throw .damaged("a row group that is not there") }
        let names = columns ?? file.columns.filter { $0.refusal == nil }.map(\.name)
        var nodes: [ParquetNode] = []
        var leaves: [ParquetLeafReader?] = Array(repeating: nil, count: file.leaves.count)
        var selected: [Int] = []
        for name in names {
            guard let index = file.columns.firstIndex(where: { $0.name == name }) else {
                throw .unsupported("a column \(name), which the file has not")
            }
            guard let node = file.nodes[index] else {
                throw .unsupported("\(name): \(file.columns[index].refusal ?? "")")
            }
            nodes.append(node)
            for leaf in file.leafRanges[index] where leaves[leaf] == nil {
                guard let type = file.leaves[leaf] else { continue }
                leaves[leaf] = try ParquetLeafReader(
                    file.groups[group].chunks[leaf],
                    type: type,
                    limits: file.limits
                )
                selected.append(leaf)
            }
        }
        guard Set(names).count == names.count else { throw .unsupported("a column that is asked for twice") }
        self.columns = names
        self.nodes = nodes
        self.leaves = leaves
        self.selected = selected
        limits = file.limits
        rowsLeft = selected.isEmpty ? 0 : file.groups[group].rowCount
    }

    /// Takes the next step.
    ///
    /// - Parameter window: The bytes of the file that the step before asked for; else anything.
    public mutating func step(_ window: Span<UInt8>) throws(ParquetFault) -> Step {
        if let (leaf, count) = waiting {
            guard window.count == count else { throw .notParquet }
            waiting = nil
            if let step = try read(leaf, window) { return step }
        }
        guard rowsLeft > 0 else { return .end }
        for leaf in selected {
            while leaves[leaf]?.hasRow == false {
                if let step = try read(leaf, nil) { return step }
            }
        }
        rowsLeft -= 1
        for leaf in selected { try leaves[leaf]?.beginRow() }
        row.removeAll(keepingCapacity: true)
        elementsLeft = limits.rowElementsMax
        for node in nodes { row.append(try assemble(node)) }
        return .row
    }

    private mutating func read(_ leaf: Int, _ window: Span<UInt8>?) throws(ParquetFault) -> Step? {
        if let range = try leaves[leaf]?.readPage(window) {
            waiting = (leaf, range.count)
            return .read(range)
        }
        let held = selected.reduce(0) { $0 + (leaves[$1]?.heldBytes ?? 0) }
        guard held <= limits.heldMaxBytes else { throw .tooLarge("the pages of all columns, \(held) bytes") }
        return nil
    }

    /// Puts a value together from the entries of the columns below a node.
    private mutating func assemble(_ node: ParquetNode) throws(ParquetFault) -> JSON {
        switch node {
        case .leaf(let leaf): return try leaves[leaf]?.take() ?? .null
        case .object(let definition, let members):
            guard try isThere(node, definition) else {
                try dropEntry(node)
                return .null
            }
            var values: [(key: String, value: JSON)] = []
            values.reserveCapacity(members.count)
            for (name, member) in members { values.append((name, try assemble(member))) }
            return .object(values)
        case .list(let definition, let repetition, let element):
            guard try isThere(node, definition + 1) else {
                let isNull = try !isThere(node, definition)
                try dropEntry(node)
                return isNull ? .null : .array([])
            }
            var values: [JSON] = []
            let first = node.firstLeaf
            repeat {
                elementsLeft -= 1
                guard elementsLeft >= 0 else { throw .tooLarge("a row of more than \(limits.rowElementsMax) elements") }
                values.append(try assemble(element))
            } while leaves[first]?.continues(repetition) == true
            return .array(values)
        }
    }

    private func isThere(_ node: ParquetNode, _ definition: Int) throws(ParquetFault) -> Bool {
        guard let reader = leaves[node.firstLeaf] else { return false }
        return try reader.definition() >= definition
    }

    /// Takes the one entry that stands for a missing value in every column below the node.
    private mutating func dropEntry(_ node: ParquetNode) throws(ParquetFault) {
        switch node {
        case .leaf(let leaf):
            guard try leaves[leaf]?.take() == .null else { throw .damaged("the levels of a column") }
        case .object(_, let members): for (_, member) in members { try dropEntry(member) }
        case .list(_, _, let element): try dropEntry(element)
        }
    }
}
