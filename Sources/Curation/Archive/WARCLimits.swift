/// What a reader of archives keeps in memory.
public struct WARCLimits: Equatable, Sendable {
    /// The largest record that is given, and the largest body: 64 MiB, or up to 1 GiB.
    public let recordMaxBytes: Int
    /// The largest header of a record.
    public let headMaxBytes = 256 << 10
    /// A window that a driver need not exceed, whatever the archive holds.
    public let windowMaxBytes = 4 << 20

    public init(recordMaxBytes: Int = 64 << 20) {
        self.recordMaxBytes = min(max(1, recordMaxBytes), 1 << 30)
    }
}
