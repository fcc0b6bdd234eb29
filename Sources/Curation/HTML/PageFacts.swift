/// What a page says about itself, and how its reading went.
public struct PageFacts: Sendable, Equatable {
    /// The page's title, without the site's name where that can be told; empty when it has none.
    public var title = ""
    /// The language the page states for itself (`lang`, `og:locale`), lower-cased BCP 47; a hint and no finding.
    public var language = ""
    /// The address the page states for itself, as it stands there: `rel=canonical`, else `og:url`.
    public var canonical = ""
    /// When the page says that it was published, as it stands there (mostly ISO 8601).
    public var published = ""
    /// The licence that the page links to: `rel=license`, else a link to Creative Commons, else JSON-LD's.
    public var licence = ""
    /// Where the text came from.
    public var origin = Origin.none
    /// Elements and runs of text in the page.
    public var nodes = 0
    /// Paragraphs that hold text, and how many of them are in the main text.
    public var blocks = 0
    public var blocksKept = 0
    /// Elements that were deeper than the budget's depth and lost their place.
    public var flattened = 0
    /// The limit that ended the reading early, if one did; the text is what was found up to there.
    public var limit: PageBudget.Limit?

    public init() {}

    public enum Origin: UInt8, Sendable {
        /// There was no text worth keeping.
        case none
        /// The paragraphs of the element that holds the article.
        case article
        /// All paragraphs of the page that look like text: no single element held the article.
        case paragraphs
        /// The `articleBody` that the page states for machines (JSON-LD).
        case statement
    }
}
