import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addProjectRoutes(to routes: Pages) {
        page(routes, "/projects") { request, context, principal in
            let projects = try await point.projects(principal)
            return ProjectsPage(projects: projects).render(frame(request, context, projects: projects))
        }
        page(routes, "/projects/:name") { request, context, principal in
            let name: ProjectName = try Self.parameter("name", context)
            let view = try await point.project(name, principal)
            let members = try await point.members(of: name, principal)
            return ProjectPage(view: view, members: members).render(frame(request, context))
        }
        post(routes, "/projects") { form, _, _, principal in
            guard let name = form["name"].flatMap({ ProjectName($0) }) else {
                throw Failure(.invalid, "This is not a name for a project: \(ProjectName.rule).")
            }
            let project = Project(name: name, title: form["title"] ?? "", parent: try Self.place(form).parent)
            _ = try await point.createProject(project, principal)
            return Self.redirect(to: "/console/projects/\(name)")
        }
        post(routes, "/projects/:name/settings") { form, _, context, principal in
            let name: ProjectName = try Self.parameter("name", context)
            var patch = ProjectPatch(title: form.raw("title"))
            // Only the operators' form carries limits; an owner's must not lift them.
            if form["limits"] != nil {
                patch.place = try Self.place(form)
                patch.weight = try Self.limit(form, "weight").map { Int($0) }
                patch.quota = Quota(
                    cores: try Self.limit(form, "cores").map { MilliCores(Int64(($0 * 1000).rounded())) },
                    cards: try Self.limit(form, "cards").map { Int($0) },
                    runs: try Self.limit(form, "runs").map { Int($0) },
                    bytes: try Self.limit(form, "gibibytes").map { Bytes.gibi(1) * Int($0) }
                )
                patch.metered = form["metered"] == "yes"
            }
            _ = try await point.changeProject(name, patch, principal)
            return Self.redirect(to: "/console/projects/\(name)")
        }
        post(routes, "/projects/:name/members") { form, _, context, principal in
            let name: ProjectName = try Self.parameter("name", context)
            guard let user = form["user"].flatMap({ UserName($0) }) else {
                throw Failure(.invalid, "This is not the name of a user: \(UserName.rule).")
            }
            guard let role = form["role"].flatMap({ Role(rawValue: $0) }) else {
                throw Failure(.invalid, "Choose one of the roles owner, member and viewer.")
            }
            _ = try await point.setMember(Membership(project: name, user: user, role: role), principal)
            authenticator.forgetAll()
            return Self.redirect(to: "/console/projects/\(name)")
        }
        post(routes, "/projects/:name/members/:user/remove") { form, request, context, principal in
            let name: ProjectName = try Self.parameter("name", context)
            let user: UserName = try Self.parameter("user", context)
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.removeNamed, user.text) },
                question: { $0(.removeMemberQuestion, user.text) },
                back: "/console/projects/\(name)",
                section: .projects
            ) {
                return answer
            }
            try await point.removeMember(user, of: name, principal)
            authenticator.forgetAll()
            return Self.redirect(to: "/console/projects/\(name)")
        }
        post(routes, "/projects/:name/vouchers") { form, _, context, principal in
            let name: ProjectName = try Self.parameter("name", context)
            guard let credits = try Self.limit(form, "amount"), credits > 0 else {
                throw Failure(.invalid, "A voucher is worth more than nothing.")
            }
            let amount = MicroCredits(Int64((credits * 1_000_000).rounded()))
            _ = try await point.grantVoucher(amount, to: name, note: form["note"] ?? "", principal)
            return Self.redirect(to: "/console/projects/\(name)")
        }
    }

    private static func place(_ form: Form) throws -> ProjectPatch.Place {
        guard let place = ProjectPatch.Place(form["parent"] ?? "") else {
            throw Failure(.invalid, "This is not the name of a project to be part of: \(ProjectName.rule).")
        }
        return place
    }

    /// A number that is not negative; `nil` when the field is empty.
    private static func limit(_ form: Form, _ name: String) throws -> Double? {
        guard let text = form[name] else { return nil }
        guard let value = Double(text), value.isFinite, (0...1e12).contains(value) else {
            throw Failure(.invalid, "'\(name)' must be a number from 0 to 10¹².")
        }
        return value
    }
}
