public import Core

/// The document that describes a graph of jobs.
public enum WorkflowDocument {
    /// Every key that a workflow document may have.
    public static let keys = ["workflow", "project", "jobs"]

    /// Reads a workflow and holds its jobs against each other.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer: besides those of each job, names
    ///   that repeat, references to jobs or outputs that do not exist, and cycles, which are named.
    public static func read(_ json: JSON, from origin: DocumentOrigin = .request) throws(Failure) -> WorkflowDraft {
        var reader = DocumentReader()
        var draft = WorkflowDraft(name: "", project: nil, jobs: [], order: [])
        var missing = ["workflow", "jobs"]
        for (key, value) in reader.members(json, at: "") {
            missing.removeAll { $0 == key }
            switch key {
            case "workflow":
                if let name: Name<WorkflowTag> = reader.name(value, at: "/workflow") { draft.name = name.text }
            case "project": draft.project = reader.name(value, at: "/project")
            case "jobs":
                let items = reader.items(value, of: "jobs", 1...JobLimits.workflowJobsMax, at: "/jobs")
                for (index, item) in items.enumerated() {
                    draft.jobs.append(reader.job(item, at: "/jobs/\(index)", origin: origin, isMember: true))
                }
            default: reader.unknownKey(key, among: keys, at: "")
            }
        }
        for key in missing { reader.fault("/" + key, "is missing") }
        draft.order = reader.graph(draft.jobs)
        try reader.finish("workflow")
        return draft
    }
}

extension DocumentReader {
    /// Checks names, references and sizes, and returns an order in which every job follows what it depends on.
    fileprivate mutating func graph(_ jobs: [JobDraft]) -> [Int] {
        var indices: [String: Int] = [:]
        for (index, job) in jobs.enumerated() where !job.spec.name.isEmpty {
            if let first = indices[job.spec.name] {
                fault("/jobs/\(index)/name", "repeats the name of job \(first), \(shown(job.spec.name))")
            } else {
                indices[job.spec.name] = index
            }
        }
        let elements = jobs.reduce(0) { $0 + ($1.spec.array ?? 1) }
        if elements > JobLimits.workflowElementsMax {
            fault(
                "/jobs",
                "may make at most \(JobLimits.workflowElementsMax) jobs, elements of arrays counted; this makes \(elements)"
            )
        }
        var edges: [[Int]] = []
        for (index, job) in jobs.enumerated() {
            var before: [Int] = []
            for (position, name) in job.spec.after.enumerated() where Dependency(name) == nil {
                if let other = target(name, of: indices, at: "/jobs/\(index)/after/\(position)") {
                    before.append(other)
                }
            }
            for input in job.spec.inputs {
                guard case .output(let name, let output) = input.source, Dependency(name) == nil else { continue }
                let pointer = "/jobs/\(index)/inputs/\(input.name)"
                guard let other = target(name, of: indices, at: pointer + "/job") else { continue }
                before.append(other)
                if !jobs[other].spec.outputs.contains(output) {
                    let close = nearest(to: output, among: jobs[other].spec.outputs).map { "; did you mean '\($0)'?" }
                    fault(
                        pointer + "/output",
                        "\(shown(output)) is not among the outputs of \(shown(name))" + (close ?? "; declare it there")
                    )
                }
            }
            edges.append(before)
        }
        return order(of: jobs, after: edges)
    }

    private mutating func target(_ name: String, of indices: [String: Int], at pointer: String) -> Int? {
        if let index = indices[name] { return index }
        let close = nearest(to: name, among: indices.keys.sorted()).map { "; did you mean '\($0)'?" } ?? ""
        fault(pointer, "there is no job \(shown(name)) in this workflow\(close)")
        return nil
    }

    /// Kahn's order, smallest index first; what is left over contains a cycle, which is named.
    private mutating func order(of jobs: [JobDraft], after edges: [[Int]]) -> [Int] {
        var waiting = edges.map { Set($0) }
        var order: [Int] = []
        var isDone = [Bool](repeating: false, count: jobs.count)
        var moved = true
        while moved {
            moved = false
            for index in jobs.indices where !isDone[index] && waiting[index].allSatisfy({ isDone[$0] }) {
                isDone[index] = true
                waiting[index] = []
                order.append(index)
                moved = true
            }
        }
        guard let start = jobs.indices.first(where: { !isDone[$0] }) else { return order }
        // Every job that is left waits for another that is left, so walking along must come back.
        var path = [start]
        while let next = edges[path[path.count - 1]].first(where: { !isDone[$0] }) {
            if let seen = path.firstIndex(of: next) {
                let cycle = (path[seen...] + [next]).map { jobs[$0].spec.name }
                fault(
                    "/jobs/\(path[seen])",
                    "waits for itself: \(cycle.joined(separator: " waits for ")); remove one of these edges"
                )
                break
            }
            path.append(next)
        }
        return order
    }
}
