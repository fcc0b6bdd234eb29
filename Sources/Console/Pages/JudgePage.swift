import Core
import Curation
import Entry
import Hub
import Wire

/// One drawn record, to be judged by the signed-in user: its text, and a form for what they say of it.
struct JudgePage: Sendable {
    /// A risk to choose, with its name in the reader's language.
    struct Risk: Sendable {
        var id: String
        var title: String
    }

    /// A record as it is shown.
    struct Shown: Sendable {
        var item: WorkList.Item
        /// What the viewer can do on it.
        var step: WorkList.Step?
        var text: String
        /// Members of the record beside its text.
        var others: [(name: String, value: String)]
    }

    var tabs: ReleaseTabs
    var view: SampleView
    /// `nil` when nothing waits for the viewer.
    var shown: Shown?
    var canJudge: Bool
    /// Whether the whole text is asked for.
    var isWhole = false
    /// A record that somebody else took meanwhile.
    var taken: Int?
    var risks: [Risk]

    /// Characters of a text at first, and at most.
    static let (charactersShown, charactersMax) = (4000, 200_000)
    private static let (othersMax, otherCharactersMax) = (40, 500)

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let notice: HTML? = taken.map { "<div class=\"alert\"><p>\(w(.othersQuicker, "\($0)"))</p></div>" }
        return frame.page(
            title: "\(view.purpose) · \(tabs.path)",
            section: .training,
            """
            <div class="title"><div><h1>\(view.purpose)</h1><ul class="meta"><li>\(tabs.path)</li>\
            <li>\(w(.settledCount)): \(w(.keptFigure, w.count(view.settled), w.count(view.drawn)))</li></ul></div></div>
            \(tabs.render(w, current: .samples))
            \(SamplesPage.bar(view, w))
            \(notice)
            \(shown.map { record($0, frame) } ?? frame.nothing(w(.nothingAwaits)))
            """
        )
    }

    private func record(_ shown: Shown, _ frame: Frame) -> HTML {
        let w = frame.words
        let item = shown.item
        return """
            <section class="judging"><h2>\(shown.step.map { w.name($0) } ?? w(.saidSoFar)): \
            \(w(.recordAt, w.count(item.place), w.count(view.population)))</h2>
            <p class="soft"><code>\(shorten(item.id, to: 200))</code> · <code>\(String(item.digest.hex.prefix(16)))</code></p>
            \(lead(shown, frame))
            \(text(shown, w))
            \(others(shown, w))
            \(form(shown, frame))</section>
            """
    }

    private func lead(_ shown: Shown, _ frame: Frame) -> HTML {
        let w = frame.words
        switch shown.step {
        case .judge: return .empty
        case .review: return "<p>\(w(.reviewBlind))</p>"
        case .adjudicate: return "<p>\(w(.settleLead))</p>" + said(shown.item, frame)
        case nil: return said(shown.item, frame)
        }
    }

    /// Who said what; only where nothing is left for the viewer to say without knowing it.
    private func said(_ item: WorkList.Item, _ frame: Frame) -> HTML {
        let w = frame.words
        // Of a record that waits for a second opinion only one's own verdict is told.
        var steps = item.state.steps
        if case .judged(let first) = item.state, first.person != frame.viewer?.user.text { steps = [] }
        guard !steps.isEmpty else { return .empty }
        let items = steps.html { step, judgement in
            let risks: HTML = judgement.risks.isEmpty ? "" : " (\(judgement.risks.joined(separator: ", ")))"
            let note: HTML? = judgement.note.map { " – \(shorten($0, to: 500))" }
            return """
                <li>\(w.name(step)): \(shorten(judgement.person, to: 100)), <b>\(w(judgement.isGood ? .good : .bad))</b>\(risks)\(note) \
                <span class="soft">\(w.time(judgement.at))</span></li>
                """
        }
        return "<ul class=\"plain-list said\">\(items)</ul>"
    }

    private func text(_ shown: Shown, _ w: Words) -> HTML {
        let max = isWhole ? Self.charactersMax : Self.charactersShown
        let head = shown.text.prefix(max)
        guard head.endIndex < shown.text.endIndex else { return "<pre class=\"record-text\">\(shown.text)</pre>" }
        let note: HTML
        if isWhole {
            note = "<p class=\"soft\">\(w(.cutHere, w.count(max)))</p>"
        } else {
            let whole = tabs.judging(view.purpose, [("place", "\(shown.item.place)"), ("whole", "yes")])
            note = "<p><a href=\"\(whole)\">\(w(.showWhole, w.count(shown.text.count)))</a></p>"
        }
        return "<pre class=\"record-text\">\(String(head)) …</pre>\(note)"
    }

    private func others(_ shown: Shown, _ w: Words) -> HTML {
        guard !shown.others.isEmpty else { return .empty }
        let rows = shown.others.prefix(Self.othersMax).html { name, value in
            "<div><dt><code>\(shorten(name, to: 60))</code></dt><dd>\(shorten(value, to: Self.otherCharactersMax))</dd></div>"
        }
        return "<details><summary>\(w(.otherFields))</summary><dl class=\"facts\">\(rows)</dl></details>"
    }

    private func form(_ shown: Shown, _ frame: Frame) -> HTML {
        let w = frame.words
        guard let step = shown.step else { return .empty }
        guard canJudge else { return "<p class=\"soft\">\(w(.membersJudge))</p>" }
        let choices = risks.enumerated().html { index, risk in
            // Nine keys are enough; more risks than that are chosen by hand.
            let key: HTML = index < 9 && risks.count <= 9 ? " data-key=\"\(index + 1)\"" : ""
            let hint: HTML = index < 9 && risks.count <= 9 ? " <kbd>\(index + 1)</kbd>" : ""
            return """
                <label class="check"><input type="checkbox" name="risk" value="\(risk.id)"\(key)> \(risk.title)\(hint)</label>
                """
        }
        let place = shown.item.place
        let skip = tabs.judging(view.purpose, [("after", "\(place)")])
        return frame.form(
            tabs.judging(view.purpose),
            kind: "verdict",
            """
            <input type="hidden" name="place" value="\(place)"><input type="hidden" name="step" value="\(step.rawValue)">
            <fieldset class="field"><legend>\(w(.riskClass))</legend><div class="risks">\(choices)</div></fieldset>
            \(frame.field(w(.note), id: "note", """
                <input id="note" name="note" autocomplete="off" maxlength="500">
                """))
            <div class="row"><button class="primary" name="verdict" value="good" data-key="g">\(w(.good)) <kbd>g</kbd></button>
            <button class="danger" name="verdict" value="bad" data-key="b">\(w(.bad)) <kbd>b</kbd></button>
            <a class="button quiet" href="\(skip)" data-key="s">\(w(.skip)) <kbd>s</kbd></a></div>
            """
        )
    }
}
