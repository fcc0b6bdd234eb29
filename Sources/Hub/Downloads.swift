import Core
import Synchronization

/// How often a repository was downloaded.
public struct Downloads: Hashable, Sendable {
    /// In the last thirty days, of which today is one.
    public var recent: Int64
    public var total: Int64

    public init(recent: Int64 = 0, total: Int64 = 0) { (self.recent, self.total) = (recent, total) }
}

/// Counts downloads as the Hub does (hub-docs, "Models Download Stats" and "Datasets Download Stats"): of a dataset every
/// file counts, of a model one that every user of it asks for, such as `config.json`; what one visitor asks of one
/// repository within five minutes is one download.
///
/// In memory until somebody writes it down.
final class DownloadCounter: Sendable {
    static let window = Duration.seconds(300)
    /// So many visitors are remembered. Beyond that some are counted twice.
    static let visitsMax = 100_000

    /// What clients ask of a model first, by the libraries that wrote it.
    private static let names: Set<String> = [
        "config.json", "config.yaml", "hyperparams.yaml", "meta.yaml", "model_index.json", "adapter_config.json",
    ]
    /// Of models that are one file.
    private static let endings = [".gguf", ".nemo"]

    /// By repository and by day since 1970, of UTC.
    typealias Counts = [RepositoryID: [Int64: Int64]]

    private struct Visit: Hashable {
        var repository: RepositoryID
        var visitor: String
    }

    private struct State {
        var pending: Counts = [:]
        /// Being written down.
        var leaving: Counts = [:]
        var visits: [Visit: Instant] = [:]
    }

    private let state = Mutex(State())

    static func isCounted(_ path: String, on shelf: RepositoryShelf) -> Bool {
        switch shelf {
        case .datasets: true
        case .models: names.contains(path) || endings.contains { path.hasSuffix($0) }
        case .images: false
        }
    }

    func count(_ repository: RepositoryID, by visitor: String, at now: Instant) {
        state.withLock { state in
            let visit = Visit(repository: repository, visitor: visitor)
            if let begun = state.visits[visit], now - begun < Self.window { return }
            if state.visits.count >= Self.visitsMax {
                state.visits = state.visits.filter { now - $0.value < Self.window }
                if state.visits.count >= Self.visitsMax { state.visits = [:] }
            }
            state.visits[visit] = now
            state.pending[repository, default: [:]][now.day, default: 0] += 1
        }
    }

    /// What is not written down of a repository.
    func unsaved(_ repository: RepositoryID) -> Int64 {
        state.withLock { state in
            [state.pending, state.leaving].compactMap { $0[repository] }.flatMap(\.values).reduce(0, +)
        }
    }

    /// Hands over what is to be written down, until ``settle(isWritten:)`` says how it went. One at a time.
    func take() -> Counts {
        state.withLock { state in
            state.leaving.add(state.pending)
            state.pending = [:]
            return state.leaving
        }
    }

    func settle(isWritten: Bool) {
        state.withLock { state in
            if !isWritten { state.pending.add(state.leaving) }
            state.leaving = [:]
        }
    }
}

extension DownloadCounter.Counts {
    fileprivate mutating func add(_ others: Self) {
        merge(others) { $0.merging($1, uniquingKeysWith: +) }
    }
}

extension Instant {
    /// Days since 1970, of UTC.
    var day: Int64 { milliseconds / 86_400_000 }
}
