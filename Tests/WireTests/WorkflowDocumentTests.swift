import Core
import Testing

@testable import Wire

@Suite struct WorkflowDocumentTests {
    @Test("the tour's workflow is read in an order that respects its edges")
    func tour() throws {
        let document = try YAMLDocument.parse(try text(of: "workflows/tour.yaml"))
        guard case .workflow(let draft) = try SubmissionDraft.read(document.json, from: .file) else {
            Issue.record("the tour is no workflow")
            return
        }
        #expect(draft.name == "tour")
        let names = draft.order.map { draft.jobs[$0].spec.name }
        #expect(Set(names) == ["collect", "simulate", "train", "surrogate", "evaluate", "sample"])
        for (index, job) in draft.jobs.enumerated() {
            for input in job.spec.inputs {
                guard case .output(let other, _) = input.source else { continue }
                let before = try #require(names.firstIndex(of: other))
                #expect(before < names.firstIndex(of: draft.jobs[index].spec.name) ?? 0)
            }
        }
    }

    static let cases: [(document: String, pointer: String, words: String)] = [
        (#"{"jobs": [{"name": "a", "command": "x"}]}"#, "/workflow", "is missing"),
        (#"{"workflow": "w"}"#, "/jobs", "is missing"),
        (#"{"workflow": "w", "jobs": []}"#, "/jobs", "must not be empty"),
        (#"{"workflow": "w", "jobs": 3}"#, "/jobs", "must be a list"),
        (#"{"workflow": "W", "jobs": [{"name": "a", "command": "x"}]}"#, "/workflow", "is not a name"),
        (#"{"workflow": "w", "job": 1, "jobs": [{"name": "a", "command": "x"}]}"#, "/job", "did you mean 'jobs'?"),
        (
            #"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "project": "p"}]}"#, "/jobs/0/project",
            "belongs to the workflow"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "a", "command": "x"}, {"name": "a", "command": "x"}]}"#,
            "/jobs/1/name", "repeats the name of job 0"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "alpha", "command": "x"}, {"name": "b", "command": "x", "after": ["alpa"]}]}"#,
            "/jobs/1/after/0", "did you mean 'alpha'?"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "b", "command": "x", "inputs": {"i": {"job": "c", "output": "o"}}}]}"#,
            "/jobs/0/inputs/i/job", "no job 'c'"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "outputs": ["text"]}, {"name": "b", "command": "x", "inputs": {"i": {"job": "a", "output": "txt"}}}]}"#,
            "/jobs/1/inputs/i/output", "did you mean 'text'?"
        ),
        (#"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "after": ["a"]}]}"#, "/jobs/0", "a waits for a"),
        (
            #"{"workflow": "w", "jobs": [{"name": "z", "command": "x", "after": ["a"]}, {"name": "a", "command": "x", "after": ["c"]}, {"name": "b", "command": "x", "after": ["a"]}, {"name": "c", "command": "x", "after": ["b"]}]}"#,
            "/jobs/1", "a waits for c waits for b waits for a"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "resources": {"cores": 0}}]}"#,
            "/jobs/0/resources/cores", "from 0.001"
        ),
        (
            #"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "after": ["B!"]}]}"#, "/jobs/0/after/0",
            "neither the name"
        ),
    ]

    @Test("each fault is found where it is", arguments: cases)
    func fault(_ fault: (document: String, pointer: String, words: String)) {
        let found = jobFaults(fault.document)
        #expect(found.contains { $0.hasPrefix(fault.pointer + ": ") && $0.contains(fault.words) }, "\(found)")
    }

    @Test("ids of jobs outside are accepted beside names")
    func outside() throws {
        let text = #"{"workflow": "w", "jobs": [{"name": "a", "command": "x", "after": ["\#(someJobID)"]}]}"#
        #expect(jobFaults(text) == [])
    }

    @Test("counts of jobs and of their elements are capped")
    func caps() {
        func jobs(_ count: Int, _ rest: String) -> String {
            let list = (0..<count).map { #"{"name": "j\#($0)", "command": "x"\#(rest)}"# }.joined(separator: ",")
            return #"{"workflow": "w", "jobs": [\#(list)]}"#
        }
        #expect(jobFaults(jobs(1001, "")).contains { $0.contains("at most 1000 jobs") })
        #expect(jobFaults(jobs(11, #", "array": 10000"#)).contains { $0.contains("this makes 110000") })
        #expect(jobFaults(jobs(10, #", "array": 10000"#)) == [])
    }

    @Test("a long chain of jobs is ordered without running out of stack")
    func chain() throws {
        let list = (0..<1000).map {
            #"{"name": "j\#($0)", "command": "x", "after": [\#($0 < 999 ? "\"j\($0 + 1)\"" : "")]}"#
        }
        let document = try json(#"{"workflow": "w", "jobs": [\#(list.joined(separator: ","))]}"#)
        let draft = try WorkflowDocument.read(document)
        #expect(draft.order == Array((0..<1000).reversed()))
    }
}
