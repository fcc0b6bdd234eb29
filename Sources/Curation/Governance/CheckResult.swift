public import Core

/// What came of one check of a profile.
public struct CheckResult: Hashable, Sendable {
    public enum Outcome: String, Hashable, Sendable, CaseIterable {
        case met
        case notMet = "not_met"
        /// There is no evidence for or against it.
        case notShown = "not_shown"
    }

    public let check: Profile.Check
    public let outcome: Outcome
    /// The numbers, such as `3852/4000 = 96.3 %`: the same in every language. Empty when nothing is shown.
    public let found: String
    /// Such as `≥ 96 %`.
    public let asked: String
    /// What falls short, by name, the worst first: sources, risks, cells. Twenty at most.
    public let short: [String]

    /// What to do about it; nothing when it is met.
    public var toDo: BilingualText? {
        switch outcome {
        case .met: nil
        case .notMet: check.remedy
        case .notShown:
            BilingualText(
                chinese: "尚无证据，请补充：\(check.measure.rawValue)",
                english: "there is no evidence yet: show \(check.measure.rawValue)"
            )
        }
    }

    /// As the audit pack has it.
    public var json: JSON {
        .sorted([
            ("id", .string(check.id)), ("clause", .string(check.clause)), ("outcome", .string(outcome.rawValue)),
            ("found", found.isEmpty ? nil : .string(found)), ("asked", .string(asked)), ("short", .texts(short)),
            ("sure", .string(check.sure.rawValue)), ("source", .string(check.source)),
            ("title", check.title.json), ("to_do", toDo?.json),
        ])
    }
}

extension BilingualText {
    var json: JSON { .object([("en", .string(english)), ("zh", .string(chinese))]) }
}
