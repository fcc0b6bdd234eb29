public import Core
import Logging
import Store

extension Repositories {
    /// Between two times that downloads are written down; a crash loses what came since the last.
    static let downloadsPeriod = Duration.seconds(60)
    private static let recentDays: Int64 = 30
    /// In one event.
    private static let countsMax = 1000

    /// Counts that a file was asked for, if that is a download.
    ///
    /// - Parameter visitor: A user or, for those without credentials, their address.
    public func countDownload(of path: String, from repository: Repository, by visitor: String) {
        guard DownloadCounter.isCounted(path, on: repository.kind.shelf) else { return }
        counter.count(repository.id, by: visitor, at: now())
    }

    /// How often a repository was downloaded. The caller's right to see it was checked before.
    public func downloads(of repository: Repository) async throws -> Downloads {
        let day = recentBegin
        let saved = try await store.read { try $0.downloads(of: repository.id, after: day) }
        return downloads(of: repository.id, saved)
    }

    /// The day before those that count as recent.
    var recentBegin: Int64 { now().day - Self.recentDays }

    func downloads(of repository: RepositoryID, _ saved: (recent: Int64, total: Int64)) -> Downloads {
        let unsaved = counter.unsaved(repository)
        return Downloads(recent: saved.recent + unsaved, total: saved.total + unsaved)
    }

    /// Writes down what was counted since the last time. Not called twice at once.
    public func saveDownloads() async throws {
        let counted = counter.take()
        guard !counted.isEmpty else { return }
        let now = now()
        do {
            try await write { tx in
                var days: [Int64: [Event.DownloadsCounted.Count]] = [:]
                for (repository, counts) in counted where try tx.repository(repository) != nil {
                    for (day, downloads) in counts {
                        days[day, default: []].append(.init(repository: repository, downloads: downloads))
                    }
                }
                for (day, counts) in days.sorted(by: { $0.key < $1.key }) {
                    let ordered = counts.sorted { "\($0.repository)" < "\($1.repository)" }
                    for start in stride(from: 0, to: ordered.count, by: Self.countsMax) {
                        let some = Array(ordered[start..<min(start + Self.countsMax, ordered.count)])
                        try tx.append(
                            .downloadsCounted(.init(day: day, counts: some)),
                            project: nil,
                            subject: "downloads",
                            actor: "point",
                            at: now
                        )
                    }
                }
            }
            counter.settle(isWritten: true)
        } catch {
            counter.settle(isWritten: false)
            throw error
        }
    }

    func saveDownloadsAgainAndAgain() async {
        while (try? await runtime.sleep(for: Self.downloadsPeriod)) != nil { await trySavingDownloads() }
    }

    func trySavingDownloads() async {
        do {
            try await saveDownloads()
        } catch {
            log.warning("downloads cannot be written down", metadata: ["error": "\(error)"])
        }
    }
}
