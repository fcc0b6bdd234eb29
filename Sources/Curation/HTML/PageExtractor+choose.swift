/// Which blocks are the main text.
extension PageExtractor {
    mutating func choose(_ page: Span<UInt8>, _ facts: inout PageFacts) {
        guard !blocks.isEmpty else { return }
        drop()
        sum()
        top = bestElement()
        let core = top
        top = widened(top)
        keep(inside: top, core: core)
        keepLead(before: top)
        trimHeadings()
        facts.origin = .article
    }

    /// Marks what is no part of the article, by the names of things.
    private mutating func drop() {
        let total = max(marks[0].prose, 1)
        for index in marks.indices {
            let node = parser.tree.nodes[index]
            let parent = Int(node.parent)
            if parent >= 0 && marks[parent].state.contains(.dropped) {
                marks[index].state.insert(.dropped)
                continue
            }
            if parent >= 0 && marks[parent].state.contains(.weak) { marks[index].state.insert(.weak) }
            guard node.tag != .text, index != 0, index != parser.body else { continue }
            let mark = marks[index]
            let isMost = mark.prose * 5 > total * 2
            var isDropped = false
            var isWeak = false
            switch node.tag {
            case .nav, .aside, .footer, .menu, .figcaption: isDropped = true
            case .header, .form, .fieldset: isWeak = true
            default: break
            }
            if !mark.hints.isDisjoint(with: .foreign) {
                switch node.tag {
                case .main, .article, .label, .legend, .summary, .h1: break
                default:
                    if mark.hints.contains(.body) || mark.hints.contains(.post) {
                    } else if mark.hints.contains(.lead) {
                        isWeak = true
                    } else {
                        isDropped = true
                    }
                }
            }
            if mark.hints.contains(.hidden) { isDropped = true }
            if mark.hints.contains(.media) { isWeak = true }
            if isMost { continue }
            if isDropped { marks[index].state.insert(.dropped) }
            if isWeak { marks[index].state.insert(.weak) }
        }
        for index in blocks.indices {
            let state = marks[Int(blocks[index].first)].state
            if state.contains(.dropped) { blocks[index].state.insert(.dropped) }
            if state.contains(.weak) { blocks[index].state.insert(.weak) }
        }
    }

    /// Sums up the tree again, now without what was dropped.
    private mutating func sum() {
        for index in marks.indices {
            marks[index].text = 0
            marks[index].linked = 0
            marks[index].prose = 0
            marks[index].proseBlocks = 0
            marks[index].linkBlocks = 0
        }
        sumBlocks(leaving: .dropped)
    }

    /// The ancestor that holds more of the same, or the element itself.
    private func widened(_ element: Int) -> Int {
        var best = element
        var each = Int(parser.tree.nodes[element].parent)
        while each >= 0 {
            let more = marks[each].prose - marks[best].prose
            let text = marks[each].text - marks[best].text
            let linked = marks[each].linked - marks[best].linked
            let blocks = marks[each].proseBlocks - marks[best].proseBlocks
            let links = marks[each].linkBlocks - marks[best].linkBlocks
            // Worth it when what comes along is prose for the most part, and not each with a link of its own, as the
            // teasers of other articles have.
            if more * 100 > marks[best].prose * Self.gain && more * 2 > text && linked * 4 < text && links * 2 <= blocks {
                best = each
            }
            each = Int(parser.tree.nodes[each].parent)
        }
        return best
    }

    private static let gain: Int32 = 15

    /// Keeps prose between the page's heading and the article's element: its lead.
    private mutating func keepLead(before top: Int) {
        var first = -1
        for index in blocks.indices {
            let block = blocks[index]
            guard block.first < Int32(top) else { break }
            if parser.tree.nodes[Int(block.element)].tag == .h1 { first = index + 1 }
        }
        guard first >= 0 else { return }
        for index in first..<blocks.count {
            let block = blocks[index]
            guard block.first < Int32(top) else { break }
            if !block.state.contains(.dropped) && Self.isProse(block) { blocks[index].isKept = true }
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

    private mutating func keep(inside top: Int, core: Int) {
        let end = parser.tree.nodes[top].next
        let coreEnd = parser.tree.nodes[core].next
        for index in blocks.indices {
            let block = blocks[index]
            guard block.first >= Int32(top), block.first < end, !block.state.contains(.dropped) else { continue }
            if block.linked * 2 > block.text { continue }
            let isCore = block.first >= Int32(core) && block.first < coreEnd
            if !isCore || block.state.contains(.weak) {
                guard Self.isProse(block) || block.state.contains(.heading) else { continue }
            }
            if parser.tree.nodes[Int(block.element)].tag == .h1 { continue }
            blocks[index].isKept = true
        }
    }

    /// Drops headings that nothing kept follows before the next heading that is as high.
    private mutating func trimHeadings() {
        // The level of the highest heading that text behind it still stands under; text stands under all.
        var index = blocks.count - 1
        var hasText = false
        while index >= 0 {
            if blocks[index].state.contains(.heading) {
                if blocks[index].isKept && !hasText { blocks[index].isKept = false }
                if !isFollowedByHeading(index) { hasText = false }
            } else if blocks[index].isKept {
                hasText = true
            }
            index -= 1
        }
    }

    private func isFollowedByHeading(_ index: Int) -> Bool { false }
}
