import Core
import Store
import Wire

/// Which releases of training data were made of a revision. Committers of releases say so, of what they can see; it is
/// noted as facts about that revision.
extension Repositories {
    private static let madeOfKind = "release"
    private static let releasesOfMax = 100

    /// The value of such a fact.
    private struct MadeOf: Codable {
        var repository: RepositoryID
        var revision: GitHash
    }

    /// The facts that a release's lineage gives about the revisions that it names, as far as there are such and the caller
    /// sees them.
    static func madeOf(
        _ lineage: ReleaseLineage,
        _ release: Revision,
        of repository: Repository,
        tool: String,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws -> [Event.FactNoted] {
        let value = try JSON(encoding: MadeOf(repository: repository.id, revision: release.id)).text
        var seen: Set<String> = []
        var facts: [Event.FactNoted] = []
        for source in lineage.sources {
            guard let name = source.repository, let address = RepositoryShelf.address(name),
                let revision = source.revision.flatMap(GitHash.init), seen.insert("\(name)@\(revision)").inserted,
                let found = try tx.repository(address.shelf, address.path), try mayRead(found, caller, tx),
                try tx.revision(revision, of: found.id) != nil
            else { continue }
            facts.append(
                .init(repository: found.id, subject: revision.text, kind: madeOfKind, value: value, tool: tool)
            )
        }
        return facts
    }

    /// The latest first, as far as the caller sees them.
    static func releases(
        madeOf revision: Revision,
        in repository: RepositoryID,
        _ caller: Principal?,
        _ tx: ReadTransaction
    ) throws -> [ReleaseUseView] {
        var seen: Set<String> = []
        let notes = try tx.allFacts(about: revision.id.text, in: repository, madeOfKind, limit: releasesOfMax)
        return try notes.compactMap { note -> ReleaseUseView? in
            guard seen.insert(note).inserted, let made = try? JSON(parsing: note.utf8).decode(MadeOf.self),
                let found = try tx.repository(made.repository),
                try isVisible(found, to: caller, role(of: caller, in: found.path.project, tx)),
                let release = try tx.revision(made.revision, of: found.id)
            else { return nil }
            return ReleaseUseView(
                repository: found.id,
                path: "\(found.kind.shelf.rawValue)/\(found.path)",
                revision: release.id,
                author: release.author,
                at: release.at
            )
        }
    }
}
