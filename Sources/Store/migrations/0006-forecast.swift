extension Migration {
    /// What was foretold of each job. Times in seconds, the price in millionths of a credit.
    static let forecast = Migration(
        number: 6,
        name: "forecast",
        statements: [
            """
            CREATE TABLE forecast (
                job TEXT PRIMARY KEY, made_at BIGINT NOT NULL, wait_modelled BIGINT NOT NULL, wait_p50 BIGINT NOT NULL,
                wait_p90 BIGINT NOT NULL, run_modelled BIGINT NOT NULL, run_p50 BIGINT NOT NULL, run_p90 BIGINT NOT NULL,
                hour_price BIGINT NOT NULL
            )
            """
        ]
    )
}
