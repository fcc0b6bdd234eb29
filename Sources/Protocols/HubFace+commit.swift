import Core
import Entry
import FoundationEssentials
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Wire

/// Uploading: what becomes of each file, and the commit itself.
extension HubFace {
    /// A regular file grows by a third in base64; the rest is for its path.
    private static let lineBytesMax = Int(Repositories.regularFileMax.count) / 3 * 4 + (64 << 10)
    private static let commitBytesMax: Int64 = 4 << 30
    /// So many files of a commit are written at once.
    private static let keptAtOnceMax = 8

    func preupload(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let body = try await call.json(limitBytes: 8 << 20)
        let opensPullRequest = call.flag("create_pr")
        let address = RevisionAddress(
            target.shelf,
            target.path,
            opensPullRequest && target.rest.first == "None" ? "main" : target.rest.first ?? "main"
        )
        let (repository, head) = try await repositories.revision(at: address, for: .write, call.caller)
        if !opensPullRequest, let reference = Self.reference(address.revision) {
            try await repositories.requireCommit(to: reference, of: target.shelf, target.path, call.caller)
        }
        guard let files = body["files"]?.arrayValue, files.count <= 1000 else {
            throw Failure(.invalid, "'files' must be a list of at most 1000.")
        }
        let paths = files.map { $0["path"]?.stringValue ?? "" }
        var known: [String: TreeEntry] = [:]
        var attributes = GitAttributes(GitAttributes.standard)
        var ignore = body["gitIgnore"]?.stringValue.map { GitIgnore($0) }
        if let head {
            let pinned = RevisionAddress(target.shelf, target.path, head.id.text)
            let rules = [".gitattributes", ".gitignore"]
            let entries = try await repositories.entries(paths + rules, at: pinned, call.caller).entries
            known = Dictionary(entries.map { ($0.path, $0.entry) }) { first, _ in first }
            if let text = try await text(known[".gitattributes"], of: repository) { attributes = GitAttributes(text) }
            if ignore == nil { ignore = try await text(known[".gitignore"], of: repository).map { GitIgnore($0) } }
        }
        let answers = try files.map { file in
            let text = file["path"]?.stringValue ?? ""
            guard let path = FilePath(text) else { throw Failure(.invalid, "'\(text)' is no path. \(FilePath.rule)") }
            let size = file["size"]?.integerValue ?? 0
            let isLarge = Self.isLarge(path, size: size, sample: file["sample"]?.stringValue ?? "", attributes)
            let entry = known[text].flatMap { $0.kind == .folder ? nil : $0 }
            let oid = entry.map { $0.kind == .large ? $0.digest?.hex ?? "" : $0.oid.text }
            return JSON.members([
                "path": .string(text), "uploadMode": isLarge ? "lfs" : "regular",
                "shouldIgnore": .bool(ignore?.ignores(path) ?? false), "oid": oid.map { .string($0) } ?? .null,
            ])
        }
        return call.answer(
            .members(["files": .array(answers), "commitOid": head.map { .string($0.id.text) } ?? .null])
        )
    }

    /// Large by its size, by its name, or because it is no text. Empty files have no use for a pointer.
    private static func isLarge(_ path: FilePath, size: Int64, sample: String, _ attributes: GitAttributes) -> Bool {
        guard size > 0 else { return false }
        if size > Repositories.regularFileMax.count || attributes.isLarge(path) { return true }
        return Data(base64Encoded: sample)?.contains(0) ?? false
    }

    private func text(_ entry: TreeEntry?, of repository: Repository) async throws -> String? {
        guard let digest = entry?.digest else { return nil }
        let bytes = try await repositories.content(of: digest, countMax: GitAttributes.bytesMax, in: repository)
        return String(decoding: bytes.readableBytesView, as: UTF8.self)
    }

    func commit(_ call: HubCall, _ target: HubTarget) async throws -> Response {
        let opensPullRequest = call.flag("create_pr")
        let text = target.rest.joined(separator: "/")
        let address = RevisionAddress(
            target.shelf,
            target.path,
            opensPullRequest && text == "None" ? "main" : text
        )
        // Before a byte of the body is kept.
        _ = try await repositories.repository(target.shelf, target.path, for: .write, call.caller)
        guard let reference = Self.reference(address.revision) else {
            throw Failure(.invalid, "'\(text)' is no branch that can be committed to.")
        }
        var request = CommitRequest(
            reference: reference,
            message: "",
            operations: [],
            opensPullRequest: opensPullRequest
        )
        let body = call.request.streamedBytes(
            limitBytes: Self.commitBytesMax,
            advice: "Upload large files first, and split the commit.",
            in: call.context
        )
        var lines = LineSplitter(lineBytesMax: Self.lineBytesMax)
        try await withThrowingTaskGroup(of: (Int, KeptFile).self) { group in
            var waiting = 0
            func settle() async throws {
                guard let (place, file) = try await group.next() else { return }
                waiting -= 1
                request.brought.append(file)
                request.operations[place] = file.operation
            }
            func take(_ line: [UInt8]) async throws {
                guard let (path, content) = try Self.read(line, into: &request) else { return }
                guard request.operations.count < Repositories.operationsMax else { throw Self.tooMany }
                let place = request.operations.count
                // Its entry is filled in when its bytes are on the disk.
                request.operations.append(.deleteFile(path))
                while waiting >= Self.keptAtOnceMax { try await settle() }
                waiting += 1
                group.addTask { (place, try await repositories.keep(ByteBuffer(bytes: content), at: path)) }
            }
            for try await buffer in body {
                lines.append(buffer.readableBytesView)
                while let line = try lines.next() { try await take(line) }
                guard request.operations.count <= Repositories.operationsMax else { throw Self.tooMany }
            }
            if let line = lines.rest { try await take(line) }
            while waiting > 0 { try await settle() }
        }
        let outcome = try await repositories.commit(request, to: target.shelf, target.path, call.caller)
        await repositories.noteFacts(about: outcome.revision, of: outcome.repository, call.caller)
        let base = "\(call.origin)\(target.shelf == .datasets ? "/datasets" : "")/\(outcome.repository.path)"
        return call.answer(
            .members([
                "success": true, "commitOid": .string(outcome.revision.id.text),
                "commitUrl": .string("\(base)/commit/\(outcome.revision.id)"), "hookOutput": "",
                "pullRequestUrl": outcome.pullRequest.map { .string("\(base)/discussions/\($0)") },
            ])
        )
    }

    private static let tooMany = Failure(
        .tooLarge,
        "A commit may have \(Repositories.operationsMax) operations; split it."
    )

    /// What a commit can move.
    private static func reference(_ text: String) -> ReferenceName? {
        guard GitHash(text) == nil else { return nil }
        guard text.hasPrefix("refs/") else { return ReferenceName(.branch, text) }
        let name = ReferenceName(String(text.dropFirst(5)))
        return name?.kind == .tag ? nil : name
    }

    /// Reads one line of a commit.
    ///
    /// - Returns: The path and bytes of a file that came with it; everything else is put into the request.
    private static func read(_ line: [UInt8], into request: inout CommitRequest) throws -> (FilePath, [UInt8])? {
        guard let json = try? JSON(parsing: line), let key = json["key"]?.stringValue, let value = json["value"] else {
            throw Failure(.malformed, "Each line of a commit is a JSON object with 'key' and 'value'.")
        }
        func path(_ key: String = "path") throws -> FilePath {
            let text = value[key]?.stringValue ?? ""
            guard let path = FilePath(text) else { throw Failure(.invalid, "'\(text)' is no path. \(FilePath.rule)") }
            return path
        }
        switch key {
        case "header":
            let (title, more) = (value["summary"]?.stringValue ?? "", value["description"]?.stringValue ?? "")
            request.message = more.isEmpty ? title : "\(title)\n\n\(more)"
            if let parent = value["parentCommit"]?.stringValue {
                guard let hash = GitHash(parent) else {
                    throw Failure(.invalid, "'parentCommit' must be the 40 digits of a commit.")
                }
                request.parent = hash
            }
        case "file":
            let text = value["content"]?.stringValue ?? ""
            guard value["encoding"]?.stringValue == "base64" else { return (try path(), Array(text.utf8)) }
            guard let content = Data(base64Encoded: text) else {
                throw Failure(.malformed, "The content of '\(try path())' is not base64.")
            }
            return (try path(), Array(content))
        case "lfsFile":
            guard value["algo"]?.stringValue ?? "sha256" == "sha256",
                let digest = Digest(hex: value["oid"]?.stringValue ?? "")
            else { throw Failure(.invalid, "'oid' of a large file must be its SHA-256.") }
            request.operations.append(.link(try path(), digest, value["size"]?.integerValue.map { Bytes($0) }))
        case "copyFile":
            let revision = value["srcRevision"]?.stringValue
            guard revision == nil || GitHash(revision ?? "") != nil else {
                throw Failure(.invalid, "'srcRevision' must be the 40 digits of a commit.")
            }
            request.operations.append(
                .copy(from: try path("srcPath"), revision: revision.flatMap { GitHash($0) }, to: try path())
            )
        case "deletedFile": request.operations.append(.deleteFile(try path()))
        case "deletedFolder":
            let text = value["path"]?.stringValue ?? ""
            guard let folder = FilePath(text.hasSuffix("/") ? String(text.dropLast()) : text) else {
                throw Failure(.invalid, "'\(text)' is no path. \(FilePath.rule)")
            }
            request.operations.append(.deleteFolder(folder))
        default: throw Failure(.invalid, "A commit knows no '\(key.prefix(40))'.")
        }
        return nil
    }
}

/// Cuts a stream into lines of bounded length.
struct LineSplitter {
    let lineBytesMax: Int
    private var pending: [UInt8] = []
    private var start = 0
    /// How far the search for the end of the line has come.
    private var searched = 0

    init(lineBytesMax: Int) { self.lineBytesMax = lineBytesMax }

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            pending.removeFirst(start)
            (searched, start) = (searched - start, 0)
        }
        pending += bytes
    }

    /// The next whole line that is not empty; `nil` when more has to come first.
    mutating func next() throws -> [UInt8]? {
        while let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = pending[start..<end]
            (start, searched) = (end + 1, end + 1)
            guard line.count <= lineBytesMax else { throw tooLong }
            if !line.isEmpty { return Array(line) }
        }
        searched = pending.count
        guard pending.count - start <= lineBytesMax else { throw tooLong }
        return nil
    }

    /// What comes after the last line's end.
    var rest: [UInt8]? { start < pending.count ? Array(pending[start...]) : nil }

    private var tooLong: Failure {
        Failure(
            .tooLarge,
            "A line of a commit may have \(lineBytesMax) bytes. Upload what is larger as a large file first."
        )
    }
}
