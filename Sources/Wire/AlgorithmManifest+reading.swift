public import Core

extension AlgorithmManifest {
    /// Every key that a manifest may have.
    public static let keys = [
        "name", "version", "summary", "licence", "entry_point", "requirements", "parameters", "inputs", "outputs",
    ]
    static let parameterKeys = ["type", "default", "minimum", "maximum", "enum", "description"]
    static let inputKeys = ["description", "required"]
    static let outputKeys = ["description"]

    /// Reads a manifest from the bytes of `algorithm.yaml`.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault; messages name the line.
    public static func read(yaml bytes: [UInt8]) throws(Failure) -> AlgorithmManifest {
        let document: YAMLDocument
        do {
            document = try YAMLDocument.parse(utf8: bytes, bytesMax: bytesMax)
        } catch {
            throw Failure(
                .invalid,
                "\(fileName) cannot be read.",
                violations: error.faults.map { Violation("", "\(fileName), line \($0.position.line): \($0.message)") }
            )
        }
        do {
            return try read(document.json)
        } catch {
            throw Failure(
                error.code,
                error.detail,
                violations: error.violations.map {
                    let line = document.position(of: $0.pointer).line
                    return Violation($0.pointer, "\(fileName), line \(line): \($0.message)")
                }
            )
        }
    }

    /// Reads a manifest.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public static func read(_ json: JSON) throws(Failure) -> AlgorithmManifest {
        var reader = DocumentReader()
        let manifest = reader.manifest(json)
        try reader.finish("algorithm")
        return manifest
    }
}

extension DocumentReader {
    fileprivate mutating func manifest(_ json: JSON) -> AlgorithmManifest {
        var manifest = AlgorithmManifest(
            name: "",
            version: "",
            summary: "",
            licence: "",
            entryPoint: [],
            requirements: nil,
            parameters: [],
            inputs: [],
            outputs: []
        )
        var missing = ["name", "version", "summary", "licence", "entry_point"]
        for (key, value) in members(json, at: "") {
            missing.removeAll { $0 == key }
            switch key {
            case "name":
                if let name: Name<AlgorithmManifest> = name(value, at: "/name") { manifest.name = name.text }
            case "version":
                manifest.version = string(value, 1...JobLimits.versionBytesMax, at: "/version") ?? ""
            case "summary":
                manifest.summary = string(value, 1...JobLimits.summaryBytesMax, at: "/summary") ?? ""
            case "licence":
                manifest.licence = string(value, 1...JobLimits.licenceBytesMax, at: "/licence") ?? ""
            case "entry_point": manifest.entryPoint = command(value, at: "/entry_point")
            case "requirements":
                guard let path = string(value, 1...JobLimits.pathBytesMax, at: "/requirements") else { continue }
                if TreeManifest.isSafe(path: path) {
                    manifest.requirements = path
                } else {
                    fault("/requirements", "must be a path inside the algorithm's folder, not \(shown(path))")
                }
            case "parameters": manifest.parameters = manifestParameters(value)
            case "inputs": manifest.inputs = manifestInputs(value)
            case "outputs": manifest.outputs = manifestOutputs(value)
            default: unknownKey(key, among: AlgorithmManifest.keys, at: "")
            }
        }
        if case .object = json { for key in missing { fault("/" + key, "is missing") } }
        return manifest
    }

    private mutating func description(_ value: JSON, at pointer: String) -> String {
        string(value, 0...JobLimits.descriptionBytesMax, at: pointer) ?? ""
    }

    private mutating func manifestParameters(_ value: JSON) -> [AlgorithmManifest.Parameter] {
        let given = members(value, at: "/parameters")
        guard given.count <= JobLimits.parametersMax else {
            fault("/parameters", "may have at most \(JobLimits.parametersMax) entries; this has \(given.count)")
            return []
        }
        var parameters: [AlgorithmManifest.Parameter] = []
        for (name, value) in given {
            let base = "/parameters/" + escaped(name)
            guard isParameterName(name) else {
                fault(base, parameterNameRule)
                continue
            }
            if let parameter = manifestParameter(name, value, at: base) { parameters.append(parameter) }
        }
        return parameters
    }

    private mutating func manifestParameter(
        _ name: String,
        _ value: JSON,
        at base: String
    ) -> AlgorithmManifest.Parameter? {
        var parameter = AlgorithmManifest.Parameter(name: name, kind: .string, choices: [], description: "")
        var kind: AlgorithmManifest.Parameter.Kind?
        var fallback: JSON?
        for (key, value) in members(value, at: base) {
            switch key {
            case "type": kind = choice(value, at: base + "/type")
            case "default": fallback = value
            case "minimum", "maximum":
                guard let number = value.numberValue else {
                    fault(base + "/" + key, "must be a number, not \(shown(value))")
                    continue
                }
                if key == "minimum" { parameter.minimum = number } else { parameter.maximum = number }
            case "enum":
                parameter.choices = items(value, of: "values", 1...JobLimits.choicesMax, at: base + "/enum")
            case "description": parameter.description = description(value, at: base + "/description")
            default: unknownKey(key, among: AlgorithmManifest.parameterKeys, at: base)
            }
        }
        guard case .object = value else { return nil }
        guard let kind else {
            if value["type"] == nil { fault(base + "/type", "is missing") }
            return nil
        }
        parameter.kind = kind
        if let minimum = parameter.minimum, let maximum = parameter.maximum, minimum > maximum {
            fault(base + "/minimum", "is above the maximum")
        }
        for (index, choice) in parameter.choices.enumerated() {
            var bare = parameter
            bare.choices = []
            if let problem = bare.problem(with: choice) { fault(base + "/enum/\(index)", problem) }
        }
        if let fallback, let problem = parameter.problem(with: fallback) { fault(base + "/default", problem) }
        parameter.fallback = fallback
        return parameter
    }

    private mutating func manifestInputs(_ value: JSON) -> [AlgorithmManifest.Input] {
        let given = members(value, at: "/inputs")
        guard given.count <= JobLimits.inputsMax else {
            fault("/inputs", "may have at most \(JobLimits.inputsMax) entries; this has \(given.count)")
            return []
        }
        var inputs: [AlgorithmManifest.Input] = []
        for (name, value) in given {
            let base = "/inputs/" + escaped(name)
            guard let name = artifactName(name, at: base) else { continue }
            var input = AlgorithmManifest.Input(name: name, description: "", required: true)
            for (key, value) in members(value, at: base) {
                switch key {
                case "description": input.description = description(value, at: base + "/description")
                case "required": input.required = bool(value, at: base + "/required") ?? true
                default: unknownKey(key, among: AlgorithmManifest.inputKeys, at: base)
                }
            }
            inputs.append(input)
        }
        return inputs
    }

    private mutating func manifestOutputs(_ value: JSON) -> [AlgorithmManifest.Output] {
        let given = members(value, at: "/outputs")
        guard given.count <= JobLimits.outputsMax else {
            fault("/outputs", "may have at most \(JobLimits.outputsMax) entries; this has \(given.count)")
            return []
        }
        var outputs: [AlgorithmManifest.Output] = []
        for (name, value) in given {
            let base = "/outputs/" + escaped(name)
            guard let name = artifactName(name, at: base) else { continue }
            var output = AlgorithmManifest.Output(name: name, description: "")
            for (key, value) in members(value, at: base) {
                switch key {
                case "description": output.description = description(value, at: base + "/description")
                default: unknownKey(key, among: AlgorithmManifest.outputKeys, at: base)
                }
            }
            outputs.append(output)
        }
        return outputs
    }
}
