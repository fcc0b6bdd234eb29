import ArgumentParser
import Client
import Core
import Corpora
import NIOPosix
import Wire

/// `onepoint data submit`.
struct DataSubmitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Have centres carry a pipeline out: parts of its blocks side by side, then one corpus.",
        discussion: """
            Makes a workflow of two jobs: an array whose elements judge a part of the blocks each, and a job that takes \
            their results, finds duplicates and writes. The output is byte for byte that of 'onepoint data run'. The \
            pipeline's file and everything that it names are uploaded as far as the project lacks them, and so is this \
            program, which is what the jobs run.

            Sources that the pipeline says are in a repository are read from there, as of the commit that their revision \
            means at submission.

            The same submission again submits nothing: it finds the first. --key tells two apart.

            Examples:
              onepoint data submit web.yaml --project demo --parts 8 --to datasets/demo/web --watch
              onepoint data submit web.yaml --dry-run
            """
    )

    @OptionGroup var point: PointOptions
    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: "Which project pays and sees.") var project: String?
    @Option(help: "How many parts; by default one for each GiB of the sources, and 8 of what is in a repository.")
    var parts: Int?
    @Option(help: ArgumentHelp("Publish the corpus here: REPOSITORY[@BRANCH].", valueName: "repository"))
    var to: String?
    @Option(help: "Cores of each job, which are the blocks that it works on at a time.") var cores = 2
    @Option(help: "Memory of each job.") var memory = "2GiB"
    @Option(name: .customLong("time-limit"), help: "Of each job.") var timeLimit = "12h"
    @Option(name: .customLong("tier"), help: "Only at centres of this tier. Repeatable.") var tiers: [String] = []
    @Option(name: .customLong("centre"), help: "Only at this centre. Repeatable.") var centres: [String] = []
    @Flag(help: "Only at centres that isolate jobs, where elements share the sources instead of copying them.")
    var isolated = false
    @Option(help: "Idempotency key; by default the content of the submission is its own.") var key: String?
    @Flag(name: .customLong("dry-run"), help: "Print the workflow as YAML; upload and submit nothing.") var isDryRun =
        false
    @Flag(help: "Stay until it is over, and show how it goes.") var watch = false

    func validate() throws {
        guard (1...PipelinePart.countMax).contains(parts ?? 1) else {
            throw ValidationError("--parts: from 1 to \(PipelinePart.countMax)")
        }
        guard (1...256).contains(cores) else { throw ValidationError("--cores: from 1 to 256") }
        _ = try destination()
    }

    func run() async throws {
        let named = try PipelineWorkflow.revisions(of: pipeline)
        if isDryRun, named.isEmpty { return print(try await prepared(project, named).yaml, terminator: "") }
        try await point.with { client in
            var revisions = named
            // What a branch means now, so that a later commit makes another submission.
            for (index, source) in named.enumerated() {
                revisions[index].revision = try await client.commit(of: source.revision, in: source.repository)
            }
            let project = try await isDryRun ? project : client.project(project)
            let (yaml, parcels) = try await prepared(project, revisions)
            if isDryRun { return print(yaml, terminator: "") }
            guard let project else { return }
            let workflow = PreparedWorkflow(document: try Self.document(yaml), parcels: parcels)
            try await workflow.submit(
                to: project,
                key: key ?? "data-" + Parcel(of: yaml).tree.hex,
                watches: watch,
                client,
                point
            )
        }
    }

    /// The workflow, and what its jobs read.
    private func prepared(
        _ project: String?,
        _ revisions: [PipelineWorkflow.Revision]
    ) async throws -> (yaml: String, parcels: [(what: String, parcel: Parcel)]) {
        let path = pipeline
        let (freight, sent, program) = try await NIOThreadPool.singleton.runIfActive {
            let freight = try PipelineFreight(path)
            var sent = Parcel()
            for file in freight.files { try sent.add(file: file.location, as: file.path) }
            return (freight, sent, try Parcel.program(revisions: revisions.count))
        }
        let gibibytes = (freight.sourceBytes + (1 << 30) - 1) >> 30
        var workflow = PipelineWorkflow(
            name: freight.document.name,
            project: project,
            parts: parts ?? max(revisions.isEmpty ? 1 : 8, min(gibibytes, 256)),
            program: (productVersion, program.tree),
            freight: (sent.tree, freight.pipeline),
            revisions: revisions,
            destination: try destination(),
            resources: .init(cores: cores, memory: memory, timeLimit: timeLimit)
        )
        (workflow.tiers, workflow.centres, workflow.isIsolated) = (tiers, centres, isolated)
        let yaml = workflow.yaml
        // What this command was told may be wrong, as a memory of 2 apples.
        _ = try SubmissionDraft.read(Self.document(yaml))
        return (yaml, [("the pipeline", sent), ("the program", program)])
    }

    private static func document(_ yaml: String) throws -> JSON {
        do {
            return try YAMLDocument.parse(yaml).json
        } catch {
            throw Failure(.internal, "The workflow that was made of the pipeline cannot be read.", note: "\(error)")
        }
    }

    private func destination() throws -> (repository: String, branch: String)? {
        guard let to else { return nil }
        let (repository, branch) = Self.split(to[...])
        guard RepositoryShelf.address(repository)?.shelf == .datasets else {
            throw ValidationError("--to \(to): write datasets/, the project and a name")
        }
        return (repository, branch)
    }

    private static func split(_ text: Substring) -> (repository: String, revision: String) {
        guard let at = text.firstIndex(of: "@") else { return (String(text), "main") }
        return (String(text[..<at]), String(text[text.index(after: at)...]))
    }
}
