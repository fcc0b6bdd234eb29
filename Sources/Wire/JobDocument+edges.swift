import Core

/// What connects a job to others: inputs, outputs and order.
extension DocumentReader {
    /// Inputs that are bytes or another job's output, and by name those that are in a repository.
    mutating func inputs(
        _ value: JSON,
        at base: String,
        isMember: Bool
    ) -> ([JobInput], [String: RepositorySource]) {
        let given = members(value, at: base)
        guard given.count <= JobLimits.inputsMax else {
            fault(base, "may have at most \(JobLimits.inputsMax) entries; this has \(given.count)")
            return ([], [:])
        }
        var inputs: [JobInput] = []
        var sources: [String: RepositorySource] = [:]
        for (name, value) in given {
            let pointer = base + "/" + escaped(name)
            guard let name = artifactName(name, at: pointer) else { continue }
            if value["repository"] != nil {
                sources[name] = repositorySource(value, at: pointer)
            } else if let source = source(value, at: pointer, isMember: isMember) {
                inputs.append(JobInput(name: name, source: source))
            }
        }
        return (inputs, sources)
    }

    private mutating func repositorySource(_ value: JSON, at base: String) -> RepositorySource? {
        var address: (shelf: RepositoryShelf, kind: RepositoryKind, path: RepositoryPath)?
        var revision = "main"
        var file: String?
        for (key, value) in members(value, at: base) {
            switch key {
            case "repository": address = repositoryAddress(value, at: base + "/repository")
            case "revision":
                revision = string(value, 1...JobLimits.revisionBytesMax, at: base + "/revision") ?? revision
            case "path": file = insidePath(value, at: base + "/path")
            case "digest", "kind", "job", "output":
                fault(base + "/" + key, "stands beside 'repository'; an input is one or the other")
            default: unknownKey(key, among: ["repository", "revision", "path"], at: base)
            }
        }
        return address.map { RepositorySource(shelf: $0.shelf, path: $0.path, revision: revision, file: file) }
    }

    /// Outputs by name, and where each is committed to.
    mutating func publications(_ value: JSON, at base: String) -> [Publication]? {
        let given = members(value, at: base)
        guard given.count <= JobLimits.outputsMax else {
            fault(base, "may have at most \(JobLimits.outputsMax) entries; this has \(given.count)")
            return nil
        }
        var publications: [Publication] = []
        for (name, value) in given {
            let pointer = base + "/" + escaped(name)
            guard let name = artifactName(name, at: pointer) else { continue }
            var address: (shelf: RepositoryShelf, kind: RepositoryKind, path: RepositoryPath)?
            var branch = "main"
            var folder: String?
            var replace: Bool?
            for (key, value) in members(value, at: pointer) {
                switch key {
                case "repository": address = repositoryAddress(value, at: pointer + "/repository")
                case "branch":
                    branch = string(value, 1...JobLimits.revisionBytesMax, at: pointer + "/branch") ?? branch
                    if ReferenceName(.branch, branch) == nil {
                        fault(pointer + "/branch", "\(shown(branch)) cannot be the name of a branch")
                    }
                case "path": folder = insidePath(value, at: pointer + "/path")
                case "replace": replace = bool(value, at: pointer + "/replace")
                default: unknownKey(key, among: JobDocument.publicationKeys, at: pointer)
                }
            }
            if case .object = value, value["repository"] == nil { fault(pointer + "/repository", "is missing") }
            guard let address else { continue }
            publications.append(
                Publication(
                    output: name,
                    kind: address.kind,
                    path: address.path,
                    branch: branch,
                    folder: folder,
                    replace: replace
                )
            )
        }
        return publications.isEmpty ? nil : publications
    }

    private mutating func repositoryAddress(
        _ value: JSON,
        at pointer: String
    ) -> (shelf: RepositoryShelf, kind: RepositoryKind, path: RepositoryPath)? {
        guard let text = string(value, 1...JobLimits.pathBytesMax, at: pointer) else { return nil }
        if let address = RepositoryShelf.address(text), address.shelf != .images { return address }
        fault(
            pointer,
            "\(shown(text)) is no repository: write models/…, datasets/… or algorithms/…, the project and a name"
        )
        return nil
    }

    private mutating func insidePath(_ value: JSON, at pointer: String) -> String? {
        guard let path = string(value, 1...JobLimits.pathBytesMax, at: pointer) else { return nil }
        if TreeManifest.isSafe(path: path) { return path }
        fault(pointer, "\(shown(path)) must be a path inside the repository, without '.', '..' or empty parts")
        return nil
    }

    private mutating func source(_ value: JSON, at base: String, isMember: Bool) -> JobInput.Source? {
        let given = members(value, at: base)
        guard !given.isEmpty else {
            if case .object = value {
                fault(base, "must have 'digest' and 'kind', 'job' and 'output', or 'repository'")
            }
            return nil
        }
        var digest: Digest?
        var kind: ArtifactKind?
        var job: String?
        var output: String?
        for (key, value) in given {
            switch key {
            case "digest":
                digest = value.stringValue.flatMap { Digest($0) }
                if digest == nil {
                    fault(
                        base + "/digest",
                        "must be 'sha256:' and 64 hexadecimal digits in lower case, not \(shown(value))"
                    )
                }
            case "kind":
                kind = value.stringValue.flatMap { ArtifactKind(rawValue: $0) }
                if kind == nil { fault(base + "/kind", "must be one of file, tree, not \(shown(value))") }
            case "job": job = reference(value, at: base + "/job", isMember: isMember)
            case "output":
                if let text = string(value, 1...JobLimits.artifactNameBytesMax, at: base + "/output") {
                    output = artifactName(text, at: base + "/output")
                }
            default: unknownKey(key, among: JobDocument.inputKeys, at: base)
            }
        }
        let isBytes = value["digest"] != nil || value["kind"] != nil
        let isOutput = value["job"] != nil || value["output"] != nil
        guard isBytes != isOutput else {
            fault(
                base,
                "must have 'digest' and 'kind', 'job' and 'output', or 'repository'"
                    + (isBytes ? ", only one of them" : "")
            )
            return nil
        }
        for key in isBytes ? ["digest", "kind"] : ["job", "output"] where value[key] == nil {
            fault(base + "/" + key, "is missing")
        }
        if let digest, let kind { return .artifact(digest, kind) }
        if let job, let output { return .output(job: job, output: output) }
        return nil
    }

    mutating func outputs(_ value: JSON, at base: String) -> [String] {
        var outputs: [String] = []
        for (index, item) in items(value, of: "names", 0...JobLimits.outputsMax, at: base).enumerated() {
            guard let text = string(item, 1...JobLimits.artifactNameBytesMax, at: base + "/\(index)"),
                let name = artifactName(text, at: base + "/\(index)")
            else { continue }
            if outputs.contains(name) {
                fault(base + "/\(index)", "repeats \(shown(name))")
            } else {
                outputs.append(name)
            }
        }
        return outputs
    }

    mutating func after(_ value: JSON, at base: String, isMember: Bool) -> [String] {
        var after: [String] = []
        for (index, item) in items(value, of: "jobs", 0...JobLimits.dependenciesMax, at: base).enumerated() {
            guard let job = reference(item, at: base + "/\(index)", isMember: isMember) else { continue }
            if after.contains(job) { fault(base + "/\(index)", "repeats \(shown(job))") } else { after.append(job) }
        }
        return after
    }

    /// A job's or an array's id, or inside a workflow the name of another job of it.
    private mutating func reference(
        _ value: JSON,
        at pointer: @autoclosure () -> String,
        isMember: Bool
    ) -> String? {
        guard case .string(let text) = value else {
            fault(pointer(), "must be a string, not \(value.kind)")
            return nil
        }
        if Dependency(text) != nil || isMember && Name<JobTag>(text) != nil { return text }
        fault(
            pointer(),
            isMember
                ? "\(shown(text)) is neither the name of a job of this workflow nor a job's or an array's id"
                : "\(shown(text)) is not a job's or an array's id; names can be used only inside a workflow"
        )
        return nil
    }
}
