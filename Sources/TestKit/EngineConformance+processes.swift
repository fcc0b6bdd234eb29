internal import Core
internal import Engines

extension EngineConformance {
    static let processes: [EngineConformance] = [
        EngineConformance("arguments arrive byte for byte", needs: [.processes]) { bench in
            let words = ["a b", "two\nlines", "tab\t", "quote'\"`$HOME", "中文 é 🧠", "", "--", "{algorithm}x", "*"]
            let order = try await bench.shell("printf '<%s>' \"$@\"", arguments: words) { $0.algorithmFolder = nil }
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .succeeded, "outcome")
            try bench.equal(try await bench.log(of: order.run), words.map { "<\($0)>" }.joined(), "log")
        },
        EngineConformance("variables arrive byte for byte", needs: [.processes]) { bench in
            let order = try await bench.shell("printf '<%s>' \"$ONE\" \"$TWO\" \"$EMPTY\"") {
                $0.environment = ["ONE": "a b\nc='\"$`", "TWO": "脑 🧠", "EMPTY": ""]
            }
            _ = try await bench.end(of: order.run)
            try bench.equal(try await bench.log(of: order.run), "<a b\nc='\"$`><脑 🧠><>", "log")
        },
        EngineConformance("the contract's variables are there and nobody else's", needs: [.processes, .ownEnvironment])
        { bench in
            let order = try await bench.shell("env | sed 's/=.*//' | sort | tr '\\n' ' '") {
                $0.environment = ["MINE": "1", "ONEPOINT_RUN": "forged"]
            }
            _ = try await bench.end(of: order.run)
            let names = Set(try await bench.log(of: order.run).split(separator: " ").map(String.init))
            let wanted: Set<String> = [
                "ONEPOINT_INPUTS", "ONEPOINT_OUTPUTS", "ONEPOINT_PARAMETERS", "ONEPOINT_JOB", "ONEPOINT_RUN",
                "ONEPOINT_CORES", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RANK", "LOCAL_RANK", "WORLD_SIZE",
                "MASTER_ADDR", "MASTER_PORT", "HOME", "PATH", "LANG", "ONEPOINT_CARDS", "MINE",
            ]
            try bench.expect(names.isSuperset(of: wanted), "missing: \(wanted.subtracting(names).sorted())")
            let allowed = wanted.union([
                "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "SHELL", "PYTHONUNBUFFERED", "MKL_NUM_THREADS", "USER",
                "LOGNAME", "ONEPOINT_ALGORITHM", "CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES",
                "ASCEND_RT_VISIBLE_DEVICES",
            ])
            try bench.expect(names.isSubset(of: allowed), "leaked: \(names.subtracting(allowed).sorted())")
            let forged = try await bench.shell("echo \"$ONEPOINT_RUN\"") { $0.environment = ["ONEPOINT_RUN": "forged"] }
            _ = try await bench.end(of: forged.run)
            try bench.equal(try await bench.log(of: forged.run), "\(forged.run)\n", "ONEPOINT_RUN")
        },
        EngineConformance("a run works in a fresh folder and leaves outputs", needs: [.processes]) { bench in
            let order = try await bench.shell(
                """
                ls -A | wc -l | tr -d ' '
                touch here; [ "$PWD" = "$HOME" ] && echo home
                mkdir "$ONEPOINT_OUTPUTS/model" && cat "$ONEPOINT_PARAMETERS" > "$ONEPOINT_OUTPUTS/model/copy"
                """
            ) { $0.parameters = #"{"learning_rate":0.5,"text":"中"}"# }
            try bench.equal(try await bench.end(of: order.run).outcome, RunOutcome(.succeeded), "outcome")
            try bench.equal(try await bench.log(of: order.run), "0\nhome\n", "log")
            let copy = try await bench.rig.output("model/copy", of: order.run)
            try bench.equal(copy, #"{"learning_rate":0.5,"text":"中"}"#, "parameters")
        },
        EngineConformance("a program that does not exist is rejected with a sentence", needs: [.processes]) { bench in
            for program in ["no-such-program", "/no/such/program", "/etc/passwd"] {
                let order = try await bench.start(EngineProgram()) { $0.command = [program, "x"] }
                let outcome = try await bench.end(of: order.run).outcome
                try bench.equal(outcome.kind, .rejected, "outcome of \(program)")
                try bench.expect(outcome.detail?.contains(program) ?? false, "it says: \(outcome.summary)")
            }
        },
        EngineConformance("grandchildren in sessions of their own end with the run", needs: [.processes]) { bench in
            let order = try await bench.shell(
                """
                setsid flock "$ONEPOINT_OUTPUTS/lock" sh -c 'trap "" TERM HUP; echo > "$ONEPOINT_OUTPUTS/held"; exec sleep 1000' &
                while [ ! -e "$ONEPOINT_OUTPUTS/held" ]; do sleep 0.01; done
                flock -n "$ONEPOINT_OUTPUTS/lock" true || echo done
                """
            )
            try bench.equal(try await bench.end(of: order.run).outcome, RunOutcome(.succeeded), "outcome")
            try await bench.says("done", order.run)
            try bench.equal(try await bench.rig.isLocked("lock", of: order.run), false, "a grandchild lives")
        },
        EngineConformance("a gang meets at its master's port", needs: [.processes, .gangs]) { bench in
            let program = """
                import os, socket, time
                rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
                place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
                if rank == 0:
                    server = socket.create_server(place)
                    total = 0
                    for _ in range(size - 1):
                        link, _ = server.accept()
                        total += int(link.recv(16))
                        link.close()
                    open(os.environ["ONEPOINT_OUTPUTS"] + "/sum", "w").write(str(total))
                else:
                    for _ in range(2000):
                        try:
                            link = socket.create_connection(place)
                            break
                        except OSError:
                            time.sleep(0.01)
                    link.sendall(str(rank).encode())
                    link.recv(1)
                print("rank", rank, flush=True)
                """
            let order = try await bench.start(EngineProgram()) {
                $0.command = ["python3", "-c", program]
                $0.tasks = 4
                $0.nodes = $0.nodes.map { NodeShare(node: $0.node, tasks: 4) }
                $0.resources.cores = 250
                $0.resources.memory = .mebi(128)
            }
            try bench.equal(try await bench.end(of: order.run).outcome, RunOutcome(.succeeded), "outcome")
            try bench.equal(try await bench.rig.output("sum", of: order.run), "6", "sum over the gang")
            for task in 0..<4 {
                try bench.equal(try await bench.log(of: order.run, task: task), "rank \(task)\n", "log of task \(task)")
            }
        },
        EngineConformance("when one task fails its gang ends", needs: [.processes, .gangs]) { bench in
            let order = try await bench.shell("[ $RANK = 1 ] && exit 5; sleep 1000") {
                $0.tasks = 3
                $0.nodes = $0.nodes.map { NodeShare(node: $0.node, tasks: 3) }
                $0.resources.cores = 100
                $0.resources.memory = .mebi(64)
            }
            let outcome = try await bench.end(of: order.run).outcome
            try bench.equal(outcome.kind, .exit, "outcome")
            try bench.equal(outcome.code, 5, "code")
        },
        EngineConformance("a run that needs more memory than it has is said to", needs: [.processes, .memoryLimits]) {
            bench in
            let order = try await bench.start(EngineProgram()) {
                $0.command = ["python3", "-c", "print(len(bytearray(600 << 20)))"]
                $0.resources.memory = .mebi(96)
            }
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .outOfMemory, "outcome")
        },
        EngineConformance("more environment than the system takes is said to be too long", needs: [.processes]) {
            bench in
            let order = try await bench.start(EngineProgram()) {
                $0.environment = ["LONG": String(repeating: "x", count: 3 << 20)]
            }
            let outcome = try await bench.end(of: order.run).outcome
            try bench.equal(outcome.kind, .rejected, "outcome")
            try bench.expect(outcome.detail?.contains("too long") ?? false, "it says: \(outcome.summary)")
        },
    ]

    static let crashes: [EngineConformance] = [
        EngineConformance("a new driver finds held, running and ended runs", needs: [.reopens]) { bench in
            let held = try await bench.submit(EngineProgram(prints: "late"))
            let running = try await bench.start(EngineProgram(prints: "ready", end: .never))
            let ended = try await bench.start(EngineProgram(end: .exit(4)))
            try await bench.running(running.run)
            let end = try await bench.end(of: ended.run)
            try await bench.rig.reopen()
            try bench.equal(try await bench.state(of: held.run), .held, "held")
            try await bench.running(running.run)
            try bench.expect(try await bench.end(of: ended.run) == end, "an end changed")
            try await bench.rig.engine().release(held.run)
            try bench.equal(try await bench.end(of: held.run).outcome, RunOutcome(.succeeded), "outcome of the held")
            try await bench.rig.engine().cancel(running.run, grace: .zero)
            try bench.equal(try await bench.end(of: running.run).outcome.kind, .cancelled, "outcome of the running")
        },
        EngineConformance("a run whose supervisor is killed fails with its node", needs: [.supervisors, .processes]) {
            bench in
            let order = try await bench.shell(
                "flock \"$ONEPOINT_OUTPUTS/lock\" sh -c 'trap \"\" TERM HUP; echo held; exec sleep 1000'"
            )
            try await bench.says("held", order.run)
            try bench.equal(try await bench.rig.isLocked("lock", of: order.run), true, "the program runs")
            try await bench.rig.killSupervisor(of: order.run)
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .nodeFailure, "outcome")
            try bench.equal(try await bench.rig.isLocked("lock", of: order.run), false, "the program still runs")
        },
        EngineConformance("a run that its job has left behind does not start", needs: [.fences]) { bench in
            let first = bench.newRun()
            let second = bench.newRun(number: 2, of: first.job)
            let old = try await bench.submit(EngineProgram(prints: "old"), run: first)
            let new = try await bench.start(EngineProgram(prints: "new"), run: second)
            try bench.equal(try await bench.end(of: new.run).outcome, RunOutcome(.succeeded), "outcome of the second")
            try await bench.rig.engine().release(old.run)
            try bench.equal(try await bench.end(of: old.run).outcome.kind, .lost, "outcome of the first")
            try bench.equal(try await bench.log(of: old.run), "", "log of the first")
        },
    ]
}
