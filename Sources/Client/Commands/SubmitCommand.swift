import ArgumentParser
import Core
import FoundationEssentials
import Wire

/// What the command line changes in a document.
struct DocumentChanges: ParsableArguments {
    @Option(name: .long, help: "Which project pays and sees; overrides the file's.") var project: String?
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Set a parameter: NAME=VALUE, in a workflow JOB.NAME=VALUE. Repeatable.",
            valueName: "name=value"
        )
    )
    var set: [String] = []
}

struct SubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Submit a job, an array or a workflow from a file.",
        discussion: """
            The file is YAML or JSON; docs/reference/job.schema.json and workflow.schema.json describe it. An 'algorithm' \
            that is a path is a folder with algorithm.yaml, relative to the file: it is packaged and uploaded as far as the \
            point does not have it yet. Every fault is shown with its line.

            With --watch the command ends with the job, and with its exit status.

            Examples:
              onepoint submit job.yaml
              onepoint submit workflows/tour.yaml --set train.steps=50 --watch
              onepoint submit - --project demo < job.json
            """
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The file; - is standard input.", completion: .file(extensions: ["yaml", "yml", "json"]))
    var file: String
    @OptionGroup var changes: DocumentChanges
    @Option(name: .long, help: "Idempotency key: a repeat with the same key finds the first submission.")
    var key: String?
    @Flag(name: .long, help: "Stay until it is over, and show how it goes.") var watch = false

    func run() async throws {
        var (submission, manifests) = try await SubmissionFile.load(file, changes)
        try await point.with { client in
            try await submission.package(manifests, with: client)
            let answer: Data
            do {
                answer = try await client.submit(submission.file.json, key: key ?? randomKey())
            } catch let failure as Failure {
                throw failure.violations.isEmpty ? failure : submission.file.located(failure)
            }
            let made: SubmissionView = try WireJSON.decode(from: answer)
            try point.show(answer, as: SubmissionView.self) { terminal.print($0.sentence) }
            if watch { try await Watcher(client: client).watch(made) }
        }
    }
}

extension PointClient {
    /// Submits a document. A broken connection is tried again under the same key, which cannot make it twice.
    func submit(_ document: JSON, key: String) async throws -> Data {
        var failures = 0
        while true {
            do {
                return try await send(.post, "/v1/jobs", json: document, headers: [("Idempotency-Key", key)])
            } catch let failure as Failure where failure.code == .unavailable && failures < 3 {
                failures += 1
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            }
        }
    }
}

extension SubmissionView {
    var id: String { job?.description ?? array?.description ?? workflow?.description ?? "" }

    var sentence: String {
        let jobs = count == 1 ? "" : " (\(count) jobs)"
        return "\(id)\(jobs) \(replayed ? "was submitted before" : "submitted") to project \(project)"
    }
}
