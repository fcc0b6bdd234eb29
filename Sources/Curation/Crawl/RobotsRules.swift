/// What a `robots.txt` allows one crawler.
///
/// Group lines of our product token count, all of them together; those of `*` only when there are none. The longest
/// pattern decides, and `Allow` at equal length. Lines that are none of the known ones are skipped and end nothing.
/// `Crawl-delay` is no part of the standard and is read as a courtesy.
///
/// > Source: RFC 9309.
public struct RobotsRules: Sendable, Equatable {
    /// Whether an address may be fetched, and the line of the file that says so.
    public struct Verdict: Sendable, Equatable {
        public let isAllowed: Bool
        /// From 1; `nil` when no line applies.
        public let line: Int?
    }

    struct Rule: Sendable, Equatable {
        let pattern: RobotsPattern
        let isAllowed: Bool
        let line: Int
    }

    let rules: [Rule]
    /// For an address that no rule fits.
    let isAllowedElsewhere: Bool
    /// Seconds to leave between two requests.
    public let crawlDelay: Duration?
    /// Addresses of sitemaps as they stand there; they are for every crawler. At most ``sitemapsMax``.
    public let sitemaps: [String]
    /// Whether the file is longer than ``bytesMax`` and its rest was not read.
    public let isTruncated: Bool

    /// What must be read of a file and what is read.
    ///
    /// > Source: RFC 9309, section 2.5.
    public static let bytesMax = 500 << 10
    public static let sitemapsMax = 1000
    /// The longest delay that is honoured; a site that asks for more is asked no faster than this.
    public static let crawlDelayMax = Duration.seconds(3600)

    /// Without a file: all is allowed.
    public static let allowingAll = RobotsRules(isAllowedElsewhere: true)
    /// When the file cannot be had: nothing is allowed.
    public static let refusingAll = RobotsRules(isAllowedElsewhere: false)

    private init(isAllowedElsewhere: Bool) {
        rules = []
        self.isAllowedElsewhere = isAllowedElsewhere
        crawlDelay = nil
        sitemaps = []
        isTruncated = false
    }

    /// Whether a product token can be told from others: letters, `-` and `_` only.
    ///
    /// > Source: RFC 9309, section 2.2.1.
    public static func isProductToken(_ text: String) -> Bool {
        1...64 ~= text.utf8.count && text.utf8.allSatisfy(isOfToken)
    }

    /// Reads a file for the crawler of this product token.
    public init(_ file: Span<UInt8>, product: String) {
        var reader = RobotsReader(product: product)
        reader.read(file)
        let group = reader.isNamed ? reader.own : reader.others
        rules = group.rules
        isAllowedElsewhere = true
        crawlDelay = group.delay
        sitemaps = reader.sitemaps
        isTruncated = file.count > Self.bytesMax
    }

    /// What is said of an address of the file's origin. The file itself may always be fetched.
    public func verdict(_ url: WebURL) -> Verdict {
        if url.path == "/robots.txt" { return Verdict(isAllowed: true, line: nil) }
        let target = RobotsPattern.subject(url.target)
        var best: Rule?
        for rule in rules {
            if let best {
                let isStronger =
                    rule.pattern.length > best.pattern.length
                    || (rule.pattern.length == best.pattern.length && rule.isAllowed && !best.isAllowed)
                guard isStronger else { continue }
            }
            if rule.pattern.matches(target) { best = rule }
        }
        return Verdict(isAllowed: best?.isAllowed ?? isAllowedElsewhere, line: best?.line)
    }

    static func isOfToken(_ byte: UInt8) -> Bool {
        (byte | 32) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }
}
