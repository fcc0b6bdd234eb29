/// An address that is to be fetched, and why.
public struct CrawlEntry: Sendable, Hashable {
    public enum Purpose: Sendable, Hashable {
        case page
        case sitemap
        /// The rules of an origin; a redirect may lead to another.
        case robots(origin: String)
    }

    public var url: WebURL
    public var purpose: Purpose
    /// Links from a seed.
    public var depth: Int
    /// Redirects that led here.
    public var redirects: Int
    /// Requests made before and in vain.
    public var attempts = 0

    public init(_ url: WebURL, purpose: Purpose = .page, depth: Int = 0, redirects: Int = 0) {
        self.url = url
        self.purpose = purpose
        self.depth = depth
        self.redirects = redirects
    }

    /// How an address is remembered.
    var hash: UInt64 { TextHash.hash64(Array(url.text.utf8).span, seed: purpose == .sitemap ? 1 : 0) }
}
