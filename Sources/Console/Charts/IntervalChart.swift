/// Where a difference lies beside none: a line from the lower to the upper bound, its mean, and a mark at zero.
struct IntervalChart: Sendable {
    var mean: Double
    var low: Double
    var high: Double
    /// The largest distance from zero of a column of them.
    var scale: Double
    /// What it says, for screen readers and the pointer.
    var label: String

    /// Markup of 200 by 12 units that stretches to its container's width.
    func render() -> HTML {
        func x(_ value: Double) -> Double { 100 + max(-1, min(1, value / max(scale, .leastNonzeroMagnitude))) * 98 }
        let kind: HTML = high < 0 ? "is-better" : low > 0 ? "is-worse" : "is-open"
        let (from, to) = (x(low), x(high))
        return """
            <svg class="interval \(kind)" viewBox="0 0 200 12" preserveAspectRatio="none" role="img" aria-label="\(label)">\
            <title>\(label)</title><rect class="zero" x="99.5" width="1" height="12"/>\
            <rect x="\(coordinate(from))" y="4.5" width="\(coordinate(max(1, to - from)))" height="3"/>\
            <rect x="\(coordinate(x(mean) - 1))" y="1" width="2" height="10"/></svg>
            """
    }
}
