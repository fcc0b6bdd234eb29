public import Core
import Store
public import Wire

extension Point {
    /// The caller's workflows, newest first.
    public func workflows(
        project: ProjectName?,
        cursor: String?,
        limit: Int,
        _ caller: Principal
    ) async throws -> Page<WorkflowView> {
        guard (1...100).contains(limit) else { throw Failure(.malformed, "A page has 1 to 100 workflows.") }
        let before = try cursor.map { try Cursor.integer($0) }
        return try await store.read { tx in
            let projects = try Self.visible(to: caller, asking: project, tx)
            let found = try tx.workflows(projects: projects, before: before, limit: limit + 1)
            let page = found.prefix(limit)
            return Page(
                items: try page.map { try Self.view($0, tx) },
                next: found.count > limit ? page.last.map { "\($0.sequence)" } : nil
            )
        }
    }

    public func workflow(_ id: WorkflowID, _ caller: Principal) async throws -> WorkflowView {
        try await store.read { tx in
            let unknown = Failure(.notFound, "There is no workflow \(id) that you can see.")
            guard let workflow = try tx.workflow(id),
                (try? Self.require(.viewer, in: workflow.project, caller, tx)) != nil
            else { throw unknown }
            return try Self.view(workflow, tx)
        }
    }

    private static func view(_ workflow: WorkflowRecord, _ tx: ReadTransaction) throws -> WorkflowView {
        let steps = try tx.steps(of: workflow.id)
        let names = Dictionary(steps.map { (Self.reference(to: $0.first), $0.first.spec.name) }) { first, _ in first }
        let tiers = Dictionary(
            uniqueKeysWithValues: try tx.centreHeads().map { ($0.name, $0.tier) }
        )
        let nodes = steps.map { step in
            WorkflowView.Node(
                name: step.first.spec.name,
                job: step.first.array == nil ? step.first.id : nil,
                array: step.first.array,
                count: step.counts.total,
                states: step.counts.byName,
                tasks: step.first.spec.tasks,
                centres: step.centres,
                tiers: step.centres.compactMap { tiers[$0] },
                startedAt: step.startedAt,
                endedAt: step.endedAt,
                after: Self.edges(into: step.first, names),
                charged: step.charged
            )
        }
        let counts = workflow.counts
        let isLive = counts.queued + counts.active > 0
        let state: JobState =
            isLive ? .active : counts.failed > 0 ? .failed : counts.cancelled > 0 ? .cancelled : .succeeded
        return WorkflowView(
            workflow: workflow.id,
            name: workflow.name,
            project: workflow.project,
            user: workflow.user,
            state: state,
            submittedAt: workflow.submittedAt,
            endedAt: isLive ? nil : steps.compactMap(\.endedAt).max(),
            charged: steps.reduce(0) { $0 + $1.charged },
            nodes: nodes
        )
    }

    private static func reference(to job: Job) -> String { job.array.map { "\($0)" } ?? "\(job.id)" }

    /// The edges into a job: one for each other node that it waits for, with the outputs that come along.
    private static func edges(into job: Job, _ names: [String: String]) -> [WorkflowView.Edge] {
        job.dependencies.compactMap { dependency in
            guard let name = names["\(dependency)"] else { return nil }
            let outputs = job.spec.inputs.compactMap { input -> String? in
                guard case .output(let source, let output) = input.source, source == "\(dependency)" else { return nil }
                return output
            }
            return WorkflowView.Edge(node: name, outputs: outputs)
        }
    }
}
