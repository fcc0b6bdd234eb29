import Core
import Entry

/// What every page knows besides its own model: the language, the caller, the project looked at, the time.
struct Frame: Sendable {
    /// The signed-in caller.
    struct Viewer: Sendable, Hashable {
        var user: UserName
        var isOperator: Bool
        /// Whether the session may change anything at all.
        var canWrite: Bool
        /// Whether the session may change members, settings and tokens.
        var canAdminister: Bool
        /// Stands in a hidden field of every form.
        var formToken: String
    }

    enum Section: Sendable, Hashable, CaseIterable {
        case overview, jobs, workflows, repositories, training, centres, ledger, projects, tokens
    }

    /// Paths of the style sheet and the script, with the hash of their content in the name.
    struct Assets: Sendable, Hashable {
        var style: String
        var script: String
        var icon: String
    }

    var words: Words
    /// `nil` on the pages before the login.
    var viewer: Viewer?
    /// What the pages are narrowed to; kept from page to page in the query.
    var project: ProjectName?
    /// The projects to choose from.
    var projects: [ProjectName]
    /// Path and query of this page, to come back to after a switch of language.
    var path: String
    var now: Instant
    var assets: Assets

    /// A path within the console that keeps the project looked at.
    func link(_ path: String, _ fields: Form = Form()) -> String {
        guard let project, fields["project"] == nil else { return fields.on(path) }
        return fields.with("project", project.text).on(path)
    }

    /// The whole document around a page's content.
    ///
    /// - Parameters:
    ///   - title: Of the window; the content brings its own `h1`.
    ///   - section: What is marked in the navigation.
    func page(title: String, section: Section?, _ content: HTML) -> HTML {
        """
        <!doctype html>
        <html lang="\(words.language.tag)">
        <head>
        <meta charset="utf-8">
        <title>\(title) · Onepoint</title>
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <link rel="icon" type="image/svg+xml" href="\(assets.icon)">
        <link rel="stylesheet" href="\(assets.style)">
        <script src="\(assets.script)" defer></script>
        </head>
        <body>
        <a class="skip" href="#content">\(words(.skipToContent))</a>
        \(header(section))
        <main id="content">
        \(content)
        </main>
        \(footer)
        </body>
        </html>

        """
    }

    private func header(_ section: Section?) -> HTML {
        guard let viewer else {
            return
                "<header class=\"top\"><div class=\"bar-inner\"><a class=\"brand\" href=\"/console\">\(Self.mark)Onepoint</a></div></header>"
        }
        let items = Section.allCases.html { item in
            let current: HTML = item == section ? " aria-current=\"page\"" : ""
            return "<li><a href=\"\(link(path(of: item)))\"\(current)>\(title(of: item))</a></li>"
        }
        let submit: HTML =
            viewer.canWrite
            ? "<a class=\"button primary small\" href=\"\(link("/console/submit"))\">\(words(.submitNav))</a>" : ""
        return """
            <header class="top"><div class="bar-inner">
            <a class="brand" href="\(link("/console"))">\(Self.mark)Onepoint</a>
            <nav aria-label="\(words(.navigation))"><ul>\(items)</ul></nav>
            <div class="who">\(submit)
            <form method="post" action="/console/logout">\(formToken)\
            <span class="user">\(viewer.user)</span>
            <button class="quiet">\(words(.logout))</button></form></div>
            </div></header>
            """
    }

    private var footer: HTML {
        let back = path.percentEncoded
        let choices = Language.allCases.html { language in
            language == words.language
                ? "<li aria-current=\"true\">\(language.name)</li>"
                : """
                <li><a lang="\(language.tag)" hreflang="\(language.tag)" rel="nofollow" \
                href="/console/language?to=\(language.rawValue)&amp;back=\(back)">\(language.name)</a></li>
                """
        }
        return """
            <footer class="foot"><div class="foot-inner"><span>\(words(.rendered)) \(words.time(now))</span>
            <ul class="languages" aria-label="\(words(.language))">\(choices)</ul></div></footer>
            """
    }

    /// The hidden field that proves a form was ours.
    var formToken: HTML {
        guard let viewer else { return .empty }
        return "<input type=\"hidden\" name=\"form_token\" value=\"\(viewer.formToken)\">"
    }

    func path(of section: Section) -> String {
        switch section {
        case .overview: "/console"
        case .jobs: "/console/jobs"
        case .workflows: "/console/workflows"
        case .repositories: "/console/repositories"
        case .training: "/console/training"
        case .centres: "/console/centres"
        case .ledger: "/console/ledger"
        case .projects: "/console/projects"
        case .tokens: "/console/tokens"
        }
    }

    func title(of section: Section) -> String {
        switch section {
        case .overview: words(.overview)
        case .jobs: words(.jobs)
        case .workflows: words(.workflows)
        case .repositories: words(.repositories)
        case .training: words(.training)
        case .centres: words(.centres)
        case .ledger: words(.ledger)
        case .projects: words(.projects)
        case .tokens: words(.tokens)
        }
    }

    /// The mark: many centres around one point.
    static let mark: HTML = """
        <svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true"><circle cx="12" cy="12" r="3.4"/>\
        <circle class="orbit" cx="12" cy="12" r="9"/><circle cx="12" cy="3" r="1.9"/><circle cx="19.8" cy="16.5" r="1.9"/>\
        <circle cx="4.2" cy="16.5" r="1.9"/></svg>
        """
}
