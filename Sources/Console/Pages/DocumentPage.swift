import Core
import Curation
import Entry
import Hub
import Wire

/// A document's life in a release, as far as the release tells of it.
struct DocumentPage: Sendable {
    /// A search, or why there is none.
    enum Outcome: Sendable {
        case none
        case searched(DocumentSearch)
        case refused(Failure)
    }

    var tabs: ReleaseTabs
    var id: String
    var outcome: Outcome

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: "\(w(.documentLife)) · \(tabs.path)",
            section: .training,
            """
            <div class="title"><div><h1>\(tabs.path)</h1></div></div>
            \(tabs.render(w, current: .document))
            <form class="filter" method="get" action="/console/repositories/\(tabs.repository)/document">
            <input type="hidden" name="revision" value="\(tabs.revision)">
            <div class="field"><label for="id">\(w(.documentID))</label>\
            <input id="id" name="id" type="search" value="\(id)" autocomplete="off" maxlength="4096" required></div>
            <button>\(w(.find))</button></form>
            \(result(frame))
            """
        )
    }

    private func result(_ frame: Frame) -> HTML {
        let w = frame.words
        switch outcome {
        case .none: return .empty
        case .refused(let failure):
            let hint: HTML = failure.code == .notFound ? "<p class=\"soft\">\(w(.noDecisions))</p>" : ""
            return "<div class=\"alert\"><p>\(frame.spoken(failure.detail))</p></div>\(hint)"
        case .searched(let search):
            if let life = search.life { return told(life, frame) }
            guard let next = search.next else { return frame.nothing(w(.notFoundAtAll)) }
            let link = tabs.link(.document, [("id", id), ("from", next)])
            return """
                <p>\(w(.notFoundYet, w.count(search.blocks)))</p>
                <p><a class="button" rel="next" href="\(link)">\(w(.searchOn))</a></p>
                """
        }
    }

    private func told(_ life: DocumentLife, _ frame: Frame) -> HTML {
        let w = frame.words
        let decision = life.decision
        return """
            <section class="fixed"><h2>\(w(.fate))</h2><p>\(fate(life, w))</p>
            <dl class="facts">
            \(frame.term(w(.documentID), "<code>\(shorten(life.id, to: 300))</code>"))\
            \(frame.term(w(.source), life.block.map { "\(shorten($0.sourceName, to: 100)) <span class=\"soft\">\(shorten($0.path, to: 200))</span>" }))\
            \(frame.term(w(.block), "<code>\(shorten(life.block?.digest ?? life.key, to: 64))</code>\(number("index", decision).map { " · \(w.count($0))" as HTML })"))\
            \(frame.term(w(.size), number("bytes", decision).map { "\(Bytes(Int64(max(0, $0))).description)" }))\
            \(frame.term(w(.language), language(decision, w)))\
            \(frame.term(w(.personalData), counts("personal", decision, w)))\
            \(frame.term(w(.familyKeywords), counts("keywords", decision, w)))\
            \(frame.term(w(.standsForIt), standing(life, w)))\
            \(frame.term(w(.lostToRepeats), repeats(life)))\
            \(frame.term(w(.file), life.part.map { "<a href=\"\(tabs.file($0.path))\">\($0.path)</a>" }))\
            \(frame.term(w(.digest), life.written?.digest.map { "<code>\($0.hex)</code>" }))\
            </dl></section>
            \(samples(life, frame))
            """
    }

    private func fate(_ life: DocumentLife, _ w: Words) -> HTML {
        if let rule = life.dropped {
            var text: HTML = "\(Frame.chip("failed", w(.fateDropped, shorten(rule, to: 100))))"
            if let value = life.decision["value"]?.numberValue, let threshold = life.decision["threshold"]?.numberValue
            {
                text += " \(w(.measuredThreshold, w.figure(value), w.figure(threshold)))"
            }
            return text
        }
        if let duplicate = life.taken?.duplicate {
            let kind = duplicate.kind == "exact" ? w(.exactDuplicates) : w(.nearDuplicates)
            return """
                \(Frame.chip("failed", w(.fateDuplicate, kind))) \(w(.similarity, w.figure(duplicate.jaccard)))
                """
        }
        if life.taken?.isGone == true { return Frame.chip("failed", w(.fateRepeated)) }
        guard let written = life.written else { return Frame.chip("unseen", w(.fateUnknown)) }
        return Frame.chip("succeeded", w(.fateWritten, w.count(written.place)))
    }

    private func standing(_ life: DocumentLife, _ w: Words) -> HTML? {
        guard let duplicate = life.taken?.duplicate else { return nil }
        guard let id = life.duplicateOf else { return "\(w(.comparedWithOnly, shorten(duplicate.source, to: 100)))" }
        return "<a href=\"\(tabs.link(.document, [("id", id)]))\"><code>\(shorten(id, to: 300))</code></a>"
    }

    /// Bytes by kind.
    private func repeats(_ life: DocumentLife) -> HTML? {
        guard let repeats = life.taken?.repeats, !repeats.isEmpty else { return nil }
        return repeats.sorted { $0.key < $1.key }.prefix(10).html { kind, bytes in
            "<code>\(shorten(kind, to: 20))</code>: \(Bytes(Int64(max(0, bytes))).description) "
        }
    }

    private func number(_ name: String, _ json: JSON) -> Int? { json[name]?.integerValue.map { Int($0) } }

    private func language(_ decision: JSON, _ w: Words) -> HTML? {
        guard let language = decision["language"]?.stringValue else { return nil }
        let sure: HTML? = decision["probability"]?.numberValue.map { " (\(w.figure($0)))" }
        return "<code>\(shorten(language, to: 20))</code>\(sure)"
    }

    private func counts(_ name: String, _ decision: JSON, _ w: Words) -> HTML? {
        guard case .object(let members)? = decision[name], !members.isEmpty else { return nil }
        return members.prefix(30).html { key, value in
            "<code>\(shorten(key, to: 60))</code>: \(value.integerValue.map { w.count($0) } ?? "–") "
        }
    }

    private func samples(_ life: DocumentLife, _ frame: Frame) -> HTML {
        let w = frame.words
        guard life.written != nil else { return .empty }
        guard !life.samples.isEmpty else { return "<p class=\"soft\">\(w(.notDrawn))</p>" }
        let items = life.samples.html { purpose, item in
            let verdict: HTML =
                item.verdict.map { Frame.chip($0.isGood ? "succeeded" : "failed", w($0.isGood ? .good : .bad)) } ?? "–"
            let link = tabs.judging(purpose, [("place", "\(item.place)")])
            return "<li><a href=\"\(link)\">\(purpose)</a> \(verdict)</li>"
        }
        return "<section><h2>\(w(.samples))</h2><ul class=\"plain-list\">\(items)</ul></section>"
    }
}
