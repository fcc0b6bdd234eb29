import Core

/// One life of a process: from its start to its end, which may come at any call that it makes.
///
/// What a dead process does reaches nobody, and it hears nothing.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class Life: @unchecked Sendable {
    private(set) var isOver = false
    /// How many more passes it survives.
    private var left: Int?
    private var atEnd: [@Sendable () -> Void] = []

    /// Dies at the pass after that many more.
    func end(after passes: Int) { if !isOver { left = min(left ?? passes, passes) } }

    func end() {
        guard !isOver else { return }
        isOver = true
        let actions = atEnd
        atEnd = []
        for action in actions { action() }
    }

    func whenOver(_ action: @escaping @Sendable () -> Void) {
        if isOver { action() } else { atEnd.append(action) }
    }

    /// Throws when it is over, or is to be from here on.
    func pass() throws {
        if let left {
            self.left = left - 1
            if left <= 0 { end() }
        }
        if isOver { throw CancellationError() }
    }
}

/// A defect to be found: proof that the checks can fail.
package enum Sabotage: String, Sendable, CaseIterable {
    /// The wrapper lets everybody start.
    case fenceOff = "fence-off"
    /// A repeated submission makes a second job.
    case blindResubmission = "blind-resubmission"
    /// The point's disk says that it has what it has not.
    case lyingDisk = "lying-disk"
    /// The agent is told that its runs are acknowledged before the point has heard of them.
    case earlyAcknowledgement = "early-acknowledgement"
    /// The agent is told to stop what nobody wants stopped.
    case strayStop = "stray-stop"
    /// A copy of an agent passes for the first.
    case sharedSeat = "shared-seat"
    /// The point's clock runs twice too fast, so that it gives centres up too early.
    case hastyClock = "hasty-clock"
}
