import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addTokenRoutes(to routes: Pages) {
        page(routes, "/tokens") { request, context, principal in
            try await tokens(request, context, principal, fault: nil, typed: Form())
        }
        post(routes, "/tokens") { form, request, context, principal in
            let scopes = form.all("scope").compactMap { Token.Scope(rawValue: $0) }
            do {
                guard !scopes.isEmpty else { throw Failure(.invalid, "Choose at least one scope.") }
                let issued = try await point.issueToken(
                    TokenRequest(
                        scopes: scopes,
                        project: form["project"].flatMap { ProjectName($0) },
                        label: form["label"] ?? "",
                        expiresInSeconds: Self.number(form["days"]).map { min(max($0, 1), 36_500) * 86_400 }
                    ),
                    principal
                )
                return Self.answer(IssuedTokenPage(issued: issued).render(frame(request, context)))
            } catch let failure as Failure where failure.code == .invalid || failure.code == .forbidden {
                let page = try await tokens(request, context, principal, fault: Problem(failure), typed: form)
                return Self.answer(page, status: .init(code: ProblemKind(failure.code).status))
            }
        }
        post(routes, "/tokens/:id/revoke") { form, request, context, principal in
            let token: TokenID = try Self.parameter("id", context)
            let label = try await point.tokens(of: nil, principal).first { $0.token == token }?.label
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.revoke) },
                question: { $0(.revokeQuestion, label ?? token.description) },
                back: "/console/tokens",
                section: .tokens
            ) {
                return answer
            }
            try await point.revokeToken(token, principal)
            authenticator.forgetAll()
            return Self.redirect(to: "/console/tokens")
        }
    }

    private func tokens(
        _ request: Request,
        _ context: AppContext,
        _ principal: Principal,
        fault: Problem?,
        typed: Form
    ) async throws -> HTML {
        let now = now()
        func isLive(_ token: TokenView) -> Bool {
            token.revokedAt == nil && token.expiresAt.map { $0 > now } ?? true
        }
        // Sessions that are over say nothing to anybody.
        let all = try await point.tokens(of: principal.user, principal)
            .filter { isLive($0) || $0.label != "console session" }
        let sorted = all.sorted { (isLive($0) ? 0 : 1, $1.createdAt) < (isLive($1) ? 0 : 1, $0.createdAt) }
        let projects = try await point.projects(principal)
        return TokensPage(tokens: Array(sorted.prefix(200)), fault: fault, typed: typed)
            .render(frame(request, context, projects: projects))
    }
}
