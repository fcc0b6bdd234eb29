import Client
import Core
import FoundationEssentials
import Replay

/// What is told of one trace's replays, in the three forms.
struct ReplayReport {
    let experiment: Experiment
    let outcomes: [Experiment.Outcome]
    /// Of every policy after the first with the first.
    let comparisons: [Comparison]

    init(experiment: Experiment, outcomes: [Experiment.Outcome], seed: UInt64) {
        self.experiment = experiment
        self.outcomes = outcomes
        comparisons =
            outcomes.first.map { base in
                outcomes.dropFirst().map { Comparison($0, with: base, jobs: experiment.replayed, seed: seed) }
            } ?? []
    }

    private static func hex(_ hash: UInt64) -> String {
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    var json: JSON {
        var members: [(key: String, value: JSON)] = [
            ("trace", .string(experiment.trace.name)), ("jobs", .integer(Int64(experiment.replayed.count))),
            (
                "skipped",
                .object(
                    experiment.trace.skipped.sorted { $0.key < $1.key }.map {
                        (key: $0.key, value: .integer(Int64($0.value)))
                    }
                )
            ),
            (
                "centres",
                .array(
                    experiment.federation.centres.map { centre in
                        .object([
                            (key: "name", value: .string(centre.name)), (key: "tier", value: .string(centre.tier)),
                            (key: "nodes", value: .integer(Int64(centre.nodes.count))),
                            (key: "cores", value: .integer(Int64(centre.cores))),
                            (key: "cards", value: .integer(Int64(centre.cards))),
                        ])
                    }
                )
            ), ("petaflops", .number(Self.rounded(experiment.federation.petaflops))),
        ]
        members.append(("policies", .array(outcomes.map(Self.json))))
        members.append(("differences", .array(comparisons.map(Self.json))))
        return .object(members)
    }

    private static func json(_ outcome: Experiment.Outcome) -> JSON {
        .object(
            [
                (key: "policy", value: .string(outcome.policy)),
                (key: "started", value: .integer(Int64(outcome.metrics.jobs))),
                (key: "impossible", value: .integer(Int64(outcome.schedule.impossible))),
                (key: "interrupted", value: .integer(Int64(outcome.schedule.interrupted))),
            ]
                + Metrics.columns.map { column in
                    (key: column.name, value: column.value(outcome.metrics).map { .number(rounded($0)) } ?? .null)
                }
                + (outcome.schedule.forecasts.map { [(key: "forecasts", value: json($0))] } ?? [])
                + projects(outcome) + reservations(outcome)
                + [
                    (key: "schedule_hash", value: .string(hex(outcome.schedule.hash))),
                    (key: "cpu_seconds", value: .number(rounded(outcome.cpuSeconds))),
                ]
        )
    }

    private static func json(_ score: ForecastScore) -> JSON {
        func json(_ held: ForecastScore.Held) -> JSON {
            .object([
                (key: "count", value: .integer(Int64(held.count))),
                (key: "p50_held", value: .number(held.part(held.p50))),
                (key: "p90_held", value: .number(held.part(held.p90))),
                (key: "p90_over_truth", value: .number(rounded(held.width))),
            ])
        }
        return .object([
            (key: "started_at_once", value: .integer(Int64(score.atOnce))), (key: "starts", value: json(score.waits)),
            (key: "runs", value: json(score.runs)),
        ])
    }

    private static func projects(_ outcome: Experiment.Outcome) -> [(key: String, value: JSON)] {
        guard !outcome.projects.isEmpty else { return [] }
        let projects = outcome.projects.map { project in
            JSON.object([
                (key: "name", value: .string(project.name)), (key: "share", value: .number(rounded(project.share))),
                (key: "started", value: .integer(Int64(project.jobs))),
                (key: "mean_wait_seconds", value: .number(rounded(project.meanWait))),
                (key: "mean_bounded_slowdown", value: .number(rounded(project.meanSlowdown))),
                (key: "held", value: .number(rounded(project.held))),
                (key: "of_due", value: .number(rounded(project.ofDue))),
            ])
        }
        return [
            (key: "jain_projects", value: .number(rounded(ProjectMetrics.jain(outcome.projects)))),
            (key: "projects", value: .array(projects)),
        ]
    }

    private static func reservations(_ outcome: Experiment.Outcome) -> [(key: String, value: JSON)] {
        guard !outcome.reservations.isEmpty else { return [] }
        let reservations = outcome.reservations.map { reservation in
            JSON.object([
                (key: "name", value: .string(reservation.name)), (key: "centre", value: .string(reservation.centre)),
                (key: "project", value: reservation.project.map { .string($0) } ?? .null),
                (key: "nodes", value: .integer(Int64(reservation.nodes))),
                (key: "start_seconds", value: .integer(reservation.start)),
                (key: "seconds", value: .integer(reservation.seconds)),
                (key: "used", value: reservation.used.map { .number(rounded($0)) } ?? .null),
                (key: "used_by_others", value: .number(rounded(reservation.others))),
            ])
        }
        return [(key: "reservations", value: .array(reservations))]
    }

    private static func json(_ comparison: Comparison) -> JSON {
        func json(_ difference: Comparison.Difference) -> JSON {
            .object([
                (key: "mean", value: .number(rounded(difference.mean))),
                (key: "low", value: .number(rounded(difference.low))),
                (key: "high", value: .number(rounded(difference.high))),
            ])
        }
        return .object([
            (key: "policy", value: .string(comparison.policy)), (key: "base", value: .string(comparison.base)),
            (key: "wait_seconds", value: json(comparison.wait)),
            (key: "bounded_slowdown", value: json(comparison.slowdown)),
        ])
    }

    static let csvTitle =
        (["trace", "policy", "started", "impossible", "interrupted"] + Metrics.columns.map(\.name)
        + ["schedule_hash", "cpu_seconds"]).joined(separator: ",")

    var csv: String {
        outcomes.map { outcome in
            let figures = Metrics.columns.map { column in
                column.value(outcome.metrics).map { "\(Self.rounded($0))" } ?? ""
            }
            return
                ([
                    "\"\(experiment.trace.name)\"", outcome.policy, "\(outcome.metrics.jobs)",
                    "\(outcome.schedule.impossible)",
                ]
                + ["\(outcome.schedule.interrupted)"] + figures
                + [Self.hex(outcome.schedule.hash), "\(Self.rounded(outcome.cpuSeconds))"]).joined(separator: ",")
                + "\n"
        }.joined()
    }

    var text: String {
        let federation = experiment.federation
        let nodes = federation.centres.reduce(0) { $0 + $1.nodes.count }
        let cards = federation.centres.reduce(0) { $0 + $1.cards }
        var text = "\(experiment.trace.name): \(experiment.replayed.count) jobs"
        for (reason, count) in experiment.trace.skipped.sorted(by: { $0.key < $1.key }) {
            text += ", \(count) skipped (\(reason))"
        }
        text += "; \(federation.centres.count) centres, \(nodes) nodes"
        if cards > 0 { text += ", \(cards) cards" }
        if federation.petaflops >= 1 { text += ", \(Int(federation.petaflops)) PFLOPS" }
        text += "\n"
        var names = [
            "policy", "wait", "median", "p95", "p99", "max", "slowdown", "area wait", "use", "fairness", "moved",
            "jobs/CPU-s",
        ]
        var rows: [[String]] = []
        for outcome in outcomes {
            let metrics = outcome.metrics
            rows.append(
                [outcome.policy]
                    + [
                        metrics.meanWait, metrics.medianWait, metrics.p95Wait, metrics.p99Wait, metrics.maxWait,
                    ].map { "\(Int($0.rounded())) s" }
                    + [
                        Self.fixed(metrics.meanSlowdown, 3), "\(Int(metrics.areaWait.rounded())) s",
                        Self.fixed(metrics.utilisation * 100, 1) + " %", Self.fixed(metrics.fairness, 2),
                        "\(metrics.moved)",
                        "\(Int(Double(metrics.jobs) / max(outcome.cpuSeconds, 1e-6)))",
                    ]
            )
        }
        for (name, figure) in Self.further where outcomes.contains(where: { figure($0.metrics) != nil }) {
            names.append(name)
            for index in rows.indices { rows[index].append(figure(outcomes[index].metrics) ?? "–") }
        }
        text += alignedFigures(names, rows)
        for outcome in outcomes where outcome.schedule.impossible + outcome.schedule.interrupted > 0 {
            text +=
                "\(outcome.policy): \(outcome.schedule.impossible) jobs fit no centre or limit, \(outcome.schedule.interrupted) "
                + "runs were interrupted and repeated\n"
        }
        for outcome in outcomes {
            guard let score = outcome.schedule.forecasts else { continue }
            func held(_ held: ForecastScore.Held) -> String {
                "\(held.count): p50 held for \(Self.fixed(held.part(held.p50) * 100, 1)) %, p90 for "
                    + "\(Self.fixed(held.part(held.p90) * 100, 1)) %, p90 typically \(Self.fixed(held.width, 1)) times what came"
            }
            text += "\(outcome.policy), foretold starts of jobs that had to wait, \(held(score.waits))\n"
            text += "\(outcome.policy), foretold run times, \(held(score.runs))\n"
        }
        for outcome in outcomes where !outcome.projects.isEmpty { text += "\n" + Self.text(outcome) }
        for outcome in outcomes where !outcome.reservations.isEmpty { text += "\n" + reserved(outcome) }
        for comparison in comparisons {
            let (wait, slowdown) = (comparison.wait, comparison.slowdown)
            text +=
                "\(comparison.policy) beside \(comparison.base): wait \(Self.signed(wait.mean)) s "
                + "(\(Self.signed(wait.low)) to \(Self.signed(wait.high))), slowdown \(Self.signed(slowdown.mean)) "
                + "(\(Self.signed(slowdown.low)) to \(Self.signed(slowdown.high)))\n"
        }
        return text
    }

    /// Columns of the table that are only there where some policy has a figure for them.
    private static let further: [(name: String, figure: @Sendable (Metrics) -> String?)] = [
        ("fragmented", { $0.fragmentation.map { fixed($0 * 100, 1) + " %" } }),
        ("moved data", { $0.movedBytes.map { fixed($0 / 1e12, 3) + " TB" } }),
        ("energy", { $0.kilowattHours.map { fixed($0 / 1000, 1) + " MWh" } }),
        ("preempted", { $0.stops.map { "\($0.preempted)" } }), ("relocated", { $0.stops.map { "\($0.relocated)" } }),
        ("lost", { $0.stops.map { fixed($0.lostHours, 0) + " h" } }),
    ]

    /// How many projects a table shows.
    private static let projectsMax = 20

    /// What each project got, those first who got least of what was due to them.
    private static func text(_ outcome: Experiment.Outcome) -> String {
        let shown = outcome.projects.worstFirst.prefix(projectsMax)
        var text = "\(outcome.policy): \(outcome.projects.count) projects, Jain's index of their slowdowns "
        text += "\(fixed(ProjectMetrics.jain(outcome.projects), 2))\n"
        text += alignedFigures(
            ["project", "share", "jobs", "wait", "slowdown", "held", "of due"],
            shown.map { project in
                [
                    project.name, fixed(project.share * 100, 1) + " %", "\(project.jobs)",
                    "\(Int(project.meanWait.rounded())) s",
                    fixed(project.meanSlowdown, 3), fixed(project.held * 100, 1) + " %",
                    fixed(project.ofDue * 100, 1) + " %",
                ]
            }
        )
        let more = outcome.projects.count - shown.count
        return more > 0 ? text + "and \(more) more, better off\n" : text
    }

    /// How many reservations a table shows.
    private static let reservationsMax = 20

    /// What of each reservation was used, those first of which least was.
    private func reserved(_ outcome: Experiment.Outcome) -> String {
        let begin = experiment.replayed.first?.submit ?? 0
        var text = "\(outcome.policy): \(outcome.reservations.count) reservations\n"
        text += alignedFigures(
            ["reservation", "centre", "for", "nodes", "from", "hours", "used", "by others"],
            outcome.reservations.leastUsedFirst.prefix(Self.reservationsMax).map { reservation in
                [
                    reservation.name, reservation.centre, reservation.project ?? "maintenance",
                    "\(reservation.nodes)", Self.fixed(Double(reservation.start - begin) / 3600, 1) + " h",
                    Self.fixed(Double(reservation.seconds) / 3600, 1),
                    reservation.used.map { Self.fixed($0 * 100, 1) + " %" } ?? "–",
                    Self.fixed(reservation.others * 100, 1) + " %",
                ]
            }
        )
        let more = outcome.reservations.count - Self.reservationsMax
        return more > 0 ? text + "and \(more) more, used better\n" : text
    }

    private static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + fixed(value, 1) }

    static func fixed(_ value: Double, _ places: Int) -> String {
        let scale = (0..<places).reduce(1.0) { scale, _ in scale * 10 }
        let whole = Int64((value.magnitude * scale).rounded())
        let digits = String(repeating: "0", count: max(0, places + 1 - "\(whole)".count)) + "\(whole)"
        let sign = value < 0 && whole > 0 ? "-" : ""
        return places == 0 ? sign + digits : "\(sign)\(digits.dropLast(places)).\(digits.suffix(places))"
    }
}

/// What is told of a federation filled up under one policy.
struct FillReport {
    var trace: String
    var policy: String
    var fillings: [Experiment.Filling]

    private var mean: Double { fillings.reduce(0) { $0 + $1.allocated } / Double(fillings.count) }

    private var deviation: Double {
        guard fillings.count > 1 else { return 0 }
        let squares = fillings.reduce(0) { $0 + ($1.allocated - mean) * ($1.allocated - mean) }
        return (squares / Double(fillings.count - 1)).squareRoot()
    }

    private var decisionsPerSecond: Double {
        Double(fillings.reduce(0) { $0 + $1.jobs }) / max(1e-6, fillings.reduce(0) { $0 + $1.cpuSeconds })
    }

    var json: JSON {
        .object([
            (key: "trace", value: .string(trace)), (key: "policy", value: .string(policy)),
            (key: "allocated_percent", value: .number((mean * 100).rounded() / 100)),
            (key: "deviation", value: .number((deviation * 100).rounded() / 100)),
            (key: "decisions_per_cpu_second", value: .integer(Int64(decisionsPerSecond))),
            (
                key: "seeds",
                value: .array(
                    fillings.map {
                        .object([
                            (key: "seed", value: .string("\($0.seed)")),
                            (key: "allocated_percent", value: .number(($0.allocated * 100).rounded() / 100)),
                            (key: "jobs", value: .integer(Int64($0.jobs))),
                            (key: "placed", value: .integer(Int64($0.placed))),
                        ])
                    }
                )
            ),
        ])
    }

    var csv: String {
        fillings.map {
            "\"\(trace)\",\(policy),\($0.seed),\(ReplayReport.fixed($0.allocated, 2)),\($0.jobs),\($0.placed)"
        }
        .joined(separator: "\n")
    }

    var text: String {
        "\(trace), \(policy): \(ReplayReport.fixed(mean, 2)) ± \(ReplayReport.fixed(deviation, 2)) % of all cards "
            + "allocated, \(fillings.count) seeds, \(Int(decisionsPerSecond)) decisions per CPU-second"
    }
}
