import Core
import Entry
import HTTPTypes
import Hummingbird
import Jobs
import NIOCore
import Wire

extension APIRoutes {
    static let operationEndpoints: [Endpoint] = [
        Endpoint(
            .get,
            "/healthz",
            .public,
            nil,
            "Whether the process answers, and its clock",
            answer: .json(
                schema: .object(["status": .string, "at": .time], required: ["status", "at"])
            )
        ) { call in
            try call.answer(["status": "ok", "at": call.point.time.rfc3339])
        },
        Endpoint(
            .get,
            "/readyz",
            .public,
            nil,
            "Whether the point can do its work; 503 when it cannot",
            answer: .json(schema: statusSchema)
        ) { call in
            try await call.point.checkReady()
            return try call.answer(["status": "ready"])
        },
        Endpoint(
            .get,
            "/openapi.json",
            .public,
            nil,
            "This document",
            answer: .json(schema: .object([:]))
        ) { call in
            var bytes: [UInt8] = []
            openAPI(version: call.api.version).write(to: &bytes)
            return Response(
                status: .ok,
                headers: [.contentType: Call.jsonType, .cacheControl: "public, max-age=300"],
                body: .init(byteBuffer: ByteBuffer(bytes: bytes))
            )
        },
        Endpoint(
            .get,
            "/metrics",
            .user,
            .read,
            "Figures for Prometheus",
            answer: .bytes("text/plain", "Text exposition format, version 0.0.4.")
        ) { call in
            let text = try await call.point.metrics() + call.api.metrics.exposition
            return Response(
                status: .ok,
                headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8", .cacheControl: "no-store"],
                body: .init(byteBuffer: ByteBuffer(string: text))
            )
        },
    ]

    private static let statusSchema = Schema.object(["status": .string], required: ["status"])
}
