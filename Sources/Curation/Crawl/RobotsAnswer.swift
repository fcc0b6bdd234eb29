/// What came of asking for a `robots.txt`.
public enum RobotsAnswer: Sendable, Equatable {
    case rules(RobotsRules)
    /// Leads elsewhere; `nil` when the address is none that we can ask.
    case redirect(WebURL?)

    /// What a status means: a file for 2xx; no rules for 4xx; no permission for 5xx, for 429, which says the same in
    /// other words, and for what is no answer to a request for a file.
    ///
    /// > Source: RFC 9309, sections 2.3.1.1 to 2.3.1.4.
    public init(status: Int, body: Span<UInt8>, product: String) {
        switch status {
        case 200..<300: self = .rules(RobotsRules(body, product: product))
        case 429: self = .rules(.refusingAll)
        case 400..<500: self = .rules(.allowingAll)
        default: self = .rules(.refusingAll)
        }
    }
}
