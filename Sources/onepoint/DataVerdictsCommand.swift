import ArgumentParser
import Client
import Core
import Corpora
import Curation
import Wire

/// `onepoint data verdicts`.
struct DataVerdictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verdicts",
        abstract: "Fetch the verdicts that people gave at a point on the samples of this run.",
        discussion: """
            The release was published with its samples, and people judged them in the console or over the API. Their \
            verdicts are held against what was drawn here and come into the run's sample files, where 'onepoint data \
            audit' counts them. Fetched again, nothing changes. The status is 1 when a verdict was refused.
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: ArgumentHelp("The data set, as project and name: demo/corpus.", valueName: "dataset")) var dataset:
        String
    @Option(help: "A branch, a tag or a commit.") var revision = "main"
    @Option(
        help: ArgumentHelp("Address of the point instead of the one of login or ONEPOINT_URL.", valueName: "address")
    )
    var url: String?
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        let file = try PipelineFile(pipeline)
        let published = try await PublishedSamples(of: dataset, revision: revision, url: url)
        var refused = false
        var results: [JSON] = []
        for (view, verdicts) in published.samples {
            var sample = try SampleFile.read(file, purpose: view.purpose)
            let taking = try sample.take(verdicts, on: view)
            refused = refused || !taking.refused.isEmpty
            let tally = sample.check.work.tally
            if json {
                results.append(
                    .object([
                        (key: "purpose", value: .string(view.purpose)),
                        (key: "taken", value: .integer(Int64(taking.taken))),
                        (key: "known", value: .integer(Int64(taking.known))),
                        (key: "refused", value: .array(taking.refused.map { .string($0) })),
                        (key: "settled", value: .integer(Int64(tally.settled))),
                        (key: "drawn", value: .integer(Int64(tally.drawn))),
                    ])
                )
            } else {
                print(
                    "\(view.purpose): \(taking.taken) taken, \(taking.known) known, \(taking.refused.count) refused; "
                        + "\(tally.settled) of \(tally.drawn) settled, \(tally.bad) bad"
                )
                for line in taking.refused { print("  \(line)") }
            }
        }
        if json { print(JSON.object([(key: "samples", value: .array(results))]).text) }
        if !json, published.samples.isEmpty { print("No sample of this release was published.") }
        if refused { throw ExitCode(1) }
    }
}
