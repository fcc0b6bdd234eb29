import Core
import Entry
import Wire

/// Who has what, what was booked, what was used.
struct LedgerPage: Sendable {
    /// One of the two lists, chosen by a tab.
    enum List: Sendable {
        case entries(Wire.Page<LedgerEntryView>)
        case usage(Wire.Page<UsageView>)
    }

    var balances: [BalanceView]
    var list: List
    var query: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let (isUsage, next) =
            switch list {
            case .entries(let page): (false, page.next)
            case .usage(let page): (true, page.next)
            }
        let csv = Form(query.fields.filter { $0.name == "project" })
        let kept = Form(query.fields.filter { $0.name == "view" })
        func tab(_ title: String, _ value: String?, _ current: Bool) -> HTML {
            let mark: HTML = current ? " aria-current=\"true\"" : ""
            return "<li><a href=\"\(csv.with("view", value).on("/console/ledger"))\"\(mark)>\(title)</a></li>"
        }
        return frame.page(
            title: w(.ledger),
            section: .ledger,
            """
            <div class="title"><h1>\(w(.ledger))</h1>\(frame.projectSwitch(action: "/console/ledger", keeping: kept))</div>
            \(accounts(frame))
            <section>
            <div class="title"><nav class="tabs" aria-label="\(w(.ledger))"><ul>\(tab(w(.entries), nil, !isUsage))\
            \(tab(w(.usage), "usage", isUsage))</ul></nav>
            <div class="row"><a class="button small" href="\(csv.on("/console/ledger/entries.csv"))" download>\(w(.entriesCSV))</a>
            <a class="button small" href="\(csv.on("/console/ledger/usage.csv"))" download>\(w(.usageCSV))</a></div></div>
            \(rows(frame))
            \(frame.pager(path: "/console/ledger", query: query, next: next))
            </section>
            """
        )
    }

    private func accounts(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !balances.isEmpty else { return frame.nothing(w(.noBalances)) }
        let rows = balances.html { balance in
            let amount: HTML = balance.amount < 0 ? "n negative" : "n"
            return
                "<tr><td>\(Self.account(balance.account, w))</td><td class=\"\(amount)\">\(w.credits(balance.amount))</td></tr>\n"
        }
        return """
            <section><h2>\(w(.balances))</h2>
            \(frame.table(w(.balances), kind: "narrow-table", head: """
                <th scope="col">\(w(.account))</th><th scope="col" class="n">\(w(.credits))</th>
                """, rows: rows))
            </section>
            """
    }

    /// An account with the words of the language around its name.
    static func account(_ text: String, _ w: Words) -> HTML {
        switch Account(text) {
        case .issued: "\(w(.accountIssued))"
        case .project(let name): "\(w(.accountProject)) <a href=\"/console/projects/\(name)\">\(name)</a>"
        case .reserved(let name): "\(w(.accountReserved)) <a href=\"/console/projects/\(name)\">\(name)</a>"
        case .centre(let name): "\(w(.accountCentre)) <a href=\"/console/centres/\(name)\">\(name)</a>"
        case nil: "\(text)"
        }
    }

    private func rows(_ frame: Frame) -> HTML {
        let w = frame.words
        switch list {
        case .entries(let page):
            guard !page.items.isEmpty else { return frame.nothing(w(.noEntries)) }
            let rows = page.items.html { entry in
                let amount: HTML = entry.amount < 0 ? "n negative" : "n"
                return """
                    <tr><td class="n soft wide">\(entry.sequence)</td><td class="nb">\(w.ago(entry.at, now: frame.now))</td>
                    <td class="main">\(Self.account(entry.account, w))<span class="sub">\(frame.spoken(entry.memo))</span></td>
                    <td class="\(amount)">\(w.credits(entry.amount))</td></tr>

                    """
            }
            return trend(page.items, w)
                + frame.table(
                    w(.entries),
                    head: """
                        <th scope="col" class="n wide">#</th><th scope="col">\(w(.when))</th>\
                        <th scope="col">\(w(.account))</th><th scope="col" class="n">\(w(.credits))</th>
                        """,
                    rows: rows
                )
        case .usage(let page):
            guard !page.items.isEmpty else { return frame.nothing(w(.noUsage)) }
            let rows = page.items.html { usage in
                """
                <tr><td class="main"><a href="/console/jobs/\(usage.job)">\(EventList.short(usage.job.description))</a> \
                <span class="soft">#\(usage.run.number)</span><span class="sub slim">\(usage.centre)</span></td>
                <td class="wide">\(usage.project)</td><td class="wide">\(usage.centre)</td><td>\(w(usage.meter))</td><td class="n">\(w.figure(Double(usage.microUnits) / 1e6))</td>
                <td class="n">\(w.duration(usage.to - usage.from))</td><td class="n wide">\(w.ago(usage.to, now: frame.now))</td></tr>

                """
            }
            return frame.table(
                w(.usage),
                head: """
                    <th scope="col">\(w(.run))</th><th scope="col" class="wide">\(w(.project))</th>\
                    <th scope="col" class="wide">\(w(.centre))</th>\
                    <th scope="col">\(w(.meter))</th><th scope="col" class="n">\(w(.amount))</th>\
                    <th scope="col" class="n">\(w(.time))</th><th scope="col" class="n wide">\(w(.until))</th>
                    """,
                rows: rows
            )
        }
    }

    /// What the centres on this page earned, added up from the oldest entry to the newest.
    private func trend(_ entries: [LedgerEntryView], _ w: Words) -> HTML {
        let earned = entries.sorted { $0.sequence < $1.sequence }.filter { entry in
            if case .centre = Account(entry.account) { true } else { false }
        }
        guard earned.count > 2 else { return .empty }
        var sum = 0.0
        let values = earned.map { entry -> Double? in
            sum += Double(entry.amount.count) / 1e6
            return sum
        }
        let label = w(.spentHere, w.figure(sum))
        return
            "<figure class=\"trend\">\(AreaChart(values: values, label: label).render())<figcaption>\(label)</figcaption></figure>"
    }
}
