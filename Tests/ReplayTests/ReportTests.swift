import Core
import Replay
import Testing
import Wire

@Suite struct ReportTests {
    private static func experiment(_ centres: Int = 2, policies: [String]) throws -> (Experiment, SimulationReport) {
        var chance = SplitMix(seed: 3)
        var at: Int64 = 1000
        let jobs = (0..<200).map { index in
            at += Int64(Int.random(in: 0..<40, using: &chance))
            let run = Int64(Int.random(in: 1..<200, using: &chance))
            var job = TraceJob(
                submit: at,
                run: run,
                requested: 300,
                milliCores: 1000 * Int.random(in: 1...4, using: &chance),
                user: Int32(index % 3)
            )
            job.home = 0
            return job
        }
        let federation = Federation(
            centres: (0..<centres).map { number in
                .init(
                    name: "c\n\(number)",
                    tier: number == 0 ? "hub" : "edge",
                    nodes: [.init(milliCores: 4000, memoryMiB: 1024)]
                )
            }
        )
        var trace = Trace(name: String(repeating: "长", count: 50), jobs: jobs)
        trace.skipped = ["never ran": 3]
        var options = ReplayOptions()
        options.projects = .user
        options.forecastEvery = 1
        let experiment = try Experiment(trace, on: federation, options: options)
        let outcomes = try policies.map { name in
            try experiment.run(try #require(ReplayPolicy(name)), cpuTime: { 0 })
        }
        let comparisons = outcomes.dropFirst().map {
            Comparison($0, with: outcomes[0], jobs: experiment.replayed, seed: 1)
        }
        return (experiment, experiment.report(outcomes, comparisons))
    }

    @Test("a report has every figure of a replay, all series over one time, and is what a point takes")
    func report() throws {
        #expect(Metrics.columns.map(\.name) == SimulationReport.Figure.allCases.map(\.rawValue))
        let (experiment, report) = try Self.experiment(policies: ["fcfs", "onepoint"])
        #expect(try SimulationReport.read(try JSON(encoding: report)) == report)
        #expect(report.policies.map(\.name) == ["fcfs", "onepoint"] && report.differences.map(\.base) == ["fcfs"])
        #expect(report.trace.jobs == 200 && report.trace.name.utf8.count <= 100 && report.unit == .cores)
        #expect(report.centres.map(\.name) == ["c 0", "c 1"] && report.options.projects == .user)
        for policy in report.policies {
            #expect(policy.queued.count == 240 && policy.used.allSatisfy { $0.count == 240 })
            #expect(policy.queued.last == 0 && policy.used.allSatisfy { $0.last == 0 }, "at the end all is over")
            #expect(policy.queued.contains { $0 > 0 } && policy.used.joined().contains { $0 > 500 })
            #expect(policy.sizes.reduce(0) { $0 + $1.jobs } == policy.started)
            #expect(policy.projects.count == 3 && policy.forecasts?.runs.count == 100)
        }
        let first = experiment.replayed.first?.submit ?? 0
        let span = report.stepSeconds * 239
        let makespans = report.policies.compactMap { $0[.makespan] }
        #expect(abs(span - (makespans.max() ?? 0)) < 1, "from \(first) until the last end under any policy")
    }

    @Test("a wide federation gets coarser series, too wide a comparison is refused before it begins")
    func wide() throws {
        let (experiment, report) = try Self.experiment(100, policies: ["easy", "greedy", "fcfs"])
        #expect(report.moments == 40_000 / (3 * 101))
        #expect(try SimulationReport.read(try JSON(encoding: report)) == report)
        #expect(experiment.reportFault(ReplayPolicy.all) == nil)
        let many = ["requested", "actual"].flatMap { estimates in
            ReplayPolicy.all.compactMap { ReplayPolicy("\($0.name)+\(estimates)") }
        }
        #expect(experiment.reportFault(many)?.contains("at most 16 policies") == true)
        #expect(experiment.reportFault([ReplayPolicy.all[0], ReplayPolicy.all[0]]) != nil)
    }
}
