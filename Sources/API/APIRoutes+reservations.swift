import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let reservationEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/reservations",
            .user,
            .read,
            "Room that is kept in advance, by start",
            parameters: [
                .query("centre", .name, "At this centre."), .query("project", .name, "For this project."),
                .query("past", .boolean, "`true`: also those that are over."),
            ] + paging,
            answer: .json(Page<ReservationView>.self)
        ) { call in
            let page = try await call.point.reservations(
                centre: call.query("centre"),
                project: call.query("project"),
                past: call.query("past", as: Bool.self) ?? false,
                cursor: call.query("cursor"),
                limit: call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .post,
            "/v1/reservations",
            .operator,
            .admin,
            "Keep room at a centre for a project or for maintenance",
            body: .json(reservationSchema),
            answer: .json(ReservationView.self, status: 201)
        ) { call in
            let request = try await call.body { reservation(&$0) }
            let view = try await call.point.createReservation(request, call.caller())
            return try call.answer(view, status: .created, location: "/v1/reservations/\(view.name)")
        },
        Endpoint(
            .get,
            "/v1/reservations/{reservation}",
            .user,
            .read,
            "One reservation, the newest of its name, and what it will lack",
            answer: .json(ReservationView.self)
        ) { call in
            try call.answer(try await call.point.reservation(call.path("reservation"), call.caller()))
        },
        Endpoint(
            .delete,
            "/v1/reservations/{reservation}",
            .operator,
            .admin,
            "Cancel a reservation; its room is free at once",
            answer: .json(ReservationView.self)
        ) { call in
            try call.answer(try await call.point.cancelReservation(call.path("reservation"), call.caller()))
        },
    ]

    private static let namesMax = 4096

    private static let reservationSchema = Schema.object(
        [
            "name": .name, "centre": .name, "project": .name, "maintenance": .boolean, "starts_at": .time,
            "ends_at": .time, "duration_seconds": .integer("Instead of `ends_at`.", in: 1...(366 * 86_400)),
            "whole_centre": .boolean, "node_names": .array(of: .string),
            "nodes": .integer("Whole nodes.", in: 1...4096),
            "cards": .integer("With their parts of their nodes.", in: 1...1_000_000),
            "card": .string("The cards' model, with `nodes` or `cards`."),
            "cores": .integer("In thousandths of a core.", in: 1...1_000_000_000_000),
            "memory": .integer("In bytes, with `cores`.", in: 1...(1 << 60)), "note": .string,
            "ignore_running": .boolean,
        ],
        required: ["name", "centre"],
        text: """
            One of `project` and `maintenance`; one of `ends_at` and `duration_seconds`; one of `whole_centre`, \
            `node_names`, `nodes`, `cards` and `cores`. Without `starts_at` it begins now. `ignore_running` accepts \
            that runs may last into it.
            """
    )

    private static func reservation(_ reader: inout BodyReader) -> ReservationRequest? {
        let (name, centre) = (reader.name("name", as: ReservationName.self), reader.name("centre", as: CentreName.self))
        let project: ProjectName? = reader.optionalName("project")
        let isMaintenance = reader.optionalBool("maintenance") ?? false
        func time(_ key: String) -> Instant? {
            reader.optional(key, "a time such as 2026-01-31T09:30:00Z") { json in
                json.stringValue.flatMap { Instant(rfc3339: $0) }
            }
        }
        let (start, end) = (time("starts_at"), time("ends_at"))
        let seconds = reader.optionalInteger("duration_seconds", in: 1...(366 * 86_400))
        let isWhole = reader.optionalBool("whole_centre") ?? false
        let names = reader.optional("node_names", "a list of 1 to \(namesMax) names of nodes") { json -> [String]? in
            guard let items = json.arrayValue, (1...namesMax).contains(items.count) else { return nil }
            let names = items.compactMap(\.stringValue).filter { (1...253).contains($0.utf8.count) }
            return names.count == items.count ? names : nil
        }
        let nodes = reader.optionalInteger("nodes", in: 1...4096)
        let cards = reader.optionalInteger("cards", in: 1...1_000_000)
        let card = reader.optionalText("card", charactersMax: 100)
        let cores = reader.optionalInteger("cores", in: 1...1_000_000_000_000)
        let memory = reader.optionalInteger("memory", in: 1...(1 << 60))
        let note = reader.optionalText("note")
        let ignores = reader.optionalBool("ignore_running") ?? false
        guard let name, let centre else { return nil }
        var request = ReservationRequest(name: name, centre: centre)
        (request.project, request.maintenance) = (project, isMaintenance)
        (request.startsAt, request.endsAt, request.durationSeconds) = (start, end, seconds.map { Int($0) })
        (request.wholeCentre, request.nodeNames) = (isWhole, names)
        (request.nodes, request.cards, request.card) = (nodes.map { Int($0) }, cards.map { Int($0) }, card)
        (request.cores, request.memory) = (cores.map { MilliCores($0) }, memory.map { Bytes($0) })
        (request.note, request.ignoreRunning) = (note ?? "", ignores)
        return request
    }
}
