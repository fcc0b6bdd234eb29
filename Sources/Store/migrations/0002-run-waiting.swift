extension Migration {
    /// Why a run waits at its engine.
    static let runWaiting = Migration(
        number: 2,
        name: "run-waiting",
        statements: ["ALTER TABLE run ADD COLUMN waiting TEXT"]
    )
}
