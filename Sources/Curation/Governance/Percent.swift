/// Fractions as people read them.
enum Percent {
    /// Two decimals at most, `4.55 %`; never rounded to 0 or 100 unless it is.
    static func text(_ fraction: Double) -> String {
        guard fraction.isFinite else { return "?" }
        if fraction > 0, fraction < 0.00005 { return "under 0.01 %" }
        if fraction < 1, fraction > 0.99995 { return "over 99.99 %" }
        // Whole hundredths, so that no binary fraction shows.
        let hundredths = Int((min(max(fraction, -1e6), 1e6) * 10_000).rounded())
        let (whole, rest) = (abs(hundredths) / 100, abs(hundredths) % 100)
        var text = (hundredths < 0 ? "-" : "") + "\(whole)"
        if rest > 0 {
            text += rest < 10 ? ".0\(rest)" : rest % 10 == 0 ? ".\(rest / 10)" : ".\(rest)"
        }
        return text + " %"
    }
}
