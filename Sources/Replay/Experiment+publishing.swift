public import Core

extension Experiment {
    /// What would keep a report on so many policies from being made, said before anything is replayed; `nil` when nothing.
    public func reportFault(_ policies: [ReplayPolicy]) -> String? {
        if policies.count > SimulationReport.policiesMax {
            return "compares at most \(SimulationReport.policiesMax) policies; these are \(policies.count)"
        }
        if Set(policies.map(\.name)).count < policies.count { return "names each policy once" }
        if federation.centres.count > SimulationReport.centresMax {
            return "tells of at most \(SimulationReport.centresMax) centres; these are \(federation.centres.count)"
        }
        return options.outages.count > SimulationReport.outagesMax
            ? "tells of at most \(SimulationReport.outagesMax) outages" : nil
    }

    /// The figures and series as one document to be kept at a point.
    public func report(_ outcomes: [Outcome], _ comparisons: [Comparison]) -> SimulationReport {
        let moments = SimulationReport.moments(policies: outcomes.count, centres: federation.centres.count)
        let span = Course.Span(replayed, outcomes.map(\.schedule), moments: moments)
        let classes = sizes
        return SimulationReport(
            trace: .init(name: Self.line(trace.name), jobs: replayed.count, skipped: skipped),
            options: told,
            centres: federation.centres.map { centre in
                .init(
                    name: Self.line(centre.name),
                    tier: Tier(rawValue: centre.tier) ?? .hub,
                    nodes: centre.nodes.count,
                    cores: centre.cores,
                    cards: centre.cards
                )
            },
            petaflops: Self.rounded(federation.petaflops),
            unit: replayed.contains { $0.cards > 0 } ? .cards : .cores,
            stepSeconds: Self.rounded(span.step),
            policies: outcomes.map { policy($0, span, classes) },
            differences: comparisons.map {
                .init(
                    policy: $0.policy,
                    base: $0.base,
                    waitSeconds: Self.difference($0.wait),
                    boundedSlowdown: Self.difference($0.slowdown)
                )
            }
        )
    }

    /// The most frequent reasons.
    private var skipped: [SimulationReport.Skipped] {
        trace.skipped.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(SimulationReport.skippedMax)
            .map { .init(reason: Self.line($0.key), jobs: $0.value) }
    }

    private var told: SimulationReport.Options {
        let begin = replayed.first?.submit ?? 0
        return .init(
            scale: options.scale,
            eventOrder: options.eventOrder == .batch ? .batch : .sequential,
            stayHome: options.staysHome,
            projects: options.projects.map { owner in
                switch owner {
                case .user: .user
                case .group: .group
                case .project: .project
                case .home: .home
                }
            },
            outages: options.outages.map {
                .init(centre: $0.centre, fromSeconds: Int($0.start - begin), seconds: Int($0.end - $0.start))
            }
        )
    }

    private func policy(
        _ outcome: Outcome,
        _ span: Course.Span,
        _ classes: [(upTo: Int, members: [Int])]
    ) -> SimulationReport.Policy {
        let course = Course(replayed, outcome.schedule, federation, over: span)
        let shown = outcome.projects.worstFirst.prefix(SimulationReport.projectsMax)
        let hash = String(outcome.schedule.hash, radix: 16)
        var figures: [String: Double] = [:]
        for column in Metrics.columns { figures[column.name] = column.value(outcome.metrics).map { Self.rounded($0) } }
        return .init(
            name: outcome.policy,
            started: outcome.metrics.jobs,
            impossible: outcome.schedule.impossible,
            interrupted: outcome.schedule.interrupted,
            figures: figures,
            sizes: classes.prefix(SimulationReport.sizesMax).compactMap { upTo, members in
                meanWait(members, outcome).map {
                    .init(upTo: upTo, jobs: $0.jobs, meanWaitSeconds: Self.rounded($0.seconds))
                }
            },
            projects: shown.map { project in
                .init(
                    name: Self.line(project.name),
                    share: Self.rounded(project.share),
                    started: project.jobs,
                    meanWaitSeconds: Self.rounded(project.meanWait),
                    meanBoundedSlowdown: Self.rounded(project.meanSlowdown),
                    held: Self.rounded(project.held),
                    ofDue: Self.rounded(project.ofDue)
                )
            },
            projectsMore: outcome.projects.count - shown.count,
            jainProjects: outcome.projects.isEmpty ? nil : Self.rounded(ProjectMetrics.jain(outcome.projects)),
            forecasts: outcome.schedule.forecasts.map {
                .init(starts: Self.foretold($0.waits), runs: Self.foretold($0.runs))
            },
            scheduleHash: String(repeating: "0", count: 16 - hash.count) + hash,
            cpuSeconds: Self.rounded(outcome.cpuSeconds),
            queued: course.queued.map { Int($0) },
            used: course.used.map { $0.map { Int((min(1, max(0, $0)) * 1000).rounded()) } }
        )
    }

    private static func foretold(_ held: ForecastScore.Held) -> SimulationReport.Foretold {
        .init(
            count: held.count,
            p50Held: held.part(held.p50),
            p90Held: held.part(held.p90),
            p90OverTruth: rounded(held.width)
        )
    }

    private static func difference(_ difference: Comparison.Difference) -> SimulationReport.Difference {
        .init(mean: rounded(difference.mean), low: rounded(difference.low), high: rounded(difference.high))
    }

    private static func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }

    /// A name that somebody chose, as one line within the limit.
    private static func line(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            let kept = scalar.properties.generalCategory == .control ? " " : scalar
            bytes += UTF8.width(kept)
            guard bytes <= SimulationReport.nameBytesMax else { break }
            scalars.append(kept)
        }
        return scalars.isEmpty ? "-" : String(scalars)
    }
}
