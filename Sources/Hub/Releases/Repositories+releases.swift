public import Core
public import Curation
import Store
public import Wire

extension Repositories {
    /// Looking at a release takes reading a few files, so pages of them are short.
    public static let releasesPerPage = 20
    private static let tagsShownMax = 20

    /// The newest release of every data set that the caller may see, those that changed last first.
    ///
    /// Of what is gated and not granted to the caller only the name and the card are told.
    public func releases(cursor: String?, limit: Int, _ caller: Principal?) async throws -> Page<ReleaseView> {
        var search = Search()
        search.isRelease = true
        search.limit = min(limit, Self.releasesPerPage)
        if let cursor {
            guard let after = SearchPosition(cursor) else {
                throw Failure(.malformed, "This cursor was not made here. Begin again without one.")
            }
            search.after = after
        }
        let (found, next) = try await self.search(.datasets, search, caller)
        var views: [ReleaseView] = []
        for each in found {
            guard let head = each.head else { continue }
            views.append(try await view(each.repository, head, licence: each.facts.card?.licence, caller))
        }
        return Page(items: views, next: next.map { "\($0)" })
    }

    private func view(
        _ repository: Repository,
        _ head: Revision,
        licence: String?,
        _ caller: Principal?
    ) async throws -> ReleaseView {
        var view = ReleaseView(
            repository: repository.id,
            path: "\(repository.path)",
            revision: head.id,
            committedAt: head.at,
            licence: licence,
            read: nil,
            written: nil,
            finishedAt: nil,
            samples: [],
            hasPack: false,
            isSigned: false,
            tags: []
        )
        let release: Release
        do {
            release = try await self.release(repository.id, at: head.id.text, caller)
        } catch let failure as Failure where failure.code == .forbidden || failure.code == .notFound {
            return view
        }
        // Not noted yet, or noted of a card that says nothing.
        if licence == nil { view.licence = try await facts(about: head, of: repository).card?.licence }
        if case .success(let run) = try await record(of: release) {
            (view.read, view.written) = (run.summary.documents.count, run.written.count)
            view.finishedAt = run.finished
        }
        for case (_, .success(let sample)) in try await samples(of: release) { view.samples.append(SampleView(sample)) }
        view.hasPack = try await file("\(Release.packFolder)/\(AuditPack.manifestPath)", of: release) != nil
        view.isSigned = try await file("\(Release.packFolder)/\(AuditPack.manifestPath).sig", of: release) != nil
        view.tags = try await store.read { tx in
            try Self.references(of: repository.id, tx).filter { $0.name.kind == .tag }.prefix(Self.tagsShownMax)
                .map(\.name.name)
        }
        return view
    }

    // MARK: Samples, as the API tells of them

    public func sampleViews(of release: Release) async throws -> [SampleView] {
        try await samples(of: release).compactMap { found in
            guard case .success(let sample) = found.sample else { return nil }
            return SampleView(sample)
        }
    }

    /// The drawn records of a sample by place.
    ///
    /// - Parameter awaiting: Only those that the caller could do something on.
    public func items(
        of sample: Sample,
        awaiting: Bool,
        cursor: String?,
        limit: Int,
        _ caller: Principal
    ) throws(Failure) -> Page<SampleItemView> {
        var after = -1
        if let cursor {
            guard let place = Int(cursor) else {
                throw Failure(.malformed, "This cursor was not made here. Begin again without one.")
            }
            after = place
        }
        var views: [SampleItemView] = []
        for item in sample.work.items where item.place > after {
            let view = SampleItemView(item, in: sample, for: caller.user)
            if awaiting, view.awaits == nil { continue }
            guard views.count < limit else { return Page(items: views, next: views.last.map { "\($0.place)" }) }
            views.append(view)
        }
        return Page(items: views, next: nil)
    }
}

extension Sample {
    /// What a person could do on the record at a place now.
    public func step(at place: Int, for person: UserName) -> WorkList.Step? {
        WorkList.Step.allCases.first { work.awaits($0, of: place, by: person.text) }
    }
}

extension SampleView {
    public init(_ sample: Sample) {
        let tally = sample.work.tally
        self.init(
            purpose: sample.purpose,
            root: sample.draw.root,
            population: sample.draw.population,
            drawn: tally.drawn,
            judged: tally.judged,
            reviewed: tally.reviewed,
            disputed: tally.disputed,
            settled: tally.settled,
            good: tally.good,
            bad: tally.bad
        )
    }
}

extension SampleItemView {
    public init(_ item: WorkList.Item, in sample: Sample, for person: UserName) {
        let state =
            switch item.state {
            case .drawn: "drawn"
            case .judged: "judged"
            case .reviewed: "reviewed"
            case .disputed: "disputed"
            case .adjudicated: "adjudicated"
            }
        self.init(
            place: item.place,
            item: item.digest,
            id: item.id,
            state: state,
            awaits: sample.step(at: item.place, for: person)?.rawValue
        )
    }
}
