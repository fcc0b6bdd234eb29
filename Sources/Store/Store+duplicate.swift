import Core

extension WriteTransaction {
    /// Rows are copied inside the database, so that a repository of a million files is one small event. Folders are
    /// shared by all repositories. Pull requests, requests for access and verdicts stay with the source.
    func apply(_ duplicated: Event.RepositoryDuplicated) throws {
        let (id, source) = (duplicated.repository.id, duplicated.source)
        try apply(Event.RepositoryCreated(repository: duplicated.repository))
        try connection.run(
            """
            INSERT INTO repository_blob (repository, digest, size)
            SELECT ?, digest, size FROM repository_blob WHERE repository = ?
            """,
            id,
            source
        )
        try hold(try bytes(of: id).count, in: id)
        try connection.run(
            """
            INSERT INTO reference (repository, name, revision, message)
            SELECT ?, name, revision, message FROM reference WHERE repository = ? AND SUBSTR(name, 1, 3) <> 'pr/'
            """,
            id,
            source
        )
        try connection.run(
            """
            INSERT INTO manifest (
                repository, digest, size, media_type, artifact_type, subject, annotations, revision
            )
            SELECT ?, digest, size, media_type, artifact_type, subject, annotations, revision
            FROM manifest WHERE repository = ?
            """,
            id,
            source
        )
        try connection.run(
            """
            INSERT INTO manifest_reference (repository, manifest, digest)
            SELECT ?, manifest, digest FROM manifest_reference WHERE repository = ?
            """,
            id,
            source
        )
        try connection.run(
            "INSERT INTO oci_tag (repository, name, digest) SELECT ?, name, digest FROM oci_tag WHERE repository = ?",
            id,
            source
        )
        try connection.run(
            """
            WITH RECURSIVE line (id) AS (
                SELECT revision FROM reference WHERE repository = ?
                UNION
                SELECT revision FROM manifest WHERE repository = ? AND revision IS NOT NULL
                UNION
                SELECT r.parent FROM line JOIN revision r ON r.repository = ? AND r.id = line.id
                WHERE r.parent IS NOT NULL
            )
            INSERT INTO revision (repository, id, sequence, tree, parent, title, message, author, at)
            SELECT ?, id, sequence, tree, parent, title, message, author, at
            FROM revision WHERE repository = ? AND id IN (SELECT id FROM line)
            """,
            id,
            id,
            source,
            id,
            source
        )
        try connection.run(
            """
            INSERT INTO fact (repository, subject, kind, sequence, value, tool, at)
            SELECT ?, subject, kind, sequence, value, tool, at FROM fact WHERE repository = ?
            """,
            id,
            source
        )
    }
}
