import ArgumentParser
import Core
import FoundationEssentials
import Wire

/// What every command that speaks to a point takes.
package struct PointOptions: ParsableArguments {
    @Flag(name: .long, help: "Print exactly the API's JSON.") package var json = false
    @Option(
        name: .long,
        help: ArgumentHelp("Address of the point instead of the one of login or ONEPOINT_URL.", valueName: "address")
    )
    var url: String?

    package init() {}

    package func with<Value>(_ body: (PointClient) async throws -> Value) async throws -> Value {
        let credentials = try Credentials.find(url: url, environment: ClientContext.current.environment)
        return try await PointClient.with(credentials, body)
    }

    /// Prints an answer: as it came with `--json`, else the way the closure does.
    func show<Value: Decodable>(_ answer: Data, as type: Value.Type = Value.self, _ print: (Value) -> Void) throws {
        guard json else {
            let value: Value
            do {
                value = try WireJSON.decode(from: answer)
            } catch {
                throw Failure(.internal, "The point's answer cannot be read; is it of another version? Try --json.")
            }
            print(value)
            return
        }
        terminal.write(answer)
        terminal.print("")
    }

    /// The whole of a list of pages, up to a count; with `--json` the pages as they came, a line each.
    func pages<Item: Codable & Sendable>(
        _ client: PointClient,
        _ path: String,
        _ query: [(String, String?)],
        limit: Int,
        cursor: String?,
        of type: Item.Type
    ) async throws -> (items: [Item], next: String?) {
        var items: [Item] = []
        var next = cursor
        repeat {
            let count = min(500, limit - items.count)
            let answer = try await client.get(path, query + [("cursor", next), ("limit", "\(count)")])
            let page: Page<Item> = try WireJSON.decode(from: answer)
            if json {
                terminal.write(answer)
                terminal.print("")
            }
            items += page.items
            next = page.next
        } while next != nil && items.count < limit
        return (items, next)
    }

    /// Says that there is more than what was shown.
    func hint(_ next: String?) {
        if let next, !json { terminal.printError("There are more: --cursor \(next), or a higher --limit.") }
    }
}

struct PageOptions: ParsableArguments {
    @Option(name: .long, help: "How many at most.") var limit = 50
    @Option(name: .long, help: "Go on where an earlier list ended.") var cursor: String?

    func validate() throws {
        guard (1...1_000_000).contains(limit) else { throw ValidationError("--limit is from 1 to 1000000.") }
    }
}

/// Now, for ages in tables.
func now() -> Instant {
    Instant(milliseconds: Int64((Date().timeIntervalSince1970 * 1000).rounded()))
}

/// A key under which a repeat of the same request finds the first.
func randomKey() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<4).map { _ in String(UInt32.random(in: .min ... .max, using: &generator), radix: 36) }
        .joined(separator: "-")
}
