internal import Core

extension Experiment {
    /// One page that stands alone: figures, differences, and charts of queue, use and waits.
    public func html(_ outcomes: [Outcome], _ comparisons: [Comparison]) -> String {
        let span = Course.Span(replayed, outcomes.map(\.schedule), moments: SimulationReport.momentsMax)
        let courses = outcomes.map { Course(replayed, $0.schedule, federation, over: span) }
        var body = "<h1>\(Self.escaped(trace.name))</h1>\n<p>\(replayed.count) jobs"
        for (reason, count) in trace.skipped.sorted(by: { $0.key < $1.key }) {
            body += ", \(count) skipped: \(Self.escaped(reason))"
        }
        body += ". "
        body += federation.centres.map { centre in
            "\(Self.escaped(centre.name)) (\(Self.escaped(centre.tier))): \(centre.nodes.count) nodes, \(centre.cores) cores"
                + (centre.cards > 0 ? ", \(centre.cards) cards" : "")
        }.joined(separator: "; ")
        body += ".</p>\n" + figures(outcomes)
        if !comparisons.isEmpty {
            body +=
                "<h2>Paired differences</h2>\n<table><tr><th>policy<th>beside<th>wait, s<th>95 %<th>slowdown<th>95 %</tr>\n"
            for comparison in comparisons {
                body += "<tr><td>\(comparison.policy)<td>\(comparison.base)"
                for difference in [comparison.wait, comparison.slowdown] {
                    body +=
                        "<td>\(Self.short(difference.mean))<td>\(Self.short(difference.low)) to \(Self.short(difference.high))"
                }
                body += "</tr>\n"
            }
            body += "</table>\n"
        }
        body += "<h2>Jobs that wait</h2>\n"
        body +=
            LineChart(
                x: span.seconds,
                lines: zip(outcomes, courses).map { ($0.policy, $1.queued) },
                unit: ""
            ).svg
        for (outcome, course) in zip(outcomes, courses) {
            body += "<h2>Use by centre: \(outcome.policy)</h2>\n"
            body +=
                LineChart(
                    x: span.seconds,
                    lines: zip(federation.centres, course.used).map { ($0.name, $1.map { $0 * 100 }) },
                    unit: " %"
                ).svg
        }
        for outcome in outcomes where !outcome.projects.isEmpty { body += byProject(outcome) }
        for outcome in outcomes where !outcome.reservations.isEmpty { body += byReservation(outcome) }
        body += "<h2>Mean wait by size</h2>\n" + waitsBySize(outcomes)
        return Self.page(title: trace.name, body: body)
    }

    private func figures(_ outcomes: [Outcome]) -> String {
        var text = "<table><tr><th>figure"
        for outcome in outcomes { text += "<th>\(outcome.policy)" }
        text += "</tr>\n"
        for column in Metrics.columns {
            text += "<tr><td>" + String(column.name.map { $0 == "_" ? " " : $0 })
            for outcome in outcomes { text += "<td>" + (column.value(outcome.metrics).map { Self.short($0) } ?? "–") }
            text += "</tr>\n"
        }
        return text + "</table>\n"
    }

    /// How many projects a page shows, those first who got least of what was due to them.
    private static let projectsMax = 100

    private func byProject(_ outcome: Outcome) -> String {
        var text = "<h2>Projects: \(outcome.policy)</h2>\n<p>Jain's index of their mean slowdowns: "
        text += "\(Self.short(ProjectMetrics.jain(outcome.projects))).</p>\n"
        text +=
            "<table><tr><th>project<th>share, %<th>jobs<th>mean wait, s<th>slowdown<th>held, %<th>of what was due, %</tr>\n"
        for project in outcome.projects.worstFirst.prefix(Self.projectsMax) {
            text +=
                "<tr><td>\(Self.escaped(project.name))<td>\(Self.short(project.share * 100))<td>\(project.jobs)<td>\(Self.short(project.meanWait))"
            text += "<td>\(Self.short(project.meanSlowdown))<td>\(Self.short(project.held * 100))"
            text += "<td>\(Self.short(project.ofDue * 100))</tr>\n"
        }
        text += "</table>\n"
        let more = outcome.projects.count - Self.projectsMax
        return more > 0 ? text + "<p>And \(more) more, better off.</p>\n" : text
    }

    /// How many reservations a page shows, those first that were used least.
    private static let reservationsMax = 100

    private func byReservation(_ outcome: Outcome) -> String {
        var text = "<h2>Reservations: \(outcome.policy)</h2>\n"
        text +=
            "<table><tr><th>reservation<th>centre<th>for<th>nodes<th>from, h<th>hours<th>used, %<th>by others, %</tr>\n"
        let begin = replayed.first?.submit ?? 0
        for reservation in outcome.reservations.leastUsedFirst.prefix(Self.reservationsMax) {
            text += "<tr><td>\(Self.escaped(reservation.name))<td>\(Self.escaped(reservation.centre))"
            text += "<td>\(Self.escaped(reservation.project ?? "maintenance"))<td>\(reservation.nodes)"
            text += "<td>\(Self.short(Double(reservation.start - begin) / 3600))"
            text += "<td>\(Self.short(Double(reservation.seconds) / 3600))"
            text += "<td>\(reservation.used.map { Self.short($0 * 100) } ?? "–")"
            text += "<td>\(Self.short(reservation.others * 100))</tr>\n"
        }
        text += "</table>\n"
        let more = outcome.reservations.count - Self.reservationsMax
        return more > 0 ? text + "<p>And \(more) more, used better.</p>\n" : text
    }

    /// Jobs in classes of size, each twice the one before.
    private func waitsBySize(_ outcomes: [Outcome]) -> String {
        var text = "<table><tr><th>size<th>jobs"
        for outcome in outcomes { text += "<th>\(outcome.policy)" }
        text += "</tr>\n"
        for (upTo, members) in sizes {
            text += "<tr><td>up to \(upTo)<td>\(members.count)"
            for outcome in outcomes {
                text += "<td>\(meanWait(members, outcome).map { Self.short($0.seconds) } ?? "")"
            }
            text += "</tr>\n"
        }
        return text + "</table>\n"
    }

    /// Jobs by what their size is rounded up to.
    var sizes: [(upTo: Int, members: [Int])] {
        var classes: [Int: [Int]] = [:]
        for index in replayed.indices {
            let size = max(1, Int(replayed[index].size.rounded(.up)))
            classes[Int.bitWidth - (size - 1).leadingZeroBitCount, default: []].append(index)
        }
        return classes.sorted { $0.key < $1.key }.map { (1 << $0.key, $0.value) }
    }

    /// Of those that started; `nil` when none did.
    func meanWait(_ members: [Int], _ outcome: Outcome) -> (jobs: Int, seconds: Double)? {
        let ran = members.filter { outcome.schedule.start[$0] >= 0 }
        guard !ran.isEmpty else { return nil }
        let sum = ran.reduce(0.0) { $0 + Double(outcome.schedule.start[$1] - replayed[$1].submit) }
        return (ran.count, sum / Double(ran.count))
    }

    static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "&": result += "&amp;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
    }

    /// Three figures after the point for small numbers, none for large ones.
    static func short(_ value: Double) -> String {
        let places = value.magnitude < 10 ? 1000.0 : value.magnitude < 1000 ? 10.0 : 1.0
        let rounded = (value * places).rounded() / places
        return rounded == rounded.rounded() && rounded.magnitude < 1e15 ? "\(Int64(rounded))" : "\(rounded)"
    }

    private static func page(title: String, body: String) -> String {
        """
        <!doctype html>
        <html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
        <title>\(escaped(title))</title>
        <style>
        body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2430 }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto }
        th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid #d9dee5; white-space: nowrap }
        th:first-child, td:first-child { text-align: left }
        svg { width: 100%; height: auto }
        </style>
        \(body)</html>

        """
    }
}
