import ArgumentParser
import Client
import Core
import Corpora
import Wire

/// `onepoint data publish`.
struct DataPublishCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "publish",
        abstract: "Publish what a run wrote as a revision of a dataset in the repository.",
        discussion: """
            The point is that of 'onepoint login'. The revision has the texts, a card that 'datasets' reads, and under \
            governance/ where they are from and what became of every document. Only what the repository lacks is sent; \
            it becomes one commit, or none when nothing has changed. Interrupted, run it again: it sends the rest.

            Examples:
              onepoint data publish web.yaml demo/web --release release.yaml --pack pack
              onepoint data publish web.yaml demo/web --revision next --message 'Without the museum'
            """
    )

    @Argument(help: "The pipeline's file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: ArgumentHelp("The dataset, such as demo/web; made when it is not there.", valueName: "dataset"))
    var dataset: String
    @Option(help: ArgumentHelp("The branch to commit to; made when it is not there.", valueName: "branch"))
    var revision = "main"
    @Option(
        help: ArgumentHelp("What the release is, as YAML (docs/data.md has the form).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var release: String?
    @Option(
        help: ArgumentHelp("The audit pack that 'onepoint data audit' wrote of it.", valueName: "folder"),
        completion: .directory
    )
    var pack: String?
    @Option(help: "Of the commit.") var message: String?
    @Option(help: "Of a new repository: private, internal (everybody signed in) or public.") var visibility: String?
    @Flag(name: .customLong("private"), help: "The same as --visibility private.") var isPrivate = false
    @Option(
        help: ArgumentHelp("Address of the point instead of the one of login or ONEPOINT_URL.", valueName: "address")
    )
    var url: String?
    @Flag(help: "Print one JSON object.") var json = false

    func validate() throws {
        _ = try address
        guard visibility.map({ Visibility(rawValue: $0) != nil }) ?? true else {
            throw ValidationError("--visibility: private, internal or public")
        }
        guard !isPrivate || visibility ?? "private" == "private" else {
            throw ValidationError("--private and --visibility say different things")
        }
    }

    private var address: RepositoryPath {
        get throws {
            let name = dataset.hasPrefix("datasets/") ? String(dataset.dropFirst("datasets/".count)) : dataset
            guard let path = RepositoryPath(name) else {
                throw ValidationError("'\(dataset)' names no dataset: write the project and a name, such as demo/web.")
            }
            return path
        }
    }

    func run() async throws {
        try RevisionUpload.requirePoint(url: url)
        var options = Release.Options(tool: "onepoint \(productVersion)", repository: "\(try address)")
        options.release = release
        options.pack = pack
        let clock = ContinuousClock()
        let start = clock.now
        try await Release.with(PipelineRun(pipeline, workers: nil), options) { done, total in
            let rate = Double(done) / max((clock.now - start).seconds, 0.001)
            let left = rate > 0 ? ", \(byteText(Int(rate)))/s, \(Int(Double(total - done) / rate)) s left" : ""
            ProgressLine.show("checking: \(percent(done, of: total))\(left)")
        } _: { release in
            ProgressLine.clear()
            let outcome = try await upload(release).run(url: url)
            print(json ? Self.json(outcome, release).text : Self.text(outcome, release, branch: revision))
        }
    }

    private func upload(_ release: Release) throws -> RevisionUpload {
        let lineage = release.lineage
        let name = lineage.pipeline.name
        var upload = try RevisionUpload(
            dataset: address,
            branch: revision,
            message: message ?? "Publish \(name): \(lineage.records) records\n\nMerkle root \(lineage.root)",
            files: release.files.map { file in
                let content: RevisionUpload.File.Content =
                    switch file.content {
                    case .file(let path): .file(path)
                    case .bytes(let bytes): .bytes(bytes)
                    }
                return .init(path: file.path, content: content, digest: file.digest, size: file.size)
            },
            pipeline: name,
            owns: Release.owns
        )
        upload.visibility = isPrivate ? .private : visibility.flatMap { Visibility(rawValue: $0) }
        upload.negligible = Release.runPath
        return upload
    }

    private static func json(_ outcome: RevisionUpload.Outcome, _ release: Release) -> JSON {
        .object([
            (key: "repository", value: .string(outcome.repository)),
            (key: "revision", value: .string(outcome.revision.text)), (key: "new", value: .bool(outcome.isNew)),
            (key: "files", value: .integer(Int64(release.files.count))),
            (key: "files_sent", value: .integer(Int64(outcome.filesSent))),
            (key: "bytes_sent", value: .integer(Int64(outcome.bytesSent))),
            (key: "files_deleted", value: .integer(Int64(outcome.filesDeleted))),
            (key: "records", value: .integer(Int64(release.lineage.records))),
            (key: "root", value: .string(release.lineage.root)),
        ])
    }

    private static func text(_ outcome: RevisionUpload.Outcome, _ release: Release, branch: String) -> String {
        guard outcome.isNew else {
            return "Nothing has changed: \(outcome.repository) has this release, \(branch) at \(outcome.revision)."
        }
        var text = "\(outcome.repository), \(branch) is at \(outcome.revision): "
        text += "\(release.files.count) files, \(release.lineage.records) records, root \(release.lineage.root)\n"
        text += "\(outcome.filesSent) files with \(byteText(outcome.bytesSent)) were sent"
        if outcome.filesDeleted > 0 { text += ", \(outcome.filesDeleted) of an earlier release are gone" }
        return text
    }
}
