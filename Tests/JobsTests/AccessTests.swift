import Core
import Testing
import Wire

@testable import Jobs

@Suite struct AccessTests {
    @Test("a token is hashed, can be revoked, expires, and tells nobody why it is refused")
    func tokens() async throws {
        let bench = try await Bench.make()
        let issued = try await bench.point.issueToken(
            TokenRequest(scopes: [.read, .write], label: "laptop", expiresInSeconds: 60),
            bench.alice
        )
        let caller = try await bench.point.authenticate(bearer: issued.secret)
        #expect(caller.user == bench.alice.user)
        #expect(caller.scopes == [.read, .write])
        var texts: Set<String> = []
        for bearer in ["", "op_x_y", "nonsense", String(issued.secret.dropLast()) + "!", issued.secret + "_"] {
            let failure = await expectFailure(.unauthenticated) { try await bench.point.authenticate(bearer: bearer) }
            texts.insert(failure?.detail ?? "")
        }
        bench.clock.advance(.seconds(60))
        let expired = await expectFailure(.unauthenticated) {
            try await bench.point.authenticate(bearer: issued.secret)
        }
        texts.insert(expired?.detail ?? "")
        let second = try await bench.point.issueToken(TokenRequest(scopes: [.read], label: ""), bench.alice)
        await expectFailure(.notFound) { try await bench.point.revokeToken(second.token.token, bench.eve) }
        try await bench.point.revokeToken(second.token.token, bench.alice)
        let revoked = await expectFailure(.unauthenticated) {
            try await bench.point.authenticate(bearer: second.secret)
        }
        texts.insert(revoked?.detail ?? "")
        #expect(texts.count == 1)
        let log = try await bench.point.events(after: 0, subject: nil, project: nil, limit: 1000, bench.root)
        let secret = issued.secret.split(separator: "_")[2]
        #expect(!log.contains { $0.payload.text.contains(secret) || $0.payload.text.contains("\"hash\"") })
    }

    @Test("a token makes only tokens that can do no more than itself")
    func widening() async throws {
        let bench = try await Bench.make()
        var narrow = bench.alice
        narrow.scopes = [.read]
        narrow.project = bench.brain
        let failure = await expectFailure(.invalid) {
            try await bench.point.issueToken(TokenRequest(scopes: [.read, .admin], label: "x"), narrow)
        }
        #expect(failure?.violations.map(\.pointer) == ["/scopes", "/project"])
        let issued = try await bench.point.issueToken(
            TokenRequest(scopes: [.read], project: bench.brain, label: "x"),
            narrow
        )
        #expect(try await bench.point.authenticate(bearer: issued.secret).project == bench.brain)
        await expectFailure(.forbidden) {
            try await bench.point.issueToken(TokenRequest(user: bench.bob.user, scopes: [.read], label: "x"), narrow)
        }
        // Another's project and none are the same to a stranger.
        for name in ["other", "nothing"] {
            await expectFailure(.notFound) {
                try await bench.point.issueToken(
                    TokenRequest(scopes: [.read], project: .named(name), label: "x"),
                    bench.alice
                )
            }
        }
    }

    @Test("a confined token sees its project only, even an operator's")
    func confined() async throws {
        let bench = try await Bench.make()
        let job = try await bench.submitJob("a", project: "other", as: bench.eve)
        for var caller in [bench.alice, bench.root] {
            caller.project = bench.brain
            #expect(try await bench.point.projects(caller).map(\.project.name) == [bench.brain])
            await expectFailure(.notFound) { try await bench.point.job(job, caller) }
            await expectFailure(.forbidden) { try await bench.point.users(caller) }
        }
    }

    @Test("the first start makes one operator with a token, and only the first")
    func bootstrap() async throws {
        let bench = try await Bench.make()
        #expect(try await bench.point.bootstrap(operator: .named("second"), project: .named("p")) == nil)
        let issued = try await bench.point.recoverOperator(bench.root.user)
        #expect(try await bench.point.authenticate(bearer: issued.secret).isOperator)
        await expectFailure(.notFound) { try await bench.point.recoverOperator(bench.alice.user) }
    }

    @Test("knowing a digest gives no right to its bytes")
    func blobs() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let digest = try await bench.upload("private", project: .named("other"), as: bench.eve)
        #expect(try await bench.point.blobSize(digest, bench.eve) == 7)
        await expectFailure(.notFound) { try await bench.point.blobSize(digest, bench.alice) }
        await expectFailure(.notFound) { try await bench.point.blob(digest, from: 0, count: 1, bench.alice) }
        #expect(try await bench.point.missingBlobs([digest], project: bench.brain, bench.alice) == [digest])
        await expectFailure(.notFound) {
            try await bench.point.missingBlobs([digest], project: .named("other"), bench.alice)
        }
        let job = try await bench.submitJob()
        let own = try await bench.upload("own")
        let run = RunKey(job: job, number: 1)
        await expectFailure(.notFound) { try await bench.point.agentBlobSize(own, for: run, agent.principal) }
        try await bench.point.place()
        try await agent.start()
        #expect(try await bench.point.agentBlobSize(own, for: run, agent.principal) == 3)
        await expectFailure(.notFound) { try await bench.point.agentBlobSize(digest, for: run, agent.principal) }
        try await agent.end(run)
        await expectFailure(.notFound) { try await bench.point.agentBlobSize(own, for: run, agent.principal) }
    }

    @Test("an upload ends with its owner's right to write")
    func uploads() async throws {
        let bench = try await Bench.make()
        let view = try await bench.point.beginUpload(
            project: .named("other"),
            expected: digest(of: "abc"),
            size: 3,
            bench.eve
        )
        await expectFailure(.notFound) { try await bench.point.upload(view.upload, bench.alice) }
        _ = try await bench.point.appendUpload(view.upload, offset: 0, stream("abc"), bench.eve)
        #expect(try await bench.point.upload(view.upload, bench.eve).offset == 3)
        var confined = bench.eve
        confined.project = bench.brain
        await expectFailure(.notFound) { try await bench.point.finishUpload(view.upload, confined) }
        try await bench.point.removeMember(bench.eve.user, of: .named("other"), bench.root)
        await expectFailure(.notFound) { try await bench.point.finishUpload(view.upload, bench.eve) }
    }

    @Test("a log is read by offset while it grows, and is complete when its agent says so")
    func logs() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob("a", #""tasks": 2"#)
        let run = RunKey(job: job, number: 1)
        func read(_ offset: Int64, _ countMax: Int = 100) async throws -> LogChunk {
            try await bench.point.logs(job, run: nil, task: 1, from: offset, countMax: countMax, bench.bob)
        }
        #expect(try await !read(0).isComplete)
        try await bench.point.place()
        try await agent.start()
        func append(_ offset: Int64, _ text: String, complete: Bool = false) async throws -> Int64 {
            try await bench.point.agentAppendLog(
                run,
                task: 1,
                offset: offset,
                Array(text.utf8),
                complete: complete,
                agent.principal
            )
        }
        #expect(try await append(0, "hello ") == 6)
        #expect(try await append(0, "hello ") == 6)
        #expect(try await append(20, "late") == 6)
        #expect(try await append(3, "lo world") == 11)
        // An empty piece asks how far it is.
        #expect(try await append(0, "") == 11)
        let piece = try await read(6, 5)
        #expect(String(decoding: piece.bytes, as: UTF8.self) == "world")
        #expect(!piece.isComplete)
        try await agent.end(run)
        #expect(try await !read(11).isComplete)
        #expect(try await append(11, "", complete: true) == 11)
        #expect(try await read(11).isComplete)
        #expect(try await read(6).isComplete)
        // There is something to read, so this does not wait.
        try await bench.point.waitForLogs(job, run: nil, task: 1, beyond: 0, atMost: .seconds(3600))
        try await bench.point.waitForLogs(job, run: 1, task: 1, beyond: 11, atMost: .seconds(3600))
        await expectFailure(.notFound) {
            try await bench.point.logs(job, run: nil, task: 2, from: 0, countMax: 1, bench.bob)
        }
        await expectFailure(.notFound) {
            try await bench.point.logs(job, run: 2, task: 0, from: 0, countMax: 1, bench.bob)
        }
        await expectFailure(.notFound) {
            try await bench.point.logs(job, run: nil, task: 0, from: 0, countMax: 1, bench.eve)
        }
        await expectFailure(.malformed) {
            try await bench.point.logs(job, run: nil, task: 0, from: -1, countMax: 1, bench.bob)
        }
    }

    @Test("the log of an attempt that never started is complete, also while the next attempt waits")
    func emptyLog() async throws {
        let bench = try await Bench.make()
        let agent = try await bench.centre()
        let job = try await bench.submitJob("a", #""preemptible": true"#)
        try await bench.point.place()
        let run = try #require(try await agent.accept().first?.run)
        try await agent.end(run, .preempted)
        try await bench.point.place()
        let chunk = try await bench.point.logs(job, run: 1, task: 0, from: 0, countMax: 10, bench.alice)
        #expect(chunk.isComplete)
        #expect(try await !bench.point.logs(job, run: 2, task: 0, from: 0, countMax: 10, bench.alice).isComplete)
    }
}
