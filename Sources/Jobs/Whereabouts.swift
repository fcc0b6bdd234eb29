import Core
import Store
import Synchronization
import Wire

/// Which centres have which bytes, as far as that went by here: what runs took to their centre and what they left there.
///
/// A hint for placing and no more, since a centre evicts what it likes. Kept in memory; after a start it holds what runs
/// left lately. Of each project apart: where its jobs go tells nobody what others have.
final class Whereabouts: Sendable {
    /// Digests of one generation. The older of two is dropped when the younger is full.
    static let digestsMax = 100_000

    private struct Key: Hashable {
        var project: ProjectName
        var digest: Digest
    }

    private struct State {
        var young: [Key: Set<CentreName>] = [:]
        var old: [Key: Set<CentreName>] = [:]
    }

    private let state = Mutex(State())

    func note(_ digest: Digest, of project: ProjectName, at centre: CentreName) {
        let key = Key(project: project, digest: digest)
        state.withLock { state in
            if state.young.count >= Self.digestsMax { (state.old, state.young) = (state.young, [:]) }
            state.young[key, default: state.old[key] ?? []].insert(centre)
        }
    }

    /// How much of these bytes each centre has.
    func bytes(_ inputs: [Digest: Bytes], of project: ProjectName) -> [CentreName: Bytes] {
        state.withLock { state in
            var sums: [CentreName: Bytes] = [:]
            for (digest, size) in inputs {
                let key = Key(project: project, digest: digest)
                for centre in state.young[key] ?? state.old[key] ?? [] {
                    sums[centre] = (sums[centre] ?? 0) + size
                }
            }
            return sums
        }
    }
}

extension Point {
    /// What a job whose dependencies are met takes with it, each with its size.
    ///
    /// Of a folder that somebody uploaded only the list counts: what is in it is not known here.
    static func inputs(of job: Job, _ tx: ReadTransaction) throws -> [(input: LeaseOrder.Input, size: Bytes)] {
        var inputs: [(LeaseOrder.Input, Bytes)] = []
        func add(_ path: String, _ artifact: Artifact) {
            inputs.append((.init(path: path, kind: artifact.kind, digest: artifact.digest), artifact.size))
        }
        for input in job.spec.inputs {
            switch input.source {
            case .artifact(let digest, let kind):
                let size = try tx.blobGrant(project: job.project, digest: digest) ?? 0
                inputs.append((.init(path: input.name, kind: kind, digest: digest), size))
            case .output(let source, let output):
                switch Dependency(source) {
                case .job(let id):
                    for artifact in try tx.artifacts(of: id) where artifact.name == output { add(input.name, artifact) }
                case .array(let id):
                    for element in try tx.artifacts(of: id, output: output) {
                        add("\(input.name)/\(element.index)", element.artifact)
                    }
                case nil: preconditionFailure("submission replaces every name by an id")
                }
            }
        }
        return inputs
    }

    /// Learns from the log where the latest runs left what they made.
    package func rememberWhereabouts() async throws {
        let left = try await store.read { try $0.latestArtifacts(limit: Whereabouts.digestsMax) }
        for blob in left.reversed() { whereabouts.note(blob.digest, of: blob.project, at: blob.centre) }
    }
}
