/// A published report of a simulation, as lists show it. Everybody signed in sees it, as they see centres.
public struct SimulationSummary: Codable, Sendable, Hashable {
    public var name: SimulationName
    /// What was replayed, and how many jobs of it.
    public var trace: String
    public var jobs: Int
    /// What was compared; the others are held against the first.
    public var policies: [String]
    /// What it was replayed on.
    public var centres: Int
    public var cores: Int
    public var cards: Int
    public var user: UserName
    public var publishedAt: Instant

    public init(
        name: SimulationName,
        trace: String,
        jobs: Int,
        policies: [String],
        centres: Int,
        cores: Int,
        cards: Int,
        user: UserName,
        publishedAt: Instant
    ) {
        (self.name, self.trace, self.jobs, self.policies) = (name, trace, jobs, policies)
        (self.centres, self.cores, self.cards) = (centres, cores, cards)
        (self.user, self.publishedAt) = (user, publishedAt)
    }
}
