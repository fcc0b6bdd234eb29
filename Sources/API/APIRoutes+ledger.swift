import Core
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let ledgerEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/ledger/balances",
            .user,
            .read,
            "What stands on which account",
            answer: .json([BalanceView].self)
        ) { call in
            try call.answer(try await call.point.balances(call.caller()))
        },
        Endpoint(
            .get,
            "/v1/ledger/entries",
            .user,
            .read,
            "Every booking",
            parameters: [.query("project", .name, "Of this project's accounts.")] + paging + [format],
            answer: .jsonOrCSV(Page<LedgerEntryView>.self)
        ) { call in
            let (caller, project): (Principal, ProjectName?) = (try call.caller(), try call.query("project"))
            return try await call.table(
                ["sequence", "at", "account", "amount_micro_credits", "memo"],
                name: "ledger-entries",
                page: { cursor, limit in
                    try await call.point.ledger(project: project, cursor: cursor, limit: limit, caller)
                },
                row: {
                    [
                        .number($0.sequence), .text($0.at.rfc3339), .text($0.account), .number($0.amount.count),
                        .text($0.memo),
                    ]
                }
            )
        },
        Endpoint(
            .get,
            "/v1/ledger/usage",
            .user,
            .read,
            "What each run used",
            parameters: [
                .query("project", .name, "Of this project."), .query("from", .time, "Not before."),
                .query("to", .time, "Before."),
            ] + paging + [format],
            answer: .jsonOrCSV(Page<UsageView>.self)
        ) { call in
            let (caller, project): (Principal, ProjectName?) = (try call.caller(), try call.query("project"))
            let (from, to) = (try call.time("from"), try call.time("to"))
            return try await call.table(
                ["run", "job", "project", "centre", "meter", "from", "to", "micro_units"],
                name: "usage",
                page: { cursor, limit in
                    try await call.point.usage(
                        project: project,
                        from: from,
                        to: to,
                        cursor: cursor,
                        limit: limit,
                        caller
                    )
                },
                row: {
                    [
                        .text("\($0.run)"), .text("\($0.job)"), .text($0.project.text), .text($0.centre.text),
                        .text($0.meter.rawValue), .text($0.from.rfc3339), .text($0.to.rfc3339), .number($0.microUnits),
                    ]
                }
            )
        },
    ]

    private static let format = ParameterDescription.query(
        "format",
        .choice(["json", "csv"]),
        "`csv` streams all rows, as does `Accept: text/csv`."
    )
}
