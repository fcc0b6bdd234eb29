import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension Console {
    func addLedgerRoutes(to routes: Pages) {
        page(routes, "/ledger") { request, context, principal in
            let typed = Form(parsing: request.uri.query ?? "")
            let query = Form(
                typed.fields.filter { ["project", "view", "cursor"].contains($0.name) && !$0.value.trimmed.isEmpty }
            )
            let frame = frame(request, context, projects: try await point.projects(principal))
            let all = try await point.balances(principal)
            let balances = all.filter { balance in
                guard let project = frame.project else { return true }
                switch Account(balance.account) {
                case .project(let name), .reserved(let name): return name == project
                case .issued, .centre, nil: return false
                }
            }
            let list: LedgerPage.List =
                query["view"] == "usage"
                ? .usage(
                    try await point.usage(
                        project: frame.project,
                        from: nil,
                        to: nil,
                        cursor: query["cursor"],
                        limit: 100,
                        principal
                    )
                )
                : .entries(
                    try await point.ledger(
                        project: frame.project,
                        cursor: query["cursor"],
                        limit: 100,
                        principal
                    )
                )
            return LedgerPage(balances: balances, list: list, query: query).render(frame)
        }
        get(routes, "/ledger/entries.csv") { request, _, principal in
            let project = Form(parsing: request.uri.query ?? "")["project"].flatMap { ProjectName($0) }
            return try await csv("ledger", ["sequence", "at", "account", "micro_credits", "memo"]) { cursor in
                let page = try await point.ledger(project: project, cursor: cursor, limit: 500, principal)
                let rows = page.items.map {
                    ["\($0.sequence)", $0.at.rfc3339, CSV.text($0.account), "\($0.amount.count)", CSV.text($0.memo)]
                }
                return (rows, page.next)
            }
        }
        get(routes, "/ledger/usage.csv") { request, _, principal in
            let project = Form(parsing: request.uri.query ?? "")["project"].flatMap { ProjectName($0) }
            let head = ["run", "project", "centre", "meter", "from", "to", "micro_units"]
            return try await csv("usage", head) { cursor in
                let page = try await point.usage(
                    project: project,
                    from: nil,
                    to: nil,
                    cursor: cursor,
                    limit: 500,
                    principal
                )
                let rows = page.items.map { usage in
                    [
                        usage.run.description, usage.project.text, usage.centre.text, usage.meter.rawValue,
                        usage.from.rfc3339, usage.to.rfc3339, "\(usage.microUnits)",
                    ]
                }
                return (rows, page.next)
            }
        }
    }

    /// A whole list as CSV, fetched page by page while it is sent.
    private func csv(
        _ name: String,
        _ head: [String],
        _ next: @escaping @Sendable (String?) async throws -> ([[String]], String?)
    ) async throws -> Response {
        // The first page comes before the answer begins, so that errors become problems.
        let first = try await next(nil)
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8", .cacheControl: "no-store",
                .contentDisposition: "attachment; filename=\"onepoint-\(name).csv\"",
            ],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: head.joined(separator: ",") + "\r\n"))
                var (rows, cursor) = first
                while true {
                    let text = rows.map { $0.joined(separator: ",") + "\r\n" }.joined()
                    if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
                    guard let more = cursor else { break }
                    (rows, cursor) = try await next(more)
                }
                try await writer.finish(nil)
            }
        )
    }
}
