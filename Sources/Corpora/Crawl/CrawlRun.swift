public import Core
import Curation
import Glibc
import Wire

/// Carries a crawl out: one frontier decides, tasks fetch, one journal remembers.
public struct CrawlRun: Sendable {
    let file: CrawlFile
    let runtime: any Runtime
    let now: @Sendable () -> Instant
    /// An archive that has reached it is followed by the next.
    var archiveMaxBytes = ArchiveSeries.fileMaxBytes
    /// Path of a PEM file with the certificates that sites are trusted by, in place of the system's.
    public var trustedRoots: String?

    public init(_ file: CrawlFile, runtime: any Runtime, now: @escaping @Sendable () -> Instant) {
        self.file = file
        self.runtime = runtime
        self.now = now
    }

    /// Crawls until nothing is left, a limit is reached or the task is cancelled; goes on where an earlier run ended.
    ///
    /// Cancelling ends the requests under way, which the next run makes again, and is no error.
    ///
    /// - Throws: ``Failure`` when the output folder cannot be written, or another run is at work in it.
    public func run(progress: @escaping @Sendable (CrawlRecord) -> Void) async throws -> CrawlRecord {
        try Disk.makeFolder(file.outputFolder + "/work")
        let lock = try RunLock(file.outputFolder)
        defer { lock.release() }
        let state = try CrawlState(self)
        let end = try await crawl(state, progress)
        try state.journal.flush()
        var record = state.record
        record.finished = now()
        record.end = end
        try publish(record)
        progress(record)
        return record
    }

    private func publish(_ record: CrawlRecord) throws {
        var bytes: [UInt8] = []
        try JSON(encoding: record).write(to: &bytes)
        bytes.append(10)
        try Disk.publish(bytes, at: file.outputFolder + "/crawl.json")
    }

    private static let progressPeriod = Duration.milliseconds(500)

    private func crawl(_ state: CrawlState, _ progress: @Sendable (CrawlRecord) -> Void) async throws -> String {
        let fetcher = try PageFetcher(
            userAgent: file.userAgent,
            privateHosts: file.privateHosts,
            bodyMaxBytes: file.document.limits.bodyBytes,
            timeout: .seconds(file.document.limits.seconds),
            trustedRoots: trustedRoots,
            now: now
        )
        var shown: Duration?
        return try await withThrowingTaskGroup(of: PageFetcher.Exchange?.self) { group in
            // The earliest moment at which a task of the group wakes this loop.
            var alarm: Instant?
            while !Task.isCancelled {
                if shown.map({ runtime.elapsed - $0 >= Self.progressPeriod }) ?? true {
                    shown = runtime.elapsed
                    try publish(state.record)
                    progress(state.record)
                }
                switch state.frontier.next(at: now()) {
                case .fetch(let entry):
                    let known = state.known(entry)
                    group.addTask { await fetcher.fetch(entry, known) }
                    continue
                case .refuse(let entry, let verdict):
                    try state.refuse(entry, verdict)
                    continue
                case .finished(let end):
                    group.cancelAll()
                    return end.rawValue
                case .wait(let until):
                    if alarm.map({ until < $0 }) ?? true {
                        alarm = until
                        let pause = until - now()
                        group.addTask {
                            try? await runtime.sleep(for: max(pause, .milliseconds(1)))
                            return nil
                        }
                    }
                case .busy: break
                }
                guard let next = try await group.next() else { continue }
                if let exchange = next {
                    if case .failed(.cancelled) = exchange.result { continue }
                    try state.take(exchange)
                } else {
                    alarm = nil
                }
            }
            group.cancelAll()
            // What has come in meanwhile is worth keeping.
            while let next = try await group.next() {
                guard let exchange = next else { continue }
                if case .failed(.cancelled) = exchange.result { continue }
                try state.take(exchange)
            }
            return "interrupted"
        }
    }
}
