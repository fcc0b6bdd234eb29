import Core
import Foundation
import Testing
import Wire

/// The product's main job on real input: the tour, submitted once from its file, over four centres.
@Suite(.serialized)
struct TourTests {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    /// Brought by the Debian package `manpages-zh`.
    static let hasText = FileManager.default.fileExists(atPath: "/usr/share/man/zh_CN")

    @Test(
        "simulate here, train there: the tour runs over four tiers and leaves what it promises",
        .enabled(if: hasText)
    )
    func tour() async throws {
        let configuration = try String(
            contentsOf: Self.repository.appendingPathComponent("config/tour.yaml"),
            encoding: .utf8
        )
        let point = try await PointUnderTest(configuration)
        let line = CommandLineUnderTest(point: point)
        let file = Self.repository.appendingPathComponent("workflows/tour.yaml").path
        let outcome = try await line.run("submit", file, "--project", "demo", "--watch")
        #expect(outcome.status == 0, "\(outcome.output)\n\(outcome.errors)\n\(point.server.output.suffix(3000))")
        let page: Page<WorkflowView> = try await point.call("GET", "/v1/workflows").decode()
        let tour = try #require(page.items.first)
        #expect(tour.state == .succeeded)
        for (name, tier) in [
            ("collect", Tier.hub), ("simulate", .hub), ("train", .region), ("surrogate", .region), ("evaluate", .edge),
            ("sample", .device),
        ] {
            #expect(tour.nodes.first { $0.name == name }?.tiers == [tier], "\(name)")
        }
        let evaluate = try #require(tour.nodes.first { $0.name == "evaluate" }?.job)
        let folder = point.folder.appendingPathComponent("report").path
        let got = try await line.run("artifacts", "get", "\(evaluate)", "-o", folder)
        #expect(got.status == 0, "\(got)")
        let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        let path = try #require(found.first { $0.hasSuffix("report.json") }, "\(found)")
        let report = try JSON(parsing: Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(path)")))
        print("tour report: \(report.text)")
        #expect(report.text.contains("perplexity"))
        // The ledger balances to the last millionth, and the tour has cost something.
        let balances: [BalanceView] = try await point.call("GET", "/v1/ledger/balances").decode()
        #expect(balances.reduce(0) { $0 + $1.amount.count } == 0)
        #expect(tour.charged > 0)
    }
}
