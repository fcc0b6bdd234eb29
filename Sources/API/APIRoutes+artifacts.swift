import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let artifactEndpoints: [Endpoint] = [
        Endpoint(
            .post,
            "/v1/blobs/missing",
            .member,
            .write,
            "Which of these blobs have to be uploaded",
            body: .json(
                .object(["project": .name, "digests": .array(of: .digest)], required: ["project", "digests"])
            ),
            answer: .json(MissingBlobs.self)
        ) { call in
            let (project, digests) = try await call.body { reader -> (ProjectName, [Digest])? in
                let project = reader.name("project", as: ProjectName.self)
                let digests = reader.digests("digests", countMax: DigestList.countMax)
                guard let project, let digests else { return nil }
                return (project, digests)
            }
            let missing = try await call.point.missingBlobs(digests, project: project, call.caller())
            return try call.answer(MissingBlobs(missing: missing))
        },
        Endpoint(
            .post,
            "/v1/uploads",
            .member,
            .write,
            "Begin an upload",
            body: .json(
                .object(
                    ["project": .name, "digest": .digest, "size": .integer("In bytes.", in: 0...(1 << 50))],
                    required: ["project", "digest", "size"]
                )
            ),
            answer: .json(UploadView.self, status: 201)
        ) { call in
            let (project, blob) = try await call.body { reader -> (ProjectName, BlobView)? in
                let project = reader.name("project", as: ProjectName.self)
                let blob = blobView(&reader)
                guard let project, let blob else { return nil }
                return (project, blob)
            }
            let view = try await call.point.beginUpload(
                project: project,
                expected: blob.digest,
                size: blob.size,
                call.caller()
            )
            return try call.answer(view, status: .created, location: "/v1/uploads/\(view.upload)")
        },
        Endpoint(
            .get,
            "/v1/uploads/{upload}",
            .member,
            .write,
            "Where an upload stands; also in `Upload-Offset`",
            answer: .json(UploadView.self)
        ) { call in
            try call.answer(upload: try await call.point.upload(call.path("upload"), call.caller()))
        },
        Endpoint(
            .patch,
            "/v1/uploads/{upload}",
            .member,
            .write,
            "Append bytes to an upload",
            parameters: [uploadOffset],
            body: .bytes,
            answer: .json(UploadView.self)
        ) { call in
            let view = try await call.point.appendUpload(
                call.path("upload"),
                offset: call.uploadOffset(),
                call.request.streamedBytes(limitBytes: uploadBytesMax, in: call.context),
                call.caller()
            )
            return try call.answer(upload: view)
        },
        Endpoint(
            .post,
            "/v1/uploads/{upload}/finish",
            .member,
            .write,
            "Verify the digest and publish the blob",
            answer: .json(BlobView.self)
        ) { call in
            try call.answer(try await call.point.finishUpload(call.path("upload"), call.caller()))
        },
        Endpoint(.delete, "/v1/uploads/{upload}", .member, .write, "Give an upload up", answer: .empty) { call in
            try await call.point.abortUpload(call.path("upload"), call.caller())
            return call.noContent()
        },
        Endpoint(
            .get,
            "/v1/blobs/{digest}",
            .viewer,
            .read,
            "The bytes of a blob; ranges are served",
            parameters: [range],
            answer: .bytes("application/octet-stream", "The bytes, or with 206 the range asked for.")
        ) { call in
            let (digest, caller): (Digest, Principal) = (try call.path("digest"), try call.caller())
            return try await call.blob(digest, size: { try await call.point.blobSize(digest, caller) }) {
                try await call.point.blob(digest, from: $0, count: $1, caller)
            }
        },
        Endpoint(
            .head,
            "/v1/blobs/{digest}",
            .viewer,
            .read,
            "Whether a blob is there, and its size",
            answer: .bytes("application/octet-stream", "The size is in `Content-Length`.")
        ) { call in
            let digest: Digest = try call.path("digest")
            return call.blobHead(digest, size: try await call.point.blobSize(digest, call.caller()))
        },
        Endpoint(
            .get,
            "/v1/trees/{digest}",
            .viewer,
            .read,
            "The files of a folder artifact",
            answer: .json(TreeManifest.self)
        ) { call in
            try call.answer(try await call.point.tree(call.path("digest"), call.caller()))
        },
    ]

    static let uploadOffset = ParameterDescription.header(
        "Upload-Offset",
        .integer("In bytes.", in: 0...(.max)),
        "Where these bytes belong; must be where the upload stands.",
        required: true
    )

    static let range = ParameterDescription.header("Range", .string, "One range of bytes, such as `bytes=100-199`.")

    /// `digest` and `size` of what will be uploaded.
    static func blobView(_ reader: inout BodyReader) -> BlobView? {
        let digest = reader.digest("digest")
        let size = reader.integer("size", in: 0...(1 << 50))
        guard let digest, let size else { return nil }
        return BlobView(digest: digest, size: Bytes(size))
    }
}

extension Call {
    func uploadOffset() throws(Failure) -> Int64 {
        guard let offset = request.headers[.uploadOffset].flatMap({ Int64($0) }), offset >= 0 else {
            throw Failure(.malformed, "Send 'Upload-Offset: <bytes>' with where these bytes belong.")
        }
        return offset
    }

    func answer(upload view: UploadView) throws -> Response {
        // An ETag would invite a cache to answer for a thing that moves.
        try answer(view, headers: [.uploadOffset: "\(view.offset)"])
    }
}
