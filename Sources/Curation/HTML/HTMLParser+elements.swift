/// The rules for elements: which others a tag closes.
extension HTMLParser {
    /// Takes a start tag; returns its node, or -1 when it made none.
    mutating func startElement(_ given: HTMLTag, hash: UInt64, attributes: Int, isSelfClosing: Bool) -> Int {
        let tag = given == .image ? HTMLTag.img : given
        let kind = traits[Int(tag.rawValue)]
        if isForeign, count(.foreignobject) == 0 {
            if kind.contains(.closesParagraph) || tag == .span || tag == .img || tag == .br {
                closeForeign()
            } else if isSelfClosing {
                return append(tag, attributes: attributes)
            } else {
                return push(tag, hash: hash, attributes: attributes)
            }
        }
        if tag == .html { return adoptRoot(attributes: attributes) ? 0 : -1 }
        if tag == .body {
            guard body < 0 else { return -1 }
            beginBody(attributes: attributes)
            return body
        }
        if tag == .head {
            guard body < 0, !hasHead else { return -1 }
            hasHead = true
            return push(.head, hash: hash, attributes: attributes)
        }
        if body < 0, count(.template) == 0 {
            if !kind.contains(.metadata) {
                beginBody()
            } else if !hasHead {
                hasHead = true
                push(.head, hash: 0, attributes: tree.attributes.count)
            }
        }
        guard makeRoom(for: tag, kind) else { return -1 }
        if kind.contains(.void) || (isSelfClosing && (tag == .svg || tag == .math)) {
            return append(tag, attributes: attributes)
        }
        return push(tag, hash: hash, attributes: attributes)
    }

    /// Closes what the start of `tag` ends; false when the tag is ignored where it stands.
    private mutating func makeRoom(for tag: HTMLTag, _ kind: HTMLTag.Traits) -> Bool {
        switch tag {
        case .li:
            closeItem(tag, or: tag)
        case .dd, .dt:
            closeItem(.dd, or: .dt)
        case .option, .optgroup:
            if openTags.last == .option { close(downTo: open.count - 1) }
            if tag == .optgroup && openTags.last == .optgroup { close(downTo: open.count - 1) }
        case .a, .nobr, .button:
            if count(tag) > 0 { endElement(tag, hash: 0) }
        case .form:
            if count(.form) > 0 && count(.template) == 0 { return false }
        case .table:
            if let last = openTags.last, Self.isTablePart(last) { closeTable() }
        case .caption, .colgroup, .col, .tbody, .thead, .tfoot, .tr, .td, .th:
            return makeRoom(forTablePart: tag)
        default:
            break
        }
        if kind.contains(.closesParagraph) && count(.p) > 0 { closeScoped(.p, alsoStoppedBy: .button) }
        if kind.contains(.heading), let last = openTags.last, traits[Int(last.rawValue)].contains(.heading) {
            close(downTo: open.count - 1)
        }
        return true
    }

    /// A list's item closes the one before it, unless a block other than `address`, `div` and `p` stands between.
    private mutating func closeItem(_ a: HTMLTag, or b: HTMLTag) {
        guard count(a) > 0 || count(b) > 0 else { return }
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let tag = openTags[depth]
            if tag == a || tag == b { return close(downTo: depth) }
            if traits[Int(tag.rawValue)].contains(.special) && tag != .address && tag != .div && tag != .p { return }
        }
    }

    private static func isTablePart(_ tag: HTMLTag) -> Bool {
        tag == .table || tag == .tbody || tag == .thead || tag == .tfoot || tag == .tr
    }

    /// Goes back to the part of the table that may hold `part`; false outside tables.
    private mutating func makeRoom(forTablePart part: HTMLTag) -> Bool {
        guard count(.table) > 0 || count(.template) > 0 else { return false }
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let fits: Bool
            switch openTags[depth] {
            case .table, .template: fits = true
            case .tbody, .thead, .tfoot: fits = part == .tr || part == .td || part == .th
            case .tr: fits = part == .td || part == .th
            case .colgroup: fits = part == .col
            default: fits = false
            }
            if fits {
                close(downTo: depth + 1)
                return true
            }
        }
        return false
    }

    private mutating func closeTable() {
        guard let depth = openTags.lastIndex(of: .table) else { return }
        steps += open.count - depth
        close(downTo: depth)
    }

    private mutating func closeForeign() {
        guard let depth = openTags.lastIndex(where: { $0 == .svg || $0 == .math }) else { return }
        steps += open.count - depth
        close(downTo: depth)
    }

    /// Closes the innermost open `tag` in scope and all inside it.
    @discardableResult
    private mutating func closeScoped(_ tag: HTMLTag, alsoStoppedBy a: HTMLTag, _ b: HTMLTag = .text) -> Bool {
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let each = openTags[depth]
            if each == tag {
                close(downTo: depth)
                return true
            }
            if traits[Int(each.rawValue)].contains(.scope) || each == a || each == b { return false }
        }
        return false
    }

    mutating func endElement(_ tag: HTMLTag, hash: UInt64) {
        if excess > 0 {
            excess -= 1
            return
        }
        if tag == .br {
            append(.br, attributes: tree.attributes.count)
            return
        }
        guard count(tag) > 0, tag != .html, tag != .body else { return }
        let kind = traits[Int(tag.rawValue)]
        switch tag {
        case .p:
            closeScoped(.p, alsoStoppedBy: .button)
        case .li:
            closeScoped(.li, alsoStoppedBy: .ol, .ul)
        case .table, .tbody, .thead, .tfoot, .tr, .td, .th, .caption, .colgroup:
            endTablePart(tag)
        case .h1, .h2, .h3, .h4, .h5, .h6:
            endHeading()
        case .template:
            if let depth = openTags.lastIndex(of: .template) {
                steps += open.count - depth
                close(downTo: depth)
            }
        default:
            if kind.contains(.formatting) {
                endFormatting(tag)
            } else if kind.contains(.special) {
                closeScoped(tag, alsoStoppedBy: .text)
            } else {
                endOther(tag, hash: hash)
            }
        }
    }

    private mutating func endTablePart(_ tag: HTMLTag) {
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let each = openTags[depth]
            if each == tag { return close(downTo: depth) }
            if each == .table || each == .template { return }
        }
    }

    private mutating func endHeading() {
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let kind = traits[Int(openTags[depth].rawValue)]
            if kind.contains(.heading) { return close(downTo: depth) }
            if kind.contains(.scope) { return }
        }
    }

    /// Ends a formatting element; when blocks inside it are still open they stay so, and it ends with them.
    private mutating func endFormatting(_ tag: HTMLTag) {
        var depth = open.count
        var hasBlock = false
        while depth > 0 {
            depth -= 1
            steps += 1
            let each = openTags[depth]
            if each == tag {
                guard hasBlock else { return close(downTo: depth) }
                openTags[depth] = .other
                openHashes[depth] = 0
                openCounts[Int(tag.rawValue)] -= 1
                openCounts[Int(HTMLTag.other.rawValue)] += 1
                return
            }
            let kind = traits[Int(each.rawValue)]
            if kind.contains(.scope) { return }
            if kind.contains(.special) { hasBlock = true }
        }
    }

    private mutating func endOther(_ tag: HTMLTag, hash: UInt64) {
        var depth = open.count
        while depth > 0 {
            depth -= 1
            steps += 1
            let each = openTags[depth]
            if each == tag && (tag != .other || openHashes[depth] == hash) { return close(downTo: depth) }
            if traits[Int(each.rawValue)].contains(.special) { return }
        }
    }

    /// Leaves the head and opens the body.
    mutating func beginBody(attributes: Int? = nil) {
        close(downTo: 1)
        body = push(.body, hash: 0, attributes: attributes ?? tree.attributes.count)
    }

    @inline(__always) func count(_ tag: HTMLTag) -> Int32 { openCounts[Int(tag.rawValue)] }
}
