import Core
import Crypto
import Curation
import Synchronization

/// What was read out of files of releases, kept by the digest of the bytes: bytes of one digest never change, so nothing
/// here is ever wrong. Whether a caller may have it is asked before.
final class Readings: Sendable {
    /// Of the files that stand behind it, in bytes; what was asked for longest ago goes first.
    private static let weightMax: Int64 = 64 << 20

    let records = DigestCache<Result<RunRecord, Failure>>(weightMax: weightMax)
    let sheets = DigestCache<Result<SampleSheet, Failure>>(weightMax: weightMax)
    let lines = DigestCache<LineIndex>(weightMax: weightMax)
    let verdicts = VerdictMemory()
}

/// The verdicts of the samples that were looked at last: they are never changed, so only new ones have to be read.
final class VerdictMemory: Sendable {
    struct Key: Hashable, Sendable {
        var repository: RepositoryID
        var root: Core.Digest
        var purpose: String
    }

    struct Known: Sendable {
        var events: [WorkList.Event] = []
        /// Of the last of them.
        var sequence: Int64 = 0
    }

    private static let samplesMax = 64

    private let samples = Mutex<[(key: Key, known: Known)]>([])

    func known(_ key: Key) -> Known {
        samples.withLock { samples in samples.first { $0.key == key }?.known ?? Known() }
    }

    /// Of two that read at once, what the later one saw is kept.
    func keep(_ known: Known, of key: Key) {
        samples.withLock { samples in
            if let index = samples.firstIndex(where: { $0.key == key }) {
                let old = samples.remove(at: index).known
                samples.append((key, old.sequence > known.sequence ? old : known))
            } else {
                samples.append((key, known))
                if samples.count > Self.samplesMax { samples.removeFirst() }
            }
        }
    }
}

/// SHA-256, as Merkle trees want it.
let sha256: MerkleHash = { bytes in
    let digest = bytes.withUnsafeBytes { Core.Digest(bytes: Array(SHA256.hash(data: $0))) }
    guard let digest else { preconditionFailure("SHA-256 makes 32 bytes") }
    return digest
}

/// Values by a digest, within a limit of weight.
final class DigestCache<Value: Sendable>: Sendable {
    private struct Entry {
        var value: Value
        var weight: Int64
        var used: Int
    }

    private struct State {
        var entries: [Core.Digest: Entry] = [:]
        var weight: Int64 = 0
        var uses = 0
    }

    private let state = Mutex(State())
    private let weightMax: Int64

    init(weightMax: Int64) { self.weightMax = weightMax }

    /// What is kept, else what `make` finds. Two that ask at once may both make it.
    func value(_ digest: Core.Digest, weight: Int64, _ make: () async throws -> Value) async throws -> Value {
        let known = state.withLock { state -> Value? in
            guard var entry = state.entries[digest] else { return nil }
            state.uses += 1
            entry.used = state.uses
            state.entries[digest] = entry
            return entry.value
        }
        if let known { return known }
        let fresh = try await make()
        // A small file has its price too.
        let weight = weight + 1024
        guard weight <= weightMax else { return fresh }
        state.withLock { state in
            state.uses += 1
            if let old = state.entries.updateValue(
                Entry(value: fresh, weight: weight, used: state.uses),
                forKey: digest
            ) {
                state.weight -= old.weight
            }
            state.weight += weight
            while state.weight > weightMax, let oldest = state.entries.min(by: { $0.value.used < $1.value.used }) {
                state.entries[oldest.key] = nil
                state.weight -= oldest.value.weight
            }
        }
        return fresh
    }
}
