import Foundation
import Testing

/// Holds `Package.swift`, the table in `docs/architecture.md` and the imports in the sources together.
@Suite struct DependencyTests {
    static let repository = Repository.here

    struct Target {
        let name: String
        let folder: String
        /// Our own targets that it may import.
        let dependencies: Set<String>

        /// Tests, and programs that only tests start.
        var isTest: Bool { folder.hasPrefix("Tests/") }
    }

    /// The targets of the manifest, read as text: it is our own, and always formatted the same way.
    static func targets() throws -> [Target] {
        let text = try repository.text("Package.swift")
        var found: [Target] = []
        var rest = text[...]
        while let start = rest.firstMatch(of: /\.(target|executableTarget|testTarget)\(/) {
            rest = rest[start.range.upperBound...]
            let body = balanced(rest)
            guard let name = body.firstMatch(of: /name:\s*"([^"]+)"/)?.output.1 else { continue }
            let path = body.firstMatch(of: /path:\s*"([^"]+)"/).map { String($0.output.1) }
            let isTest = start.output.1 == "testTarget"
            let folder = path ?? "\(isTest ? "Tests" : "Sources")/\(name)"
            let plain = body.replacing(/\.product\([^)]*\)/, with: "")
            let list = plain.firstMatch(of: /dependencies:\s*\[([^\]]*)\]/)?.output.1 ?? ""
            let words = list.matches(of: /"([^"]+)"/).map { String($0.output.1) }
            found.append(Target(name: String(name), folder: folder, dependencies: Set(words)))
        }
        let own = Set(found.map(\.name))
        return found.map {
            Target(name: $0.name, folder: $0.folder, dependencies: $0.dependencies.intersection(own))
        }
    }

    /// Up to the parenthesis that closes the one before `text`.
    private static func balanced(_ text: Substring) -> String {
        var depth = 1
        for index in text.indices {
            if text[index] == "(" { depth += 1 }
            if text[index] == ")" { depth -= 1 }
            if depth == 0 { return String(text[..<index]) }
        }
        return String(text)
    }

    /// Rows such as ``| `Store` | `Core` | … |`` of the table of targets.
    static func table() throws -> [String: Set<String>] {
        var rows: [String: Set<String>] = [:]
        for line in try repository.text("docs/architecture.md").split(separator: "\n") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
            guard cells.count >= 4, let name = cells[1].wholeMatch(of: /\s*`(\w+)`\s*/)?.output.1 else { continue }
            let imports = cells[2].matches(of: /`(\w+)`/).map { String($0.output.1) }
            guard !imports.isEmpty || cells[2].contains("none") else { continue }
            rows[String(name)] = Set(imports)
        }
        return rows
    }

    @Test("the manifest is understood: it has the targets that everything stands on")
    func manifestIsUnderstood() throws {
        let names = Set(try Self.targets().map(\.name))
        #expect(names.isSuperset(of: ["Core", "Wire", "Store", "Jobs", "onepoint"]), "found only \(names.sorted())")
    }

    @Test("the table in docs/architecture.md has exactly the targets of Package.swift, with exactly their imports")
    func tableMatches() throws {
        let targets = try Self.targets().filter { !$0.isTest }
        let table = try Self.table()
        #expect(Set(table.keys) == Set(targets.map(\.name)))
        for target in targets {
            #expect(
                table[target.name] == target.dependencies,
                "\(target.name): the table says \(table[target.name]?.sorted() ?? []), the manifest \(target.dependencies.sorted())"
            )
        }
    }

    @Test("no source file imports a target of ours that the manifest does not give it")
    func importsAreDeclared() throws {
        let targets = try Self.targets()
        let own = Set(targets.map(\.name))
        for target in targets {
            for path in Self.repository.files(in: target.folder, endings: [".swift"]) {
                for line in try Line.ofCode(path, in: Self.repository) {
                    guard
                        let module = line.text.firstMatch(of: /^\s*(?:@\w+\s+|\w+\s+)?import\s+(?:\w+\s+)?(\w+)/)?
                            .output.1
                    else {
                        continue
                    }
                    let isAllowed = !own.contains(String(module)) || target.dependencies.contains(String(module))
                    #expect(isAllowed, "\(line)")
                }
            }
        }
    }

    @Test("the arrows go one way: pure targets, drivers, services and entries keep apart, and nothing imports the top")
    func arrows() throws {
        let targets = Dictionary(
            uniqueKeysWithValues: try Self.targets().filter { !$0.isTest }.map { ($0.name, $0.dependencies) }
        )
        let tiers: [(tier: String, members: Set<String>, below: Set<String>)] = [
            ("root", ["Core", "CSupervise"], []),
            (
                "pure", ["Wire", "Scheduling", "Curation"],
                ["Core", "CCuration", "CZlib", "CZstd", "CDeflate", "CVectorscan"]
            ),
            ("driver", ["Store", "Blobs", "Engines"], ["Core", "CSupervise", "CStore", "Wire"]),
            (
                "service", ["Jobs", "Hub", "Agent"],
                ["Core", "CXet", "Wire", "Scheduling", "Curation", "Store", "Blobs", "Engines"]
            ),
            (
                "entry", ["Entry", "API", "Protocols", "Console"],
                ["Core", "Wire", "Curation", "Entry", "Jobs", "Hub", "Agent"]
            ),
            ("client", ["Client"], ["Core", "Wire"]),
            ("test", ["TestKit"], ["Core", "Engines"]),
        ]
        for (tier, members, below) in tiers {
            for member in members {
                guard let dependencies = targets[member] else { continue }
                let forbidden = dependencies.subtracting(below)
                #expect(forbidden.isEmpty, "\(member) of tier \(tier) must not import \(forbidden.sorted())")
            }
        }
        for (name, dependencies) in targets {
            #expect(!dependencies.contains("onepoint"), "\(name) imports the executable")
        }
    }
}
