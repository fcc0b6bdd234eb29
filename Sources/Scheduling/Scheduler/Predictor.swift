/// How long a job will run, learned from those that have ended: nobody trains it, and what a user says is only its
/// upper bound.
///
/// A job is known by several contexts, from coarse (this centre) to fine (this user, this program, this size). Each
/// remembers the mean logarithm of its run times, where recent ones count more. The estimate starts from the coarsest
/// and is drawn towards each finer one by as much as that has seen: one observation counts half.
public struct Predictor: Sendable {
    private struct Memory {
        var count = 0.0
        /// Base 2, of seconds.
        var meanLog = 0.0
    }

    private var memories: [UInt64: Memory] = [:]

    /// The least weight of a new observation: about the last three make the mean.
    private static let weightMin = 0.3
    /// What is assumed of the first job of all.
    private static let firstSeconds = 3600.0
    /// Contexts above this are forgotten, all at once: a new start costs a few estimates, a full memory a machine.
    private static let memoriesMax = 4_000_000

    public init() {}

    /// - Parameters:
    ///   - contexts: Hashes, from coarse to fine; see ``context(_:_:)``.
    ///   - limitSeconds: How long it may run; `nil` for no limit.
    /// - Returns: Seconds, at least 1.
    public func seconds(_ contexts: [UInt64], limitSeconds: Int64?) -> Int64 {
        let limit = max(1, limitSeconds ?? .max)
        var log = PortableMath.log2(min(Self.firstSeconds, Double(limit)))
        for context in contexts {
            guard let memory = memories[context] else { continue }
            let weight = memory.count / (memory.count + 1)
            log += weight * (memory.meanLog - log)
        }
        return max(1, min(limit, Int64(PortableMath.exp2(min(log, 60)))))
    }

    /// A job ended after so many seconds.
    public mutating func learn(_ contexts: [UInt64], seconds: Int64) {
        let log = PortableMath.log2(Double(max(1, seconds)))
        if memories.count > Self.memoriesMax { memories.removeAll() }
        for context in contexts {
            var memory = memories[context] ?? Memory()
            memory.meanLog += max(Self.weightMin, 1 / (memory.count + 1)) * (log - memory.meanLog)
            memory.count += 1
            memories[context] = memory
        }
    }

    /// A context's hash: the same on every machine.
    ///
    /// - Parameter kind: Tells contexts of different make apart.
    public static func context(_ kind: UInt64, _ parts: Int64...) -> UInt64 {
        var hash = (kind &+ 1) &* 0x9E37_79B9_7F4A_7C15
        for part in parts {
            hash = (hash ^ UInt64(bitPattern: part)) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
        }
        return hash
    }
}
