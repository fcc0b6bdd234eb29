import Core
import Testing

@testable import Store

@Suite("Dependencies and arrays")
struct DependencyTests {
    let folder = TemporaryFolder()

    @Test("a job waits until all that it depends on has succeeded")
    func unmet() async throws {
        let store = try await folder.open()
        let array = ArrayID.number(50)
        try await store.write { tx in
            try tx.submit(.number(1))
            try tx.submit(.number(10), count: 2, array: array)
            let both: [Dependency] = [.job(.number(1)), .array(array), .job(.number(1))]
            try tx.submit(.number(30), after: both)
            #expect(try tx.job(.number(30))?.unmetDependencies == 2)
            #expect(try tx.job(.number(30))?.dependencies == both)
            #expect(try tx.jobsHeld(in: .named("brain"), limit: 9).map(\.id) == [.number(30)])
            #expect(!(try tx.jobsWaiting(now: .start).map(\.id).contains(.number(30))))
            try tx.endJob(.number(1), .succeeded)
            #expect(try tx.job(.number(30))?.unmetDependencies == 1)
            try tx.endJob(JobID.number(10), .succeeded)
            #expect(try tx.job(.number(30))?.unmetDependencies == 1)
            try tx.endJob(JobID.number(10).advanced(by: 1), .succeeded)
            #expect(try tx.job(.number(30))?.unmetDependencies == 0)
            #expect(try tx.jobsWaiting(now: .start).map(\.id) == [.number(30)])
            try tx.submit(.number(31), after: [.job(.number(1)), .array(array)])
            #expect(try tx.job(.number(31))?.unmetDependencies == 0)
        }
    }

    @Test("a failed job meets nothing, and its dependants are found by its id and by its array's")
    func dependants() async throws {
        let store = try await folder.open()
        let array = ArrayID.number(50)
        try await store.write { tx in
            try tx.submit(.number(10), count: 3, array: array)
            try tx.submit(.number(30), after: [.array(array)])
            try tx.submit(.number(40), count: 2, array: .number(51), after: [.job(JobID.number(10))])
            try tx.endJob(.number(10), .failed)
            #expect(try tx.job(.number(30))?.unmetDependencies == 1)
            let second = JobID.number(40).advanced(by: 1)
            #expect(try tx.dependants(of: .number(10)) == [.number(30), .number(40), second])
            #expect(try tx.dependants(of: JobID.number(10).advanced(by: 1)) == [.number(30)])
            #expect(try tx.dependants(of: .number(30)) == [])
        }
    }

    @Test("10,000 elements are one event, and their list reads one specification")
    func large() async throws {
        let store = try await folder.open()
        let array = ArrayID.number(50)
        try await store.write { try $0.submit(.number(1), count: 10_000, array: array) }
        #expect(store.lastSequence == 1)
        try await store.read { tx throws in
            #expect(try tx.array(array)?.counts.queued == 10_000)
            #expect(try tx.waitingCount() == 10_000)
            var seen: [Int] = []
            var after: JobID?
            while true {
                let page = try tx.jobs(of: array, after: after, limit: 3000)
                guard let last = page.last else { break }
                seen += page.compactMap(\.arrayIndex)
                after = last.id
            }
            #expect(seen == Array(0..<10_000))
        }
    }

    @Test("an array's outputs come in the order of its index")
    func outputs() async throws {
        let store = try await folder.open()
        let array = ArrayID.number(50)
        try await store.write { tx in
            try tx.submit(.number(10), count: 3, array: array)
            for index in [2, 0, 1] {
                let run = RunKey(job: JobID.number(10).advanced(by: index), number: 1)
                let artifact = Artifact(name: "text", kind: .file, digest: .number(UInt64(index)), size: 1)
                try tx.lease(run)
                try tx.end(run, artifacts: [artifact, Artifact(name: "b", kind: .file, digest: .number(9), size: 2)])
                if index < 2 { try tx.endJob(run.job, .succeeded) }
            }
            let found = try tx.artifacts(of: array, output: "text")
            #expect(found.map(\.index) == [0, 1])
            #expect(found.map(\.artifact.digest) == [.number(0), .number(1)])
        }
    }

    @Test("a workflow counts its jobs and lists them in order")
    func workflow() async throws {
        let store = try await folder.open()
        let workflow = WorkflowID.number(60)
        try await store.write { tx in
            let submitted = Event.WorkflowSubmitted(
                workflow: workflow,
                name: "tour",
                project: .named("brain"),
                user: .named("alice"),
                idempotency: .init(key: "w", request: .number(1))
            )
            try tx.append(.workflowSubmitted(submitted))
            try tx.submit(.number(1), workflow: workflow)
            try tx.submit(.number(10), count: 2, array: .number(50), workflow: workflow)
            try tx.lease(RunKey(job: .number(1), number: 1))
            try tx.endJob(.number(10), .cancelled)
            let record = try #require(try tx.workflow(workflow))
            #expect(record.counts.byName == ["active": 1, "queued": 1, "cancelled": 1])
            #expect(record.name == "tour" && record.sequence == 1)
            #expect(try tx.workflows(projects: [.named("brain")], limit: 5) == [record])
            #expect(try tx.workflows(limit: 5) == [record])
            #expect(try tx.workflows(before: 1, limit: 5) == [])
            #expect(try tx.arrays(of: workflow).map(\.id) == [.number(50)])
            let jobs = try tx.jobs(of: workflow, limit: 2)
            #expect(jobs.map(\.id) == [.number(1), .number(10)])
            let rest = try tx.jobs(of: workflow, after: jobs.last.map { JobCursor($0) }, limit: 2)
            #expect(rest.map(\.id) == [JobID.number(10).advanced(by: 1)])
            let kept = try tx.idempotency(project: .named("brain"), user: .named("alice"), key: "w")
            #expect(kept?.resource == "\(workflow)")
        }
    }
}
