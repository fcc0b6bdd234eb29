/// What a crawl may do: whom it may ask, how much and how fast.
public struct CrawlPolicy: Sendable, Equatable {
    /// By which sites know the crawler in `robots.txt`.
    public var product: String
    /// Hosts that may be asked: names as they are in addresses, or `*.` and a name for all below it.
    public let hosts: Set<String>
    /// What a path must begin with, one of them; all paths when there are none.
    public var pathPrefixes: [String] = []
    /// Between the end of a request and the next to the same host, at least.
    public var delayMin = Duration.seconds(1)
    /// Links from a seed; pages of sitemaps count as seeds.
    public var depthMax = 8
    /// Requests for pages, in all and to one host.
    public var pagesMax = 100_000
    public var hostPagesMax = 10_000
    /// Bodies as they were sent, all together. The request that reaches it is the last.
    public var bytesMax = 100 << 30
    /// Addresses that wait.
    public var queuedMax = 1_000_000
    /// Requests under way at a time, each to another host.
    public var requestsMax = 16
    /// Requests for one address when the host is busy or cannot be reached.
    public var attemptsMax = 3
    /// Redirects from one address, for pages and for `robots.txt`.
    ///
    /// > Source: RFC 9309, section 2.3.1.2.
    public static let redirectsMax = 5

    public init(product: String, hosts: [String]) {
        self.product = product
        self.hosts = Set(hosts)
    }

    /// Whether an address is one of those that are collected.
    public func includes(_ url: WebURL) -> Bool {
        includesHost(url) && (pathPrefixes.isEmpty || pathPrefixes.contains { url.path.hasPrefix($0) })
    }

    /// Whether a host may be asked at all, for a sitemap too, which need not lie below the prefixes.
    public func includesHost(_ url: WebURL) -> Bool {
        if hosts.contains(url.host) { return true }
        var rest = url.host[...]
        while let point = rest.firstIndex(of: ".") {
            rest = rest[rest.index(after: point)...]
            if hosts.contains("*.\(rest)") { return true }
        }
        return false
    }
}
