import Core

/// What the point has of every run's log: how much of it, since each run prints a text that follows from its key.
///
/// `@unchecked Sendable`: confined to the thread of its world.
final class LogBook: @unchecked Sendable {
    private var ends: [RunKey: Int64] = [:]
    private let truth: Truth

    init(_ truth: Truth) { self.truth = truth }

    static func text(of run: RunKey) -> [UInt8] { Array("\(run) prints this line and no other.\n".utf8) }

    /// The rules of the point's own log store: appends at the end, answers where the end is.
    func append(_ run: RunKey, offset: Int64, _ bytes: [UInt8]) -> Int64 {
        let end = ends[run] ?? 0
        guard !bytes.isEmpty, offset <= end else { return end }
        let text = Self.text(of: run)
        guard Int(offset) + bytes.count <= text.count, Array(text[Int(offset)..<Int(offset) + bytes.count]) == bytes
        else {
            truth.complain("the log of \(run) has at \(offset) what was not printed there")
            return end
        }
        ends[run] = max(end, offset + Int64(bytes.count))
        return ends[run] ?? 0
    }

    func isWhole(_ run: RunKey) -> Bool { ends[run] ?? 0 == Int64(Self.text(of: run).count) }
}
