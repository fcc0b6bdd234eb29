internal import AsyncHTTPClient
internal import Core
internal import NIOCore
internal import NIOHTTP1

extension EngineHTTP {
    /// Asks for an answer that comes line by line for as long as the other side likes, and hands each line on as it
    /// comes.
    ///
    /// - Parameters:
    ///   - lineBytesMax: A longer line is refused, and with it the rest.
    ///   - limit: How long the whole may take. What lasts longer has gone silent.
    ///   - opened: Called once the answer has begun with status 200.
    ///   - each: Takes one line without its end. Empty lines are left out.
    /// - Returns: `nil` once the other side has ended the stream; the answer when its status is not 200.
    /// - Throws: ``EngineError/unreachable(_:)`` when the stream breaks off, is cut within a line, or goes on too long;
    ///   what `each` throws.
    func lines(
        of path: String,
        lineBytesMax: Int,
        within limit: Duration,
        opened: @escaping @Sendable () -> Void,
        each: @escaping @Sendable ([UInt8]) throws(EngineError) -> Void
    ) async throws(EngineError) -> Answer? {
        let request = try request("GET", path)
        return try await withTaskGroup(of: Result<Answer?, EngineError>.self) { group in
            group.addTask {
                do throws(EngineError) {
                    return .success(try await read(request, path, lineBytesMax, limit, opened, each))
                } catch { return .failure(error) }
            }
            group.addTask {
                try? await Task.sleep(for: limit)
                let seconds = limit.components.seconds
                return .failure(.unreachable("\(name) at \(base) has not ended GET \(path) within \(seconds) s."))
            }
            defer { group.cancelAll() }
            return await group.next() ?? .failure(.unreachable("GET \(path) was cancelled."))
        }
        .get()
    }

    private func read(
        _ request: HTTPClientRequest,
        _ path: String,
        _ lineBytesMax: Int,
        _ limit: Duration,
        _ opened: @Sendable () -> Void,
        _ each: @Sendable ([UInt8]) throws(EngineError) -> Void
    ) async throws(EngineError) -> Answer? {
        do {
            let response = try await Self.client.execute(
                request,
                timeout: .milliseconds(max(1, min(limit, Self.openingMax).milliseconds))
            )
            let status = Int(response.status.code)
            guard status == 200 else {
                var body: [UInt8] = []
                for try await piece in response.body where body.count < Self.faultBytesMax {
                    body.append(contentsOf: piece.readableBytesView)
                }
                return Answer(status: status, body: body)
            }
            opened()
            var line: [UInt8] = []
            for try await piece in response.body {
                var rest = piece.readableBytesView[...]
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    line.append(contentsOf: rest[..<end])
                    try check(line, path, lineBytesMax)
                    if !line.isEmpty { try each(line) }
                    line.removeAll(keepingCapacity: true)
                    rest = rest[rest.index(after: end)...]
                }
                line.append(contentsOf: rest)
                try check(line, path, lineBytesMax)
            }
            guard line.isEmpty else {
                // A page has no line ends to speak of: say what it is.
                _ = try json(Answer(status: status, body: line), of: "GET \(path)")
                throw EngineError.unreachable("\(name) at \(base) cut its answer to GET \(path) within a line.")
            }
            return nil
        } catch let error as EngineError {
            throw error
        } catch {
            throw unreached(error, "GET \(path)")
        }
    }

    private func check(_ line: [UInt8], _ path: String, _ lineBytesMax: Int) throws(EngineError) {
        guard line.count <= lineBytesMax else {
            throw .unreachable(
                "\(name) at \(base) answered GET \(path) with a line of more than \(lineBytesMax >> 10) KiB, which is "
                    + "not read."
            )
        }
    }

    /// A stream begins at once, or its server is in no state to be listened to.
    private static let openingMax = Duration.seconds(10)
    /// Of an answer that is an error.
    private static let faultBytesMax = 64 << 10
}
