public import Core

// Exchanges are the hottest bodies that there are, a hundred runs in each. What they usually hold is read and written by
// hand here, which takes a fifth of the general way's time; both ways mean the same, and a test holds them together.

extension ExchangeRequest {
    /// Reads what an agent says.
    ///
    /// - Throws: `DecodingError` for the first fault, from the general way, which is asked about all that this one does not
    ///   understand.
    public init(_ json: JSON) throws {
        self = try ExchangeRequest(byHand: json) ?? json.decode()
    }

    init?(byHand json: JSON) {
        guard let agent = json.text("agent", AgentID.init), let seat = json["seat"]?.stringValue,
            let at = json.text("at", Instant.init(rfc3339:)), let reports = json.list("reports", Report.init(byHand:)),
            let holds = json.list("holds", RunKey.init(byHand:)), let wait = json["wait_milliseconds"]?.integerValue,
            let capacity = json.optional("capacity", { try? $0.decode(CentreCapacity.self) }),
            let others = json.optional("others", { try? $0.decode([NodeUse].self) }),
            let strays = json.optional("strays", { $0.list(RunKey.init(byHand:)) })
        else { return nil }
        self.init(
            agent: agent,
            seat: seat,
            at: at,
            capacity: capacity,
            others: others,
            reports: reports,
            holds: holds,
            strays: strays,
            waitMilliseconds: Int(wait)
        )
    }
}

extension ExchangeRequest.Report {
    fileprivate init?(byHand json: JSON) {
        guard let run = json.text("run", RunKey.init(_:)), let version = json["version"]?.integerValue,
            let observation = json["observation"],
            let read = RunObservation(byHand: observation) ?? (try? observation.decode(RunObservation.self))
        else { return nil }
        self.init(run: run, version: Int(version), observation: read)
    }
}

extension RunObservation {
    /// One without an end and without results, as most are.
    fileprivate init?(byHand json: JSON) {
        guard let phase = json.text("phase", Phase.init(rawValue:)), phase != .ended,
            json["artifacts"]?.arrayValue?.isEmpty == true, json["outcome"] ?? .null == .null,
            json["ended_at"] ?? .null == .null, let engineJob = json.optional("engine_job", \.stringValue),
            let startedAt = json.optional("started_at", { $0.stringValue.flatMap { Instant(rfc3339: $0) } }),
            let nodes = json.optional("nodes", { try? $0.decode([NodeShare].self) }),
            let waiting = json.optional("waiting", \.stringValue)
        else { return nil }
        self.init(phase: phase, engineJob: engineJob, startedAt: startedAt, nodes: nodes, waiting: waiting)
    }
}

extension RunKey {
    fileprivate init?(byHand json: JSON) {
        guard let key = json.stringValue.flatMap({ RunKey($0) }) else { return nil }
        self = key
    }
}

extension ExchangeResponse {
    /// The same as the general way makes.
    public var json: JSON {
        get throws {
            .object([
                ("acknowledged", .array(acknowledged.map(\.json))),
                ("at", .string(at.rfc3339)),
                ("leases", .array(try leases.map { try JSON(encoding: $0) })),
                ("settled", .array(settled.map { .string($0.description) })),
                ("stops", .array(try stops.map { try JSON(encoding: $0) })),
            ])
        }
    }
}

extension ExchangeResponse.Acknowledgement {
    fileprivate var json: JSON {
        .object([("run", .string(run.description)), ("version", .integer(Int64(version)))])
    }
}

extension JSON {
    fileprivate func text<Value>(_ key: String, _ read: (String) -> Value?) -> Value? {
        self[key]?.stringValue.flatMap(read)
    }

    fileprivate func list<Value>(_ read: (JSON) -> Value?) -> [Value]? {
        guard let items = arrayValue else { return nil }
        var values: [Value] = []
        values.reserveCapacity(items.count)
        for item in items {
            guard let value = read(item) else { return nil }
            values.append(value)
        }
        return values
    }

    fileprivate func list<Value>(_ key: String, _ read: (JSON) -> Value?) -> [Value]? { self[key]?.list(read) }

    /// `.some(nil)` for a member that is absent or null, `nil` for one that is not understood.
    fileprivate func optional<Value>(_ key: String, _ read: (JSON) -> Value?) -> Value?? {
        guard let json = self[key], json != .null else { return .some(nil) }
        return read(json).map { .some($0) }
    }
}
