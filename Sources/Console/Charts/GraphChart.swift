import Core
import Wire

/// A workflow drawn as a graph: boxes with name, state and place; edges with the outputs that travel along them.
struct GraphChart: Sendable {
    var workflow: WorkflowView

    /// The state of a node of many jobs: what a person has to know first.
    static func state(of node: WorkflowView.Node) -> JobState {
        func has(_ state: JobState) -> Bool { (node.states[state.rawValue] ?? 0) > 0 }
        if has(.failed) { return .failed }
        if has(.active) { return .active }
        if has(.queued) { return has(.succeeded) ? .active : .queued }
        return has(.cancelled) ? .cancelled : has(.succeeded) ? .succeeded : .queued
    }

    /// Markup in natural size; the page lets it scroll.
    func render(_ words: Words, link: (WorkflowView.Node) -> String?) -> HTML {
        let nodes = workflow.nodes
        let places = Dictionary(nodes.enumerated().map { ($1.name, $0) }) { first, _ in first }
        let edges = nodes.enumerated().flatMap { index, node in
            node.after.compactMap { edge in
                places[edge.node].map {
                    GraphLayout.Edge(from: $0, to: index, label: shorten(edge.outputs.joined(separator: ", "), to: 24))
                }
            }
        }
        let layout = GraphLayout(count: nodes.count, edges: edges)
        let (width, height) = (coordinate(layout.width + 4), coordinate(layout.height + 4))
        let lines = layout.routes.html { route in
            let kind: HTML = route.edge.label.isEmpty ? "order" : "carries"
            return "<path class=\"edge \(kind)\" d=\"\(path(route))\"/>"
        }
        let labels = layout.routes.html { route in
            guard let end = route.points.last, !route.edge.label.isEmpty else { return .empty }
            return """
                <text class="edge-label" x="\(coordinate(end.x - 16))" y="\(coordinate(end.y + 3.5))">\
                \(route.edge.label)</text>
                """
        }
        let heads = layout.routes.html { route in
            guard let end = route.points.last else { return .empty }
            let (x, y) = (end.x, end.y)
            return """
                <path class="edge-head" d="M\(coordinate(x)) \(coordinate(y)) \
                l-8 -4 v8Z"/>
                """
        }
        let boxes = zip(nodes, layout.boxes).html { node, box in
            let drawn = self.box(node, box, words)
            guard let target = link(node) else { return drawn }
            return "<a href=\"\(target)\">\(drawn)</a>"
        }
        return """
            <svg class="graph" width="\(width)" height="\(height)" viewBox="-2 -2 \(width) \(height)" role="img" \
            aria-label="\(words(.workflowGraph, workflow.name))">\(lines)\(heads)\(labels)\(boxes)</svg>
            """
    }

    private func box(_ node: WorkflowView.Node, _ box: GraphLayout.Box, _ words: Words) -> HTML {
        let state = Self.state(of: node)
        let (x, y) = (box.x, box.y + (box.height - GraphLayout.nodeHeight) / 2)
        let done = node.states[JobState.succeeded.rawValue] ?? 0
        let progress = node.count > 1 ? " \(done)/\(node.count)" : ""
        let place = node.centres.map(\.text).joined(separator: ", ")
        let tiers = node.tiers.map { words($0) }.joined(separator: ", ")
        let gang = node.tasks > 1 ? " ×\(node.tasks)" : ""
        let site = place.isEmpty ? tiers : tiers.isEmpty ? place : "\(place) · \(tiers)"
        let kind: HTML = "node-box is-\(state.rawValue)"
        return """
            <g class="\(kind)"><rect class="frame" x="\(coordinate(x))" y="\(coordinate(box.y))" \
            width="\(coordinate(box.width))" height="\(coordinate(box.height))" rx="7"/>\
            <rect class="stripe" x="\(coordinate(x + 6))" y="\(coordinate(box.y + 9))" width="3" \
            height="\(coordinate(box.height - 18))" rx="1.5"/>\
            <text class="name" x="\(coordinate(x + 18))" y="\(coordinate(y + 21))">\
            \(shorten(node.name, to: 18))\(gang)</text>\
            <text class="state" x="\(coordinate(x + 18))" y="\(coordinate(y + 39))">\(words(state))\(progress)</text>\
            <text class="place" x="\(coordinate(x + 18))" y="\(coordinate(y + 56))">\(shorten(site, to: 26))</text>\
            <title>\(node.name): \(words(state))\(progress). \(site)</title></g>
            """
    }

    private func path(_ route: GraphLayout.Route) -> String {
        guard let first = route.points.first else { return "" }
        var out = "M\(coordinate(first.x)) \(coordinate(first.y))"
        for (index, (a, b)) in zip(route.points, route.points.dropFirst()).enumerated() {
            let isLast = index == route.points.count - 2
            if a.y == b.y {
                out += " H\(coordinate(b.x))"
            } else {
                // The last piece ends in a straight run, on which the label stands.
                let straight = isLast ? Double(route.edge.label.count) * GraphLayout.characterWidth + 24 : 0
                let target = max(a.x + 30, b.x - straight)
                let bend = (target - a.x) / 2
                out += " C\(coordinate(a.x + bend)) \(coordinate(a.y)) \(coordinate(target - bend)) \(coordinate(b.y))"
                out += " \(coordinate(target)) \(coordinate(b.y))"
                if isLast, target < b.x { out += " H\(coordinate(b.x))" }
            }
        }
        return out
    }
}

/// At most so many characters, the last an ellipsis when something was cut.
func shorten(_ text: String, to limit: Int) -> String {
    text.count <= limit ? text : String(text.prefix(limit - 1)) + "…"
}
