import Core
import Curation

/// The way of a run's documents from source to output, a bar for each step: what is left, and lighter what it took.
struct FunnelChart: Sendable {
    var funnel: RunFunnel

    private static let (labelWidth, barWidth, rowHeight) = (210.0, 400.0, 26.0)

    func render(_ words: Words) -> HTML {
        let scale = Double(max(1, funnel.steps.map { $0.left }.max() ?? 1, funnel.steps.first?.left ?? 1))
        var y = 0.0
        let rows = funnel.steps.html { step in
            defer { y += Self.rowHeight }
            let left = min(1, Double(step.left) / scale) * Self.barWidth
            let gone = min(Self.barWidth - left, Double(step.dropped) / scale * Self.barWidth)
            let name = words.name(step.stage)
            let lost: HTML? =
                step.dropped > 0
                ? """
                <rect class="gone" x="\(coordinate(Self.labelWidth + left))" y="\(coordinate(y + 3))" \
                width="\(coordinate(max(1, gone)))" height="18"/>
                """ : nil
            let figure =
                step.dropped > 0 ? "\(words.count(step.left))  −\(words.count(step.dropped))" : words.count(step.left)
            return """
                <g><title>\(words(.funnelLeft, name, words.count(step.left), words.count(step.dropped)))</title>\
                <text class="label" x="\(coordinate(Self.labelWidth - 12))" y="\(coordinate(y + 17))">\(shorten(name, to: 30))</text>\
                <rect class="left" x="\(coordinate(Self.labelWidth))" y="\(coordinate(y + 3))" \
                width="\(coordinate(max(step.left > 0 ? 1 : 0, left)))" height="18"/>\(lost)\
                <text x="\(coordinate(Self.labelWidth + left + max(0, gone) + 10))" y="\(coordinate(y + 17))">\(figure)</text></g>

                """
        }
        let height = coordinate(y + 2)
        return """
            <svg class="funnel" viewBox="0 0 800 \(height)" width="800" height="\(height)" role="img" \
            aria-label="\(words(.funnel))">
            \(rows)</svg>
            """
    }
}

extension Words {
    /// A step of the funnel. Families of rules that have a name of their own keep it.
    func name(_ stage: RunFunnel.Stage) -> String {
        switch stage {
        case .read: self(.funnelRead)
        case .written: self(.written)
        case .otherRules: self(.funnelOther)
        case .duplicates("exact"): self(.funnelDuplicates, self(.exactDuplicates))
        case .duplicates("near"): self(.funnelDuplicates, self(.nearDuplicates))
        case .duplicates(let kind): self(.funnelDuplicates, kind)
        case .rules("size"): self(.familySize)
        case .rules("language"): self(.language)
        case .rules("chinese"): self(.familyChinese)
        case .rules("classifier"): self(.familyClassifier)
        case .rules("keywords"): self(.familyKeywords)
        case .rules("contamination"): self(.familyContamination)
        case .rules("personal"): self(.personalData)
        case .rules(let family): family
        }
    }

    /// A part of a whole, in percent.
    func share(_ part: Int, of whole: Int) -> String {
        whole > 0 ? figure(Double(part) * 100 / Double(whole)) + " %" : "–"
    }

    func name(_ step: WorkList.Step) -> String {
        switch step {
        case .judge: self(.stepJudge)
        case .review: self(.stepReview)
        case .adjudicate: self(.stepSettle)
        }
    }
}
