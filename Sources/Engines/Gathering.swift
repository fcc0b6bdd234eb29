internal import Core

/// Gathers what many callers ask for at once into few calls: whoever comes while one is under way waits, and goes with
/// all the others in the next. There is no wait for company: the first goes at once.
actor Gathering<Item: Sendable, Answer: Sendable> {
    private enum Turn {
        case answered(Result<Answer, EngineError>)
        /// It is this caller's to make the next call.
        case lead
    }

    private let budget: CallBudget
    private let countMax: Int
    private var waiting: [(item: Item, wake: CheckedContinuation<Turn, Never>)] = []
    private var isUnderWay = false

    /// - Parameters:
    ///   - budget: What each call is taken from, before it is decided who goes along.
    ///   - countMax: The most items of one call.
    init(_ budget: CallBudget, countMax: Int) { (self.budget, self.countMax) = (budget, countMax) }

    /// How many wait for the next call.
    var waitingCount: Int { waiting.count }

    /// - Parameter work: Asks for several at once; one answer for each, in their order. The first call it makes is paid for.
    func ask(
        _ item: Item,
        _ work: @Sendable ([Item]) async -> [Result<Answer, EngineError>]
    ) async throws(EngineError) -> Answer {
        if isUnderWay {
            let turn = await withCheckedContinuation { waiting.append((item, $0)) }
            if case .answered(let answer) = turn { return try answer.get() }
        }
        isUnderWay = true
        await budget.take()
        let others = Array(waiting.prefix(countMax - 1))
        waiting.removeFirst(others.count)
        let answers = await work([item] + others.map(\.item))
        precondition(answers.count == others.count + 1, "an item of a gathering was not answered")
        for (other, answer) in zip(others, answers.dropFirst()) { other.wake.resume(returning: .answered(answer)) }
        if waiting.isEmpty { isUnderWay = false } else { waiting.removeFirst().wake.resume(returning: .lead) }
        return try answers[0].get()
    }
}
