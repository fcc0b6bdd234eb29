import Core
import Wire

/// Where a revision comes from and who used it: the jobs that wrote it on its left, those that read it on its right.
struct LineageChart: Sendable {
    /// What the box in the middle is called.
    var revision: String
    var edges: [LineageEdgeView]

    /// Jobs on one side; more are left out.
    private static let jobsMax = 24

    func render(_ words: Words) -> HTML {
        let writers = Array(edges.filter { $0.direction == .output }.prefix(Self.jobsMax))
        let readers = Array(edges.filter { $0.direction == .input }.prefix(Self.jobsMax))
        let jobs = writers + readers
        // The revision is node 0.
        let lines = jobs.enumerated().map { index, edge in
            index < writers.count
                ? GraphLayout.Edge(from: index + 1, to: 0, label: shorten(edge.name, to: 24))
                : GraphLayout.Edge(from: 0, to: index + 1, label: shorten(edge.name, to: 24))
        }
        let layout = GraphLayout(count: jobs.count + 1, edges: lines)
        let (width, height) = (coordinate(layout.width + 4), coordinate(layout.height + 4))
        let drawn = layout.routes.html { route in
            guard let start = route.points.first, let end = route.points.last else { return .empty }
            let bend = (end.x - start.x) / 2
            return """
                <path class="edge carries" d="M\(coordinate(start.x)) \(coordinate(start.y)) \
                C\(coordinate(start.x + bend)) \(coordinate(start.y)) \(coordinate(end.x - bend)) \(coordinate(end.y)) \
                \(coordinate(end.x)) \(coordinate(end.y))"/>\
                <path class="edge-head" d="M\(coordinate(end.x)) \(coordinate(end.y)) l-8 -4 v8Z"/>
                """
        }
        let boxes = layout.boxes.enumerated().html { index, box in
            guard index > 0 else { return Self.box(box, revision, "", kind: "succeeded") }
            let edge = jobs[index - 1]
            let count = edge.jobs > 1 ? " ×\(edge.jobs)" : ""
            return """
                <a href="/console/jobs/\(edge.job)">\(Self.box(box, edge.jobName + count, edge.name, kind: "active"))</a>
                """
        }
        return """
            <svg class="graph" width="\(width)" height="\(height)" viewBox="-2 -2 \(width) \(height)" role="img" \
            aria-label="\(words(.lineage))">\(drawn)\(boxes)</svg>
            """
    }

    private static func box(_ box: GraphLayout.Box, _ name: String, _ detail: String, kind: HTML) -> HTML {
        """
        <g class="node-box is-\(kind)"><rect class="frame" x="\(coordinate(box.x))" y="\(coordinate(box.y))" \
        width="\(coordinate(box.width))" height="\(coordinate(box.height))" rx="7"/>\
        <text class="name" x="\(coordinate(box.x + 12))" y="\(coordinate(box.y + 26))">\(shorten(name, to: 22))</text>\
        <text class="place" x="\(coordinate(box.x + 12))" y="\(coordinate(box.y + 46))">\(shorten(detail, to: 26))</text>\
        <title>\(name)</title></g>
        """
    }
}
