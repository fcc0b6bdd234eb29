import Core
import Entry
import HTTPTypes
import Hub
import Hummingbird
import NIOCore

extension OCIFace {
    /// Tags that one push may set.
    private static let pushedTagsMax = 100
    /// Tags in one answer, whatever `n` asks for.
    private static let tagsMax = 1000
    /// Attachments in one answer.
    private static let referrersMax = 100

    /// A manifest as it was pushed. `Accept` does not count: nothing else could be sent without changing its digest.
    func manifest(_ reference: ManifestReference, of name: OCIName, _ call: OCICall) async throws -> Response {
        guard let (record, bytes) = try await repositories.manifest(reference, in: name.shelf, name.path, call.caller)
        else {
            throw Self.unknown(reference)
        }
        let digest = if case .digest(let asked) = reference { "\(asked)" } else { "\(record.digest)" }
        var headers: HTTPFields = [
            .contentType: record.mediaType, .contentDigest: digest, .eTag: "\"\(record.digest)\"",
        ]
        if let known = call.request.headers[.ifNoneMatch], known == headers[.eTag] {
            return Response(status: .notModified, headers: headers)
        }
        if call.request.method == .head {
            headers[.contentLength] = "\(record.size.count)"
            return Response(status: .ok, headers: headers)
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: try await bytes.whole()))
    }

    func put(_ reference: ManifestReference, of name: OCIName, _ call: OCICall) async throws -> Response {
        var tags: [String] = []
        var digest: ContentDigest?
        switch reference {
        case .digest(let given): digest = given
        case .tag(let tag): tags = [tag]
        }
        let more = call.queries("tag")
        guard more.count <= Self.pushedTagsMax else {
            throw OCIError(.manifestInvalid, status: 400, "One push may set \(Self.pushedTagsMax) tags.")
        }
        for text in more {
            guard case .tag(let tag)? = ManifestReference(text) else {
                throw OCIError(.manifestInvalid, status: 400, "A tag has up to 128 of A-Z a-z 0-9 . _ and -.")
            }
            if !tags.contains(tag) { tags.append(tag) }
        }
        try await repositories.requireTarget(name.kind, name.path, call.caller)
        let body = try await call.request.bytes(
            limitBytes: ManifestDocument.bytesMax,
            advice: "Put large annotations into a layer.",
            in: call.context
        )
        let outcome = try await repositories.put(
            manifest: body,
            contentType: call.request.headers[.contentType],
            as: digest,
            tags: tags,
            in: name.kind,
            name.path,
            call.caller
        )
        let record = outcome.record
        if let revision = outcome.revision {
            await repositories.noteFacts(about: revision, of: outcome.repository, call.caller)
        }
        let named = digest.map { "\($0)" } ?? "\(record.digest)"
        var headers: HTTPFields = [.location: "/v2/\(name.text)/manifests/\(named)", .contentDigest: named]
        if let subject = record.subject { headers[.ociSubject] = subject }
        if !more.isEmpty { headers[values: .ociTag] = tags }
        if let remark = outcome.remark {
            headers[.warning] = Self.warning("Clients of the Hub do not see this artifact: \(remark)")
        }
        return Response(status: .created, headers: headers)
    }

    /// In the form that the specification gives it, "Warnings"; clients print it.
    private static func warning(_ text: String) -> String {
        let quoted = text.headerSafe.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "299 - \"\(quoted)\""
    }

    func removeManifest(_ reference: ManifestReference, of name: OCIName, _ call: OCICall) async throws -> Response {
        guard try await repositories.removeManifest(reference, in: name.shelf, name.path, call.caller) else {
            throw Self.unknown(reference)
        }
        return Response(status: .accepted)
    }

    func tags(of name: OCIName, _ call: OCICall) async throws -> Response {
        var limit = Self.tagsMax
        if let text = call.query("n") {
            guard let asked = Int(text), asked >= 0 else {
                throw OCIError(.unsupported, status: 400, "'n' is how many tags to list.")
            }
            limit = min(asked, limit)
        }
        var tags = try await repositories.tags(
            in: name.shelf,
            name.path,
            after: call.query("last") ?? "",
            limit: limit + 1,
            call.caller
        )
        var headers: HTTPFields = [:]
        if tags.count > limit {
            tags.removeLast()
            if let last = tags.last {
                headers[.link] = "</v2/\(name.text)/tags/list?n=\(limit)&last=\(last.percentEncoded)>; rel=\"next\""
            }
        }
        return call.json(
            .object([("name", .string(name.text)), ("tags", .array(tags.map { .string($0) }))]),
            headers
        )
    }

    /// What is attached to a digest, as an index. An unknown repository has no attachments, like one that a client may not
    /// see: to a 404 clients answer by keeping attachments under tags of their own.
    func referrers(to subject: ContentDigest, of name: OCIName, _ call: OCICall) async throws -> Response {
        let type = call.query("artifactType").flatMap { $0.isEmpty ? nil : $0 }
        var found: [ManifestRecord] = []
        do {
            found = try await repositories.referrers(
                to: subject,
                artifactType: type,
                in: name.shelf,
                name.path,
                after: call.query("last").flatMap { Digest($0) },
                limit: Self.referrersMax + 1,
                call.caller
            )
        } catch let failure as Failure where failure.code == .notFound && call.caller != nil {
            found = []
        }
        var headers: HTTPFields = [:]
        if type != nil { headers[.filtersApplied] = "artifactType" }
        if found.count > Self.referrersMax {
            found.removeLast()
            if let last = found.last {
                var next = "/v2/\(name.text)/referrers/\(subject)?last=\(last.digest)"
                if let type { next += "&artifactType=\(type.percentEncoded)" }
                headers[.link] = "<\(next)>; rel=\"next\""
            }
        }
        let index = JSON.object([
            ("schemaVersion", .integer(2)), ("mediaType", .string(ManifestDocument.ociIndex)),
            ("manifests", .array(found.map(Self.descriptor))),
        ])
        return call.json(index, headers, type: ManifestDocument.ociIndex)
    }

    private static func descriptor(_ record: ManifestRecord) -> JSON {
        var members: [(key: String, value: JSON)] = [
            ("mediaType", .string(record.mediaType)), ("digest", .string("\(record.digest)")),
            ("size", .integer(record.size.count)),
        ]
        if let type = record.artifactType { members.append(("artifactType", .string(type))) }
        if !record.annotations.isEmpty {
            let sorted = record.annotations.sorted { $0.key < $1.key }
            members.append(("annotations", .object(sorted.map { ($0.key, .string($0.value)) })))
        }
        return .object(members)
    }

    private static func unknown(_ reference: ManifestReference) -> OCIError {
        OCIError(
            .manifestUnknown,
            status: 404,
            "This repository has no such manifest.",
            detail: .object([("reference", .string("\(reference)"))])
        )
    }
}
