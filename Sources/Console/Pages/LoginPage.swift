/// Where a token becomes a session.
struct LoginPage: Sendable, Hashable {
    /// Where to go afterwards; a path within the console.
    var next: String
    /// What was wrong with the last try.
    var fault: String?

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let alert: HTML? = fault.map { "<p class=\"alert\" role=\"alert\">\($0)</p>" }
        return frame.page(
            title: w(.login),
            section: nil,
            """
            <section class="narrow">
            <h1>\(w(.login))</h1>
            <p class="lead">\(w(.loginLead))</p>
            \(alert)
            <form class="stack" method="post" action="/console/login">
            <input type="hidden" name="next" value="\(next)">
            \(frame.field(w(.token), id: "token", note: w(.loginNote), """
                <input id="token" name="token" type="password" required autocomplete="current-password" \
                spellcheck="false" autocapitalize="none" aria-describedby="token-note" autofocus>
                """))
            <button class="primary">\(w(.login))</button>
            </form>
            <details class="help"><summary>\(w(.loginHelp))</summary>
            <p>\(w(.loginHelpText))</p>\(frame.code("onepoint tokens create --label console"))</details>
            </section>
            """
        )
    }
}
