import Core

/// Pages as they were collected, before anything is taken out of them.
struct PageBatch: Sendable {
    /// The bodies of all pages, one after another.
    var bytes: [UInt8] = []
    var pages: [Page] = []
    /// Records that are no pages, by reason.
    var setAside: [String: Int] = [:]

    struct Page: Sendable {
        var id: String
        var url: String
        /// When it was collected, as the source says.
        var date: String
        /// What came with it, as in a header of HTTP.
        var charset: String
        var isHTML: Bool
        var range: Range<Int>
    }

    mutating func append(_ body: Span<UInt8>, id: String, url: String, date: String, charset: String, isHTML: Bool) {
        let start = bytes.count
        body.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        pages.append(
            Page(id: id, url: url, date: date, charset: charset, isHTML: isHTML, range: start..<bytes.count)
        )
    }

    /// Of the bodies and of everything that is known of them.
    var digest: Digest {
        var text = Disk.sha256(bytes.span).hex
        for page in pages {
            for part in [page.id, page.url, page.date, page.charset, page.isHTML ? "html" : "text"] {
                text += "\n\(part.utf8.count) \(part)"
            }
            text += "\n\(page.range.count)"
        }
        return Disk.sha256(Array(text.utf8).span)
    }
}
