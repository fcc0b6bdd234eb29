import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension Console {
    /// How much of a log a page shows.
    static let tailBytes = 65_536

    /// The end of what one task of a run printed; `nil` before there is a run.
    func tail(of job: JobDetail, run: RunView?, task: Int, _ principal: Principal) async throws -> JobPage.Log? {
        guard let run else { return nil }
        let id = job.summary.job
        let task = (0..<max(1, run.tasks)).contains(task) ? task : 0
        func read(_ offset: Int64, _ count: Int) async throws -> LogChunk {
            try await point.logs(id, run: run.number, task: task, from: offset, countMax: count, principal)
        }
        var chunk = try await read(0, Self.tailBytes)
        if chunk.bytes.count >= Self.tailBytes, !chunk.isComplete {
            let length = try await length(atLeast: Int64(chunk.bytes.count), read)
            chunk = try await read(length - Int64(Self.tailBytes), Self.tailBytes)
            if let line = chunk.bytes.firstIndex(of: UInt8(ascii: "\n")) {
                chunk.bytes.removeFirst(line + 1)
                chunk.offset += Int64(line + 1)
            }
        }
        let (text, used) = LogText.decode(chunk.bytes, isComplete: chunk.isComplete)
        return JobPage.Log(
            run: run.number,
            task: task,
            tasks: run.tasks,
            offset: chunk.offset,
            end: chunk.offset + Int64(used),
            text: text,
            isComplete: chunk.isComplete && used == chunk.bytes.count
        )
    }

    /// The length of a log that is longer than `known`, by doubling and halving: reads of one byte, about two for each
    /// doubling of the length.
    private func length(
        atLeast known: Int64,
        _ read: (Int64, Int) async throws -> LogChunk
    ) async throws -> Int64 {
        func reaches(_ offset: Int64) async throws -> Bool {
            do {
                return try await !read(offset, 1).bytes.isEmpty
            } catch let failure as Failure where failure.code == .rangeNotSatisfiable {
                return false
            }
        }
        var low = known
        var high = known * 2
        while try await reaches(high) { (low, high) = (high, high * 2) }
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try await reaches(middle) { low = middle } else { high = middle }
        }
        return high
    }

    func addJobStreams(to routes: Pages) {
        get(routes, "/jobs/:id/log") { request, context, principal in
            let id: JobID = try Self.parameter("id", context)
            let query = Form(parsing: request.uri.query ?? "")
            let (run, task) = (Self.number(query["run"]), Self.number(query["task"]) ?? 0)
            let first = try await point.logs(id, run: run, task: task, from: 0, countMax: 1 << 18, principal)
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/plain; charset=utf-8", .cacheControl: "no-store",
                    .contentDisposition: "inline; filename=\"\(id)-\(task).log\"",
                ],
                body: ResponseBody { writer in
                    var chunk = first
                    while !chunk.bytes.isEmpty {
                        try await writer.write(ByteBuffer(bytes: chunk.bytes))
                        let next = chunk.offset + Int64(chunk.bytes.count)
                        chunk = try await point.logs(id, run: run, task: task, from: next, countMax: 1 << 18, principal)
                    }
                    try await writer.finish(nil)
                }
            )
        }
        get(routes, "/jobs/:id/log/stream") { request, context, principal in
            let id: JobID = try Self.parameter("id", context)
            let query = Form(parsing: request.uri.query ?? "")
            let (run, task) = (Self.number(query["run"]), Self.number(query["task"]) ?? 0)
            let last = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
            let start = max(0, (last ?? query["from"]).flatMap { Int64($0) } ?? 0)
            return try await Response.events(for: request, in: context, from: start) { offset, wait in
                if wait > .zero {
                    try await point.waitForLogs(id, run: run, task: task, beyond: offset, atMost: wait)
                }
                let chunk = try await point.logs(
                    id,
                    run: run,
                    task: task,
                    from: offset,
                    countMax: Self.tailBytes,
                    principal
                )
                let (text, used) = LogText.decode(chunk.bytes, isComplete: chunk.isComplete)
                let end = offset + Int64(used)
                var events: [ServerSentEvent] = []
                if !text.isEmpty { events.append(.init(id: "\(end)", event: "log", data: JSON.string(text).text)) }
                let isLast = chunk.isComplete && used == chunk.bytes.count
                if isLast { events.append(.init(id: "\(end)", event: "end", data: "{}")) }
                return EventBatch(events: events, next: end, isLast: isLast)
            }
        }
        get(routes, "/jobs/:id/changes") { request, context, principal in
            let id: JobID = try Self.parameter("id", context)
            _ = try await point.job(id, principal)
            let start = try await point.lastEvent()
            return try await Response.events(for: request, in: context, from: start) { sequence, wait in
                try await changes(of: id, after: sequence, atMost: wait, principal)
            }
        }
    }

    /// Between two looks while the log of events grows by what belongs to others.
    static let lookPeriod = Duration.milliseconds(250)

    private func changes(
        of job: JobID,
        after sequence: Int64,
        atMost wait: Duration,
        _ principal: Principal
    ) async throws -> EventBatch<Int64> {
        var sequence = sequence
        let end = now() + wait
        while true {
            let left = end - now()
            if left > .zero { await point.waitForEvents(after: sequence, atMost: left) }
            // Read before the look, so that nothing between the two is passed over.
            let last = try await point.lastEvent()
            let found = try await point.events(
                after: sequence,
                subject: job.description,
                project: nil,
                limit: 100,
                principal
            )
            if let newest = found.last {
                let event = ServerSentEvent(id: "\(newest.sequence)", event: "change", data: "{}")
                return EventBatch(events: [event], next: newest.sequence)
            }
            sequence = max(sequence, last)
            guard end - now() > Self.lookPeriod else { return EventBatch(events: [], next: sequence) }
            try await Task.sleep(for: Self.lookPeriod)
        }
    }
}
