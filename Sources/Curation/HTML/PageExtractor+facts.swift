/// What the page says about itself.
extension PageExtractor {
    /// Candidates for one fact; the first of the lowest rank wins.
    private struct Candidate {
        var rank = Int.max
        var text = ""

        mutating func offer(_ bytes: [UInt8], rank: Int, bytesMax: Int) {
            guard rank < self.rank, !bytes.isEmpty else { return }
            let text = PageExtractor.line(bytes, bytesMax: bytesMax)
            guard !text.isEmpty else { return }
            self.rank = rank
            self.text = text
        }
    }

    static let addressBytesMax = 2048
    static let titleBytesMax = 512

    mutating func readFacts(_ page: Span<UInt8>, _ facts: inout PageFacts) {
        statements.removeAll()
        var title = Candidate()
        var heading = Candidate()
        var site = Candidate()
        var language = Candidate()
        var canonical = Candidate()
        var published = Candidate()
        var licence = Candidate()
        var name: [UInt8] = []
        var value: [UInt8] = []
        let count = parser.tree.nodes.count
        for index in 0..<count {
            let node = parser.tree.nodes[index]
            switch node.tag {
            case .html:
                read(.lang, index, page, into: &value)
                language.offer(value, rank: 0, bytesMax: 35)
            case .title where marks[index].state.isDisjoint(with: [.dropped]) && !isInside(.svg, index):
                readText(index, page, into: &value)
                title.offer(value, rank: 2, bytesMax: Self.titleBytesMax)
            case .h1 where heading.text.isEmpty:
                readText(index, page, into: &value)
                heading.offer(value, rank: 0, bytesMax: Self.titleBytesMax)
            case .link:
                read(.rel, index, page, into: &name)
                let isCanonical = Self.hasWord(name, "canonical")
                guard isCanonical || Self.hasWord(name, "license") else { continue }
                read(.href, index, page, into: &value)
                if isCanonical {
                    canonical.offer(value, rank: 0, bytesMax: Self.addressBytesMax)
                } else {
                    licence.offer(value, rank: 0, bytesMax: Self.addressBytesMax)
                }
            case .a, .area:
                guard licence.rank > 0 else { continue }
                readLicence(index, page, &name, &value, &licence)
            case .time:
                guard published.rank > 3 else { continue }
                read(.datetime, index, page, into: &value)
                read(.itemprop, index, page, into: &name)
                published.offer(value, rank: Self.hasWord(name, "datepublished") ? 1 : 4, bytesMax: 64)
            case .meta:
                read(.content, index, page, into: &value)
                guard !value.isEmpty else { continue }
                for attribute in [HTMLAttribute.property, .name, .itemprop, .httpEquiv] {
                    read(attribute, index, page, into: &name)
                    guard !name.isEmpty, let meaning = Self.meaning(name) else { continue }
                    switch meaning {
                    case .title(let rank): title.offer(value, rank: rank, bytesMax: Self.titleBytesMax)
                    case .site: site.offer(value, rank: 0, bytesMax: Self.titleBytesMax)
                    case .language(let rank): language.offer(value, rank: rank, bytesMax: 35)
                    case .canonical: canonical.offer(value, rank: 1, bytesMax: Self.addressBytesMax)
                    case .published(let rank): published.offer(value, rank: rank, bytesMax: 64)
                    case .licence: licence.offer(value, rank: 2, bytesMax: Self.addressBytesMax)
                    }
                }
            case .script:
                read(.type, index, page, into: &name)
                guard name.count >= 19, Self.hasWord(name, "application/ld+json"), index + 1 < count,
                    parser.tree.nodes[index + 1].tag == .text
                else { continue }
                let text = parser.tree.nodes[index + 1]
                statements.read(page, Int(text.start), Int(text.end))
            default: break
            }
        }
        published.offer(statements.published, rank: 2, bytesMax: 64)
        licence.offer(statements.licence, rank: 3, bytesMax: Self.addressBytesMax)
        language.offer(statements.language, rank: 4, bytesMax: 35)
        title.offer(statements.headline, rank: 3, bytesMax: Self.titleBytesMax)
        facts.title = Self.title(title.text, isTag: title.rank == 2, heading: heading.text, site: site.text)
        facts.language = Self.languageTag(language.text)
        facts.canonical = canonical.text
        facts.published = published.text
        facts.licence = licence.text
    }

    private enum Meaning {
        case title(Int)
        case site
        case language(Int)
        case canonical
        case published(Int)
        case licence
    }

    /// The names of `meta` elements that we read; small letters.
    private static let meanings: [String: Meaning] = [
        "og:title": .title(0), "twitter:title": .title(1), "articletitle": .title(1), "og:site_name": .site,
        "og:url": .canonical, "content-language": .language(1), "og:locale": .language(2), "language": .language(3),
        "article:published_time": .published(0), "datepublished": .published(1), "og:published_time": .published(1),
        "pubdate": .published(3), "publishdate": .published(3), "publish_date": .published(3),
        "publish-date": .published(3), "date": .published(5), "dc.date.issued": .published(3),
        "dc.date": .published(4), "dcterms.created": .published(4), "dcterms.issued": .published(3),
        "parsely-pub-date": .published(3), "sailthru.date": .published(4), "article.published": .published(3),
        "publishtime": .published(3), "releasedate": .published(4), "dc.rights": .licence,
        "dcterms.license": .licence, "dc.rights.license": .licence, "dcterms.rights": .licence,
        "license": .licence,
    ]

    private static func meaning(_ name: [UInt8]) -> Meaning? {
        guard name.count <= 32 else { return nil }
        return meanings[String(decoding: name.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 32 : $0 }, as: UTF8.self)]
    }

    private func readLicence(
        _ index: Int,
        _ page: Span<UInt8>,
        _ name: inout [UInt8],
        _ value: inout [UInt8],
        _ licence: inout Candidate
    ) {
        read(.rel, index, page, into: &name)
        let isStated = Self.hasWord(name, "license")
        guard isStated || licence.rank > 1 else { return }
        let attribute = parser.tree.attribute(.href, of: index)
        guard attribute >= 0 else { return }
        // Most links are shorter or lead elsewhere: looked at in place before anything is copied.
        read(.href, index, page, into: &value)
        if isStated {
            licence.offer(value, rank: 0, bytesMax: Self.addressBytesMax)
        } else if value.count >= 27,
            Self.contains(value, "creativecommons.org/licenses/")
                || Self.contains(value, "creativecommons.org/publicdomain/")
        {
            licence.offer(value, rank: 1, bytesMax: Self.addressBytesMax)
        }
    }

    /// Replaces `out` with an attribute's value; empty when there is none.
    private func read(_ name: HTMLAttribute, _ index: Int, _ page: Span<UInt8>, into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        let attribute = parser.tree.attribute(name, of: index)
        if attribute >= 0 { parser.tree.appendValue(of: attribute, in: page, to: &out) }
    }

    /// Replaces `out` with an element's text, up to what a title needs.
    private func readText(_ index: Int, _ page: Span<UInt8>, into out: inout [UInt8]) {
        out.removeAll(keepingCapacity: true)
        var each = index + 1
        let last = min(Int(parser.tree.nodes[index].next), index + 256)
        while each < last && out.count < 2 * Self.titleBytesMax {
            let node = parser.tree.nodes[each]
            if node.tag == .text {
                let end = min(Int(node.end), Int(node.start) + 2 * Self.titleBytesMax)
                parser.tree.append(Int(node.start), end, node.isDecoded, page, to: &out)
            } else if node.tag == .br {
                out.append(0x20)
            }
            each += 1
        }
    }

    private func isInside(_ tag: HTMLTag, _ index: Int) -> Bool {
        let parent = parser.tree.nodes[index].parent
        return parent >= 0 && parser.tree.nodes[Int(parent)].tag == tag
    }

    /// One of the words (set apart by white space or a semicolon) of `bytes` is `word`, whatever its case.
    private static func hasWord(_ bytes: [UInt8], _ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count >= count else { return false }
        var start = 0
        while start + count <= bytes.count {
            var offset = 0
            while offset < count && lowered(bytes[start + offset]) == word.utf8Start[offset] { offset += 1 }
            let end = start + count
            if offset == count && (end == bytes.count || isSpace(bytes[end]) || bytes[end] == UInt8(ascii: ";")) {
                return true
            }
            while start < bytes.count && !isSpace(bytes[start]) { start += 1 }
            while start < bytes.count && isSpace(bytes[start]) { start += 1 }
        }
        return false
    }

    private static func contains(_ bytes: [UInt8], _ words: StaticString) -> Bool {
        let count = words.utf8CodeUnitCount
        guard bytes.count >= count else { return false }
        // An address of a licence begins within its first bytes.
        for start in 0...min(bytes.count - count, 32) {
            var offset = 0
            while offset < count && lowered(bytes[start + offset]) == words.utf8Start[offset] { offset += 1 }
            if offset == count { return true }
        }
        return false
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte }

    /// The bytes with each run of white space as one space, cut at a character's border.
    static func line(_ bytes: [UInt8], bytesMax: Int) -> String {
        var out: [UInt8] = []
        var needsSpace = false
        for byte in bytes {
            if isSpace(byte) || byte == 0 {
                needsSpace = !out.isEmpty
                continue
            }
            if out.count >= bytesMax && byte & 0xC0 != 0x80 { break }
            if needsSpace { out.append(0x20) }
            needsSpace = false
            out.append(byte)
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// A tag as BCP 47 writes it, in small letters; empty for what is none.
    static func languageTag(_ text: String) -> String {
        let bytes = text.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : lowered($0) }
        let isTag =
            bytes.count >= 2
            && bytes.allSatisfy { isLetter($0) || $0 &- UInt8(ascii: "0") < 10 || $0 == UInt8(ascii: "-") }
        return isTag && isLetter(bytes[0]) ? String(decoding: bytes, as: UTF8.self) : ""
    }

    /// The page's title: its heading when the title begins with that, else the title without the site's name.
    private static func title(_ text: String, isTag: Bool, heading: String, site: String) -> String {
        if text.isEmpty { return heading }
        var title = Array(text.utf8)
        let heading = Array(heading.utf8)
        if heading.count >= 4 && heading.count < title.count && title.starts(with: heading) {
            return String(decoding: heading, as: UTF8.self)
        }
        let site = Array(site.utf8)
        if !isTag && site.isEmpty { return text }
        var isAgain = true
        while isAgain {
            isAgain = false
            for separator in [" | ", " - ", " – ", " — ", " _ ", "_", " :: ", "|", " » ", " · ", "-"] {
                guard let (at, rest) = cut(title, Array(separator.utf8)) else { continue }
                let isSite = !site.isEmpty && rest.elementsEqual(site)
                guard isSite || (isTag && rest.count < at) else { continue }
                // The forum's software comes behind the forum's name.
                isAgain = rest.starts(with: Array("Powered by".utf8))
                title.removeSubrange(at...)
                break
            }
        }
        return line(title, bytesMax: titleBytesMax)
    }

    /// Where the last such separator begins that has something before it, and what follows it.
    private static func cut(_ title: [UInt8], _ separator: [UInt8]) -> (Int, ArraySlice<UInt8>)? {
        var at = title.count - separator.count - 1
        while at > 0 {
            let behind = at + separator.count
            if title[at..<behind].elementsEqual(separator) {
                // A bare hyphen is one between Chinese letters only.
                let isBare = separator.count == 1 && separator[0] == UInt8(ascii: "-")
                if !isBare || (title[at - 1] >= 0x80 && title[behind] >= 0x80) { return (at, title[behind...]) }
            }
            at -= 1
        }
        return nil
    }
}
