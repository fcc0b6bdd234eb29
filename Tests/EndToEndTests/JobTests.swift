import Core
import Foundation
import Testing
import Wire

/// One real point with one real centre: jobs through the API, run as processes.
@Suite(.serialized)
struct JobTests {
    @Test("a job runs, its log and its artifact come back, and it is billed")
    func oneJob() async throws {
        let point = try await PointUnderTest(
            "centres:\n  - {name: hub-1, tier: hub, cores: 2, memory: 1GiB, core_hour: 1000}\n"
        )
        let submitted = try await point.submit(
            """
            {"name": "hello", "command": ["/bin/sh", "-c", "echo hello; echo data > $ONEPOINT_OUTPUTS/result"],
             "resources": {"cores": 1, "memory": "64MiB", "time_limit": "1m"}, "outputs": ["result"]}
            """
        )
        let detail = try await point.end(of: try #require(submitted.job))
        #expect(detail.summary.state == .succeeded, "\(detail)")
        #expect(try await point.log(of: detail.summary.job) == "hello\n")
        let artifact = try #require(detail.artifacts.first)
        #expect(artifact.name == "result" && artifact.size == 5)
        let bytes = try await point.call("GET", "/v1/blobs/\(artifact.digest)")
        #expect(String(decoding: bytes.body, as: UTF8.self) == "data\n")
        #expect(detail.charged > 0 && detail.reserved == 0)
        let balances: [BalanceView] = try await point.call("GET", "/v1/ledger/balances").decode()
        #expect(balances.reduce(0) { $0 + $1.amount.count } == 0, "the ledger balances")
    }

    @Test("exit status, signal and time limit are told apart")
    func endings() async throws {
        let point = try await PointUnderTest()
        let exit = try await point.submit(#"{"name": "exit", "command": ["/bin/sh", "-c", "exit 7"]}"#)
        let signal = try await point.submit(#"{"name": "signal", "command": ["/bin/sh", "-c", "kill -SEGV $$"]}"#)
        let limit = try await point.submit(
            #"{"name": "limit", "command": ["/bin/sleep", "60"], "grace_period": "1s", "resources": {"time_limit": "1s"}}"#
        )
        let absent = try await point.submit(#"{"name": "absent", "command": ["/no/such/program"]}"#)
        func outcome(_ view: SubmissionView) async throws -> RunOutcome? {
            try await point.end(of: try #require(view.job)).runs.last?.outcome
        }
        #expect(try await outcome(exit)?.code == 7)
        #expect(try await outcome(signal)?.kind == .signal)
        #expect(try await outcome(limit)?.kind == .timeLimit)
        #expect(try await outcome(absent)?.kind == .rejected)
    }

    @Test("a waiting job explains itself, and a cancel ends it and the one it waited for")
    func whyAndCancel() async throws {
        let point = try await PointUnderTest(
            "centres:\n  - {name: edge-1, tier: edge, cores: 1, memory: 1GiB}\n"
        )
        let first = try await point.submit(
            #"{"name": "first", "command": ["/bin/sleep", "100"], "grace_period": "1s", "resources": {"cores": 1, "time_limit": "10m"}}"#
        )
        let job = try #require(first.job)
        try await eventually("the first to run") { try await point.job(job).summary.runState == .running }
        let second = try #require(
            try await point.submit(#"{"name": "second", "command": ["/bin/true"], "resources": {"cores": 1}}"#).job
        )
        let why: WhyView = try await eventually("a reason") {
            let why: WhyView = try await point.call("GET", "/v1/jobs/\(second)/why").decode()
            return why.code == "capacity" ? why : nil
        }
        #expect(why.wayOut != nil && !why.evidence.isEmpty)
        let running: WhyView = try await point.call("GET", "/v1/jobs/\(job)/why").decode()
        #expect(running.code == "running")
        let cancelled = try await point.call("POST", "/v1/jobs/\(job)/cancel")
        #expect(cancelled.status == 200)
        #expect(try await point.end(of: job).summary.state == .cancelled)
        #expect(try await point.end(of: second).summary.state == .succeeded)
    }

    @Test("a maintenance window keeps a long job waiting and a short one not; cancelled, the long one runs")
    func reservation() async throws {
        let point = try await PointUnderTest(
            "centres:\n  - {name: edge-1, tier: edge, cores: 2, memory: 1GiB}\n"
        )
        try await eventually("the centre's report") {
            let centre: CentreView = try await point.call("GET", "/v1/centres/edge-1").decode()
            return !centre.nodes.isEmpty
        }
        let line = CommandLineUnderTest(point: point)
        let made = try await line.run(
            ["reservation", "create", "power", "--centre", "edge-1", "--maintenance", "--whole-centre"]
                + ["--start", "+1h", "--duration", "2h", "--note", "new supply"]
        )
        #expect(made.status == 0 && made.output.contains("maintenance") && made.errors.isEmpty, "\(made)")
        func submit(_ name: String, _ limit: String) async throws -> JobID {
            let document =
                #"{"name": "\#(name)", "command": ["/bin/true"], "resources": {"cores": 1, "time_limit": "\#(limit)"}}"#
            return try #require(try await point.submit(document).job)
        }
        let (long, short) = (try await submit("long", "3h"), try await submit("short", "10m"))
        #expect(try await point.end(of: short).summary.state == .succeeded)
        let why = try await line.run("why", "\(long)")
        #expect(why.output.contains("kept for maintenance power from"), "\(why)")
        #expect(why.output.contains("with a time limit of "), "\(why)")
        let listed = try await line.run("reservation", "list", "--json")
        let page: Page<ReservationView> = try WireJSON.decode(from: Array(listed.output.utf8))
        #expect(page.items.map(\.state) == [.planned] && page.items.first?.note == "new supply")
        let twice = try await line.run(
            ["reservation", "create", "more", "--centre", "edge-1", "--project", "demo", "--nodes", "1"]
                + ["--start", "+90m", "--duration", "1h"]
        )
        #expect(twice.status != 0 && twice.errors.contains("'power'"), "\(twice)")
        let cancelled = try await line.run("reservation", "cancel", "power")
        #expect(cancelled.status == 0 && cancelled.output.contains("cancelled"), "\(cancelled)")
        #expect(try await point.end(of: long).summary.state == .succeeded)
    }

    @Test("an estimate on the command line and in the console says what a busy centre means, and submits nothing")
    func estimates() async throws {
        let point = try await PointUnderTest(
            "centres:\n  - {name: edge-1, tier: edge, cores: 1, memory: 1GiB}\n"
        )
        let first = try #require(
            try await point.submit(
                #"{"name": "first", "command": ["/bin/sleep", "100"], "grace_period": "1s", "resources": {"cores": 1, "time_limit": "10m"}}"#
            ).job
        )
        try await eventually("the first to run") { try await point.job(first).summary.runState == .running }
        let line = CommandLineUnderTest(point: point)
        let file = point.folder.appendingPathComponent("job.yaml")
        try "name: second\ncommand: [/bin/true]\nresources: {cores: 1, time_limit: 5m}\n"
            .write(to: file, atomically: true, encoding: .utf8)
        let told = try await line.run("estimate", file.path, "--project", "demo", "--json")
        #expect(told.status == 0, "\(told)")
        let estimates: EstimatesView = try WireJSON.decode(from: Array(told.output.utf8))
        let estimate = try #require(estimates.jobs.first)
        let forecast = try #require(estimate.forecast)
        #expect(estimate.code == "capacity" && estimate.wayOut != nil)
        let wait = try #require(forecast.startP90) - forecast.madeAt
        #expect(wait > .seconds(1) && wait <= .seconds(600), "the first ends within its ten minutes: \(wait)")
        #expect(forecast.runP90Seconds <= 300)
        let plain = try await line.run("estimate", file.path, "--project", "demo")
        #expect(plain.status == 0 && plain.output.contains("9 OF 10") && plain.output.contains("second"), "\(plain)")
        try "name: third\ncommand: [/bin/true]\nresources: {cores: 64}\n".write(
            to: file,
            atomically: true,
            encoding: .utf8
        )
        let impossible = try await line.run("estimate", file.path, "--project", "demo")
        #expect(impossible.status != 0 && impossible.errors.contains("job.yaml:3"), "\(impossible)")
        let accuracy = try await line.run("estimate", "--accuracy")
        #expect(accuracy.status == 0 && accuracy.output.contains("P90"), "\(accuracy)")

        let form = "document=name%3A%20second%0Acommand%3A%20%5B%2Fbin%2Ftrue%5D%0A&project=demo&key=k&ask=estimate"
        let page = try await point.call(
            "POST",
            "/console/submit",
            form: form,
            headers: [
                "Cookie": "onepoint_session=\(point.token)", "Origin": point.url, "Accept-Language": "en",
            ]
        )
        let html = String(decoding: page.body, as: UTF8.self)
        #expect(page.status == 200 && html.contains("9 of 10:"), "\(page.status) \(html.suffix(2000))")
        let jobs: Page<JobView> = try await point.call("GET", "/v1/jobs").decode()
        #expect(jobs.items.map(\.job) == [first], "nothing was submitted")
        #expect(try await point.call("POST", "/v1/jobs/\(first)/cancel").status == 200)
        #expect(try await point.end(of: first).summary.state == .cancelled)
    }

    @Test("a repeat with the same key finds the first, other content is a conflict")
    func idempotency() async throws {
        let point = try await PointUnderTest()
        let body = #"{"name": "once", "command": ["/bin/true"]}"#
        let headers = ["Idempotency-Key": "k1"]
        let first: SubmissionView = try await point.call("POST", "/v1/jobs?project=demo", json: body, headers: headers)
            .decode()
        let again: SubmissionView = try await point.call("POST", "/v1/jobs?project=demo", json: body, headers: headers)
            .decode()
        #expect(again.job == first.job && again.replayed && !first.replayed)
        let other = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: #"{"name": "other", "command": ["/bin/true"]}"#,
            headers: headers
        )
        #expect(other.status == 409)
    }

    @Test("a workflow carries artifacts along its edges, from arrays too")
    func workflow() async throws {
        let point = try await PointUnderTest()
        let view = try await point.submit(
            """
            {"workflow": "sum", "jobs": [
              {"name": "parts", "array": 3, "outputs": ["n"],
               "command": ["/bin/sh", "-c", "echo $ONEPOINT_ARRAY_INDEX > $ONEPOINT_OUTPUTS/n"]},
              {"name": "total", "inputs": {"n": {"job": "parts", "output": "n"}}, "outputs": ["sum"],
               "command": ["/bin/sh", "-c", "cat $ONEPOINT_INPUTS/n/* | sort | tr -d '\\\\n' | tee $ONEPOINT_OUTPUTS/sum"]}
            ]}
            """
        )
        let id = try #require(view.workflow)
        let ended: WorkflowView = try await eventually("the workflow to end", tail: { point.server.output }) {
            let workflow: WorkflowView = try await point.call("GET", "/v1/workflows/\(id)").decode()
            return workflow.state.isTerminal ? workflow : nil
        }
        #expect(ended.state == .succeeded, "\(ended)")
        let total = try #require(ended.nodes.first { $0.name == "total" }?.job)
        #expect(try await point.log(of: total) == "012")
    }

    @Test("when one fails, those that wait for it are cancelled and say so")
    func cascade() async throws {
        let point = try await PointUnderTest()
        let view = try await point.submit(
            """
            {"workflow": "w", "jobs": [{"name": "a", "command": ["/bin/false"]},
             {"name": "b", "command": ["/bin/true"], "after": ["a"]}, {"name": "c", "command": ["/bin/true"], "after": ["b"]}]}
            """
        )
        let id = try #require(view.workflow)
        let ended: WorkflowView = try await eventually("the workflow to end") {
            let workflow: WorkflowView = try await point.call("GET", "/v1/workflows/\(id)").decode()
            return workflow.state.isTerminal ? workflow : nil
        }
        #expect(ended.state == .failed)
        let last = try await point.job(try #require(ended.nodes.last?.job))
        #expect(last.summary.state == .cancelled && last.summary.detail?.contains("'b'") == true)
    }

    @Test("a gang meets over its rendezvous, all of it or nothing")
    func gang() async throws {
        let point = try await PointUnderTest()
        let program = """
            import os, socket
            rank, port = int(os.environ['RANK']), int(os.environ['MASTER_PORT'])
            address = (os.environ['MASTER_ADDR'], port)
            if rank == 0:
                server = socket.create_server(address)
                peer, _ = server.accept()
                print('heard', peer.recv(10).decode())
            else:
                import time
                for _ in range(200):
                    try:
                        peer = socket.create_connection(address); break
                    except OSError: time.sleep(0.05)
                peer.sendall(b'rank%d' % rank)
            """
        let json = JSON.object([
            ("name", .string("gang")), ("tasks", .integer(2)),
            ("command", .array([.string("python3"), .string("-c"), .string(program)])),
        ])
        let job = try #require(try await point.submit(json.text).job)
        let detail = try await point.end(of: job)
        #expect(detail.summary.state == .succeeded, "\(detail.runs)")
        #expect(try await point.log(of: job).contains("heard rank1"))
    }

    @Test("every fault of a submission is reported at once, with its place")
    func faults() async throws {
        let point = try await PointUnderTest()
        let answer = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: #"{"name": "Bad Name", "command": [], "resources": {"cores": -1}, "colour": "red"}"#
        )
        #expect(answer.status == 422)
        let pointers = answer.json["errors"]?.arrayValue?.compactMap { $0["pointer"]?.stringValue } ?? []
        for pointer in ["/name", "/command", "/resources/cores", "/colour"] { #expect(pointers.contains(pointer)) }
        let huge = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: #"{"name": "a", "command": ["/bin/true"], "array": 100000}"#
        )
        #expect(huge.status == 422)
        let impossible = try await point.call(
            "POST",
            "/v1/jobs?project=demo",
            json: #"{"name": "a", "command": ["/bin/true"], "resources": {"cores": 500}}"#
        )
        #expect(impossible.status == 422 && impossible.json["code"]?.stringValue == "impossible")
    }

    @Test("after a stop and a start everything is still there")
    func restart() async throws {
        let point = try await PointUnderTest()
        let job = try #require(try await point.submit(#"{"name": "kept", "command": ["/bin/echo", "kept"]}"#).job)
        _ = try await point.end(of: job)
        #expect(await point.server.terminate() == 0)
        try await point.restart()
        #expect(try await point.job(job).summary.state == .succeeded)
        #expect(try await point.log(of: job) == "kept\n")
    }
}
