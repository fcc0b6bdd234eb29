/// Rows under titles, aligned, and cut to the width of the terminal.
struct Table: Sendable {
    struct Column: Sendable {
        enum Alignment: Sendable { case left, right }

        var title: String
        var alignment = Alignment.left
        /// Whether it gives way when the line is too long.
        var shrinks = false

        init(_ title: String, _ alignment: Alignment = .left, shrinks: Bool = false) {
            (self.title, self.alignment, self.shrinks) = (title, alignment, shrinks)
        }
    }

    struct Cell: Sendable, ExpressibleByStringLiteral {
        var text: String
        var style: Style?

        init(_ text: String, _ style: Style? = nil) {
            self.text = printable(text)
            self.style = style
        }

        init(_ text: (some CustomStringConvertible)?, absent: String = "-") {
            self.init(text.map { "\($0)" } ?? absent)
        }

        init(stringLiteral text: String) { self.init(text) }

        static func state(_ name: String) -> Cell { Cell(name, .state(name)) }
    }

    var columns: [Column]
    var rows: [[Cell]] = []

    /// Columns narrower than this do not shrink further.
    static let narrowest = 6
    static let gap = 2

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: Cell...) { add(cells) }

    mutating func add(_ cells: [Cell]) {
        precondition(cells.count == columns.count, "a row has a cell for every column")
        rows.append(cells)
    }

    /// The whole table with a line break behind every line.
    func render(width: Int?, colours: Bool) -> String {
        let widths = fitted(to: width)
        var out = line(columns.map { Cell($0.title, .dim) }, widths, width, colours)
        for row in rows { out += line(row, widths, width, colours) }
        return out
    }

    private func fitted(to width: Int?) -> [Int] {
        var widths = columns.indices.map { index in
            max(displayWidth(columns[index].title), rows.map { displayWidth($0[index].text) }.max() ?? 0)
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + Self.gap * (columns.count - 1) - width
        while excess > 0 {
            let candidates = columns.indices.filter { columns[$0].shrinks && widths[$0] > Self.narrowest }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func line(_ cells: [Cell], _ widths: [Int], _ width: Int?, _ colours: Bool) -> String {
        var out = ""
        var used = 0
        for (index, cell) in cells.enumerated() {
            let room = width.map { min(widths[index], $0 - used) } ?? widths[index]
            guard room > 0 else { break }
            let text = cut(cell.text, to: room)
            let padding = String(repeating: " ", count: max(0, room - displayWidth(text)))
            let styled = colours ? cell.style.map { $0.opening + text + Style.closing } ?? text : text
            let isLast = index == cells.count - 1
            switch columns[index].alignment {
            case .left: out += styled + (isLast ? "" : padding)
            case .right: out += padding + styled
            }
            used += room + Self.gap
            if !isLast { out += String(repeating: " ", count: Self.gap) }
        }
        while out.last == " " { out.removeLast() }
        return out + "\n"
    }
}

/// Figures under titles: the first column says of what and stands left, the others right.
package func alignedFigures(_ titles: [String], _ rows: [[String]]) -> String {
    var table = Table(titles.enumerated().map { Table.Column($1, $0 == 0 ? .left : .right) })
    table.rows = rows.map { $0.map { Table.Cell($0, nil) } }
    return table.render(width: nil, colours: false)
}

/// Text without anything that moves a terminal's cursor or changes its state.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { out.append(isControl(scalar) ? " " : scalar) }
    return String(out)
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) || (0x202A...0x202E).contains(scalar.value)
        || (0x2066...0x2069).contains(scalar.value)
}

/// Columns that a terminal uses: two for wide East Asian characters and pictures, none for combining marks.
///
/// > Source: Unicode Standard Annex 11, the ranges of class W and F in coarse blocks.
func displayWidth(_ text: String) -> Int {
    text.unicodeScalars.reduce(0) { $0 + displayWidth($1) }
}

private func displayWidth(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.value {
    case 0x20..<0x7F: 1
    case 0x0300...0x036F, 0x200B...0x200F, 0xFE00...0xFE0F: 0
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE4F,
        0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
        2
    default: 1
    }
}

/// The text, or as much of it as fits with an ellipsis.
func cut(_ text: String, to width: Int) -> String {
    guard displayWidth(text) > width else { return text }
    var out = ""
    var used = 0
    for character in text {
        let more = displayWidth(String(character))
        guard used + more <= width - 1 else { break }
        out.append(character)
        used += more
    }
    return width > 0 ? out + "…" : ""
}
