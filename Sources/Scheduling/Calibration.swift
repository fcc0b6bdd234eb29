internal import Core

/// Corrects a kind of prediction by how earlier ones turned out, so that its p50 and p90 hold as often as they say,
/// whatever the prediction is worth.
///
/// Each context, from coarse to fine, remembers by how much the truth differed from its latest predictions; the finest
/// that has seen enough speaks. What its p90 promises too seldom or too often moves the quantile that it takes.
///
/// > Source: Gibbs and Candès, "Adaptive Conformal Inference Under Distribution Shift" (NeurIPS 2021): the step of the
/// > level after each outcome keeps the long-run coverage at its aim without any assumption about the data.
public struct Calibration: Sendable {
    /// What was said of one prediction, to be scored when the truth is known.
    public struct Span: Hashable, Sendable {
        /// As likely before as after, in seconds.
        public var p50: Double
        /// Nine times of ten not after, in seconds.
        public var p90: Double

        public init(p50: Double, p90: Double) { (self.p50, self.p90) = (p50, p90) }
    }

    fileprivate struct Memory {
        /// Base-2 logarithms of truth over prediction, ascending.
        var sorted: [Float] = []
        /// The same by age, in a ring.
        var ring: [Float] = []
        var next = 0
        /// The quantiles that are taken for the p50 and the p90.
        var level50 = 0.5
        var level90 = 0.9
    }

    private var memories: [UInt64: Memory] = [:]
    /// Added to both sides of a ratio, in seconds: below it nobody cares by what factor a prediction was wrong.
    private let floorSeconds: Double

    private static let step = 0.01
    fileprivate static let remembered = 256
    /// What a context must have seen before it speaks.
    private static let enough = 24
    private static let memoriesMax = 65_536

    public init(floorSeconds: Double) { self.floorSeconds = floorSeconds }

    /// - Parameter contexts: Hashes, from coarse to fine; see ``Predictor/context(_:_:)``.
    /// - Returns: `nil` while too little was seen to say anything.
    public func span(_ seconds: Double, _ contexts: [UInt64]) -> Span? {
        guard let memory = speaker(contexts) else { return nil }
        func at(_ level: Double) -> Double {
            let count = memory.sorted.count
            let rank = min(count - 1, Int((level * Double(count + 1)).rounded(.up)) - 1)
            let ratio = PortableMath.exp2(Double(memory.sorted[max(0, rank)]))
            return max(0, (seconds + floorSeconds) * ratio - floorSeconds)
        }
        let p50 = at(memory.level50)
        return Span(p50: p50, p90: max(p50, at(memory.level90)))
    }

    private func speaker(_ contexts: [UInt64]) -> Memory? {
        for context in contexts.reversed() {
            if let memory = memories[context], memory.sorted.count >= Self.enough { return memory }
        }
        return nil
    }

    /// The truth about a prediction.
    ///
    /// - Parameter span: What was said of it then, if anything was.
    public mutating func learn(_ seconds: Double, said span: Span?, truth: Double, _ contexts: [UInt64]) {
        if memories.count > Self.memoriesMax { memories.removeAll() }
        let ratio = Float(
            PortableMath.log2((max(0, truth) + floorSeconds) / (max(0, seconds) + floorSeconds))
        )
        for context in contexts {
            memories[context, default: Memory()].note(ratio)
            guard let span else { continue }
            memories[context]?.adapt(missed50: truth > span.p50, missed90: truth > span.p90, step: Self.step)
        }
    }
}

extension Calibration.Memory {
    fileprivate mutating func note(_ ratio: Float) {
        if ring.count < Calibration.remembered {
            ring.append(ratio)
        } else {
            sorted.remove(at: place(of: ring[next]))
            ring[next] = ratio
            next = (next + 1) % ring.count
        }
        sorted.insert(ratio, at: place(of: ratio))
    }

    /// A miss raises the level by what nine, or one, hits lower it.
    fileprivate mutating func adapt(missed50: Bool, missed90: Bool, step: Double) {
        level50 = min(0.9, max(0.1, level50 + step * (missed50 ? 0.5 : -0.5)))
        level90 = min(0.999, max(0.5, level90 + step * (missed90 ? 0.9 : -0.1)))
    }

    /// The first place whose value is not smaller.
    private func place(of ratio: Float) -> Int {
        sorted.partitioningIndex { $0 >= ratio }
    }
}
