import Core
import Curation
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Wire

extension APIRoutes {
    private static let revision: [ParameterDescription] = [
        .query("revision", .string, "A branch, a tag or a commit; main when it is left out.")
    ]

    /// Releases of training data, and the samples of them that people judge.
    static let releaseEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/v1/releases",
            .user,
            .read,
            "List the newest release of training data of every data set that the caller sees, at most 20 on a page",
            parameters: paging,
            answer: .json(Page<ReleaseView>.self)
        ) { call in
            let page = try await call.api.repositories.releases(
                cursor: call.query("cursor"),
                limit: try call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/samples",
            .user,
            .read,
            "List the samples of a release, and how far people are with them",
            parameters: revision,
            answer: .json([SampleView].self)
        ) { call in
            let release = try await call.release()
            return try call.answer(try await call.api.repositories.sampleViews(of: release))
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/samples/{purpose}/items",
            .user,
            .read,
            "List the records that were drawn for a sample, by their places in the release",
            parameters: revision + [
                .query("awaiting", .boolean, "Only those that the caller could do something on.")
            ] + paging,
            answer: .json(Page<SampleItemView>.self)
        ) { call in
            let page = try call.api.repositories.items(
                of: try await call.sample(),
                awaiting: try call.query("awaiting") ?? false,
                cursor: call.query("cursor"),
                limit: try call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/samples/{purpose}/items/{place}",
            .user,
            .read,
            "One drawn record with its text",
            parameters: revision,
            answer: .json(SampleRecordView.self)
        ) { call in
            let sample = try await call.sample()
            let record = try await call.api.repositories.record(at: call.path("place"), of: sample)
            let view = SampleRecordView(
                summary: SampleItemView(record.item, in: sample, for: try call.caller().user),
                record: record.record,
                shown: record.shown
            )
            return try call.answer(view)
        },
        Endpoint(
            .get,
            "/v1/repositories/{repository}/samples/{purpose}/verdicts",
            .viewer,
            .read,
            "List the verdicts that were given on a sample in their order: who said what",
            parameters: revision + paging,
            answer: .json(Page<VerdictView>.self)
        ) { call in
            let page = try await call.api.repositories.verdicts(
                on: try await call.sample(),
                cursor: call.query("cursor"),
                limit: try call.limit(),
                call.caller()
            )
            return try call.answer(page)
        },
        Endpoint(
            .post,
            "/v1/repositories/{repository}/samples/{purpose}/verdicts",
            .member,
            .write,
            "Judge a drawn record, review it, or settle it; nobody has two of these parts in one record",
            parameters: revision,
            body: .json(
                .object(
                    [
                        "step": .choice(WorkList.Step.self), "place": .integer("Of the record in the release."),
                        "good": .boolean,
                        "risks": .array(of: .string("The id of a risk, of a record that is bad; at most 16.")),
                        "note": .string("Why, in a sentence."),
                    ],
                    required: ["step", "place", "good"]
                )
            ),
            answer: .json(VerdictView.self, status: 201)
        ) { call in
            let judgement = try await call.body { reader -> Repositories.Judgement? in
                let step = reader.choice("step", WorkList.Step.self)
                let place = reader.integer("place", in: 0...Int64(SampleDraw.populationMax))
                let isGood = reader.required("good", "true or false", \.boolValue)
                let risks = reader.optional("risks", "a list of ids") { json in
                    json.arrayValue.flatMap { items in
                        let texts = items.compactMap(\.stringValue)
                        return texts.count == items.count ? texts : nil
                    }
                }
                let note = reader.optionalText("note", charactersMax: Repositories.Judgement.noteBytesMax)
                guard let step, let place, let isGood else { return nil }
                return .init(step: step, place: Int(place), isGood: isGood, risks: risks ?? [], note: note)
            }
            let view = try await call.api.repositories.judge(try await call.sample(), judgement, call.caller())
            return try call.answer(view, status: .created)
        },
    ]
}

extension Call {
    /// The release that the path and the query name.
    fileprivate func release() async throws -> Release {
        try await api.repositories.release(path("repository"), at: query("revision") ?? "main", caller())
    }

    fileprivate func sample() async throws -> Sample {
        try await api.repositories.sample(path("purpose"), of: try await release())
    }
}
