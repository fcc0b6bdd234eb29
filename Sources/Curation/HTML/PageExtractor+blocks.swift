/// From the tree to blocks with counts.
extension PageExtractor {
    /// Reads the elements' hints and passes down what descendants inherit.
    mutating func mark(_ page: Span<UInt8>) {
        let count = parser.tree.nodes.count
        marks.removeAll(keepingCapacity: true)
        marks.reserveCapacity(count)
        for index in 0..<count {
            let node = parser.tree.nodes[index]
            var mark = Mark()
            if node.parent >= 0 {
                mark.state = marks[Int(node.parent)].state
                mark.block = marks[Int(node.parent)].block
            }
            if node.tag != .text { markElement(node, index, page, &mark) }
            marks.append(mark)
        }
    }

    private func markElement(_ node: HTMLTree.Node, _ index: Int, _ page: Span<UInt8>, _ mark: inout Mark) {
        let traits = parser.traits[Int(node.tag.rawValue)]
        if traits.contains(.block) { mark.block = Int32(index) }
        if traits.contains(.silent) { mark.state.insert(.silent) }
        if traits.contains(.heading) { mark.state.insert(.heading) }
        switch node.tag {
        case .pre, .listing, .xmp, .plaintext: mark.state.insert(.preformatted)
        case .li, .dd, .dt: mark.state.insert(.item)
        case .td, .th: mark.state.insert(.cell)
        case .blockquote, .q: mark.state.insert(.quote)
        case .figcaption, .caption: mark.state.insert(.caption)
        default: break
        }
        var at = Int(node.start)
        while at < Int(node.end) {
            let attribute = parser.tree.attributes[at]
            at += 1
            let start = Int(attribute.start)
            let end = Int(attribute.end)
            switch attribute.name {
            case .class, .id, .itemprop, .role, .property:
                mark.hints.formUnion(
                    attribute.isDecoded
                        ? hintTable.hints(of: parser.tree.decoded.span, start, end)
                        : hintTable.hints(of: page, start, end)
                )
            case .href:
                if node.tag == .a { mark.state.insert(.linked) }
            case .hidden:
                mark.hints.insert(.hidden)
            case .ariaHidden:
                if end - start == 4 && !attribute.isDecoded && page[start] | 32 == UInt8(ascii: "t") {
                    mark.hints.insert(.hidden)
                }
            case .style:
                if !attribute.isDecoded && hides(page, start, end) { mark.hints.insert(.hidden) }
            default: break
            }
        }
    }

    /// Whether a style has `display: none` or `visibility: hidden`.
    private func hides(_ page: Span<UInt8>, _ start: Int, _ end: Int) -> Bool {
        var property: UInt64 = HTMLNames.basis
        var value: UInt64 = HTMLNames.basis
        var isValue = false
        var at = start
        while at <= end {
            let byte = at < end ? page[at] : UInt8(ascii: ";")
            at += 1
            if byte == UInt8(ascii: ";") {
                if isValue && (property == Self.display && value == Self.none)
                    || (property == Self.visibility && value == Self.hidden)
                {
                    return true
                }
                property = HTMLNames.basis
                value = HTMLNames.basis
                isValue = false
            } else if byte == UInt8(ascii: ":") {
                isValue = true
            } else if byte == UInt8(ascii: "!") {
                // "!important" says nothing here.
                while at < end && page[at] != UInt8(ascii: ";") { at += 1 }
            } else if !isSpace(byte) {
                let letter = UInt64(byte | 32)
                if isValue {
                    value = (value ^ letter) &* HTMLNames.prime
                } else {
                    property = (property ^ letter) &* HTMLNames.prime
                }
            }
        }
        return false
    }

    private static let display = hash("display")
    private static let none = hash("none")
    private static let visibility = hash("visibility")
    private static let hidden = hash("hidden")

    private static func hash(_ word: String) -> UInt64 {
        word.utf8.reduce(HTMLNames.basis) { ($0 ^ UInt64($1)) &* HTMLNames.prime }
    }

    /// Cuts the text into blocks and sums them up the tree.
    mutating func cutBlocks(_ page: Span<UInt8>) {
        blocks.removeAll(keepingCapacity: true)
        let count = parser.tree.nodes.count
        var isOpen = false
        var breaks = 0
        for index in 0..<count {
            let node = parser.tree.nodes[index]
            let state = marks[index].state
            if node.tag != .text {
                if node.tag == .br {
                    breaks += 1
                    if breaks > 1 { isOpen = false }
                } else if !state.contains(.silent), parser.traits[Int(node.tag.rawValue)].contains(.block) {
                    isOpen = false
                }
                continue
            }
            guard !state.contains(.silent) else { continue }
            var block = Block(
                first: Int32(index),
                last: Int32(index + 1),
                element: marks[index].block,
                state: state
            )
            if node.isDecoded {
                measure(parser.tree.decoded.span, Int(node.start), Int(node.end), &block)
            } else {
                measure(page, Int(node.start), Int(node.end), &block)
            }
            if block.text > 0 { breaks = 0 }
            if state.contains(.linked) { block.linked = block.text }
            if isOpen, let last = blocks.indices.last, blocks[last].element == block.element {
                blocks[last].last = block.last
                blocks[last].text += block.text
                blocks[last].linked += block.linked
                blocks[last].stops += block.stops
                blocks[last].words += block.words
            } else if block.text > 0 {
                // White space alone begins nothing.
                blocks.append(block)
                isOpen = true
            }
        }
        sumBlocks(leaving: [])
    }

    /// Adds what the blocks hold to their elements and to all that these are in.
    mutating func sumBlocks(leaving left: State) {
        for block in blocks where block.state.isDisjoint(with: left) {
            let element = Int(block.element)
            marks[element].text += block.text
            marks[element].linked += block.linked
            if Self.isProse(block) {
                marks[element].prose += block.text
                marks[element].proseBlocks += 1
            } else if block.linked * 2 > block.text {
                marks[element].linkBlocks += 1
            }
        }
        // Descendants come after their ancestors, so that one walk backwards sums all up.
        var index = marks.count - 1
        while index > 0 {
            let parent = Int(parser.tree.nodes[index].parent)
            marks[parent].text += marks[index].text
            marks[parent].linked += marks[index].linked
            marks[parent].prose += marks[index].prose
            marks[parent].proseBlocks += marks[index].proseBlocks
            marks[parent].linkBlocks += marks[index].linkBlocks
            index -= 1
        }
    }

    /// Enough text, most of it outside links, to be a sentence.
    static func isProse(_ block: Block) -> Bool {
        block.text >= 60 && block.linked * 3 < block.text && (block.stops > 0 || block.text >= 150)
    }

    /// What a byte is to `measure`.
    static let byteClasses: [UInt8] = {
        var classes = [UInt8](repeating: 0, count: 256)
        for space in [0x20, 0x0A, 0x09, 0x0D, 0x0C, 0x00] { classes[space] = 1 }
        for stop in ".,;:!?".utf8 { classes[Int(stop)] = 2 }
        // The first bytes of U+3001 and U+3002, and of the full-width marks.
        classes[0xE3] = 3
        classes[0xEF] = 3
        return classes
    }()

    private func measure(_ bytes: Span<UInt8>, _ start: Int, _ end: Int, _ block: inout Block) {
        var text: Int32 = 0
        var stops: Int32 = 0
        var words: Int32 = 0
        var wasSpace = true
        var at = start
        while at < end {
            let byte = bytes[at]
            at += 1
            switch byteClasses[Int(byte)] {
            case 0:
                text += 1
                if wasSpace {
                    words += 1
                    wasSpace = false
                }
            case 1:
                wasSpace = true
            case 2:
                text += 1
                // A stop stands before a space or at the end; one inside a number or an address is none.
                if at >= end || isSpace(bytes[at]) || bytes[at] == UInt8(ascii: "\"") { stops += 1 }
            default:
                text += 1
                guard at + 1 < end else { break }
                let second = bytes[at]
                let third = bytes[at + 1]
                if byte == 0xE3 {
                    if second == 0x80 && (third == 0x81 || third == 0x82) { stops += 1 }
                } else if second == 0xBC {
                    // U+FF01, U+FF0C, U+FF1A, U+FF1B, U+FF1F.
                    if third == 0x81 || third == 0x8C || third == 0x9A || third == 0x9B || third == 0x9F { stops += 1 }
                }
            }
        }
        block.text = text
        block.stops = stops
        block.words = words
    }
}
