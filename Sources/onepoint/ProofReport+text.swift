import Core
import Simulation

extension ScenarioResult {
    private var counts: [(String, Int)] {
        [
            ("jobs", world.jobs), ("runs", world.runs), ("running", running), ("lost_elsewhere", lostElsewhere),
            ("restartable", restartable), ("restarted", restarted), ("waited", waited), ("lost", world.findings.lost),
            ("doubled", world.findings.doubled), ("killed", world.findings.killed),
            ("unexplained", world.findings.unexplained), ("virtual_seconds", world.elapsedSeconds),
        ]
    }

    var json: JSON {
        let members: [(String, JSON)] =
            [("scenario", .string(scenario.rawValue)), ("kept", .bool(isKept))]
            + counts.map { ($0.0, .integer(Int64($0.1))) }
            + [
                ("restart_seconds_max", .number(restartSecondsMax)),
                ("seed", .string("\(plan.seed)")),
                ("seconds", .number((seconds * 1000).rounded() / 1000)),
                ("examples", .array(world.findings.examples.map { .string($0) })),
            ]
        return .object(members.map { (key: $0.0, value: $0.1) })
    }

    var text: String {
        var lines = ["scenario: \(scenario.rawValue)"] + counts.map { "\($0.0): \($0.1)" }
        let limit = ScenarioResult.restartSecondsLimit
        lines.append(
            "from the time of its policy to a new start, at most: \(restartSecondsMax) s (allowed: \(limit) s)"
        )
        lines.append("seconds: \((seconds * 10).rounded() / 10)")
        lines.append("verdict: \(isKept ? "kept" : "BROKEN")")
        lines += world.findings.examples.map { "! \($0)" }
        return lines.joined(separator: "\n")
    }
}

extension ProofReport {
    /// The first findings of each world, with its number.
    private var examples: [String] {
        worlds.flatMap { world in
            world.findings.examples.prefix(5).map { "world \(world.number): \($0)" }
        }
    }

    private var counts: [(String, Int)] {
        [
            ("jobs", sum(\.jobs)), ("runs", sum(\.runs)), ("faults", sum { $0.faults.values.reduce(0, +) }),
            ("lost", sum(\.findings.lost)), ("doubled", sum(\.findings.doubled)), ("killed", sum(\.findings.killed)),
            ("unexplained", sum(\.findings.unexplained)),
        ]
    }

    var json: JSON {
        let members: [(String, JSON)] =
            counts.map { ($0.0, .integer(Int64($0.1))) }
            + [
                ("seconds", .number((seconds * 1000).rounded() / 1000)),
                ("seed", .string("\(plan.seed)")),
                ("executions", .integer(Int64(sum(\.executions)))),
                ("twins_refused", .integer(Int64(sum(\.twinsRefused)))),
                ("seats_refused", .integer(Int64(sum(\.seatsRefused)))),
                ("takeovers", .integer(Int64(sum(\.handovers)))),
                ("virtual_seconds", .integer(Int64(sum(\.elapsedSeconds)))),
                (
                    "faults_by_kind",
                    .object(faultsByKind.map { ($0.kind.rawValue, .integer(Int64($0.count))) })
                ),
                ("examples", .array(examples.map { .string($0) })),
            ]
        return .object(members.map { (key: $0.0, value: $0.1) })
    }

    var text: String {
        var lines = counts.map { "\($0.0): \($0.1)" }
        lines.append("executions: \(sum(\.executions)), late twins turned away by the fence: \(sum(\.twinsRefused))")
        lines.append("calls of second agents refused: \(sum(\.seatsRefused)), takeovers: \(sum(\.handovers))")
        var outcomes: [RunOutcome.Kind: Int] = [:]
        for world in worlds { outcomes.merge(world.outcomes) { $0 + $1 } }
        lines.append(
            "ends: "
                + RunOutcome.Kind.allCases.compactMap { kind in outcomes[kind].map { "\($0) \(kind.rawValue)" } }
                .joined(separator: ", ")
        )
        lines.append("virtual time: \(sum(\.elapsedSeconds)) s in \(worlds.count) worlds")
        lines.append("seconds: \((seconds * 10).rounded() / 10)")
        lines.append("faults by kind:")
        lines += faultsByKind.map { "  \($0.kind.rawValue): \($0.count)" }
        lines += examples.map { "! \($0)" }
        return lines.joined(separator: "\n")
    }
}
