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
}
