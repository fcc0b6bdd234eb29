import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Wire

/// Discussions and pull requests.
extension HubFace {
    /// `GET …/discussions` and `…/discussions/{number}`
    func discussions(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        guard let text = target.rest.first else {
            let all = try await repositories.discussions(in: target.shelf, target.path, call.caller)
            let wanted = all.filter { discussion in
                let isWanted =
                    switch call.query("type") {
                    case "pull_request": discussion.isPullRequest
                    case "discussion": !discussion.isPullRequest
                    default: true
                    }
                let isOpen = discussion.state == .open || discussion.state == .draft
                let isInState =
                    switch call.query("status") {
                    case "open": isOpen
                    case "closed": !isOpen
                    default: true
                    }
                let isTheirs = call.query("author").map { $0 == discussion.author.text } ?? true
                return isWanted && isInState && isTheirs
            }
            return call.answer(
                .members([
                    "discussions": .array(wanted.map { .members(Self.describe($0, target)) }), "start": 0,
                    "count": .integer(Int64(wanted.count)),
                ])
            )
        }
        guard let number = Int(text), target.rest.count == 1 else { throw Self.unknownRoute }
        let detail = try await repositories.discussion(number, in: target.shelf, target.path, call.caller)
        return call.answer(Self.describe(detail, target))
    }

    /// `POST …/discussions`, and everything that is done in one of them.
    func changeDiscussion(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let body = try await call.json()
        let (shelf, path) = (target.shelf, target.path)
        func text(_ key: String) throws -> String {
            guard let text = body[key]?.stringValue else { throw Failure(.invalid, "'\(key)' is missing.") }
            return text
        }
        guard let first = target.rest.first else {
            let discussion = try await repositories.open(
                try text("title"),
                body["description"]?.stringValue ?? "",
                isPullRequest: body["pullRequest"]?.boolValue ?? false,
                in: shelf,
                path,
                call.caller
            )
            return call.answer(.members(Self.describe(discussion, target)))
        }
        guard let number = Int(first) else { throw Self.unknownRoute }
        func answer(_ key: String, _ note: DiscussionNote) -> Response {
            call.answer(.object([(key: key, value: Self.describe(note, of: number))]))
        }
        switch Array(target.rest.dropFirst()) {
        case ["comment"]:
            let note = try await repositories.comment(
                try text("comment"),
                on: number,
                in: shelf,
                path,
                call.caller
            )
            return answer("newMessage", note)
        case ["title"]:
            let note = try await repositories.rename(number, to: try text("title"), in: shelf, path, call.caller)
            return answer("newTitle", note)
        case ["status"]:
            let status = try text("status")
            guard status == "open" || status == "closed" else {
                throw Failure(.invalid, "'status' must be open or closed.")
            }
            let note = try await repositories.setOpen(
                status == "open",
                number,
                comment: body["comment"]?.stringValue,
                in: shelf,
                path,
                call.caller
            )
            return answer("newStatus", note)
        case ["merge"]:
            let outcome = try await repositories.merge(
                number,
                comment: body["comment"]?.stringValue,
                in: shelf,
                path,
                call.caller
            )
            await repositories.noteFacts(about: outcome.revision, of: outcome.repository, call.caller)
            return call.answer(.members(["mergeCommitId": .string(outcome.revision.id.text)]))
        case let rest where rest.count == 3 && rest[0] == "comment" && (rest[2] == "edit" || rest[2] == "hide"):
            let place = rest[1].split(separator: "-").map { Int($0) }
            guard place.count == 2, place[0] == number, let comment = place[1] else { throw Self.unknownRoute }
            let note = try await repositories.change(
                comment: comment,
                of: number,
                to: rest[2] == "edit" ? try text("content") : nil,
                in: shelf,
                path,
                call.caller
            )
            return answer("updatedComment", note)
        default: throw Self.unknownRoute
        }
    }

    private static func describe(
        _ discussion: Discussion,
        _ target: HubTarget
    ) -> KeyValuePairs<String, JSON?> {
        [
            "num": .integer(Int64(discussion.number)), "title": .string(discussion.title),
            "status": .string(discussion.state.rawValue), "isPullRequest": .bool(discussion.isPullRequest),
            "createdAt": .string(discussion.at.rfc3339),
            "author": .members(["name": .string(discussion.author.text)]),
            "repo": .members([
                "name": .string("\(target.path)"), "type": .string(target.shelf == .datasets ? "dataset" : "model"),
            ]), "repoOwner": .members(["name": .string(target.path.project.text)]),
        ]
    }

    private static func describe(_ detail: Repositories.DiscussionDetail, _ target: HubTarget) -> JSON {
        let discussion = detail.discussion
        var notes = detail.notes
        if notes.first?.place != 0 { notes.insert(discussion.opening, at: 0) }
        var members = describe(discussion, target).compactMap { key, value in value.map { (key: key, value: $0) } }
        members.append((key: "events", value: .array(notes.map { describe($0, of: discussion.number) })))
        if discussion.isPullRequest {
            let changes = JSON.members([
                "base": "refs/heads/main", "mergeCommitId": discussion.mergeCommit.map { .string($0.text) },
            ])
            members.append((key: "changes", value: changes))
            members.append((key: "filesWithConflicts", value: .list(detail.conflicts)))
        }
        return .object(members)
    }

    private static func describe(_ note: DiscussionNote, of number: Int) -> JSON {
        let (type, content): (JSON, JSON) =
            switch note.kind {
            case .comment:
                (
                    "comment",
                    .members([
                        "edited": .bool(note.editedAt != nil), "hidden": .bool(note.isHidden),
                        "latest": .members([
                            "raw": .string(note.text), "html": "",
                            "updatedAt": .string((note.editedAt ?? note.at).rfc3339),
                            "author": .members(["name": .string(note.author.text)]),
                        ]), "history": .array([]),
                    ])
                )
            case .state: ("status-change", .members(["status": .string(note.text)]))
            case .commit:
                ("commit", .members(["subject": .string(note.text), "oid": .string(note.detail ?? "")]))
            case .title:
                ("title-change", .members(["from": .string(note.detail ?? ""), "to": .string(note.text)]))
            }
        return .members([
            "id": .string("\(number)-\(note.place)"), "type": type, "createdAt": .string(note.at.rfc3339),
            "author": .members(["name": .string(note.author.text)]), "data": content,
        ])
    }
}
