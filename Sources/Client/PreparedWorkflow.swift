package import Core
import Wire

/// A workflow that the executable has made itself, with the folders that its jobs read.
package struct PreparedWorkflow: Sendable {
    package var document: JSON
    /// With what the progress of an upload calls each.
    package var parcels: [(what: String, parcel: Parcel)]

    package init(document: JSON, parcels: [(what: String, parcel: Parcel)]) {
        (self.document, self.parcels) = (document, parcels)
    }

    /// Uploads what the project lacks, submits the workflow, says what was made and, if it should, stays with it.
    ///
    /// - Parameters:
    ///   - key: A repeat with the same key and the same document finds what the first made.
    ///   - watches: Whether to return only when it is over.
    /// - Throws: ``Failure``; ``QuietExit`` when what was watched came to nothing.
    package func submit(
        to project: String,
        key: String,
        watches: Bool,
        _ client: PointClient,
        _ point: PointOptions
    ) async throws {
        let uploader = Uploader(client: client, project: project)
        for (what, parcel) in parcels { try await uploader.upload(parcel, as: what) }
        let answer = try await client.submit(document, key: key)
        let made: SubmissionView = try WireJSON.decode(from: answer)
        try point.show(answer, as: SubmissionView.self) { view in
            terminal.print(view.sentence)
            if let workflow = view.workflow, !watches {
                terminal.print(
                    "'onepoint workflow watch \(workflow)' follows it; 'onepoint why' tells what a part waits for."
                )
            }
        }
        if watches { try await Watcher(client: client).watch(made) }
    }
}

extension PointClient {
    /// The commit that a branch or tag of a repository means now; what is neither is given back as it is.
    ///
    /// - Parameter repository: Such as `datasets/demo/pages`.
    package func commit(of revision: String, in repository: String) async throws -> String {
        let id = try await RepoCommand.find(repository, self)
        let detail: RepositoryDetail = try WireJSON.decode(from: try await get(RepoCommand.path(id)))
        for kind in ["heads", "tags"] {
            if let found = detail.references.first(where: { "\($0.name)" == "\(kind)/\(revision)" }) {
                return "\(found.revision)"
            }
        }
        return revision
    }
}
