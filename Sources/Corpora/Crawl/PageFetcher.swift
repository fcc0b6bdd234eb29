import AsyncHTTPClient
import Core
import Curation
import NIOCore
import NIOHTTP1
import NIOSSL

/// Asks for one address and tells what came, in a form that can be kept as evidence.
struct PageFetcher: Sendable {
    let userAgent: String
    let privateHosts: Set<String>
    let bodyMaxBytes: Int
    let timeout: Duration
    let now: @Sendable () -> Instant
    private let tls: TLSConfiguration

    /// - Parameter trustedRoots: Path of a PEM file; `nil`: what the system trusts.
    /// - Throws: ``Failure`` when that file cannot be read.
    init(
        userAgent: String,
        privateHosts: Set<String>,
        bodyMaxBytes: Int,
        timeout: Duration,
        trustedRoots: String?,
        now: @escaping @Sendable () -> Instant
    ) throws(Failure) {
        (self.userAgent, self.privateHosts, self.bodyMaxBytes) = (userAgent, privateHosts, bodyMaxBytes)
        (self.timeout, self.now) = (timeout, now)
        var tls = TLSConfiguration.makeClientConfiguration()
        if let trustedRoots {
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(trustedRoots))
            } catch {
                throw Failure(.invalid, "\(trustedRoots) has no certificates in PEM.", note: "\(error)")
            }
        }
        self.tls = tls
    }

    /// What an earlier crawl knows of the address.
    struct Known: Sendable, Equatable {
        var entityTag: String?
        var lastModified: String?
    }

    /// A request and its answer.
    struct Exchange: Sendable {
        var entry: CrawlEntry
        var time: Instant
        /// The request's head as it was sent.
        var request: [UInt8] = []
        var result: Result

        enum Result: Sendable {
            case answered(Answer)
            case failed(Failing)
        }
    }

    struct Answer: Sendable {
        var address: String
        var status: Int
        /// The head as it came, but for how the body was cut for the way.
        var head: [UInt8]
        /// As it was sent, with its content codings.
        var body: [UInt8]
        /// Why it is not whole, in the words of WARC.
        var truncated: String?
        var fields: [(name: String, value: String)]

        func field(_ name: String) -> String? {
            fields.first { $0.name.lowercased() == name }?.value
        }
    }

    /// Why there is no answer.
    enum Failing: String, Sendable {
        case unresolved, unreachable, timeout, cancelled
        case privateAddress = "private_address"
    }

    /// The most of one head that is kept; more than any server sends in earnest.
    private static let headMaxBytes = 128 << 10

    func fetch(_ entry: CrawlEntry, _ known: Known?) async -> Exchange {
        let url = entry.url
        let time = now()
        let addresses: [String]
        switch await HostAddresses.find(url.host, allowsPrivate: privateHosts.contains(url.host)) {
        case .success(let found): addresses = found
        case .failure(.unknown): return Exchange(entry: entry, time: time, result: .failed(.unresolved))
        case .failure(.isPrivate): return Exchange(entry: entry, time: time, result: .failed(.privateAddress))
        }
        // The next attempt takes the next address. Connecting to what was checked, not to the name, leaves no moment in
        // which the name could come to mean another.
        let address = addresses[entry.attempts % addresses.count]
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = tls
        configuration.dnsOverride = [url.host: address]
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        let limit = TimeAmount.milliseconds(max(1, timeout.milliseconds))
        configuration.timeout.connect = .milliseconds(min(10_000, max(1, timeout.milliseconds)))
        configuration.timeout.read = limit
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let request = request(url, known)
        var exchange = Exchange(
            entry: entry,
            time: time,
            request: head("GET \(url.target) HTTP/1.1", [("Host", authority(url))] + request.headers.map { ($0, $1) }),
            result: .failed(.unreachable)
        )
        do {
            let response = try await client.execute(request, deadline: .now() + limit)
            exchange.result = .answered(await answer(response, entry, address, until: .now() + limit))
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
            exchange.result = .failed(.timeout)
        } catch {
            exchange.result = .failed(.unreachable)
        }
        if Task.isCancelled { exchange.result = .failed(.cancelled) }
        // Nothing is under way any more that a failure to shut down could harm.
        try? await client.shutdown()
        return exchange
    }

    private func authority(_ url: WebURL) -> String {
        let isUsual = url.port == (url.isSecure ? 443 : 80)
        return isUsual ? url.host : "\(url.host):\(url.port)"
    }

    private func request(_ url: WebURL, _ known: Known?) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url.text)
        request.headers.add(name: "User-Agent", value: userAgent)
        request.headers.add(name: "Accept", value: "text/html,application/xhtml+xml,text/plain;q=0.9,*/*;q=0.5")
        request.headers.add(name: "Accept-Encoding", value: "gzip")
        if let tag = known?.entityTag { request.headers.add(name: "If-None-Match", value: tag) }
        if let date = known?.lastModified { request.headers.add(name: "If-Modified-Since", value: date) }
        return request
    }

    private func head(_ first: String, _ fields: [(String, String)]) -> [UInt8] {
        var head = Array("\(first)\r\n".utf8)
        for (name, value) in fields where head.count + name.utf8.count + value.utf8.count < Self.headMaxBytes {
            head.append(contentsOf: "\(name): \(value)\r\n".utf8)
        }
        return head + Array("\r\n".utf8)
    }

    /// The most of a body that is kept.
    private func bodyMaxBytes(_ purpose: CrawlEntry.Purpose) -> Int {
        switch purpose {
        case .page: bodyMaxBytes
        case .sitemap: Sitemap.bytesMax
        // One more, so that it is seen to be longer than what is read.
        case .robots: RobotsRules.bytesMax + 1
        }
    }

    private func answer(
        _ response: HTTPClientResponse,
        _ entry: CrawlEntry,
        _ address: String,
        until end: NIODeadline
    ) async -> Answer {
        let bodyMaxBytes = bodyMaxBytes(entry.purpose)
        let fields = response.headers.map { (name: $0.name, value: $0.value) }
        let status = Int(response.status.code)
        // The body is kept without its chunks, so the head must not say that there are any.
        let kept = fields.map { field in
            (field.name.lowercased() == "transfer-encoding" ? "X-Crawl-Transfer-Encoding" : field.name, field.value)
        }
        var answer = Answer(
            address: address,
            status: status,
            head: head("HTTP/1.1 \(status) \(response.status.reasonPhrase)", kept),
            body: [],
            fields: fields
        )
        do {
            for try await piece in response.body {
                let room = bodyMaxBytes - answer.body.count
                answer.body.append(contentsOf: piece.readableBytesView.prefix(room))
                if piece.readableBytes > room {
                    answer.truncated = "length"
                    break
                }
                if NIODeadline.now() > end {
                    answer.truncated = "time"
                    break
                }
            }
        } catch let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout {
            answer.truncated = "time"
        } catch {
            answer.truncated = "disconnect"
        }
        return answer
    }
}
