/// Which blocks are the main text.
extension PageExtractor {
    mutating func choose(_ page: Span<UInt8>, _ facts: inout PageFacts) {
        guard !blocks.isEmpty else { return }
        drop()
        let top = bestElement()
        keep(inside: top)
        facts.origin = .article
    }

    /// Marks what is no part of the article, by the names of things.
    private mutating func drop() {
        let total = max(marks[0].prose, 1)
        for index in marks.indices {
            let node = parser.tree.nodes[index]
            if node.parent >= 0 && marks[Int(node.parent)].state.contains(.dropped) {
                marks[index].state.insert(.dropped)
                continue
            }
            guard node.tag != .text, index != 0, index != parser.body else { continue }
            let mark = marks[index]
            let isMost = mark.prose * 5 > total * 2
            let isDropped: Bool
            switch node.tag {
            case .nav, .aside, .footer, .menu, .figcaption: isDropped = !isMost
            case .header: isDropped = !isMost && mark.prose * 10 < total
            case .form, .fieldset: isDropped = !isMost
            case .main, .article: isDropped = false
            case .label, .legend, .summary: isDropped = false
            case .h1: isDropped = false
            default:
                isDropped = !mark.hints.isDisjoint(with: .foreign) && !mark.hints.contains(.body) && !isMost
            }
            if isDropped || (mark.hints.contains(.hidden) && !isMost) { marks[index].state.insert(.dropped) }
        }
        for index in blocks.indices where marks[Int(blocks[index].first)].state.contains(.dropped) {
            blocks[index].state.insert(.dropped)
        }
    }

    /// The element that gathers most of the prose close by.
    private mutating func bestElement() -> Int {
        for block in blocks where !block.state.contains(.dropped) && block.text >= 30 {
            let outside = Float(block.text - block.linked) / Float(block.text)
            let value = (1 + min(Float(block.stops), 20) + min(Float(block.text) / 100, 4)) * outside * outside
            var element = Int(block.element)
            // A paragraph gives to what holds it; a block that holds text itself is its own paragraph.
            let tag = parser.tree.nodes[element].tag
            if tag == .p || tag == .pre || tag == .li || tag == .blockquote || tag == .dd {
                element = Int(parser.tree.nodes[element].parent)
            }
            var share: Float = 1
            var level = 0
            while element >= 0 && level < 6 {
                marks[element].score += value * share
                share *= 0.6
                level += 1
                element = Int(parser.tree.nodes[element].parent)
            }
        }
        var best = max(parser.body, 0)
        var bestScore: Float = 0
        for index in marks.indices where marks[index].score > 0 {
            let mark = marks[index]
            var score = mark.score
            if mark.hints.contains(.body) { score *= 1.6 }
            let tag = parser.tree.nodes[index].tag
            if tag == .article || tag == .main { score *= 1.3 }
            if score > bestScore {
                bestScore = score
                best = index
            }
        }
        return best
    }

    private mutating func keep(inside top: Int) {
        let end = parser.tree.nodes[top].next
        for index in blocks.indices {
            let block = blocks[index]
            guard block.first >= Int32(top), block.first < end, !block.state.contains(.dropped) else { continue }
            if block.linked * 2 > block.text { continue }
            blocks[index].isKept = true
        }
    }
}
