import Core
import Entry
import Wire

/// One shelf of the repository, narrowed by text and by what cards say.
struct RepositoriesPage: Sendable {
    var shelf: RepositoryShelf
    var page: Wire.Page<RepositoryView>
    var query: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.repositories),
            section: .repositories,
            """
            <div class="title"><h1>\(w(.repositories))</h1></div>
            \(tabs(w))
            \(filter(frame))
            \(facets(w))
            \(list(frame))
            \(frame.pager(path: "/console/repositories", query: query, next: page.next))
            """
        )
    }

    private func tabs(_ w: Words) -> HTML {
        let items = RepositoryShelf.allCases.html { item in
            let current: HTML = item == shelf ? " aria-current=\"true\"" : ""
            let target = Form([("shelf", item.rawValue)]).on("/console/repositories")
            return "<li><a href=\"\(target)\"\(current)>\(w(item))</a></li>"
        }
        return "<nav class=\"tabs\" aria-label=\"\(w(.repositories))\"><ul>\(items)</ul></nav>"
    }

    private func filter(_ frame: Frame) -> HTML {
        let w = frame.words
        return """
            <form class="filter" method="get" action="/console/repositories">
            <input type="hidden" name="shelf" value="\(shelf.rawValue)">
            <div class="field"><label for="search">\(w(.nameHas))</label>\
            <input id="search" name="search" type="search" value="\(query["search"] ?? "")" autocomplete="off" \
            maxlength="128"></div>
            <button>\(w(.filter))</button></form>
            """
    }

    /// What the repositories on this page are and say of themselves, each a link that narrows the list.
    private func facets(_ w: Words) -> HTML {
        let narrowed = ["tag", "kind"].html { name in
            guard let value = query[name] else { return .empty }
            let back = query.with(name, nil).with("cursor", nil).on("/console/repositories")
            return "<p class=\"narrowed\"><code>\(value)</code> <a href=\"\(back)\">\(w(.showAll))</a></p>"
        }
        let kinds = page.items.map(\.kind.rawValue)
        let language = shelf == .datasets ? "language:" : ""
        return narrowed + (Set(kinds).count > 1 ? facet(w(.kind), "kind", kinds) : .empty)
            + facet(w(.task), "tag", page.items.compactMap(\.task))
            + facet(w(.licence), "tag", page.items.compactMap { $0.licence.map { "license:\($0)" } })
            + facet(w(.language), "tag", page.items.flatMap(\.languages).map { language + $0 })
            + facet(w(.library), "tag", page.items.compactMap(\.library))
    }

    /// The most frequent values first; nothing where the list is narrowed so already.
    private func facet(_ title: String, _ name: String, _ values: [String]) -> HTML {
        let counted = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
            .sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard !counted.isEmpty, query[name] == nil else { return .empty }
        let links = counted.prefix(12).html { value, count in
            let target = query.with(name, value).with("cursor", nil).on("/console/repositories")
            return "<li><a href=\"\(target)\">\(value) <span class=\"count\">\(count)</span></a></li>"
        }
        return "<div class=\"facet\"><span>\(title)</span><ul>\(links)</ul></div>"
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !page.items.isEmpty else {
            return frame.nothing(w(.noRepositories)) + "<p class=\"soft\">\(w(.noRepositoriesHelp))</p>"
        }
        let rows = page.items.html { view in
            let kind: HTML = view.kind == shelf.kind ? "" : "<span class=\"sub\">\(w(view.kind))</span>"
            let gate: HTML = view.gating == .none ? "" : " · \(w(.gated))"
            return """
                <tr><td class="main"><a href="/console/repositories/\(view.repository)">\(view.path)</a>\(kind)</td>
                <td>\(w(view.visibility))\(gate)</td><td class="wide">\(view.task ?? "–")</td>\
                <td class="wide">\(view.licence ?? "–")</td><td class="n">\(w.ago(view.updatedAt, now: frame.now))</td></tr>

                """
        }
        return frame.table(
            w(.repositories),
            head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w(.visibleTo))</th>\
                <th scope="col" class="wide">\(w(.task))</th><th scope="col" class="wide">\(w(.licence))</th>\
                <th scope="col" class="n">\(w(.changed))</th>
                """,
            rows: rows
        )
    }
}
