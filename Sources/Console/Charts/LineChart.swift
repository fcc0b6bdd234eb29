/// Several lines over one time, with a scale beside them and times under them. All words are text of the page and not of
/// the drawing, so that they stay readable at any width. Which line is which says a ``LineKey``, once for several charts.
struct LineChart: Sendable {
    struct Line: Sendable {
        var name: String
        /// At equal distances; all lines of a chart have as many.
        var values: [Double]
    }

    var lines: [Line]
    /// What the scale ends at; it begins at 0.
    var top: Double
    /// From the top of the scale to its bottom, at equal distances.
    var scale: [String]
    /// From the first value to the last, at equal distances.
    var times: [String]
    /// What it shows, for screen readers.
    var label: String

    /// The next of 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, … that holds all values.
    static func top(of values: some Sequence<Double>) -> Double {
        let most = values.max() ?? 0
        var step = 1.0
        while step < 1e18 {
            for factor in [1.0, 1.5, 2, 3, 4, 5, 6, 8] where step * factor >= most { return step * factor }
            step *= 10
        }
        return most
    }

    func render() -> HTML {
        let width = max(1, (lines.map(\.values.count).max() ?? 0) - 1)
        let drawn = lines.enumerated().html { number, line in
            """
            <polyline class="\(seriesClass(number))" points="\(points(line.values))"><title>\(line.name)</title></polyline>
            """
        }
        let rules = scale.indices.html { index in
            let y = coordinate(Double(index) / Double(max(1, scale.count - 1)) * 100)
            return "<path class=\"rule\" d=\"M0 \(y)H\(width)\"/>"
        }
        return """
            <div class="plane"><div class="scale" aria-hidden="true">\(scale.html { "<span>\($0)</span>" })</div>\
            <svg class="lines" viewBox="0 0 \(width) 100" preserveAspectRatio="none" role="img" aria-label="\(label)">\
            \(rules)\(drawn)</svg><div class="ends">\(times.html { "<span>\($0)</span>" })</div></div>
            """
    }

    /// Left out is what lies on a level stretch and changes nothing.
    private func points(_ values: [Double]) -> HTML {
        let ys = values.map { coordinate(100 - min(1, max(0, $0 / max(top, .leastNonzeroMagnitude))) * 100) }
        return ys.indices.html { index in
            let isLevel = index > 0 && index + 1 < ys.count && ys[index - 1] == ys[index] && ys[index] == ys[index + 1]
            return isLevel ? .empty : "\(index > 0 ? " " : "")\(index),\(ys[index])"
        }
    }
}

/// Which line of a ``LineChart`` is which.
struct LineKey: Sendable {
    var names: [String]

    func render() -> HTML {
        "<ul class=\"key\">\(names.enumerated().html { "<li>\(Self.mark($0))\($1)</li>" })</ul>"
    }

    static func mark(_ number: Int) -> HTML { "<i class=\"line \(seriesClass(number))\" aria-hidden=\"true\"></i>" }
}

/// The CSS class that a series is coloured by: eight colours, then the same ones dashed.
func seriesClass(_ number: Int) -> HTML {
    let letters = ["a", "b", "c", "d", "e", "f", "g", "h"]
    return "series-\(letters[number % letters.count])\(number >= letters.count ? " dashed" : "")"
}
