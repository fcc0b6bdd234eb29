import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import Wire

/// A repository's address and what is asked of it: `models/demo/resnet/tree/main/data`.
struct HubTarget: Sendable {
    let shelf: RepositoryShelf
    let path: RepositoryPath
    /// Such as `tree`; `nil` for the repository itself.
    let action: String?
    let rest: [String]

    static let actions: Set<String> = [
        "revision", "tree", "paths-info", "preupload", "commit", "commits", "refs", "branch", "tag", "settings",
        "auth-check", "xet-write-token", "xet-read-token", "super-squash", "lfs-files", "discussions",
        "user-access-request", "safetensors-metadata", "resolve", "raw", "info", "ask-access", "duplicate",
    ]
}

extension HubFace {
    /// What a request is about. A repository named without a project is in the caller's own.
    func target(_ call: HubCall, _ path: ArraySlice<String>, on shelf: RepositoryShelf) async throws -> HubTarget {
        let names = Array(path)
        func isAction(_ place: Int) -> Bool { names.count > place && HubTarget.actions.contains(names[place]) }
        // A second name that is an action is one unless a third is: 'demo/tree/tree/main' has a repository 'tree'.
        let isShort = names.count == 1 || (isAction(1) && !isAction(2))
        let unknown = Failure(.notFound, "There is no repository '\(names.prefix(2).joined(separator: "/"))'.")
        var name = isShort ? names.first : names.dropFirst().first
        // git-lfs asks at the address of the git repository.
        if let text = name, text.hasSuffix(".git") { name = String(text.dropLast(4)) }
        guard let name = name.flatMap({ RepositoryName($0) }) else { throw unknown }
        let project: ProjectName
        if isShort {
            guard call.caller != nil else { throw unknown }
            project = try await repositories.defaultProject(call.caller)
        } else {
            guard let first = names.first.flatMap({ ProjectName($0) }) else { throw unknown }
            project = first
        }
        let rest = names.dropFirst(isShort ? 1 : 2)
        return HubTarget(
            shelf: shelf,
            path: RepositoryPath(project: project, name: name),
            action: rest.first,
            rest: Array(rest.dropFirst())
        )
    }

    /// Everything below `/api/models/` and `/api/datasets/`.
    func repositoryRoute(_ call: HubCall) async throws -> Response {
        let shelf: RepositoryShelf = call.path[1] == "datasets" ? .datasets : .models
        let target = try await target(call, call.path.dropFirst(2), on: shelf)
        switch (call.request.method == .head ? .get : call.request.method, target.action) {
        case (.get, nil), (.get, "revision"): return try await info(call, target)
        case (.get, "tree"): return try await tree(call, target)
        case (.post, "paths-info"): return try await pathsInfo(call, target)
        case (.post, "preupload"): return try await preupload(call, target)
        case (.post, "commit"): return try await commit(call, target)
        case (.get, "commits"): return try await commits(call, target)
        case (.get, "refs"): return try await refs(call, target)
        case (.post, "branch"), (.delete, "branch"): return try await branch(call, target)
        case (.post, "tag"), (.delete, "tag"): return try await tag(call, target)
        case (.post, "super-squash"): return try await squash(call, target)
        case (.put, "settings"): return try await settings(call, target)
        case (.get, "auth-check"): return try await authCheck(call, target)
        case (.get, "lfs-files"): return try await largeFiles(call, target)
        case (.post, "lfs-files"): return try await changeLargeFiles(call, target)
        case (.post, "duplicate"): return try await duplicate(call, target)
        case (.get, "discussions"): return try await discussions(call, target)
        case (.post, "discussions"): return try await changeDiscussion(call, target)
        case (_, "user-access-request"): return try await accessRequests(call, target)
        case (.get, "safetensors-metadata"): return try await safetensors(call, target)
        case (.get, "xet-write-token"): return try await xetToken(call, target, .write)
        case (.get, "xet-read-token"): return try await xetToken(call, target, .read)
        default: throw Self.unknownRoute
        }
    }

    static let unknownRoute = Failure(
        .notFound,
        "Sorry, there is nothing at this address.",
        note: Repositories.entryNote
    )

    // MARK: Making and removing

    func whoAmI(_ call: HubCall) async throws -> Response {
        let caller = try call.caller.unwrapped()
        let projects = try await repositories.projects(of: caller)
        let orgs = projects.map { project, role in
            JSON.members([
                "type": "org", "id": .string(project.text), "name": .string(project.text),
                "fullname": .string(project.text), "isEnterprise": false, "canPay": false,
                "roleInOrg": .string(role == .owner ? "admin" : role == .member ? "write" : "read"),
            ])
        }
        let isWriting = caller.scopes.contains(.write)
        return call.answer(
            .members([
                "type": "user", "id": .string(caller.user.text), "name": .string(caller.user.text),
                "fullname": .string(caller.user.text), "email": .null, "emailVerified": false, "canPay": false,
                "isPro": false, "periodEnd": .null, "avatarUrl": "", "orgs": .array(orgs),
                "auth": .members([
                    "type": "access_token",
                    "accessToken": .members([
                        "displayName": "token", "role": .string(isWriting ? "write" : "read"),
                        "createdAt": "1970-01-01T00:00:00.000Z",
                    ]),
                ]),
            ])
        )
    }

    /// The repository that a body names by `name` and `organization`, or by `name` alone.
    private func named(_ body: JSON, _ call: HubCall) async throws -> (shelf: RepositoryShelf, path: RepositoryPath) {
        let shelf = try Self.shelf(body["type"]?.stringValue)
        guard let text = body["name"]?.stringValue else { throw Failure(.invalid, "'name' is missing.") }
        if let path = RepositoryPath(text) { return (shelf, path) }
        guard let name = RepositoryName(text) else {
            throw Failure(.invalid, "'\(text)' is no name for a repository: \(RepositoryName.rule).")
        }
        guard let organization = body["organization"]?.stringValue else {
            return (shelf, RepositoryPath(project: try await repositories.defaultProject(call.caller), name: name))
        }
        guard let project = ProjectName(organization) else {
            throw Failure(.notFound, "There is no project '\(organization)' that you can see.")
        }
        return (shelf, RepositoryPath(project: project, name: name))
    }

    static func shelf(_ type: String?) throws -> RepositoryShelf {
        switch type {
        case nil, "model", "models": .models
        case "dataset", "datasets": .datasets
        case let type?: throw Failure(.invalid, "There are no repositories of type '\(type)' here.")
        }
    }

    func create(_ call: HubCall) async throws -> Response {
        let body = try await call.json()
        let (shelf, path) = try await named(body, call)
        // Old clients send 'private: false' when nobody said anything, so it opens the repository no further than to
        // those who are signed in.
        let visibility = try Self.visibility(body, openedTo: .internal) ?? .private
        do {
            let repository = try await repositories.begin(shelf.kind, path, visibility: visibility, call.caller)
            return Self.made(shelf, repository.path, call)
        } catch let failure as Failure where failure.code == .conflict {
            return Self.made(shelf, path, call, error: "You already created this model repo")
        }
    }

    /// A repository that was made, or is there already; clients read the same of both.
    private static func made(
        _ shelf: RepositoryShelf,
        _ path: RepositoryPath,
        _ call: HubCall,
        error: String? = nil
    ) -> Response {
        let url = "\(call.origin)\(shelf == .datasets ? "/datasets" : "")/\(path)"
        return call.answer(
            .members([
                "url": .string(url), "name": .string("\(path)"), "id": .string("\(path)"),
                "filesCopyPending": false, "error": error.map { .string($0) },
            ]),
            status: error == nil ? .ok : .conflict
        )
    }

    /// `POST /api/models/{repository}/duplicate`. Clients that were told no namespace name the caller: that is the project
    /// which a name without one is in.
    func duplicate(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let body = try await call.json()
        let caller = try call.caller.unwrapped()
        guard var path = body["repository"]?.stringValue.flatMap({ RepositoryPath($0) }) else {
            throw Failure(.invalid, "'repository' must be 'project/name'.")
        }
        if path.project.text == caller.user.text,
            try await !repositories.projects(of: caller).contains(where: { $0.project == path.project })
        {
            path.project = try await repositories.defaultProject(caller)
        }
        do {
            let repository = try await repositories.duplicate(
                target.shelf,
                target.path,
                as: path,
                visibility: try Self.visibility(body, openedTo: .public),
                caller
            )
            return Self.made(target.shelf, repository.path, call)
        } catch let failure as Failure where failure.code == .conflict {
            return Self.made(target.shelf, path, call, error: failure.detail)
        }
    }

    /// Who is to see a repository, in the words of new clients or of old ones; `nil` where nothing is said.
    ///
    /// - Parameter open: What `private: false` means.
    private static func visibility(_ body: JSON, openedTo open: Visibility) throws -> Visibility? {
        guard let text = body["visibility"]?.stringValue else {
            return body["private"]?.boolValue.map { $0 ? .private : open }
        }
        guard let visibility = Visibility(rawValue: text) else {
            throw Failure(.invalid, "'visibility' must be private, internal or public.")
        }
        return visibility
    }

    func delete(_ call: HubCall) async throws -> Response {
        let (shelf, path) = try await named(try await call.json(), call)
        try await repositories.remove(shelf, path, call.caller)
        return call.done
    }

    func move(_ call: HubCall) async throws -> Response {
        let body = try await call.json()
        guard let from = body["fromRepo"]?.stringValue.flatMap({ RepositoryPath($0) }),
            let to = body["toRepo"]?.stringValue.flatMap({ RepositoryPath($0) })
        else { throw Failure(.invalid, "'fromRepo' and 'toRepo' must be 'project/name'.") }
        let shelf = try Self.shelf(body["type"]?.stringValue)
        _ = try await repositories.move(shelf, from: from, to: to, call.caller)
        return call.done
    }

    func settings(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let body = try await call.json()
        let visibility = try Self.visibility(body, openedTo: .public)
        let gating: Gating? =
            switch body["gated"] {
            case .string("auto"): .auto
            case .string("manual"): .manual
            case .bool(false): Gating.none
            case nil, .null?: nil
            case _?: throw Failure(.invalid, "'gated' must be auto, manual or false.")
            }
        let repository = try await repositories.change(
            target.shelf,
            target.path,
            visibility: visibility,
            gating: gating,
            call.caller
        )
        return call.answer(
            .members([
                "private": .bool(repository.visibility == .private), "gated": Self.gated(repository.gating),
                "visibility": .string(repository.visibility.rawValue),
            ])
        )
    }

    func authCheck(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let right: RepositoryRight = target.rest.first == "write" ? .write : .read
        _ = try await repositories.repository(target.shelf, target.path, for: right, call.caller)
        return call.done
    }

    // MARK: Looking

    func info(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let revision = target.action == "revision" ? target.rest.joined(separator: "/") : "main"
        let address = RevisionAddress(target.shelf, target.path, revision)
        let (repository, head) = try await repositories.revision(at: address, for: .see, call.caller)
        var facts = ContentFacts()
        var siblings: [JSON] = []
        if let head {
            facts = try await repositories.facts(about: head, of: repository)
            let pinned = RevisionAddress(target.shelf, target.path, head.id.text)
            siblings = try await self.siblings(pinned, withBlobs: call.flag("blobs"), call)
        }
        let downloads = try await repositories.downloads(of: repository)
        var json = Self.info(repository, head: head, facts, downloads, siblings: siblings)
        if call.flag("securityStatus"), case .object(var members) = json {
            let status = JSON.members(["scansDone": false, "filesWithIssues": .array([])])
            members.append((key: "securityRepoStatus", value: status))
            json = .object(members)
        }
        return call.answer(json)
    }

    /// So many files are listed in a repository's description; whoever wants more asks for the tree.
    private static let siblingsMax = 100_000

    private func siblings(_ address: RevisionAddress, withBlobs: Bool, _ call: HubCall) async throws -> [JSON] {
        var siblings: [JSON] = []
        var last: String?
        repeat {
            let page = try await repositories.list(
                at: address,
                isRecursive: true,
                after: last,
                limit: 5000,
                call.caller
            )
            for placed in page.entries where placed.entry.kind != .folder {
                guard withBlobs else {
                    siblings.append(.members(["rfilename": .string(placed.path)]))
                    continue
                }
                siblings.append(
                    .members([
                        "rfilename": .string(placed.path), "size": .integer(placed.entry.size.count),
                        "blobId": .string(placed.entry.oid.text),
                        "lfs": placed.entry.pointer { ["sha256": $0, "size": $1, "pointerSize": $2] },
                    ])
                )
            }
            last = page.hasMore ? page.entries.last?.path : nil
        } while last != nil && siblings.count < Self.siblingsMax
        return siblings
    }

    static func gated(_ gating: Gating) -> JSON {
        switch gating {
        case .none: false
        case .auto: "auto"
        case .manual: "manual"
        }
    }

    /// A repository as the Hub describes it.
    static func info(
        _ repository: Repository,
        head: Revision?,
        _ facts: ContentFacts,
        _ downloads: Downloads,
        siblings: [JSON]? = nil
    ) -> JSON {
        let (card, parameters) = (facts.card, facts.parameters)
        let shelf = repository.kind.shelf
        var tags = card?.tags(on: shelf) ?? []
        if !parameters.isEmpty { tags.append("safetensors") }
        if repository.kind == .algorithm { tags.append("algorithm") }
        let counts = parameters.sorted { $0.key < $1.key }.map { (key: $0.key, value: JSON.integer($0.value)) }
        return .members([
            "_id": .string("\(repository.id)"), "id": .string("\(repository.path)"),
            shelf == .models ? "modelId" : "name": .string("\(repository.path)"),
            "author": .string(repository.path.project.text), "sha": head.map { .string($0.id.text) },
            "lastModified": .string((head?.at ?? repository.updatedAt).rfc3339),
            "createdAt": .string(repository.createdAt.rfc3339),
            "private": .bool(repository.visibility == .private),
            "visibility": .string(repository.visibility.rawValue), "gated": gated(repository.gating),
            "disabled": false, "xetEnabled": false, "downloads": .integer(downloads.recent),
            "downloadsAllTime": .integer(downloads.total), "likes": 0, "tags": .list(tags),
            "pipeline_tag": card?.task.map { .string($0) }, "library_name": card?.library.map { .string($0) },
            "cardData": card?.metadata,
            "safetensors": parameters.isEmpty
                ? nil : .members(["parameters": .object(counts), "total": .integer(facts.parameterCount)]),
            "siblings": siblings.map { .array($0) },
        ])
    }

    func search(_ call: HubCall) async throws -> Response {
        let shelf: RepositoryShelf = call.path[1] == "datasets" ? .datasets : .models
        var search = Repositories.Search()
        search.text = call.query("search")
        if let author = call.query("author") {
            // Nobody has a name that is none.
            guard let project = ProjectName(author) else { return call.answer(.array([])) }
            search.project = project
        }
        search.tags = (call.all("filter") + call.all("tags")).flatMap { $0.split(separator: ",").map(String.init) }
        search.tags += call.all("pipeline_tag")
        search.order =
            switch call.query("sort") {
            case "createdAt": .newest
            case "downloads": .mostDownloaded
            default: .lastChanged
            }
        search.gating =
            switch call.query("gated")?.lowercased() {
            case "auto": .auto
            case "manual": .manual
            case "false": Gating.none
            default: nil
            }
        search.parameters = try call.query("num_parameters").map(Self.parameterRange)
        // Clients write no limit when they want everything, and follow the pages.
        search.limit = min(max(call.query("limit").flatMap { Int($0) } ?? 1000, 1), 1000)
        search.after = try call.query("cursor").map { cursor in
            guard let after = SearchPosition(cursor) else {
                throw Failure(.malformed, "The cursor is not one of ours. Begin again without one.")
            }
            return after
        }
        let (found, next) = try await repositories.search(shelf, search, call.caller)
        let list = found.map { Self.info($0.repository, head: $0.head, $0.facts, $0.downloads) }
        let link = next.map { call.pageLink(cursor: "\($0)") }
        return call.answer(.array(list), headers: link.map { [.link: $0] } ?? [:])
    }

    /// `min:6B,max:128B`
    static func parameterRange(_ text: String) throws -> ClosedRange<Int64> {
        var (low, high) = (Int64(0), Int64.max)
        for part in text.split(separator: ",") {
            let words = part.split(separator: ":")
            guard words.count == 2, let last = words[1].last else { throw malformedRange }
            let factors: [Character: Double] = ["K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12]
            let factor = factors[Character(last.uppercased())]
            guard let number = Double(factor == nil ? words[1] : words[1].dropLast()), number >= 0 else {
                throw malformedRange
            }
            let value = min(number * (factor ?? 1), 9e18)
            switch words[0] {
            case "min": low = Int64(value)
            case "max": high = Int64(value)
            default: throw malformedRange
            }
        }
        guard low <= high else { throw malformedRange }
        return low...high
    }

    private static let malformedRange = Failure(.malformed, "'num_parameters' is written as 'min:6B,max:128B'.")

    /// The words that searches can filter by, as far as the repositories use them.
    func tagsByType(_ call: HubCall) async throws -> Response {
        let shelf: RepositoryShelf = call.path[1].hasPrefix("datasets") ? .datasets : .models
        var search = Repositories.Search()
        search.limit = 5000
        let found = try await repositories.search(shelf, search, call.caller).found
        var groups: [String: Set<String>] = [:]
        for card in found.compactMap(\.facts.card) {
            for tag in card.tags(on: shelf) {
                let kind =
                    tag == card.library
                    ? "library"
                    : tag == card.task
                        ? "pipeline_tag"
                        : tag.split(separator: ":")
                            .count > 1 ? String(tag.prefix { $0 != ":" }) : "other"
                groups[kind, default: []].insert(tag)
            }
        }
        let members = groups.sorted { $0.key < $1.key }.map { kind, tags in
            let list = tags.sorted().map {
                JSON.members(["type": .string(kind), "label": .string($0), "id": .string($0)])
            }
            return (key: kind, value: JSON.array(list))
        }
        return call.answer(.object(members))
    }

    func validateYAML(_ call: HubCall) async throws -> Response {
        let body = try await call.json()
        var errors: [JSON] = []
        do {
            _ = try Card(readme: (body["content"]?.stringValue ?? "").utf8)
        } catch let error as YAMLError {
            errors = error.faults.map { .members(["message": .string("\($0.message) (line \($0.position.line))")]) }
        }
        return call.answer(
            .members(["errors": .array(errors), "warnings": .array([])]),
            status: errors.isEmpty ? .ok : .badRequest
        )
    }

    // MARK: Gated repositories

    func accessRequests(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        switch (call.request.method, target.rest.first) {
        case (.get, let state?):
            guard let state = AccessState(rawValue: state) else { throw Self.unknownRoute }
            let requests = try await repositories.accessRequests(for: target.shelf, target.path, state, call.caller)
            let list = requests.map { user, at in
                JSON.members([
                    "user": .members(["user": .string(user.text), "fullname": .string(user.text)]),
                    "status": .string(state.rawValue), "timestamp": .string(at.rfc3339),
                ])
            }
            return call.answer(.array(list))
        case (.post, let verb?) where verb == "handle" || verb == "grant":
            let body = try await call.json()
            guard let user = body["user"]?.stringValue.flatMap({ UserName($0) }) else {
                throw Failure(.invalid, "'user' is missing.")
            }
            let state = verb == "grant" ? "accepted" : body["status"]?.stringValue ?? ""
            guard let state = AccessState(rawValue: state) else {
                throw Failure(.invalid, "'status' must be accepted, rejected or pending.")
            }
            try await repositories.setAccess(of: user, to: target.shelf, target.path, state, call.caller)
            return call.done
        case (.post, nil):
            let state = try await repositories.requestAccess(to: target.shelf, target.path, call.caller)
            return call.answer(.members(["status": .string(state.rawValue)]))
        default: throw Self.unknownRoute
        }
    }
}

extension Optional where Wrapped == Principal {
    /// The caller of a route that needs one.
    func unwrapped() throws -> Principal {
        guard let self else {
            throw Failure(.unauthenticated, "Invalid username or password: sign in with a token of yours.")
        }
        return self
    }
}

extension HubCall {
    /// A `Link` to the same with another cursor.
    func pageLink(cursor: String) -> String {
        "<\(origin)\(query.with("cursor", cursor).on(request.uri.path))>; rel=\"next\""
    }
}

extension TreeEntry {
    /// What a large file's pointer says: its digest, the size, and the pointer's own size.
    func pointer(_ members: (JSON, JSON, JSON) -> KeyValuePairs<String, JSON?>) -> JSON? {
        guard kind == .large, let digest else { return nil }
        let pointer = GitObject.pointer(digest, size)
        return .members(members(.string(digest.hex), .integer(size.count), .integer(Int64(pointer.utf8.count))))
    }
}
