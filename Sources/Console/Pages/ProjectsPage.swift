import Core
import Wire

/// The projects that the caller sees, each below the one that it is part of.
struct ProjectsPage: Sendable {
    var projects: [ProjectView]

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.projects),
            section: .projects,
            """
            <div class="title"><h1>\(w(.projects))</h1></div>
            \(list(frame))
            \(create(frame))
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !projects.isEmpty else { return frame.nothing(w(.noProjects)) }
        let rows = projects.asTree.html { level, view in
            let project = view.project
            let place: HTML = level > 0 ? " l\(level)" : ""
            // What the eye sees by where it stands; and one that is part of something out of sight.
            let parent: HTML =
                project.parent.map {
                    "<span class=\"\(level > 0 ? "hidden" : "sub")\">\(w(.partOfNamed, $0.text))</span>"
                } ?? ""
            let active = view.jobs[JobState.active.rawValue] ?? 0
            let queued = view.jobs[JobState.queued.rawValue] ?? 0
            let balance: HTML = view.balance < 0 ? "n negative" : "n"
            return """
                <tr><td class="main\(place)"><a href="/console/projects/\(project.name)">\(project.name)</a>\
                \(parent)<span class="sub">\(project.title)</span></td>
                <td class="wide">\(view.role.map { w($0) } ?? "–")</td><td class="n">\(w.count(active))</td><td class="n">\(w.count(queued))</td>
                <td class="n wide">\(w.figure(view.cores))</td><td class="n wide">\(view.cards)</td>
                <td class="\(balance)">\(w.credits(view.balance))</td></tr>

                """
        }
        return frame.table(
            w(.projects),
            head: """
                <th scope="col">\(w(.name))</th><th scope="col" class="wide">\(w(.role))</th>\
                <th scope="col" class="n">\(w(.stateActive))</th><th scope="col" class="n">\(w(.stateQueued))</th>\
                <th scope="col" class="n wide">\(w(.coresHeld))</th><th scope="col" class="n wide">\(w(.cardsHeld))</th>\
                <th scope="col" class="n">\(w(.balance))</th>
                """,
            rows: rows
        )
    }

    private func create(_ frame: Frame) -> HTML {
        let w = frame.words
        guard frame.viewer?.isOperator == true else { return .empty }
        return """
            <section><h2>\(w(.newProject))</h2>
            \(frame.form("/console/projects", kind: "row", """
                \(frame.field(w(.name), id: "project-name", """
                    <input id="project-name" name="name" required maxlength="63" autocomplete="off" spellcheck="false" \
                    pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?">
                    """))
                \(frame.field(w(.projectTitle), id: "project-title", """
                    <input id="project-title" name="title" maxlength="200" autocomplete="off">
                    """))
                \(frame.parentField(""))
                <button class="primary">\(w(.create))</button>
                """))
            </section>
            """
    }
}

/// One project: what it holds and may hold, who belongs to it.
struct ProjectPage: Sendable {
    var view: ProjectView
    var members: [Membership]

    private var path: String { "/console/projects/\(view.project.name)" }

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML = view.project.title.isEmpty ? "" : "<p class=\"lead\">\(view.project.title)</p>"
        return frame.page(
            title: view.project.name.text,
            section: .projects,
            """
            <div class="title"><div><h1>\(view.project.name)</h1>\(title)</div>
            <div class="row"><a class="button" href="/console/jobs?project=\(view.project.name)">\(w(.jobs))</a>
            <a class="button" href="/console/ledger?project=\(view.project.name)">\(w(.ledger))</a></div></div>
            <div class="columns"><div>\(memberList(frame))</div><div>\(holds(frame))\(settings(frame))\(voucher(frame))</div></div>
            """
        )
    }

    private func mayChange(_ frame: Frame) -> Bool {
        frame.viewer?.canAdminister == true && (frame.viewer?.isOperator == true || view.role == .owner)
    }

    private func memberList(_ frame: Frame) -> HTML {
        let w = frame.words
        let mayChange = mayChange(frame)
        let rows = members.html { member in
            let remove: HTML =
                mayChange
                ? frame.form(
                    "\(path)/members/\(member.user)/remove",
                    confirm: w(.removeMemberQuestion, member.user.text),
                    """
                    <button class="quiet danger" aria-label="\(w(.removeNamed, member.user.text))">\(w(.remove))</button>
                    """
                ) : ""
            return
                "<tr><td class=\"main\">\(member.user)</td><td>\(w(member.role))</td><td class=\"n\">\(remove)</td></tr>\n"
        }
        let table =
            members.isEmpty
            ? frame.nothing(w(.noMembers))
            : frame.table(
                w(.members),
                head: """
                    <th scope="col">\(w(.user))</th><th scope="col">\(w(.role))</th>\
                    <th scope="col"><span class="hidden">\(w(.remove))</span></th>
                    """,
                rows: rows
            )
        let roles = Role.allCases.reversed().html { "<option value=\"\($0.rawValue)\">\(w($0))</option>" }
        let add: HTML =
            mayChange
            ? frame.form(
                "\(path)/members",
                kind: "row",
                """
                \(frame.field(w(.user), id: "member-user", """
                    <input id="member-user" name="user" required maxlength="63" autocomplete="off" spellcheck="false">
                    """))
                \(frame.field(w(.role), id: "member-role", "<select id=\"member-role\" name=\"role\">\(roles)</select>"))
                <button>\(w(.setMember))</button>
                """
            ) : ""
        return "<section><h2>\(w(.members))</h2>\(table)\(add)</section>"
    }

    private func holds(_ frame: Frame) -> HTML {
        let w = frame.words
        let quota = view.project.quota
        func share(_ held: String, _ limit: String?) -> HTML {
            limit.map { "\(held) <span class=\"soft\">/ \($0)</span>" } ?? "\(held)"
        }
        return """
            <section><h2>\(w(.holds))</h2><dl class="facts">
            \(frame.term(w(.runs), share("\(view.runs)", quota.runs.map(String.init))))\
            \(frame.term(w(.cores), share(w.figure(view.cores), quota.cores?.description)))\
            \(frame.term(w(.cards), share("\(view.cards)", quota.cards.map(String.init))))\
            \(frame.term(w(.repositories), share(view.stored.description, quota.bytes?.description)))\
            \(frame.term(w(.balance), "\(w.credits(view.balance))"))\(frame.term(w(.reserved), "\(w.credits(view.reserved))"))\
            \(frame.term(w(.partOf), view.project.parent.map { parent(frame, $0) }))\
            \(frame.term(w(.weight), "\(view.project.weight)"))\
            \(frame.term(w(.paying), view.project.metered ? "\(w(.metered))" : "\(w(.mayOwe))"))</dl></section>
            """
    }

    /// A link for operators: a member need not be one of that project too.
    private func parent(_ frame: Frame, _ name: ProjectName) -> HTML {
        frame.viewer?.isOperator == true ? "<a href=\"/console/projects/\(name)\">\(name)</a>" : "\(name)"
    }

    private func settings(_ frame: Frame) -> HTML {
        let w = frame.words
        guard mayChange(frame) else { return .empty }
        let project = view.project
        func number(_ name: String, _ title: String, _ value: String, step: HTML = "1") -> HTML {
            frame.field(
                title,
                id: name,
                "<input id=\"\(name)\" name=\"\(name)\" type=\"number\" min=\"0\" step=\"\(step)\" value=\"\(value)\">"
            )
        }
        let checked: HTML = project.metered ? " checked" : ""
        let operators: HTML =
            frame.viewer?.isOperator == true
            ? """
            \(frame.parentField(project.parent?.text ?? ""))
            \(number("weight", w(.weight), "\(project.weight)"))
            \(number("cores", w(.quotaCores), project.quota.cores?.description ?? "", step: "0.001"))
            \(number("cards", w(.quotaCards), project.quota.cards.map(String.init) ?? ""))
            \(number("runs", w(.quotaRuns), project.quota.runs.map(String.init) ?? ""))
            \(number("gibibytes", w(.quotaBytes), project.quota.bytes.map { "\($0.count >> 30)" } ?? ""))
            <input type="hidden" name="limits" value="yes">
            <label class="check"><input type="checkbox" name="metered" value="yes"\(checked)> \(w(.metered))</label>
            """ : ""
        return """
            <section><details><summary>\(w(.settings))</summary>
            \(frame.form("\(path)/settings", kind: "stack", """
                \(frame.field(w(.projectTitle), id: "title", """
                    <input id="title" name="title" maxlength="200" value="\(project.title)">
                    """))
                \(operators)<button>\(w(.save))</button>
                """))
            </details></section>
            """
    }

    private func voucher(_ frame: Frame) -> HTML {
        let w = frame.words
        guard frame.viewer?.isOperator == true else { return .empty }
        return """
            <section><details><summary>\(w(.grantVoucher))</summary>
            \(frame.form("\(path)/vouchers", kind: "stack", """
                \(frame.field(w(.credits), id: "voucher-amount", """
                    <input id="voucher-amount" name="amount" type="number" min="0.000001" step="0.000001" required>
                    """))
                \(frame.field(w(.note), id: "voucher-note", "<input id=\"voucher-note\" name=\"note\" maxlength=\"200\">"))
                <button>\(w(.grant))</button>
                """))
            </details></section>
            """
    }
}

extension Frame {
    /// Where an operator says what a project is part of; empty for nothing.
    fileprivate func parentField(_ value: String) -> HTML {
        field(
            words(.partOf),
            id: "parent",
            """
            <input id="parent" name="parent" value="\(value)" maxlength="63" autocomplete="off" spellcheck="false" \
            pattern="[a-z0-9]([a-z0-9\\-]*[a-z0-9])?">
            """
        )
    }
}
