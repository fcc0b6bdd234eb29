import ArgumentParser
import Client
import Core
import Corpora
import Curation
import Glibc

/// `onepoint data`: governs training data, on this machine.
struct DataCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data",
        abstract: "Govern training data: extract, filter, deduplicate, redact, trace.",
        discussion: """
            A pipeline is a YAML file that names sources, operators and an output folder; docs/data.md has its form. \
            What was done of a run stays done, whatever ended it: run it again and it goes on.
            """,
        subcommands: [
            DataCrawlCommand.self, DataRunCommand.self, DataSubmitCommand.self, DataPlanCommand.self,
            DataStatusCommand.self,
            DataExplainCommand.self,
            DataReportCommand.self, DataAdmitCommand.self, DataSampleCommand.self, DataJudgeCommand.self,
            DataVerdictsCommand.self, DataAnnotateCommand.self, DataAuditCommand.self, DataPublishCommand.self,
            DataTrainCommand.self, DataTrainLanguagesCommand.self,
        ]
    )
}

/// `onepoint data run`.
struct DataRunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Carry a pipeline out.",
        discussion: """
            Blocks of about 64 MB are judged and kept under the name of what they are made of, so only what changed is \
            done again. The same sources and the same pipeline give the same bytes, on any machine, however often it was \
            interrupted.

            With --part it judges some of the blocks and ends; a run that is given what the parts left, by --results, \
            takes it over, finds duplicates and writes. What is damaged, missing or of another configuration is judged \
            again. 'onepoint data submit' has centres do both.

            Examples:
              onepoint data run web.yaml
              onepoint data run web.yaml --part 1/2 --output parts/1
              onepoint data run web.yaml --part 2/2 --output parts/2
              onepoint data run web.yaml --results parts
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: "Blocks at a time; one for each processor when left out.") var workers: Int?
    @Option(
        help: ArgumentHelp(
            "The files of a source that is a repository's revision, where they are here already, and of which commit.",
            valueName: "source[@commit]=folder"
        )
    )
    var source: [String] = []
    @Option(
        help: ArgumentHelp(
            "Address of the point that has them instead of the one of login or ONEPOINT_URL.",
            valueName: "address"
        )
    )
    var url: String?
    @Option(
        help: ArgumentHelp("Only judge part I of N, which is about as many bytes as any other.", valueName: "i/n"),
        transform: { text in
            guard let part = PipelinePart(text) else {
                throw ValidationError("write it as 3/8, with at most \(PipelinePart.countMax) parts")
            }
            return part
        }
    )
    var part: PipelinePart?
    @Option(
        help: ArgumentHelp(
            "What another run or part wrote, or a folder of such; what it has of a block is taken. Repeatable.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var results: [String] = []
    @Option(
        help: ArgumentHelp("Where to write, instead of the file's output.folder.", valueName: "folder"),
        completion: .directory
    )
    var output: String?
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        guard (1...256).contains(workers ?? 1) else { throw ValidationError("--workers: from 1 to 256") }
        _ = try folders()
    }

    /// What `--source` says: by source where its files are, and of which commit.
    private func folders() throws -> [String: (path: String, commit: GitHash?)] {
        var folders: [String: (path: String, commit: GitHash?)] = [:]
        for text in source {
            let halves = text.split(separator: "=", maxSplits: 1).map(String.init)
            let name = halves.first?.split(separator: "@", maxSplits: 1).map(String.init) ?? []
            let commit = name.count == 2 ? GitHash(name[1]) : nil
            guard halves.count == 2, let source = name.first, (name.count == 2) == (commit != nil) else {
                throw ValidationError(
                    "--source: write a source's name, '@' and a commit if you know it, '=' and a folder"
                )
            }
            folders[source] = (halves[1], commit)
        }
        return folders
    }

    /// Brings the revisions that sources are of.
    private func fetch() async throws {
        try await FetchedSource.fetch(for: pipeline, output: output, folders: folders()) { wanted in
            let download = try RevisionDownload(
                repository: wanted.repository,
                revision: wanted.revision,
                wants: wanted.wants
            )
            let commit = try await download.run(url: url, into: wanted.cache)
            return (commit.revision.text, commit.folder)
        }
    }

    func run() async throws {
        try await fetch()
        let run = try PipelineRun(pipeline, output: output, results: results, workers: workers)
        let clock = ContinuousClock()
        let start = clock.now
        let lines = ProgressLines()
        @Sendable func show(_ record: RunRecord) {
            lines.show(record.progressText(elapsed: clock.now - start), at: clock.now - start)
        }
        let record: RunRecord
        if let part {
            record = try await run.judge(part, progress: show)
        } else {
            record = try await run.run(progress: show)
        }
        ProgressLine.clear()
        print(json ? try JSON(encoding: record).text : record.text)
    }
}

/// `onepoint data plan`.
struct DataPlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a run would do, and what is there already."
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() async throws {
        let plan = try await PipelineRun(pipeline, workers: nil).plan { done, total in
            ProgressLine.show("reading: \(percent(done, of: total))")
        }
        ProgressLine.clear()
        guard !json else { return print(try JSON(encoding: plan).text) }
        var rows = [["SOURCE", "FILES", "BYTES", "BLOCKS", "THERE"]]
        for source in plan.sources {
            rows.append([
                source.name, "\(source.files)", byteText(source.bytes), "\(source.blocks)", "\(source.blocksCached)",
            ])
        }
        print(aligned(rows), terminator: "")
        print(
            "\(plan.blocksToJudge) of \(plan.blocksToJudge + plan.blocksCached) blocks are to be judged, "
                + "\(byteText(plan.bytesToJudge)) of records."
        )
    }
}

/// `onepoint data status`.
struct DataStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how far a run is, from any terminal."
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        var record = try RunRecord.read(PipelineFile(pipeline).outputFolder)
        // The process that wrote it may have been killed since.
        if let process = record.process, kill(Int32(clamping: process), 0) != 0, errno == ESRCH { record.process = nil }
        print(json ? try JSON(encoding: record).text : record.text)
    }
}

/// `onepoint data report`.
struct DataReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write a page about a run: what was kept and what each rule dropped."
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: ArgumentHelp("Where to write the page.", valueName: "file"), completion: .file()) var html: String

    func run() throws {
        let file = try PipelineFile(pipeline)
        try RunReport(record: .read(file.outputFolder), file: file).write(to: html)
    }
}

/// `onepoint data explain`.
struct DataExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell every rule that kept or dropped a document, with what it measured.",
        discussion: "The document is judged again by the same code; nothing is told from memory."
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: "The document's id.") var document: String
    @Flag(help: "Print one JSON object.") var json = false

    func run() throws {
        let explanation = try PipelineRun(pipeline, workers: nil).explain(document)
        print(json ? try JSON(encoding: explanation).text : explanation.text)
    }
}

extension PipelineRun {
    init(
        _ path: String,
        output: String? = nil,
        results: [String] = [],
        workers: Int?
    ) throws(Failure) {
        try self.init(
            PipelineFile(path, output: output),
            results: results,
            workers: workers ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            runtime: SystemRuntime(),
            now: { Assembly.now() }
        )
    }
}

extension Explanation {
    /// For people: what it is, every rule with what it measured, and the fate.
    fileprivate var text: String {
        var lines = ["\(document)", "source \(source), \(path)", "block \(block.prefix(16)), document \(index) of it"]
        if let language { lines.append("language \(language), probability \(probability ?? 0)") }
        var rows = [["RULE", "VALUE", "THRESHOLD", ""]]
        for finding in findings {
            rows.append([
                "\(finding.rule) v\(finding.version)", "\(finding.value)", "\(finding.threshold)",
                finding.passed ? "passed" : "FAILED",
            ])
        }
        if rows.count > 1 { lines.append(aligned(rows)) }
        for (type, count) in personal.sorted(by: { $0.key < $1.key }) {
            lines.append("personal data: \(type), \(count)")
        }
        for (category, count) in keywords.sorted(by: { $0.key < $1.key }) {
            lines.append("keywords: \(category), \(count)")
        }
        for (kind, bytes) in repeats.sorted(by: { $0.key < $1.key }) {
            lines.append("lost \(bytes) bytes of \(kind) that documents before it have")
        }
        if let dropped {
            lines.append("dropped by \(dropped)")
        } else if let duplicate {
            lines.append("dropped as \(duplicate.kind) duplicate of \(duplicate.of), Jaccard \(duplicate.jaccard)")
        } else if let part {
            lines.append("kept, in \(part)")
        } else {
            lines.append("kept")
        }
        return lines.joined(separator: "\n")
    }
}
