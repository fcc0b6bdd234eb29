import CCuration

/// HTML's tokenizer and tree construction over the bytes of a page, kept to what text and its place depend on.
///
/// Followed: implied and omitted tags, void elements, raw text and its escapes in scripts, references, comments, scopes,
/// head and body, tables' contexts. Simplified, because no text is won or lost by it: misplaced content stays inside its
/// table instead of moving before it, formatting elements that blocks interrupt are not rebuilt behind them, and quirks
/// are not told from standards. Time is linear: searches among open elements are bounded by their depth, counted, and
/// skipped for names that are not open.
///
/// > Source: https://html.spec.whatwg.org/multipage/parsing.html, sections 13.2.5 and 13.2.6.
struct HTMLParser {
    private(set) var tree = HTMLTree()
    /// Which limit ended the reading, if one did.
    private(set) var limit: PageBudget.Limit?
    /// How many elements were too deep and lost their place.
    private(set) var flattened = 0

    // The open elements: node, tag and hash of the name; and how many of each tag there are.
    var open: [Int32] = []
    var openTags: [HTMLTag] = []
    var openHashes: [UInt64] = []
    var openCounts = [Int32](repeating: 0, count: 256)
    var body = -1
    var hasHead = false
    var steps = 0
    private var depthMax = 0
    /// Elements beyond the depth that are not closed yet.
    var excess = 0

    let traits = HTMLTag.traits
    private let tagNames = HTMLTag.names
    private let attributeNames = HTMLAttribute.names

    mutating func parse(_ page: Span<UInt8>, budget: PageBudget) {
        reset(budget)
        let count = min(page.count, max(budget.bytesMax, 0), Int(Int32.max) / 2)
        let stepsMax = 4096 + count.multipliedReportingOverflow(by: max(budget.stepsPerByte, 1)).partialValue
        var at = 0
        while at < count {
            if tree.nodes.count >= budget.nodesMax {
                limit = .nodes
                break
            }
            if steps > stepsMax {
                limit = .steps
                break
            }
            at = token(page, at, count)
        }
        if limit == nil && count < page.count { limit = .bytes }
        close(downTo: 0)
    }

    private mutating func reset(_ budget: PageBudget) {
        tree.removeAll()
        limit = nil
        flattened = 0
        open.removeAll(keepingCapacity: true)
        openTags.removeAll(keepingCapacity: true)
        openHashes.removeAll(keepingCapacity: true)
        for index in openCounts.indices { openCounts[index] = 0 }
        body = -1
        hasHead = false
        steps = 0
        excess = 0
        depthMax = max(budget.depthMax, 8)
        push(.html, hash: 0, attributes: 0)
    }

    // MARK: - Tokens

    /// Reads one token from `at` and returns where the next begins, which is further on.
    private mutating func token(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        guard page[at] == UInt8(ascii: "<"), at + 1 < count else { return text(page, at, count) }
        let next = page[at + 1]
        if isLetter(next) { return startTag(page, at + 1, count) }
        switch next {
        case UInt8(ascii: "/"):
            guard at + 2 < count else { return count }
            if isLetter(page[at + 2]) { return endTag(page, at + 2, count) }
            return behind(UInt8(ascii: ">"), page, at + 2, count)
        case UInt8(ascii: "!"):
            if begins(page, at + 2, count, "--") { return comment(page, at + 4, count) }
            if isForeign && begins(page, at + 2, count, "[CDATA[") { return characterData(page, at + 9, count) }
            return behind(UInt8(ascii: ">"), page, at + 2, count)
        case UInt8(ascii: "?"):
            return behind(UInt8(ascii: ">"), page, at + 2, count)
        default:
            return text(page, at, count)
        }
    }

    private mutating func text(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        var end = at
        var hasReference = false
        var from = page[at] == UInt8(ascii: "<") ? at + 1 : at
        while true {
            end = find(UInt8(ascii: "<"), or: UInt8(ascii: "&"), page, from, count)
            guard end < count else { break }
            if page[end] == UInt8(ascii: "&") {
                hasReference = true
            } else if end + 1 < count {
                let next = page[end + 1]
                if isLetter(next) || next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
                {
                    break
                }
            }
            from = end + 1
        }
        if body < 0 {
            // Before the body, white space is nothing and anything else begins the body.
            var first = at
            while first < end && isSpace(page[first]) { first += 1 }
            if first == end { return end }
            if openCounts[Int(HTMLTag.template.rawValue)] == 0 { beginBody() }
        }
        appendText(page, at, end, hasReference: hasReference)
        return end
    }

    private mutating func appendText(_ page: Span<UInt8>, _ start: Int, _ end: Int, hasReference: Bool) {
        guard start < end, let parent = open.last else { return }
        var node = HTMLTree.Node(
            tag: .text,
            parent: parent,
            next: Int32(tree.nodes.count + 1),
            start: Int32(start),
            end: Int32(end)
        )
        if hasReference {
            node.isDecoded = true
            node.start = Int32(tree.decoded.count)
            HTMLReferences.decode(page, start, end, inAttribute: false, into: &tree.decoded)
            node.end = Int32(tree.decoded.count)
        }
        tree.nodes.append(node)
    }

    private func comment(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        // "<!-->" and "<!--->" are whole comments.
        if at < count && page[at] == UInt8(ascii: ">") { return at + 1 }
        if begins(page, at, count, "->") { return at + 2 }
        var from = at
        while true {
            let end = find(UInt8(ascii: ">"), page, from, count)
            guard end < count else { return count }
            if end >= at + 2, page[end - 1] == UInt8(ascii: "-"), page[end - 2] == UInt8(ascii: "-") { return end + 1 }
            if end >= at + 3, page[end - 1] == UInt8(ascii: "!"), page[end - 2] == UInt8(ascii: "-"),
                page[end - 3] == UInt8(ascii: "-")
            {
                return end + 1
            }
            from = end + 1
        }
    }

    private mutating func characterData(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        var from = at
        while true {
            let end = find(UInt8(ascii: "]"), page, from, count)
            if end >= count || begins(page, end, count, "]]>") {
                appendText(page, min(at, count), end, hasReference: false)
                return min(end + 3, count)
            }
            from = end + 1
        }
    }

    private mutating func endTag(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        let (hash, behindName) = name(page, at, count)
        let end = behindTag(page, behindName, count)
        // A tag that the page's end cuts off is no tag.
        if end <= count {
            endElement(HTMLTag(rawValue: tagNames.value(ofHash: hash)) ?? .other, hash: hash)
        }
        return min(end, count)
    }

    private mutating func startTag(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        let (hash, behindName) = name(page, at, count)
        let number = tagNames.value(ofHash: hash)
        let tag = number == 0 ? .other : HTMLTag(rawValue: number) ?? .other
        let attributes = tree.attributes.count
        var isSelfClosing = false
        let end = readAttributes(page, behindName, count, &isSelfClosing)
        guard end <= count else {
            tree.attributes.removeLast(tree.attributes.count - attributes)
            return count
        }
        let wasForeign = isForeign
        let node = startElement(tag, hash: hash, attributes: attributes, isSelfClosing: isSelfClosing)
        if node < 0 { tree.attributes.removeLast(tree.attributes.count - attributes) }
        if wasForeign && isForeign { return end }
        if tag == .plaintext && node >= 0 {
            appendText(page, end, count, hasReference: false)
            return count
        }
        let traits = traits[Int(tag.rawValue)]
        guard !traits.isDisjoint(with: [.raw, .escapable]) else { return end }
        let stop = tag == .script ? endOfScript(page, end, count) : endOfRaw(page, end, count, hash)
        if node >= 0 {
            let isEscapable = traits.contains(.escapable)
            if open.last == Int32(node) {
                appendText(page, end, stop, hasReference: isEscapable)
                close(downTo: open.count - 1)
            }
        }
        return stop < count ? behindTag(page, behindNameOfEnd(page, stop, count), count, clampedTo: count) : count
    }

    /// The end of raw text: where its own end tag begins, or the page's end.
    private func endOfRaw(_ page: Span<UInt8>, _ at: Int, _ count: Int, _ hash: UInt64) -> Int {
        var from = at
        while true {
            let end = find(UInt8(ascii: "<"), page, from, count)
            guard end + 2 < count else { return count }
            if page[end + 1] == UInt8(ascii: "/"), name(page, end + 2, count).hash == hash { return end }
            from = end + 1
        }
    }

    /// As `endOfRaw`; but between `<!--` and `-->`, a start tag of a script makes the next end tag part of the text.
    private func endOfScript(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        var isEscaped = false
        var isDoubly = false
        var from = at
        while true {
            let end =
                isEscaped
                ? find(UInt8(ascii: "<"), or: UInt8(ascii: ">"), page, from, count)
                : find(UInt8(ascii: "<"), page, from, count)
            guard end < count else { return count }
            if page[end] == UInt8(ascii: ">") {
                if end >= at + 2, page[end - 1] == UInt8(ascii: "-"), page[end - 2] == UInt8(ascii: "-") {
                    isEscaped = false
                    isDoubly = false
                }
            } else if begins(page, end + 1, count, "!--") {
                isEscaped = true
            } else if isScript(page, end + 1, count) {
                isDoubly = isDoubly || isEscaped
            } else if end + 2 < count, page[end + 1] == UInt8(ascii: "/"), isScript(page, end + 2, count) {
                if !isDoubly { return end }
                isDoubly = false
            }
            from = end + 1
        }
    }

    private func isScript(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Bool {
        // Compared here rather than by a name's hash: a long name after each of many "<s" would be read over and over.
        let script: StaticString = "script"
        guard at + 6 < count, isNameEnd(page[at + 6]) else { return false }
        for offset in 0..<6 where page[at + offset] | 32 != script.utf8Start[offset] { return false }
        return true
    }

    private func behindNameOfEnd(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        name(page, min(at + 2, count), count).end
    }

    // MARK: - Attributes

    /// Reads a tag from behind its name to behind its `>`; `count + 1` means that the page ended first.
    private mutating func readAttributes(
        _ page: Span<UInt8>,
        _ from: Int,
        _ count: Int,
        _ isSelfClosing: inout Bool
    ) -> Int {
        let first = tree.attributes.count
        var at = from
        while at < count {
            let byte = page[at]
            if byte == UInt8(ascii: ">") { return at + 1 }
            if isSpace(byte) {
                at += 1
                continue
            }
            if byte == UInt8(ascii: "/") {
                isSelfClosing = at + 1 < count && page[at + 1] == UInt8(ascii: ">")
                at += 1
                continue
            }
            var hash = HTMLNames.basis
            // A leading "=" is part of the name.
            repeat {
                var letter = page[at]
                if letter &- UInt8(ascii: "A") < 26 { letter |= 32 }
                hash = (hash ^ UInt64(letter)) &* HTMLNames.prime
                at += 1
            } while at < count && !isNameEnd(page[at]) && page[at] != UInt8(ascii: "=")
            let name = HTMLAttribute(rawValue: attributeNames.value(ofHash: hash)) ?? .unknown
            while at < count && isSpace(page[at]) { at += 1 }
            var start = at
            var end = at
            if at < count && page[at] == UInt8(ascii: "=") {
                at += 1
                while at < count && isSpace(page[at]) { at += 1 }
                guard at < count else { break }
                let quote = page[at]
                if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
                    start = at + 1
                    end = find(quote, page, start, count)
                    guard end < count else { break }
                    at = end + 1
                } else {
                    start = at
                    while at < count && !isSpace(page[at]) && page[at] != UInt8(ascii: ">") { at += 1 }
                    end = at
                }
            }
            if name != .unknown { keep(name, page, start, end, first) }
        }
        return count + 1
    }

    private mutating func keep(_ name: HTMLAttribute, _ page: Span<UInt8>, _ start: Int, _ end: Int, _ first: Int) {
        // Of attributes named twice the first counts.
        var index = first
        while index < tree.attributes.count {
            if tree.attributes[index].name == name { return }
            index += 1
        }
        var attribute = HTMLTree.Attribute(name: name, isDecoded: false, start: Int32(start), end: Int32(end))
        if find(UInt8(ascii: "&"), page, start, end) < end {
            attribute.isDecoded = true
            attribute.start = Int32(tree.decoded.count)
            HTMLReferences.decode(page, start, end, inAttribute: true, into: &tree.decoded)
            attribute.end = Int32(tree.decoded.count)
        }
        tree.attributes.append(attribute)
    }

    /// Skips the attributes of an end tag, whose quotes may hide a `>`.
    private func behindTag(_ page: Span<UInt8>, _ from: Int, _ count: Int) -> Int {
        var at = from
        while at < count {
            let byte = page[at]
            at += 1
            if byte == UInt8(ascii: ">") { return at }
            guard byte == UInt8(ascii: "=") else { continue }
            while at < count && isSpace(page[at]) { at += 1 }
            if at < count, page[at] == UInt8(ascii: "\"") || page[at] == UInt8(ascii: "'") {
                at = find(page[at], page, at + 1, count) + 1
            }
        }
        return count + 1
    }

    private func behindTag(_ page: Span<UInt8>, _ from: Int, _ count: Int, clampedTo end: Int) -> Int {
        min(behindTag(page, from, count), end)
    }

    // MARK: - Bytes

    /// The hash of the lower-cased tag name at `at`, and where it ends.
    private func name(_ page: Span<UInt8>, _ at: Int, _ count: Int) -> (hash: UInt64, end: Int) {
        var hash = HTMLNames.basis
        var end = at
        while end < count {
            var byte = page[end]
            if isNameEnd(byte) { break }
            if byte &- UInt8(ascii: "A") < 26 { byte |= 32 }
            hash = (hash ^ UInt64(byte)) &* HTMLNames.prime
            end += 1
        }
        return (hash, end)
    }

    private func begins(_ page: Span<UInt8>, _ at: Int, _ count: Int, _ text: StaticString) -> Bool {
        guard at + text.utf8CodeUnitCount <= count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where page[at + offset] != text.utf8Start[offset] { return false }
        return true
    }

    private func behind(_ byte: UInt8, _ page: Span<UInt8>, _ at: Int, _ count: Int) -> Int {
        min(find(byte, page, at, count) + 1, count)
    }

    @inline(__always) private func find(_ byte: UInt8, _ page: Span<UInt8>, _ from: Int, _ count: Int) -> Int {
        page.withUnsafeBufferPointer { onepoint_find_byte($0.baseAddress, from, min(count, $0.count), byte) }
    }

    @inline(__always) private func find(
        _ a: UInt8,
        or b: UInt8,
        _ page: Span<UInt8>,
        _ from: Int,
        _ count: Int
    ) -> Int {
        page.withUnsafeBufferPointer { onepoint_find_either($0.baseAddress, from, min(count, $0.count), a, b) }
    }

    // MARK: - The tree

    var isForeign: Bool {
        openCounts[Int(HTMLTag.svg.rawValue)] > 0 || openCounts[Int(HTMLTag.math.rawValue)] > 0
    }

    /// Appends an element and opens it, unless too many are open.
    @discardableResult mutating func push(_ tag: HTMLTag, hash: UInt64, attributes: Int) -> Int {
        let node = append(tag, attributes: attributes)
        guard open.count < depthMax else {
            excess += 1
            flattened += 1
            return node
        }
        open.append(Int32(node))
        openTags.append(tag)
        openHashes.append(hash)
        openCounts[Int(tag.rawValue)] += 1
        return node
    }

    /// Appends an element without opening it.
    @discardableResult mutating func append(_ tag: HTMLTag, attributes: Int) -> Int {
        let node = tree.nodes.count
        tree.nodes.append(
            HTMLTree.Node(
                tag: tag,
                parent: open.last ?? -1,
                next: Int32(node + 1),
                start: Int32(attributes),
                end: Int32(tree.attributes.count)
            )
        )
        return node
    }

    /// Gives the page's own `html` tag's attributes to node 0, if it has none yet.
    mutating func adoptRoot(attributes: Int) -> Bool {
        guard tree.nodes[0].start == tree.nodes[0].end else { return false }
        tree.nodes[0].start = Int32(attributes)
        tree.nodes[0].end = Int32(tree.attributes.count)
        return true
    }

    /// Closes the open elements from the one at `depth` on.
    mutating func close(downTo depth: Int) {
        while open.count > depth {
            tree.nodes[Int(open.removeLast())].next = Int32(tree.nodes.count)
            openCounts[Int(openTags.removeLast().rawValue)] -= 1
            openHashes.removeLast()
        }
    }
}

@inline(__always) func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x09 || byte == 0x0D || byte == 0x0C
}

@inline(__always) func isLetter(_ byte: UInt8) -> Bool { (byte | 32) &- UInt8(ascii: "a") < 26 }

@inline(__always) private func isNameEnd(_ byte: UInt8) -> Bool {
    isSpace(byte) || byte == UInt8(ascii: ">") || byte == UInt8(ascii: "/")
}
