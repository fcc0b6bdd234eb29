/// Runs by their end, and those that end together by their start.
public struct EndHeap: Sendable {
    public struct End: Sendable {
        public var number: Int32
        /// Of the run: a number may be used again before this end comes.
        public var life: UInt32
    }

    private struct Entry: Sendable {
        var time: Int64
        var order: Int64
        var end: End
    }

    private var entries: [Entry] = []
    private var pushed: Int64 = 0

    public init() {}

    public var isEmpty: Bool { entries.isEmpty }
    public var first: Int64? { entries.first?.time }

    public mutating func push(_ time: Int64, _ number: Int32, life: UInt32 = 0) {
        pushed += 1
        entries.append(Entry(time: time, order: pushed, end: End(number: number, life: life)))
        var at = entries.count - 1
        while at > 0 {
            let parent = (at - 1) / 2
            guard precedes(at, parent) else { break }
            entries.swapAt(at, parent)
            at = parent
        }
    }

    public mutating func pop() -> End? {
        guard let first = entries.first?.end else { return nil }
        let last = entries.removeLast()
        guard !entries.isEmpty else { return first }
        entries[0] = last
        var at = 0
        while true {
            var least = 2 * at + 1
            guard least < entries.count else { break }
            if least + 1 < entries.count, precedes(least + 1, least) { least += 1 }
            guard precedes(least, at) else { break }
            entries.swapAt(at, least)
            at = least
        }
        return first
    }

    private func precedes(_ a: Int, _ b: Int) -> Bool {
        (entries[a].time, entries[a].order) < (entries[b].time, entries[b].order)
    }
}
