import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Wire

/// The files of a revision: listing them, and reading them.
extension HubFace {
    private static let treePageMax = 1000
    /// With their last changes, which cost more.
    private static let expandedPageMax = 50
    private static let pathsMax = 1000

    func tree(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let folder = target.rest.dropFirst().joined(separator: "/")
        let isExpanded = call.flag("expand")
        let pageMax = isExpanded ? Self.expandedPageMax : Self.treePageMax
        let limit = min(max(call.query("limit").flatMap { Int($0) } ?? pageMax, 1), pageMax)
        let address = RevisionAddress(target.shelf, target.path, target.rest.first ?? "main")
        let page = try await repositories.list(
            folder,
            at: address,
            isRecursive: call.flag("recursive"),
            after: call.query("cursor"),
            limit: limit,
            call.caller
        )
        let list = try await describe(page.entries, page.revision, target, isExpanded: isExpanded, call)
        var headers: HTTPFields = [.repositoryCommit: page.revision.id.text]
        if page.hasMore, let last = page.entries.last { headers[.link] = call.pageLink(cursor: last.path) }
        return call.answer(.array(list), headers: headers)
    }

    func pathsInfo(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let bytes = try await call.request.bytes(limitBytes: 4 << 20, in: call.context)
        let text = String(decoding: bytes.readableBytesView, as: UTF8.self)
        var (paths, isExpanded): ([String], Bool)
        if call.request.headers[.contentType]?.hasPrefix("application/json") ?? false {
            guard let json = try? JSON(parsing: text.utf8) else { throw Failure(.malformed, "The body is not JSON.") }
            paths = (json["paths"]?.arrayValue ?? [json["paths"]].compactMap { $0 }).compactMap(\.stringValue)
            isExpanded = json["expand"]?.boolValue ?? false
        } else {
            let fields = Form(parsing: text)
            paths = fields.all("paths")
            isExpanded = fields.raw("expand")?.lowercased() == "true"
        }
        guard paths.count <= Self.pathsMax else {
            throw Failure(.tooLarge, "At most \(Self.pathsMax) paths can be asked for at once.")
        }
        let address = RevisionAddress(target.shelf, target.path, target.rest.first ?? "main")
        let found = try await repositories.entries(paths, at: address, call.caller)
        let list = try await describe(
            found.entries,
            found.revision,
            target,
            isExpanded: isExpanded,
            namesXet: true,
            call
        )
        return call.answer(.array(list), headers: [.repositoryCommit: found.revision.id.text])
    }

    /// Entries as the Hub describes them, on request with the commit that brought them.
    ///
    /// - Parameter namesXet: Whether every large file has its name of Xet, without which clients copy none of them into
    ///   another repository; else those alone have it that are loaded by it.
    private func describe(
        _ entries: [PlacedEntry],
        _ revision: Revision,
        _ target: HubTarget,
        isExpanded: Bool,
        namesXet: Bool = false,
        _ call: HubCall
    ) async throws -> [JSON] {
        var changes: [String: Revision] = [:]
        if isExpanded {
            let pinned = RevisionAddress(target.shelf, target.path, revision.id.text)
            changes = try await repositories.lastChanges(of: entries.map(\.path), at: pinned, call.caller)
        }
        return entries.map { placed in
            let entry = placed.entry
            let change = changes[placed.path].map {
                JSON.members([
                    "id": .string($0.id.text), "title": .string($0.title), "date": .string($0.at.rfc3339),
                ])
            }
            return .members([
                "type": entry.kind == .folder ? "directory" : "file", "oid": .string(entry.oid.text),
                "size": .integer(entry.size.count), "path": .string(placed.path),
                "lfs": entry.pointer { ["oid": $0, "size": $1, "pointerSize": $2] },
                "xetHash": (namesXet && entry.kind == .large ? entry.digest?.hex : xetName(of: entry))
                    .map { .string($0) }, "lastCommit": change,
            ])
        }
    }

    // MARK: Bytes

    /// `/demo/resnet/resolve/main/config.json`, and the same below `/datasets`.
    func resolve(_ call: HubCall) async throws -> Response {
        let isDataset = call.path.first == "datasets" && call.path.count > 3
        let shelf: RepositoryShelf = isDataset ? .datasets : .models
        let target = try await target(call, call.path[(isDataset ? 1 : 0)...], on: shelf)
        guard let revision = target.rest.first else { throw Self.unknownRoute }
        let path = target.rest.dropFirst().joined(separator: "/")
        let address = RevisionAddress(shelf, target.path, revision)
        let found = try await repositories.entry(path, at: address, for: .read, call.caller)
        guard let entry = found.entry, let digest = entry.digest else {
            throw FailureWithHeaders(
                Failure(.notFound, "Entry not found", note: Repositories.entryNote),
                headers: [.repositoryCommit: found.revision.id.text]
            )
        }
        let name = entry.name
        var headers: HTTPFields = [
            .repositoryCommit: found.revision.id.text,
            .contentDisposition:
                "inline; filename*=UTF-8''\(name.percentEncoded); filename=\"\(name.headerSafe.filter { $0 != "\"" })\";",
            // Never a page of ours, whatever is in it.
            .contentType: entry.kind == .large ? "application/octet-stream" : "text/plain; charset=utf-8",
            .cacheControl: "private, no-cache",
        ]
        if entry.kind == .large {
            headers[.linkedSize] = "\(entry.size.count)"
            headers[.linkedETag] = "\"\(digest.hex)\""
        }
        if let name = xetName(of: entry) {
            headers[.xetHash] = name
            headers[.xetRefreshRoute] =
                "\(call.origin)/api/\(shelf.rawValue)/\(target.path)/xet-read-token/\(found.revision.id)"
        }
        if target.action == "resolve" {
            let visitor = call.caller.map { "user/\($0.user)" } ?? call.context.remoteAddress
            repositories.countDownload(of: path, from: found.repository, by: visitor)
        }
        // What clients name the file by in their cache, the same as at every other Hub.
        let tag = "\"\(entry.kind == .large ? digest.hex : entry.oid.text)\""
        return try await bytes(digest, entry.size, of: found.repository, tag: tag, headers, call)
    }

    /// Bytes of a repository, or a part of them.
    func bytes(
        _ digest: Digest,
        _ size: Bytes,
        of repository: Repository,
        tag: String,
        _ headers: HTTPFields,
        _ call: HubCall
    ) async throws -> Response {
        try await Response.content(size: size, tag: tag, headers: headers, for: call.request) {
            try await repositories.bytes(digest, $0, in: repository)
        }
    }

    /// The heads of a model's `.safetensors` files, which saves clients a ranged read each.
    func safetensors(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let address = RevisionAddress(target.shelf, target.path, call.query("revision") ?? "main")
        var names = [target.rest.joined(separator: "/")]
        var index: JSON = .null
        if names[0].hasSuffix(".index.json") {
            let found = try await repositories.entry(names[0], at: address, for: .read, call.caller)
            guard let digest = found.entry?.digest else { throw Self.noSafetensors }
            let text = try await repositories.content(of: digest, countMax: Self.indexMax, in: found.repository)
            guard let json = try? JSON(parsing: text.readableBytesView), case .object(let map)? = json["weight_map"]
            else { throw Self.noSafetensors }
            index = json
            let folder = names[0].split(separator: "/").dropLast().map { "\($0)/" }.joined()
            names = Set(map.compactMap(\.value.stringValue)).sorted().prefix(256).map { folder + $0 }
        }
        var headers: [(key: String, value: JSON)] = []
        for name in names {
            let found = try await repositories.entry(name, at: address, for: .read, call.caller)
            guard let digest = found.entry?.digest,
                let file = try await repositories.safetensors(digest, in: found.repository)
            else { throw Self.noSafetensors }
            headers.append((key: name, value: file.header))
        }
        return call.answer(.members(["index": index, "headers": .object(headers)]))
    }

    private static let indexMax = 8 << 20
    private static let noSafetensors = Failure(
        .notFound,
        "There is no safetensors file at this path.",
        note: Repositories.entryNote
    )
}
