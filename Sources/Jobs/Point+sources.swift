public import Core
public import Wire

/// What the point has to know of the repository: what a revision's name means now. Handed over by the executable.
public protocol RevisionSource: Sendable {
    /// Finds a file or folder of a revision and lets the project's jobs read it.
    ///
    /// - Throws: ``Failure`` `notFound` or `forbidden` in words for the caller.
    func pin(
        _ source: RepositorySource,
        for project: ProjectName,
        _ caller: Principal
    ) async throws -> (pin: RevisionPin, digest: Digest, kind: ArtifactKind)
}

extension Point {
    /// Puts bytes in place of what is named by a repository's revision: what was submitted is what runs.
    func resolveSources(
        _ drafts: inout [JobDraft],
        project: ProjectName,
        isWorkflow: Bool,
        _ caller: Principal
    ) async throws {
        var violations: [Violation] = []
        for index in drafts.indices {
            let base = (isWorkflow ? "/jobs/\(index)" : "") + "/inputs/"
            for (name, source) in drafts[index].sources.sorted(by: { $0.key < $1.key }) {
                guard let revisions else {
                    violations.append(Violation(base + name, "names a repository, and this point has none"))
                    continue
                }
                do {
                    let (pin, digest, kind) = try await revisions.pin(source, for: project, caller)
                    drafts[index].spec.inputs.append(
                        JobInput(name: name, source: .artifact(digest, kind), origin: pin)
                    )
                } catch let failure as Failure where failure.code != .internal {
                    violations.append(Violation(base + name, failure.detail))
                }
            }
            drafts[index].sources = [:]
        }
        guard violations.isEmpty else {
            throw Failure(.invalid, "Inputs name what cannot be had from the repository.", violations: violations)
        }
    }
}
