public import Core
public import Curation

/// A page about a run that stands alone: the way of the documents from source to output, and what each rule took.
public struct RunReport: Sendable {
    let record: RunRecord
    let file: PipelineFile

    public init(record: RunRecord, file: PipelineFile) {
        self.record = record
        self.file = file
    }

    public func write(to path: String) throws(Failure) { try Disk.publish(Array(html.utf8), at: path) }

    private var html: String {
        let summary = record.summary
        var body = "<h1>\(escaped(record.pipeline))</h1>\n<p>Started \(record.started.rfc3339)"
        body += record.finished.map { ", finished \($0.rfc3339)" } ?? ", not finished"
        body += ". Configuration <code>\(record.configuration.prefix(16))</code>.</p>\n"
        body += "<h2>Sources</h2>\n" + sources
        body += "<h2>From source to output</h2>\n" + funnel
        body += "<h2>What rules dropped</h2>\n"
        body += table(
            ["rule", "documents", "of all", "text"],
            summary.dropped.largestFirst.map { rule, tally in
                [escaped(rule), grouped(tally.count), share(tally.count, summary.documents.count), size(tally.bytes)]
            }
        )
        if !record.duplicates.isEmpty {
            body += "<h2>Duplicates</h2>\n"
            body += table(
                ["kind", "documents", "of all", "text"],
                record.duplicates.largestFirst.map {
                    [escaped($0), grouped($1.count), share($1.count, summary.documents.count), size($1.bytes)]
                }
            )
        }
        if !record.repeats.isEmpty {
            body += "<h2>Taken out of documents because others have it</h2>\n"
            body += table(
                ["what", "documents", "text"],
                record.repeats.largestFirst.map { [escaped($0), grouped($1.count), size($1.bytes)] }
            )
        }
        if !summary.languages.isEmpty {
            body += "<h2>Languages</h2>\n"
            body += bars(summary.languages.largestFirst.prefix(20).map { ($0, $1.count) })
        }
        if !summary.personal.isEmpty {
            body += "<h2>Personal data in what was kept</h2>\n"
            body += bars(summary.personal.largestFirst.map { ($0, $1) })
        }
        if !summary.keywords.isEmpty {
            body += "<h2>Keywords</h2>\n"
            body += bars(
                summary.keywords.largestFirst.prefix(40).map { ($0, $1) }
            )
        }
        if !summary.setAside.isEmpty {
            body += "<h2>Records set aside</h2>\n"
            body += table(
                ["reason", "records"],
                summary.setAside.sorted { $0.key < $1.key }.map { [escaped($0), grouped($1)] }
            )
        }
        body += "<h2>Files</h2>\n"
        body += table(
            ["file", "documents", "text", "bytes", "sha256"],
            record.parts.prefix(Self.partsMax).map { part in
                [
                    escaped(part.path), grouped(part.documents), size(part.textBytes), size(part.bytes),
                    "<code>\(part.sha256)</code>",
                ]
            }
        )
        if record.parts.count > Self.partsMax { body += "<p>And \(record.parts.count - Self.partsMax) more.</p>\n" }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <title>\(escaped(record.pipeline))</title><style>
            body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
            table { border-collapse: collapse } th, td { text-align: right; padding: .15rem .8rem; border-bottom: 1px solid #ddd }
            th:first-child, td:first-child { text-align: left } code { font-size: 12px } svg { max-width: 100% }
            text { font: 13px system-ui, sans-serif; fill: #222 }
            @media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } text { fill: #ddd } th, td { border-color: #444 } }
            </style></head><body>
            \(body)</body></html>

            """
    }

    /// How many files a page lists.
    private static let partsMax = 1000

    private var sources: String {
        table(
            ["source", "files", "bytes", "use"],
            file.sources.map { source in
                [
                    escaped(source.name), grouped(source.files.count), size(source.files.reduce(0) { $0 + $1.bytes }),
                    source.isReference ? "compared with" : "written",
                ]
            }
        )
    }

    /// What is left after each step, as bars under one another.
    private var funnel: String {
        bars(
            RunFunnel(record).steps.map { step in
                switch step.stage {
                case .read: ("documents", step.left)
                case .rules(let family): ("after \(family)", step.left)
                case .otherRules: ("after other rules", step.left)
                case .duplicates(let kind): ("after \(kind) duplicates", step.left)
                case .written: ("written", step.left)
                }
            }
        )
    }

    private func bars(_ values: [(name: String, value: Int)]) -> String {
        let rowHeight = 24
        let largest = max(1, values.map(\.value).max() ?? 1)
        var svg =
            "<svg viewBox=\"0 0 760 \(values.count * rowHeight + 8)\" width=\"760\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\">\n"
        for (index, (name, value)) in values.enumerated() {
            let y = index * rowHeight + 4
            let width = max(1, 400 * max(0, value) / largest)
            svg += "<text x=\"210\" y=\"\(y + 15)\" text-anchor=\"end\">\(escaped(name))</text>"
            svg += "<rect x=\"220\" y=\"\(y)\" width=\"\(width)\" height=\"18\" fill=\"#3a7ca5\"/>"
            svg += "<text x=\"\(226 + width)\" y=\"\(y + 15)\">\(grouped(value))</text>\n"
        }
        return svg + "</svg>\n"
    }

    private func table(_ titles: [String], _ rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "<p>None.</p>\n" }
        var text = "<table><tr>" + titles.map { "<th>\($0)" }.joined() + "</tr>\n"
        for row in rows { text += "<tr>" + row.map { "<td>\($0)" }.joined() + "</tr>\n" }
        return text + "</table>\n"
    }

    private func grouped(_ number: Int) -> String { groupedDigits(number) }

    private func share(_ part: Int, _ whole: Int) -> String {
        guard whole > 0 else { return "-" }
        return "\((Double(part) * 1000 / Double(whole)).rounded() / 10) %"
    }

    private func size(_ bytes: Int) -> String { "\((Double(bytes) / 10_000).rounded() / 100) MB" }

    private func escaped(_ text: some StringProtocol) -> String {
        var out = ""
        for character in text {
            switch character {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            default: out.append(character)
            }
        }
        return out
    }
}

/// A number with a comma between every three digits.
func groupedDigits(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var place = digits.count - 3
    while place > 0 {
        digits.insert(",", at: place)
        place -= 3
    }
    return (number < 0 ? "-" : "") + String(digits)
}
