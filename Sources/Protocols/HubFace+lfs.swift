import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore
import Wire

/// git-lfs: its batch endpoint, and the addresses that it hands out. Clients send no credentials with those, so each is
/// signed for one method, one file of one repository, one caller, and a short time.
extension HubFace {
    private static let objectsMax = 1000
    private static let partsMax: Int64 = 10_000
    /// A batch of large files is uploaded one after the other.
    private static let uploadLifetime = Duration.seconds(6 * 3600)
    private static let downloadLifetime = Duration.seconds(3600)

    /// `POST /demo/resnet.git/info/lfs/objects/batch` (git-lfs, "Batch API").
    func batch(_ call: HubCall) async throws -> Response {
        let isDataset = call.path.first == "datasets" && call.path.count > 5
        let target = try await target(
            call,
            call.path[(isDataset ? 1 : 0)...].dropLast(4),
            on: isDataset ? .datasets : .models
        )
        let body = try await call.json()
        let isUpload = body["operation"]?.stringValue == "upload"
        guard isUpload || body["operation"]?.stringValue == "download" else {
            throw Failure(.invalid, "'operation' must be upload or download.")
        }
        guard body["hash_algo"]?.stringValue ?? "sha256" == "sha256" else {
            throw Failure(.conflict, "Large files are named by SHA-256 here and by nothing else.")
        }
        guard let objects = body["objects"]?.arrayValue, objects.count <= Self.objectsMax else {
            throw Failure(.tooLarge, "'objects' must be a list of at most \(Self.objectsMax).")
        }
        let repository = try await repositories.repository(
            target.shelf,
            target.path,
            for: isUpload ? .write : .read,
            call.caller
        )
        let transfers = body["transfers"]?.arrayValue?.compactMap(\.stringValue) ?? ["basic"]
        let largest = objects.compactMap { $0["size"]?.integerValue }.max() ?? 0
        // One transfer for all: in parts when the client can and one of the files is too large for one piece.
        let inParts = isUpload && transfers.contains("multipart") && largest > settings.multipartAbove.count
        // Told before anything is sent, and once more when it has come: others may send at the same time.
        var room = isUpload ? try await repositories.room(in: repository.path.project) : nil
        var answers: [JSON] = []
        for object in objects {
            answers.append(
                try await isUpload
                    ? offer(object, of: repository, inParts: inParts, room: &room, call)
                    : hand(object, of: repository, call)
            )
        }
        return call.answer(
            .members([
                "transfer": inParts ? "multipart" : "basic", "objects": .array(answers), "hash_algo": "sha256",
            ]),
            headers: [.contentType: "application/vnd.git-lfs+json"]
        )
    }

    private static func refusal(_ object: JSON, _ code: Int64, _ message: String) -> JSON {
        .members([
            "oid": object["oid"] ?? .null, "size": object["size"] ?? .null,
            "error": .members(["code": .integer(code), "message": .string(message)]),
        ])
    }

    /// Where to upload one file; nowhere when it is here.
    ///
    /// - Parameter room: What the file takes its part of.
    private func offer(
        _ object: JSON,
        of repository: Repository,
        inParts: Bool,
        room: inout Repositories.Room?,
        _ call: HubCall
    ) async throws -> JSON {
        guard let digest = Digest(hex: object["oid"]?.stringValue ?? ""), let size = object["size"]?.integerValue,
            size >= 0
        else { return Self.refusal(object, 422, "'oid' must be a SHA-256, and 'size' how many bytes it has.") }
        var actions: JSON?
        if try await repositories.size(of: digest, in: repository)?.count != size {
            do { try room?.require(Bytes(size)) } catch { return Self.refusal(object, 507, error.detail) }
            if let left = room?.bytes { room?.bytes = left - Bytes(size) }
            let file = LargeFile(
                repository: repository.id,
                digest: digest,
                size: size,
                caller: try call.caller.unwrapped()
            )
            let upload = inParts ? partAddresses(file, call) : address("PUT", file, "", call)
            actions = .members(["upload": upload, "verify": address("POST", file, "/verify", call)])
        }
        return .members([
            "oid": .string(digest.hex), "size": .integer(size), "authenticated": true, "actions": actions,
        ])
    }

    private func address(_ method: String, _ file: LargeFile, _ suffix: String, _ call: HubCall) -> JSON {
        .members([
            "href": .string(call.origin + repositories.signed(method, file.target(suffix), for: Self.uploadLifetime)),
            "header": .object([]), "expires_in": .integer(Self.uploadLifetime.components.seconds),
        ])
    }

    /// In the Hub's dialect: the size of a part and the address of each in what git-lfs takes for headers.
    private func partAddresses(_ file: LargeFile, _ call: HubCall) -> JSON {
        // So many parts at most; a part is a multiple of 1 MiB.
        let least = max(settings.partMin.count, (file.size + Self.partsMax - 1) / Self.partsMax)
        let part = least > 1 << 20 ? ((least + (1 << 20) - 1) >> 20) << 20 : least
        let count = max(1, (file.size + part - 1) / part)
        var header: [(key: String, value: JSON)] = [(key: "chunk_size", value: .string("\(part)"))]
        for number in 1...count {
            let target = file.target("/parts/\(number)")
            let digits = "\(number)"
            header.append(
                (
                    key: String(repeating: "0", count: max(0, 5 - digits.count)) + digits,
                    value: .string(call.origin + repositories.signed("PUT", target, for: Self.uploadLifetime))
                )
            )
        }
        let complete = repositories.signed("POST", file.target("/complete"), for: Self.uploadLifetime)
        return .members(["href": .string(call.origin + complete), "header": .object(header)])
    }

    /// Where to download one file.
    private func hand(_ object: JSON, of repository: Repository, _ call: HubCall) async throws -> JSON {
        guard let digest = Digest(hex: object["oid"]?.stringValue ?? ""),
            let size = try await repositories.size(of: digest, in: repository)
        else { return Self.refusal(object, 404, "There is no such file in '\(repository.path)'.") }
        let target = "/lfs/\(repository.id)/\(digest.hex)?size=\(size.count)"
        let href = call.origin + repositories.signed("GET", target, for: Self.downloadLifetime)
        return .members([
            "oid": .string(digest.hex), "size": .integer(size.count), "authenticated": true,
            "actions": .members([
                "download": .members([
                    "href": .string(href), "header": .object([]),
                    "expires_in": .integer(Self.downloadLifetime.components.seconds),
                ])
            ]),
        ])
    }

    // MARK: The addresses

    func put(_ call: HubCall) async throws -> Response {
        let file = try admitted(call)
        let repository = try await repositories.repository(file.repository, for: .write, file.caller)
        let body = call.request.streamedBytes(limitBytes: file.size, in: call.context)
        try await repositories.receive(
            body,
            expected: file.digest,
            size: Bytes(file.size),
            into: repository,
            file.caller
        )
        return Response(status: .ok, headers: [.eTag: "\"\(file.digest.hex)\""])
    }

    func get(_ call: HubCall) async throws -> Response {
        guard repositories.admits("GET", call.target), let id = RepositoryID(call.path[1]),
            let digest = Digest(hex: call.path[2]), let size = call.query("size").flatMap({ Int64($0) })
        else { throw Self.expired }
        // Whoever has the address may have the file: the right was checked when it was handed out.
        let repository = try await repositories.existing(id)
        let headers: HTTPFields = [
            .contentType: "application/octet-stream",
            .contentDisposition: "attachment; filename=\"\(digest.hex)\"",
        ]
        return try await bytes(digest, Bytes(size), of: repository, tag: "\"\(digest.hex)\"", headers, call)
    }

    func putPart(_ call: HubCall) async throws -> Response {
        let file = try admitted(call)
        guard call.path.count == 5, let number = Int64(call.path[4]) else { throw Self.expired }
        _ = try await repositories.repository(file.repository, for: .write, file.caller)
        let body = call.request.streamedBytes(limitBytes: file.size, in: call.context)
        let part = try await repositories.receivePart(body)
        // The tag comes back with the list of parts. It is signed, so that nobody can name bytes that they did not send.
        let signed = repositories.signed("PART", file.part(number, part), for: Self.uploadLifetime)
        let mark = signed.dropFirst(file.part(number, part).count + 1)
        return Response(status: .ok, headers: [.eTag: "\"\(part.hex)~\(mark)\""])
    }

    func complete(_ call: HubCall) async throws -> Response {
        let file = try admitted(call)
        let repository = try await repositories.repository(file.repository, for: .write, file.caller)
        let body = try await call.json()
        let listed = body["parts"]?.arrayValue ?? []
        var parts: [(number: Int64, digest: Digest)] = []
        for part in listed.prefix(Int(Self.partsMax) + 1) {
            let tag = (part["etag"]?.stringValue ?? "").filter { $0 != "\"" }.split(separator: "~")
            guard tag.count == 2, let digest = Digest(hex: tag[0]), let number = part["partNumber"]?.integerValue,
                repositories.admits("PART", "\(file.part(number, digest))?\(tag[1])")
            else { throw Failure(.invalid, "A part is not one that was uploaded for this file.") }
            parts.append((number, digest))
        }
        parts.sort { $0.number < $1.number }
        guard !parts.isEmpty, parts.map(\.number) == Array(1...Int64(parts.count)) else {
            throw Failure(.invalid, "'parts' must be numbered from 1 without a gap.")
        }
        try await repositories.join(
            parts.map(\.digest),
            expected: file.digest,
            size: Bytes(file.size),
            into: repository,
            file.caller
        )
        return call.done
    }

    func verify(_ call: HubCall) async throws -> Response {
        let file = try admitted(call)
        let repository = try await repositories.repository(file.repository, for: .write, file.caller)
        guard try await repositories.size(of: file.digest, in: repository)?.count == file.size else {
            throw Failure(.notFound, "The file has not come, or not as a whole.", note: Repositories.entryNote)
        }
        return call.answer(.members(["message": "ok"]))
    }

    /// What a signed address was made for.
    private func admitted(_ call: HubCall) throws -> LargeFile {
        guard repositories.admits(call.request.method.rawValue, call.target), let file = LargeFile(call) else {
            throw Self.expired
        }
        return file
    }

    private static let expired = Failure(
        .forbidden,
        "This address is not good any more, or never was. Ask for a new one with a batch request."
    )
}

/// A large file on its way into a repository, as the addresses for it tell.
private struct LargeFile: Sendable {
    var repository: RepositoryID
    var digest: Digest
    var size: Int64
    var caller: Principal

    init(repository: RepositoryID, digest: Digest, size: Int64, caller: Principal) {
        (self.repository, self.digest, self.size, self.caller) = (repository, digest, size, caller)
    }

    /// Reads an address whose signature was checked.
    init?(_ call: HubCall) {
        guard call.path.count >= 3, let repository = RepositoryID(call.path[1]), let digest = Digest(hex: call.path[2]),
            let size = call.query("size").flatMap({ Int64($0) }),
            let caller = call.query("caller").flatMap({ Principal(sealed: $0, scopes: [.read, .write]) })
        else { return nil }
        self.init(repository: repository, digest: digest, size: size, caller: caller)
    }

    func target(_ suffix: String) -> String {
        "/lfs/\(repository)/\(digest.hex)\(suffix)?size=\(size)&caller=\(caller.sealed)"
    }

    /// What a part's tag is signed over.
    func part(_ number: Int64, _ part: Digest) -> String { "/\(repository)/\(digest.hex)/\(number)/\(part.hex)" }
}

extension HubCall {
    /// The path and query as they were asked for.
    var target: String { request.head.path ?? "" }
}
