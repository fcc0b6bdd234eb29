import Core
import Curation
import Entry
import Testing
import Wire

@testable import Console
@testable import Hub

@Suite struct TrainingTests {
    private static let attack = "<script>alert(1)</script>\" onload=\"x"

    @Test("whatever a release is made of is shown as text")
    func escaping() {
        var governance = GovernancePage.sample
        var run = Sample.run
        run.pipeline = Self.attack
        run.configuration = Self.attack
        run.summary.dropped = [Self.attack + "/x": Sample.tally(7, 7)]
        run.summary.languages = [Self.attack: Sample.tally(7, 7)]
        run.summary.personal = [Self.attack: 7]
        run.summary.setAside = [Self.attack: 7]
        run.duplicates = [Self.attack: Sample.tally(1, 1)]
        governance.report.run = .success(run)
        var dossier = Sample.dossier
        dossier.title = Self.attack
        dossier.origin = Self.attack
        dossier.owner = Self.attack
        dossier.licence = .init(atOrigin: Self.attack, asClaimed: Self.attack)
        dossier.robots[0].host = Self.attack
        dossier.records[0].title = Self.attack
        governance.report.sources = [.init(name: Self.attack, dossier: .success(dossier))]
        governance.report.tallies = [.init(source: Self.attack, blocks: 1, documents: 1, written: 1)]
        governance.report.pack?.files = [.init(path: Self.attack, size: 1, digest: Sample.digest(1))]
        governance.report.pack?.faults = [Violation(Self.attack, Self.attack)]
        var judge = JudgePage.sample(.judge)
        judge.shown?.text = Self.attack
        judge.shown?.others = [(Self.attack, Self.attack)]
        judge.risks = [.init(id: Self.attack, title: Self.attack)]
        var document = DocumentPage.sample
        document.id = Self.attack
        for page in [
            governance.render(Sample.frame()), judge.render(Sample.frame(.zh)), document.render(Sample.frame()),
        ] {
            #expect(!page.text.contains("<script>alert"))
            #expect(Tag.all(in: page.text).allSatisfy { $0.attributes["onload"] == nil })
        }
    }

    @Test("a long text is cut, and the rest is asked for by a link")
    func longText() {
        var page = JudgePage.sample(.judge)
        page.shown?.text = String(repeating: "字", count: 300_000)
        let short = page.render(Sample.frame()).text
        #expect(short.contains("whole=yes") && short.utf8.count < 40_000)
        page.isWhole = true
        let whole = page.render(Sample.frame()).text
        #expect(!whole.contains("whole=yes") && whole.utf8.count < 700_000)
    }

    @Test("a reviewer is not told what the first one said; who settles is told both")
    func blind() {
        let review = JudgePage.sample(.review, steps: [("li", false)]).render(Sample.frame()).text
        #expect(!review.contains("Sells what may not be sold") && !review.contains("li,"))
        // Neither is somebody who looks at it without being asked for anything.
        let looked = JudgePage.sample(nil, steps: [("li", false)]).render(Sample.frame()).text
        #expect(!looked.contains("Sells what may not be sold") && !looked.contains("name=\"verdict\""))
        let settle = JudgePage.sample(.adjudicate, steps: [("li", true), ("wang", false)]).render(Sample.frame()).text
        #expect(settle.contains("Sells what may not be sold") && settle.contains("wang"))
    }

    @Test("who may not judge has no form")
    func readers() {
        var page = JudgePage.sample(.judge)
        page.canJudge = false
        let text = page.render(Sample.frame()).text
        #expect(
            !text.contains("method=\"post\" action=\"/console/repositories") && text.contains("Members of the project")
        )
    }

    @Test("a record of a hundred thousand rules makes a page of some hundred")
    func manyRules() {
        var page = GovernancePage.sample
        var run = Sample.run
        for rule in 0..<100_000 { run.summary.dropped["family-\(rule)/x"] = Sample.tally(1, 1) }
        page.report.run = .success(run)
        let text = page.render(Sample.frame()).text
        #expect(text.utf8.count < 200_000 && text.contains("and 99,"))
    }
}
