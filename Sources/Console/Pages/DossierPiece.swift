import Core
import Curation

/// A source's dossier: what it says, and plainly what it does not.
struct DossierPiece: Sendable {
    var name: String
    var dossier: Dossier

    private static let (recordsMax, robotsMax) = (50, 20)

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let gaps = dossier.gaps
        let state =
            gaps.isEmpty
            ? Frame.chip("succeeded", w.name(dossier.kind))
            : Frame.chip("unseen", "\(w(.notSaid)): \(w.count(gaps.count))")
        return """
            <details class="dossier"><summary><b>\(shorten(name, to: 100))</b> <span class="soft">\(shorten(dossier.title, to: 100))</span> \
            \(state)</summary>
            <dl class="facts">
            \(frame.term(w(.kind), "\(w.name(dossier.kind))"))\
            \(frame.term(w(.origin), "\(shorten(dossier.origin, to: 500))"))\
            \(frame.term(w(.territory), "\(w.name(dossier.region))\(dossier.country.map { " (\($0))" } ?? "")"))\
            \(frame.term(w(.language), HTML(escaping: dossier.languages.prefix(50).joined(separator: ", "))))\
            \(frame.term(w(.licenceAtOrigin), said(dossier.licence.atOrigin, w)))\
            \(frame.term(w(.licenceAsClaimed), said(dossier.licence.asClaimed, w)))\
            \(frame.term(w(.rightsHolder), said(dossier.owner, w)))\(frame.term(w(.complaints), said(dossier.complaints, w)))\
            \(frame.term(w(.records), records(frame)))\
            \(frame.term(w(.robots), robots(frame)))\
            \(frame.term(w(.personalData), personal(w)))\
            \(frame.term(w(.assessed), assessment(w)))\
            \(frame.term(w(.collected), collected(w)))\
            \(frame.term(w(.notSaid), missing(gaps, w)))
            </dl></details>

            """
    }

    private func said(_ text: String?, _ w: Words) -> HTML {
        text.map { "\(shorten($0, to: 500))" } ?? "<em>\(w(.notSaid))</em>"
    }

    private func records(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !dossier.records.isEmpty else { return "<em>\(w(.notSaid))</em>" }
        let items = dossier.records.prefix(Self.recordsMax).html { record in
            """
            <li>\(w.name(record.kind)): \(shorten(record.title, to: 200)) <code>\(String(record.digest.hex.prefix(16)))</code>\
            \(record.date.map { " \(w.time($0))" as HTML })</li>
            """
        }
        return "<ul class=\"plain-list\">\(items)\(frame.more(dossier.records.count - Self.recordsMax))</ul>"
    }

    private func robots(_ frame: Frame) -> HTML? {
        let w = frame.words
        guard !dossier.robots.isEmpty else { return dossier.kind == .selfCollected ? "<em>\(w(.notSaid))</em>" : nil }
        let items = dossier.robots.prefix(Self.robotsMax).html { robots in
            """
            <li>\(shorten(robots.host, to: 200)): \(w.name(robots.verdict)), \(w.time(robots.fetchedAt)) \
            \(robots.digest.map { "<code>\(String($0.hex.prefix(16)))</code>" as HTML })</li>
            """
        }
        return "<ul class=\"plain-list\">\(items)\(frame.more(dossier.robots.count - Self.robotsMax))</ul>"
    }

    private func personal(_ w: Words) -> HTML {
        let data = dossier.personalData
        let basis: HTML =
            data.presence == .none ? "" : ", \(data.basis.map { "\(w.name($0))" as HTML } ?? "<em>\(w(.notSaid))</em>")"
        return "\(w.name(data.presence))\(basis)"
    }

    private func assessment(_ w: Words) -> HTML {
        guard let assessment = dossier.assessment else { return "<em>\(w(.notSaid))</em>" }
        let note: HTML? = assessment.note.map { " <span class=\"soft\">\(shorten($0, to: 500))</span>" }
        return "\(shorten(assessment.assessor, to: 100)), \(w.time(assessment.date))\(note)"
    }

    private func collected(_ w: Words) -> HTML {
        let times = [dossier.collectedFrom, dossier.collectedTo].compactMap { $0 }.map { w.time($0) }
        guard let first = times.first else { return "<em>\(w(.notSaid))</em>" }
        return times.dropFirst().reduce(first) { $0 + " – " + $1 }
    }

    private func missing(_ gaps: [Dossier.Gap], _ w: Words) -> HTML {
        guard !gaps.isEmpty else { return "\(w(.nothingMissing))" }
        return "<em>\(gaps.map { w.name($0) }.joined(separator: w.language == .zh ? "、" : ", "))</em>"
    }
}
