internal import Scheduling

/// What stands free while jobs come, read at evenly spaced moments from the first submission to the last.
struct FreeCards {
    private static let moments = 512

    private let requests: TypicalRequests
    private let begin: Int64
    private let end: Int64
    private var next = 0
    /// Summed over the moments, in thousandths of a card.
    private var sums = (free: 0.0, lost: 0.0)

    /// - Parameters:
    ///   - classes: By job; -1 for one that does not count.
    ///   - needs: By class.
    init(_ jobs: [TraceJob], _ classes: [Int32], _ needs: [Int32: Need]) {
        var counts: [Int32: Int] = [:]
        for number in classes where number >= 0 { counts[number, default: 0] += 1 }
        requests = TypicalRequests(
            counts.sorted { $0.key < $1.key }.compactMap { number, count in needs[number].map { ($0, count) } }
        )
        begin = jobs.first?.submit ?? 0
        end = jobs.last?.submit ?? 0
    }

    /// The part of the free card time that a typical request could not have used.
    var fragmentation: Double? { sums.free > 0 ? sums.lost / sums.free : nil }

    /// To be called before anything changes at a time: reads the moments that have passed since the last change.
    mutating func read(_ scheduler: Scheduler, until now: Int64) {
        guard next < Self.moments, !requests.isEmpty else { return }
        var passed = 0
        while next < Self.moments, moment(next) < now {
            next += 1
            passed += 1
        }
        guard passed > 0 else { return }
        let cards = scheduler.freeCards(for: requests)
        sums.free += Double(passed) * cards.free
        sums.lost += Double(passed) * cards.lost
    }

    private func moment(_ number: Int) -> Int64 { begin + (end - begin) * Int64(number) / Int64(Self.moments) }
}
