import Blobs
public import Core
import Logging
import NIOCore
import Store
public import Wire

/// What is known of a revision's content.
public struct ContentFacts: Sendable {
    public var card: Card?
    /// Of all `.safetensors` files in the root folder, by type.
    public var parameters: [String: Int64] = [:]
    /// What a release of training data was made of, in short, as whoever committed it says.
    public var lineage: ReleaseLineage?

    public init() {}

    /// Adds a file's counts. They are its own word: so many that no sum holds them count as the most there is.
    fileprivate mutating func add(parameters counts: [(key: String, value: JSON)]) {
        for (type, count) in counts {
            let (sum, isOver) = parameters[type, default: 0]
                .addingReportingOverflow(max(0, count.integerValue ?? 0))
            parameters[type] = isOver ? .max : sum
        }
    }

    /// How many numbers the weights are.
    public var parameterCount: Int64 {
        parameters.values.reduce(0) { sum, count in
            let (sum, isOver) = sum.addingReportingOverflow(count)
            return isOver ? .max : sum
        }
    }
}

extension Repositories {
    private static let cardKind = "card"
    private static let parametersKind = "safetensors"
    private static let lineageKind = "release-lineage"
    /// What finds the facts; to be counted up when it finds more.
    private static let tool = "onepoint/1"
    private static let weightsSuffix = ".safetensors"
    /// So many files are looked into at most.
    private static let weightFilesMax = 256

    /// What is known of a revision's content. What nobody has noted yet is found out now.
    ///
    /// The caller's right to see the repository was checked before.
    public func facts(about revision: Revision, of repository: Repository) async throws -> ContentFacts {
        try await gather(revision, repository).facts
    }

    /// Notes what can be found out about a new revision. Costs a look at the files' heads, once for each file.
    ///
    /// Facts help to search; a commit stands without them, so what goes wrong here is only logged.
    public func noteFacts(about revision: Revision, of repository: Repository, _ caller: Principal?) async {
        do {
            let (facts, fresh) = try await gather(revision, repository)
            guard !fresh.isEmpty else { return }
            let now = now()
            try await write { tx in
                guard try tx.repository(repository.id) != nil else { return }
                for fact in fresh { try tx.append(.factNoted(fact), about: repository, caller, at: now) }
                guard let lineage = facts.lineage, fresh.contains(where: { $0.kind == Self.lineageKind }) else {
                    return
                }
                let made = try Self.madeOf(lineage, revision, of: repository, tool: Self.tool, caller, tx)
                // Members of a source's project read its events, and need not see the release.
                for fact in made { try tx.append(.factNoted(fact), about: repository, caller, at: now) }
            }
        } catch {
            log.info(
                "facts about a revision not noted",
                metadata: ["repository.id": "\(repository.id)", "error": "\(error)"]
            )
        }
    }

    /// The facts that were noted, and the files that nobody has looked into yet.
    private struct Noted: Sendable {
        var facts = ContentFacts()
        var unreadCard: Digest?
        var unreadWeights: [Digest] = []
        var unreadLineage: Digest?
    }

    private static let lineageNames = ReleaseLineage.path.split(separator: "/")

    /// - Parameter isWhole: Without it only the card is looked at, as in lists.
    private static func noted(
        _ revision: Revision,
        of repository: RepositoryID,
        isWhole: Bool,
        _ tx: ReadTransaction
    ) throws -> Noted {
        var noted = Noted()
        func fact(_ kind: String, _ digest: Digest) throws -> JSON? {
            try tx.facts(about: "\(digest)", in: repository).first { $0.kind == kind }
                .flatMap { try? JSON(parsing: $0.value.utf8) }
        }
        if let readme = try tx.entry("README.md", of: revision.tree)?.digest {
            switch try fact(cardKind, readme) {
            case let value?: noted.facts.card = value.kind == "an object" ? Card(metadata: value) : nil
            case nil: noted.unreadCard = readme
            }
        }
        guard isWhole else { return noted }
        if let lineage = try tx.entry(at: lineageNames, from: revision.tree)?.digest {
            switch try fact(lineageKind, lineage) {
            case let value?: noted.facts.lineage = try? value.decode(ReleaseLineage.self)
            case nil: noted.unreadLineage = lineage
            }
        }
        for entry in try tx.entries(of: revision.tree, ending: weightsSuffix, limit: weightFilesMax) {
            guard let digest = entry.digest else { continue }
            switch try fact(parametersKind, digest) {
            case .object(let counts)?: noted.facts.add(parameters: counts)
            case _?: break
            case nil: noted.unreadWeights.append(digest)
            }
        }
        return noted
    }

    private func gather(
        _ revision: Revision,
        _ repository: Repository
    ) async throws -> (facts: ContentFacts, fresh: [Event.FactNoted]) {
        let noted = try await store.read { tx in
            try Self.noted(revision, of: repository.id, isWhole: true, tx)
        }
        var facts = noted.facts
        var fresh: [Event.FactNoted] = []
        func note(_ kind: String, _ digest: Digest, _ value: JSON) {
            fresh.append(
                .init(
                    repository: repository.id,
                    subject: "\(digest)",
                    kind: kind,
                    value: value.text,
                    tool: Self.tool
                )
            )
        }
        if let readme = noted.unreadCard {
            facts.card = try await card(readme)
            note(Self.cardKind, readme, facts.card?.metadata ?? .null)
        }
        for digest in noted.unreadWeights {
            guard let blob = try? await blobs.open(digest) else { continue }
            let found = try await Safetensors(blob)?.parameters ?? [:]
            let counts = found.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.integer($0.value)) }
            facts.add(parameters: counts)
            note(Self.parametersKind, digest, .object(counts))
        }
        if let file = noted.unreadLineage {
            facts.lineage = await lineage(file)
            note(Self.lineageKind, file, facts.lineage.flatMap { try? JSON(encoding: $0) } ?? .null)
        }
        return (facts, fresh)
    }

    /// `nil` for a file that is too large, or none that we know.
    private func lineage(_ digest: Digest) async -> ReleaseLineage? {
        guard let blob = try? await blobs.open(digest), blob.size.count <= ReleaseLineage.bytesMax,
            let bytes = try? await blob.read(offset: 0, countMax: ReleaseLineage.bytesMax),
            let lineage = try? JSON(parsing: bytes.readableBytesView).decode(ReleaseLineage.self)
        else { return nil }
        return lineage.summary
    }

    private func card(_ digest: Digest) async throws -> Card? {
        guard let blob = try? await blobs.open(digest) else { return nil }
        let bytes = try await blob.read(offset: 0, countMax: Card.bytesMax)
        // Whoever wrote a head that is none is told so when they upload it.
        return try? Card(readme: bytes.readableBytesView)
    }

    // MARK: Search

    /// What to look for.
    public struct Search: Sendable {
        public var text: String?
        public var project: ProjectName?
        public var kind: RepositoryKind?
        /// All of them.
        public var tags: [String] = []
        public var gating: Gating?
        /// Only what is a release of training data where its branch `main` stands.
        public var isRelease = false
        /// How many numbers a model has.
        public var parameters: ClosedRange<Int64>?
        public var order = Order.lastChanged
        /// Where the last page ended.
        public var after: SearchPosition?
        public var limit = 100
        public init() {}

        public enum Order: Sendable {
            /// Those that changed last first.
            case lastChanged
            case newest
            /// Those that were downloaded most in the last thirty days first, as far as it was written down.
            case mostDownloaded
        }
    }

    /// One that was found.
    public struct Found: Sendable {
        public var repository: Repository
        public var head: Revision?
        public var facts: ContentFacts
        public var downloads = Downloads()
    }

    /// So many are looked at for one page. What is behind them is on the next one.
    private static let searchedMax = 20_000

    /// The repositories of a shelf that the caller may see and that match.
    ///
    /// - Returns: At most `limit` of them, perhaps none, and where the next page begins; `nil` at the end.
    public func search(
        _ shelf: RepositoryShelf,
        _ search: Search,
        _ caller: Principal?
    ) async throws -> (found: [Found], next: SearchPosition?) {
        let begin = recentBegin
        let order: RepositoryOrder =
            switch search.order {
            case .lastChanged: .lastChanged
            case .newest: .newest
            case .mostDownloaded: .mostDownloaded(since: begin)
            }
        return try await store.read { tx in
            var found: [Found] = []
            var position = search.after
            var searched = 0
            while searched < Self.searchedMax {
                let batch = try tx.repositories(
                    on: shelf,
                    of: search.project,
                    order,
                    before: position.map { ($0.rank, $0.id) },
                    limit: 500
                )
                guard !batch.isEmpty else { return (found, nil) }
                for repository in batch {
                    searched += 1
                    var saved: (recent: Int64, total: Int64)?
                    if search.order == .mostDownloaded { saved = try tx.downloads(of: repository.id, after: begin) }
                    position = SearchPosition(repository, search.order, downloads: saved?.recent ?? 0)
                    let role = try Self.role(of: caller, in: repository.path.project, tx)
                    guard try Self.isVisible(repository, to: caller, role),
                        var match = try Self.match(repository, shelf, search, tx)
                    else { continue }
                    match.downloads = self.downloads(
                        of: repository.id,
                        try saved ?? tx.downloads(of: repository.id, after: begin)
                    )
                    found.append(match)
                    if found.count == search.limit { return (found, position) }
                }
            }
            return (found, position)
        }
    }

    private static func match(
        _ repository: Repository,
        _ shelf: RepositoryShelf,
        _ search: Search,
        _ tx: ReadTransaction
    ) throws -> Found? {
        if let text = search.text, !"\(repository.path)".lowercased().contains(text.lowercased()) { return nil }
        if let kind = search.kind, repository.kind != kind { return nil }
        if let gating = search.gating, repository.gating != gating { return nil }
        var found = Found(repository: repository, head: nil, facts: ContentFacts())
        let head = try resolve(ReferenceName.main.name, of: repository.id, tx)
        if search.isRelease {
            guard let head, try isRelease(head, tx) else { return nil }
        }
        if let head {
            found.head = head
            let isWhole = search.parameters != nil
            found.facts = try noted(head, of: repository.id, isWhole: isWhole, tx).facts
        }
        if let range = search.parameters {
            guard !found.facts.parameters.isEmpty, range.contains(found.facts.parameterCount) else { return nil }
        }
        let tags = Set(found.facts.card?.tags(on: shelf) ?? [])
        return search.tags.allSatisfy(tags.contains) ? found : nil
    }
}

/// Where a list of repositories goes on, whatever became of the last one on the page.
public struct SearchPosition: Hashable, Sendable, LosslessStringConvertible {
    /// What the list is ordered by: milliseconds since 1970, or downloads.
    let rank: Int64
    let id: RepositoryID

    init(_ repository: Repository, _ order: Repositories.Search.Order, downloads: Int64) {
        id = repository.id
        rank =
            switch order {
            case .lastChanged: repository.updatedAt.milliseconds
            case .newest: repository.createdAt.milliseconds
            case .mostDownloaded: downloads
            }
    }

    public init?(_ text: String) {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let rank = Int64(parts[0]), let id = RepositoryID(String(parts[1])) else {
            return nil
        }
        (self.rank, self.id) = (rank, id)
    }

    public var description: String { "\(rank).\(id)" }
}
