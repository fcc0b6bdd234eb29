import Core
import Curation
import Entry
import Hub
import Wire

/// What a release says of how it was made: the way of its documents, its sources, its audit pack.
struct GovernancePage: Sendable {
    var tabs: ReleaseTabs
    var report: ReleaseReport

    private static let (rulesMax, namesMax, filesMax) = (200, 30, 200)

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        var meta: [HTML] = ["<code>\(String(report.release.revision.id.text.prefix(12)))</code>"]
        var body: HTML = .empty
        switch report.run {
        case .failure(let failure):
            body = """
                <section class="alert"><p>\(w(.recordUnreadable)) <span lang="en">\(failure.detail)</span></p>\
                \(frame.faults(failure.violations))</section>
                """
        case .success(let run):
            meta.append("\(w(.keptFigure, w.count(run.written.count), w.count(run.summary.documents.count)))")
            if let finished = run.finished { meta.append(w.ago(finished, now: frame.now)) }
            meta.append("\(String(run.pipeline.prefix(100)))")
            body = way(run, frame)
        }
        return frame.page(
            title: tabs.path,
            section: .training,
            """
            <div class="title"><div><h1>\(tabs.path)</h1><ul class="meta">\(meta.html { "<li>\($0)</li>" })</ul></div></div>
            \(tabs.render(w, current: .governance))
            \(body)
            \(sources(frame))
            \(itself(frame))
            \(pack(frame))
            """
        )
    }

    // MARK: The way of the documents

    private func way(_ run: RunRecord, _ frame: Frame) -> HTML {
        let w = frame.words
        let all = run.summary.documents.count
        let rules = tallies(w(.rulesDropped), w(.rule), run.summary.dropped, of: all, max: Self.rulesMax, frame)
        let languages = tallies(w(.byLanguage), w(.language), run.summary.languages, of: all, max: Self.namesMax, frame)
        return """
            <section><h2>\(w(.funnel))</h2><div class="scroll" tabindex="0">\
            \(FunnelChart(funnel: RunFunnel(run)).render(w))</div></section>
            <section><h2>\(w(.rulesDropped))</h2>\(rules)</section>
            \(repeats(run, frame))
            \(bySource(frame))
            <div class="halves"><section><h2>\(w(.byLanguage))</h2>\(languages)</section>
            <section><h2>\(w(.personalFound))</h2>\
            \(counts(w(.personalFound), w(.kind), run.summary.personal, frame))\
            <p class="soft">\(w(.countedBefore))</p></section></div>
            \(aside(run, frame))
            """
    }

    private func repeats(_ run: RunRecord, _ frame: Frame) -> HTML {
        let w = frame.words
        guard !run.repeats.isEmpty else { return .empty }
        let all = run.summary.documents.count
        let taken = tallies(w(.repeatsTaken), w(.kind), run.repeats, of: all, max: Self.namesMax, frame)
        return "<section><h2>\(w(.repeatsTaken))</h2>\(taken)</section>"
    }

    private func aside(_ run: RunRecord, _ frame: Frame) -> HTML {
        let w = frame.words
        guard !run.summary.setAside.isEmpty else { return .empty }
        return """
            <section><h2>\(w(.setAsideRecords))</h2>\(counts(w(.setAsideRecords), w(.why), run.summary.setAside, frame))\
            </section>
            """
    }

    private func bySource(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let tallies = report.tallies, !tallies.isEmpty else { return .empty }
        let rows = tallies.prefix(Self.rulesMax).html { tally in
            """
            <tr><td class="main">\(cut(tally.source))</td><td class="n wide">\(w.count(tally.blocks))</td>\
            <td class="n">\(w.count(tally.documents))</td><td class="n">\(w.count(tally.written))</td>\
            <td class="n">\(w.share(tally.written, of: tally.documents))</td></tr>

            """
        }
        return """
            <section><h2>\(w(.bySource))</h2>\(frame.table(w(.bySource), head: """
                <th scope="col">\(w(.source))</th><th scope="col" class="n wide">\(w(.blocks))</th>\
                <th scope="col" class="n">\(w(.documents))</th><th scope="col" class="n">\(w(.written))</th>\
                <th scope="col" class="n">\(w(.keptOfRead))</th>
                """, rows: rows))\(rest(tallies.count, Self.rulesMax, frame))</section>
            """
    }

    private func tallies(
        _ label: String,
        _ name: String,
        _ tallies: [String: BlockSummary.Tally],
        of all: Int,
        max: Int,
        _ frame: Frame
    ) -> HTML {
        let w = frame.words
        guard !tallies.isEmpty else { return frame.nothing(w(.packNone)) }
        let rows = tallies.largestFirst.prefix(max).html { name, tally in
            """
            <tr><td class="main"><code>\(cut(name))</code></td><td class="n">\(w.count(tally.count))</td>\
            <td class="n">\(w.share(tally.count, of: all))</td>\
            <td class="n wide">\(Bytes(Int64(tally.bytes)).description)</td></tr>

            """
        }
        return frame.table(
            label,
            head: """
                <th scope="col">\(name)</th><th scope="col" class="n">\(w(.documents))</th>\
                <th scope="col" class="n">\(w(.ofAll))</th><th scope="col" class="n wide">\(w(.size))</th>
                """,
            rows: rows
        ) + rest(tallies.count, max, frame)
    }

    private func counts(_ label: String, _ name: String, _ counts: [String: Int], _ frame: Frame) -> HTML {
        let w = frame.words
        guard !counts.isEmpty else { return frame.nothing(w(.packNone)) }
        let rows = counts.largestFirst.prefix(Self.namesMax).html { name, count in
            "<tr><td class=\"main\"><code>\(cut(name))</code></td><td class=\"n\">\(w.count(count))</td></tr>\n"
        }
        return frame.table(
            label,
            head: "<th scope=\"col\">\(name)</th><th scope=\"col\" class=\"n\">\(w(.amount))</th>",
            rows: rows
        ) + rest(counts.count, Self.namesMax, frame)
    }

    private func rest(_ count: Int, _ max: Int, _ frame: Frame) -> HTML {
        count > max ? "<p class=\"soft\">\(frame.words(.andMoreRows, frame.words.count(count - max)))</p>" : .empty
    }

    /// Names in uploads have any length.
    private func cut(_ text: String) -> String { shorten(text, to: 100) }

    // MARK: Sources

    private func sources(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !report.sources.isEmpty else {
            return "<section><h2>\(w(.sourcesDossiers))</h2>\(frame.nothing(w(.noDossiers)))</section>"
        }
        let items = report.sources.html { source in
            switch source.dossier {
            case .success(let dossier): DossierPiece(name: source.name, dossier: dossier).render(frame)
            case .failure(let failure):
                """
                <details class="dossier"><summary>\(cut(source.name)) \(Frame.chip("failed", w(.problemTitle)))</summary>
                <p>\(w(.dossierFaults))</p>\(frame.faults(failure.violations))</details>

                """
            }
        }
        let next: HTML? = report.nextSource.map { name in
            "<p><a class=\"button\" href=\"\(tabs.link(.governance, [("sources", name)]))\">\(w(.moreSources))</a></p>"
        }
        return "<section><h2>\(w(.sourcesDossiers))</h2>\(items)\(next)</section>"
    }

    // MARK: The release itself

    private func itself(_ frame: Frame) -> HTML {
        let w = frame.words
        let items: HTML =
            report.items.map { items in
                """
                <dl class="facts">\(frame.term(w(.itemsRoot), "<code>\(items.root.hex)</code>"))\
                \(frame.term(w(.recordCount), "\(w.count(items.records))"))\(configuration(frame))</dl>
                """
            } ?? frame.nothing(w(.noItems))
        let parts: HTML? = report.partFaults.map { faults in
            faults.isEmpty
                ? "<p class=\"is-well\">\(w(.partsMatch, w.count(partCount)))</p>"
                : "<div class=\"alert\"><p>\(w(.partsDiffer))</p>\(frame.faults(faults))</div>"
        }
        return "<section class=\"fixed\"><h2>\(w(.releaseItself))</h2>\(items)\(parts)</section>"
    }

    private var partCount: Int { if case .success(let run) = report.run { run.parts.count } else { 0 } }

    private func configuration(_ frame: Frame) -> HTML {
        guard case .success(let run) = report.run else { return .empty }
        return frame.term(frame.words(.configuration), "<code>\(cut(run.configuration))</code>")
    }

    // MARK: The audit pack

    private func pack(_ frame: Frame) -> HTML {
        let w = frame.words
        guard let pack = report.pack else {
            return "<section><h2>\(w(.auditPack))</h2>\(frame.nothing(w(.noPack)))</section>"
        }
        let check: HTML =
            pack.faults.isEmpty
            ? "<p class=\"is-well\">\(w(.packMatches, w.count(pack.files.count)))</p>"
            : "<div class=\"alert\"><p>\(w(.packDiffers))</p>\(frame.faults(pack.faults))</div>"
        let rows = pack.files.prefix(Self.filesMax).html { file in
            """
            <tr><td class="main"><a href="\(tabs.file("governance/pack/" + file.path))">\(file.path)</a></td>\
            <td class="soft wide"><code>\(String(file.digest.hex.prefix(16)))</code></td>\
            <td class="n">\(file.size.description)</td></tr>

            """
        }
        return """
            <section><h2>\(w(.auditPack))</h2>\(check)
            <p>\(w(pack.isSigned ? .packSignedNote : .packUnsignedNote))</p>
            \(frame.table(w(.auditPack), head: """
                <th scope="col">\(w(.name))</th><th scope="col" class="wide">SHA-256</th>\
                <th scope="col" class="n">\(w(.size))</th>
                """, rows: rows))\(rest(pack.files.count, Self.filesMax, frame))</section>
            """
    }
}
