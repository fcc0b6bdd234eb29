import ArgumentParser
import Client
import Core
import FoundationEssentials
import Glibc
import Replay

/// `onepoint simulate`: replays traces through the scheduler in virtual time.
struct SimulateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replay the jobs of real machines under one policy or several, in virtual time.",
        discussion: """
            TRACE is a file in the Standard Workload Format, or a CSV whose first line names columns such as submit, \
            duration and gpus, or a point's own log as 'onepoint events --json --limit 1000000' prints it, which brings its \
            federation with it; each may be packed with gzip. Each policy gets the same jobs on the same federation, and \
            sees how long one ran only when it ends, unless its name ends in +actual. 'onepoint' is the scheduler for a million \
            jobs; 'point' asks what a running point asks, with priorities, preemption and moves within a centre, and takes \
            longer. From the second policy on, its \
            difference to the first is told job by job, with 95 per cent confidence. The same input gives the same \
            schedule on any machine; its hash says so. With --publish the report, with its charts, is kept at a point for \
            everybody who looks at its console ('onepoint simulation', operators only).
            """
    )

    @Argument(help: "Files to replay.", completion: .file()) var trace: [String]
    @Option(
        help: ArgumentHelp("The centres, as YAML (docs/scheduling.md has the form).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var federation: String?
    @Option(help: "One machine of so many processors, over what the trace says of its own.") var processors: Int?
    @Option(
        help: "A federation that comes with Onepoint: \(Self.presets).",
        completion: .list(Federation.Preset.allCases.map(\.rawValue))
    )
    var preset: String?
    @Option(
        name: [.customLong("policy")],
        help: ArgumentHelp(
            """
            \(ReplayPolicy.all.map(\.name).joined(separator: ", ")); several with commas between. After + where \
            estimates of run times come from: requested, actual or predicted.
            """,
            valueName: "names"
        ),
        completion: .list(ReplayPolicy.all.map(\.name))
    )
    var policies = "onepoint"
    @Option(help: "Divide the times between submissions by this.") var scale = 1.0
    @Option(
        help: "What happens in one second: batch, or sequential, one pass for each event as in the SC'15 studies.",
        completion: .list(ReplayOptions.EventOrder.allCases.map(\.rawValue))
    )
    var eventOrder = "batch"
    @Option(
        help: "Who counts as a project: \(Self.owners). onepoint then shares between them; the others know none.",
        completion: .list(TraceJob.Owner.allCases.map(\.rawValue))
    )
    var projects: String?
    @Flag(help: "Keep jobs at the centre that the trace sent them to.") var stayHome = false
    @Option(
        help: ArgumentHelp(
            "A centre that is away: its number from 0, from which hour, for how many hours. May be repeated.",
            valueName: "centre:hour:hours"
        )
    )
    var outage: [String] = []
    @Option(
        help: ArgumentHelp(
            "Foretell start and run time of one job in so many, and tell how often that came true in the later half.",
            valueName: "every"
        )
    )
    var forecasts: Int?
    @Option(
        help: ArgumentHelp(
            "Instead of time: jobs come in random order and stay until this part of all cards was asked for, say 1.3.",
            valueName: "part"
        )
    )
    var fill: Double?
    @Option(help: "With --fill: repeat with so many seeds.") var seeds = 10
    @Option(help: "What chance begins with.") var seed: UInt64 = 1
    @Flag(help: "Print one JSON object.") var json = false
    @Flag(help: "Print comma-separated values.") var csv = false
    @Option(help: ArgumentHelp("Write a page with charts.", valueName: "file"), completion: .file()) var html: String?
    @Option(
        help: ArgumentHelp(
            "Publish the report at the point under this name, in the place of an earlier one.",
            valueName: "name"
        )
    )
    var publish: String?
    @Option(
        help: ArgumentHelp(
            "With --publish: the point, instead of the one of login or ONEPOINT_URL.",
            valueName: "address"
        )
    )
    var url: String?

    func validate() throws {
        guard !json || !csv else { throw ValidationError("--json and --csv exclude each other") }
        guard [federation, preset, processors.map { "\($0)" }].compactMap({ $0 }).count <= 1 else {
            throw ValidationError("--federation, --preset and --processors exclude each other")
        }
        if let processors, !(1...1_000_000).contains(processors) {
            throw ValidationError("--processors: from 1 to 1,000,000")
        }
        if let preset, Federation.Preset(rawValue: preset) == nil {
            throw ValidationError("--preset: there is no '\(preset)'; there are \(Self.presets)")
        }
        for name in policies.split(separator: ",") where ReplayPolicy(name) == nil {
            let known = ReplayPolicy.all.map(\.name).joined(separator: ", ")
            throw ValidationError("--policy: there is no '\(name)'; there are \(known)")
        }
        guard !policies.split(separator: ",").isEmpty else { throw ValidationError("--policy: needs a name") }
        guard (0.001...1000).contains(scale) else { throw ValidationError("--scale: from 0.001 to 1000") }
        if let projects, TraceJob.Owner(rawValue: projects) == nil {
            throw ValidationError("--projects: there is no '\(projects)'; there are \(Self.owners)")
        }
        guard projects == nil || fill == nil else { throw ValidationError("--projects has no meaning with --fill") }
        guard ReplayOptions.EventOrder(rawValue: eventOrder) != nil else {
            throw ValidationError("--event-order: batch or sequential")
        }
        guard eventOrder == "batch" || !chosen.contains(where: { $0.mind == .plan }) else {
            throw ValidationError("--event-order: a point knows only batch")
        }
        for text in outage where Self.outage(text) == nil {
            throw ValidationError("--outage: '\(text)' is not a centre's number, an hour and hours, as in 0:24:12")
        }
        if let forecasts, !(1...1_000_000).contains(forecasts) {
            throw ValidationError("--forecasts: from 1 to 1,000,000")
        }
        guard forecasts == nil || fill == nil else {
            throw ValidationError("--forecasts needs time, which --fill has not")
        }
        if let fill, !(0.01...100).contains(fill) { throw ValidationError("--fill: from 0.01 to 100") }
        guard (1...10_000).contains(seeds) else { throw ValidationError("--seeds: from 1 to 10,000") }
        guard html == nil || fill == nil else { throw ValidationError("--html has no page for --fill") }
        guard html == nil || trace.count == 1 else { throw ValidationError("--html takes one trace") }
        guard publish == nil || fill == nil else { throw ValidationError("--publish has no report of --fill") }
        guard publish == nil || trace.count == 1 else { throw ValidationError("--publish takes one trace") }
        guard url == nil || publish != nil else { throw ValidationError("--url has no meaning without --publish") }
        if let publish, SimulationName(publish) == nil {
            throw ValidationError("--publish: '\(publish)' is no name: \(SimulationName.rule)")
        }
    }

    func run() async throws {
        do {
            guard fill == nil else { return try fillUp() }
            // Before minutes of replaying, not after.
            var publisher: SimulationPublisher?
            if publish != nil { publisher = try await SimulationPublisher(url: url) }
            let reports = try replay()
            guard let publisher, let report = reports.first, let name = publish.flatMap({ SimulationName($0) }) else {
                return
            }
            let address = try await publisher.publish(
                report.experiment.report(report.outcomes, report.comparisons),
                as: name
            )
            // Beside the report itself, which may be read by a program.
            standardError("published: \(address)\n")
        } catch let fault as TraceFault {
            throw Failure(.invalid, "\(fault).")
        }
    }

    private static let presets = Federation.Preset.allCases.map(\.rawValue).joined(separator: ", ")

    private static let owners = TraceJob.Owner.allCases.map(\.rawValue).joined(separator: ", ")

    private var chosen: [ReplayPolicy] { policies.split(separator: ",").compactMap { ReplayPolicy($0) } }

    private static func outage(_ text: String) -> ReplayOptions.Outage? {
        let parts = text.split(separator: ":").map { Int64($0) ?? -1 }
        guard parts.count == 3, (0...999).contains(parts[0]), (0...1_000_000).contains(parts[1]),
            (1...1_000_000).contains(parts[2])
        else { return nil }
        return .init(centre: Int(parts[0]), start: parts[1] * 3600, end: (parts[1] + parts[2]) * 3600)
    }

    private func experiment(_ path: String) throws -> Experiment {
        let trace = try Trace.read(path, processors: processors)
        let place: Federation
        if let federation {
            place = try .load(federation)
        } else if let preset = preset.flatMap({ Federation.Preset(rawValue: $0) }) {
            place = .preset(preset)
        } else if let own = trace.federation {
            place = own
        } else if let processors = trace.processors, trace.jobs.allSatisfy({ $0.cards == 0 }) {
            place = .processors(processors)
        } else {
            throw Failure(
                .invalid,
                "\(path) does not say what machine it is of: name one with --federation, --preset or --processors."
            )
        }
        var options = ReplayOptions()
        options.scale = scale
        options.staysHome = stayHome
        options.forecastEvery = forecasts ?? 0
        options.projects = projects.flatMap { TraceJob.Owner(rawValue: $0) }
        let namesProjects = !place.projects.isEmpty || place.reservations.contains { $0.project != nil }
        if options.projects == nil, namesProjects { options.projects = .project }
        if let owner = options.projects, trace.jobs.allSatisfy({ $0.owner(owner) < 0 }) {
            throw Failure(.invalid, "\(path) does not say of what \(owner.rawValue) its jobs are.")
        }
        options.eventOrder = ReplayOptions.EventOrder(rawValue: eventOrder) ?? .batch
        let begin = Int64(Double(trace.jobs.first?.submit ?? 0) / scale)
        options.outages = outage.compactMap { Self.outage($0) }.map {
            .init(centre: $0.centre, start: $0.start + begin, end: $0.end + begin)
        }
        if let missing = options.outages.first(where: { $0.centre >= place.centres.count }) {
            throw Failure(
                .invalid,
                "--outage names centre \(missing.centre); they are 0 to \(place.centres.count - 1)."
            )
        }
        return try Experiment(trace, on: place, options: options)
    }

    // MARK: replay

    private func replay() throws -> [ReplayReport] {
        var reports: [ReplayReport] = []
        for path in trace {
            let experiment = try experiment(path)
            guard experiment.trace.hasTimes else {
                throw Failure(.invalid, "\(path) does not say when its jobs came or how long they ran; try --fill.")
            }
            if publish != nil, let fault = experiment.reportFault(chosen) {
                throw Failure(.invalid, "--publish \(fault).")
            }
            let count = experiment.replayed.count
            var outcomes: [Experiment.Outcome] = []
            for policy in chosen {
                let outcome = try experiment.run(policy, cpuTime: Self.cpuTime) { done in
                    Self.progress("\(experiment.trace.name), \(policy.name): \(done * 100 / max(1, count)) %")
                }
                Self.progress("")
                outcomes.append(outcome)
            }
            reports.append(ReplayReport(experiment: experiment, outcomes: outcomes, seed: seed))
        }
        if let html, let report = reports.first {
            let page = report.experiment.html(report.outcomes, report.comparisons)
            do {
                try Data(page.utf8).write(to: URL(fileURLWithPath: html), options: .atomic)
            } catch {
                throw Failure(.invalid, "\(html) cannot be written: \(error)")
            }
        }
        if json {
            print(JSON.object([(key: "traces", value: .array(reports.map(\.json)))]).text)
        } else if csv {
            print(ReplayReport.csvTitle)
            for report in reports { print(report.csv, terminator: "") }
        } else {
            print(reports.map(\.text).joined(separator: "\n"), terminator: "")
        }
        return reports
    }

    /// Of this process, in seconds.
    private static func cpuTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// One line on a terminal that the next one replaces; nothing where nobody looks.
    private static func progress(_ text: String) {
        guard isatty(2) == 1 else { return }
        standardError("\r\u{1B}[K\(text)")
    }

    // MARK: fill

    private func fillUp() throws {
        guard let part = fill else { return }
        var lines: [JSON] = []
        for path in trace {
            let experiment = try experiment(path)
            for policy in chosen {
                var fillings: [Experiment.Filling] = []
                for number in 0..<seeds {
                    Self.progress("\(experiment.trace.name), \(policy.name): seed \(number + 1) of \(seeds)")
                    fillings.append(
                        try experiment.fill(policy, part: part, seed: seed &+ UInt64(number), cpuTime: Self.cpuTime)
                    )
                }
                Self.progress("")
                let report = FillReport(trace: experiment.trace.name, policy: policy.name, fillings: fillings)
                if json { lines.append(report.json) } else { print(csv ? report.csv : report.text) }
            }
        }
        if json { print(JSON.object([(key: "fillings", value: .array(lines))]).text) }
    }
}
