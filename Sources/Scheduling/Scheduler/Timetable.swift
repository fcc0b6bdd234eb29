internal import Core

/// The nodes of one site over time: what is free of each now, and every later change of that by runs that end and by
/// jobs that are to come. What is held in shares of a card counts by its sum only, as if tasks could move between the
/// cards of a node; whole cards, cores and memory are exact.
struct Timetable {
    /// What something takes of a node, or leaves there.
    struct Room: Equatable {
        var milliCores = 0
        var memoryMiB = 0
        var cardMilli = 0

        init() {}

        /// More than any node has.
        static var all: Room {
            var room = Room()
            (room.milliCores, room.memoryMiB, room.cardMilli) = (1 << 40, 1 << 40, 1 << 40)
            return room
        }

        init(_ state: NodeState) {
            milliCores = Int(state.milliCores)
            memoryMiB = Int(state.memoryMiB)
            cardMilli = state.freeCardMilli
        }

        /// All that a node of a kind has.
        init(all kind: NodeKind) {
            milliCores = kind.milliCores
            memoryMiB = kind.memoryMiB
            cardMilli = kind.cards * 1000
        }

        /// What all tasks of a need take.
        init(all need: Need) {
            milliCores = need.totalMilliCores
            memoryMiB = need.totalMemoryMiB
            cardMilli = need.totalCardMilli
        }

        /// What tasks of a need take.
        init(_ need: Need, tasks: Int32) {
            milliCores = need.milliCores * Int(tasks)
            memoryMiB = need.memoryMiB * Int(tasks)
            cardMilli = (need.isShare ? need.cardMilli : need.cards * 1000) * Int(tasks)
        }

        @inline(__always)
        static func += (room: inout Room, other: Room) {
            room.milliCores += other.milliCores
            room.memoryMiB += other.memoryMiB
            room.cardMilli += other.cardMilli
        }

        static prefix func - (room: Room) -> Room {
            var negative = room
            negative.milliCores = -room.milliCores
            negative.memoryMiB = -room.memoryMiB
            negative.cardMilli = -room.cardMilli
            return negative
        }

        /// How many tasks that each take so much would fit, at most `limit`.
        @inline(__always)
        func tasks(_ one: Room, limit: Int) -> Int {
            guard milliCores >= one.milliCores, memoryMiB >= one.memoryMiB, cardMilli >= one.cardMilli else { return 0 }
            var fit = limit
            guard limit > 1 else { return fit }
            if one.milliCores > 0 { fit = min(fit, milliCores / one.milliCores) }
            if one.memoryMiB > 0 { fit = min(fit, memoryMiB / one.memoryMiB) }
            if one.cardMilli > 0 { fit = min(fit, cardMilli / one.cardMilli) }
            return fit
        }
    }

    /// Room that is taken from a time to another for those who ask, whoever has it.
    struct Bar {
        var from: Int64
        var to: Int64
        var room: Room

        /// As of somebody who is no job.
        var changes: [Change] {
            [Change(time: from, job: -1, room: -room), Change(time: to, job: -1, room: room)]
        }
    }

    struct Change {
        var time: Int64
        var job: Int32
        var room: Room
    }

    private struct Node {
        /// Beside all changes that have not been added yet.
        var free: Room
        /// By time.
        var changes: [Change] = []

        mutating func take(_ job: Int32, _ room: Room, _ from: Int64, _ to: Int64, _ now: Int64) {
            fold(until: now)
            insert(Change(time: from, job: job, room: -room), now)
            insert(Change(time: to, job: job, room: room), now)
        }

        mutating func giveBack(_ job: Int32, _ room: Room, _ from: Int64, _ to: Int64, _ now: Int64) {
            fold(until: now)
            remove(Change(time: from, job: job, room: -room), now)
            remove(Change(time: to, job: job, room: room), now)
        }

        private mutating func fold(until now: Int64) {
            guard let first = changes.first, first.time <= now else { return }
            let count = changes.firstIndex { $0.time > now } ?? changes.count
            for change in changes[..<count] { free += change.room }
            changes.removeFirst(count)
        }

        private mutating func insert(_ change: Change, _ now: Int64) {
            if change.time <= now {
                free += change.room
                return
            }
            changes.insert(change, at: changes.partitioningIndex { $0.time > change.time })
        }

        private mutating func remove(_ change: Change, _ now: Int64) {
            if change.time <= now {
                free += -change.room
                return
            }
            var at = changes.partitioningIndex { $0.time >= change.time }
            while at < changes.count, changes[at].job != change.job { at += 1 }
            precondition(at < changes.count && changes[at].time == change.time, "a job leaves where it never was")
            changes.remove(at: at)
        }
    }

    /// A time from which on a job could stand somewhere for as long as it may run.
    struct Opening {
        var start: Int64
        /// Of what matters to the job, what is free there before it comes.
        var left: Int
        var stands: [Stand]
    }

    private var nodes: [Node]
    /// All nodes as if they were one.
    private var whole = Node(free: Room())

    init(_ site: Site, _ states: NodeStates) {
        nodes = site.states.map { Node(free: Room(states[$0])) }
        for node in nodes { whole.free += node.free }
    }

    // MARK: who stands where

    /// Tasks stand on a node from one time to another; `from` may be over.
    mutating func take(_ job: Int32, _ room: Room, node: Int32, from: Int64, to: Int64, now: Int64) {
        nodes[Int(node)].take(job, room, from, to, now)
        whole.take(job, room, from, to, now)
    }

    /// The reverse, with the same times.
    mutating func giveBack(_ job: Int32, _ room: Room, node: Int32, from: Int64, to: Int64, now: Int64) {
        nodes[Int(node)].giveBack(job, room, from, to, now)
        whole.giveBack(job, room, from, to, now)
    }

    /// The jobs that are to leave a node after now, those that are still to come included.
    func leaving(_ node: Int32, after now: Int64) -> [Int32] {
        nodes[Int(node)].changes.lazy.filter { $0.time > now && $0.room.isGain }.map(\.job)
    }

    /// When the last that is known of the site is over.
    var lastChange: Int64? { whole.changes.last?.time }

    /// The changes of a node with those by what is barred there.
    @inline(__always)
    private func changes(_ node: Int, _ bars: [Int: [Change]]) -> [Change] {
        bars.isEmpty ? nodes[node].changes : Self.merged(nodes[node].changes, bars[node] ?? [])
    }

    private static func merged(_ own: [Change], _ barred: [Change]) -> [Change] {
        if barred.isEmpty { return own }
        var merged: [Change] = []
        merged.reserveCapacity(own.count + barred.count)
        var next = 0
        for change in own {
            while next < barred.count, barred[next].time <= change.time {
                merged.append(barred[next])
                next += 1
            }
            merged.append(change)
        }
        merged += barred[next...]
        return merged
    }

    // MARK: openings

    /// Whether so much is free of all nodes together at any moment before a time: a quick look that can only err on the
    /// hopeful side.
    func mayHold(_ need: Need, now: Int64, before: Int64) -> Bool {
        let all = Room(all: need)
        var level = whole.free
        var time = now
        for change in whole.changes {
            if change.time > time {
                if level.tasks(all, limit: 1) > 0 { return true }
                if change.time >= before { return false }
                time = change.time
            }
            level += change.room
        }
        return level.tasks(all, limit: 1) > 0
    }

    /// When a node first has room for one task for a time.
    ///
    /// - Parameters:
    ///   - before: Later starts are of no use.
    ///   - job: Whose own later stand does not count.
    ///   - isFreeNow: Whether the node, as it really is, has the room now: a run that outlives its limit is in the way of
    ///     what was to follow it, and shares may lie on the wrong cards.
    func opening(
        _ node: Int,
        _ one: Room,
        length: Int64,
        now: Int64,
        before: Int64,
        without job: Int32,
        bars: [Int: [Change]],
        isFreeNow: Bool
    ) -> (start: Int64, left: Int)? {
        var level = nodes[node].free
        let changes = changes(node, bars)
        var index = 0
        while index < changes.count, changes[index].time <= now {
            if changes[index].job != job { level += changes[index].room }
            index += 1
        }
        var found: (start: Int64, left: Int)?
        if isFreeNow, level.tasks(one, limit: 1) > 0 { found = (now, level.left(one)) }
        while index < changes.count {
            let time = changes[index].time
            if let found, time - found.start >= length { return found }
            if found == nil, time >= before { return nil }
            while index < changes.count, changes[index].time == time {
                if changes[index].job != job { level += changes[index].room }
                index += 1
            }
            if level.tasks(one, limit: 1) == 0 {
                found = nil
            } else if found == nil {
                if time >= before { return nil }
                found = (time, level.left(one))
            }
        }
        return found
    }

    /// How many tasks fit a node for a time, from each moment on: the number now, and by how much it changes when.
    private func counts(
        _ node: Int,
        _ one: Room,
        limit: Int,
        length: Int64,
        now: Int64,
        before: Int64,
        without job: Int32,
        bars: [Int: [Change]],
        freeNow: Int,
        _ scratch: inout Scratch
    ) -> Int {
        var level = nodes[node].free
        // Who starts before then does not stay longer than until here.
        let end = before < .max - length ? before + length : .max
        let changes = changes(node, bars)
        var index = 0
        while index < changes.count, changes[index].time <= now {
            if changes[index].job != job { level += changes[index].room }
            index += 1
        }
        let first = min(freeNow, level.tasks(one, limit: limit))
        guard index < changes.count else { return first }
        scratch.stretches.removeAll(keepingCapacity: true)
        scratch.stretches.append((now, first))
        while index < changes.count, changes[index].time < end {
            let time = changes[index].time
            while index < changes.count, changes[index].time == time {
                if changes[index].job != job { level += changes[index].room }
                index += 1
            }
            let tasks = level.tasks(one, limit: limit)
            if tasks != scratch.stretches[scratch.stretches.count - 1].tasks { scratch.stretches.append((time, tasks)) }
        }
        guard scratch.stretches.count > 1 else { return first }
        // The least within the window changes where a stretch comes into it, or drops out of it.
        scratch.moments.removeAll(keepingCapacity: true)
        for stretch in scratch.stretches.dropFirst() {
            if stretch.from < before { scratch.moments.append(stretch.from) }
            let out = stretch.from - length + 1
            if out > now, out < before { scratch.moments.append(out) }
        }
        scratch.moments.sort()
        var from = 0
        let begin = scratch.least(now, length, &from)
        var last = begin
        for time in scratch.moments {
            let tasks = scratch.least(time, length, &from)
            if tasks != last { scratch.steps.append((time, tasks - last)) }
            last = tasks
        }
        return begin
    }

    /// Memory that nodes use one after the other.
    private struct Scratch {
        /// Of all nodes: by how much the number of tasks changes when.
        var steps: [(time: Int64, by: Int)] = []
        /// Of one node: how many tasks fit from a time on.
        var stretches: [(from: Int64, tasks: Int)] = []
        var moments: [Int64] = []

        /// The least number within a window.
        ///
        /// - Parameter from: The stretch that the window begins in, or one before it.
        func least(_ time: Int64, _ length: Int64, _ from: inout Int) -> Int {
            while from + 1 < stretches.count, stretches[from + 1].from <= time { from += 1 }
            var least = stretches[from].tasks
            var index = from + 1
            while index < stretches.count, stretches[index].from - time < length {
                least = min(least, stretches[index].tasks)
                index += 1
            }
            return least
        }
    }

    /// When a gang could first stand on the site's nodes for a time, and on which.
    ///
    /// - Parameters:
    ///   - isRight: By node: whether its cards are of the right model.
    ///   - freeNow: By node and what is to stand there: how many of it really fit now.
    func opening(
        _ need: Need,
        length: Int64,
        now: Int64,
        before: Int64,
        without job: Int32,
        bars: [Int: [Change]],
        isRight: (Int) -> Bool,
        freeNow: (Int, Need) -> Int
    ) -> Opening? {
        let one = Room(need.one, tasks: 1)
        var scratch = Scratch()
        var sum = 0
        for node in nodes.indices where isRight(node) {
            sum += counts(
                node,
                one,
                limit: need.tasks,
                length: length,
                now: now,
                before: before,
                without: job,
                bars: bars,
                freeNow: freeNow(node, need.one),
                &scratch
            )
        }
        let steps = scratch.steps.sorted { $0.time < $1.time }
        var time = now
        var index = 0
        while true {
            if sum >= need.tasks,
                let found = spread(need, length, time, now, job, bars, isRight: isRight, freeNow: freeNow)
            {
                return found
            }
            guard index < steps.count, steps[index].time < before else { return nil }
            time = steps[index].time
            while index < steps.count, steps[index].time == time {
                sum += steps[index].by
                index += 1
            }
        }
    }

    /// Puts a gang on the fewest nodes at a time: those that hold most first, of these the tightest; what remains goes to
    /// the tightest that holds it. `nil` when its rest finds no place.
    private func spread(
        _ need: Need,
        _ length: Int64,
        _ time: Int64,
        _ now: Int64,
        _ job: Int32,
        _ bars: [Int: [Change]],
        isRight: (Int) -> Bool,
        freeNow: (Int, Need) -> Int
    ) -> Opening? {
        let one = Room(need.one, tasks: 1)
        var rooms: [(tasks: Int, left: Int, node: Int)] = []
        var left = 0
        for node in nodes.indices where isRight(node) {
            let least = least(node, length, time, now, job, bars)
            let tasks = min(least.tasks(one, limit: need.tasks), limit(node, need.one, time, now, job, freeNow))
            left += least.left(one)
            if tasks > 0 { rooms.append((tasks, least.left(one), node)) }
        }
        rooms.sort { ($1.tasks, $0.left, $0.node) < ($0.tasks, $1.left, $1.node) }
        var stands: [Stand] = []
        var remaining = need.tasks
        for (position, room) in rooms.enumerated() where remaining > 0 {
            var chosen = room
            if room.tasks > remaining {
                let tight = rooms[position...].filter { $0.tasks >= remaining }
                    .min { ($0.tasks, $0.left, $0.node) < ($1.tasks, $1.left, $1.node) }
                chosen = tight ?? room
            }
            let here = min(remaining, chosen.tasks)
            stands.append(Stand(node: Int32(chosen.node), tasks: Int32(here)))
            remaining -= here
        }
        guard remaining == 0 else { return nil }
        guard need.restCards > 0 else { return Opening(start: time, left: left, stands: stands) }
        let rest = Room(need.rest, tasks: 1)
        var best: (left: Int, node: Int)?
        for node in nodes.indices where isRight(node) {
            var least = least(node, length, time, now, job, bars)
            for stand in stands where Int(stand.node) == node { least += -Room(need.one, tasks: stand.tasks) }
            guard least.tasks(rest, limit: 1) > 0, limit(node, need.rest, time, now, job, freeNow) > 0 else { continue }
            if best.map({ least.left(rest) < $0.left }) ?? true { best = (least.left(rest), node) }
        }
        guard let best else { return nil }
        stands.append(Stand(node: Int32(best.node), tasks: 1, isRest: true))
        return Opening(start: time, left: left, stands: stands)
    }

    /// How many tasks a node really has room for, where that matters: until its next change.
    private func limit(
        _ node: Int,
        _ need: Need,
        _ time: Int64,
        _ now: Int64,
        _ job: Int32,
        _ freeNow: (Int, Need) -> Int
    ) -> Int {
        let next = nodes[node].changes.first { $0.time > now && $0.job != job }?.time ?? .max
        return time < next ? freeNow(node, need) : .max
    }

    /// The least that is free of each kind on a node for a time.
    private func least(
        _ node: Int,
        _ length: Int64,
        _ time: Int64,
        _ now: Int64,
        _ job: Int32,
        _ bars: [Int: [Change]]
    ) -> Room {
        var level = nodes[node].free
        var least: Room?
        var last = time
        for change in changes(node, bars) {
            if change.time > last {
                if change.time - time >= length { break }
                least.lower(to: level)
                last = change.time
            }
            if change.job != job { level += change.room }
        }
        least.lower(to: level)
        return least ?? level
    }
}

extension Timetable.Room {
    fileprivate var isGain: Bool { milliCores > 0 || memoryMiB > 0 || cardMilli > 0 }

    /// What is free of that which matters to a task: cards if it wants any, else cores.
    @inline(__always)
    fileprivate func left(_ one: Timetable.Room) -> Int { one.cardMilli > 0 ? cardMilli : milliCores }
}

extension Timetable.Room? {
    fileprivate mutating func lower(to room: Timetable.Room) {
        guard var least = self else {
            self = room
            return
        }
        least.milliCores = Swift.min(least.milliCores, room.milliCores)
        least.memoryMiB = Swift.min(least.memoryMiB, room.memoryMiB)
        least.cardMilli = Swift.min(least.cardMilli, room.cardMilli)
        self = least
    }
}
