/// What a page or its server asks of crawlers, in a `meta` element or an `X-Robots-Tag` field.
///
/// > Source: https://html.spec.whatwg.org/multipage/semantics.html#standard-metadata-names ("robots") and, for the words
/// > and the field, https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag
public struct RobotsDirectives: Sendable, Equatable {
    /// Asked not to be kept in an index.
    public var isNoIndex = false
    /// Asked that its links lead nowhere.
    public var isNoFollow = false

    public init() {}

    /// Adds what a value says: words set apart by commas. In a field they may be for one crawler, named before a colon.
    public mutating func read(_ value: some Collection<UInt8>, product: String) {
        let product = product.lowercased()
        var isForUs = true
        for word in value.prefix(4096).split(separator: UInt8(ascii: ",")) {
            var text = String(decoding: word.map { $0 &- UInt8(ascii: "A") < 26 ? $0 | 32 : $0 }, as: UTF8.self)[...]
            if let colon = text.firstIndex(of: ":") {
                let name = text[..<colon].filter { $0 != " " && $0 != "\t" }
                // These take a value and name nobody.
                if !["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"].contains(name) {
                    isForUs = name == product
                    text = text[text.index(after: colon)...]
                }
            }
            guard isForUs else { continue }
            switch text.filter({ $0 != " " && $0 != "\t" && $0 != "\n" && $0 != "\r" }) {
            case "noindex": isNoIndex = true
            case "nofollow": isNoFollow = true
            case "none":
                isNoIndex = true
                isNoFollow = true
            default: continue
            }
        }
    }
}
