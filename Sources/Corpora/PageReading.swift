import Core
import Curation

/// Makes records of pages: decodes them, and takes the main text out of HTML.
struct PageReading {
    private var extractor = PageExtractor()
    private var decoded: [UInt8] = []
    private var text: [UInt8] = []

    /// Changes with what pages become; records made by an earlier version are made again.
    static let version = 1

    /// A JSON line for each page that has a text.
    ///
    /// - Parameter setAside: Gets the pages that have none, by reason.
    mutating func records(of batch: PageBatch, setAside: inout [String: Int]) -> [UInt8] {
        var lines: [UInt8] = []
        for page in batch.pages {
            decoded.removeAll(keepingCapacity: true)
            text.removeAll(keepingCapacity: true)
            let decoding = Charset.decode(
                batch.bytes.span.extracting(page.range),
                declared: page.charset.isEmpty ? nil : page.charset,
                isHTML: page.isHTML,
                into: &decoded
            )
            var facts = PageFacts()
            let plain = decoded
            if page.isHTML { facts = extractor.extract(plain.span, into: &text) } else { text = plain }
            guard !text.isEmpty else {
                setAside[facts.limit == nil ? "no-main-text" : "page-above-budget", default: 0] += 1
                continue
            }
            lines.append(UInt8(ascii: "{"))
            append("id", page.id, isFirst: true, to: &lines)
            for (name, value) in [
                ("url", page.url), ("date", page.date), ("charset", decoding.encoding), ("title", facts.title),
                ("page_language", facts.language), ("published", facts.published), ("licence", facts.licence),
            ] where !value.isEmpty {
                append(name, value, to: &lines)
            }
            lines.append(contentsOf: ",\"text\":".utf8)
            let body = text
            JSONLine.escape(body.span, into: &lines)
            lines.append(contentsOf: "}\n".utf8)
        }
        return lines
    }

    private func append(_ name: String, _ value: String, isFirst: Bool = false, to lines: inout [UInt8]) {
        lines.append(contentsOf: "\(isFirst ? "" : ",")\"\(name)\":".utf8)
        JSONLine.escape(Array(value.utf8).span, into: &lines)
    }
}
