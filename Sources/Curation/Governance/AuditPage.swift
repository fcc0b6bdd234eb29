/// Markup of the audit pack's page. All text goes through ``put(_:)``, which escapes it.
struct AuditPage {
    private(set) var bytes: [UInt8] = []

    /// Rows of one table; the files have them all.
    static let rowsMax = 500

    enum Cell {
        case text(String)
        case mark(String, isGood: Bool)
        /// A fraction.
        case bar(Double)
    }

    private mutating func raw(_ markup: StaticString) {
        markup.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    /// Escapes what means something in text and in quoted values, and leaves out controls: those HTML forbids, and those of
    /// direction, which can make a name look like another.
    private mutating func put(_ text: String) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": raw("&amp;")
            case "<": raw("&lt;")
            case ">": raw("&gt;")
            case "\"": raw("&quot;")
            case "'": raw("&#39;")
            case "\u{0}"..<"\u{9}", "\u{B}"..<" ", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}",
                "\u{2066}"..."\u{2069}":
                break
            default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            }
        }
    }

    private mutating func words(_ english: String, _ chinese: String) {
        put(english)
        raw(" <span lang=\"zh\">")
        put(chinese)
        raw("</span>")
    }

    mutating func begin(title: String) {
        raw("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" ")
        raw("content=\"width=device-width\"><title>")
        put(title)
        raw("</title><style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;")
        raw("color:#1c2024;background:#fff}h1,h2{line-height:1.2}h2{margin-top:2.5rem}table{border-collapse:collapse;")
        raw("width:100%;display:block;overflow-x:auto}th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;")
        raw("border-bottom:1px solid #d9dde1;overflow-wrap:anywhere}th{background:#f4f6f8}[lang=zh]{color:#57606a}")
        raw(".good{color:#116329}.bad{color:#a40e26;font-weight:600}dt{font-weight:600}dd{margin:0 0 .4rem;")
        raw("overflow-wrap:anywhere}</style></head><body><h1>")
        put(title)
        raw("</h1>\n")
    }

    mutating func list(_ rows: [(english: String, chinese: String, value: String)]) {
        raw("<dl>")
        for row in rows {
            raw("<dt>")
            words(row.english, row.chinese)
            raw("</dt><dd>")
            put(row.value)
            raw("</dd>\n")
        }
        raw("</dl>\n")
    }

    /// A table, unless it has no rows.
    mutating func table(
        _ english: String,
        _ chinese: String,
        _ columns: [(english: String, chinese: String)],
        _ rows: [[Cell]],
        of count: Int
    ) {
        guard !rows.isEmpty else { return }
        raw("<h2>")
        words(english, chinese)
        raw("</h2>\n<table><thead><tr>")
        for column in columns {
            raw("<th scope=\"col\">")
            words(column.english, column.chinese)
            raw("</th>")
        }
        raw("</tr></thead><tbody>\n")
        for row in rows {
            raw("<tr>")
            for cell in row {
                raw("<td>")
                put(cell)
                raw("</td>")
            }
            raw("</tr>\n")
        }
        raw("</tbody></table>\n")
        if rows.count < count { note("\(rows.count) of \(count) rows", "仅列出 \(rows.count)/\(count) 行") }
    }

    private mutating func put(_ cell: Cell) {
        switch cell {
        case .text(let text): put(text)
        case .mark(let text, let isGood):
            if isGood { raw("<span class=\"good\">") } else { raw("<span class=\"bad\">") }
            put(text)
            raw("</span>")
        case .bar(let fraction):
            let width = Int((min(max(fraction, 0), 1) * 100).rounded())
            raw("<svg width=\"100\" height=\"10\" aria-hidden=\"true\"><rect height=\"10\" fill=\"#0969da\" width=\"")
            put("\(width)")
            raw("\"/></svg> ")
            put(Percent.text(fraction))
        }
    }

    mutating func note(_ english: String, _ chinese: String) {
        raw("<p>")
        words(english, chinese)
        raw("</p>\n")
    }

    mutating func end(_ english: String, _ chinese: String) {
        note(english, chinese)
        raw("</body></html>\n")
    }

    /// Digits in threes.
    static func grouped(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        var out = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { out.append(",") }
            out.append(digit)
        }
        return out
    }
}
