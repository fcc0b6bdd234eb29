import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Wire

/// The large files of a repository's whole history: listing them, removing them for good, having them in another one.
extension HubFace {
    private static let largeFilesPageMax = 10_000
    private static let removedMax = 1000

    func largeFiles(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        guard target.rest.isEmpty else { throw Self.unknownRoute }
        let cursor = try call.query("cursor").map { text in
            guard let digest = Digest(hex: text) else { throw Failure(.malformed, "The cursor is not one of ours.") }
            return digest
        }
        let limit = call.query("limit").flatMap { Int($0) } ?? Self.largeFilesPageMax
        let (files, hasMore) = try await repositories.largeFiles(
            of: target.shelf,
            target.path,
            after: cursor,
            limit: min(max(limit, 1), Self.largeFilesPageMax),
            call.caller
        )
        let list = files.map { file in
            JSON.members([
                "fileOid": .string(file.digest.hex), "oid": .string(file.digest.hex), "filename": .string(file.path),
                "pushedAt": .string(file.at.rfc3339), "size": .integer(file.size.count),
                "ref": file.reference.map { .string($0.kind == .pullRequest ? "refs/\($0)" : $0.name) } ?? .null,
            ])
        }
        let last = hasMore ? files.last : nil
        return call.answer(.array(list), headers: last.map { [.link: call.pageLink(cursor: $0.digest.hex)] } ?? [:])
    }

    func changeLargeFiles(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        switch target.rest {
        case ["batch"]: try await removeLargeFiles(call, target)
        case ["duplicate"]: try await copyLargeFiles(call, target)
        default: throw Self.unknownRoute
        }
    }

    /// `POST …/lfs-files/batch`. What is in a revision is here: a history with pointers to bytes that are gone is not made.
    private func removeLargeFiles(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        guard let deletions = try await call.json()["deletions"], let names = deletions["sha"]?.arrayValue,
            names.count <= Self.removedMax
        else { throw Failure(.invalid, "'deletions' must have 'sha', a list of at most \(Self.removedMax).") }
        guard deletions["rewriteHistory"]?.boolValue ?? true else {
            throw Failure(
                .invalid,
                "Large files are removed here together with the pointers to them, never without: ask with"
                    + " 'rewriteHistory'."
            )
        }
        let digests = try names.map { name in
            guard let digest = name.stringValue.flatMap({ Digest(hex: $0) }) else {
                throw Failure(.invalid, "'sha' must hold SHA-256 of 64 digits, as the list of large files has them.")
            }
            return digest
        }
        try await repositories.removeForGood(Set(digests), from: target.shelf, target.path, call.caller)
        return call.done
    }

    /// `POST …/lfs-files/duplicate`, before a commit to another repository that names the files.
    private func copyLargeFiles(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let body = try await call.json()
        guard let files = body["files"]?.arrayValue, files.count <= Repositories.copiedFilesMax else {
            throw Failure(.invalid, "'files' must be a list of at most \(Repositories.copiedFilesMax).")
        }
        guard let path = body["target"]?["name"]?.stringValue.flatMap({ RepositoryPath($0) }) else {
            throw Failure(.invalid, "'target' must have 'type' and 'name', which is 'project/name'.")
        }
        let shelf = try Self.shelf(body["target"]?["type"]?.stringValue)
        let digests = try files.map { file in
            guard let digest = Digest(hex: file["sha256"]?.stringValue ?? "") else {
                throw Failure(.invalid, "'sha256' of a file must be its 64 digits.")
            }
            return digest
        }
        let missing = try await repositories.copyFiles(
            digests,
            from: (target.shelf, target.path),
            into: (shelf, path),
            call.caller
        )
        let failed = missing.map {
            JSON.members(["sha256": .string($0.hex), "error": .string("It is not in '\(target.path)'.")])
        }
        return call.answer(.members(["failed": .array(failed)]))
    }
}
