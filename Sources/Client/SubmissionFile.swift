import Core
import NIOPosix
import Wire

/// A job or workflow file on its way to the point: checked here, its algorithms packaged and uploaded.
struct SubmissionFile: Sendable {
    var file: DocumentFile

    /// One job of the document.
    private struct Place {
        var draft: JobDraft
        /// Its JSON Pointer: empty, or `/jobs/3`.
        var base: String
    }

    /// Reads a file, applies what the command line adds, and finds every fault that can be found without the point.
    ///
    /// - Returns: Also the manifests of its algorithms, to be given to ``package(_:with:)``.
    static func load(
        _ path: String,
        _ changes: DocumentChanges
    ) async throws -> (SubmissionFile, [String: AlgorithmManifest]) {
        var submission = SubmissionFile(file: try await DocumentFile.load(path))
        try submission.apply(project: changes.project, assignments: changes.set)
        return (submission, try await submission.check())
    }

    /// Applies what the command line adds: a project, and `name=value` or in workflows `job.name=value`.
    ///
    /// - Throws: ``Failure`` for an assignment that cannot be applied.
    mutating func apply(project: String?, assignments: [String]) throws {
        if let project { file.json = file.json.setting("project", to: .string(project)) }
        for assignment in assignments {
            guard let equals = assignment.firstIndex(of: "="), equals > assignment.startIndex else {
                throw Failure(.invalid, "--set \(assignment) is no assignment; write --set NAME=VALUE.")
            }
            let name = String(assignment[..<equals])
            let text = String(assignment[assignment.index(after: equals)...])
            let value: JSON
            do { value = try YAMLDocument.parse(text).json } catch { value = .string(text) }
            if let jobs = file.json["jobs"]?.arrayValue {
                let parts = name.split(separator: ".", maxSplits: 1)
                guard parts.count == 2,
                    let index = jobs.firstIndex(where: { $0["name"]?.stringValue == String(parts[0]) })
                else {
                    let names = jobs.compactMap { $0["name"]?.stringValue }.joined(separator: ", ")
                    throw Failure(
                        .invalid,
                        "--set \(name) names no job of the workflow; write JOB.NAME=VALUE with one of \(names)."
                    )
                }
                var changed = jobs
                changed[index] = Self.setting(String(parts[1]), to: value, in: jobs[index])
                file.json = file.json.setting("jobs", to: .array(changed))
            } else {
                file.json = Self.setting(name, to: value, in: file.json)
            }
        }
    }

    private static func setting(_ name: String, to value: JSON, in job: JSON) -> JSON {
        job.setting("parameters", to: (job["parameters"] ?? .object([])).setting(name, to: value))
    }

    /// Finds every fault that can be found without the point, those of the algorithms' manifests included.
    ///
    /// - Returns: The folders of the algorithms by the paths that the document gives.
    /// - Throws: ``LocatedFailure``.
    func check() async throws -> [String: AlgorithmManifest] {
        let draft: SubmissionDraft
        do {
            draft = try SubmissionDraft.read(file.json, from: .file)
        } catch { throw file.located(error) }
        let places: [Place] =
            switch draft {
            case .job(let job): [Place(draft: job, base: "")]
            case .workflow(let workflow):
                workflow.jobs.enumerated().map { Place(draft: $1, base: "/jobs/\($0)") }
            }
        var manifests: [String: AlgorithmManifest] = [:]
        var violations: [Violation] = []
        for place in places {
            guard let path = place.draft.algorithmPath else { continue }
            let manifest: AlgorithmManifest
            if let known = manifests[path] {
                manifest = known
            } else {
                do {
                    manifest = try await self.manifest(in: path)
                } catch let failure as Failure {
                    violations.append(Violation(place.base + "/algorithm", failure.detail))
                    continue
                }
                manifests[path] = manifest
            }
            violations +=
                manifest.resolve(
                    parameters: place.draft.spec.parameters,
                    at: place.base + "/parameters"
                ).violations
            violations += manifest.violations(of: place.draft.spec, at: place.base)
        }
        if !violations.isEmpty {
            throw file.located(Failure(.invalid, "\(file.path) does not fit its algorithms.", violations: violations))
        }
        return manifests
    }

    func folder(of path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        let below = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return file.folder == "." ? below : file.folder + "/" + below
    }

    private func manifest(in path: String) async throws -> AlgorithmManifest {
        let manifestPath = folder(of: path) + "/" + AlgorithmManifest.fileName
        let source = try await DocumentFile.load(manifestPath, bytesMax: AlgorithmManifest.bytesMax)
        do { return try AlgorithmManifest.read(source.json) } catch { throw source.located(error) }
    }

    /// Uploads the algorithms, if there are any, and puts their content in the place of their paths.
    mutating func package(_ manifests: [String: AlgorithmManifest], with client: PointClient) async throws {
        guard !manifests.isEmpty else { return }
        let project = try await client.project(file.json["project"]?.stringValue)
        file.json = file.json.setting("project", to: .string(project))
        let uploader = Uploader(client: client, project: project)
        var contents: [String: JSON] = [:]
        for (path, manifest) in manifests.sorted(by: { $0.key < $1.key }) {
            let folder = folder(of: path)
            let package = try await FolderPackage.scan(
                folder,
                boundary: FolderPackage.boundary(of: folder),
                ignores: true
            )
            let tree = try await uploader.upload(package, as: manifest.name)
            contents[path] = .members(
                ("name", .string(manifest.name)),
                ("version", .string(manifest.version)),
                ("tree", .string(tree.description))
            )
        }
        func replaced(_ job: JSON) -> JSON {
            guard let path = job["algorithm"]?.stringValue, let content = contents[path] else { return job }
            return job.setting("algorithm", to: content)
        }
        if let jobs = file.json["jobs"]?.arrayValue {
            file.json = file.json.setting("jobs", to: .array(jobs.map(replaced)))
        } else {
            file.json = replaced(file.json)
        }
    }
}

extension PointClient {
    /// The project that uploads go to: the one named, else the caller's only one.
    package func project(_ named: String?) async throws -> String {
        if let named { return named }
        if let set = ClientContext.current.environment["ONEPOINT_PROJECT"], !set.isEmpty { return set }
        let me: WhoAmI = try WireJSON.decode(from: try await get("/v1/whoami"))
        let names = me.projects.map(\.project.text)
        guard names.count == 1, let only = names.first else {
            let list = names.isEmpty ? "You are a member of none." : "Yours are \(names.joined(separator: ", "))."
            throw Failure(.invalid, "Say which project this is for, with --project. \(list)")
        }
        return only
    }
}
