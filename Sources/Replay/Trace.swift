/// A job as a trace tells of it. Times in seconds.
public struct TraceJob: Hashable, Sendable {
    public var submit: Int64
    /// How long it really ran, at least 1.
    public var run: Int64
    /// How long its user asked for; `nil` where the trace does not say.
    public var requested: Int64?
    /// Equal tasks that start together, where the trace knows of them; else 1.
    public var tasks = 1
    /// Of all tasks together.
    public var milliCores: Int
    /// Of all tasks together.
    public var memoryMiB: Int
    public var cards: Int
    /// How much of its card a job of one card takes, in thousandths.
    public var cardMilli: Int
    /// Index into ``Trace/modelSets``: the card models that will do; -1 for any.
    public var models: Int32
    /// Index into ``Trace/placeSets``: the centres that will do; -1 for any.
    public var places: Int32 = -1
    /// Numbers that only say who is the same: the user, the program, the centre it was sent to; -1 for unknown.
    public var user: Int32
    public var program: Int32
    public var home: Int32
    /// Likewise: the group of the user, the project that it is for.
    public var group: Int32
    public var project: Int32
    /// Higher goes first within its project; only the policy `point` asks for it.
    public var priority = 500
    /// Whether it may be stopped for others; only the policy `point` does that.
    public var preemptible = false
    /// What it brings along from its home, where the trace says it.
    public var inputBytes: Int64?

    /// Whose a job can be taken to be.
    public enum Owner: String, CaseIterable, Sendable {
        case user, group, project, home
    }

    /// - Returns: A number; -1 for unknown.
    public func owner(_ owner: Owner) -> Int32 {
        switch owner {
        case .user: user
        case .group: group
        case .project: project
        case .home: home
        }
    }

    public init(
        submit: Int64,
        run: Int64,
        requested: Int64? = nil,
        milliCores: Int = 0,
        memoryMiB: Int = 0,
        cards: Int = 0,
        cardMilli: Int = 1000,
        models: Int32 = -1,
        user: Int32 = -1,
        program: Int32 = -1,
        home: Int32 = -1,
        group: Int32 = -1,
        project: Int32 = -1
    ) {
        self.submit = submit
        self.run = run
        self.requested = requested
        self.milliCores = milliCores
        self.memoryMiB = memoryMiB
        self.cards = cards
        self.cardMilli = cardMilli
        self.models = models
        self.user = user
        self.program = program
        self.home = home
        self.group = group
        self.project = project
    }

    /// What it takes, for sums: cards where it has any, else cores.
    public var size: Double { cards > 0 ? Double(cards * cardMilli) / 1000 : Double(milliCores) / 1000 }
}

/// Jobs of a real machine, by time of submission.
public struct Trace: Sendable {
    public var name: String
    public var jobs: [TraceJob]
    /// Sets of card models that jobs name.
    public var modelSets: [[String]]
    /// Sets of centres that jobs name.
    public var placeSets: [[String]] = []
    /// What it ran on, when the trace says it.
    public var federation: Federation?
    /// The names of owners whom the trace does not number itself.
    public var names: [TraceJob.Owner: [Int32: String]] = [:]
    /// What could not be replayed, by reason.
    public var skipped: [String: Int]
    /// Processors of the machine, when the trace says it.
    public var processors: Int?
    /// Whether it says when jobs came and how long they ran. What does not can only fill a federation.
    public var hasTimes = true

    public init(
        name: String,
        jobs: [TraceJob] = [],
        modelSets: [[String]] = [],
        skipped: [String: Int] = [:],
        processors: Int? = nil
    ) {
        self.name = name
        self.jobs = jobs
        self.modelSets = modelSets
        self.skipped = skipped
        self.processors = processors
    }

    /// Reads a trace, plain or gzip: Standard Workload Format, one of the CSV shapes told by its first line, or a point's
    /// own event log.
    ///
    /// - Parameter processors: Of the machine, over what the file says.
    /// - Throws: ``TraceFault`` when the file cannot be read or is no trace. What is wrong with single lines is counted
    ///   in ``skipped``.
    public static func read(_ path: String, processors: Int? = nil) throws(TraceFault) -> Trace {
        let bytes = try TextFile.read(path)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        var trace =
            if let log = EventLog(bytes) {
                log.trace(name: name)
            } else if let table = TraceTable(bytes) {
                table.trace(name: name)
            } else {
                SWF.parse(bytes, name: name, processors: processors)
            }
        guard !trace.jobs.isEmpty else {
            let why = trace.skipped.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
            throw TraceFault(
                path: path,
                what: why.isEmpty
                    ? "is no trace: neither Standard Workload Format, nor a CSV whose first line names known columns, nor events"
                    : "has no job that can be replayed: \(why)"
            )
        }
        trace.jobs.sortBySubmission()
        return trace
    }

    mutating func skip(_ reason: String) { skipped[reason, default: 0] += 1 }
}

extension [TraceJob] {
    /// Stable: the file's order inside one second.
    mutating func sortBySubmission() {
        guard zip(self, dropFirst()).contains(where: { $0.submit > $1.submit }) else { return }
        let order = indices.sorted { (self[$0].submit, $0) < (self[$1].submit, $1) }
        self = order.map { self[$0] }
    }
}

/// A trace or a list of nodes that cannot be used.
public struct TraceFault: Error, CustomStringConvertible, Sendable {
    public var path: String
    public var what: String

    public var description: String { "\(path) \(what)" }
}
