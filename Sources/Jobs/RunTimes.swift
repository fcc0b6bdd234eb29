import Core
import Scheduling
import Synchronization

/// How long runs of jobs take, learned from those that have ended. Lives in memory; filled again from the latest runs
/// when the point starts.
final class RunTimes: Sendable {
    /// How many of the latest runs are looked at when the point starts.
    static let remembered = 2000

    /// What the run time of a job goes by.
    struct Kind: Hashable, Sendable {
        fileprivate var contexts: [UInt64]
        fileprivate var timeLimitSeconds: Int

        init(_ spec: JobSpec, project: ProjectName) {
            contexts = RunTimes.contexts(spec, project)
            timeLimitSeconds = spec.timeLimitSeconds
        }
    }

    private let predictor = Mutex(Predictor())

    /// How long a job of this kind is expected to run, in seconds: at most its time limit.
    func seconds(_ kind: Kind) -> Int {
        Int(predictor.withLock { $0.seconds(kind.contexts, limitSeconds: Int64(kind.timeLimitSeconds)) })
    }

    /// A run ended. What was stopped or lost says nothing of how long it would have taken.
    func note(_ run: Run, of spec: JobSpec) {
        guard let from = run.startedAt, let to = run.endedAt, run.outcome?.kind.tellsRunTime == true else { return }
        let contexts = Kind(spec, project: run.project).contexts
        predictor.withLock { $0.learn(contexts, seconds: Int64((to - from).seconds.rounded(.up))) }
    }

    /// From coarse to fine: everybody, the project, what is asked for, the program, and all of it.
    private static func contexts(_ spec: JobSpec, _ project: ProjectName) -> [UInt64] {
        let owner = number(CollectionOfOne("\(project)"))
        let program = number(spec.algorithm.map { ["algorithm", $0.name] } ?? ["command"] + spec.command)
        let size = Predictor.context(
            0,
            Int64(spec.tasks),
            spec.resources.cores.count,
            Int64(spec.resources.cards),
            Int64(spec.timeLimitSeconds)
        )
        let asked = Int64(bitPattern: size)
        return [
            Predictor.context(1), Predictor.context(2, owner), Predictor.context(3, owner, asked),
            Predictor.context(4, owner, program), Predictor.context(5, owner, program, asked),
        ]
    }

    /// A hash of texts and where they end that is the same in every process.
    private static func number(_ texts: some Sequence<String>) -> Int64 {
        var hash = FNV()
        for text in texts {
            hash.combine(text.utf8)
            hash.combine(0xFF as UInt8)
        }
        return Int64(bitPattern: hash.value)
    }
}
