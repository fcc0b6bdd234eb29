/// Lines over time, as one SVG element.
struct LineChart {
    /// Seconds, ascending.
    var x: [Double]
    var lines: [(name: String, y: [Double])]
    var unit: String

    private static let width = 900.0
    private static let height = 260.0
    private static let margin = (left: 60.0, top: 10.0, right: 10.0, bottom: 40.0)
    /// Told apart with the common kinds of colour blindness, after Okabe and Ito (2008).
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a7a00", "#000000",
    ]

    var svg: String {
        let xMax = max(1, x.last ?? 1)
        let top = Self.nice(lines.flatMap(\.y).max() ?? 1)
        let inner = (
            width: Self.width - Self.margin.left - Self.margin.right,
            height: Self.height - Self.margin.top - Self.margin.bottom
        )
        func place(_ x: Double, _ y: Double) -> (String, String) {
            (
                Self.tenths(Self.margin.left + x / xMax * inner.width),
                Self.tenths(Self.margin.top + (1 - y / top) * inner.height)
            )
        }
        var text = "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" font-size=\"12\">\n"
        for part in [0.0, 0.25, 0.5, 0.75, 1] {
            let (_, y) = place(0, part * top)
            text +=
                "<line x1=\"\(Self.margin.left)\" x2=\"\(Self.width - Self.margin.right)\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"#d9dee5\"/>"
            text += "<text x=\"\(Self.margin.left - 6)\" y=\"\(y)\" text-anchor=\"end\" dominant-baseline=\"middle\">"
            text += "\(Experiment.short(part * top))\(unit)</text>\n"
        }
        for part in [0.0, 0.25, 0.5, 0.75, 1] {
            let (at, _) = place(part * xMax, 0)
            let anchor = part == 1 ? "end" : "middle"
            text += "<text x=\"\(at)\" y=\"\(Self.height - 24)\" text-anchor=\"\(anchor)\">day "
            text += "\(Experiment.short(part * xMax / 86_400))</text>\n"
        }
        var legend = Self.margin.left
        for (index, line) in lines.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let points = zip(x, line.y).map { place($0, $1) }.map { "\($0),\($1)" }.joined(separator: " ")
            text += "<polyline fill=\"none\" stroke=\"\(colour)\" stroke-width=\"1.5\" points=\"\(points)\"/>\n"
            text +=
                "<text x=\"\(legend)\" y=\"\(Self.height - 6)\" fill=\"\(colour)\">\(Experiment.escaped(line.name))</text>\n"
            legend += Double(line.name.count) * 7.5 + 20
        }
        return text + "</svg>\n"
    }

    private static func tenths(_ value: Double) -> String { "\((value * 10).rounded() / 10)" }

    /// The next of 1, 2, 5, 10, 20, …
    private static func nice(_ value: Double) -> Double {
        var step = 1.0
        while true {
            for factor in [1.0, 2, 5] where step * factor >= value { return step * factor }
            step *= 10
            if step > 1e15 { return value }
        }
    }
}
