import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let eventEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/events",
            .user,
            .read,
            "What happened, as a page or as a live stream",
            parameters: [
                .query(
                    "after",
                    .integer("A sequence number.", in: 0...(.max)),
                    "Only later ones; default 0, for a stream: from now on."
                ),
                .query("subject", .string, "About this thing, such as a job's id."),
                .query("project", .name, "Of this project."),
                .query("limit", .integer("A count.", in: 1...500), "Items of a page; default 50."),
                .header("Last-Event-ID", .string, "Where a stream goes on: the last event's id."),
            ],
            answer: AnswerDescription(
                status: 200,
                content: [
                    ("application/json", WireSchema.reference(to: Page<EventView>.self)),
                    ("text/event-stream", .string),
                ],
                text: """
                    A page whose `next` goes into `after`; or, with `Accept: text/event-stream`, events whose id is the \
                    sequence number, whose type is the kind and whose data is an `EventView`.
                    """
            )
        ) { call in
            let subject = call.query("subject")
            let project: ProjectName? = try call.query("project")
            let after: Int64? = try call.query("after")
            guard after ?? 0 >= 0 else { throw Failure(.malformed, "'after' is a sequence number from 0 on.") }
            if call.accepts("text/event-stream") {
                return try await call.eventStream(
                    after: call.lastEventID() ?? after,
                    subject: subject,
                    project: project
                )
            }
            let limit = try call.limit()
            let events = try await call.point.events(
                after: after ?? 0,
                subject: subject,
                project: project,
                limit: limit,
                call.caller()
            )
            let next = events.count == limit ? events.last.map { "\($0.sequence)" } : nil
            return try call.answer(Page(items: events, next: next))
        }
    ]
}

extension Call {
    private static let eventsOfBatchMax = 200
    /// After an event that was not for this stream: so that a busy point is not asked for each of them.
    private static let pauseAfterOthers = Duration.milliseconds(25)

    fileprivate func eventStream(after: Int64?, subject: String?, project: ProjectName?) async throws -> Response {
        let caller = try caller()
        let last = try await point.lastEvent()
        let start = after ?? last
        guard start <= last else {
            throw Failure(.malformed, "Event \(start) is beyond the log's end, \(last). Begin again without it.")
        }
        let now = context.now
        return try await .events(for: request, in: context, from: start) { position, wait in
            var position = position
            let began = now?()
            while true {
                // Read before the query: whatever is appended in between is looked at again, never skipped.
                let last = try await point.lastEvent()
                let found = try await point.events(
                    after: position,
                    subject: subject,
                    project: project,
                    limit: Self.eventsOfBatchMax,
                    caller
                )
                let isFull = found.count == Self.eventsOfBatchMax
                position = isFull ? found.last?.sequence ?? position : max(last, found.last?.sequence ?? position)
                let left = if let now, let began { wait - (now() - began) } else { Duration.zero }
                if !found.isEmpty || left <= .zero || Task.isCancelled {
                    return EventBatch(events: try found.map { try Self.event($0) }, next: position)
                }
                await point.waitForEvents(after: position, atMost: left)
                try await Task.sleep(for: min(left, Self.pauseAfterOthers))
            }
        }
    }

    private static func event(_ view: EventView) throws -> ServerSentEvent {
        ServerSentEvent(
            id: "\(view.sequence)",
            event: view.kind,
            data: String(decoding: try WireJSON.encode(view), as: UTF8.self)
        )
    }
}
