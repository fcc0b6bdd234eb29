internal import Core
internal import Engines

/// What every engine must do, as cases that any test target can put its engine through.
public struct EngineConformance: Sendable, CustomStringConvertible {
    /// A sentence.
    public let name: String
    /// What the engine must be able to show for this case to make sense.
    public let needs: Set<EngineFeature>
    let body: @Sendable (EngineBench) async throws -> Void

    init(
        _ name: String,
        needs: Set<EngineFeature> = [],
        _ body: @escaping @Sendable (EngineBench) async throws -> Void
    ) {
        self.name = name
        self.needs = needs
        self.body = body
    }

    public var description: String { name }

    /// Throws ``EngineFault`` when the engine fails the case.
    public func check(_ rig: any EngineRig) async throws { try await body(EngineBench(rig)) }

    /// The cases that make sense for an engine with those features.
    public static func cases(for features: Set<EngineFeature>) -> [EngineConformance] {
        (core + cancelling + processes + crashes).filter { $0.needs.isSubset(of: features) }
    }

    static let core: [EngineConformance] = [
        EngineConformance("a submitted run is held until it is released") { bench in
            let order = try await bench.submit(EngineProgram(prints: "hello"))
            try bench.equal(try await bench.state(of: order.run), .held, "state after submit")
            try bench.equal(try await bench.log(of: order.run), "", "log of a held run")
            try bench.equal(try await bench.rig.output("starts", of: order.run), nil, "starts of a held run")
            try await bench.rig.engine().release(order.run)
            let (outcome, started, ended) = try await bench.end(of: order.run)
            try bench.equal(outcome, RunOutcome(.succeeded), "outcome")
            try bench.equal(try await bench.log(of: order.run), "hello", "log")
            try bench.expect(
                started.map { $0 <= ended } ?? false,
                "it ended at \(ended) and started at \(String(describing: started))"
            )
        },
        EngineConformance("a repeated submit finds the first run") { bench in
            let order = try await bench.submit(EngineProgram(end: .never))
            let engine = try await bench.rig.engine()
            let first = try await engine.list().filter { $0.run == order.run }
            let again = try await engine.submit(order)
            try bench.equal(first.map(\.engineJob), [again], "name at the engine")
            try await engine.release(order.run)
            try await bench.running(order.run)
            try bench.equal(try await engine.submit(order), again, "name of a repeat while it runs")
            try bench.equal(try await engine.list().count { $0.run == order.run }, 1, "runs of that key")
            try await engine.cancel(order.run, grace: .zero)
            _ = try await bench.end(of: order.run)
            try bench.equal(try await engine.submit(order), again, "name of a repeat after the end")
            _ = try await bench.end(of: order.run)
        },
        EngineConformance("many releases start a run once") { bench in
            let order = try await bench.submit(EngineProgram(prints: "once"))
            let engine = try await bench.rig.engine()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 { group.addTask { try await engine.release(order.run) } }
                try await group.waitForAll()
            }
            _ = try await bench.end(of: order.run)
            try await engine.release(order.run)
            try await engine.release(order.run)
            let (outcome, _, _) = try await bench.end(of: order.run)
            try bench.equal(outcome, RunOutcome(.succeeded), "outcome")
            try bench.equal(try await bench.log(of: order.run), "once", "log")
            if bench.rig.features.contains(.processes) {
                try bench.equal(try await bench.rig.output("starts", of: order.run), "started\n", "starts")
            }
        },
        EngineConformance("an exit status is reported") { bench in
            let order = try await bench.start(EngineProgram(end: .exit(7)))
            try bench.equal(try await bench.end(of: order.run).outcome, RunOutcome(.exit, code: 7), "outcome")
        },
        EngineConformance("an end by a signal is reported") { bench in
            let order = try await bench.start(EngineProgram(end: .signal(11)))
            try bench.equal(try await bench.end(of: order.run).outcome, RunOutcome(.signal, code: 11), "outcome")
        },
        EngineConformance("a run is stopped at its time limit") { bench in
            let order = try await bench.start(EngineProgram(end: .never)) { $0.timeLimitSeconds = 1 }
            let (outcome, started, ended) = try await bench.end(of: order.run)
            try bench.equal(outcome.kind, .timeLimit, "outcome")
            let took = started.map { ended - $0 } ?? .zero
            try bench.expect(took >= .milliseconds(990), "it ran for \(took)")
        },
        EngineConformance("logs are read by offset") { bench in
            let order = try await bench.start(EngineProgram(prints: "0123456789"))
            _ = try await bench.end(of: order.run)
            let engine = try await bench.rig.engine()
            func part(_ offset: Int64, _ count: Int) async throws -> String {
                String(
                    decoding: try await engine.logs(order.run, task: 0, from: offset, countMax: count),
                    as: UTF8.self
                )
            }
            try bench.equal(try await part(0, 4), "0123", "first part")
            try bench.equal(try await part(4, 100), "456789", "second part")
            try bench.equal(try await part(10, 100), "", "at the end")
            try bench.equal(try await part(1000, 100), "", "behind the end")
            try bench.equal(try await part(0, 0), "", "nothing")
        },
        EngineConformance("list shows every run once") { bench in
            var runs: [RunKey] = []
            for index in 0..<5 {
                runs.append(try await bench.submit(EngineProgram(end: index < 2 ? .exit(0) : .never)).run)
            }
            let engine = try await bench.rig.engine()
            for run in runs.prefix(2) { try await engine.release(run) }
            for run in runs.prefix(2) { _ = try await bench.end(of: run) }
            let seen = try await engine.list().map(\.run).filter { runs.contains($0) }
            try bench.equal(seen.sorted(), runs.sorted(), "runs in the list")
        },
        EngineConformance("a forgotten run is gone") { bench in
            let order = try await bench.start(EngineProgram(prints: "x"))
            _ = try await bench.end(of: order.run)
            let engine = try await bench.rig.engine()
            try await engine.forget(order.run)
            try bench.equal(try await bench.state(of: order.run), nil, "state")
            try await bench.isUnknown(order.run, "logs") {
                _ = try await engine.logs(order.run, task: 0, from: 0, countMax: 10)
            }
            try await engine.forget(order.run)
        },
        EngineConformance("an unknown run is said to be unknown") { bench in
            let run = bench.newRun()
            let engine = try await bench.rig.engine()
            try await bench.isUnknown(run, "release") { try await engine.release(run) }
            try await bench.isUnknown(run, "cancel") { try await engine.cancel(run, grace: .zero) }
            try await bench.isUnknown(run, "logs") { _ = try await engine.logs(run, task: 0, from: 0, countMax: 1) }
            try await engine.forget(run)
            try bench.equal(try await bench.state(of: run), nil, "state")
        },
        EngineConformance("capacity names nodes that can be used") { bench in
            let capacity = try await bench.rig.engine().capacity()
            try bench.expect(!capacity.nodes.isEmpty, "there are no nodes")
            for node in capacity.nodes {
                try bench.expect(node.cores > 0 && node.memory > 0, "the node \(node) is empty")
            }
        },
    ]

    static let cancelling: [EngineConformance] = [
        EngineConformance("a held run that is cancelled never starts") { bench in
            let order = try await bench.submit(EngineProgram(prints: "no"))
            let engine = try await bench.rig.engine()
            try await engine.cancel(order.run, grace: .seconds(5))
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .cancelled, "outcome")
            try await engine.release(order.run)
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .cancelled, "outcome after a release")
            try bench.equal(try await bench.rig.output("starts", of: order.run), nil, "starts")
            try bench.equal(try await bench.log(of: order.run), "", "log")
        },
        EngineConformance("a running run that is cancelled ends") { bench in
            let order = try await bench.start(EngineProgram(prints: "ready", end: .never))
            try await bench.says("ready", order.run)
            let engine = try await bench.rig.engine()
            try await engine.cancel(order.run, grace: .seconds(600))
            let (outcome, started, ended) = try await bench.end(of: order.run)
            try bench.equal(outcome.kind, .cancelled, "outcome")
            let took = started.map { ended - $0 } ?? .seconds(600)
            try bench.expect(took < .seconds(300), "a polite program took \(took) to end")
            try await engine.cancel(order.run, grace: .zero)
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .cancelled, "outcome after a repeat")
        },
        EngineConformance("a run that ignores the polite signal is ended after the grace") { bench in
            let order = try await bench.start(EngineProgram(prints: "ready", end: .never, ignoresStop: true))
            try await bench.says("ready", order.run)
            try await bench.rig.engine().cancel(order.run, grace: .milliseconds(200))
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .cancelled, "outcome")
        },
        EngineConformance("a run that has not started is taken back for good") { bench in
            let order = try await bench.submit(EngineProgram(prints: "no"))
            let engine = try await bench.rig.engine()
            try bench.expect(try await engine.withdraw(order.run), "it was not taken back")
            try bench.equal(try await bench.end(of: order.run).outcome.kind, .cancelled, "outcome")
            try await engine.release(order.run)
            let (outcome, started, _) = try await bench.end(of: order.run)
            try bench.equal(outcome.kind, .cancelled, "outcome after a release")
            try bench.equal(started, nil, "start")
            try bench.equal(try await bench.log(of: order.run), "", "log")
        },
        EngineConformance("a run that has started is not taken back") { bench in
            let order = try await bench.start(EngineProgram(prints: "ready", end: .never))
            try await bench.says("ready", order.run)
            let engine = try await bench.rig.engine()
            try bench.expect(try await !engine.withdraw(order.run), "it was taken back")
            try await bench.running(order.run)
            try await engine.cancel(order.run, grace: .zero)
            _ = try await bench.end(of: order.run)
            try bench.expect(try await !engine.withdraw(order.run), "an ended run was taken back")
        },
        EngineConformance("cancelling an ended run changes nothing") { bench in
            let order = try await bench.start(EngineProgram(end: .exit(3)))
            let before = try await bench.end(of: order.run)
            try await bench.rig.engine().cancel(order.run, grace: .zero)
            let after = try await bench.end(of: order.run)
            try bench.expect(before == after, "it was \(before) and is \(after)")
        },
    ]
}
