/// A small line over a soft area: how something went, without axes.
struct AreaChart: Sendable {
    /// From left to right at equal distances; `nil` is a gap.
    var values: [Double?]
    /// What it shows, for screen readers and the pointer.
    var label: String

    /// Markup of 300 by 48 units that stretches to its container's width. Empty with fewer than two values.
    func render() -> HTML {
        let known = values.compactMap { $0 }
        guard known.count > 1, let low = known.min(), let high = known.max() else { return .empty }
        let bottom = min(low, 0)
        let span = max(high - bottom, .leastNonzeroMagnitude)
        let step = 300 / Double(max(values.count - 1, 1))
        func point(_ index: Int, _ value: Double) -> String {
            "\(coordinate(Double(index) * step)) \(coordinate(46 - (value - bottom) / span * 44))"
        }
        var line = ""
        var areas = ""
        var open: [(index: Int, value: Double)] = []
        func close() {
            guard let first = open.first, let last = open.last, open.count > 1 else {
                open = []
                return
            }
            let path = open.map { point($0.index, $0.value) }.joined(separator: " L")
            line += "M\(path)"
            areas +=
                "M\(coordinate(Double(first.index) * step)) 48 L\(path) L\(coordinate(Double(last.index) * step)) 48Z"
            open = []
        }
        for (index, value) in values.enumerated() {
            if let value { open.append((index, value)) } else { close() }
        }
        close()
        return """
            <svg class="area" viewBox="0 0 300 48" preserveAspectRatio="none" role="img" aria-label="\(label)">\
            <title>\(label)</title><path class="fill" d="\(areas)"/><path class="line" d="\(line)"/></svg>
            """
    }
}
