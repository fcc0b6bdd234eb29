import Core
import Curation

/// One line of a crawl's journal: an address that was done with, and what followed from it.
///
/// Replayed in order, the lines give the frontier back: each queues what it found and settles its own address.
struct CrawlLine: Codable, Sendable, Equatable {
    enum Outcome: String, Codable, Sendable {
        /// Nothing was asked; the line only queues.
        case seeds
        case fetched, unchanged, redirect, refused, postponed, failed
    }

    struct Found: Codable, Sendable, Equatable {
        var url: String
        var isSitemap: Bool
        var depth: Int
        var redirects: Int

        init(_ entry: CrawlEntry) {
            url = entry.url.text
            isSitemap = entry.purpose == .sitemap
            depth = entry.depth
            redirects = entry.redirects
        }

        var entry: CrawlEntry? {
            WebURL(url).map {
                CrawlEntry($0, purpose: isSitemap ? .sitemap : .page, depth: depth, redirects: redirects)
            }
        }
    }

    var outcome: Outcome
    /// `nil` for seeds and for `robots.txt`.
    var asked: Found?
    var time: Instant
    /// Whether the address will be asked again.
    var isAgain = false
    var status: Int?
    /// Of the body; `nil` without an answer.
    var bytes: Int?
    var entityTag: String?
    var lastModified: String?
    /// SHA-256 of the body as it was sent.
    var sha256: String?
    /// Which record of an archive holds the body.
    var record: String?
    var found: [Found] = []
    /// Until when the host is to be left alone.
    var rest: Instant?
    /// Whether it counts among the pages.
    var isAnswered: Bool { [.fetched, .unchanged, .redirect].contains(outcome) }

    // How far the files are whole with this line.
    var pages = 0
    var pagesEnd = 0
    var evidence = 0
    var evidenceEnd = 0
    var collectionEnd = 0
}
