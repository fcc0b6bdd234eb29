import Core
import Engines
import FoundationEssentials
import Logging
import NIOCore
import Wire

/// What an operator may say in the configuration file of `onepoint serve`. Flags go before it.
struct ServerConfiguration: Sendable {
    struct CentreEntry: Sendable {
        var name: CentreName
        var tier: Tier
        var prices = PriceTable()
        /// `nil` offers what the machine has.
        var cores: MilliCores?
        var memory: Bytes?
        /// What its cache may hold; `nil` for a share of the disk.
        var cacheMax: Bytes?
        /// Cards that exist for trials only, by catalogue model.
        var emulatedCards: [String: Int] = [:]
        /// The cluster that it schedules with; `nil` for processes of this machine.
        var cluster: Cluster?
    }

    var listenHost = "127.0.0.1"
    var listenPort = 7070
    var centres: [CentreEntry] = []
    var settings = Settings()

    struct Settings: Sendable {
        var silenceAfter: Duration = .seconds(30)
        var requestsPerSecondMax = 5000
        /// Whose `X-Forwarded-For` is believed.
        var trustedProxies: Set<String> = []
        var links: [CentreName: Link] = [:]
        var bucket: BucketEntry?
    }

    /// Reads a configuration, collecting every fault.
    static func read(_ json: JSON) -> (ServerConfiguration, [Violation]) {
        var configuration = ServerConfiguration()
        var reader = Fields(json, pointer: "")
        if let text = reader.string("listen"), !configuration.listen(at: text) {
            reader.fault("/listen", "must be an address and a port, such as 127.0.0.1:7070")
        }
        if let seconds = reader.integer("silence_after_seconds", in: 1...86_400) {
            configuration.settings.silenceAfter = .seconds(seconds)
        }
        if let rate = reader.integer("requests_per_second", in: 1...1_000_000) {
            configuration.settings.requestsPerSecondMax = Int(rate)
        }
        for (index, item) in (reader.list("trusted_proxies", countMax: 100) ?? []).enumerated() {
            guard let text = item.stringValue, (try? SocketAddress(ipAddress: text, port: 0)) != nil else {
                reader.fault("/trusted_proxies/\(index)", "must be an IP address")
                continue
            }
            configuration.settings.trustedProxies.insert(text)
        }
        var names: Set<CentreName> = []
        for (index, item) in (reader.list("centres", countMax: 1000) ?? []).enumerated() {
            var fields = Fields(item, pointer: "/centres/\(index)")
            if let centre = centre(&fields) {
                if !names.insert(centre.name).inserted { fields.fault("/name", "is used twice") }
                configuration.centres.append(centre)
            }
            reader.violations += fields.finish()
        }
        for (index, item) in (reader.list("links", countMax: 1000) ?? []).enumerated() {
            var fields = Fields(item, pointer: "/links/\(index)")
            let link = link(&fields)
            if let name = fields.string("centre").flatMap({ CentreName($0) }) {
                if configuration.settings.links.updateValue(link, forKey: name) != nil {
                    fields.fault("/centre", "has a link already")
                }
            } else {
                fields.fault("/centre", "must be a centre's name: \(CentreName.rule)")
            }
            reader.violations += fields.finish()
        }
        if let section = reader.object("bucket") {
            var fields = Fields(section, pointer: "/bucket")
            configuration.settings.bucket = bucket(&fields)
            reader.violations += fields.finish()
        }
        return (configuration, reader.finish())
    }

    private static func link(_ fields: inout Fields) -> Link {
        var link = Link()
        if let rate = fields.number("megabits_per_second", in: 0.001...10_000_000) { link.megabitsPerSecond = rate }
        if let latency = fields.integer("latency_ms", in: 0...60_000) { link.latencyMilliseconds = Int(latency) }
        if let price = fields.number("egress_gib", in: 0...1_000_000) {
            link.egressGib = MicroCredits(Int64((price * 1e6).rounded()))
        }
        return link
    }

    private static func centre(_ fields: inout Fields) -> CentreEntry? {
        let nameText = fields.string("name")
        let name = nameText.flatMap { CentreName($0) }
        if name == nil {
            fields.fault("/name", nameText == nil ? "is needed: \(CentreName.rule)" : CentreName.rule)
        }
        let tierText = fields.string("tier")
        let tier = tierText.flatMap { Tier(rawValue: $0) }
        if tier == nil { fields.fault("/tier", "must be hub, region, edge or device") }
        var entry = CentreEntry(name: name ?? placeholder, tier: tier ?? .hub)
        if let cores = fields.number("cores", in: 0.001...1_000_000) {
            entry.cores = MilliCores(Int64((cores * 1000).rounded()))
        }
        if let text = fields.string("memory") {
            entry.memory = Bytes(text)
            if entry.memory == nil { fields.fault("/memory", "must be an amount such as 4GiB") }
        }
        if let text = fields.string("cache_max") {
            entry.cacheMax = Bytes(text)
            if entry.cacheMax == nil { fields.fault("/cache_max", "must be an amount such as 200GiB") }
        }
        for (model, count) in fields.integers("emulated_cards", in: 1...100_000) {
            if Accelerator.named(model) == nil {
                fields.fault(
                    "/emulated_cards/\(model)",
                    "is no model of the catalogue: `onepoint accelerators` lists them"
                )
            }
            entry.emulatedCards[model] = Int(count)
        }
        if let price = fields.number("core_hour", in: 0...1_000_000) {
            entry.prices.coreHour = MicroCredits(Int64((price * 1e6).rounded()))
        }
        if let price = fields.number("card_hour", in: 0...1_000_000) {
            entry.prices.cardHourDefault = MicroCredits(Int64((price * 1e6).rounded()))
        }
        entry.cluster = cluster(&fields)
        return name == nil || tier == nil ? nil : entry
    }

    private static let placeholder: CentreName = {
        guard let name = CentreName("unnamed") else { preconditionFailure("a valid name") }
        return name
    }()
}

/// Reads the members of one object, noting faults and keys that nobody asked for.
struct Fields {
    private let members: [(key: String, value: JSON)]
    let pointer: String
    private var known: Set<String> = []
    var violations: [Violation] = []

    init(_ json: JSON, pointer: String) {
        self.pointer = pointer
        switch json {
        case .object(let members): self.members = members
        case .null: members = []
        default:
            members = []
            violations = [Violation(pointer, "must be an object, not \(json.kind)")]
        }
    }

    mutating func fault(_ below: String, _ message: String) {
        violations.append(Violation(pointer + below, message))
    }

    private mutating func take(_ key: String) -> JSON? {
        known.insert(key)
        return members.first { $0.key == key }?.value
    }

    private mutating func take<Value>(_ key: String, _ kind: String, _ read: (JSON) -> Value?) -> Value? {
        guard let json = take(key) else { return nil }
        guard let value = read(json) else {
            fault("/\(key)", "must be \(kind), not \(json.kind)")
            return nil
        }
        return value
    }

    mutating func string(_ key: String) -> String? { take(key, "a string", \.stringValue) }

    mutating func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = take(key, "an integer", \.integerValue) else { return nil }
        if !range.contains(value) { fault("/\(key)", "must be \(range.lowerBound) to \(range.upperBound)") }
        return range.contains(value) ? value : nil
    }

    mutating func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = take(key, "a number", \.numberValue) else { return nil }
        if !range.contains(value) { fault("/\(key)", "must be \(range.lowerBound) to \(range.upperBound)") }
        return range.contains(value) ? value : nil
    }

    mutating func flag(_ key: String) -> Bool? { take(key, "true or false", \.boolValue) }

    mutating func list(_ key: String, countMax: Int) -> [JSON]? {
        guard let items = take(key, "a list", \.arrayValue) else { return nil }
        if items.count > countMax { fault("/\(key)", "must have at most \(countMax) items") }
        return Array(items.prefix(countMax))
    }

    mutating func object(_ key: String) -> JSON? {
        take(key, "an object") { json in
            if case .object = json { json } else { nil }
        }
    }

    mutating func strings(_ key: String) -> [(String, String)] {
        guard case .object(let members)? = object(key) else { return [] }
        return members.compactMap { name, value in
            guard let text = value.stringValue else {
                fault("/\(key)/\(name)", "must be a string, not \(value.kind)")
                return nil
            }
            return (name, text)
        }
    }

    mutating func integers(_ key: String, in range: ClosedRange<Int64>) -> [(String, Int64)] {
        guard let json = take(key) else { return [] }
        guard case .object(let members) = json else {
            fault("/\(key)", "must be an object, not \(json.kind)")
            return []
        }
        return members.compactMap { name, value in
            guard let count = value.integerValue, range.contains(count) else {
                fault("/\(key)/\(name)", "must be an integer from \(range.lowerBound) to \(range.upperBound)")
                return nil
            }
            return (name, count)
        }
    }

    /// Every fault, unknown keys included.
    consuming func finish() -> [Violation] {
        violations
            + members.filter { !known.contains($0.key) }.map {
                Violation(
                    "\(pointer)/\($0.key)",
                    "is not known here; known are \(known.sorted().joined(separator: ", "))"
                )
            }
    }
}

extension ServerConfiguration {
    /// Reads a configuration file; every fault is named with its line.
    static func load(_ path: String) throws -> ServerConfiguration { try load(path, read) }

    static func load<Value>(_ path: String, _ read: (JSON) -> (Value, [Violation])) throws -> Value {
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw Failure(.invalid, "The configuration file \(path) cannot be read.")
        }
        let document: YAMLDocument
        do {
            document = try YAMLDocument.parse(utf8: [UInt8](bytes))
        } catch {
            throw Failure(
                .invalid,
                "\(path) is not valid YAML.",
                violations: error.faults.map {
                    Violation("\(path):\($0.position.line):\($0.position.column)", $0.message)
                }
            )
        }
        let (configuration, faults) = read(document.json)
        guard faults.isEmpty else {
            throw Failure(
                .invalid,
                "\(path) is not a valid configuration.",
                violations: faults.map { fault in
                    let place = document.position(of: fault.pointer)
                    let pointer = fault.pointer.isEmpty ? "" : ": \(fault.pointer)"
                    return Violation("\(path):\(place.line):\(place.column)\(pointer)", fault.message)
                }
            )
        }
        return configuration
    }

    /// Takes an address and port from the command line.
    mutating func listen(on text: String) throws {
        guard listen(at: text) else {
            throw Failure(.invalid, "--listen takes an address and a port, such as 127.0.0.1:7070.")
        }
    }

    /// `host:port`, an IPv6 address in brackets; whether it was understood.
    private mutating func listen(at text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65535).contains(port)
        else { return false }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return false
        }
        guard !host.isEmpty else { return false }
        (listenHost, listenPort) = (String(host), port)
        return true
    }
}

extension ServerConfiguration.CentreEntry {
    /// Opens the engine of this centre.
    ///
    /// - Parameter root: The engine's own folder; every node of a cluster must see it at the same path.
    func engine(root: String, log: Logger) async throws -> any Engine {
        if let cluster { return try await cluster.engine(centre: name, folder: root, log: log) }
        let engine = try await LocalEngine(try local(root: root), log: log)
        // Once, at join: what the machine really does, before anything else runs on it for us.
        if engine.measurement == nil { _ = await engine.measure() }
        return engine
    }

    /// What the local engine of this centre offers.
    private func local(root: String) throws -> LocalEngine.Configuration {
        LocalEngine.Configuration(
            root: root,
            executable: try Assembly.executable(),
            nodeName: "\(name)",
            cores: cores,
            memory: memory,
            emulatedCards: emulatedCards.sorted { $0.key < $1.key }.map {
                CardGroup(model: $0.key, count: $0.value, emulated: true)
            }
        )
    }
}
