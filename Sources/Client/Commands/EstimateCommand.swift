import ArgumentParser
import Core
import FoundationEssentials
import Wire

struct EstimateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "estimate",
        abstract: "Say when a job would start, how long it would run and what it would cost, without submitting it.",
        discussion: """
            The file is the same as for 'onepoint submit'. Times are learned from what ran before: the first figure is as \
            likely too early as too late, the second holds nine times of ten. --accuracy tells how often such figures came \
            true of late, over all projects.

            Examples:
              onepoint estimate job.yaml
              onepoint estimate workflow.yaml --set train.steps=50 --json
              onepoint estimate --accuracy
            """
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The file; - is standard input.", completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String?
    @OptionGroup var changes: DocumentChanges
    @Flag(name: .long, help: "Tell how often forecasts came true instead.") var accuracy = false

    func validate() throws {
        guard accuracy == (file == nil) else {
            throw ValidationError("Name a file to estimate, or ask for --accuracy.")
        }
    }

    func run() async throws {
        guard let file else {
            return try await point.with { client in
                let answer = try await client.get("/v1/estimates/accuracy")
                try point.show(answer, as: ForecastAccuracyView.self) { Self.print($0) }
            }
        }
        var (submission, manifests) = try await SubmissionFile.load(file, changes)
        try await point.with { client in
            try await submission.package(manifests, with: client)
            let answer: Data
            do {
                answer = try await client.send(.post, "/v1/estimates", json: submission.file.json)
            } catch let failure as Failure {
                throw failure.violations.isEmpty ? failure : submission.file.located(failure)
            }
            try point.show(answer, as: EstimatesView.self) { estimates in
                for estimate in estimates.jobs { Self.print(estimate) }
            }
        }
    }

    private static func print(_ estimate: EstimateView) {
        let count = estimate.count > 1 ? " (\(estimate.count) jobs; of the first)" : ""
        terminal.print(terminal.styled(printable(estimate.name), .strong) + count)
        terminal.print("  " + printable(estimate.headline))
        for line in estimate.evidence { terminal.print("    " + printable(line)) }
        if let wayOut = estimate.wayOut { terminal.print("  Way out: " + printable(wayOut)) }
        if let forecast = estimate.forecast { terminal.print(table(forecast, count: estimate.count)) }
        if let most = estimate.costMax {
            terminal.print(
                "  Set aside: \(most * estimate.count) credits, the price of \(WireDuration.text(estimate.timeLimitSeconds))"
            )
        }
    }

    private static func table(_ forecast: ForecastView, count: Int) -> Table {
        var table = Table([.init("  FORETOLD"), .init("HALF OF TIMES", .right), .init("9 OF 10 TIMES", .right)])
        if let p50 = forecast.startP50, let p90 = forecast.startP90 {
            table.add("  starts within", wait(p50, forecast), wait(p90, forecast))
        }
        table.add(
            "  runs at most",
            Table.Cell(spoken(.seconds(forecast.runP50Seconds))),
            Table.Cell(spoken(.seconds(forecast.runP90Seconds)))
        )
        table.add(
            "  costs at most",
            Table.Cell("\(forecast.costP50 * count) credits"),
            Table.Cell("\(forecast.costP90 * count) credits")
        )
        return table
    }

    private static func wait(_ start: Instant, _ forecast: ForecastView) -> Table.Cell {
        let wait = start - forecast.madeAt
        return Table.Cell(wait < .seconds(5) ? "at once" : spoken(wait))
    }

    /// What was foretold of a job, in one line.
    static func sentence(_ forecast: ForecastView) -> String {
        var text = ""
        if let p50 = forecast.startP50, let p90 = forecast.startP90 {
            text += "to start by \(spoken(p50)) (9 of 10 times by \(spoken(p90))), "
        }
        return text + "to run \(spoken(.seconds(forecast.runP50Seconds))) "
            + "(\(spoken(.seconds(forecast.runP90Seconds)))), "
            + "to cost \(forecast.costP50) credits (\(forecast.costP90))"
    }

    private static func print(_ accuracy: ForecastAccuracyView) {
        guard let since = accuracy.since else {
            terminal.print("No forecast has come due yet.")
            return
        }
        terminal.print("Forecasts since \(spoken(since)); a p50 should hold for 50 %, a p90 for 90 %")
        var table = Table([
            .init("FORETOLD"), .init("STARTS", .right), .init("P50", .right), .init("P90", .right),
            .init("OFF BY", .right), .init("RUNS", .right), .init("P50", .right), .init("P90", .right),
            .init("OFF BY", .right),
        ])
        func cells(_ held: ForecastAccuracyView.Held) -> [Table.Cell] {
            guard held.count > 0 else { return [Table.Cell("0")] + (0..<3).map { _ in Table.Cell(nil as String?) } }
            func part(_ count: Int) -> String { "\((count * 1000 / held.count + 5) / 10) %" }
            let factor = (held.medianFactor * 10).rounded() / 10
            return [
                Table.Cell("\(held.count)"), Table.Cell(part(held.p50)), Table.Cell(part(held.p90)),
                Table.Cell("x \(factor)"),
            ]
        }
        var before = ""
        for group in accuracy.classes {
            let name = group.atMostSeconds.map { "up to \(WireDuration.text(Int($0)))" } ?? "over \(before)"
            before = group.atMostSeconds.map { WireDuration.text(Int($0)) } ?? before
            table.add([Table.Cell(name)] + cells(group.starts) + cells(group.runs))
        }
        table.add([Table.Cell("all")] + cells(accuracy.starts) + cells(accuracy.runs))
        terminal.print(table)
    }
}
