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

    public init() {}
}

extension Repositories {
    private static let cardKind = "card"
    private static let parametersKind = "safetensors"
    /// What finds the facts; to be counted up when it finds more.
    private static let tool = "onepoint/1"
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
            let fresh = try await gather(revision, repository).fresh
            guard !fresh.isEmpty else { return }
            let now = now()
            try await write { tx in
                guard try tx.repository(repository.id) != nil else { return }
                for fact in fresh { try tx.append(.factNoted(fact), about: repository, caller, at: now) }
            }
        } catch {
            log.info(
                "facts about a revision not noted",
                metadata: ["repository.id": "\(repository.id)", "error": "\(error)"]
            )
        }
    }

    private func gather(
        _ revision: Revision,
        _ repository: Repository
    ) async throws -> (facts: ContentFacts, fresh: [Event.FactNoted]) {
        let (known, readme, weights) = try await store.read { tx in
            let readme = try tx.entry("README.md", of: revision.tree).flatMap { $0.digest }
            let weights = try tx.entries(of: revision.tree).filter {
                $0.kind != .folder && $0.name.hasSuffix(".safetensors")
            }.prefix(Self.weightFilesMax).compactMap(\.digest)
            var known: [Digest: [Event.FactNoted]] = [:]
            for digest in weights + [readme].compactMap({ $0 }) {
                known[digest] = try tx.facts(about: "\(digest)", in: repository.id)
            }
            return (known, readme, weights)
        }
        func noted(_ kind: String, _ digest: Digest) -> JSON? {
            known[digest]?.first { $0.kind == kind }.flatMap { try? JSON(parsing: $0.value.utf8) }
        }
        func fact(_ kind: String, _ digest: Digest, _ value: JSON) -> Event.FactNoted {
            .init(
                repository: repository.id,
                subject: "\(digest)",
                kind: kind,
                value: value.text,
                tool: Self.tool
            )
        }
        var facts = ContentFacts()
        var fresh: [Event.FactNoted] = []
        if let readme {
            if let value = noted(Self.cardKind, readme) {
                facts.card = value.kind == "an object" ? Card(metadata: value) : nil
            } else {
                facts.card = try await card(readme)
                fresh.append(fact(Self.cardKind, readme, facts.card?.metadata ?? .null))
            }
        }
        for digest in weights {
            var value = noted(Self.parametersKind, digest)
            if value == nil, let blob = try? await blobs.open(digest) {
                let found = try await Safetensors(blob)?.parameters ?? [:]
                let members = found.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.integer($0.value)) }
                value = .object(members)
                fresh.append(fact(Self.parametersKind, digest, .object(members)))
            }
            guard case .object(let members)? = value else { continue }
            for (type, count) in members {
                facts.parameters[type] =
                    facts.parameters[type, default: 0].addingReportingOverflow(count.integerValue ?? 0).partialValue
            }
        }
        return (facts, fresh)
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
        public enum Order: Sendable { case lastChanged, newest }
        public var text: String?
        public var project: String?
        public var kind: RepositoryKind?
        /// All of them.
        public var tags: [String] = []
        public var gating: Gating?
        /// How many numbers a model has.
        public var parameters: ClosedRange<Int64>?
        public var order = Order.lastChanged
        /// Where the last page ended.
        public var after: RepositoryID?
        public var limit = 100
        public init() {}
    }

    /// One that was found.
    public struct Found: Sendable {
        public var repository: Repository
        public var head: Revision?
        public var card: Card?
        public var parameters: [String: Int64]
    }

    /// So many are looked at for one page.
    private static let searchedMax = 20_000

    /// The repositories of a shelf that the caller may see and that match.
    ///
    /// - Returns: At most `limit` of them, and where the next page begins.
    public func search(
        _ shelf: RepositoryShelf,
        _ search: Search,
        _ caller: Principal?
    ) async throws -> (found: [Found], next: RepositoryID?) {
        try await store.read { tx in
            var candidates: [Repository] = []
            if search.order == .newest {
                var last: RepositoryID?
                while candidates.count < Self.searchedMax {
                    let batch = try tx.repositories(after: last, limit: 1000)
                    guard let end = batch.last else { break }
                    candidates += batch.filter { $0.kind.shelf == shelf }
                    last = end.id
                }
                candidates.reverse()
            }
            var before: (updatedAt: Instant, id: RepositoryID)?
            if let after = search.after, let repository = try tx.repository(after) {
                before = (repository.updatedAt, repository.id)
                if search.order == .newest { candidates = candidates.filter { $0.id < after } }
            }
            var found: [Found] = []
            var searched = 0
            while searched < Self.searchedMax {
                if search.order == .lastChanged {
                    candidates = try tx.repositories(on: shelf, before: before, limit: 500)
                }
                for repository in candidates {
                    searched += 1
                    before = (repository.updatedAt, repository.id)
                    guard
                        try Self.isVisible(
                            repository,
                            to: caller,
                            Self.role(of: caller, in: repository.path.project, tx)
                        ),
                        let match = try Self.match(repository, shelf, search, tx)
                    else { continue }
                    found.append(match)
                    if found.count == search.limit { return (found, repository.id) }
                }
                if search.order == .newest || candidates.isEmpty { break }
            }
            return (found, nil)
        }
    }

    private static func match(
        _ repository: Repository,
        _ shelf: RepositoryShelf,
        _ search: Search,
        _ tx: ReadTransaction
    ) throws -> Found? {
        let path = "\(repository.path)"
        if let text = search.text, !path.lowercased().contains(text.lowercased()) { return nil }
        if let project = search.project, repository.path.project.text != project { return nil }
        if let kind = search.kind, repository.kind != kind { return nil }
        if let gating = search.gating, repository.gating != gating { return nil }
        var found = Found(repository: repository, head: nil, card: nil, parameters: [:])
        if let id = try tx.reference(.main, of: repository.id), let head = try tx.revision(id, of: repository.id) {
            found.head = head
            if let readme = try tx.entry("README.md", of: head.tree)?.digest,
                let fact = try tx.facts(about: "\(readme)", in: repository.id).first(where: { $0.kind == cardKind }),
                let value = try? JSON(parsing: fact.value.utf8), case .object = value
            {
                found.card = Card(metadata: value)
            }
            if search.parameters != nil {
                for entry in try tx.entries(of: head.tree) where entry.name.hasSuffix(".safetensors") {
                    guard let digest = entry.digest,
                        let fact = try tx.facts(about: "\(digest)", in: repository.id).first(where: {
                            $0.kind == parametersKind
                        }), case .object(let members)? = try? JSON(parsing: fact.value.utf8)
                    else { continue }
                    for (type, count) in members { found.parameters[type, default: 0] += count.integerValue ?? 0 }
                }
            }
        }
        if let range = search.parameters {
            let total = found.parameters.values.reduce(0, +)
            guard total > 0, range.contains(total) else { return nil }
        }
        let tags = Set(found.card?.tags(on: shelf) ?? [])
        guard search.tags.allSatisfy(tags.contains) else { return nil }
        return found
    }
}
