internal import Core

extension Scheduler {
    /// Room that is kept in advance at one site, from a time until another.
    public struct Window: Hashable, Sendable {
        /// What is kept of one node.
        public struct Share: Hashable, Sendable {
            /// Its number among the site's nodes.
            public var node: Int32
            /// `nil` is the whole node, whatever is free of it.
            public var amount: Amount?

            public init(node: Int32, amount: Amount? = nil) { (self.node, self.amount) = (node, amount) }
        }

        /// A part of a node.
        public struct Amount: Hashable, Sendable {
            public var milliCores: Int
            public var memoryMiB: Int
            /// In thousandths of a card.
            public var cardMilli: Int

            public init(milliCores: Int = 0, memoryMiB: Int = 0, cardMilli: Int = 0) {
                (self.milliCores, self.memoryMiB, self.cardMilli) = (milliCores, memoryMiB, cardMilli)
            }
        }

        /// In milliseconds.
        public var start: Int64
        /// In milliseconds; not part of it any more.
        public var end: Int64
        /// Whose jobs may use it, and those of all projects below; `nil` for maintenance: nobody's.
        public var project: Int32?
        /// `nil` is the whole site.
        public var shares: [Share]?

        public init(from start: Int64, to end: Int64, project: Int32? = nil, _ shares: [Share]? = nil) {
            (self.start, self.end, self.project, self.shares) = (start, end, project, shares)
        }
    }
}

/// What is reserved in advance at one site, and who stands on the nodes that this is about.
///
/// Windows that begin after any job that starts now would be over are left alone. The nodes of the others are in none of
/// the site's groups, since what is free of them depends on who asks and for how long: they are looked at one by one.
struct Windows {
    /// What a window keeps of one node, or of a whole site.
    struct Entry: Equatable {
        var start: Int64
        var end: Int64
        /// -1 for maintenance.
        var project: Int32
        var room = Timetable.Room()
        /// Nobody else gets anything, whatever is free.
        var isWhole: Bool

        @inline(__always)
        func isOn(at time: Int64) -> Bool { start <= time && time < end }

        /// Whether it has a moment in common with what goes on from one time to another.
        @inline(__always)
        func touches(_ from: Int64, _ to: Int64) -> Bool { start < to && from < end }
    }

    /// Tasks of a run on a node.
    struct Stay: Equatable {
        var job: Int32
        var room: Timetable.Room
    }

    /// What is known of one node.
    struct Node: Equatable {
        var node: Int32
        /// By start.
        var entries: [Entry]
        var stays: [Stay] = []
    }

    /// Those of the whole site that are not over, by start.
    private(set) var whole: [Entry] = []
    /// Those of parts of it that are not over, by start.
    private var parts: [Scheduler.Window] = []
    /// How many of `parts` are in reach.
    private var reached = 0
    /// By number; the nodes of the parts in reach.
    private(set) var nodes: [Node] = []
    /// When the next of all is over.
    private(set) var nextEnd = Int64.max

    var isEmpty: Bool { whole.isEmpty && parts.isEmpty }

    /// Where a node stands among `nodes`.
    @inline(__always)
    func position(of node: Int32) -> Int? {
        if nodes.isEmpty { return nil }
        let at = nodes.partitioningIndex { $0.node >= node }
        return at < nodes.count && nodes[at].node == node ? at : nil
    }

    mutating func add(_ window: Scheduler.Window) {
        guard window.start < window.end else { return }
        if window.shares == nil {
            whole.append(Entry(start: window.start, end: window.end, project: window.project ?? -1, isWhole: true))
            whole.sort { ($0.start, $0.end, $0.project) < ($1.start, $1.end, $1.project) }
        } else {
            let at = parts.firstIndex { window.start < $0.start } ?? parts.count
            parts.insert(window, at: at)
            // All from here on are taken in anew.
            reached = min(reached, at)
        }
        nextEnd = min(nextEnd, window.end)
    }

    /// Whether ``advance(to:reaching:states:)`` would change anything.
    func isStale(at now: Int64, reaching: Int64) -> Bool {
        nextEnd <= now || reached < parts.count && parts[reached].start < reaching
    }

    /// Forgets what is over, and takes in what begins before `reaching`.
    ///
    /// - Parameter room: All that a node has.
    /// - Returns: The nodes that are new, whose stays are still to be put down.
    mutating func advance(to now: Int64, reaching: Int64, room: (Int32) -> Timetable.Room) -> [Int32] {
        whole.removeAll { $0.end <= now }
        let known = parts[..<reached].count { $0.end > now }
        parts.removeAll { $0.end <= now }
        reached = max(known, parts.firstIndex { $0.start >= reaching } ?? parts.count)
        nextEnd = min(whole.map(\.end).min() ?? .max, parts.map(\.end).min() ?? .max)
        var entries: [Int32: [Entry]] = [:]
        for window in parts[..<reached] {
            for share in window.shares ?? [] {
                var entry = Entry(start: window.start, end: window.end, project: window.project ?? -1, isWhole: true)
                if let amount = share.amount {
                    entry.isWhole = false
                    entry.room.milliCores = amount.milliCores
                    entry.room.memoryMiB = amount.memoryMiB
                    entry.room.cardMilli = amount.cardMilli
                } else {
                    entry.room = room(share.node)
                }
                entries[share.node, default: []].append(entry)
            }
        }
        var fresh: [Int32] = []
        nodes = entries.keys.sorted().map { node in
            let old = position(of: node)
            if old == nil { fresh.append(node) }
            return Node(node: node, entries: entries[node] ?? [], stays: old.map { nodes[$0].stays } ?? [])
        }
        return fresh
    }

    // MARK: who stands where

    mutating func come(_ job: Int32, _ room: Timetable.Room, node: Int32) {
        guard let position = position(of: node) else { return }
        nodes[position].stays.append(Stay(job: job, room: room))
    }

    mutating func leave(_ job: Int32, node: Int32) {
        guard let position = position(of: node) else { return }
        nodes[position].stays.removeAll { $0.job == job }
    }
}

extension Timetable.Room {
    /// What is left of it once `used` of it is taken; never less than nothing.
    func owed(after used: Timetable.Room) -> Timetable.Room {
        var owed = self
        owed.milliCores = max(0, milliCores - used.milliCores)
        owed.memoryMiB = max(0, memoryMiB - used.memoryMiB)
        owed.cardMilli = max(0, cardMilli - used.cardMilli)
        return owed
    }
}
