import Core

/// A strip of time: one row of phases, all rows on one scale. The words stand beside it in a legend.
struct StripChart: Sendable {
    struct Phase: Sendable, Hashable {
        enum Kind: String, Sendable, Hashable, CaseIterable {
            case queued, leased, staging, pending, running, unseen
        }

        var kind: Kind
        var from: Instant
        var to: Instant
    }

    struct Row: Sendable, Hashable {
        var title: String
        var phases: [Phase]
    }

    var rows: [Row]
    var from: Instant
    var to: Instant

    /// Markup of 1000 units by 16 a row that stretches to its container's width.
    ///
    /// - Parameter title: What a pointer is told of a phase.
    func render(label: String, title: (Phase) -> String) -> HTML {
        let span = Double(max(1, (to - from).milliseconds))
        func x(_ instant: Instant) -> Double {
            min(1000, max(0, Double((instant - from).milliseconds) / span * 1000))
        }
        var y = 0
        let bars = rows.html { row in
            defer { y += 18 }
            return row.phases.html { phase in
                // A phase shorter than a pixel is still one that happened.
                let width = max(2, x(phase.to) - x(phase.from))
                let start = min(x(phase.from), 1000 - width)
                return
                    "<rect class=\"\(kindClass(phase.kind))\" x=\"\(coordinate(start))\" y=\"\(y)\" width=\"\(coordinate(width))\" height=\"14\"><title>\(title(phase))</title></rect>"
            }
        }
        let height = max(14, rows.count * 18 - 4)
        return """
            <svg class="strip" viewBox="0 0 1000 \(height)" height="\(height)" preserveAspectRatio="none" role="img" \
            aria-label="\(label)"><rect class="track" width="1000" height="\(height)"/>\(bars)</svg>
            """
    }

    private func kindClass(_ kind: Phase.Kind) -> HTML { "phase-\(kind.rawValue)" }
}
