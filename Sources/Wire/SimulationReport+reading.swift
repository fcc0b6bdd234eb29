public import Core

extension SimulationReport {
    /// Reads a report as a client sends it, strictly: a name too many, a series that is too short or a figure that is none
    /// is a fault.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault and its JSON Pointer.
    public static func read(_ json: JSON) throws(Failure) -> SimulationReport {
        var reader = DocumentReader()
        let report = reader.report(json)
        try reader.finish("report of a simulation")
        guard let report else { throw Failure(.internal, "A report without faults could not be read.") }
        return report
    }
}

/// An object while it is being read: what is asked for is taken, what is left over is unknown.
private struct Fields {
    let base: String
    let isObject: Bool
    let members: [(key: String, value: JSON)]
    var known: [String] = []

    func at(_ key: String) -> String { base + "/" + key }
}

/// Counts, and seconds of any history.
private let countMax = 1 << 50
private let figureMax = 1e18

extension DocumentReader {
    private mutating func open(_ json: JSON, at base: String) -> Fields {
        let isObject = if case .object = json { true } else { false }
        return Fields(base: base, isObject: isObject, members: members(json, at: base))
    }

    private mutating func close(_ fields: Fields) {
        for (key, _) in fields.members.lazy.filter({ !fields.known.contains($0.key) }).prefix(JobLimits.faultsMax) {
            unknownKey(key, among: fields.known, at: fields.base)
        }
    }

    private func optional(_ key: String, _ fields: inout Fields) -> JSON? {
        fields.known.append(key)
        return fields.members.first { $0.key == key && $0.value != .null }?.value
    }

    private mutating func required(_ key: String, _ fields: inout Fields) -> JSON? {
        if let value = optional(key, &fields) { return value }
        // What is no object at all is one fault, not one for each member.
        if fields.isObject { fault(fields.at(key), "is missing") }
        return nil
    }

    private mutating func count(_ key: String, _ fields: inout Fields, from least: Int = 0) -> Int {
        required(key, &fields).flatMap { integer($0, least...countMax, at: fields.at(key)) } ?? 0
    }

    private mutating func figure(_ value: JSON, at pointer: @autoclosure () -> String) -> Double? {
        if let number = value.numberValue, abs(number) <= figureMax { return number }
        fault(pointer(), "must be a number of at most 10 to the 18th, not \(value.kind)")
        return nil
    }

    private mutating func figure(_ key: String, _ fields: inout Fields) -> Double {
        required(key, &fields).flatMap { figure($0, at: fields.at(key)) } ?? 0
    }

    /// From 0; a part of a whole ends at 1.
    private mutating func amount(_ key: String, _ fields: inout Fields, to most: Double = figureMax) -> Double {
        let value = figure(key, &fields)
        if !(0...most).contains(value) {
            fault(fields.at(key), most == 1 ? "must be from 0 to 1" : "must not be negative")
        }
        return value
    }

    private mutating func line(_ key: String, _ fields: inout Fields) -> String {
        guard let value = required(key, &fields),
            let text = string(value, 1...SimulationReport.nameBytesMax, at: fields.at(key))
        else { return "" }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            fault(fields.at(key), "must be one line without control characters")
        }
        return text
    }

    private mutating func list<Value>(
        _ key: String,
        _ fields: inout Fields,
        of what: String,
        _ range: ClosedRange<Int>,
        _ read: (inout DocumentReader, JSON, String) -> Value?
    ) -> [Value] {
        guard let value = required(key, &fields) else { return [] }
        let base = fields.at(key)
        return items(value, of: what, range, at: base).enumerated().compactMap { read(&self, $1, "\(base)/\($0)") }
    }

    fileprivate mutating func report(_ json: JSON) -> SimulationReport? {
        var fields = open(json, at: "")
        if let format = required("format", &fields), format.integerValue != Int64(SimulationReport.currentFormat) {
            fault("/format", "must be \(SimulationReport.currentFormat), the form that this version of Onepoint knows")
            // Of another form nothing else can be said.
            return nil
        }
        let trace = required("trace", &fields).map { self.trace($0) }
        let centres = list("centres", &fields, of: "centres", 1...SimulationReport.centresMax) { $0.centre($1, at: $2) }
        let options = required("options", &fields).map { self.options($0, centres: centres.count) }
        let petaflops = amount("petaflops", &fields)
        let unit: SimulationReport.Unit? = required("unit", &fields).flatMap { choice($0, at: "/unit") }
        let step = amount("step_seconds", &fields)
        let policies = list("policies", &fields, of: "policies", 1...SimulationReport.policiesMax) {
            $0.policy($1, at: $2)
        }
        let differences = list("differences", &fields, of: "differences", 0...SimulationReport.policiesMax) {
            $0.comparison($1, at: $2)
        }
        close(fields)
        check(policies, centres.count)
        for (index, difference) in differences.enumerated() {
            for (key, name) in [("policy", difference.policy), ("base", difference.base)]
            where !policies.contains(where: { $0.name == name }) {
                fault("/differences/\(index)/\(key)", "is none of the policies")
            }
        }
        guard let trace, let options, let unit else { return nil }
        return SimulationReport(
            trace: trace,
            options: options,
            centres: centres,
            petaflops: petaflops,
            unit: unit,
            stepSeconds: step,
            policies: policies,
            differences: differences
        )
    }

    /// What the parts must have in common.
    private mutating func check(_ policies: [SimulationReport.Policy], _ centres: Int) {
        guard isClean, let moments = policies.first?.queued.count else { return }
        for (index, policy) in policies.enumerated() {
            let base = "/policies/\(index)"
            if policies[..<index].contains(where: { $0.name == policy.name }) {
                fault(base + "/name", "is the name of another policy")
            }
            if policy.queued.count != moments {
                fault(base + "/queued", "must have \(moments) values, as that of the first policy")
            }
            if policy.used.count != centres { fault(base + "/used", "must have a series for each centre") }
            for (centre, series) in policy.used.enumerated() where series.count != moments {
                fault("\(base)/used/\(centre)", "must have \(moments) values, as 'queued' of the first policy")
            }
        }
        let values = policies.reduce(0) { $0 + $1.queued.count + $1.used.reduce(0) { $0 + $1.count } }
        if values > SimulationReport.valuesMax {
            fault(
                "/policies",
                "has \(values) values in its series; all together may have \(SimulationReport.valuesMax)"
            )
        }
    }

    private mutating func trace(_ json: JSON) -> SimulationReport.Trace {
        var fields = open(json, at: "/trace")
        let name = line("name", &fields)
        let jobs = count("jobs", &fields, from: 1)
        let skipped = list("skipped", &fields, of: "reasons", 0...SimulationReport.skippedMax) {
            reader,
            json,
            base -> SimulationReport.Skipped? in
            var fields = reader.open(json, at: base)
            let (reason, jobs) = (reader.line("reason", &fields), reader.count("jobs", &fields))
            reader.close(fields)
            return .init(reason: reason, jobs: jobs)
        }
        close(fields)
        return .init(name: name, jobs: jobs, skipped: skipped)
    }

    private mutating func centre(_ json: JSON, at base: String) -> SimulationReport.Centre? {
        var fields = open(json, at: base)
        let name = line("name", &fields)
        let tier: Tier? = required("tier", &fields).flatMap { choice($0, at: base + "/tier") }
        let (nodes, cores) = (count("nodes", &fields), count("cores", &fields))
        let cards = count("cards", &fields)
        close(fields)
        return tier.map { .init(name: name, tier: $0, nodes: nodes, cores: cores, cards: cards) }
    }

    private mutating func options(_ json: JSON, centres: Int) -> SimulationReport.Options {
        var fields = open(json, at: "/options")
        let scale = amount("scale", &fields)
        let order: SimulationReport.EventOrder? = required("event_order", &fields).flatMap {
            choice($0, at: "/options/event_order")
        }
        let staysHome = required("stay_home", &fields).flatMap { bool($0, at: "/options/stay_home") }
        let projects: SimulationReport.Owner? = optional("projects", &fields).flatMap {
            choice($0, at: "/options/projects")
        }
        let outages = list("outages", &fields, of: "outages", 0...SimulationReport.outagesMax) {
            reader,
            json,
            base -> SimulationReport.Outage? in
            var fields = reader.open(json, at: base)
            let centre = reader.required("centre", &fields).flatMap {
                reader.integer($0, 0...max(0, centres - 1), at: base + "/centre")
            }
            let (from, seconds) = (reader.count("from_seconds", &fields), reader.count("seconds", &fields))
            reader.close(fields)
            return centre.map { .init(centre: $0, fromSeconds: from, seconds: seconds) }
        }
        close(fields)
        return .init(
            scale: scale,
            eventOrder: order ?? .batch,
            stayHome: staysHome ?? false,
            projects: projects,
            outages: outages
        )
    }

    private mutating func policy(_ json: JSON, at base: String) -> SimulationReport.Policy? {
        var fields = open(json, at: base)
        let name = line("name", &fields)
        let (started, impossible) = (count("started", &fields), count("impossible", &fields))
        let interrupted = count("interrupted", &fields)
        let figures = required("figures", &fields).map { self.figures($0, at: base + "/figures") }
        let sizes = list("sizes", &fields, of: "sizes", 0...SimulationReport.sizesMax) { $0.size($1, at: $2) }
        let projects = list("projects", &fields, of: "projects", 0...SimulationReport.projectsMax) {
            $0.project($1, at: $2)
        }
        let more = count("projects_more", &fields)
        let jain = optional("jain_projects", &fields).flatMap { figure($0, at: base + "/jain_projects") }
        let forecasts = optional("forecasts", &fields).map { self.forecasts($0, at: base + "/forecasts") }
        let hash = line("schedule_hash", &fields)
        let cpuSeconds = amount("cpu_seconds", &fields)
        let moments = 2...SimulationReport.momentsMax
        let queued = list("queued", &fields, of: "moments", moments) { $0.integer($1, 0...countMax, at: $2) }
        let used = list("used", &fields, of: "centres", 1...SimulationReport.centresMax) {
            reader,
            json,
            base -> [Int]? in
            reader.items(json, of: "moments", moments, at: base).enumerated()
                .compactMap { reader.integer($1, 0...1000, at: "\(base)/\($0)") }
        }
        close(fields)
        return .init(
            name: name,
            started: started,
            impossible: impossible,
            interrupted: interrupted,
            figures: figures ?? [:],
            sizes: sizes,
            projects: projects,
            projectsMore: more,
            jainProjects: jain,
            forecasts: forecasts,
            scheduleHash: hash,
            cpuSeconds: cpuSeconds,
            queued: queued,
            used: used
        )
    }

    private mutating func figures(_ json: JSON, at base: String) -> [String: Double] {
        var figures: [String: Double] = [:]
        for (key, value) in members(json, at: base) {
            guard SimulationReport.Figure(rawValue: key) != nil else {
                unknownKey(key, among: SimulationReport.Figure.allCases.map(\.rawValue), at: base)
                continue
            }
            // As the command line writes what has no meaning for a trace.
            if value == .null { continue }
            figures[key] = figure(value, at: base + "/" + key)
        }
        return figures
    }

    private mutating func size(_ json: JSON, at base: String) -> SimulationReport.SizeClass? {
        var fields = open(json, at: base)
        let (upTo, jobs) = (count("up_to", &fields, from: 1), count("jobs", &fields))
        let wait = amount("mean_wait_seconds", &fields)
        close(fields)
        return .init(upTo: upTo, jobs: jobs, meanWaitSeconds: wait)
    }

    private mutating func project(_ json: JSON, at base: String) -> SimulationReport.Project? {
        var fields = open(json, at: base)
        let name = line("name", &fields)
        let (share, started) = (amount("share", &fields, to: 1), count("started", &fields))
        let wait = amount("mean_wait_seconds", &fields)
        let slowdown = amount("mean_bounded_slowdown", &fields)
        let (held, ofDue) = (amount("held", &fields), amount("of_due", &fields))
        close(fields)
        return .init(
            name: name,
            share: share,
            started: started,
            meanWaitSeconds: wait,
            meanBoundedSlowdown: slowdown,
            held: held,
            ofDue: ofDue
        )
    }

    private mutating func forecasts(_ json: JSON, at base: String) -> SimulationReport.Forecasts {
        func foretold(_ key: String, _ fields: inout Fields, _ reader: inout DocumentReader)
            -> SimulationReport.Foretold
        {
            guard let value = reader.required(key, &fields) else {
                return .init(count: 0, p50Held: 0, p90Held: 0, p90OverTruth: 0)
            }
            var inner = reader.open(value, at: fields.at(key))
            let count = reader.count("count", &inner)
            let p50 = reader.amount("p50_held", &inner, to: 1)
            let p90 = reader.amount("p90_held", &inner, to: 1)
            let width = reader.amount("p90_over_truth", &inner)
            reader.close(inner)
            return .init(count: count, p50Held: p50, p90Held: p90, p90OverTruth: width)
        }
        var fields = open(json, at: base)
        let starts = foretold("starts", &fields, &self)
        let runs = foretold("runs", &fields, &self)
        close(fields)
        return .init(starts: starts, runs: runs)
    }

    private mutating func comparison(_ json: JSON, at base: String) -> SimulationReport.Comparison? {
        func difference(
            _ key: String,
            _ fields: inout Fields,
            _ reader: inout DocumentReader
        ) -> SimulationReport.Difference {
            guard let value = reader.required(key, &fields) else { return .init(mean: 0, low: 0, high: 0) }
            var inner = reader.open(value, at: fields.at(key))
            let (mean, low) = (reader.figure("mean", &inner), reader.figure("low", &inner))
            let high = reader.figure("high", &inner)
            if low > high { reader.fault(inner.at("low"), "must not be above 'high'") }
            reader.close(inner)
            return .init(mean: mean, low: low, high: high)
        }
        var fields = open(json, at: base)
        let (policy, other) = (line("policy", &fields), line("base", &fields))
        let wait = difference("wait_seconds", &fields, &self)
        let slowdown = difference("bounded_slowdown", &fields, &self)
        close(fields)
        return .init(policy: policy, base: other, waitSeconds: wait, boundedSlowdown: slowdown)
    }
}
