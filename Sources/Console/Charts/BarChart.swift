/// One bar cut into parts of a whole, with no text of its own: the figures stand beside it.
struct BarChart: Sendable {
    struct Part: Sendable {
        /// The CSS class that colours it: `used`, `free`, `closed`, `emulated`.
        var kind: HTML
        var value: Double
        /// What a pointer or a screen reader is told.
        var title: String
    }

    var parts: [Part]
    /// The whole; the parts never exceed it. Shorter wholes make shorter bars when `scale` is the longest of a column.
    var scale: Double
    /// Where a measured value stands, in the unit of the parts.
    var mark: (value: Double, title: String)?
    /// What the whole bar says, for screen readers.
    var label: String

    /// Markup of 200 by 10 units that stretches to its container's width.
    func render() -> HTML {
        let scale = max(scale, parts.reduce(0) { $0 + $1.value }, mark?.value ?? 0)
        guard scale > 0 else {
            return
                "<svg class=\"bar\" viewBox=\"0 0 200 10\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"\(label)\"><rect class=\"track\" width=\"200\" height=\"10\"/></svg>"
        }
        var position = 0.0
        let rects = parts.html { part in
            guard part.value > 0 else { return .empty }
            let x = position / scale * 200
            let width = part.value / scale * 200
            position += part.value
            return
                "<rect class=\"\(part.kind)\" x=\"\(coordinate(x))\" width=\"\(coordinate(width))\" height=\"10\"><title>\(part.title)</title></rect>"
        }
        let measured: HTML? = mark.map { mark in
            "<rect class=\"measured\" x=\"\(coordinate(max(0, mark.value / scale * 200 - 0.75)))\" width=\"1.5\" height=\"10\"><title>\(mark.title)</title></rect>"
        }
        return """
            <svg class="bar" viewBox="0 0 200 10" preserveAspectRatio="none" role="img" aria-label="\(label)">\
            <rect class="track" width="200" height="10"/>\(rects)\(measured)</svg>
            """
    }
}

/// A coordinate with at most two decimals, so that golden files are stable and pages small.
func coordinate(_ value: Double) -> String {
    guard value.isFinite else { return "0" }
    let hundredths = Int64((value * 100).rounded())
    let whole = hundredths / 100
    let rest = hundredths.magnitude % 100
    let sign = hundredths < 0 && whole == 0 ? "-" : ""
    return rest == 0
        ? "\(sign)\(whole)" : "\(sign)\(whole).\(rest % 10 == 0 ? "\(rest / 10)" : rest < 10 ? "0\(rest)" : "\(rest)")"
}
