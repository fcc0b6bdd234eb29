/// Finds where a page leads.
///
/// Keep one and use it for page after page; its memory is reused.
public struct LinkReader: Sendable {
    private var parser = HTMLParser()
    private let product: String

    /// Links of one page; what comes behind is not followed.
    public static let linksMax = 5000

    public init(product: String) { self.product = product }

    /// Reads a page in UTF-8.
    ///
    /// Followed are `a` and `area` without `rel=nofollow`; nothing when the page asks so. The order is the page's.
    ///
    /// - Parameter url: Where the page was found; its `base` element is taken into account.
    public mutating func read(_ page: Span<UInt8>, at url: WebURL) -> PageLinks {
        parser.parse(page, budget: PageBudget())
        var found = PageLinks()
        var base = url
        var hasBase = false
        var seen: Set<WebURL> = []
        var value: [UInt8] = []
        var links: [[UInt8]] = []
        for index in parser.tree.nodes.indices {
            switch parser.tree.nodes[index].tag {
            case .base where !hasBase:
                guard read(.href, index, page, &value) else { continue }
                // The first one counts, for links before it too.
                hasBase = true
                base = WebURL(value[...], base: url) ?? url
            case .a, .area:
                guard links.count < Self.linksMax, !isRelated("nofollow", index, page, &value),
                    read(.href, index, page, &value), value.count <= 3 * WebURL.bytesMax
                else { continue }
                links.append(value)
            case .link where found.canonical == nil:
                guard isRelated("canonical", index, page, &value), read(.href, index, page, &value) else { continue }
                found.canonical = WebURL(value[...], base: url)
            case .meta:
                guard read(.name, index, page, &value), value.count <= 64 else { continue }
                let name = Self.lowered(value)
                guard name == "robots" || name == product.lowercased(), read(.content, index, page, &value) else {
                    continue
                }
                found.directives.read(value, product: product)
            default: continue
            }
        }
        guard !found.directives.isNoFollow else { return found }
        for link in links {
            guard let link = WebURL(link[...], base: base), link != url, seen.insert(link).inserted else { continue }
            found.links.append(link)
        }
        return found
    }

    private func read(_ name: HTMLAttribute, _ node: Int, _ page: Span<UInt8>, _ value: inout [UInt8]) -> Bool {
        value.removeAll(keepingCapacity: true)
        let attribute = parser.tree.attribute(name, of: node)
        guard attribute >= 0 else { return false }
        parser.tree.appendValue(of: attribute, in: page, to: &value)
        return true
    }

    private func isRelated(_ word: String, _ node: Int, _ page: Span<UInt8>, _ value: inout [UInt8]) -> Bool {
        guard read(.rel, node, page, &value), value.count <= 1024 else { return false }
        return value.split(whereSeparator: { $0 <= 32 }).contains { Self.lowered($0) == word }
    }

    private static func lowered(_ bytes: some Collection<UInt8>) -> String {
        String(decoding: bytes.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 32 : $0 }, as: UTF8.self)
    }
}
