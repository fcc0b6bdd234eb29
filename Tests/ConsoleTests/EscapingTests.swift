import Core
import Entry
import Testing
import Wire

@testable import Console

@Suite struct EscapingTests {
    static let attacks = [
        "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='alert(1)",
        "</title><svg/onload=alert(1)>",
        "</textarea><script>alert(1)</script>", "</pre><b>bold</b>", "&lt;script&gt;", "javascript:alert(1)",
        "\u{202E}\u{0}<iframe>",
    ]

    @Test("interpolated text is escaped, markup is not")
    func interpolation() {
        let evil = "<b>\"&'"
        let inner: HTML = "<i>\(evil)</i>"
        #expect(inner.text == "<i>&lt;b&gt;&quot;&amp;&#39;</i>")
        let outer: HTML = "<p title=\"\(evil)\">\(inner)\(Optional<HTML>.none)\([inner, inner])</p>"
        #expect(outer.text == "<p title=\"&lt;b&gt;&quot;&amp;&#39;\">\(inner.text)\(inner.text)\(inner.text)</p>")
        #expect(HTML(escaping: "a\u{0}b\u{1B}[31m\tc\n").text == "ab[31m\tc\n")
        #expect(HTML(escaping: "a\u{202E}b – c…").text == "ab – c…")
    }

    @Test("a job that is named like an attack is shown as text", arguments: attacks)
    func jobs(attack: String) {
        var page = JobPage.sample
        page.job.summary.name = attack
        page.job.spec.name = attack
        page.job.spec.command = ["echo", attack]
        page.job.spec.parameters = [attack: .string(attack)]
        page.job.artifacts[0].name = attack
        page.job.dependencies[0].name = attack
        page.job.runs[0].reason = attack
        page.job.runs[0].nodes[0].node = attack
        page.log?.text = attack
        page.why.headline = attack
        page.why.evidence = [attack]
        page.why.wayOut = attack
        page.events[0].subject = attack
        page.events[0].actor = attack
        page.events[0].kind = attack
        page.events[0].payload = .object([("name", .string(attack))])
        for language in Language.allCases { expectHarmless(page.render(Sample.frame(language)), as: JobPage.sample) }
    }

    @Test("titles, labels, memos and names of nodes are shown as text", arguments: attacks)
    func others(attack: String) {
        var project = ProjectPage.sample
        project.view.project.title = attack
        expectSameTags(project.render(Sample.frame()), ProjectPage.sample.render(Sample.frame()))
        var tokens = TokensPage.sample
        tokens.tokens[0].label = attack
        tokens.typed = Form([("label", attack)])
        expectSameTags(tokens.render(Sample.frame()), TokensPage.sample.render(Sample.frame()))
        var ledger = LedgerPage.sample
        ledger.balances[0].account = "project/x\(attack)"
        ledger.balances[1].account = attack
        let held = ledger.render(Sample.frame()).text
        #expect(!held.contains("<script>") && !held.contains("<img") && !held.contains("<iframe"))
        var flow = WorkflowPage.sample
        flow.workflow.name = attack
        flow.workflow.nodes[0].name = attack
        let drawn = flow.render(Sample.frame()).text
        #expect(!drawn.contains("<script>") && !drawn.contains("<img") && !drawn.contains("<b>"))
        var submit = SubmitPage.faultySample
        submit.document = attack
        submit.key = attack
        submit.faults[0].message = attack
        let form = submit.render(Sample.frame()).text
        #expect(!form.contains("<script>") && !form.contains("<img") && !form.contains("<b>"))
    }

    private func expectHarmless(_ html: HTML, as sample: JobPage) {
        let names = Set(Tag.all(in: html.text).map(\.name))
        #expect(names.isDisjoint(with: ["img", "iframe", "svg/onload=alert(1)"]))
        #expect(html.text.occurrences(of: "<script") == 1)
        for tag in Tag.all(in: html.text) { #expect(!tag.attributes.keys.contains { $0.hasPrefix("on") }, "\(tag)") }
        #expect(!html.text.contains("\u{0}"))
    }

    private func expectSameTags(_ a: HTML, _ b: HTML) {
        #expect(Tag.all(in: a.text).map(\.name) == Tag.all(in: b.text).map(\.name))
    }

    @Test("forms are read as browsers write them, and broken ones are read as they stand")
    func forms() {
        let form = Form(parsing: "a=1&b=x+y%20z&a=2&empty=&flag&%E4%BD%A0=%e5%A5%BD&bad=%G1%4&x=a=b")
        #expect(form.all("a") == ["1", "2"])
        #expect(form["b"] == "x y z")
        #expect(form["empty"] == nil)
        #expect(form.raw("flag") == "")
        #expect(form["你"] == "好")
        #expect(form["bad"] == "%G1%4")
        #expect(form["x"] == "a=b")
        #expect(Form(parsing: "").fields.isEmpty)
        #expect(Form([("q", "a b&c=d/é")]).on("/x") == "/x?q=a%20b%26c%3Dd%2F%C3%A9")
        #expect(Form(parsing: Form([("q", "a b&c=d/é+%")]).encoded)["q"] == "a b&c=d/é+%")
        #expect(Form(parsing: String(repeating: "a=1&", count: 10_000)).fields.count <= Form.fieldsMax)
    }

    @Test("a field of a spreadsheet is never a formula")
    func spreadsheets() {
        #expect(CSV.text("=1+2") == "'=1+2")
        #expect(CSV.text("a,\"b\"\n") == "\"a,\"\"b\"\"\n\"")
        #expect(CSV.text("plain") == "plain")
    }

    @Test("a log loses what only terminals understand, and a character cut in two waits for its rest")
    func logs() {
        let plain = LogText.decode(
            Array("\u{1B}[31mred\u{1B}[0m\r\n10%\r20%\u{1B}]0;title\u{7}!\u{8}".utf8),
            isComplete: true
        )
        #expect(plain.text == "red\n10%\n20%!")
        let bytes = Array("é漢😀".utf8)
        for cut in 0...bytes.count {
            let (text, used) = LogText.decode(Array(bytes[..<cut]), isComplete: false)
            #expect(!text.contains("\u{FFFD}"), "cut at \(cut)")
            #expect(text + LogText.decode(Array(bytes[used...]), isComplete: true).text == "é漢😀", "cut at \(cut)")
        }
        #expect(LogText.decode([0xFF, 0x41], isComplete: false).text == "\u{FFFD}A")
    }
}
