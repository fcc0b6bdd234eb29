/// Comma-separated values. > Source: RFC 4180.
enum CSV {
    /// A field of free text: quoted where it must be, and never a formula to a spreadsheet.
    static func text(_ plain: String) -> String {
        var text = plain
        if let first = text.first, "=+-@\t\r".contains(first) { text = "'" + text }
        guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
        return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
