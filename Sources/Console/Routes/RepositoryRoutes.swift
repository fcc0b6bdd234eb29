import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Wire

extension Console {
    private static let filesShownMax = 500
    private static let historyMax = 50
    private static let cardBytesMax = 256 << 10

    /// The repository: lists, pages and files.
    func addRepositoryRoutes(to routes: Pages) {
        page(routes, "/repositories") { request, context, principal in
            let query = Form(parsing: request.uri.query ?? "")
            let shelf = query["shelf"].flatMap { RepositoryShelf(rawValue: $0) } ?? .models
            var search = Repositories.Search()
            search.text = query["search"].flatMap { $0.trimmed.isEmpty ? nil : $0.trimmed }
            search.tags = query["tag"].map { [$0] } ?? []
            search.kind = query["kind"].flatMap { RepositoryKind(rawValue: $0) }
            search.limit = 50
            let page = try await repositories.list(shelf, search, cursor: query["cursor"], principal)
            let kept = Form(query.fields.filter { ["shelf", "search", "tag", "kind", "cursor"].contains($0.name) })
            return RepositoriesPage(shelf: shelf, page: page, query: kept).render(frame(request, context))
        }
        page(routes, "/repositories/:id") { request, context, principal in
            try await repository(request, context, principal)
        }
        get(routes, "/repositories/:id/file") { request, context, principal in
            try await file(request, context, principal)
        }
    }

    private func repository(_ request: Request, _ context: AppContext, _ principal: Principal) async throws -> HTML {
        let id: RepositoryID = try Self.parameter("id", context)
        let query = Form(parsing: request.uri.query ?? "")
        let detail = try await repositories.detail(id, principal)
        let found = try await repositories.repository(id, for: .see, principal)
        let wanted = query["revision"] ?? "main"
        var page = RepositoryPage(
            repository: detail,
            address: options.address(request),
            revision: wanted,
            folder: query["path"] ?? "",
            files: [],
            hasMore: false,
            history: [],
            lineage: LineageView(edges: [], publications: [])
        )
        let address = RevisionAddress(found.kind.shelf, found.path, wanted)
        if let head = try await repositories.revision(at: address, for: .see, principal).revision {
            page.head = head
            let list = try await repositories.list(
                page.folder,
                at: address,
                isRecursive: false,
                limit: Self.filesShownMax,
                principal
            )
            (page.files, page.hasMore) = (list.entries, list.hasMore)
            page.history = try await repositories.history(at: address, limit: Self.historyMax, principal).revisions
            page.isRelease = found.kind == .dataset ? try await repositories.isRelease(head) : false
            page.lineage = try await repositories.lineage(of: id, at: head.id.text, principal)
            if page.folder.isEmpty, let readme = list.entries.first(where: { $0.path == "README.md" })?.entry.digest {
                page.card = try await card(readme, found)
            }
        }
        return page.render(frame(request, context))
    }

    /// The text of a README, without the head that machines read.
    private func card(_ digest: Digest, _ repository: Repository) async throws -> String? {
        let bytes = try await repositories.content(of: digest, countMax: Self.cardBytesMax, in: repository)
        let text = String(buffer: bytes)
        guard text.hasPrefix("---\n"), let end = text.dropFirst(4).firstRange(of: "\n---") else { return text }
        let rest = String(text[end.upperBound...].drop { $0 != "\n" }).trimmed
        return rest.isEmpty ? nil : rest
    }

    private func file(_ request: Request, _ context: AppContext, _ principal: Principal) async throws -> Response {
        let id: RepositoryID = try Self.parameter("id", context)
        let query = Form(parsing: request.uri.query ?? "")
        let path = query["path"] ?? ""
        let found = try await repositories.repository(id, for: .read, principal)
        let address = RevisionAddress(found.kind.shelf, found.path, query["revision"] ?? "main")
        let entry = try await repositories.entry(path, at: address, for: .read, principal).entry
        guard let entry, let digest = entry.digest else {
            throw Failure(.notFound, "There is no file '\(path)' in this revision.")
        }
        return try await Self.download(entry.size, digest, named: entry.name, request) {
            try await repositories.bytes(digest, $0, in: found)
        }
    }
}
