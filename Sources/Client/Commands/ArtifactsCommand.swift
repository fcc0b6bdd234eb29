import ArgumentParser
import Core
import FoundationEssentials
import NIOPosix
import Wire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct ArtifactsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "artifacts",
        abstract: "List, fetch or bring artifacts.",
        subcommands: [List.self, Get.self, Put.self]
    )

    static func table(_ artifacts: [Artifact]) -> Table {
        var table = Table([
            .init("ARTIFACT", shrinks: true), .init("KIND"), .init("SIZE", .right), .init("DIGEST", shrinks: true),
        ])
        for artifact in artifacts {
            table.add(
                Table.Cell(artifact.name),
                Table.Cell(artifact.kind.rawValue),
                Table.Cell(artifact.size),
                Table.Cell(artifact.digest)
            )
        }
        return table
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List what a job left.")
        @OptionGroup var point: PointOptions
        @Argument(help: "The job's id.") var job: String

        func run() async throws {
            try await point.with { client in
                let answer = try await client.get("/v1/jobs/\(job.percentEncoded)")
                guard !point.json else {
                    let artifacts = try JSON(parsing: answer)["artifacts"] ?? .array([])
                    return terminal.print(artifacts.text)
                }
                let detail: JobDetail = try WireJSON.decode(from: answer)
                terminal.print(table(detail.artifacts))
            }
        }
    }

    struct Get: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Fetch what a job or an array left.",
            discussion: """
                Everything is verified by its digest. A broken download goes on where it left off when the command is \
                repeated. Of an array, each element gets a folder of its own.

                Examples:
                  onepoint artifacts get job-01k… -o results
                  onepoint artifacts get job-01k… model -o results
                """
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "Id of the job or array.") var id: String
        @Argument(help: "Only this artifact.") var name: String?
        @Option(name: .shortAndLong, help: "Folder to put it in.", completion: .directory) var output: String

        func run() async throws {
            try await point.with { client in
                let downloader = Downloader(client: client)
                var found = 0
                for (job, index) in try await jobs(client) {
                    let answer = try await client.get("/v1/jobs/\(job.percentEncoded)")
                    let detail: JobDetail = try WireJSON.decode(from: answer)
                    let folder = output + (index.map { "/\($0)" } ?? "")
                    for artifact in detail.artifacts where name == nil || artifact.name == name {
                        guard TreeManifest.isSafe(path: artifact.name), !artifact.name.contains("/") else {
                            throw Failure(.invalid, "'\(printable(artifact.name))' is no safe name for a file.")
                        }
                        try await NIOThreadPool.singleton.runIfActive { try makeFolder(folder) }
                        let path = folder + "/" + artifact.name
                        try await downloader.get(artifact, to: path)
                        found += 1
                        if point.json {
                            terminal.print(
                                JSON.members(("path", path.json), ("digest", artifact.digest.description.json)).text
                            )
                        } else {
                            terminal.print("\(path)  \(artifact.size)")
                        }
                    }
                }
                if found == 0 {
                    let what = name.map { "no artifact '\(printable($0))'" } ?? "no artifacts"
                    throw Failure(.notFound, "\(printable(id)) has \(what). They appear once a job has succeeded.")
                }
            }
        }

        private func jobs(_ client: PointClient) async throws -> [(id: String, index: Int?)] {
            guard id.hasPrefix("arr-") else { return [(id, nil)] }
            var jobs: [(String, Int?)] = []
            var cursor: String?
            repeat {
                let query: [(String, String?)] = [("array", id), ("limit", "500"), ("cursor", cursor)]
                let page: Page<JobView> = try WireJSON.decode(from: try await client.get("/v1/jobs", query))
                jobs += page.items.map { ($0.job.description, $0.arrayIndex) }
                cursor = page.next
            } while cursor != nil
            return jobs
        }
    }

    struct Put: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Bring a file or folder into a project, and print its digest for use as an input.",
            discussion: """
                Example:
                  onepoint artifacts put corpus/ --project demo
                  # then in a job file: inputs: {text: {digest: 'sha256:…', kind: tree}}
                """
        )
        @OptionGroup var point: PointOptions
        @Argument(help: "The file or folder.", completion: .file()) var path: String
        @Option(name: .long, help: "Which project may read it; default: your only one.") var project: String?

        func run() async throws {
            let path = path
            let isFolder = try await NIOThreadPool.singleton.runIfActive { () -> Bool in
                var status = stat()
                guard stat(path, &status) == 0 else { throw unreadable(path) }
                return status.st_mode & S_IFMT == S_IFDIR
            }
            try await point.with { client in
                let uploader = Uploader(client: client, project: try await client.project(project))
                let artifact: (digest: Digest, size: Bytes)
                if isFolder {
                    let package = try await FolderPackage.scan(path, boundary: path, ignores: false)
                    artifact = (try await uploader.upload(package, as: path), package.manifest.size)
                } else {
                    let (digest, size) = try await NIOThreadPool.singleton.runIfActive { try hash(file: path) }
                    try await uploader.upload([digest: .file(path, size: size)], as: path)
                    artifact = (digest, Bytes(size))
                }
                let kind = isFolder ? ArtifactKind.tree : .file
                if point.json {
                    terminal.print(
                        JSON.members(
                            ("digest", artifact.digest.description.json),
                            ("kind", kind.rawValue.json),
                            ("size", .integer(artifact.size.count)),
                            ("project", uploader.project.json)
                        ).text
                    )
                } else {
                    terminal.print("\(artifact.digest)  \(kind)  \(artifact.size)")
                }
            }
        }
    }
}
