import Core
import Wire

/// The federation at a glance: tiers as bands, centres as fields, nodes as squares, darker where more is in use.
struct CapacityMap: Sendable {
    var centres: [CentreView]

    /// Above this many nodes one square stands for several.
    static let squaresMax = 400
    private static let shades = 4

    func render(_ w: Words) -> HTML {
        let bands = Tier.allCases.compactMap { tier -> HTML? in
            let here = centres.filter { $0.tier == tier && !$0.nodes.isEmpty }.sorted { $0.name < $1.name }
            guard !here.isEmpty else { return nil }
            return """
                <li><h3>\(w(tier))</h3><ul class="fields">\(here.html { field($0, w) })</ul></li>

                """
        }
        guard !bands.isEmpty else { return .empty }
        let shades = (0...Self.shades).html { "<i class=\"shade s\($0)\"></i>" }
        return """
            <section><h2>\(w(.map))</h2><ul class="map">\(bands.html { $0 })</ul>
            <ul class="key"><li>\(w(.mapIdle)) \(shades) \(w(.mapFull))</li>\
            <li><i class="shade off"></i> \(w(.mapOff))</li></ul></section>
            """
    }

    private func field(_ centre: CentreView, _ w: Words) -> HTML {
        let perSquare = (centre.nodes.count + Self.squaresMax - 1) / Self.squaresMax
        let groups = stride(from: 0, to: centre.nodes.count, by: perSquare).map {
            centre.nodes[$0..<min($0 + perSquare, centre.nodes.count)]
        }
        // About twice as wide as high, so that fields of all sizes stand beside each other.
        var columns = 1
        while columns * columns < groups.count * 2 { columns += 1 }
        columns = min(columns, groups.count)
        // A few nodes are drawn large enough to be seen.
        let side = groups.count <= 16 ? 24 : 12
        let isOff = centre.state != .open || !centre.connected
        var squares = HTML.empty
        for (index, group) in groups.enumerated() {
            let up = group.filter(\.node.schedulable)
            let use = up.isEmpty ? 0 : up.reduce(0) { $0 + $1.use } / Double(up.count)
            let shade: HTML = isOff || up.isEmpty ? "off" : "s\(Int((use * Double(Self.shades)).rounded(.up)))"
            let names = [group.first, group.count > 1 ? group.last : nil].compactMap { $0?.node.name }
            let title = w(.mapNode, names.joined(separator: " – "), "\(Int((use * 100).rounded()))")
            squares += """
                <rect class="\(shade)" x="\(index % columns * (side + 2))" y="\(index / columns * (side + 2))" width="\(side)" height="\(side)" \
                rx="2"><title>\(title)</title></rect>
                """
        }
        let width = columns * (side + 2) - 2
        let height = (groups.count + columns - 1) / columns * (side + 2) - 2
        let cards = centre.capacity.cards.nameplate + centre.capacity.emulatedCards.nameplate
        let figures = w(
            .mapFigures,
            w.count(centre.nodes.count),
            w.figure(centre.capacity.cores.nameplate),
            w.figure(cards)
        )
        return """
            <li><a href="/console/centres/\(centre.name)"><svg class="nodes" width="\(width)" height="\(height)" \
            viewBox="0 0 \(width) \(height)" role="img" aria-label="\(centre.name): \(figures)">\(squares)</svg>
            <b>\(centre.name)</b></a><span class="sub">\(figures)</span></li>

            """
    }
}

extension CentreView.NodeView {
    /// What is in use of its cards or of its cores, whichever is more, 0 to 1.
    fileprivate var use: Double {
        let cards = node.cards.reduce(0) { $0 + $1.count }
        let ofCards = cards > 0 ? Double(cards - freeCards) / Double(cards) : 0
        let ofCores = node.cores > 0 ? 1 - freeCores.cores / node.cores.cores : 0
        return min(1, max(0, max(ofCards, ofCores)))
    }
}
