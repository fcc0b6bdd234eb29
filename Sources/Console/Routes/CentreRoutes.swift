import Core
import Entry
import Hummingbird
import Jobs
import Wire

extension Console {
    func addCentreRoutes(to routes: Pages) {
        page(routes, "/centres") { request, context, principal in
            CentresPage(centres: try await point.centres(principal)).render(frame(request, context))
        }
        page(routes, "/centres/:name") { request, context, principal in
            let name: CentreName = try Self.parameter("name", context)
            let centre = try await point.centre(name, principal)
            let jobs = try await point.jobs(JobQuery(states: [.active], centre: name, limit: 50), principal)
            let reservations = try await point.reservations(centre: name, limit: 20, principal)
            return CentrePage(
                centre: centre,
                jobs: jobs.items,
                reservations: ReservationsSection(reservations: reservations.items, hasMore: reservations.next != nil)
            ).render(frame(request, context))
        }
        post(routes, "/centres") { form, request, context, principal in
            guard let name = form["name"].flatMap({ CentreName($0) }) else {
                throw Failure(.invalid, "This is not a name for a centre: \(CentreName.rule).")
            }
            guard let tier = form["tier"].flatMap({ Tier(rawValue: $0) }) else {
                throw Failure(.invalid, "Choose one of the tiers hub, region, edge and device.")
            }
            let join = try await point.createCentre(name, tier: tier, prices: nil, principal)
            return joined(join, request, context)
        }
        post(routes, "/centres/:name/join") { form, request, context, principal in
            let name: CentreName = try Self.parameter("name", context)
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.newJoinToken) },
                question: { $0(.rejoinQuestion) },
                back: "/console/centres/\(name)",
                section: .centres
            ) {
                return answer
            }
            return joined(try await point.renewJoin(name, principal), request, context)
        }
        post(routes, "/centres/:name/drain") { form, request, context, principal in
            let name: CentreName = try Self.parameter("name", context)
            let path = "/console/centres/\(name)"
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.drain) },
                question: { $0(.drainQuestion, name.text) },
                back: path,
                section: .centres
            ) {
                return answer
            }
            _ = try await point.drainCentre(name, evict: form["evict"] == "yes", principal)
            return Self.redirect(to: path)
        }
        post(routes, "/centres/:name/resume") { _, _, context, principal in
            let name: CentreName = try Self.parameter("name", context)
            _ = try await point.resumeCentre(name, principal)
            return Self.redirect(to: "/console/centres/\(name)")
        }
        post(routes, "/centres/:name/remove") { form, request, context, principal in
            let name: CentreName = try Self.parameter("name", context)
            if let answer = question(
                form,
                request,
                context,
                title: { $0(.remove) },
                question: { $0(.removeCentreQuestion, name.text) },
                back: "/console/centres/\(name)",
                section: .centres
            ) {
                return answer
            }
            try await point.removeCentre(name, principal)
            return Self.redirect(to: "/console/centres")
        }
    }

    private func joined(_ join: JoinView, _ request: Request, _ context: AppContext) -> Response {
        Self.answer(JoinPage(join: join, address: options.address(request)).render(frame(request, context)))
    }
}
