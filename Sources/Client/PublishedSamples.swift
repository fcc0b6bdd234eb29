import Core
public import Wire

/// What a point keeps of the samples of a release.
public struct PublishedSamples: Sendable {
    /// Each with all verdicts that were given on it, in their order.
    public let samples: [(view: SampleView, verdicts: [VerdictView])]

    /// Fetches them.
    ///
    /// - Parameters:
    ///   - dataset: Project and name, such as `demo/corpus`.
    ///   - revision: A branch, a tag or a commit.
    ///   - url: Of the point; the one of `onepoint login` or `ONEPOINT_URL` when it is left out.
    /// - Throws: ``Failure``: the point's own problem, or `unavailable` when it cannot be reached.
    public init(of dataset: String, revision: String, url: String?) async throws {
        let credentials = try Credentials.find(url: url, environment: ClientContext.current.environment)
        samples = try await PointClient.with(credentials) { client in
            let text = dataset.hasPrefix("datasets/") ? dataset : "datasets/\(dataset)"
            let base = RepoCommand.path(try await RepoCommand.find(text, client)) + "/samples"
            let views: [SampleView] = try WireJSON.decode(from: try await client.get(base, [("revision", revision)]))
            var samples: [(SampleView, [VerdictView])] = []
            for view in views {
                var verdicts: [VerdictView] = []
                var next: String?
                repeat {
                    let page: Page<VerdictView> = try WireJSON.decode(
                        from: try await client.get(
                            "\(base)/\(view.purpose)/verdicts",
                            [("revision", revision), ("cursor", next), ("limit", "500")]
                        )
                    )
                    verdicts += page.items
                    next = page.next
                } while next != nil
                samples.append((view, verdicts))
            }
            return samples
        }
    }
}
