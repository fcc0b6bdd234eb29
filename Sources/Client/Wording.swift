import Core

/// How long ago or how long: `42s`, `3m10s`, `2h05m`, `4d3h`.
func spoken(_ duration: Duration) -> String {
    let seconds = max(0, duration.milliseconds / 1000)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    switch seconds {
    case ..<60: return "\(seconds)s"
    case ..<3600: return "\(seconds / 60)m\(two(seconds % 60))s"
    case ..<86_400: return "\(seconds / 3600)h\(two(seconds / 60 % 60))m"
    default: return "\(seconds / 86_400)d\(seconds / 3600 % 24)h"
    }
}

/// To the second, in UTC: `2026-01-31 09:30:00Z`.
func spoken(_ instant: Instant?) -> String {
    guard let instant else { return "-" }
    let text = instant.rfc3339
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + "Z"
}

/// At most two decimals and none that are zero.
func spoken(_ number: Double) -> String {
    let hundredths = (number * 100).rounded() / 100
    return hundredths == hundredths.rounded() && hundredths.magnitude < 1e15
        ? "\(Int64(hundredths))" : "\(hundredths)"
}

/// `3 succeeded, 1 active`, in the order of a job's life.
func spoken(states: [String: Int]) -> String {
    let order = JobState.allCases.map(\.rawValue)
    let known = order.filter { (states[$0] ?? 0) > 0 }
    let others = states.keys.filter { !order.contains($0) }.sorted()
    return (known + others).map { "\(states[$0] ?? 0) \($0)" }.joined(separator: ", ")
}

/// Credits as people write them, `12.5`, in millionths; `nil` for anything else.
func credits(_ text: String) -> MicroCredits? {
    let isNegative = text.hasPrefix("-")
    let parts = text.dropFirst(isNegative ? 1 : 0).split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
        let whole = Int64(parts[0]), whole < 1_000_000_000_000
    else { return nil }
    var micros: Int64 = 0
    if parts.count == 2 {
        guard (1...6).contains(parts[1].count),
            let fraction = Int64(parts[1] + String(repeating: "0", count: 6 - parts[1].count))
        else { return nil }
        micros = fraction
    }
    let count = whole * 1_000_000 + micros
    return MicroCredits(isNegative ? -count : count)
}
