import Blobs
import Core
import Logging
public import ServiceLifecycle

/// What goes on by itself: collection and scrubbing.
extension Repositories: Service {
    /// Between two rounds of collection.
    static let collectionPeriod = Duration.seconds(6 * 3600)
    /// Before the first: whoever was told of bytes by an earlier process has this long to come back.
    static let collectionDelay = Duration.seconds(3600)
    /// In which every blob is looked at once more.
    static let scrubPeriod = Duration.seconds(30 * 24 * 3600)
    /// Of a second, so that scrubbing holds up nobody.
    static let scrubBytesPerSecondMax = 32 << 20

    /// Runs until the process is asked to stop.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                group.addTask { await self.collectAgainAndAgain() }
                group.addTask { await self.scrubAgainAndAgain() }
                group.addTask { await self.publishAgainAndAgain() }
                group.addTask { await self.saveDownloadsAgainAndAgain() }
                if self.blobs.hasBucket { group.addTask { await self.offloadAgainAndAgain() } }
            }
        }
        await trySavingDownloads()
    }

    private func collectAgainAndAgain() async {
        var clock = ClockWatch(wall: now(), elapsed: runtime.elapsed)
        while (try? await runtime.sleep(for: clock.hasStepped ? Self.leaseLifetime : Self.collectionDelay)) != nil {
            // Leases are told by the wall clock: one that was set forward would end them all at once.
            clock = clock.advanced(wall: now(), elapsed: runtime.elapsed)
            if clock.hasStepped {
                log.warning("clock stepped, collection waits for a day")
                continue
            }
            do {
                let collected = try await collect()
                log.notice(
                    "repository collected",
                    metadata: [
                        "revisions": "\(collected.revisions)", "grants": "\(collected.grants)",
                        "blobs": "\(collected.blobs)", "bytes": "\(collected.bytes.count)",
                    ]
                )
            } catch is CancellationError {
                return
            } catch {
                log.error("repository cannot be collected", metadata: ["error": "\(error)"])
            }
            try? await runtime.sleep(for: Self.collectionPeriod - Self.collectionDelay)
        }
    }

    /// Between two looks at what could move to the bucket.
    static let offloadPeriod = Duration.seconds(60)

    private func offloadAgainAndAgain() async {
        await Reconciler(bell: nil, tick: Self.offloadPeriod, pauseMin: .seconds(1)).run(on: runtime) { error in
            log.error("bytes cannot be moved to the bucket", metadata: ["error": "\(error)"])
        } _: {
            let done = try await blobs.offload(keeping: keptBeforeBucket)
            if done.isNothing { return }
            log.notice(
                "bytes moved to the bucket",
                metadata: [
                    "blobs": "\(done.blobs)", "bytes": "\(done.bytes.count)", "removed": "\(done.objectsRemoved)",
                ]
            )
            for digest in done.damaged {
                log.error("blob was damaged on the disk and is out of service", metadata: ["digest": "\(digest)"])
            }
        }
    }

    private func scrubAgainAndAgain() async {
        while (try? await runtime.sleep(for: Self.collectionDelay)) != nil {
            let began = runtime.elapsed
            do {
                let scrubbed = try await scrub { [runtime] size in
                    try await runtime.sleep(for: .seconds(Double(size.count) / Double(Self.scrubBytesPerSecondMax)))
                }
                log.notice(
                    "repository scrubbed",
                    metadata: [
                        "intact": "\(scrubbed.intact)", "quarantined": "\(scrubbed.quarantined.count)",
                        "bytes": "\(scrubbed.bytes.count)",
                    ]
                )
            } catch is CancellationError {
                return
            } catch {
                log.error("repository cannot be scrubbed", metadata: ["error": "\(error)"])
            }
            try? await runtime.sleep(for: max(Self.collectionDelay, Self.scrubPeriod - (runtime.elapsed - began)))
        }
    }
}

/// Whether the wall clock went on as time did.
struct ClockWatch {
    private let wall: Instant
    private let elapsed: Duration
    private(set) var hasStepped = false

    /// Slewing by NTP stays below it.
    static let tolerance = Duration.seconds(300)

    init(wall: Instant, elapsed: Duration) { (self.wall, self.elapsed) = (wall, elapsed) }

    func advanced(wall: Instant, elapsed: Duration) -> ClockWatch {
        var next = ClockWatch(wall: wall, elapsed: elapsed)
        let drift = (wall - self.wall) - (elapsed - self.elapsed)
        next.hasStepped = drift > Self.tolerance || drift < .zero - Self.tolerance
        return next
    }
}
