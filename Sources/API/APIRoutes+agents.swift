import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import Wire

extension APIRoutes {
    static let agentEndpoints: [Endpoint] = [
        Endpoint(
            .post,
            "/v1/agent/join",
            .public,
            nil,
            "Join a centre with its one-time token",
            body: .json(.object(["token": .string], required: ["token"])),
            answer: .json(JoinResponse.self, status: 201)
        ) { call in
            try call.api.joins.admit(call.context.remoteAddress)
            let request = try await call.body { reader in
                reader.required("token", "the one-time token") { json in
                    json.stringValue.flatMap { $0.utf8.count <= 512 ? JoinRequest(token: $0) : nil }
                }
            }
            let response = try await call.point.join(request)
            call.api.agents.forgetAll()
            return try call.answer(
                response,
                status: .created,
                location: "/v1/centres/\(response.centre)",
                headers: [.cacheControl: "no-store"]
            )
        },
        Endpoint(
            .post,
            "/v1/agent/exchange",
            .agent,
            nil,
            "Heartbeat, report and order book in one; waits for news",
            body: .json(WireSchema.reference(to: ExchangeRequest.self)),
            answer: .json(ExchangeResponse.self)
        ) { call in
            let (request, agent) = (
                try await call.wire(limitBytes: exchangeBytesMax) { try ExchangeRequest($0) }, try call.agent()
            )
            let response = try await Response.whileServing { try await call.point.exchange(request, agent) }
            return call.answer(json: try response.json)
        },
        Endpoint(
            .get,
            "/v1/agent/runs/{run}/blobs/{digest}",
            .agent,
            nil,
            "The bytes of a blob that a lease names",
            parameters: [range],
            answer: .bytes("application/octet-stream", "The bytes, or with 206 the range asked for.")
        ) { call in
            let (run, digest): (RunKey, Digest) = (try call.path("run"), try call.path("digest"))
            let agent = try call.agent()
            return try await call.blob(digest, size: { try await call.point.agentBlobSize(digest, for: run, agent) }) {
                try await call.point.agentBlob(digest, for: run, from: $0, count: $1, agent)
            }
        },
        Endpoint(
            .head,
            "/v1/agent/runs/{run}/blobs/{digest}",
            .agent,
            nil,
            "The size of a blob that a lease names",
            answer: .bytes("application/octet-stream", "The size is in `Content-Length`.")
        ) { call in
            let digest: Digest = try call.path("digest")
            let size = try await call.point.agentBlobSize(digest, for: call.path("run"), call.agent())
            return call.blobHead(digest, size: size)
        },
        Endpoint(
            .post,
            "/v1/agent/runs/{run}/blobs/missing",
            .agent,
            nil,
            "Which of a run's results have to be uploaded",
            body: .json(.object(["digests": .array(of: .digest)], required: ["digests"])),
            answer: .json(MissingBlobs.self)
        ) { call in
            let run: RunKey = try call.path("run")
            let digests = try await call.body { $0.digests("digests", countMax: DigestList.countMax) }
            let missing = try await call.point.agentMissingBlobs(digests, for: run, call.agent())
            return try call.answer(MissingBlobs(missing: missing))
        },
        Endpoint(
            .post,
            "/v1/agent/runs/{run}/uploads",
            .agent,
            nil,
            "Begin the upload of a run's result, or go on with it",
            body: .json(
                .object(
                    ["digest": .digest, "size": .integer("In bytes.", in: 0...(1 << 50))],
                    required: ["digest", "size"]
                )
            ),
            answer: .json(UploadView.self, status: 201)
        ) { call in
            let run: RunKey = try call.path("run")
            let blob = try await call.body { blobView(&$0) }
            let view = try await call.point.agentBeginUpload(
                for: run,
                expected: blob.digest,
                size: blob.size,
                call.agent()
            )
            return try call.answer(view, status: .created, location: "/v1/agent/uploads/\(view.upload)")
        },
        Endpoint(
            .get,
            "/v1/agent/uploads/{upload}",
            .agent,
            nil,
            "Where an agent's upload stands",
            answer: .json(UploadView.self)
        ) { call in
            try call.answer(upload: try await call.point.agentUpload(call.path("upload"), call.agent()))
        },
        Endpoint(
            .patch,
            "/v1/agent/uploads/{upload}",
            .agent,
            nil,
            "Append bytes to an agent's upload",
            parameters: [uploadOffset],
            body: .bytes,
            answer: .json(UploadView.self)
        ) { call in
            let view = try await call.point.agentAppendUpload(
                call.path("upload"),
                offset: call.uploadOffset(),
                call.request.streamedBytes(limitBytes: uploadBytesMax, in: call.context),
                call.agent()
            )
            return try call.answer(upload: view)
        },
        Endpoint(
            .post,
            "/v1/agent/uploads/{upload}/finish",
            .agent,
            nil,
            "Verify the digest and publish the result",
            answer: .json(BlobView.self)
        ) { call in
            try call.answer(try await call.point.agentFinishUpload(call.path("upload"), call.agent()))
        },
        Endpoint(
            .put,
            "/v1/agent/runs/{run}/logs/{task}",
            .agent,
            nil,
            "Append to a task's log",
            parameters: [
                .query("offset", .integer("In bytes.", in: 0...(.max)), "Where these bytes belong.", required: true),
                .query("complete", .boolean, "Nothing will follow."),
            ],
            body: .bytes,
            answer: .json(LogPosition.self, "Where the log now ends; go on from there.")
        ) { call in
            let (run, task): (RunKey, Int) = (try call.path("run"), try call.path("task"))
            guard let offset: Int64 = try call.query("offset"), offset >= 0, task >= 0 else {
                throw Failure(.malformed, "Give '?offset=<bytes>' with where these bytes belong.")
            }
            let complete = try call.query("complete", as: Bool.self) ?? false
            let bytes = try await call.request.bytes(limitBytes: logBytesMax, in: call.context)
            let end = try await call.point.agentAppendLog(
                run,
                task: task,
                offset: offset,
                Array(bytes.readableBytesView),
                complete: complete,
                call.agent()
            )
            return try call.answer(LogPosition(offset: end))
        },
    ]
}
