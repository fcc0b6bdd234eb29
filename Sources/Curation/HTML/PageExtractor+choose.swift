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
        keepAlike(core, page)
        keepLead(before: top)
        dropPhrases(page)
        trimHeadings()
        facts.origin = .article
        if keptText() < Self.articleBytesMin && keepParagraphs() { facts.origin = .paragraphs }
    }

    /// Marks what is no part of the article, by the names of things.
    private mutating func drop() {
        let total = max(marks[0].prose, 1)
        for index in marks.indices.reversed() {
            if marks[index].hints.contains(.body) && marks[index].prose * 5 > total * 2 {
                marks[index].state.insert(.holdsBody)
            }
            let parent = Int(parser.tree.nodes[index].parent)
            if parent >= 0 && marks[index].state.contains(.holdsBody) { marks[parent].state.insert(.holdsBody) }
        }
        for index in marks.indices {
            let node = parser.tree.nodes[index]
            let parent = Int(node.parent)
            if parent >= 0 && marks[parent].state.contains(.dropped) {
                marks[index].state.insert(.dropped)
                continue
            }
            if parent >= 0 {
                marks[index].state.formUnion(marks[parent].state.intersection([.weak, .inBody]))
            }
            if marks[index].hints.contains(.body) { marks[index].state.insert(.inBody) }
            guard node.tag != .text, index != 0, index != parser.body else { continue }
            let mark = marks[index]
            // A window over the page may hold much text and still not be the page.
            let isApart = mark.hints.contains(.promotion)
            let isMost = isApart ? mark.prose * 4 > total * 3 : mark.prose * 5 > total * 2
            // What is surely something else is taken for the article only when little is left beside it.
            let isTalk = !mark.hints.isDisjoint(with: [.comment, .related])
            let isAll =
                isMost
                && (mark.state.contains(.holdsBody) || total - mark.prose < 250
                    || (!isTalk && mark.prose * 5 > total * 3))
            var isDropped = false
            var isSure = false
            var isWeak = false
            switch node.tag {
            case .nav, .aside, .footer, .menu, .figcaption:
                isDropped = true
                isSure = true
            case .header, .form, .fieldset: isWeak = true
            case .figure: isDropped = mark.text < 250 && !holdsTable(index)
            default: break
            }
            if !mark.hints.isDisjoint(with: .foreign) {
                switch node.tag {
                case .main, .article, .label, .legend, .summary, .h1: break
                default:
                    if mark.hints.contains(.body) || mark.hints.contains(.post) {
                    } else if mark.hints.contains(.lead) || (mark.hints.contains(.related) && mark.linked == 0) {
                        // A teaser of another page links to it; one without a link introduces this one.
                        isWeak = true
                    } else {
                        isDropped = true
                        // "entry share": the article's own element may be named after what hangs on it, too.
                        isSure =
                            !mark.hints.isDisjoint(with: .sure)
                            && !(mark.hints.contains(.main) && mark.hints.isDisjoint(with: Self.surest))
                    }
                }
            }
            if mark.hints.contains(.hidden) { isDropped = true }
            if mark.hints.contains(.media) { isWeak = true }
            if isSure ? isAll : isMost { continue }
            if isDropped { marks[index].state.insert(.dropped) }
            if isWeak { marks[index].state.insert(.weak) }
        }
        for index in blocks.indices {
            let state = marks[Int(blocks[index].first)].state
            blocks[index].state.formUnion(state.intersection([.dropped, .weak, .inBody]))
        }
    }

    private static let surest: PageHints = [.comment, .related, .navigation, .footer]

    private func holdsTable(_ index: Int) -> Bool {
        let end = min(Int(parser.tree.nodes[index].next), index + 8)
        var each = index + 1
        while each < end {
            let tag = parser.tree.nodes[each].tag
            if tag == .table || tag == .pre || tag == .blockquote { return true }
            each += 1
        }
        return false
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
            if more * 100 > marks[best].prose * Self.gain && more * 2 > text && linked * 4 < text && links * 2 <= blocks
            {
                best = each
            }
            let tag = parser.tree.nodes[each].tag
            if (tag == .article || !marks[each].hints.isDisjoint(with: [.body, .post])) && linked * 3 < text
                && links <= blocks + 2
            {
                best = each
            }
            each = Int(parser.tree.nodes[each].parent)
        }
        return best
    }

    private static let gain: Int32 = 15

    /// Whether two fifths of the list that a block is an item of are links.
    private func isListOfLinks(_ block: Block) -> Bool {
        var element = Int(block.element)
        for _ in 0..<4 where element >= 0 {
            let tag = parser.tree.nodes[element].tag
            if tag == .ul || tag == .ol { return marks[element].linked * 5 > marks[element].text * 2 }
            element = Int(parser.tree.nodes[element].parent)
        }
        return false
    }

    /// Keeps elements of the same tag and class as the article's at the same depth: the other posts of a thread.
    private mutating func keepAlike(_ core: Int, _ page: Span<UInt8>) {
        let tag = parser.tree.nodes[core].tag
        let own = parser.tree.attribute(.class, of: core)
        guard own >= 0, core != parser.body else { return }
        var name: [UInt8] = []
        parser.tree.appendValue(of: own, in: page, to: &name)
        guard !name.isEmpty else { return }
        let level = depth(of: core)
        var index = 0
        while index < marks.count {
            let node = parser.tree.nodes[index]
            guard index != core, node.tag == tag, marks[index].prose > 0, !marks[index].state.contains(.dropped) else {
                index += 1
                continue
            }
            let attribute = parser.tree.attribute(.class, of: index)
            scratch.removeAll(keepingCapacity: true)
            if attribute >= 0 { parser.tree.appendValue(of: attribute, in: page, to: &scratch) }
            guard scratch == name, depth(of: index) == level else {
                index += 1
                continue
            }
            keepBlocks(in: index)
            index = Int(node.next)
        }
    }

    private mutating func keepBlocks(in element: Int) {
        let end = parser.tree.nodes[element].next
        for index in firstBlock(from: element)..<blocks.count {
            guard blocks[index].first < end else { return }
            if !blocks[index].state.contains(.dropped) && blocks[index].linked * 2 <= blocks[index].text {
                blocks[index].isKept = true
            }
        }
    }

    /// The index of the first block at or behind a node.
    private func firstBlock(from node: Int) -> Int {
        var low = 0
        var high = blocks.count
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].first < Int32(node) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private func depth(of element: Int) -> Int {
        var depth = 0
        var each = parser.tree.nodes[element].parent
        while each >= 0 {
            depth += 1
            each = parser.tree.nodes[Int(each)].parent
        }
        return depth
    }

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
            guard !block.state.contains(.dropped) else { continue }
            let element = Int(block.element)
            let isLead =
                block.linked == 0 && block.text >= 70
                && (parser.tree.nodes[element].tag == .p || marks[element].hints.contains(.lead))
            if isLead || Self.isProse(block) { blocks[index].isKept = true }
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
            // Sentences may have many links; else what is half links is none of the article's.
            guard block.linked * 2 <= block.text || (block.stops >= 2 && block.linked * 10 <= block.text * 7) else {
                continue
            }
            if block.state.contains(.item) && isListOfLinks(block) { continue }
            let isCore = block.first >= Int32(core) && block.first < coreEnd
            if block.state.contains(.weak) {
                guard Self.isProse(block) || block.state.contains(.heading) else { continue }
            } else if !isCore && (block.linked > 0 || !block.state.contains(.inBody)) {
                guard Self.isProse(block) || block.state.contains(.heading) || isNearProse(block, top) else { continue }
            }
            if parser.tree.nodes[Int(block.element)].tag == .h1 { continue }
            blocks[index].isKept = true
        }
    }

    /// Whether a short block without links lies close by prose.
    private func isNearProse(_ block: Block, _ top: Int) -> Bool {
        guard block.linked == 0 else { return false }
        var element = Int(block.element)
        for _ in 0..<3 {
            guard element > top else { return false }
            let mark = marks[element]
            if mark.prose > 0 { return mark.linked * 5 < mark.text && mark.prose * 3 > mark.text }
            element = Int(parser.tree.nodes[element].parent)
        }
        return false
    }

    /// With less than this, the article was not found.
    private static let articleBytesMin = 150

    private func keptText() -> Int {
        var sum = 0
        for block in blocks where block.isKept { sum += Int(block.text) }
        return sum
    }

    /// Keeps all that might be text; false when that is nothing more.
    private mutating func keepParagraphs() -> Bool {
        var isMore = false
        for index in blocks.indices {
            let block = blocks[index]
            guard !block.isKept, block.linked * 3 <= block.text else { continue }
            guard block.state.isDisjoint(with: [.dropped, .weak, .heading]) else { continue }
            let tag = parser.tree.nodes[Int(block.element)].tag
            guard Self.isProse(block) || tag == .p || block.state.contains(.inBody) else { continue }
            blocks[index].isKept = true
            isMore = true
        }
        return isMore
    }

    /// Drops headings without kept text before the next heading that is as high.
    private mutating func trimHeadings() {
        // Text met so far, walking backwards, stands under headings above this level.
        var level: UInt8 = 0
        for index in blocks.indices.reversed() {
            if let heading = headingLevel(blocks[index]) {
                if heading >= level { blocks[index].isKept = false }
                level = min(level, heading)
            } else if blocks[index].isKept {
                level = 7
            }
        }
    }

    /// 1 to 6, or nil for what is no heading.
    private func headingLevel(_ block: Block) -> UInt8? {
        guard block.state.contains(.heading), block.text < 120 else { return nil }
        var element = block.element
        for _ in 0..<4 where element >= 0 {
            let tag = parser.tree.nodes[Int(element)].tag.rawValue
            if tag >= HTMLTag.h1.rawValue && tag <= HTMLTag.h6.rawValue { return tag - HTMLTag.h1.rawValue + 1 }
            element = parser.tree.nodes[Int(element)].parent
        }
        return 6
    }
}
