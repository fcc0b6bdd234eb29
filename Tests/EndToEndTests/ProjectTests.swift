import Core
import Testing

@Suite(.serialized)
struct ProjectTests {
    @Test("on the command line projects are made below others, moved, and listed as the tree that they are")
    func tree() async throws {
        let point = try await PointUnderTest()
        let line = CommandLineUnderTest(point: point)
        func names(_ output: String) -> [String] {
            output.split(separator: "\n").dropFirst().map { line in
                String(line.prefix { $0 == " " }) + (line.split(separator: " ").first ?? "")
            }
        }
        for (name, parent) in [("science", ""), ("physics", "science"), ("optics", "physics"), ("biology", "science")] {
            let made = try await line.run(
                ["projects", "create", name, "--weight", "50"] + (parent.isEmpty ? [] : ["--parent", parent])
            )
            #expect(made.status == 0, "\(made)")
        }
        let listed = try await line.run("projects", "list")
        let own = names(listed.output).filter { !$0.contains("science") && !$0.hasPrefix(" ") }
        #expect(
            names(listed.output).filter { !own.contains($0) } == ["science", "  biology", "  physics", "    optics"],
            "\(listed.output)"
        )
        let shown = try await line.run("projects", "show", "optics")
        #expect(shown.output.contains("part of physics"), "\(shown)")

        let loop = try await line.run("projects", "set", "science", "--parent", "optics")
        #expect(loop.status == 5 && loop.errors.contains("part of it"), "\(loop)")
        let unknown = try await line.run("projects", "set", "optics", "--parent", "nowhere")
        #expect(unknown.status != 0 && unknown.errors.contains("nowhere"), "\(unknown)")
        #expect(try await line.run("projects", "set", "optics", "--parent", "a", "--no-parent").status != 0)
        let moved = try await line.run("projects", "set", "physics", "--no-parent")
        #expect(moved.status == 0, "\(moved)")
        let after = names(try await line.run("projects").output).filter { !own.contains($0) }
        #expect(after == ["physics", "  optics", "science", "  biology"])
        let text = try await line.run("projects", "list", "--json").output
        #expect(text.contains(#""parent":"physics""#), "\(text)")
    }
}
