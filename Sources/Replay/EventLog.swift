internal import Core

/// The point's own log as a trace: what `onepoint events --json` prints, an event or a page of events a line.
///
/// A job comes when it was submitted, or when the last that it depended on had succeeded, and runs as long as its last
/// attempt did. The federation is as the centres last reported it.
struct EventLog {
    private struct Submitted {
        var at: Instant
        var event: Event.JobsSubmitted
    }

    private struct Life {
        var started: Instant?
        var ranSeconds: Int64?
        var centre: CentreName?
        var endedAt: Instant?
    }

    private var submitted: [Submitted] = []
    private var lives: [JobID: Life] = [:]
    private var centres: [CentreName: (tier: Tier, prices: PriceTable, capacity: CentreCapacity?)] = [:]
    private var order: [CentreName] = []
    private var unreadable = 0

    /// `nil` for what does not begin as such a log does.
    init?(_ bytes: [UInt8]) {
        guard bytes.first(where: { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }) == UInt8(ascii: "{") else {
            return nil
        }
        for line in bytes.split(separator: 0x0A) where line.contains(where: { $0 > 0x20 }) {
            guard let json = try? JSON(parsing: line, depthMax: JSON.ownDepthMax) else {
                unreadable += 1
                continue
            }
            for event in json["items"]?.arrayValue ?? [json] {
                do { try take(event) } catch { unreadable += 1 }
            }
        }
    }

    private struct Payload: PayloadReader {
        let json: JSON
        func read<Value: Decodable>() throws -> Value { try json.decode() }
    }

    private mutating func take(_ json: JSON) throws {
        guard let kind = json["kind"]?.stringValue.flatMap({ Event.Kind(rawValue: $0) }),
            let at = json["at"]?.stringValue.flatMap({ Instant(rfc3339: $0) }), let payload = json["payload"]
        else {
            unreadable += 1
            return
        }
        switch kind {
        case .centreCreated, .centreChanged, .capacityReported, .jobsSubmitted, .runLeased, .runStarted, .runEnded,
            .jobEnded:
            take(try Event(kind, reading: Payload(json: payload)), at)
        default: break
        }
    }

    private mutating func take(_ event: Event, _ at: Instant) {
        switch event {
        case .centreCreated(let created):
            if centres[created.centre] == nil { order.append(created.centre) }
            centres[created.centre] = (created.tier, created.prices, nil)
        case .centreChanged(let changed):
            if let prices = changed.prices { centres[changed.centre]?.prices = prices }
        case .capacityReported(let reported): centres[reported.centre]?.capacity = reported.capacity
        case .jobsSubmitted(let jobs): submitted.append(Submitted(at: at, event: jobs))
        case .runLeased(let leased): lives[leased.run.job, default: Life()].centre = leased.centre
        case .runStarted(let started): lives[started.run.job, default: Life()].started = started.startedAt
        case .runEnded(let ended):
            guard ended.outcome.kind.tellsRunTime, let start = lives[ended.run.job]?.started else { break }
            lives[ended.run.job]?.ranSeconds = max(1, Int64((ended.endedAt - start).seconds.rounded(.up)))
        case .jobEnded(let ended): lives[ended.job, default: Life()].endedAt = at
        default: break
        }
    }

    func trace(name: String) -> Trace {
        var trace = Trace(name: name)
        if unreadable > 0 { trace.skipped["unreadable event"] = unreadable }
        trace.federation = federation
        var owners: [TraceJob.Owner: [String: Int32]] = [.user: [:], .project: [:]]
        var programs: [String: Int32] = [:]
        var arrays: [ArrayID: Event.JobsSubmitted] = [:]
        for jobs in submitted { if let array = jobs.event.array { arrays[array] = jobs.event } }
        let models = Set(
            trace.federation?.centres.flatMap { $0.nodes.lazy.filter { $0.cards > 0 }.map(\.model) } ?? []
        ).sorted()
        let homes = Dictionary(uniqueKeysWithValues: order.enumerated().map { ($1, Int32($0)) })
        for jobs in submitted {
            let spec = jobs.event.spec
            var made = TraceJob(submit: 0, run: 1, requested: Int64(spec.timeLimitSeconds))
            made.tasks = spec.tasks
            made.milliCores = Int(clamping: spec.resources.cores.count) * spec.tasks
            made.memoryMiB = Int(clamping: spec.resources.memory.count >> 20) * spec.tasks
            made.cards = spec.resources.cards * spec.tasks
            made.models = trace.models(spec, of: models)
            made.places = trace.places(spec.placement)
            (made.priority, made.preemptible) = (spec.priority, spec.preemptible)
            made.user = Self.number("\(jobs.event.user)", &owners[.user, default: [:]])
            made.project = Self.number("\(jobs.event.project)", &owners[.project, default: [:]])
            made.program = Self.number(spec.algorithm?.name ?? spec.command.joined(separator: " "), &programs)
            let ready = readyAt(jobs, arrays)
            for index in 0..<jobs.event.count {
                guard let life = lives[jobs.event.first.advanced(by: index)], let ran = life.ranSeconds else {
                    trace.skip("job that did not run to its end")
                    continue
                }
                made.submit = ready.milliseconds / 1000
                made.run = ran
                made.home = life.centre.flatMap { homes[$0] } ?? -1
                trace.jobs.append(made)
            }
        }
        trace.names = owners.mapValues { numbers in
            Dictionary(uniqueKeysWithValues: numbers.map { ($1, $0) })
        }
        return trace
    }

    /// When nothing but its turn stood against a job.
    private func readyAt(_ jobs: Submitted, _ arrays: [ArrayID: Event.JobsSubmitted]) -> Instant {
        jobs.event.dependencies.reduce(jobs.at) { latest, dependency in
            switch dependency {
            case .job(let id): max(latest, lives[id]?.endedAt ?? latest)
            case .array(let id):
                arrays[id].map { array in
                    (0..<array.count).reduce(latest) {
                        max($0, lives[array.first.advanced(by: $1)]?.endedAt ?? $0)
                    }
                } ?? latest
            }
        }
    }

    private static func number(_ text: String, _ known: inout [String: Int32]) -> Int32 {
        let number = known[text] ?? Int32(known.count)
        known[text] = number
        return number
    }

    private var federation: Federation? {
        let made = order.compactMap { name -> Federation.Centre? in
            guard let centre = centres[name], let capacity = centre.capacity else { return nil }
            let nodes = capacity.nodes.filter(\.schedulable).map { node in
                // A node counts by its largest group of cards.
                let group = node.cards.max { $0.count < $1.count }
                return Federation.Node(
                    milliCores: Int(clamping: node.cores.count),
                    memoryMiB: Int(clamping: node.memory.count >> 20),
                    cards: group?.count ?? 0,
                    model: group.map { Self.model($0.model, emulated: $0.emulated) } ?? ""
                )
            }
            let card = centre.prices.cardHour.values.max() ?? centre.prices.cardHourDefault
            return Federation.Centre(
                name: name.text,
                tier: centre.tier.rawValue,
                nodes: nodes,
                coreHour: Double(centre.prices.coreHour.count) / 1e6,
                cardHour: Double(card.count) / 1e6
            )
        }
        return made.isEmpty ? nil : Federation(centres: made)
    }

    private static let emulatedSuffix = " (emulated)"

    fileprivate static func model(_ name: String, emulated: Bool) -> String { emulated ? name + emulatedSuffix : name }

    /// A card model's name, and whether it is emulated.
    static func parts(ofModel text: String) -> (model: String, isEmulated: Bool) {
        guard text.hasSuffix(emulatedSuffix) else { return (text, false) }
        return (String(text.dropLast(emulatedSuffix.count)), true)
    }
}

extension Trace {
    /// The set of card models that a job's description allows; -1 where any will do.
    ///
    /// - Parameter all: The federation's.
    fileprivate mutating func models(_ spec: JobSpec, of all: [String]) -> Int32 {
        guard spec.resources.cards > 0 else { return -1 }
        let right = all.filter { model in
            let isEmulated = EventLog.parts(ofModel: model).isEmulated
            guard !isEmulated || spec.placement.emulated else { return false }
            return spec.resources.card.map { model == EventLog.model($0, emulated: isEmulated) } ?? true
        }
        if right == all { return -1 }
        if let known = modelSets.firstIndex(of: right) { return Int32(known) }
        modelSets.append(right)
        return Int32(modelSets.count - 1)
    }

    /// The set of centres that a job's description allows; -1 where any will do.
    fileprivate mutating func places(_ placement: PlacementConstraint) -> Int32 {
        guard !placement.centres.isEmpty || !placement.tiers.isEmpty else { return -1 }
        let right = (federation?.centres ?? []).filter { centre in
            (placement.centres.isEmpty || placement.centres.contains { $0.text == centre.name })
                && (placement.tiers.isEmpty || placement.tiers.contains { $0.rawValue == centre.tier })
        }.map(\.name)
        if let known = placeSets.firstIndex(of: right) { return Int32(known) }
        placeSets.append(right)
        return Int32(placeSets.count - 1)
    }
}
