import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Wire

/// References, history and discussions of a repository.
extension HubFace {
    private static let commitsPageMax = 100

    func refs(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let references = try await repositories.references(target.shelf, target.path, call.caller)
        func list(_ kind: ReferenceName.Kind, _ folder: String) -> JSON {
            .array(
                references.filter { $0.name.kind == kind }.map {
                    .members([
                        "name": .string(kind == .pullRequest ? "refs/pr/\($0.name.name)" : $0.name.name),
                        "ref": .string("refs/\(folder)/\($0.name.name)"),
                        "targetCommit": .string($0.revision.text),
                    ])
                }
            )
        }
        return call.answer(
            .members([
                "branches": list(.branch, "heads"), "converts": .array([]), "tags": list(.tag, "tags"),
                "pullRequests": call.flag("include_prs") ? list(.pullRequest, "pr") : nil,
            ])
        )
    }

    func commits(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let address = RevisionAddress(target.shelf, target.path, target.rest.first ?? "main")
        let limit = min(max(call.query("limit").flatMap { Int($0) } ?? 50, 1), Self.commitsPageMax)
        let page = call.query("cursor").flatMap { Int($0) } ?? 0
        guard (0...1_000_000).contains(page) else { throw Failure(.malformed, "The cursor is not one of ours.") }
        let (_, revisions) = try await repositories.history(
            at: address,
            skipping: page,
            limit: limit + 1,
            call.caller
        )
        let list = revisions.prefix(limit).map { revision in
            let rest = revision.message.dropFirst(revision.title.count).drop { $0 == "\n" }
            return JSON.members([
                "id": .string(revision.id.text), "title": .string(revision.title), "message": .string(String(rest)),
                "authors": .array([.members(["user": .string(revision.author.text), "avatar": ""])]),
                "date": .string(revision.at.rfc3339),
            ])
        }
        let hasMore = revisions.count > limit
        return call.answer(
            .array(list),
            headers: hasMore ? [.link: call.pageLink(cursor: "\(page + limit)")] : [:]
        )
    }

    private static func name(_ kind: ReferenceName.Kind, _ text: String) throws -> ReferenceName {
        guard let name = ReferenceName(kind, text) else {
            throw Failure(.invalid, "'\(text)' is no name for a reference, by git-check-ref-format(1).")
        }
        return name
    }

    func branch(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let name = try Self.name(.branch, target.rest.joined(separator: "/"))
        if call.request.method == .delete {
            try await repositories.remove(name, of: target.shelf, target.path, call.caller)
            return call.done
        }
        let start = try await call.json()["startingPoint"]?.stringValue ?? "main"
        let address = RevisionAddress(target.shelf, target.path, start)
        try await repositories.add(name, at: address, call.caller)
        return call.done
    }

    func tag(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        if call.request.method == .delete {
            let name = try Self.name(.tag, target.rest.joined(separator: "/"))
            try await repositories.remove(name, of: target.shelf, target.path, call.caller)
            return call.done
        }
        let body = try await call.json()
        let name = try Self.name(.tag, body["tag"]?.stringValue ?? "")
        let address = RevisionAddress(target.shelf, target.path, target.rest.joined(separator: "/"))
        try await repositories.add(name, at: address, message: body["message"]?.stringValue, call.caller)
        return call.done
    }

    func squash(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let name = try Self.name(.branch, target.rest.joined(separator: "/"))
        let message = try await call.json()["message"]?.stringValue ?? "Super-squash branch '\(name.name)'"
        let revision = try await repositories.squash(
            name,
            of: target.shelf,
            target.path,
            message: message,
            call.caller
        )
        return call.answer(.members(["commitOid": .string(revision.id.text)]))
    }

    /// The large files of `main`.
    func largeFiles(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let address = RevisionAddress(target.shelf, target.path)
        let page = try await repositories.list(
            at: address,
            isRecursive: true,
            after: call.query("cursor"),
            limit: 1000,
            call.caller
        )
        let list = page.entries.compactMap { placed -> JSON? in
            guard placed.entry.kind == .large, let digest = placed.entry.digest else { return nil }
            return .members([
                "fileOid": .string(placed.entry.oid.text), "filename": .string(placed.path),
                "oid": .string(digest.hex), "pushedAt": .string(page.revision.at.rfc3339), "ref": "main",
                "size": .integer(placed.entry.size.count),
            ])
        }
        let last = page.hasMore ? page.entries.last : nil
        return call.answer(.array(list), headers: last.map { [.link: call.pageLink(cursor: $0.path)] } ?? [:])
    }

    // MARK: Discussions

    func discussions(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        if call.request.method == .post {
            guard target.rest.isEmpty else { throw Self.unknownRoute }
            let body = try await call.json()
            let discussion = try await repositories.open(
                body["title"]?.stringValue ?? "",
                body["description"]?.stringValue ?? "",
                isPullRequest: body["pullRequest"]?.boolValue ?? false,
                in: target.shelf,
                target.path,
                call.caller
            )
            return call.answer(Self.describe(discussion, target))
        }
        guard let text = target.rest.first else {
            let all = try await repositories.discussions(in: target.shelf, target.path, call.caller)
            let wanted = call.query("type")
            let list = all.filter {
                wanted == nil || wanted == "all" || (wanted == "pull_request") == $0.isPullRequest
            }
            return call.answer(
                .members([
                    "discussions": .array(list.map { Self.describe($0, target) }), "start": 0,
                    "count": .integer(Int64(list.count)),
                ])
            )
        }
        guard let number = Int(text) else { throw Self.unknownRoute }
        let discussion = try await repositories.discussion(number, in: target.shelf, target.path, call.caller)
        return call.answer(Self.describe(discussion, target))
    }

    private static func describe(_ discussion: Discussion, _ target: HubTarget) -> JSON {
        let opening = JSON.members([
            "id": .string("\(discussion.number)-0"), "type": "comment",
            "author": .members(["name": .string(discussion.author.text)]),
            "createdAt": .string(discussion.at.rfc3339),
            "data": .members([
                "edited": false, "hidden": false,
                "latest": .members([
                    "raw": .string(discussion.text), "html": "", "updatedAt": .string(discussion.at.rfc3339),
                ]), "history": .array([]),
            ]),
        ])
        let changes = JSON.members(["base": "refs/heads/main"])
        return .members([
            "num": .integer(Int64(discussion.number)), "title": .string(discussion.title),
            "status": .string(discussion.state.rawValue), "isPullRequest": .bool(discussion.isPullRequest),
            "createdAt": .string(discussion.at.rfc3339),
            "author": .members(["name": .string(discussion.author.text)]),
            "repo": .members([
                "name": .string("\(target.path)"), "type": .string(target.shelf == .datasets ? "dataset" : "model"),
            ]), "repoOwner": .members(["name": .string(target.path.project.text)]), "events": .array([opening]),
            "changes": discussion.isPullRequest ? changes : nil,
            "filesWithConflicts": discussion.isPullRequest ? .array([]) : nil,
        ])
    }
}
