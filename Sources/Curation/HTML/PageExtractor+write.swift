/// From the kept blocks to text.
extension PageExtractor {
    mutating func write(_ page: Span<UInt8>, into text: inout [UInt8]) {
        let start = text.count
        // The row of the block before, if it was a short cell, and the cell.
        var lastRow: Int32 = -1
        var lastCell: Int32 = -1
        for index in blocks.indices where blocks[index].isKept {
            let block = blocks[index]
            // Long cells are those of tables that only lay out the page.
            let isCell = block.state.contains(.cell) && block.text < Self.cellBytesMax
            let row = isCell ? ancestor(.tr, of: block.element) : -1
            if text.count > start {
                if row >= 0 && row == lastRow && block.element != lastCell {
                    append(" | ", to: &text)
                } else {
                    append("\n", to: &text)
                    let isClose =
                        row >= 0 && lastRow >= 0 && row != lastRow
                        && ancestor(.table, of: row) == ancestor(.table, of: lastRow)
                    if !isClose && !isNeighbour(index) { append("\n", to: &text) }
                }
            }
            lastRow = row
            lastCell = block.element
            if block.state.contains(.item) && row < 0 { append("- ", to: &text) }
            write(block, page, into: &text)
        }
    }

    private static let cellBytesMax: Int32 = 240

    /// Whether the text that the page states for machines is so much longer than what was found that it is the better one.
    func useStatement() -> Bool {
        guard statements.body.count >= 300 else { return false }
        var found = 0
        for block in blocks where block.isKept { found += Int(block.text) }
        return found * 2 < statements.body.count
    }

    /// Appends the text that the page states for machines, a line for each of its lines.
    func writeStatement(into text: inout [UInt8]) {
        let start = text.count
        var needsSpace = false
        var needsLine = false
        for byte in statements.body {
            if byte == 0x0A || byte == 0x0D {
                needsLine = text.count > start
            } else if isSpace(byte) || byte == 0 {
                needsSpace = text.count > start
            } else {
                if needsLine { text.append(contentsOf: [0x0A, 0x0A]) } else if needsSpace { text.append(0x20) }
                needsLine = false
                needsSpace = false
                text.append(byte)
            }
        }
    }

    /// Whether this block and the last kept one are items, which need no empty line between.
    private func isNeighbour(_ index: Int) -> Bool {
        guard blocks[index].state.contains(.item) else { return false }
        var before = index - 1
        while before >= 0 && index - before < 8 {
            if blocks[before].isKept { return blocks[before].state.contains(.item) }
            before -= 1
        }
        return false
    }

    private func append(_ words: StaticString, to text: inout [UInt8]) {
        text.append(contentsOf: UnsafeBufferPointer(start: words.utf8Start, count: words.utf8CodeUnitCount))
    }

    /// The nearest ancestor of that kind within a few levels, or -1.
    private func ancestor(_ tag: HTMLTag, of element: Int32) -> Int32 {
        var element = element
        for _ in 0..<8 {
            guard element >= 0 else { return -1 }
            if parser.tree.nodes[Int(element)].tag == tag { return element }
            element = parser.tree.nodes[Int(element)].parent
        }
        return -1
    }

    func write(_ block: Block, _ page: Span<UInt8>, into text: inout [UInt8]) {
        let isPreformatted = block.state.contains(.preformatted)
        let start = text.count
        var needsSpace = false
        for index in Int(block.first)..<Int(block.last) {
            let node = parser.tree.nodes[index]
            if node.tag == .br {
                trimSpaces(&text, start)
                if text.count > start { text.append(UInt8(ascii: "\n")) }
                needsSpace = false
                continue
            }
            guard node.tag == .text, !marks[index].state.contains(.silent), !marks[index].state.contains(.dropped)
            else {
                continue
            }
            if node.isDecoded {
                write(parser.tree.decoded.span, node, isPreformatted, start, &needsSpace, into: &text)
            } else {
                write(page, node, isPreformatted, start, &needsSpace, into: &text)
            }
        }
        while text.count > start, let last = text.last, isSpace(last) { text.removeLast() }
    }

    private func trimSpaces(_ text: inout [UInt8], _ start: Int) {
        while text.count > start, text.last == UInt8(ascii: " ") { text.removeLast() }
    }

    private func write(
        _ bytes: Span<UInt8>,
        _ node: HTMLTree.Node,
        _ isPreformatted: Bool,
        _ start: Int,
        _ needsSpace: inout Bool,
        into text: inout [UInt8]
    ) {
        let end = Int(node.end)
        var at = Int(node.start)
        while at < end {
            let byte = bytes[at]
            at += 1
            if isPreformatted {
                // A carriage return is part of a line's end, and a first line's end belongs to the tag.
                if byte == 0x0D || byte == 0 || (byte == 0x0A && text.count == start) { continue }
                text.append(byte)
                continue
            }
            if isSpace(byte) || byte == 0 {
                needsSpace = true
                continue
            }
            // U+00A0 and U+3000 are spaces; U+00AD, U+200B and U+FEFF only say where a line may break.
            if byte == 0xC2, at < end, bytes[at] == 0xA0 || bytes[at] == 0xAD {
                needsSpace = needsSpace || bytes[at] == 0xA0
                at += 1
                continue
            }
            if byte >= 0xE2, at + 1 < end {
                let tail = UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
                if (byte == 0xE3 && tail == 0x8080) || (byte == 0xE2 && tail == 0x808B)
                    || (byte == 0xEF && tail == 0xBBBF)
                {
                    needsSpace = needsSpace || byte == 0xE3
                    at += 2
                    continue
                }
            }
            if needsSpace {
                if text.count > start && text.last != UInt8(ascii: "\n") { text.append(UInt8(ascii: " ")) }
                needsSpace = false
            }
            text.append(byte)
        }
    }
}
