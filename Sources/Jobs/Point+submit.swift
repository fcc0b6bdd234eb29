import Blobs
public import Core
import NIOCore
import Scheduling
import Store
import Synchronization
public import Wire

extension Point {
    /// Takes in a job, an array or a workflow. When this returns, it is on disk.
    ///
    /// - Parameters:
    ///   - document: A job, or a workflow when it has the key `workflow`.
    ///   - project: `nil` takes the document's own, else the caller's only one.
    ///   - idempotencyKey: A repeat with the same key and content answers with what the first made, for as long as that
    ///     exists; the same key with other content is a conflict.
    /// - Throws: `.invalid` with every fault at once; `.impossible` when no centre could ever run it.
    public func submit(
        _ document: JSON,
        project: ProjectName?,
        idempotencyKey: String?,
        _ caller: Principal
    ) async throws -> SubmissionView {
        let (read, workflowName, project) = try await read(document, project: project, caller)
        var drafts = read
        if let key = idempotencyKey, !(1...200).contains(key.utf8.count) {
            throw Failure(.malformed, "An Idempotency-Key has 1 to 200 bytes.")
        }
        var hashed: [UInt8] = []
        if idempotencyKey != nil { document.write(to: &hashed) }
        let idempotency = idempotencyKey.map { Event.Idempotency(key: $0, request: Self.sha256(hashed)) }
        // Before anything that has to do with the project is looked at. A repeat is answered also when what it asked
        // for could not be asked for today.
        let earlier = try await store.read { tx in
            _ = try Self.require(.member, in: project, caller, tx)
            return try idempotency.flatMap { try Submission.replay($0, project: project, caller, tx) }
        }
        if let earlier { return earlier }
        try await resolve(&drafts, project: project, isWorkflow: workflowName != nil, caller)

        let submission = Submission(
            specs: drafts.map(\.spec),
            workflowName: workflowName,
            project: project,
            caller: caller,
            idempotency: idempotency,
            jobs: drafts.map { _ in makeID() },
            arrays: drafts.map { $0.spec.array == nil ? nil : makeID() },
            workflow: workflowName == nil ? nil : makeID(),
            at: now()
        )
        let view = try await write { try submission.write($0) }
        if !view.replayed {
            placeBell.ring()
            counters.jobsSubmitted.withLock { $0 += view.count }
        }
        return view
    }

    /// The jobs of a document, the name of the workflow that they make up, and whose they are.
    func read(
        _ document: JSON,
        project: ProjectName?,
        _ caller: Principal
    ) async throws -> (drafts: [JobDraft], workflowName: String?, project: ProjectName) {
        switch try SubmissionDraft.read(document) {
        case .job(let job): ([job], nil, try await self.project(project ?? job.project, for: caller))
        case .workflow(let workflow):
            (workflow.jobs, workflow.name, try await self.project(project ?? workflow.project, for: caller))
        }
    }

    /// Puts content in place of references to algorithms, and refuses what no centre could ever run.
    func resolve(
        _ drafts: inout [JobDraft],
        project: ProjectName,
        isWorkflow: Bool,
        _ caller: Principal
    ) async throws {
        try await resolveSources(&drafts, project: project, isWorkflow: isWorkflow, caller)
        try await resolveAlgorithms(&drafts, project: project, isWorkflow: isWorkflow)
        try await checkFeasible(drafts, isWorkflow: isWorkflow)
    }

    private func project(_ asked: ProjectName?, for caller: Principal) async throws -> ProjectName {
        if let project = asked ?? caller.project { return project }
        let own = try await store.read { try $0.memberships(of: caller.user).filter { $0.role >= .member } }
        guard own.count == 1, let only = own.first else {
            throw Failure(
                .invalid,
                own.isEmpty
                    ? "You are a member of no project. Ask an owner to add you."
                    : "You are in several projects (\(own.map(\.project.text).joined(separator: ", "))): name one.",
                violations: [Violation("/project", "must name the project that this is for")]
            )
        }
        return only.project
    }

    /// Turns references to algorithms into command, environment and checked parameters, by content.
    private func resolveAlgorithms(
        _ drafts: inout [JobDraft],
        project: ProjectName,
        isWorkflow: Bool
    ) async throws {
        var violations: [Violation] = []
        for index in drafts.indices {
            guard let algorithm = drafts[index].algorithm else { continue }
            let pointer = isWorkflow ? "/jobs/\(index)" : ""
            do {
                let manifest = try await manifest(of: algorithm.tree, project: project)
                if let version = algorithm.version, version != manifest.version {
                    violations.append(
                        Violation(
                            "\(pointer)/algorithm/version",
                            "is '\(version)'; the folder's is '\(manifest.version)'"
                        )
                    )
                }
                let (values, faults) = manifest.resolve(
                    parameters: drafts[index].spec.parameters,
                    at: "\(pointer)/parameters"
                )
                violations += faults + manifest.violations(of: drafts[index].spec, at: pointer)
                drafts[index].spec.parameters = values
                drafts[index].spec.command = manifest.entryPoint
                drafts[index].spec.algorithm = AlgorithmReference(
                    name: manifest.name,
                    version: manifest.version,
                    tree: algorithm.tree,
                    requirements: manifest.requirements
                )
            } catch let failure as Failure {
                guard failure.violations.isEmpty else {
                    violations += failure.violations.map { Violation("\(pointer)/algorithm\($0.pointer)", $0.message) }
                    continue
                }
                violations.append(Violation("\(pointer)/algorithm", failure.detail))
            }
        }
        guard violations.isEmpty else {
            throw Failure(.invalid, "The algorithm cannot be used as asked.", violations: violations)
        }
    }

    /// The `algorithm.yaml` of a folder that the project may read, whole.
    private func manifest(of tree: Digest, project: ProjectName) async throws -> AlgorithmManifest {
        let files = try await readableTree(tree, project: project).files
        guard let file = files.first(where: { $0.path == AlgorithmManifest.fileName }) else {
            throw Failure(.invalid, "its folder has no \(AlgorithmManifest.fileName)")
        }
        guard file.size.count <= AlgorithmManifest.bytesMax else {
            throw Failure(
                .tooLarge,
                "its \(AlgorithmManifest.fileName) is larger than \(AlgorithmManifest.bytesMax) bytes"
            )
        }
        let bytes = try await blobs.open(file.digest).read(offset: 0, countMax: AlgorithmManifest.bytesMax)
        let manifest = try AlgorithmManifest.read(yaml: Array(bytes.readableBytesView))
        if let requirements = manifest.requirements, !files.contains(where: { $0.path == requirements }) {
            throw Failure(.invalid, "its folder lacks '\(requirements)', which algorithm.yaml names")
        }
        return manifest
    }

    /// A folder's manifest, once every one of its files is known to be readable for the project.
    func readableTree(_ tree: Digest, project: ProjectName) async throws -> TreeManifest {
        guard try await store.read({ try $0.blobGrant(project: project, digest: tree) }) != nil else {
            throw Failure(.notFound, "there are no such bytes in this project: upload the folder first")
        }
        let manifest = try await treeManifest(tree)
        let missing = try await store.read { tx in
            try manifest.files.first { try tx.blobGrant(project: project, digest: $0.digest) == nil }
        }
        if let missing { throw Failure(.notFound, "its file '\(missing.path)' was not uploaded to this project") }
        return manifest
    }

    /// Refuses what no connected centre could run even when empty, naming the nearest request that one could.
    private func checkFeasible(_ drafts: [JobDraft], isWorkflow: Bool) async throws {
        let centres = try await placeableCentres()
        var violations: [Violation] = []
        var detail: String?
        for (index, draft) in drafts.enumerated() {
            switch feasibility(Request(draft.spec), centres: centres) {
            case .possible: continue
            case .impossible(let why):
                let pointer = isWorkflow ? "/jobs/\(index)/resources" : "/resources"
                violations.append(Violation(pointer, "\(why.text) (\(why.evidence.joined(separator: "; ")))"))
                detail = detail ?? "No centre could run '\(draft.spec.name)' even when empty; \(why.text)."
            }
        }
        if let detail { throw Failure(.impossible, detail, violations: violations) }
    }
}

/// A submission with everything decided but what only the transaction can see.
private struct Submission: Sendable {
    var specs: [JobSpec]
    let workflowName: String?
    let project: ProjectName
    let caller: Principal
    let idempotency: Event.Idempotency?
    let jobs: [JobID]
    let arrays: [ArrayID?]
    let workflow: WorkflowID?
    let at: Instant

    private var actor: String { Actor.user(caller) }

    func write(_ tx: WriteTransaction) throws -> SubmissionView {
        _ = try Point.require(.member, in: project, caller, tx)
        if let idempotency, let earlier = try Self.replay(idempotency, project: project, caller, tx) { return earlier }
        let (specs, dependencies) = try resolve(tx)
        if let workflow, let workflowName {
            try tx.append(
                .workflowSubmitted(
                    .init(
                        workflow: workflow,
                        name: workflowName,
                        project: project,
                        user: caller.user,
                        idempotency: idempotency
                    )
                ),
                project: project,
                subject: "\(workflow)",
                actor: actor,
                at: at
            )
        }
        for index in specs.indices {
            try tx.append(
                .jobsSubmitted(
                    .init(
                        first: jobs[index],
                        count: specs[index].array ?? 1,
                        array: arrays[index],
                        workflow: workflow,
                        project: project,
                        user: caller.user,
                        spec: specs[index],
                        dependencies: dependencies[index],
                        idempotency: workflow == nil ? idempotency : nil
                    )
                ),
                project: project,
                subject: arrays[index]?.description ?? jobs[index].description,
                actor: actor,
                at: at
            )
        }
        return view(count: specs.reduce(0) { $0 + ($1.array ?? 1) })
    }

    private func view(count: Int) -> SubmissionView {
        SubmissionView(
            job: workflow == nil && arrays[0] == nil ? jobs[0] : nil,
            array: workflow == nil ? arrays[0] : nil,
            workflow: workflow,
            project: project,
            count: count,
            replayed: false
        )
    }

    /// What the first request with this key made; `nil` when this is the first.
    static func replay(
        _ idempotency: Event.Idempotency,
        project: ProjectName,
        _ caller: Principal,
        _ tx: ReadTransaction
    ) throws -> SubmissionView? {
        guard let earlier = try tx.idempotency(project: project, user: caller.user, key: idempotency.key) else {
            return nil
        }
        guard earlier.request == idempotency.request else {
            throw Failure(
                .conflict,
                "This Idempotency-Key was used for another request. Use a fresh key for a new submission."
            )
        }
        var view = SubmissionView(project: project, count: 1, replayed: true)
        view.job = JobID(earlier.resource)
        view.array = ArrayID(earlier.resource)
        view.workflow = WorkflowID(earlier.resource)
        if let array = view.array { view.count = try tx.array(array)?.counts.total ?? 0 }
        if let workflow = view.workflow { view.count = try tx.workflow(workflow)?.counts.total ?? 0 }
        return view
    }

    /// Replaces names by ids, and checks that everything referred to is there, succeeded or may still succeed, and
    /// belongs to the project.
    private func resolve(_ tx: ReadTransaction) throws -> ([JobSpec], [[Dependency]]) {
        var specs = specs
        var violations: [Violation] = []
        let names = Dictionary(self.specs.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
        var all: [[Dependency]] = []
        for index in specs.indices {
            let pointer = workflow == nil ? "" : "/jobs/\(index)"
            var dependencies: [Dependency] = []
            func depend(on reference: String, at pointer: String, output: String?) -> String {
                if workflow != nil, let place = names[reference] {
                    let dependency = arrays[place].map { Dependency.array($0) } ?? .job(jobs[place])
                    if !dependencies.contains(dependency) { dependencies.append(dependency) }
                    return dependency.description
                }
                guard let dependency = Dependency(reference) else {
                    violations.append(Violation(pointer, "must be a job's or an array's id"))
                    return reference
                }
                if let fault = fault(of: dependency, output: output, tx) {
                    violations.append(Violation(pointer, fault))
                } else if !dependencies.contains(dependency) {
                    dependencies.append(dependency)
                }
                return reference
            }
            for (place, input) in specs[index].inputs.enumerated() {
                let at = "\(pointer)/inputs/\(input.name)"
                switch input.source {
                case .output(let job, let output):
                    let id = depend(on: job, at: at + "/job", output: output)
                    specs[index].inputs[place].source = .output(job: id, output: output)
                case .artifact(let digest, _):
                    if (try? tx.blobGrant(project: project, digest: digest)) == nil {
                        violations.append(Violation(at, "there are no such bytes in this project: upload them first"))
                    }
                }
            }
            for (place, name) in specs[index].after.enumerated() {
                specs[index].after[place] = depend(on: name, at: "\(pointer)/after/\(place)", output: nil)
            }
            if specs[index].isolation == .none && !caller.isOperator {
                violations.append(Violation("\(pointer)/isolation", "only operators may run jobs without isolation"))
            }
            all.append(dependencies)
        }
        guard violations.isEmpty else {
            throw Failure(.invalid, "The submission is not valid.", violations: violations)
        }
        return (specs, all)
    }

    private func fault(of dependency: Dependency, output: String?, _ tx: ReadTransaction) -> String? {
        let unknown = "there is no \(dependency) in this project"
        let sample: Job?
        switch dependency {
        case .job(let id): sample = try? tx.job(id)
        case .array(let id): sample = try? tx.jobs(of: id, limit: 1).first
        }
        guard let sample, sample.project == project else { return unknown }
        if let output, !sample.spec.outputs.contains(output) {
            return "'\(sample.spec.name)' has no output '\(output)'"
        }
        let hasFailed =
            switch dependency {
            case .job: sample.state == .failed || sample.state == .cancelled
            case .array(let id): (try? tx.array(id)).map { $0.counts.failed + $0.counts.cancelled > 0 } ?? false
            }
        if hasFailed { return "'\(sample.spec.name)' did not succeed, so this could never start" }
        return nil
    }
}
