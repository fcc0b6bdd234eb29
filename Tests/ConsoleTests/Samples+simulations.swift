import Core
import Entry
import TestKit
import Wire

@testable import Console

extension SimulationSummary {
    fileprivate static func sample(_ name: String, _ report: SimulationReport, ago seconds: Int) -> SimulationSummary {
        guard let name = SimulationName(name) else { preconditionFailure("\(name) is no name") }
        return SimulationSummary(
            name: name,
            trace: report.trace.name,
            jobs: report.trace.jobs,
            policies: report.policies.map(\.name),
            centres: report.centres.count,
            cores: report.cores,
            cards: report.cards,
            user: Sample.user("root"),
            publishedAt: Sample.ago(seconds)
        )
    }
}

extension SimulationsPage {
    static let sample = SimulationsPage(
        page: Page(
            items: [.sample("kth-2026", .sample, ago: 300), .sample("kth-2025", .sample, ago: 90_000)],
            next: "17"
        ),
        query: Form()
    )
    static let emptySample = SimulationsPage(page: Page(items: [], next: nil), query: Form())
}

extension SimulationPage {
    static let sample = SimulationPage(
        simulation: SimulationDetail(summary: .sample("kth-2026", .sample, ago: 300), report: .sample)
    )
}
