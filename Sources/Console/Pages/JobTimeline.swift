import Core
import Wire

/// A job's life as strips of time, one for each attempt, and the same in words.
struct JobTimeline: Sendable {
    var job: JobDetail
    var events: [EventView]

    /// The phases of each run, derived from the job's own times and from the events between.
    func strip(now: Instant) -> StripChart {
        let summary = job.summary
        let runs = job.runs.sorted { $0.number < $1.number }
        var queuedSince = summary.submittedAt
        var rows: [StripChart.Row] = []
        for run in runs {
            var phases: [StripChart.Phase] = []
            var cursor = queuedSince
            func advance(_ kind: StripChart.Phase.Kind, to end: Instant) {
                if end > cursor { phases.append(.init(kind: kind, from: cursor, to: end)) }
                cursor = max(cursor, end)
            }
            let end = run.endedAt ?? now
            advance(.queued, to: run.leasedAt)
            let accepted = time(.runAccepted, of: run.run)
            let pending = time(.runPending, of: run.run)
            let started = run.startedAt ?? end
            if let accepted { advance(.leased, to: min(accepted, started)) }
            if let pending {
                advance(accepted == nil ? .leased : .staging, to: min(pending, started))
                advance(.pending, to: started)
            } else {
                advance(accepted == nil ? .leased : .staging, to: started)
            }
            if let unseen = run.unseenSince, !run.state.isTerminal, unseen > cursor {
                advance(.running, to: unseen)
                advance(.unseen, to: end)
            } else {
                advance(.running, to: end)
            }
            rows.append(.init(title: "#\(run.number)", phases: phases))
            queuedSince = end
        }
        if !summary.state.isTerminal, summary.state == .queued {
            rows.append(.init(title: "", phases: [.init(kind: .queued, from: queuedSince, to: now)]))
        } else if runs.isEmpty {
            let end = summary.endedAt ?? now
            rows.append(.init(title: "", phases: [.init(kind: .queued, from: queuedSince, to: end)]))
        }
        let to = summary.endedAt ?? now
        return StripChart(rows: rows, from: summary.submittedAt, to: max(to, summary.submittedAt + .milliseconds(1)))
    }

    private func time(_ kind: Event.Kind, of run: RunKey) -> Instant? {
        events.first { $0.kind == kind.rawValue && $0.payload["run"]?.stringValue == run.description }?.at
    }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let chart = strip(now: frame.now)
        let drawing = chart.render(label: w(.timeline)) { phase in
            "\(Self.name(phase.kind, w)): \(w.duration(phase.to - phase.from))"
        }
        let legend = chart.rows.html { row in
            let phases = row.phases.html { phase in
                let kind: HTML = "phase-\(phase.kind.rawValue)"
                return """
                    <li><i class="\(kind)"></i>\(Self.name(phase.kind, w)) <b>\(w.duration(phase.to - phase.from))</b></li>
                    """
            }
            let title: HTML =
                chart.rows.count > 1 ? "<span class=\"run\">\(row.title.isEmpty ? "…" : row.title)</span>" : ""
            return "<div class=\"phases\">\(title)<ol>\(phases)</ol></div>"
        }
        let end: HTML = job.summary.endedAt.map { w.time($0) } ?? "\(w(.now))"
        return """
            <section class="timeline"><h2>\(w(.timeline))</h2>\(drawing)
            <div class="ends"><span>\(w.time(job.summary.submittedAt))</span><span>\(end)</span></div>
            \(legend)</section>
            """
    }

    static func name(_ kind: StripChart.Phase.Kind, _ w: Words) -> String {
        switch kind {
        case .queued: w(.phaseQueued)
        case .leased: w(.phaseLeased)
        case .staging: w(.phaseStaging)
        case .pending: w(.phasePending)
        case .running: w(.phaseRunning)
        case .unseen: w(.unseen)
        }
    }
}

/// What was asked for.
struct JobSpecification: Sendable {
    var job: JobDetail

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let spec = job.spec
        let places = (spec.placement.tiers.map { w($0) } + spec.placement.centres.map(\.text)).joined(separator: ", ")
        let algorithm: HTML? = spec.algorithm.map { "\($0.name) \($0.version)" }
        let parameters: HTML? =
            spec.parameters.isEmpty
            ? nil
            : spec.parameters.sorted { $0.key < $1.key }.html { "<code>\($0.key)=\($0.value.text)</code> " }
        let inputs: HTML? =
            spec.inputs.isEmpty
            ? nil
            : spec.inputs.html { input in
                switch input.source {
                case .artifact(let digest, let kind):
                    let artifact = Artifact(name: input.name, kind: kind, digest: digest, size: 0)
                    return "<li><a href=\"\(JobPage.link(artifact))\">\(input.name)</a></li>"
                case .output(let job, let output):
                    return "<li>\(input.name) <span class=\"soft\">← \(EventList.short(job)) · \(output)</span></li>"
                }
            }
        return """
            <section><h2>\(w(.specification))</h2><dl class="facts">
            \(frame.term(w(.algorithm), algorithm))\
            \(frame.term(w(.resources), "\(frame.resources(spec.resources, tasks: spec.tasks))"))\
            \(frame.term(w(.timeLimit), "\(w.duration(.seconds(spec.timeLimitSeconds)))"))\
            \(frame.term(w(.placement), places.isEmpty ? "\(w(.anywhere))" : "\(places)"))\
            \(frame.term(w(.priority), "\(spec.priority)"))\
            \(frame.term(w(.preemptible), spec.preemptible ? "\(w(.yes))" : "\(w(.no))"))\
            \(frame.term(w(.parameters), parameters))\(frame.term(w(.inputs), inputs.map { "<ul class=\"tight\">\($0)</ul>" }))</dl>
            <details><summary>\(w(.command))</summary>\
            \(frame.code(spec.command.map(Self.quoted).joined(separator: " ")))</details></section>
            """
    }

    /// An argument as a POSIX shell would want it.
    static func quoted(_ argument: String) -> String {
        let plain = argument.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "+"):
                true
            default: false
            }
        }
        if plain, !argument.isEmpty { return argument }
        return "'" + argument.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
