public import Scheduling

/// A policy by its name: what decides, and where estimates come from.
public struct ReplayPolicy: Hashable, Sendable {
    public enum Mind: Hashable, Sendable {
        /// The incremental scheduler, by these rules.
        case scheduler(Rules)
        /// What a running point asks: ``Scheduling/plan(_:policy:)``.
        case plan
    }

    public var name: String
    public var mind: Mind
    public var estimates: ReplayOptions.Estimates
    /// Whether it shares between projects, where the replay has any.
    public var knowsProjects: Bool

    /// Every policy there is, our own first.
    public static let all: [ReplayPolicy] = [
        ReplayPolicy("onepoint", .standard, .predicted, knowsProjects: true),
        ReplayPolicy("patience", .standard, .predicted),
        ReplayPolicy("point"),
        ReplayPolicy("fcfs", .fcfs),
        ReplayPolicy("sjf", .sjf),
        ReplayPolicy("easy", .easy),
        ReplayPolicy("conservative", .conservative),
        ReplayPolicy("easy-sjbf", .easySJBF),
        ReplayPolicy("easy-spf", .easySPF),
        ReplayPolicy("easy-saf", .easySAF),
        ReplayPolicy("greedy", .greedy),
        ReplayPolicy("sjf-greedy", .greedySJF),
        ReplayPolicy("fgd", .fgd),
    ]

    private init(
        _ name: String,
        _ rules: Rules,
        _ estimates: ReplayOptions.Estimates = .requested,
        knowsProjects: Bool = false
    ) {
        self.name = name
        mind = .scheduler(rules)
        self.estimates = estimates
        self.knowsProjects = knowsProjects
    }

    private init(_ point: String) {
        name = point
        mind = .plan
        estimates = .predicted
        knowsProjects = true
    }

    /// - Parameter text: A name, after `+` where estimates come from: `easy-sjbf+actual`.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "+", maxSplits: 1)
        guard let name = parts.first, var policy = Self.all.first(where: { $0.name == name }) else { return nil }
        if parts.count == 2 {
            guard let estimates = ReplayOptions.Estimates(rawValue: String(parts[1])) else { return nil }
            policy.estimates = estimates
            policy.name = String(text)
        }
        self = policy
    }
}
