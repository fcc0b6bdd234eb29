import Core
import Foundation
import Logging
import Synchronization
import TestKit
import Testing

@testable import Engines

@Suite("A release whose answer was lost is looked up")
struct RayReleaseTests {
    /// A head that remembers what was posted, and loses the answers that it is told to.
    final class Head: Sendable {
        struct State {
            var posts: [String] = []
            var jobs: [RunKey: JSON] = [:]
            var losesPosts = 0
            var failsLookUps = 0
            var refuses = false
        }
        let state = Mutex(State())

        func answer(_ request: LoopbackHTTP.Request) -> LoopbackHTTP.Answer {
            state.withLock { state in
                let run = request.target.split(separator: "/").lazy.compactMap { RunKey(String($0)) }.first
                switch (request.method, request.target.split(separator: "?")[0]) {
                case ("GET", "/api/version"): return .init(200, RayFixtures.version)
                case ("GET", "/api/v0/nodes"):
                    let node = RayFixtures.node("a1", name: "a", [("CPU", 8), ("memory", 1e10)])
                    return .init(200, RayFixtures.nodes([node]).text)
                case ("GET", "/api/jobs/"): return .init(200, JSON.array(Array(state.jobs.values)).text)
                case ("GET", _):
                    guard let run else { return .init(404, "404: Not Found") }
                    if state.failsLookUps > 0 {
                        state.failsLookUps -= 1
                        return .init(500, "Server got itself in trouble")
                    }
                    return state.jobs[run].map { .init(200, $0.text) } ?? .init(404, "Job \(run) does not exist")
                case ("POST", "/api/jobs/"):
                    guard let body = try? JSON(parsing: request.body),
                        let name = body["submission_id"]?.stringValue, let run = RunKey(name)
                    else { return .init(500, "Server got itself in trouble") }
                    if state.refuses { return .init(400, "Traceback\nTypeError: no such thing\n") }
                    state.posts.append(name)
                    guard state.jobs[run] == nil else {
                        return .init(500, "ValueError: Job with submission_id \(name) already exists.\n.\n")
                    }
                    state.jobs[run] = RayFixtures.job(run, status: "PENDING", message: "Job has not started yet.")
                    if state.losesPosts > 0 {
                        state.losesPosts -= 1
                        return .init(200, "", breaksOffAfter: 0)
                    }
                    return .init(200, #"{"job_id": "\#(name)", "submission_id": "\#(name)"}"#)
                default: return .init(200, #"{"stopped": true}"#)
                }
            }
        }
    }

    private func with(_ body: (Head, RayEngine, EngineOrder) async throws -> Void) async throws {
        let head = Head()
        let server = try await LoopbackHTTP { head.answer($0) }
        let folder = NSTemporaryDirectory() + "onepoint-ray-\(UUID().uuidString)"
        let engine = try await RayEngine(
            .init(address: server.address, folder: folder),
            log: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let order = EngineOrder.plain(RayFixtures.run, folder: folder)
        _ = try await engine.submit(order)
        let result: Result<Void, any Error>
        do {
            try await body(head, engine, order)
            result = .success(())
        } catch { result = .failure(error) }
        await server.close()
        try? FileManager.default.removeItem(atPath: folder)
        try result.get()
    }

    private func state(_ engine: RayEngine, _ run: RunKey) async throws -> EngineRun.State? {
        try await engine.list().first { $0.run == run }?.state
    }

    @Test("a lost answer leaves doubt, and the repeat finds the job instead of sending another")
    func lostAnswer() async throws {
        try await with { head, engine, order in
            #expect(try await state(engine, order.run) == .held)
            head.state.withLock { $0.losesPosts = 1 }
            await #expect(throws: EngineError.self) { try await engine.release(order.run) }
            #expect(try await state(engine, order.run) == .pending("Job has not started yet."))
            try await engine.release(order.run)
            #expect(head.state.withLock { $0.posts } == ["\(order.run)"])
        }
    }

    @Test("nothing is sent while a look-up proves nothing")
    func failingLookUp() async throws {
        try await with { head, engine, order in
            head.state.withLock { $0.failsLookUps = 1 }
            await #expect(throws: EngineError.self) { try await engine.release(order.run) }
            #expect(head.state.withLock { $0.posts } == [])
            try await engine.release(order.run)
            #expect(head.state.withLock { $0.posts } == ["\(order.run)"])
        }
    }

    @Test("a job that Ray forgot before it began is held again, and sent again")
    func forgotten() async throws {
        try await with { head, engine, order in
            try await engine.release(order.run)
            head.state.withLock { $0.jobs = [:] }
            #expect(try await state(engine, order.run) == .held)
            try await engine.release(order.run)
            #expect(head.state.withLock { $0.posts.count } == 2)
        }
    }

    @Test("what Ray refuses for good is an end, not a repeat")
    func refused() async throws {
        try await with { head, engine, order in
            head.state.withLock { $0.refuses = true }
            try await engine.release(order.run)
            guard case .ended(let outcome, _, _) = try await state(engine, order.run) else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome.kind == .rejected)
            #expect(outcome.detail?.contains("no such thing") == true)
        }
    }

    @Test("a cancel before the release takes the claim, and a release after it sends nothing")
    func cancelled() async throws {
        try await with { head, engine, order in
            try await engine.cancel(order.run, grace: .zero)
            try await engine.release(order.run)
            #expect(head.state.withLock { $0.posts } == [])
            guard case .ended(let outcome, _, _) = try await state(engine, order.run) else {
                Issue.record("it has not ended")
                return
            }
            #expect(outcome.kind == .cancelled)
        }
    }
}
