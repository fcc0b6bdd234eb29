internal import Scheduling

/// How often what was foretold came true, over the jobs of a trace's later half.
public struct ForecastScore: Hashable, Sendable {
    /// Predictions of one kind that were made and came due.
    public struct Held: Hashable, Sendable {
        public var count = 0
        public var p50 = 0
        public var p90 = 0
        /// Sums of the base-2 logarithms of p90 over truth, to tell how wide the predictions are.
        var widths = 0.0

        /// The typical p90 as a multiple of what came.
        public var width: Double { count == 0 ? 0 : PortableMath.exp2(widths / Double(count)) }

        /// A count as a part of all, 0 to 1.
        public func part(_ held: Int) -> Double {
            count == 0 ? 0 : (Double(held) / Double(count) * 10_000).rounded() / 10_000
        }

        mutating func note(_ span: Calibration.Span, truth: Double, floorSeconds: Double) {
            count += 1
            if truth <= span.p50 { p50 += 1 }
            if truth <= span.p90 { p90 += 1 }
            widths += PortableMath.log2((span.p90 + floorSeconds) / (truth + floorSeconds))
        }
    }

    /// Of the waits of jobs that could not start at once.
    public var waits = Held()
    public var runs = Held()
    /// Jobs that started when they came: nothing was left to foretell.
    public var atOnce = 0
}

/// Foretells when jobs start and how long they run, and is told how it went.
struct Forecasts {
    private struct Said {
        var at: Int64
        var seconds: Double
        var span: Calibration.Span?
        var contexts: [UInt64]
    }

    private(set) var score = ForecastScore()
    private var waits = Forecaster.waits
    private var runs = Forecaster.runs
    private var waiting: [Int: Said] = [:]
    private var running: [Int: Said] = [:]
    /// The jobs from this one on count for the score.
    private let counted: Int

    init(counted: Int) { self.counted = counted }

    mutating func expectRun(_ index: Int, seconds: Int64, limit: Int64?) {
        let contexts = Forecaster.runContexts(seconds: Double(seconds), limitSeconds: limit)
        let span = runs.span(Double(seconds), contexts)
        running[index] = Said(at: 0, seconds: Double(seconds), span: span, contexts: contexts)
    }

    mutating func expectStart(_ index: Int, at now: Int64, waiting seconds: Double) {
        let contexts = Forecaster.waitContexts(seconds: seconds)
        waiting[index] = Said(at: now, seconds: seconds, span: waits.span(seconds, contexts), contexts: contexts)
    }

    mutating func startedAtOnce(_ index: Int) { if index >= counted { score.atOnce += 1 } }

    mutating func started(_ index: Int, at now: Int64) {
        guard let said = waiting.removeValue(forKey: index) else { return }
        let truth = Double(now - said.at)
        waits.learn(said.seconds, said: said.span, truth: truth, said.contexts)
        guard index >= counted, let span = said.span else { return }
        score.waits.note(span, truth: truth, floorSeconds: Forecaster.waitFloorSeconds)
    }

    mutating func ended(_ index: Int, ran seconds: Int64) {
        guard let said = running.removeValue(forKey: index) else { return }
        runs.learn(said.seconds, said: said.span, truth: Double(seconds), said.contexts)
        guard index >= counted, let span = said.span else { return }
        score.runs.note(span, truth: Double(seconds), floorSeconds: Forecaster.runFloorSeconds)
    }
}
