import Core
import Foundation
import Testing

@testable import Engines

/// The script that carries out a run at centres with an engine of their own, started here as such engines start it.
@Suite(.serialized) struct RunScriptTests {
    /// A shared folder with one run after the other.
    final class Site {
        let path: String
        let runs: SharedRuns
        private var count: UInt64 = 0
        private let series = UInt64.random(in: 0 ... .max)

        init() throws {
            path = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-script-\(UUID())").path
            runs = try SharedRuns(root: path + "/shared")
        }

        deinit { try? FileManager.default.removeItem(atPath: path) }

        func write(
            _ command: [String],
            number: Int = 1,
            of job: JobID? = nil,
            tasks: Int = 1,
            limit: Int = 60,
            grace: Duration = .seconds(10),
            environment: [String: String] = [:],
            _ change: (inout EngineOrder) -> Void = { _ in }
        ) throws -> RunKey {
            count += 1
            let run = RunKey(job: job ?? JobID(high: series, low: count), number: number)
            let (inputs, outputs) = ("\(path)/\(run)/in", "\(path)/\(run)/out")
            for folder in [inputs, outputs] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            var order = EngineOrder(
                run: run,
                command: command,
                environment: environment,
                tasks: tasks,
                resources: TaskResources(cores: 2000, memory: .mebi(1)),
                nodes: [],
                timeLimitSeconds: limit,
                isolation: .auto,
                algorithmFolder: nil,
                requirements: nil,
                inputsFolder: inputs,
                outputsFolder: outputs,
                parameters: #"{"a":1}"#
            )
            change(&order)
            try runs.write(order, grace: grace)
            return run
        }

        func shell(_ text: String, tasks: Int = 1, limit: Int = 60, grace: Duration = .seconds(10)) throws -> RunKey {
            try write(["/bin/sh", "-c", text], tasks: tasks, limit: limit, grace: grace)
        }

        /// Starts the script as an engine does.
        func start(_ run: RunKey, _ words: [String] = ["main"]) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = [runs.script(run)] + words
            let log = FileHandle(
                fileDescriptor: open("\(path)/engine.log", O_WRONLY | O_APPEND | O_CREAT, 0o644),
                closeOnDealloc: true
            )
            process.standardOutput = log
            process.standardError = log
            try process.run()
            return process
        }

        var engineLog: String { (try? String(contentsOfFile: "\(path)/engine.log", encoding: .utf8)) ?? "" }

        func outcome(_ run: RunKey, members: Int = 0) async throws -> RunOutcome {
            try await until("the end of \(run)") {
                guard case .ended(let outcome, _, _)? = runs.look(at: run, members: members)?.ending else { return nil }
                return outcome
            }
        }

        func log(_ run: RunKey, task: Int = 0) throws -> String {
            String(decoding: try runs.logs(run, task: task, from: 0, countMax: 1 << 20), as: UTF8.self)
        }

        func says(_ text: String, _ run: RunKey, task: Int = 0) async throws {
            _ = try await until("'\(text)' in the log") { try log(run, task: task).contains(text) ? true : nil }
        }

        func until<T>(_ what: String, _ look: () throws -> T?) async throws -> T {
            let end = ContinuousClock.now + .seconds(60)
            while ContinuousClock.now < end {
                if let found = try look() { return found }
                await withCheckedContinuation { done in
                    DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(20)) { done.resume() }
                }
            }
            throw Failure(.unavailable, "Waited in vain for \(what); the engine's log says:\n\(engineLog)")
        }
    }

    @Test("a run's end, its log and its variables are kept")
    func ends() async throws {
        let site = try Site()
        let good = try site.shell(
            "echo $RANK $LOCAL_RANK $WORLD_SIZE $OMP_NUM_THREADS; cat $ONEPOINT_PARAMETERS; cat; pwd"
        )
        let (bad, killed) = (try site.shell("exit 7"), try site.shell("kill -11 $$"))
        let (absent, plain) = (try site.write(["/does/not/exist"]), try site.write(["no-such-program"]))
        for run in [good, bad, killed, absent, plain] { _ = try site.start(run) }
        #expect(try await site.outcome(good) == RunOutcome(.succeeded))
        #expect(try site.log(good) == "0 0 1 2\n{\"a\":1}\(site.runs.folder(good).path)/work\n")
        #expect(try await site.outcome(bad) == RunOutcome(.exit, code: 7))
        #expect(try await site.outcome(killed) == RunOutcome(.signal, code: 11))
        #expect(
            try await site.outcome(absent).detail == "the program '/does/not/exist' does not exist or is not executable"
        )
        #expect(
            try await site.outcome(plain)
                == RunOutcome(.rejected, detail: "the program 'no-such-program' was not found in PATH")
        )
        let look = try #require(site.runs.look(at: good))
        #expect(look.claim == .started && look.startedAt != nil)
        guard case .ended(_, let started?, let ended)? = look.ending else { return #expect(Bool(false), "\(look)") }
        #expect(started <= ended)
    }

    @Test("every word and value arrives as it was written")
    func words() async throws {
        let site = try Site()
        let words = [
            "", " ", "'", "''\\''", "\"$HOME`id`\"", "a\nb\n", "-n", "*", "é漢\u{1F600}", "\\", "{algorithm}",
            "!#&|;<>()",
        ]
        let run = try site.write(
            ["/usr/bin/python3", "-c", "import os,sys;print([sys.argv[1:],os.environ['A'],os.environ['B-C d']])"]
                + words,
            environment: ["A": "it's $HOME\n\"", "B-C d": "x=y", "RANK": "9"]
        )
        _ = try site.start(run)
        #expect(try await site.outcome(run) == RunOutcome(.succeeded))
        let check = try site.write(
            ["/usr/bin/python3", "-c", "import sys;print([sys.argv[2:],\"it's $HOME\\n\\\"\",'x=y'])", "x"] + words
        )
        _ = try site.start(check)
        #expect(try await site.outcome(check) == RunOutcome(.succeeded))
        #expect(try site.log(run) == site.log(check))
    }

    @Test("many starts are one start, and the others say so")
    func twins() async throws {
        let site = try Site()
        let run = try site.shell("echo started >> $ONEPOINT_OUTPUTS/starts; sleep 1")
        let starts = try (0..<8).map { _ in try site.start(run) }
        let outcome = try await site.outcome(run)
        #expect(outcome == RunOutcome(.succeeded))
        let late = try site.start(run)
        _ = try await site.until("all to end") { (starts + [late]).contains { $0.isRunning } ? nil : true }
        #expect(late.terminationStatus == 0)
        #expect(try String(contentsOfFile: "\(site.path)/\(run)/out/starts", encoding: .utf8) == "started\n")
        #expect(site.engineLog.components(separatedBy: "this start of it does nothing").count == 9)
    }

    @Test("an older run of a job does nothing once a newer one was here")
    func fence() async throws {
        let site = try Site()
        let job = JobID(high: 9, low: 9)
        let command = ["/bin/sh", "-c", "echo $ONEPOINT_RUN >> \(site.path)/starts"]
        let runs = try (1...3).map { try site.write(command, number: $0, of: job) }
        for run in [runs[1], runs[2], runs[0]] {
            _ = try site.start(run)
            _ = try await site.outcome(run)
        }
        #expect(try await site.outcome(runs[0]).kind == .lost)
        #expect(try String(contentsOfFile: "\(site.path)/starts", encoding: .utf8) == "\(runs[1])\n\(runs[2])\n")
    }

    @Test("a run that is forbidden never starts, and one that was started cannot be forbidden")
    func forbid() async throws {
        let site = try Site()
        let (run, running) = (try site.shell("echo no"), try site.shell("echo yes; sleep 60"))
        #expect(try site.runs.forbid(run))
        #expect(try site.runs.forbid(run))
        let late = try site.start(run)
        _ = try site.start(running)
        try await site.says("yes", running)
        #expect(try !site.runs.forbid(running))
        _ = try await site.until("the late start to end") { late.isRunning ? nil : true }
        #expect(try site.log(run) == "" && site.runs.look(at: run)?.claim == .cancelled)
        try site.runs.askToStop(running, grace: .seconds(30))
        #expect(try await site.outcome(running) == RunOutcome(.cancelled))
    }

    @Test("a stop is polite first, and after the grace takes everything, wherever it hides")
    func stop() async throws {
        let site = try Site()
        let polite = try site.shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done")
        let deaf = try site.shell(
            "trap '' TERM; setsid sh -c 'trap \"\" TERM; flock 8; echo up; sleep 600' 8> $ONEPOINT_OUTPUTS/lock & while :; do sleep 0.05; done"
        )
        for run in [polite, deaf] {
            _ = try site.start(run)
            try await site.says("up", run)
        }
        try site.runs.askToStop(polite, grace: .seconds(60))
        try site.runs.askToStop(deaf, grace: .seconds(1))
        for run in [polite, deaf] { #expect(try await site.outcome(run) == RunOutcome(.cancelled)) }
        #expect(try site.log(polite) == "up\nbye\n")
        let lock = open("\(site.path)/\(deaf)/out/lock", O_RDWR)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0, "a process of the run lives on")
        close(lock)
    }

    @Test("a run ends at its time limit, and when its engine asks it to")
    func limits() async throws {
        let site = try Site()
        let (long, told) = (try site.shell("sleep 600", limit: 1), try site.shell("echo up; sleep 600"))
        _ = try site.start(long)
        let process = try site.start(told)
        try await site.says("up", told)
        process.terminate()
        #expect(try await site.outcome(told).kind == .nodeFailure)
        #expect(try await site.outcome(long) == RunOutcome(.timeLimit))
    }

    @Test(
        "what a killed script leaves behind is ended and told, also when all its process group was killed, or the run forgotten",
        arguments: ["script", "group", "forgotten"]
    )
    func killed(_ how: String) async throws {
        let site = try Site()
        let run = try site.shell("exec 8> $ONEPOINT_OUTPUTS/lock; flock 8; echo up; sleep 600")
        let process = try site.start(run)
        try await site.says("up", run)
        if how == "forgotten" { try FileManager.default.removeItem(atPath: site.runs.folder(run).path) }
        // The tests' own way of starting makes a group of each process.
        kill(how == "script" ? process.processIdentifier : -process.processIdentifier, SIGKILL)
        if how != "forgotten" { #expect(try await site.outcome(run).kind == .nodeFailure) }
        let lock = open("\(site.path)/\(run)/out/lock", O_RDWR)
        _ = try await site.until("its processes to end") { flock(lock, LOCK_EX | LOCK_NB) == 0 ? true : nil }
        close(lock)
    }

    @Test("a run that was forgotten before its node heard of its end is ended there; one that is out of sight goes on")
    func forgotten() async throws {
        let site = try Site()
        let text = "exec 8> $ONEPOINT_OUTPUTS/lock; flock 8; echo up; sleep 600"
        let (lost, hidden) = (try site.shell(text), try site.shell(text))
        for run in [lost, hidden] {
            _ = try site.start(run)
            try await site.says("up", run)
        }
        func isOver(_ run: RunKey) -> Bool {
            let lock = open("\(site.path)/\(run)/out/lock", O_RDWR)
            defer { close(lock) }
            return flock(lock, LOCK_EX | LOCK_NB) == 0
        }
        try FileManager.default.removeItem(atPath: site.runs.folder(lost).path)
        _ = try await site.until("its processes to end") { isOver(lost) ? true : nil }
        #expect(!isOver(hidden))
        // As if the shared folder were away, for longer than it takes to see that a run is gone.
        let shared = "\(site.path)/shared"
        try FileManager.default.moveItem(atPath: shared, toPath: shared + ".away")
        let end = ContinuousClock.now + .seconds(6)
        _ = try await site.until("some looks at it") { ContinuousClock.now > end ? true : nil }
        #expect(!isOver(hidden))
        try FileManager.default.moveItem(atPath: shared + ".away", toPath: shared)
        try site.runs.askToStop(hidden, grace: .zero)
        #expect(try await site.outcome(hidden).kind == .cancelled)
    }

    static let meeting = """
        import os, socket
        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
        if rank == 0:
            server = socket.create_server(place)
            print(sorted(server.accept()[0].recv(100).decode() for _ in range(size - 1)), flush=True)
        else:
            while True:
                try: link = socket.create_connection(place)
                except OSError: continue
                link.sendall(f"hello of {rank}".encode())
                break
        """

    @Test(
        "the tasks of a gang meet, here, through a launcher, and as members",
        arguments: ["main", "launcher", "member"]
    )
    func gang(_ way: String) async throws {
        let site = try Site()
        let run = try site.write(["/usr/bin/python3", "-c", Self.meeting], tasks: 3)
        switch way {
        case "main": _ = try site.start(run)
        case "launcher":
            // As srun does: the same command once for each task, told apart by a variable.
            let launcher = "for i in 0 1 2; do SLURM_PROCID=$i SLURM_LOCALID=$i \"$@\" & done; wait"
            _ = try site.start(run, ["main", "sh", "-c", launcher, "launcher"])
        default:
            setenv("ONEPOINT_MASTER_ADDR", "127.0.0.1", 1)
            setenv("ONEPOINT_MASTER_PORT", "29517", 1)
            for rank in 0..<3 { _ = try site.start(run, ["member", "\(rank)"]) }
            unsetenv("ONEPOINT_MASTER_ADDR")
            unsetenv("ONEPOINT_MASTER_PORT")
        }
        let members = way == "member" ? 3 : 0
        #expect(try await site.outcome(run, members: members) == RunOutcome(.succeeded))
        #expect(try site.log(run).contains("['hello of 1', 'hello of 2']"))
    }

    @Test("one failed task ends its gang, with its own failure")
    func gangFailure() async throws {
        let site = try Site()
        let run = try site.shell("[ $RANK = 1 ] && exit 5; sleep 600", tasks: 2)
        _ = try site.start(run)
        #expect(try await site.outcome(run) == RunOutcome(.exit, code: 5, detail: "task 1 of 2"))
    }

    @Test("an environment is made once for all runs that need the same, and a broken one is told")
    func environment() async throws {
        let site = try Site()
        let algorithm = site.path + "/algorithm"
        try FileManager.default.createDirectory(atPath: algorithm, withIntermediateDirectories: true)
        try "# nothing\n".write(toFile: algorithm + "/requirements.txt", atomically: true, encoding: .utf8)
        try "onepoint_no_such_package @ http://127.0.0.1:9/none.tar.gz\n".write(
            toFile: algorithm + "/broken.txt",
            atomically: true,
            encoding: .utf8
        )
        let command = ["python3", "-c", "import sys; print(sys.prefix != sys.base_prefix)"]
        func write(_ name: String) throws -> RunKey {
            try site.write(command) { ($0.algorithmFolder, $0.requirements) = (algorithm, name) }
        }
        let runs = try [write("requirements.txt"), write("requirements.txt")]
        for run in runs { _ = try site.start(run) }
        for run in runs { #expect(try await site.outcome(run) == RunOutcome(.succeeded)) }
        let logs = try runs.map { try site.log($0) }
        #expect(logs.allSatisfy { $0.hasSuffix("True\n") })
        #expect(logs.count { $0.contains("building the environment") } == 1, "\(logs)")
        let broken = try write("broken.txt")
        _ = try site.start(broken)
        let outcome = try await site.outcome(broken)
        #expect(outcome.kind == .rejected && outcome.detail?.contains("could not be built") == true, "\(outcome)")
    }

    @Test("a forgotten run is gone, and a repeat of its writing changes nothing")
    func repeats() async throws {
        let site = try Site()
        let run = try site.shell("echo first")
        #expect(try site.runs.runs() == [run])
        _ = try site.start(run)
        #expect(try await site.outcome(run) == RunOutcome(.succeeded))
        #expect(try site.runs.conclude(run, RunOutcome(.lost)) == site.runs.look(at: run)?.ending)
        #expect(try await site.outcome(run) == RunOutcome(.succeeded))
        try site.runs.forget(run)
        try site.runs.forget(run)
        #expect(try site.runs.runs().isEmpty && site.runs.look(at: run) == nil)
        #expect(throws: EngineError.unknownRun(run)) { try site.runs.logs(run, task: 0, from: 0, countMax: 1) }
    }
}
