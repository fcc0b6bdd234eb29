import Core
import Curation
import Entry
import Hub
import Hummingbird
import Wire

extension Console {
    /// Releases of training data: what they say of themselves, and the samples that people judge.
    func addTrainingRoutes(to routes: Pages) {
        page(routes, "/training") { request, context, principal in
            let query = Form(parsing: request.uri.query ?? "")
            let page = try await repositories.releases(
                cursor: query["cursor"],
                limit: Repositories.releasesPerPage,
                principal
            )
            let kept = Form(query.fields.filter { $0.name == "cursor" })
            return TrainingPage(page: page, query: kept).render(frame(request, context))
        }
        page(routes, "/repositories/:id/governance") { request, context, principal in
            let (tabs, release) = try await release(request, context, principal)
            let after = Form(parsing: request.uri.query ?? "")["sources"] ?? ""
            let report = try await repositories.report(on: release, sourcesAfter: after)
            return GovernancePage(tabs: tabs, report: report).render(frame(request, context))
        }
        page(routes, "/repositories/:id/samples") { request, context, principal in
            let (tabs, release) = try await release(request, context, principal)
            let rows = try await repositories.samples(of: release).map { purpose, sample -> SamplesPage.Row in
                switch sample {
                case .success(let sample): .sample(SampleView(sample))
                case .failure(let failure): .broken(purpose: purpose, failure)
                }
            }
            return SamplesPage(tabs: tabs, rows: rows).render(frame(request, context))
        }
        page(routes, "/repositories/:id/samples/:purpose") { request, context, principal in
            try await judging(request, context, principal)
        }
        post(routes, "/repositories/:id/samples/:purpose") { form, request, context, principal in
            try await judge(form, request, context, principal)
        }
        page(routes, "/repositories/:id/document") { request, context, principal in
            let (tabs, release) = try await release(request, context, principal)
            let query = Form(parsing: request.uri.query ?? "")
            var page = DocumentPage(tabs: tabs, id: query["id"] ?? "", outcome: .none)
            if !page.id.isEmpty {
                do {
                    page.outcome = .searched(
                        try await repositories.find(document: page.id, in: release, from: query["from"])
                    )
                } catch let failure as Failure where [.notFound, .invalid, .tooLarge].contains(failure.code) {
                    page.outcome = .refused(failure)
                }
            }
            return page.render(frame(request, context))
        }
    }

    private func release(
        _ request: Request,
        _ context: AppContext,
        _ principal: Principal
    ) async throws -> (ReleaseTabs, Release) {
        let id: RepositoryID = try Self.parameter("id", context)
        let revision = Form(parsing: request.uri.query ?? "")["revision"] ?? "main"
        let release = try await repositories.release(id, at: revision, principal)
        return (ReleaseTabs(repository: id, path: "\(release.repository.path)", revision: revision), release)
    }

    // MARK: Judging

    private func judging(_ request: Request, _ context: AppContext, _ principal: Principal) async throws -> HTML {
        let (asked, release) = try await release(request, context, principal)
        let purpose: String = try Self.parameter("purpose", context)
        let query = Form(parsing: request.uri.query ?? "")
        let sample = try await repositories.sample(purpose.percentDecoded, of: release)
        // From here on the commit: what is judged is what was shown, even if the branch moves meanwhile.
        var tabs = asked
        tabs.revision = release.revision.id.text
        let frame = frame(request, context)
        var page = JudgePage(
            tabs: tabs,
            view: SampleView(sample),
            shown: nil,
            canJudge: await mayJudge(release, principal),
            isWhole: query["whole"] != nil,
            taken: Self.number(query["taken"]),
            risks: try await risks(of: release, frame.words)
        )
        let place =
            Self.number(query["place"]) ?? Self.next(in: sample, for: principal.user, Self.number(query["after"]))
        if let place {
            let record = try await repositories.record(at: place, of: sample)
            page.shown = Self.shown(record, sample.step(at: place, for: principal.user))
        }
        return page.render(frame)
    }

    private func mayJudge(_ release: Release, _ principal: Principal) async -> Bool {
        (try? await repositories.repository(release.repository.id, for: .write, principal)) != nil
    }

    /// The record that a person does next: after the last one, or first from a place of their own, so that people who
    /// work at one time seldom meet.
    static func next(in sample: Sample, for person: UserName, _ after: Int?) -> Int? {
        let items = sample.work.items
        guard !items.isEmpty else { return nil }
        let start: Int
        if let after {
            start = items.firstIndex { $0.place > after } ?? 0
        } else {
            var hash = FNV()
            hash.combine(person.text.utf8)
            start = Int(hash.value % UInt64(items.count))
        }
        return (items[start...] + items[..<start]).first { sample.step(at: $0.place, for: person) != nil }?.place
    }

    private static func shown(_ record: SampledRecord, _ step: WorkList.Step?) -> JudgePage.Shown {
        guard case .object(let members) = record.record else {
            // A line that is no object is shown as it stands.
            return .init(
                item: record.item,
                step: step,
                text: record.record.stringValue ?? record.record.text,
                others: []
            )
        }
        // The text is the longest member: what sources call it differs.
        let longest = members.max {
            ($0.value.stringValue?.utf8.count ?? -1) < ($1.value.stringValue?.utf8.count ?? -1)
        }
        let key = members.contains { $0.key == "text" } ? "text" : longest?.key ?? ""
        let others = members.filter { $0.key != key }.map {
            (name: $0.key, value: $0.value.stringValue ?? $0.value.text)
        }
        return .init(item: record.item, step: step, text: record.record[key]?.stringValue ?? "", others: others)
    }

    /// What a bad record may be bad by: as the release's taxonomy says, else in plain words.
    private func risks(of release: Release, _ words: Words) async throws -> [JudgePage.Risk] {
        if let taxonomy = try await repositories.taxonomy(of: release) {
            return taxonomy.risks.map { risk in
                let title = words.language == .zh ? risk.title.chinese : risk.title.english
                return .init(id: risk.id, title: "\(risk.id) \(title)")
            }
        }
        let plain: [(String, Message)] = [
            ("unlawful", .riskUnlawful), ("discrimination", .riskDiscrimination), ("commercial", .riskCommercial),
            ("rights", .riskRights), ("unreliable", .riskUnreliable), ("other", .riskOther),
        ]
        return plain.map { .init(id: $0.0, title: words($0.1)) }
    }

    private func judge(
        _ form: Form,
        _ request: Request,
        _ context: AppContext,
        _ principal: Principal
    ) async throws -> Response {
        let (tabs, release) = try await release(request, context, principal)
        let purpose: String = try Self.parameter("purpose", context)
        guard let place = Self.number(form["place"]), let step = form["step"].flatMap({ WorkList.Step(rawValue: $0) }),
            let verdict = form["verdict"], verdict == "good" || verdict == "bad"
        else {
            throw Failure(.invalid, "Say whether the record is good or bad.")
        }
        let sample = try await repositories.sample(purpose.percentDecoded, of: release)
        let judgement = Repositories.Judgement(
            step: step,
            place: place,
            isGood: verdict == "good",
            // Whoever ticked something and then found the record good meant the latter.
            risks: verdict == "good" ? [] : form.all("risk"),
            note: form["note"]
        )
        do {
            _ = try await repositories.judge(sample, judgement, principal)
        } catch let failure as Failure where failure.code == .conflict {
            return Self.redirect(to: tabs.judging(sample.purpose, [("after", "\(place)"), ("taken", "\(place)")]))
        }
        return Self.redirect(to: tabs.judging(sample.purpose, [("after", "\(place)")]))
    }
}
