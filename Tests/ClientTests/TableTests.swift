import Core
import Testing

@testable import Client

@Suite struct TableTests {
    private var table: Table {
        var table = Table([.init("NAME", shrinks: true), .init("SIZE", .right), .init("DETAIL", shrinks: true)])
        table.add("collect", "4", "waits for a free card at the hub")
        table.add("a", "12345", "")
        return table
    }

    @Test("columns are aligned, and nothing trails")
    func aligned() {
        #expect(
            table.render(width: nil, colours: false) == """
                NAME      SIZE  DETAIL
                collect      4  waits for a free card at the hub
                a        12345

                """
        )
    }

    @Test("no line is wider than the terminal, down to one column", arguments: 1...60)
    func narrow(_ width: Int) {
        let lines = table.render(width: width, colours: false).split(separator: "\n")
        #expect(lines.allSatisfy { displayWidth(String($0)) <= width }, "\(lines)")
    }

    @Test("the widest column gives way first")
    func shrinks() {
        let lines = table.render(width: 30, colours: false).split(separator: "\n")
        #expect(lines[1] == "collect      4  waits for a f…")
    }

    @Test("wide characters count twice and combining ones not at all")
    func widths() {
        #expect(displayWidth("数据") == 4)
        #expect(displayWidth("e\u{301}") == 1)
        #expect(cut("数据中心", to: 5) == "数据…")
        #expect(cut("abc", to: 3) == "abc")
        #expect(cut("abc", to: 0) == "")
        var table = Table([.init("A"), .init("B")])
        table.add("数据", "x")
        table.add("ab", "y")
        #expect(table.render(width: nil, colours: false) == "A     B\n数据  x\nab    y\n")
    }

    @Test("what jobs say cannot command the terminal")
    func escapes() {
        var table = Table([.init("A")])
        table.add(Table.Cell("x\u{1B}[2Jy\u{9B}z\nw\u{202E}"))
        #expect(table.render(width: nil, colours: false) == "A\nx [2Jy z w\n")
    }

    @Test("colours wrap the text and not the padding")
    func colours() {
        var table = Table([.init("A"), .init("B")])
        table.add(Table.Cell.state("failed"), "x")
        #expect(table.render(width: nil, colours: true).contains("\u{1B}[31mfailed\u{1B}[0m  x\n"))
        #expect(!table.render(width: nil, colours: false).contains("\u{1B}"))
    }

    @Test("NO_COLOR and dumb terminals get none")
    func noColour() {
        #expect(Terminal(environment: ["NO_COLOR": "1"]).colours == false)
        #expect(Terminal(environment: ["TERM": "dumb"]).colours == false)
    }
}

@Suite struct WordingTests {
    @Test("spans of time", arguments: [(5, "5s"), (65, "1m05s"), (3600, "1h00m"), (90_061, "1d1h"), (-3, "0s")])
    func durations(_ seconds: Int, _ text: String) { #expect(spoken(Duration.seconds(seconds)) == text) }

    @Test("credits are read exactly")
    func amounts() {
        #expect(credits("12.5") == MicroCredits(12_500_000))
        #expect(credits("0.000001") == MicroCredits(1))
        #expect(credits("-3") == MicroCredits(-3_000_000))
        for text in ["", ".", "1.", ".5", "1e3", "1.0000001", "--1", "1,5", "9999999999999"] {
            #expect(credits(text) == nil, "\(text)")
        }
    }

    @Test("states come in the order of a job's life")
    func states() {
        #expect(spoken(states: ["succeeded": 3, "queued": 1, "failed": 0]) == "1 queued, 3 succeeded")
    }

    @Test(
        "programs give jobs their names",
        arguments: [
            ("/usr/bin/python3.11", "python3-11"), ("./Run_Me.sh", "run-me-sh"), ("数据", "run"), ("--", "run"),
            (String(repeating: "a", count: 80), String(repeating: "a", count: 63)),
        ]
    )
    func names(_ program: String, _ name: String) {
        #expect(jobName(program) == name)
        #expect(Name<JobTag>(jobName(program)) != nil)
    }
}
