extension Migration {
    /// Where a centre's agent speaks from.
    static let agentSeat = Migration(
        number: 3,
        name: "agent-seat",
        statements: ["ALTER TABLE centre ADD COLUMN agent_seat TEXT"]
    )
}
