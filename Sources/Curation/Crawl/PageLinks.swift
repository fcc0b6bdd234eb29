/// Where a page leads and what it asks of crawlers.
public struct PageLinks: Sendable, Equatable {
    /// Each once, in the page's order, without those that it asks not to follow.
    public var links: [WebURL] = []
    /// The address that the page gives as its own.
    public var canonical: WebURL?
    public var directives = RobotsDirectives()

    public init() {}
}
