import Foundation
import Replay
import Testing

@testable import onepoint

/// Writes a file that is gone when the test is over.
struct ScratchFile: ~Copyable {
    let path: String

    init(_ bytes: Data, ending: String = "txt") throws {
        path = "\(FileManager.default.temporaryDirectory.path)/onepoint-replay-\(UUID().uuidString).\(ending)"
        try bytes.write(to: URL(fileURLWithPath: path))
    }

    init(_ text: String, ending: String = "txt") throws { try self.init(Data(text.utf8), ending: ending) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct TraceTests {
    private static let swf = """
        ; MaxProcs: 10
        1 0 5 100 4 -1 -1 4 200 -1 1 7 7 3 -1 -1 -1 -1
        2 5 0 300 2 -1 -1 2 200 -1 1 8 7 3 -1 -1 -1 -1
        3 6 0 -1 2 -1 -1 2 200 -1 1 8 7 3 -1 -1 -1 -1
        4 7 0 10 11 -1 -1 11 200 -1 1 8 7 3 -1 -1 -1 -1
        5 -8 0 10 1 -1 -1 1 200 -1 1 8 7 3 -1 -1 -1 -1
        6 9 0 10 0 -1 -1 0 200 -1 1 8 7 3 -1 -1 -1 -1
        7 9 0 10 1 -1 -1 1 0 -1 1 8 7 3 -1 -1 -1 -1
        8 9 0
        9 2 0 10 3 -1 -1 -1 20 -1 1 9 7 3 -1 -1 -1 -1
        """

    @Test("the Standard Workload Format is read; what cannot be replayed is counted by reason")
    func standardWorkloadFormat() throws {
        let file = try ScratchFile(Self.swf)
        let trace = try Trace.read(file.path)
        #expect(trace.processors == 10)
        #expect(trace.jobs.map(\.submit) == [0, 2, 5], "by time of submission")
        #expect(trace.jobs.map(\.run) == [100, 10, 200], "a run is cut at what it asked for")
        #expect(trace.jobs.map(\.milliCores) == [4000, 3000, 2000], "what was allocated stands for what was not asked")
        #expect(trace.jobs.map(\.user) == [7, 9, 8])
        #expect(trace.jobs.map { $0.owner(.group) } == [7, 7, 7])
        #expect(
            trace.skipped == [
                "never ran": 1, "larger than the machine": 1, "negative time": 1, "asked for nothing": 1,
                "no time asked for": 1, "cut line": 1,
            ]
        )
    }

    @Test("gzip is unpacked, and a file that is cut off is refused")
    func gzip() throws {
        let plain = try ScratchFile(Self.swf)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["gzip", "-c", plain.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let packed = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let whole = try ScratchFile(packed, ending: "swf.gz")
        #expect(try Trace.read(whole.path).jobs.count == 3)
        let cut = try ScratchFile(packed.prefix(packed.count / 2), ending: "swf.gz")
        #expect { try Trace.read(cut.path) } throws: { "\($0)".contains("cut off") || "\($0)".contains("damaged") }
    }

    @Test("tables of GPU clusters are told by their columns")
    func tables() throws {
        let federated = try ScratchFile(
            "submit,duration,gpus,home,requested_s\n5,10,16,1,20\n0,7,2,0,-1\nx,1,1,0,1\n3,-4,1,0,9\n"
        )
        let trace = try Trace.read(federated.path)
        #expect(trace.jobs.map(\.cards) == [2, 16])
        #expect(trace.jobs.map(\.requested) == [nil, 20])
        #expect(trace.jobs.map(\.home) == [0, 1])
        #expect(trace.skipped == ["cut line": 1, "negative time": 1])
        let dated = try ScratchFile(
            "timestamp,duration,num_gpus,gpu_time,cluster\n1970-03-01 00:01:05,66.0,1,66.0,a\n2000-02-29 00:00:00,1,8,8,b\n"
        )
        #expect(try Trace.read(dated.path).jobs.map(\.submit) == [59 * 86_400 + 65, 951_782_400])
        let pods = try ScratchFile(
            """
            name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time
            a,4000,1024,1,460,T4|P100,LS,Running,10,40,10
            b,8000,2048,0,0,,LS,Running,11,41,11
            """
        )
        let jobs = try Trace.read(pods.path)
        #expect(jobs.jobs.map(\.cardMilli) == [460, 1000])
        #expect(jobs.modelSets == [["T4", "P100"]])
        #expect(jobs.jobs.map(\.run) == [30, 30])
        let untimed = try ScratchFile("name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,12000,16384,1,500\n")
        #expect(try !Trace.read(untimed.path).hasTimes)
        #expect(try Trace.read(untimed.path).jobs.map(\.cardMilli) == [500])
    }

    @Test("columns say whose a job is, by number or by name")
    func owners() throws {
        let file = try ScratchFile("submit,duration,gpus,user,group,project\n0,1,1,4,x,b\n1,1,1,2,y,a\n2,1,1,4,x,a\n")
        let trace = try Trace.read(file.path)
        #expect(trace.jobs.map { $0.owner(.user) } == [4, 2, 4])
        #expect(trace.jobs.map { trace.names[.group]?[$0.owner(.group)] } == ["x", "y", "x"])
        #expect(trace.jobs.map { trace.names[.project]?[$0.owner(.project)] } == ["b", "a", "a"])
        #expect(trace.jobs.map { $0.owner(.home) } == [-1, -1, -1])
    }

    @Test(
        "what is no trace is refused with what it lacks",
        arguments: ["", "hello\nworld\n", "a,b,c\n1,2,3\n", "; MaxProcs: 4\n", "\u{0}\u{1}\u{2}"]
    )
    func noTrace(text: String) throws {
        let file = try ScratchFile(text)
        #expect(throws: TraceFault.self) { try Trace.read(file.path) }
    }

    @Test("a federation's file tells every fault with its line")
    func federationFaults() throws {
        let file = try ScratchFile(
            """
            centres:
              - name: a
                tier: moon
                nodes:
                  - count: 3
                    cores: 4
                    memory: 8 apples
              - name: b
                nodes:
                  - count: 0
            """,
            ending: "yaml"
        )
        #expect {
            try Federation.load(file.path)
        } throws: { error in
            let text = "\(error)"
            return ["must be hub", "8GiB", "/centres/1/nodes/0/count"].allSatisfy {
                text.contains($0) || $0 == "8GiB" && text.contains("must be an amount")
            }
        }
    }

    @Test("a federation's file is read, with lists of nodes beside it")
    func federation() throws {
        let list = try ScratchFile(
            "sn,cpu_milli,memory_mib,gpu,model\nn0,64000,262144,2,P100\nn1,96000,1024,8,T4\n",
            ending: "csv"
        )
        let file = try ScratchFile(
            """
            centres:
              - name: a
                tier: edge
                card_hour: 2
                nodes:
                  - count: 3
                    cores: 4
                    memory: 8GiB
                    cards: 2
                    model: t4
                  - list: \(list.path)
            """,
            ending: "yaml"
        )
        let federation = try Federation.load(file.path)
        #expect(federation.centres.map(\.cards) == [16])
        #expect(federation.centres[0].nodes.count == 5)
        #expect(federation.centres[0].nodes[0].memoryMiB == 8192)
    }

    @Test("the preset of a city is a federation of four centres above 1,000 PFLOPS")
    func preset() {
        let federation = Federation.preset(.shanghai)
        #expect(federation.centres.count == 4)
        #expect(federation.petaflops > 1000)
    }
}
