import Core
import Wire

/// Capacity per tier: as bars to see, as figures to read.
struct CapacityTable: Sendable {
    var capacity: CapacityView

    func bars(_ frame: Frame) -> HTML {
        let w = frame.words
        let tiers = capacity.tiers.filter { $0.centres > 0 }
        let rows = tiers.html { row in
            let c = row.capacity
            return """
                <tr><th scope="row"><span class="tier">\(w(row.tier))</span>\
                <span class="sub">\(w(.centresCount, w.count(row.centres)))</span></th>
                <td>\(Self.bar(c.cores, unit: w(.cores), w))\(Self.freeOf(c.cores, w))</td>
                <td>\(cardBar(c, w))</td>
                <td class="n">\(pflops(c.pflops, w))</td></tr>

                """
        }
        let key: HTML = """
            <ul class="key" aria-hidden="true"><li><i class="used"></i>\(w(.inUse))</li><li><i class="free"></i>\(w(.free))</li>\
            <li><i class="closed"></i>\(w(.notSchedulable))</li><li><i class="emulated"></i>\(w(.emulated))</li></ul>
            """
        return """
            \(frame.table(w(.capacityByTier), kind: "capacity tiers", head: """
                <th scope="col">\(w(.tier))</th><th scope="col">\(w(.cores))</th><th scope="col">\(w(.cards))</th>\
                <th scope="col" class="n">\(w(.pflops))</th>
                """, rows: rows))
            \(key)
            """
    }

    /// In use, free and closed parts of the nameplate.
    static func bar(_ figures: Figures, unit: String, _ w: Words) -> HTML {
        BarChart(
            parts: parts(figures, w, emulated: false),
            scale: figures.nameplate,
            label: "\(unit): \(w(.freeOf, w.figure(figures.free), w.figure(figures.nameplate)))"
        ).render()
    }

    private static func parts(_ figures: Figures, _ w: Words, emulated: Bool) -> [BarChart.Part] {
        let used = max(0, figures.schedulable - figures.free)
        let closed = max(0, figures.nameplate - figures.schedulable)
        return [
            .init(kind: emulated ? "used emulated" : "used", value: used, title: "\(w(.inUse)) \(w.figure(used))"),
            .init(
                kind: emulated ? "free emulated" : "free",
                value: figures.free,
                title: "\(w(.free)) \(w.figure(figures.free))"
            ),
            .init(kind: "closed", value: closed, title: "\(w(.notSchedulable)) \(w.figure(closed))"),
        ]
    }

    static func freeOf(_ figures: Figures, _ w: Words) -> HTML {
        "<span class=\"of\">\(w(.freeOf, w.figure(figures.free), w.figure(figures.nameplate)))</span>"
    }

    private func cardBar(_ c: CapacityFigures, _ w: Words) -> HTML {
        let (real, emulated) = (c.cards, c.emulatedCards)
        guard real.nameplate + emulated.nameplate > 0 else { return "<span class=\"of\">–</span>" }
        let emulatedParts = Self.parts(emulated, w, emulated: true).map { part in
            var part = part
            part.title = "\(w(.emulated)): \(part.title)"
            return part
        }
        let text: HTML =
            real.nameplate > 0 ? HTML(escaping: w(.freeOf, w.figure(real.free), w.figure(real.nameplate))) : .empty
        let separator: HTML = real.nameplate > 0 && emulated.nameplate > 0 ? "; " : ""
        let emulation: HTML =
            emulated.nameplate > 0
            ? "<em>\(w(.emulatedOf, w.figure(emulated.free), w.figure(emulated.nameplate)))</em>" : ""
        let bar = BarChart(
            parts: Self.parts(real, w, emulated: false) + emulatedParts,
            scale: real.nameplate + emulated.nameplate,
            label: "\(w(.cards)): \(w.figure(real.nameplate)), \(w(.emulated)): \(w.figure(emulated.nameplate))"
        )
        return "\(bar.render())<span class=\"of\">\(text)\(separator)\(emulation)</span>"
    }

    private func pflops(_ figures: Figures, _ w: Words) -> HTML {
        guard figures.nameplate > 0 || figures.measured != nil else { return "<span class=\"soft\">0</span>" }
        let measured: HTML? = figures.measured.map { "<span class=\"sub\">\(w(.measuredFigure, w.figure($0)))</span>" }
        return "\(w(.freeOf, w.figure(figures.free), w.figure(figures.nameplate)))\(measured)"
    }

    /// Every figure of every tier, the four kinds in columns.
    func table(_ frame: Frame) -> HTML {
        let w = frame.words
        func row(_ title: HTML, _ unit: String, _ f: Figures, scale: Double = 1) -> HTML {
            func cell(_ value: Double) -> HTML { "<td class=\"n\">\(w.figure(value / scale))</td>" }
            let measured: HTML = f.measured.map { cell($0) } ?? "<td class=\"n soft\">–</td>"
            return """
                <tr><th scope="row">\(title)</th><td>\(unit)</td>\(cell(f.nameplate))\(cell(f.schedulable))\
                \(cell(f.free))\(measured)</tr>

                """
        }
        func rows(_ title: String, _ c: CapacityFigures) -> HTML {
            let head: HTML = "\(title)"
            var out = row(head, w(.cores), c.cores) + row(head, w(.memoryGiB), c.memoryBytes, scale: 1_073_741_824)
            out += row(head, w(.cards), c.cards) + row(head, w(.pflops), c.pflops)
            if let gflops = c.processorGflops {
                let none: HTML = "<td class=\"n soft\">–</td>"
                out += """
                    <tr><th scope="row">\(head)</th><td>\(w(.processorGflops))</td>\(none)\(none)\(none)\
                    <td class="n">\(w.figure(gflops.rounded()))</td></tr>

                    """
            }
            if c.emulatedCards.nameplate > 0 { out += row(head, w(.emulatedCards), c.emulatedCards) }
            return out
        }
        return frame.table(
            w(.allFigures),
            kind: "fixed",
            head: """
                <th scope="col">\(w(.tier))</th><th scope="col">\(w(.resource))</th>\
                <th scope="col" class="n">\(w(.nameplate))</th><th scope="col" class="n">\(w(.schedulable))</th>\
                <th scope="col" class="n">\(w(.free))</th><th scope="col" class="n">\(w(.measured))</th>
                """,
            rows: capacity.tiers.filter { $0.centres > 0 }.html { rows(w($0.tier), $0.capacity) }
                + rows(w(.total), capacity.total)
        )
    }
}
