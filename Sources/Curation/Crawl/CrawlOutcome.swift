/// How a request ended, as far as it decides what is asked next.
public enum CrawlOutcome: Sendable, Equatable {
    /// There is nothing more to ask: an answer of whatever status, or, without bytes, a failure that will not pass.
    case settled(bytes: Int?)
    /// The host asked to wait (429, 503); for so long, if it said.
    case postponed(retryAfter: Duration?)
    /// No answer came.
    case unreachable
    /// The answer for a `robots.txt`.
    case robots(RobotsAnswer)
}
