public import Core

extension ReadTransaction {
    /// How often a repository was downloaded after a day, and in all, as far as it was written down.
    public func downloads(of repository: RepositoryID, after day: Int64) throws -> (recent: Int64, total: Int64) {
        let recent = try connection.first(
            "SELECT COALESCE(SUM(downloads), 0) FROM download_day WHERE repository = ? AND day > ?",
            repository,
            day
        ) { $0.integer(0) }
        let total = try connection.first("SELECT downloads FROM download_total WHERE repository = ?", repository) {
            $0.integer(0)
        }
        return (recent ?? 0, total ?? 0)
    }
}

extension WriteTransaction {
    /// Of more than thirty days ago only the sum is kept.
    func apply(_ counted: Event.DownloadsCounted) throws {
        for count in counted.counts {
            try connection.run(
                """
                INSERT INTO download_day (repository, day, downloads) VALUES (?, ?, ?)
                ON CONFLICT (repository, day) DO UPDATE SET downloads = download_day.downloads + excluded.downloads
                """,
                count.repository,
                counted.day,
                count.downloads
            )
            try connection.run(
                """
                INSERT INTO download_total (repository, downloads) VALUES (?, ?)
                ON CONFLICT (repository) DO UPDATE SET downloads = download_total.downloads + excluded.downloads
                """,
                count.repository,
                count.downloads
            )
        }
        try connection.run("DELETE FROM download_day WHERE day <= ?", counted.day - 31)
    }
}
