import ArgumentParser
import AsyncHTTPClient
import Core
import FoundationEssentials
import NIOCore
import Wire

struct EventsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Show what happened, the oldest first.",
        discussion: """
            With -f it goes on with what happens from now on, or from --after; with --json an event a line.

            Examples:
              onepoint events --subject job-01k…
              onepoint events -f --json | jq .kind
            """
    )

    @OptionGroup var point: PointOptions
    @Flag(name: .shortAndLong, help: "Go on as more happens.") var follow = false
    @Option(name: .long, help: "Only those after this sequence number.") var after: Int64?
    @Option(name: .long, help: "About this thing, such as a job's id.") var subject: String?
    @Option(name: .long, help: "Of this project.") var project: String?
    @Option(name: .long, help: "How many at most, without -f.") var limit = 50

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000000.") }
    }

    func run() async throws {
        try await point.with { client in
            if follow { return try await stream(client) }
            var position = after ?? 0
            var left = limit
            while left > 0 {
                let query = query(after: position) + [("limit", "\(min(500, left))")]
                let answer = try await client.get("/v1/events", query)
                let page: Page<EventView> = try WireJSON.decode(from: answer)
                if point.json {
                    terminal.write(answer)
                    terminal.print("")
                } else {
                    for event in page.items { show(event) }
                }
                left -= page.items.count
                guard page.next != nil, let last = page.items.last else { return }
                position = last.sequence
            }
            if !point.json { terminal.printError("There are more: --after \(position), or a higher --limit.") }
        }
    }

    private func query(after: Int64?) -> [(String, String?)] {
        [("after", after.map { "\($0)" }), ("subject", subject), ("project", project)]
    }

    private func stream(_ client: PointClient) async throws {
        var position = after
        var failures = 0
        while true {
            do {
                let response = try await client.open(
                    .get,
                    "/v1/events",
                    query(after: position),
                    headers: [("Accept", "text/event-stream")],
                    secondsMax: 30 * 86_400
                )
                var parser = EventStreamParser()
                do {
                    for try await buffer in response.body {
                        for message in try parser.push(buffer.readableBytesView) {
                            try take(message, &position)
                            failures = 0
                        }
                    }
                } catch { throw client.unreachable(error) }
                throw Failure(.unavailable, "The connection to \(client.credentials.url) was closed.")
            } catch let failure as Failure where failure.code == .unavailable || failure.code == .internal {
                failures += 1
                guard failures <= LogFollower.failuresMax else { throw failure }
                try await Task.sleep(for: backoff(failures, failure.retryAfter))
            }
        }
    }

    private func take(_ message: EventStreamParser.Message, _ position: inout Int64?) throws {
        if message.event == "error" {
            let problem = try? JSON(parsing: Array(message.data.utf8))
            throw problem.flatMap { Failure(problem: $0) } ?? Failure(.unavailable, "The point broke off the stream.")
        }
        position = message.id.flatMap { Int64($0) } ?? position
        if point.json {
            terminal.print(message.data)
        } else {
            show(try WireJSON.decode(EventView.self, from: Data(message.data.utf8)))
        }
    }

    private func show(_ event: EventView) {
        let project = event.project.map { " \($0)" } ?? ""
        let line =
            "\(event.sequence)  \(spoken(event.at))  \(event.kind)  \(event.subject)\(project)  by \(event.actor)"
        terminal.print(printable(line))
    }
}
