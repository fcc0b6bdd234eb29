public import Core

extension Event {
    /// One of each kind that happens in the repository, with every field set.
    public static let repositorySamples: [Event] = {
        guard let project = ProjectName("demo"), let user = UserName("alice"), let name = RepositoryName("ResNet.v2"),
            let first = GitHash(String(repeating: "1", count: 40)),
            let second = GitHash(String(repeating: "2", count: 40)),
            let digest = Digest(hex: String(repeating: "ab", count: 32))
        else { preconditionFailure("names and hashes are well formed") }
        let at = Instant(milliseconds: 1_790_000_000_000)
        let repository = Repository(
            id: RepositoryID(high: 1, low: 2),
            kind: .algorithm,
            path: RepositoryPath(project: project, name: name),
            visibility: .internal,
            gating: .manual,
            creator: user,
            createdAt: at,
            updatedAt: at
        )
        let id = repository.id
        var copy = repository
        copy.id = RepositoryID(high: 1, low: 3)
        let revision = Revision(
            id: second,
            tree: first,
            parent: first,
            title: "Add weights",
            message: "Add weights\n\nof the last epoch",
            author: user,
            at: at
        )
        let entries = [
            TreeEntry(name: "weights.bin", kind: .large, oid: first, digest: digest, size: 9),
            TreeEntry(name: "data", kind: .folder, oid: second, digest: nil, size: 0),
        ]
        let manifest = ManifestRecord(
            digest: digest,
            size: 9,
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            artifactType: "application/x",
            subject: "sha256:cd",
            annotations: ["org.example.someKey": "v", "some_key": "w"],
            revision: second
        )
        let discussion = Discussion(
            number: 1,
            title: "t",
            text: "b",
            author: user,
            at: at,
            isPullRequest: true,
            state: .open,
            mergeCommit: second
        )
        let note = DiscussionNote(
            place: 1,
            kind: .title,
            author: user,
            at: at,
            text: "new",
            detail: "old",
            editedAt: at,
            isHidden: true
        )
        return [
            .repositoryCreated(.init(repository: repository)),
            .repositoryChanged(
                .init(repository: id, path: repository.path, kind: .model, visibility: .public, gating: .auto)
            ),
            .repositoryBlobGranted(.init(repository: id, digest: digest, size: 9, aliases: ["sha512:ab"])),
            .revisionCommitted(
                .init(
                    repository: id,
                    revision: revision,
                    folders: [.init(tree: first, base: second, put: entries, removed: ["old"])],
                    reference: .main
                )
            ),
            .referenceSet(.init(repository: id, reference: .main, revision: second, message: "m")),
            .manifestPut(.init(repository: id, manifest: manifest, references: [digest], tags: ["v1", "v2"])),
            .accessSet(.init(repository: id, user: user, state: .accepted)),
            .factNoted(.init(repository: id, subject: "x", kind: "card", value: "{}", tool: "card 1")),
            .discussionSet(.init(repository: id, discussion: discussion)),
            .discussionNoted(.init(repository: id, number: 1, note: note)),
            .downloadsCounted(.init(day: 20_000, counts: [.init(repository: id, downloads: 3)])),
            .repositoryDuplicated(.init(repository: copy, source: id)),
            .publicationSettled(
                .init(
                    job: JobID(high: 3, low: 4),
                    output: "weights",
                    repository: id,
                    revision: second,
                    folder: "epoch-1",
                    detail: "d"
                )
            ),
            .sampleJudged(
                .init(
                    repository: id,
                    root: digest,
                    purpose: "spot-check",
                    place: 7,
                    item: digest,
                    shown: digest,
                    step: "judge",
                    person: user,
                    isGood: false,
                    risks: ["A.1.a"],
                    note: "n",
                    revision: second
                )
            ),
            .tagRemoved(.init(repository: id, tag: "v1")),
            .manifestRemoved(.init(repository: id, digest: digest)),
            .referenceRemoved(.init(repository: id, reference: .main)),
            .revisionsDropped(.init(repository: id, revisions: [second])),
            .repositoryBlobsRevoked(.init(repository: id, digests: [digest])),
            .repositoryRemoved(.init(repository: id)),
        ]
    }()
}
