import Core

extension DocumentReader {
    /// Reads one job; the result is complete only when no fault was noted.
    ///
    /// - Parameter isMember: In a workflow, which has the project for all its jobs.
    mutating func job(_ json: JSON, at base: String, origin: DocumentOrigin, isMember: Bool) -> JobDraft {
        var draft = JobDraft(spec: JobSpec(name: "", command: []))
        var (hasName, hasCommand, hasAlgorithm) = (false, false, false)
        for (key, value) in members(json, at: base) {
            switch key {
            case "name":
                hasName = true
                if let name: Name<JobTag> = name(value, at: base + "/name") { draft.spec.name = name.text }
            case "project" where !isMember: draft.project = name(value, at: base + "/project")
            case "algorithm":
                hasAlgorithm = true
                algorithm(value, at: base + "/algorithm", origin: origin, into: &draft)
            case "command":
                hasCommand = true
                draft.spec.command = command(value, at: base + "/command")
            case "parameters": draft.spec.parameters = parameters(value, at: base + "/parameters")
            case "environment": draft.spec.environment = environment(value, at: base + "/environment")
            case "tasks":
                draft.spec.tasks = integer(value, 1...JobLimits.tasksMax, at: base + "/tasks") ?? 1
            case "resources": resources(value, at: base + "/resources", into: &draft.spec)
            case "array": draft.spec.array = array(value, at: base + "/array")
            case "placement": draft.spec.placement = placement(value, at: base + "/placement")
            case "priority":
                draft.spec.priority = integer(value, 0...JobLimits.priorityMax, at: base + "/priority") ?? 500
            case "preemptible": draft.spec.preemptible = bool(value, at: base + "/preemptible") ?? false
            case "grace_period":
                draft.spec.gracePeriodSeconds =
                    seconds(value, 0...JobLimits.gracePeriodSecondsMax, at: base + "/grace_period") ?? 10
            case "retries": draft.spec.retries = retries(value, at: base + "/retries")
            case "on_centre_loss": draft.spec.onCentreLoss = centreLoss(value, at: base + "/on_centre_loss")
            case "isolation": draft.spec.isolation = choice(value, at: base + "/isolation") ?? .auto
            case "inputs":
                (draft.spec.inputs, draft.sources) = inputs(value, at: base + "/inputs", isMember: isMember)
            case "outputs": draft.spec.outputs = outputs(value, at: base + "/outputs")
            case "publish": draft.spec.publish = publications(value, at: base + "/publish")
            case "after": draft.spec.after = after(value, at: base + "/after", isMember: isMember)
            case "project": fault(base + "/project", "belongs to the workflow, beside 'jobs'; remove it here")
            default: unknownKey(key, among: isMember ? JobDocument.memberKeys : JobDocument.keys, at: base)
            }
        }
        guard case .object = json else { return draft }
        if !hasName { fault(base + "/name", "is missing") }
        if !hasAlgorithm {
            for publication in draft.spec.publish ?? [] where !draft.spec.outputs.contains(publication.output) {
                fault(base + "/publish/" + escaped(publication.output), "is not among the job's outputs")
            }
        }
        if hasCommand && hasAlgorithm {
            fault(base + "/command", "stands beside 'algorithm'; a job has one of the two")
        } else if !hasCommand && !hasAlgorithm {
            fault(base + "/command", "is missing; a job needs a 'command' or an 'algorithm'")
        }
        return draft
    }

    private mutating func algorithm(
        _ value: JSON,
        at base: String,
        origin: DocumentOrigin,
        into draft: inout JobDraft
    ) {
        if case .string = value {
            switch origin {
            case .request:
                fault(
                    base,
                    "must be an object with name, version and tree; a path is read by the command line, which uploads "
                        + "the folder"
                )
            case .file: draft.algorithmPath = string(value, 1...JobLimits.pathBytesMax, at: base)
            }
            return
        }
        var algorithmName: Name<AlgorithmDraft>?
        var version: String?
        var tree: Digest?
        var missing = Set(["name", "tree"])
        for (key, value) in members(value, at: base) {
            missing.remove(key)
            switch key {
            case "name": algorithmName = name(value, at: base + "/name")
            case "version": version = string(value, 1...JobLimits.versionBytesMax, at: base + "/version")
            case "tree": tree = digest(value, at: base + "/tree")
            default: unknownKey(key, among: JobDocument.algorithmKeys, at: base)
            }
        }
        guard case .object = value else { return }
        for key in missing.sorted() { fault(base + "/" + key, "is missing") }
        if let algorithmName, let tree {
            draft.algorithm = AlgorithmDraft(name: algorithmName.text, version: version, tree: tree)
        }
    }

    private mutating func digest(_ value: JSON, at pointer: @autoclosure () -> String) -> Digest? {
        if case .string(let text) = value, let digest = Digest(text) { return digest }
        fault(pointer(), "must be 'sha256:' and 64 hexadecimal digits in lower case, not \(shown(value))")
        return nil
    }

    mutating func command(_ value: JSON, at base: String) -> [String] {
        if case .string = value {
            return string(value, 1...JobLimits.argumentBytesMax, at: base).map { ["/bin/sh", "-c", $0] } ?? []
        }
        guard case .array = value else {
            fault(base, "must be a list of strings, or one string for /bin/sh, not \(value.kind)")
            return []
        }
        var arguments: [String] = []
        var total = 0
        for (index, item) in items(value, of: "arguments", 1...JobLimits.argumentsMax, at: base).enumerated() {
            // The program itself cannot be empty; an argument can.
            let shortest = index == 0 ? 1 : 0
            guard let text = string(item, shortest...JobLimits.argumentBytesMax, at: base + "/\(index)") else {
                continue
            }
            arguments.append(text)
            total += text.utf8.count
        }
        if total > JobLimits.commandBytesMax {
            fault(base, "may be \(JobLimits.commandBytesMax) bytes long in all; this has \(total)")
        }
        return arguments
    }

    private mutating func parameters(_ value: JSON, at base: String) -> [String: JSON] {
        let given = members(value, at: base)
        guard given.count <= JobLimits.parametersMax else {
            fault(base, "may have at most \(JobLimits.parametersMax) entries; this has \(given.count)")
            return [:]
        }
        var parameters: [String: JSON] = [:]
        for (key, value) in given {
            guard isParameterName(key) else {
                fault(base + "/" + escaped(key), parameterNameRule)
                continue
            }
            parameters[key] = value
        }
        if !given.isEmpty {
            var text: [UInt8] = []
            value.write(to: &text)
            if text.count > JobLimits.parametersBytesMax {
                fault(base, "may be \(JobLimits.parametersBytesMax) bytes of JSON in all; this has \(text.count)")
            }
        }
        return parameters
    }

    private mutating func environment(_ value: JSON, at base: String) -> [String: String] {
        let given = members(value, at: base)
        guard given.count <= JobLimits.environmentMax else {
            fault(base, "may have at most \(JobLimits.environmentMax) entries; this has \(given.count)")
            return [:]
        }
        var environment: [String: String] = [:]
        var total = 0
        for (key, value) in given {
            let pointer = base + "/" + escaped(key)
            guard key.utf8.count <= JobLimits.environmentNameBytesMax, isIdentifier(key) else {
                fault(
                    pointer,
                    "is not a variable's name: use at most \(JobLimits.environmentNameBytesMax) letters, digits and "
                        + "'_', not beginning with a digit"
                )
                continue
            }
            guard !key.hasPrefix("ONEPOINT_") else {
                fault(pointer, "is set by the platform; names that begin with ONEPOINT_ are taken")
                continue
            }
            guard let text = string(value, 0...JobLimits.environmentValueBytesMax, at: pointer) else { continue }
            environment[key] = text
            total += key.utf8.count + text.utf8.count
        }
        if total > JobLimits.environmentBytesMax {
            fault(base, "may be \(JobLimits.environmentBytesMax) bytes long in all; this has \(total)")
        }
        return environment
    }

    private mutating func resources(_ value: JSON, at base: String, into spec: inout JobSpec) {
        for (key, value) in members(value, at: base) {
            switch key {
            case "cores":
                guard let cores = value.numberValue, cores >= 0.0005, cores <= Double(JobLimits.milliCoresMax) / 1000
                else {
                    fault(
                        base + "/cores",
                        "must be a number from 0.001 to \(JobLimits.milliCoresMax / 1000), not \(shown(value))"
                    )
                    continue
                }
                spec.resources.cores = MilliCores(Int64((cores * 1000).rounded()))
            case "memory":
                let memory: Bytes? =
                    if case .string(let text) = value { Bytes(text) } else { whole(value).map { Bytes(Int64($0)) } }
                guard let memory,
                    (Int64(JobLimits.memoryBytesMin)...Int64(JobLimits.memoryBytesMax)).contains(memory.count)
                else {
                    fault(
                        base + "/memory",
                        "must be from 1MiB to 64TiB, such as 512MiB, 2GiB or a number of bytes, not \(shown(value))"
                    )
                    continue
                }
                spec.resources.memory = memory
            case "cards": spec.resources.cards = integer(value, 0...JobLimits.cardsMax, at: base + "/cards") ?? 0
            case "card": spec.resources.card = string(value, 1...JobLimits.cardNameBytesMax, at: base + "/card")
            case "time_limit":
                spec.timeLimitSeconds =
                    seconds(value, 1...JobLimits.timeLimitSecondsMax, at: base + "/time_limit") ?? 3600
            default: unknownKey(key, among: JobDocument.resourceKeys, at: base)
            }
        }
        if spec.resources.card != nil, value["cards"] == nil {
            fault(base + "/cards", "is missing; say how many of card '\(spec.resources.card ?? "")'")
        }
    }

    private mutating func array(_ value: JSON, at pointer: String) -> Int? {
        if let count = whole(value), count > JobLimits.arrayMax {
            fault(
                pointer,
                "may have at most \(JobLimits.arrayMax) elements; split \(count) into several submissions, or give each "
                    + "element more to do"
            )
            return nil
        }
        return integer(value, 1...JobLimits.arrayMax, at: pointer)
    }

    private mutating func placement(_ value: JSON, at base: String) -> PlacementConstraint {
        var placement = PlacementConstraint()
        for (key, value) in members(value, at: base) {
            switch key {
            case "tiers":
                let list = items(value, of: "tiers", 0...Tier.allCases.count, at: base + "/tiers")
                for (index, item) in list.enumerated() {
                    if let tier: Tier = choice(item, at: base + "/tiers/\(index)") { placement.tiers.append(tier) }
                }
            case "centres":
                let list = items(value, of: "centres", 0...JobLimits.centresMax, at: base + "/centres")
                for (index, item) in list.enumerated() {
                    if let name: CentreName = name(item, at: base + "/centres/\(index)") {
                        placement.centres.append(name)
                    }
                }
            case "emulated": placement.emulated = bool(value, at: base + "/emulated") ?? false
            default: unknownKey(key, among: JobDocument.placementKeys, at: base)
            }
        }
        return placement
    }

    private mutating func retries(_ value: JSON, at base: String) -> RetryPolicy {
        var policy = RetryPolicy()
        for (key, value) in members(value, at: base) {
            switch key {
            case "limit": policy.limit = integer(value, 0...JobLimits.retriesMax, at: base + "/limit") ?? 0
            case "on":
                policy.on = []
                let list = items(value, of: "causes", 0...RetryPolicy.Cause.allCases.count, at: base + "/on")
                for (index, item) in list.enumerated() {
                    if let cause: RetryPolicy.Cause = choice(item, at: base + "/on/\(index)") {
                        policy.on.append(cause)
                    }
                }
            case "backoff":
                policy.backoffSeconds = seconds(value, 0...JobLimits.backoffSecondsMax, at: base + "/backoff") ?? 1
            default: unknownKey(key, among: JobDocument.retryKeys, at: base)
            }
        }
        return policy
    }

    private mutating func centreLoss(_ value: JSON, at base: String) -> CentreLossPolicy {
        switch value {
        case .string("wait"): return .wait
        case .object(let members):
            var policy = CentreLossPolicy.wait
            for (key, value) in members {
                guard key == "requeue_after" else {
                    unknownKey(key, among: ["requeue_after"], at: base)
                    continue
                }
                let range = 1...JobLimits.requeueAfterSecondsMax
                if let seconds = seconds(value, range, at: base + "/requeue_after") {
                    policy = .requeue(afterSeconds: seconds)
                }
            }
            if members.isEmpty { fault(base + "/requeue_after", "is missing") }
            return policy
        case .null, .bool, .integer, .number, .string, .array:
            fault(base, "must be 'wait' or {requeue_after: 10m}, not \(shown(value))")
            return .wait
        }
    }
}

func isParameterName(_ text: String) -> Bool {
    text.utf8.count <= JobLimits.parameterNameBytesMax
        && isIdentifier(text, allowing: [UInt8(ascii: "-"), UInt8(ascii: ".")])
}

let parameterNameRule =
    "is not a parameter's name: use at most \(JobLimits.parameterNameBytesMax) letters, digits, '_', '-' and '.', "
    + "beginning with a letter or '_'"
