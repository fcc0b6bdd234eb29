import CSupervise
import Core
import Glibc
import TestKit
import Testing

@testable import Engines

@Suite("The local engine")
struct LocalEngineTests {
    /// A rig that is removed when the test is over.
    private func with(
        isolation: Isolation = .none,
        _ change: (inout LocalEngine.Configuration) -> Void = { _ in },
        _ body: (LocalEngineRig, EngineBench) async throws -> Void
    ) async throws {
        let rig = try LocalEngineRig(isolation: isolation, change)
        do { try await body(rig, EngineBench(rig)) } catch {
            await rig.remove()
            throw error
        }
        await rig.remove()
    }

    @Test("SHA-256 is that of the standard")
    func sha256() {
        func hash(_ text: String) -> String {
            var digest = [UInt8](repeating: 0, count: 32)
            let bytes = Array(text.utf8)
            onepoint_sha256(bytes, bytes.count, &digest)
            return Digest(bytes: digest)?.hex ?? ""
        }
        #expect(hash("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(hash("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
        #expect(
            hash(String(repeating: "a", count: 1_000_000))
                == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        )
    }

    @Test("orders that can never run are refused with every fault at once")
    func refusals() async throws {
        try await with { rig, bench in
            let engine = try await rig.local()
            var order = try await rig.order(bench.newRun(), program: EngineProgram())
            order.command = ["a\0b"]
            order.environment = ["A=B": "1"]
            order.nodes = [NodeShare(node: "elsewhere", tasks: 1)]
            order.resources = TaskResources(cores: .cores(1000), memory: .gibi(1000), cards: 1)
            order.requirements = "../secret"
            do {
                _ = try await engine.submit(order)
                Issue.record("it was taken")
            } catch EngineError.refused(let why) {
                for word in ["NUL", "'='", "elsewhere", "cores", "memory", "cards", "../secret"] {
                    #expect(why.contains(word), "\(why)")
                }
            }
            #expect(try await engine.list().isEmpty)
        }
    }

    @Test("isolation that is required and cannot be given is refused")
    func requiredIsolation() async throws {
        try await with({ $0.sandboxes = false }) { rig, bench in
            var order = try await rig.order(bench.newRun(), program: EngineProgram())
            order.isolation = .required
            await #expect(throws: EngineError.self) { _ = try await rig.local().submit(order) }
            order.isolation = .auto
            _ = try await rig.local().submit(order)
            #expect(try await rig.local().capacity().isolates == false)
        }
    }

    @Test("a sandbox hides the machine and has no network but its own loopback")
    func sandbox() async throws {
        try await with(isolation: .auto) { rig, bench in
            guard try await rig.local().capacity().isolates else { return }
            let order = try await bench.shell(
                """
                ls -A /root /home /srv /var /etc/shadow 2>/dev/null | wc -l | tr -d ' '
                touch /usr/x /etc/x "$ONEPOINT_INPUTS/x" 2>/dev/null || echo read-only
                ls -A /tmp | grep -v onepoint-engine | wc -l | tr -d ' '
                touch /tmp/mine && rm /tmp/mine && echo tmp
                ls /sys/class/net 2>/dev/null; grep -c : /proc/net/dev
                cat /proc/1/comm; cat "$ONEPOINT_INPUTS/link"
                """
            ) { order in
                try? LocalEngineRig.write("linked\n", to: "\(rig.folder)/elsewhere")
                symlink("\(rig.folder)/elsewhere", "\(order.inputsFolder)/link")
            }
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            let log = try await bench.log(of: order.run)
            #expect(log == "0\nread-only\n0\ntmp\n1\nonepoint-gang\nlinked\n")
        }
    }

    @Test("cards are given out once, wait for each other and come back")
    func cards() async throws {
        let emulated = [CardGroup(model: "h100-sxm5", count: 4, emulated: true)]
        try await with({ $0.emulatedCards = emulated }) { rig, bench in
            let engine = try await rig.local()
            #expect(try await engine.capacity().nodes.first?.cards == emulated)
            func take(_ tasks: Int, _ cards: Int) async throws -> EngineOrder {
                try await bench.shell(
                    "echo \"$ONEPOINT_CARDS/$CUDA_VISIBLE_DEVICES/$ONEPOINT_CARDS_EMULATED\"; sleep 1000"
                ) {
                    $0.tasks = tasks
                    $0.resources = TaskResources(cores: 100, memory: .mebi(64), cards: cards)
                    $0.nodes = [NodeShare(node: "here", tasks: tasks, card: "h100-sxm5", emulated: true)]
                }
            }
            let first = try await take(1, 1)
            try await bench.says("0/0/1\n", first.run)
            let gang = try await take(2, 1)
            try await bench.says("1/1/1\n", gang.run, task: 0)
            try await bench.says("2/2/1\n", gang.run, task: 1)
            let late = try await take(1, 2)
            #expect(try await bench.state(of: late.run) == .pending("it waits for cards that other runs still have"))
            try await rig.reopen()
            #expect(try await bench.state(of: late.run) == .pending("it waits for cards that other runs still have"))
            try await rig.engine().cancel(first.run, grace: .zero)
            _ = try await bench.end(of: first.run)
            try await bench.running(late.run)
            try await bench.says("0,3/0,3/1\n", late.run)
        }
    }

    @Test("a run without cards sees none")
    func noCards() async throws {
        try await with { rig, bench in
            let order = try await bench.shell("echo \"[$ONEPOINT_CARDS]\"")
            _ = try await bench.end(of: order.run)
            #expect(try await bench.log(of: order.run) == "[]\n")
        }
    }

    @Test("an environment is built once for many runs, and kept")
    func environment() async throws {
        for isolation in [Isolation.none, .auto] {
            try await with(isolation: isolation) { rig, bench in
                var orders: [EngineOrder] = []
                for _ in 0..<3 {
                    let order = try await bench.start(EngineProgram()) {
                        $0.algorithmFolder = "\(rig.folder)/\($0.run)/algorithm"
                        $0.requirements = "requirements.txt"
                        $0.command = ["python3", "-c", "import sys; print(sys.prefix != sys.base_prefix, sys.prefix)"]
                        try? LocalEngineRig.write("# nothing\n", to: "\($0.algorithmFolder ?? "")/requirements.txt")
                    }
                    orders.append(order)
                }
                var logs = ""
                for order in orders {
                    #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
                    logs += try await bench.log(of: order.run)
                }
                let lines = logs.split(separator: "\n")
                #expect(lines.count { $0 == "onepoint: building the environment" } == 1, "\(logs)")
                #expect(lines.count { $0.hasPrefix("True \(rig.folder)/engine/environments/") } == 3, "\(logs)")
            }
        }
    }

    @Test("an environment that cannot be built rejects the run with pip's words")
    func brokenEnvironment() async throws {
        try await with { rig, bench in
            let order = try await bench.start(EngineProgram()) {
                $0.algorithmFolder = "\(rig.folder)/\($0.run)/algorithm"
                $0.requirements = "requirements.txt"
                try? LocalEngineRig.write(
                    "this is not a requirement!!\n",
                    to: "\($0.algorithmFolder ?? "")/requirements.txt"
                )
            }
            let outcome = try await bench.end(of: order.run).outcome
            #expect(outcome.kind == .rejected)
            #expect(outcome.detail?.contains("Invalid requirement") ?? false, "\(outcome)")
            #expect(try await rig.output("starts", of: order.run) == nil)
            var foreign = try await rig.order(bench.newRun(), program: EngineProgram())
            foreign.algorithmFolder = "\(rig.folder)/\(foreign.run)/algorithm"
            foreign.requirements = "requirements.txt"
            try LocalEngineRig.write("-r other.txt\n", to: "\(foreign.algorithmFolder ?? "")/requirements.txt")
            await #expect(throws: EngineError.self) { _ = try await rig.local().submit(foreign) }
        }
    }

    @Test("a run is cancelled while its environment is built")
    func cancelledBuild() async throws {
        let silence = try SilentServer()
        defer { withExtendedLifetime(silence) {} }
        try await with { rig, bench in
            let order = try await bench.start(EngineProgram()) {
                $0.algorithmFolder = "\(rig.folder)/\($0.run)/algorithm"
                $0.requirements = "requirements.txt"
                let line = "slow @ http://127.0.0.1:\(silence.port)/slow-1-py3-none-any.whl\n"
                try? LocalEngineRig.write(line, to: "\($0.algorithmFolder ?? "")/requirements.txt")
            }
            try await bench.says("building the environment", order.run)
            #expect(try await bench.state(of: order.run) == .pending("it is being prepared"))
            try await rig.engine().cancel(order.run, grace: .zero)
            #expect(try await bench.end(of: order.run).outcome.kind == .cancelled)
        }
    }

    @Test("a missing inputs folder is said to be missing")
    func missingInputs() async throws {
        for isolation in [Isolation.none, .auto] {
            try await with(isolation: isolation) { rig, bench in
                let order = try await bench.start(EngineProgram()) { $0.inputsFolder = "/no/such/inputs" }
                let outcome = try await bench.end(of: order.run).outcome
                #expect(outcome == RunOutcome(.rejected, detail: "the folder '/no/such/inputs' does not exist"))
            }
        }
    }

    @Test("a cut off or foreign order on disk is rejected, not obeyed")
    func brokenOrder() async throws {
        try await with { rig, bench in
            for text in ["", "run\0x\0", "run\0x\0evil\u{0}y\0end\0", String(repeating: "x", count: 9 << 20)] {
                let order = try await bench.submit(EngineProgram())
                try LocalEngineRig.write(text, to: "\(rig.runFolder(order.run))/order")
                try await rig.engine().release(order.run)
                #expect(try await bench.end(of: order.run).outcome.kind == .rejected)
            }
        }
    }

    @Test("of many supervisors that are started for one run only one carries it out")
    func manySupervisors() async throws {
        try await with { rig, bench in
            let order = try await bench.submit(EngineProgram(prints: "once"))
            let (executable, folder) = (try LocalEngineRig.executable(), rig.runFolder(order.run))
            let codes = try await withThrowingTaskGroup(of: Int32.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await blocking { () throws(EngineError) in
                            withCStrings(["PATH=/usr/bin:/bin"]) { onepoint_start_supervisor(executable, folder, $0) }
                        }
                    }
                }
                return try await group.reduce(into: [Int32]()) { $0.append($1) }
            }
            #expect(codes.count { $0 == ONEPOINT_SUPERVISE_STARTED } == 1, "\(codes)")
            #expect(codes.count { $0 == ONEPOINT_SUPERVISE_CLAIMED } == 7, "\(codes)")
            #expect(try await bench.end(of: order.run).outcome == RunOutcome(.succeeded))
            let starts = try await rig.output("starts", of: order.run)
            #expect(starts == "started\n")
        }
    }

    @Test("the stream of changes wakes when a run starts and ends")
    func changes() async throws {
        try await with { rig, bench in
            let engine = try await rig.local()
            let order = try await bench.submit(EngineProgram(prints: "x"))
            try await engine.release(order.run)
            for await _ in engine.changes {
                if case .ended = try await bench.state(of: order.run) { break }
            }
        }
    }

    @Test("a thousand ended runs are listed, and listed again")
    func manyRuns() async throws {
        try await with { rig, bench in
            let engine = try await rig.local()
            var order = try await rig.order(bench.newRun(), program: EngineProgram())
            for _ in 0..<1000 {
                order.run = bench.newRun()
                _ = try await engine.submit(order)
                try await engine.cancel(order.run, grace: .zero)
            }
            #expect(try await engine.list().count == 1000)
            #expect(try await engine.list().count == 1000)
        }
    }

    @Test("the node is measured, and the figures stay with its capacity and with a later engine")
    func measurement() async throws {
        try await with({ $0.cores = nil }) { rig, _ in
            let engine = try await rig.local()
            let measured = await engine.measure()
            #expect(measured.fp32Gflops > 0.1 && measured.memoryGbps > 0.1 && measured.diskMbps > 0)
            #expect(try await engine.capacity().nodes.first?.measured == measured)
            #expect(try await rig.local().measurement?.fp32Gflops == measured.fp32Gflops)
        }
    }
}

/// Takes connections and never says a word, so that whoever asks it waits.
private final class SilentServer: Sendable {
    private let socket: Int32
    let port: UInt16

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let (socket, size) = (socket, length)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && listen(socket, 8) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(isListening)
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(socket) }
}
