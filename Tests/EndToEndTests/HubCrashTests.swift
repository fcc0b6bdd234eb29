import Core
import Foundation
import Testing
import Wire

/// A point that is killed while commits come is afterwards in a state between two of them.
@Suite(.serialized)
struct HubCrashTests {
    private static func commit(_ number: Int, of point: PointUnderTest) async throws -> String? {
        // Two files, of which a state that is half of a commit would have one.
        let lines = ["a", "b"].map { folder in
            let text = Data("\(folder) \(number)".utf8).base64EncodedString()
            return
                #"{"key":"file","value":{"path":"\#(folder)/\#(number).txt","content":"\#(text)","encoding":"base64"}}"#
        }
        let header = #"{"key":"header","value":{"summary":"Commit \#(number)"}}"#
        let answer = try await point.call(
            "POST",
            "/api/models/demo/crash/commit/main",
            json: ([header] + lines).joined(separator: "\n")
        )
        guard answer.status == 200 else { return nil }
        return answer.json["commitOid"]?.stringValue
    }

    @Test("kill -9 during commits: what was acknowledged is there, and no commit is there in part")
    func killed() async throws {
        let point = try await PointUnderTest("centres: []")
        let made = try await point.call(
            "POST",
            "/api/repos/create",
            json: #"{"name": "crash", "organization": "demo"}"#
        )
        try #require(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
        var acknowledged: [Int: String] = [:]
        for round in 0..<3 {
            // Many at once, so that some are under way when the fifth is acknowledged and the point killed.
            await withTaskGroup(of: (Int, String?).self) { group in
                for number in (round * 100)..<(round * 100 + 20) {
                    group.addTask { (number, try? await Self.commit(number, of: point)) }
                }
                var isKilled = false
                var count = 0
                for await (number, commit) in group {
                    guard let commit else { continue }
                    acknowledged[number] = commit
                    count += 1
                    if count == 5, !isKilled {
                        isKilled = true
                        await point.server.kill()
                        // Nobody will answer those that are left.
                        group.cancelAll()
                    }
                }
            }
            try await point.restart()
            let tree = try await point.call("GET", "/api/models/demo/crash/tree/main?recursive=true")
            let paths = Set(tree.json.arrayValue?.compactMap { $0["path"]?.stringValue } ?? [])
            for number in acknowledged.keys { #expect(paths.contains("a/\(number).txt"), "\(number)") }
            let numbers = paths.filter { $0.hasPrefix("a/") }.map { $0.dropFirst(2) }
            #expect(Set(numbers) == Set(paths.filter { $0.hasPrefix("b/") }.map { $0.dropFirst(2) }))
            for name in numbers {
                let file = try await point.call("GET", "/demo/crash/resolve/main/b/\(name)")
                #expect(String(decoding: file.body, as: UTF8.self) == "b \(name.dropLast(4))", "\(name)")
            }
            // History is a line of whole commits: one for each number, and the first.
            let page = try await point.call("GET", "/api/models/demo/crash/commits/main?limit=100")
            let history = Set(page.json.arrayValue?.compactMap { $0["id"]?.stringValue } ?? [])
            #expect(history.count == numbers.count + 1)
            #expect(history.isSuperset(of: acknowledged.values))
        }
    }
}
