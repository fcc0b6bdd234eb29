import Core

/// How an input or an output of a run comes along, and when that is worth a word.
///
/// Every word is an event in the point's log, so there are few: none for what comes quickly, then one every few seconds,
/// and ever fewer the longer it takes.
struct TransferProgress: Sendable {
    private let action: String
    /// Of the files of a folder; `nil` for one file.
    private let total: Bytes?
    /// What has arrived of the folder's files that are whole.
    private var settled: Bytes
    /// How far the others have come.
    private var underWay: [Digest: Bytes] = [:]
    private let began: Duration
    private var lastWord: Duration
    private var nextWord: Duration
    /// Bytes that have arrived since the last word.
    private var received: Bytes = 0

    /// Before the first word.
    static let quietMin = Duration.seconds(2)
    /// Between two words.
    static let periodMin = Duration.seconds(5)

    /// - Parameter action: Such as `staging model.bin`.
    init(_ action: String, total: Bytes? = nil, settled: Bytes = 0, at now: Duration) {
        (self.action, self.total, self.settled) = (action, total, settled)
        (began, lastWord, nextWord) = (now, now, now + Self.quietMin)
    }

    /// A file of the folder has arrived.
    mutating func settle(_ file: Digest, _ size: Bytes) {
        underWay[file] = nil
        settled = settled + size
    }

    /// - Parameters:
    ///   - offset: How far that file has come.
    ///   - received: How much of that came since the last call.
    ///   - size: Of that file.
    /// - Returns: What to say now, if anything: `staging model.bin: 1.2 GiB of 3.4 GiB, 85 MiB/s`.
    mutating func advance(
        _ file: Digest,
        to offset: Bytes,
        received: Bytes,
        of size: Bytes,
        at now: Duration
    ) -> String? {
        underWay[file] = offset
        self.received = self.received + received
        guard now >= nextWord else { return nil }
        let rate = Bytes(Int64(Double(self.received.count) / (now - lastWord).seconds))
        (lastWord, nextWord, self.received) = (now, now + max(Self.periodMin, (now - began) / 20), 0)
        return "\(action): \(underWay.values.reduce(settled, +)) of \(total ?? size), \(rate)/s"
    }
}
