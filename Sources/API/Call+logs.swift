import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension Call {
    /// `GET /v1/jobs/{job}/logs`.
    func logs() async throws -> Response {
        let job: JobID = try path("job")
        let run: Int? = try query("run") == nil ? nil : number("run", default: 1, in: 1...1_000_000)
        let task = try number("task", default: 0, in: 0...1_000_000)
        let offset = Int64(try number("offset", default: 0, in: 0...Int.max))
        let follows = try query("follow", as: Bool.self) ?? accepts("text/event-stream")
        if follows {
            return try await follow(job, LogPosition(run: run, offset: lastEventID() ?? offset), task: task)
        }
        let countMax = try number("limit", default: 65_536, in: 1...1_048_576)
        let chunk = try await point.logs(job, run: run, task: task, from: offset, countMax: countMax, caller())
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/plain; charset=utf-8", .cacheControl: "private, no-cache",
                .logOffset: "\(chunk.offset + Int64(chunk.bytes.count))", .logComplete: "\(chunk.isComplete)",
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: chunk.bytes))
        )
    }

    /// Where a stream is to go on; `nil` at its first connection.
    func lastEventID() throws(Failure) -> Int64? {
        guard let text = request.headers[.lastEventID], !text.isEmpty else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw Failure(.malformed, "'Last-Event-ID' is none of ours: give back the id of the last event, a number.")
        }
        return number
    }

    /// Whether the caller's `Accept` names the type; a wildcard does not count.
    func accepts(_ type: String) -> Bool {
        request.headers[values: .accept].contains { header in
            header.split(separator: ",").contains { $0.prefix { $0 != ";" }.filter { $0 != " " } == type }
        }
    }

    private struct LogPosition: Sendable {
        /// `nil` until the job has a run; then the run that is followed to its end, even when a retry comes after it.
        var run: Int?
        var offset: Int64
    }

    /// One piece of an event, small enough to be read as it comes.
    private static let pieceBytesMax = 65_536

    private func follow(_ job: JobID, _ start: LogPosition, task: Int) async throws -> Response {
        let caller = try caller()
        return try await .events(for: request, in: context, from: start) { position, wait in
            let (first, isOver) = try await piece(job, position, task, caller)
            if isOver || wait == .zero || !first.events.isEmpty { return first }
            try await point.waitForLogs(
                job,
                run: first.next.run,
                task: task,
                beyond: first.next.offset,
                atMost: wait
            )
            return try await piece(job, first.next, task, caller).batch
        }
    }

    private func piece(
        _ job: JobID,
        _ position: LogPosition,
        _ task: Int,
        _ caller: Principal
    ) async throws -> (batch: EventBatch<LogPosition>, isOver: Bool) {
        var position = position
        if position.run == nil {
            let detail = try await point.job(job, caller)
            position.run = detail.runs.map(\.number).max()
            if position.run == nil {
                let isOver = detail.summary.state.isTerminal
                let events = isOver ? [Self.end(position)] : []
                return (EventBatch(events: events, next: position, isLast: isOver), isOver)
            }
        }
        let chunk = try await point.logs(
            job,
            run: position.run,
            task: task,
            from: position.offset,
            countMax: Self.pieceBytesMax,
            caller
        )
        var bytes = chunk.bytes[...]
        if !chunk.isComplete || bytes.count == Self.pieceBytesMax { bytes = bytes.wholeCharacters }
        var events: [ServerSentEvent] = []
        if !bytes.isEmpty {
            let next = chunk.offset + Int64(bytes.count)
            events.append(ServerSentEvent(id: "\(next)", event: "log", data: Self.data(position, chunk.offset, bytes)))
            position.offset = next
        }
        let isOver = chunk.isComplete && bytes.count == chunk.bytes.count
        if isOver { events.append(Self.end(position)) }
        return (EventBatch(events: events, next: position, isLast: isOver), isOver)
    }

    private static func data(_ position: LogPosition, _ offset: Int64, _ bytes: ArraySlice<UInt8>) -> String {
        let content: (key: String, value: JSON) =
            if let text = String(validating: bytes, as: UTF8.self) {
                ("text", .string(text))
            } else {
                ("base64", .string(base64(bytes)))
            }
        return JSON.object([("run", .integer(Int64(position.run ?? 0))), ("offset", .integer(offset)), content]).text
    }

    private static func end(_ position: LogPosition) -> ServerSentEvent {
        let data = JSON.object([("run", .integer(Int64(position.run ?? 0))), ("offset", .integer(position.offset))])
        return ServerSentEvent(id: "\(position.offset)", event: "end", data: data.text)
    }
}

extension ArraySlice<UInt8> {
    /// Without the beginning of a UTF-8 character at the end whose rest has not arrived.
    var wholeCharacters: ArraySlice<UInt8> {
        for (back, byte) in suffix(3).reversed().enumerated() where byte & 0xC0 != 0x80 {
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back + 1 ? dropLast(back + 1) : self
        }
        return self
    }
}

/// RFC 4648, section 4.
func base64(_ bytes: some Sequence<UInt8>) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    var (word, bits): (UInt32, Int) = (0, 0)
    for byte in bytes {
        word = word << 8 | UInt32(byte)
        bits += 8
        while bits >= 6 {
            bits -= 6
            out.append(alphabet[Int(word >> UInt32(bits) & 63)])
        }
    }
    if bits > 0 { out.append(alphabet[Int(word << UInt32(6 - bits) & 63)]) }
    while out.count % 4 != 0 { out.append(UInt8(ascii: "=")) }
    return String(decoding: out, as: UTF8.self)
}
