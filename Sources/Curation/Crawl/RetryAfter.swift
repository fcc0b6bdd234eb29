public import Core

/// How long a server asks to be left alone.
///
/// > Source: RFC 9110, sections 5.6.7 and 10.2.3.
public enum RetryAfter {
    /// Reads a field's value, seconds or a date; `nil` for what is neither and for a date that is past.
    public static func duration(_ value: String, at now: Instant) -> Duration? {
        let text = value.split { $0 == " " || $0 == "\t" }
        if text.count == 1, text[0].utf8.count <= 9, let seconds = Int64(text[0]), seconds >= 0 {
            return .seconds(seconds)
        }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard text.count == 6, text[5] == "GMT", text[1].utf8.count == 2, text[3].utf8.count == 4,
            text[4].utf8.count == 8, let month = months.firstIndex(of: String(text[2]))
        else { return nil }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        guard let date = Instant(rfc3339: "\(text[3])-\(number)-\(text[1])T\(text[4])Z"), date > now else { return nil }
        return date - now
    }
}
