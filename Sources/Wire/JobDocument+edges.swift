import Core

/// What connects a job to others: inputs, outputs and order.
extension DocumentReader {
    mutating func inputs(_ value: JSON, at base: String, isMember: Bool) -> [JobInput] {
        let given = members(value, at: base)
        guard given.count <= JobLimits.inputsMax else {
            fault(base, "may have at most \(JobLimits.inputsMax) entries; this has \(given.count)")
            return []
        }
        var inputs: [JobInput] = []
        for (name, value) in given {
            let pointer = base + "/" + escaped(name)
            guard let name = artifactName(name, at: pointer) else { continue }
            if let source = source(value, at: pointer, isMember: isMember) {
                inputs.append(JobInput(name: name, source: source))
            }
        }
        return inputs
    }

    private mutating func source(_ value: JSON, at base: String, isMember: Bool) -> JobInput.Source? {
        let given = members(value, at: base)
        guard !given.isEmpty else {
            if case .object = value { fault(base, "must have 'digest' and 'kind', or 'job' and 'output'") }
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
            fault(base, "must have 'digest' and 'kind', or 'job' and 'output'" + (isBytes ? ", not both" : ""))
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
