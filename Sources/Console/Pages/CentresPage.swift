import Core
import Wire

/// The connected centres, and how to connect another.
struct CentresPage: Sendable {
    var centres: [CentreView]

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.centres),
            section: .centres,
            """
            <div class="title"><h1>\(w(.centres))</h1>
            <a class="button" href="/console/simulations">\(w.simulations)</a></div>
            <div id="live" data-get="/console/centres" data-swap="#live" data-every="5">
            \(CapacityMap(centres: centres).render(w))
            \(list(frame))
            </div>
            \(connect(frame))
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !centres.isEmpty else { return frame.nothing(w(.noCentres)) }
        let rows = centres.sorted { (Self.rank($0.tier), $0.name) < (Self.rank($1.tier), $1.name) }.html { centre in
            let cards = centre.capacity.cards.nameplate
            let emulated = centre.capacity.emulatedCards.nameplate
            let emulation: HTML = emulated > 0 ? " <em>\(w(.emulatedCount, w.figure(emulated)))</em>" : ""
            let real: HTML = cards > 0 || emulated == 0 ? "\(w.figure(cards))" : ""
            let seen: HTML = centre.lastSeen.map { w.ago($0, now: frame.now) } ?? "\(w(.never))"
            let engine = [centre.engine.map(\.rawValue), centre.engineVersion].compactMap { $0 }.joined(separator: " ")
            return """
                <tr><td class="main"><a href="/console/centres/\(centre.name)">\(centre.name)</a>\
                <span class="sub">\(w(centre.tier))</span></td>
                <td>\(CentrePage.chip(centre, w))</td><td class="wide">\(engine)</td>
                <td>\(CapacityTable.bar(centre.capacity.cores, unit: w(.cores), w))\
                \(CapacityTable.freeOf(centre.capacity.cores, w))</td>
                <td class="n">\(real)\(emulation)</td><td class="n wide">\(centre.liveRuns)</td>\
                <td class="n wide">\(seen)</td></tr>

                """
        }
        return frame.table(
            w(.centres),
            kind: "capacity centre-list",
            head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w(.state))</th><th scope="col" class="wide">\(w(.engine))</th>\
                <th scope="col">\(w(.cores))</th><th scope="col" class="n">\(w(.cards))</th>\
                <th scope="col" class="n wide">\(w(.runs))</th><th scope="col" class="n wide">\(w(.lastSeen))</th>
                """,
            rows: rows
        )
    }

    private static func rank(_ tier: Tier) -> Int { Tier.allCases.firstIndex(of: tier) ?? 0 }

    private func connect(_ frame: Frame) -> HTML {
        let w = frame.words
        guard frame.viewer?.isOperator == true else { return .empty }
        let tiers = Tier.allCases.html { "<option value=\"\($0.rawValue)\">\(w($0))</option>" }
        return """
            <section id="connect"><h2>\(w(.connectCentre))</h2><p class="soft">\(w(.connectLead))</p>
            \(frame.form("/console/centres", kind: "row", """
                \(frame.field(w(.name), id: "centre-name", """
                    <input id="centre-name" name="name" required maxlength="63" pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?" \
                    autocomplete="off" spellcheck="false" placeholder="hub-1">
                    """))
                \(frame.field(w(.tier), id: "centre-tier", "<select id=\"centre-tier\" name=\"tier\">\(tiers)</select>"))
                <button class="primary">\(w(.makeJoinToken))</button>
                """))
            </section>
            """
    }
}

/// What an operator runs at a new centre; its token is shown this once.
struct JoinPage: Sendable {
    var join: JoinView
    /// The point as agents reach it.
    var address: String

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.joinTitle, join.centre.text),
            section: .centres,
            """
            <section class="narrow">
            <h1>\(w(.joinTitle, join.centre.text))</h1>
            <p class="lead">\(w(.joinLead))</p>
            <ol class="commands">
            <li><p>\(w(.joinCopy))</p>\(frame.code("scp onepoint <machine>:~/"))</li>
            <li><p>\(w(.joinRun))</p>\(frame.code("./onepoint agent --join \(address) --token \(join.token)"))</li>
            </ol>
            <p class="alert">\(w(.shownOnce)) \(w(.expires)) \(w.time(join.expiresAt))</p>
            <p><a class="button" href="/console/centres/\(join.centre)">\(w(.toCentre))</a></p>
            </section>
            """
        )
    }
}
