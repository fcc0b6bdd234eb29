internal import Core
internal import Logging
internal import Synchronization

extension SlurmEngine {
    /// How long a cluster that has no accounting is not asked for it.
    private static let noPastPeriod = Duration.seconds(600)
    /// What ended is in accounting some seconds later than the controller has forgotten it.
    static let pastLag = Duration.seconds(15)

    /// Asks accounting in one call for all jobs of runs that have not ended and that the controller does not list: it
    /// forgets what ended some minutes ago.
    ///
    /// - Returns: Nothing listed where there is none; `nil` when it did not answer: then what is missing may have ended.
    func past(of missing: [SlurmBatches.Place]) async -> SlurmListing? {
        let isWithout = state.withLock { $0.withoutPast.map { .now - $0 < Self.noPastPeriod } ?? false }
        guard !missing.isEmpty, !isWithout else { return SlurmListing([]) }
        await budget.take()
        do throws(EngineError) {
            if let jobs = try await access.past(Set(missing.map(\.name)).sorted()) { return SlurmListing(jobs) }
            state.withLock { $0.withoutPast = .now }
            return SlurmListing([])
        } catch {
            log.warning("slurm's accounting does not answer", metadata: ["error": "\(error)"])
            return nil
        }
    }
}
