import Core
import Entry
import Jobs
import Wire

/// What a job printed, line by line, as events that clients of the Hub read.
///
/// A client that reconnects asks for everything again and passes over as many events as it had. So the same bytes become
/// the same events whenever they are read: one for each line, and for every 16 KiB of a longer one.
struct HubJobLog: Sendable {
    let point: Point
    let job: JobID
    let caller: Principal
    let clock: @Sendable () -> Instant

    struct Position: Sendable {
        /// Which attempt, from 1.
        var run = 1
        var offset: Int64 = 0
        /// Where what is known of the log ends: lines without an end are left for later.
        var known: Int64 = 0
        /// The attempt's log has been read to its end.
        var isComplete = false
        /// Where it runs has been told.
        var isAnnounced = false
        /// What was printed before somebody looked is told with the time of the attempt, the rest with that of its coming.
        var isLive = false
    }

    static let lineBytesMax = 16_384
    /// Clients that do not follow leave at the first event that is later than the answer's `Date`, which may be some
    /// seconds behind: what is there already is told as older than that.
    private static let pastAge = Duration.seconds(5)
    private static let chunkBytesMax = 262_144
    private static let tailLinesMax = 10_000
    private static let tailBytesMax: Int64 = 8 << 20

    /// What there is at a position.
    func look(at start: Position) async throws -> EventBatch<Position> {
        var position = start
        let detail = try await point.job(job, caller)
        guard let run = detail.runs.first(where: { $0.number == position.run }) else {
            position.isLive = true
            let isOver = detail.summary.state.isTerminal
            return EventBatch(events: [], next: position, isLast: isOver)
        }
        var events: [ServerSentEvent] = []
        let past = clock() - Self.pastAge
        let time = position.isLive ? clock() : min(run.startedAt ?? run.leasedAt, past)
        if !position.isAnnounced {
            if let notice = Self.notice(of: run, detail) { events.append(Self.event(notice, min(run.leasedAt, past))) }
            position.isAnnounced = true
        }
        if !position.isComplete {
            let chunk = try await point.logs(
                job,
                run: position.run,
                task: 0,
                from: position.offset,
                countMax: Self.chunkBytesMax,
                caller
            )
            var rest = chunk.bytes[...]
            while let line = Self.line(&rest, isLast: chunk.isComplete) { events.append(Self.event(line, time)) }
            position.known = position.offset + Int64(chunk.bytes.count)
            position.offset += Int64(chunk.bytes.count - rest.count)
            position.isComplete = chunk.isComplete && rest.isEmpty
            if !chunk.isComplete, chunk.bytes.count < Self.chunkBytesMax { position.isLive = true }
        }
        var isOver = false
        if position.isComplete {
            if detail.summary.state.isTerminal, detail.runs.allSatisfy({ $0.number <= position.run }) {
                isOver = true
            } else if detail.runs.contains(where: { $0.number > position.run }) {
                position = Position(run: position.run + 1, isLive: position.isLive)
            }
        }
        return EventBatch(events: events, next: position, isLast: isOver)
    }

    /// Returns when there may be more at a position, or the time is over.
    func wait(at position: Position, atMost limit: Duration) async throws {
        guard limit > .zero else { return }
        if position.isComplete {
            try await point.waitForEnd(of: job, atMost: limit)
        } else {
            try await point.waitForLogs(job, run: position.run, task: 0, beyond: position.known, atMost: limit)
        }
    }

    /// Where the last lines of the latest attempt begin.
    func tail(of detail: JobDetail, lines: Int) async throws -> Position {
        guard let run = detail.runs.map(\.number).max() else { return Position() }
        let size = try await point.logSize(job, run: run, task: 0, caller)
        let wanted = min(max(lines, 0), Self.tailLinesMax)
        if wanted == 0 { return Position(run: run, offset: size, known: size, isAnnounced: true) }
        let least = max(0, size - Self.tailBytesMax)
        // An end of the last line does not begin another.
        var (end, found) = (size, 0)
        while end > least {
            let start = max(least, end - Int64(Self.chunkBytesMax))
            let chunk = try await point.logs(
                job,
                run: run,
                task: 0,
                from: start,
                countMax: Int(end - start),
                caller
            )
            for (place, byte) in chunk.bytes.enumerated().reversed() where byte == UInt8(ascii: "\n") {
                let after = start + Int64(place) + 1
                guard after < size else { continue }
                found += 1
                if found >= wanted { return Position(run: run, offset: after, known: after, isAnnounced: true) }
            }
            end = start
        }
        return Position(run: run, offset: least, known: least, isAnnounced: true)
    }

    /// Takes the next line off the front; `nil` when there is no whole one.
    static func line(_ rest: inout ArraySlice<UInt8>, isLast: Bool) -> String? {
        let head = rest.prefix(lineBytesMax + 1)
        if let end = head.firstIndex(of: UInt8(ascii: "\n")) {
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard head.count > lineBytesMax || (isLast && !rest.isEmpty) else { return nil }
        var end = head.startIndex + min(lineBytesMax, head.count)
        // Not within a character, unless these are no characters at all.
        if end < rest.endIndex, rest[end] & 0xC0 == 0x80,
            let first = rest[..<end].lastIndex(where: { $0 & 0xC0 != 0x80 }), end - first < 4
        {
            end = first
        }
        defer { rest = rest[end...] }
        return String(decoding: rest[..<end], as: UTF8.self)
    }

    /// Where the attempt runs, and that no image was pulled for it.
    private static func notice(of run: RunView, _ detail: JobDetail) -> String? {
        guard let request = HubJobRequest(of: detail.spec) else { return nil }
        let attempt = run.number == 1 ? "" : " (attempt \(run.number))"
        return "onepoint: runs at centre '\(run.centre)'\(attempt), in its own environment instead of image "
            + "'\(request.image)'"
    }

    private static func event(_ line: String, _ at: Instant) -> ServerSentEvent {
        ServerSentEvent(data: data(line, at))
    }

    /// One line whatever is in it: clients part lines at separators of Unicode too, which JSON lets stand.
    static func data(_ line: String, _ at: Instant) -> String {
        let text = JSON.object([("data", .string(line)), ("timestamp", .string(at.rfc3339))]).text
        var escaped = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\u{85}": escaped.append(contentsOf: "\\u0085".unicodeScalars)
            case "\u{2028}": escaped.append(contentsOf: "\\u2028".unicodeScalars)
            case "\u{2029}": escaped.append(contentsOf: "\\u2029".unicodeScalars)
            default: escaped.append(scalar)
            }
        }
        return String(escaped)
    }
}
