import Core
import Wire

/// One machine drawn as its cores and cards: a small square a core, a larger one a card, filled where a run holds it.
struct NodeChart: Sendable {
    var cores: Double
    var usedCores: Double
    var cards: Int
    var usedCards: Int
    var emulated: Bool
    var schedulable: Bool
    var title: String

    /// Above this many cores one square stands for several.
    static let coreSquaresMax = 96
    static let cardSquaresMax = 32

    init(_ view: CentreView.NodeView, title: String) {
        let node = view.node
        cores = node.cores.cores
        usedCores = max(0, (node.cores - view.freeCores).cores)
        cards = node.cards.reduce(0) { $0 + $1.count }
        usedCards = max(0, cards - view.freeCards)
        emulated = !node.cards.isEmpty && node.cards.allSatisfy(\.emulated)
        schedulable = node.schedulable
        self.title = title
    }

    /// Markup in its natural size: 10 units a core with a gap of 2, cards of 22 units above the cores.
    func render() -> HTML {
        let perSquare = max(1, (cores / Double(Self.coreSquaresMax)).rounded(.up))
        let squares = max(1, Int((cores / perSquare).rounded(.up)))
        let columns = squares <= 8 ? squares : squares <= 16 ? 8 : 16
        let shownCards = min(cards, Self.cardSquaresMax)
        let cardColumns = max(1, min(shownCards, 8))
        let width = max(columns * 12, shownCards > 0 ? cardColumns * 24 : 0) - 2
        var out = HTML.empty
        var y = 0
        if shownCards > 0 {
            let usedShown = (usedCards * shownCards + cards - 1) / cards
            for index in 0..<shownCards {
                let kind: HTML = index < usedShown ? "used" : "free"
                let emulation: HTML = emulated ? " emulated" : ""
                out +=
                    "<rect class=\"card \(kind)\(emulation)\" x=\"\(index % cardColumns * 24 + 1)\" y=\"\(index / cardColumns * 24 + 1)\" width=\"20\" height=\"20\" rx=\"3\"/>"
            }
            y = (shownCards + cardColumns - 1) / cardColumns * 24 + 2
        }
        let usedSquares = usedCores / perSquare
        for index in 0..<squares {
            let (x, top) = (index % columns * 12, y + index / columns * 12)
            let part = min(1, max(0, usedSquares - Double(index)))
            out += "<rect class=\"core\" x=\"\(x)\" y=\"\(top)\" width=\"10\" height=\"10\" rx=\"2\"/>"
            if part > 0 {
                out +=
                    "<rect class=\"core used\" x=\"\(x)\" y=\"\(top)\" width=\"\(coordinate(10 * part))\" height=\"10\" rx=\"2\"/>"
            }
        }
        let height = y + (squares + columns - 1) / columns * 12 - 2
        let closed: HTML = schedulable ? "" : " closed"
        return """
            <svg class="node\(closed)" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" role="img" \
            aria-label="\(title)"><title>\(title)</title>\(out)</svg>
            """
    }
}
