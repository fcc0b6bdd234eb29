import Core
import Entry
import Wire

/// A user's tokens: list, issue, revoke.
struct TokensPage: Sendable {
    var tokens: [TokenView]
    /// What was wrong with the last request.
    var fault: Problem?
    /// What was typed, when it was refused.
    var typed: Form

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.tokens),
            section: .tokens,
            """
            <div class="title"><h1>\(w(.tokens))</h1></div>
            <p class="lead">\(w(.tokensLead))</p>
            \(list(frame))
            \(issue(frame))
            """
        )
    }

    private func list(_ frame: Frame) -> HTML {
        let w = frame.words
        guard !tokens.isEmpty else { return frame.nothing(w(.noTokens)) }
        let rows = tokens.html { token in
            let isDead = token.revokedAt != nil || token.expiresAt.map { $0 <= frame.now } ?? false
            let expires: HTML =
                if token.revokedAt != nil { Frame.chip("cancelled", w(.revoked)) } else if isDead {
                    Frame.chip("cancelled", w(.expired))
                } else { token.expiresAt.map { w.time($0) } ?? "\(w(.neverExpires))" }
            let revoke: HTML =
                isDead
                ? ""
                : frame.form(
                    "/console/tokens/\(token.token)/revoke",
                    confirm: w(.revokeQuestion, token.label),
                    "<button class=\"quiet danger\" aria-label=\"\(w(.revokeNamed, token.label))\">\(w(.revoke))</button>"
                )
            let scopes = token.scopes.map { w($0) }.joined(separator: ", ")
            return """
                <tr><td class="main">\(token.label)<span class="sub"><code>\(token.token)</code></span></td>
                <td class="wide">\(token.user)</td><td>\(scopes)</td><td class="wide">\(token.project?.text ?? w(.all))</td>
                <td class="n wide">\(w.ago(token.createdAt, now: frame.now))</td><td>\(expires)</td><td class="n">\(revoke)</td></tr>

                """
        }
        return frame.table(
            w(.tokens),
            head: """
                <th scope="col">\(w(.label))</th><th scope="col" class="wide">\(w(.user))</th><th scope="col">\(w(.scopes))</th>\
                <th scope="col" class="wide">\(w(.project))</th><th scope="col" class="n wide">\(w(.created))</th>\
                <th scope="col">\(w(.expires))</th><th scope="col"><span class="hidden">\(w(.revoke))</span></th>
                """,
            rows: rows
        )
    }

    /// How long a token may be good for, in days; `nil` never expires.
    static let lifetimes: [Int?] = [1, 30, 90, 365, nil]

    private func issue(_ frame: Frame) -> HTML {
        let w = frame.words
        let chosen = Set(typed.all("scope"))
        let scopes = Token.Scope.allCases.html { scope in
            let isOn = chosen.isEmpty ? scope != .admin : chosen.contains(scope.rawValue)
            let checked: HTML = isOn ? " checked" : ""
            return """
                <label class="check"><input type="checkbox" name="scope" value="\(scope.rawValue)"\(checked)> \(w(scope))</label>
                """
        }
        let lifetimes = Self.lifetimes.html { days in
            let selected: HTML = days == 90 ? " selected" : ""
            let text = days.map { w(.days, "\($0)") } ?? w(.neverExpires)
            return "<option value=\"\(days.map(String.init) ?? "")\"\(selected)>\(text)</option>"
        }
        let projects = frame.projects.html { "<option>\($0)</option>" }
        let alert: HTML? = fault.map { "<p class=\"alert\" role=\"alert\">\(frame.spoken($0.detail))</p>" }
        return """
            <section id="issue"><h2>\(w(.issueToken))</h2>\(alert)
            \(frame.form("/console/tokens", kind: "row", """
                \(frame.field(w(.label), id: "label", """
                    <input id="label" name="label" required maxlength="100" value="\(typed["label"] ?? "")" autocomplete="off">
                    """))
                <fieldset class="field"><legend>\(w(.scopes))</legend><div class="row">\(scopes)</div></fieldset>
                \(frame.field(w(.project), id: "token-project", """
                    <select id="token-project" name="project"><option value="">\(w(.all))</option>\(projects)</select>
                    """))
                \(frame.field(w(.expiresAfter), id: "lifetime", "<select id=\"lifetime\" name=\"days\">\(lifetimes)</select>"))
                <button class="primary">\(w(.issue))</button>
                """))
            </section>
            """
    }
}

/// A token just made: its secret, this once.
struct IssuedTokenPage: Sendable {
    var issued: IssuedToken

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        return frame.page(
            title: w(.tokenMade),
            section: .tokens,
            """
            <section class="narrow">
            <h1>\(w(.tokenMade))</h1>
            <p class="lead">\(issued.token.label)</p>
            \(frame.code(issued.secret))
            <p class="alert">\(w(.shownOnce))</p>
            <p><a class="button" href="/console/tokens">\(w(.backToTokens))</a></p>
            </section>
            """
        )
    }
}
