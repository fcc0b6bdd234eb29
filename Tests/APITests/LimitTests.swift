import API
import Core
import Synchronization
import Testing
import Wire

@testable import Entry

/// A clock that stands still until it is turned.
private final class ManualClock: Sendable {
    private let passed = Mutex(Duration.zero)
    private let start = ContinuousClock.now

    var now: MonotonicNow { { self.start + self.passed.withLock { $0 } } }
    func advance(_ duration: Duration) { passed.withLock { $0 += duration } }
}

@Suite("Limits and credentials")
struct LimitTests {
    @Test("a bucket gives its burst at once and then its rate") func bucket() {
        let clock = ManualClock()
        let limit = RateLimit(perSecond: 2, burst: 3, now: clock.now)
        for _ in 0..<3 { #expect(limit.take("a") == nil) }
        #expect(limit.take("a") == .milliseconds(500))
        #expect(limit.take("b") == nil, "each key has its own bucket")
        clock.advance(.milliseconds(500))
        #expect(limit.take("a") == nil)
        #expect(limit.take("a") != nil)
        clock.advance(.seconds(1000))
        for _ in 0..<3 { #expect(limit.take("a") == nil) }
        #expect(limit.take("a") != nil, "a bucket never holds more than its burst")
    }

    @Test("the table of buckets stays bounded, and forgets the idle before the busy") func bounded() {
        let clock = ManualClock()
        let limit = RateLimit(perSecond: 0.001, burst: 5, keysMax: 100, now: clock.now)
        for _ in 0..<5 { _ = limit.take("busy") }
        for index in 0..<10_000 { _ = limit.take("key-\(index)") }
        #expect(limit.count <= 100)
        #expect(limit.take("busy") != nil)
    }

    @Test("a checked token is believed for its time and not longer") func freshness() async throws {
        let clock = ManualClock()
        let checks = Mutex(0)
        let authenticator = Authenticator<Int>(
            freshness: .seconds(1),
            failures: RateLimit(perSecond: 1, burst: 3, now: clock.now),
            now: clock.now
        ) { token in
            guard token == "good" else { throw Failure(.unauthenticated, "no") }
            return checks.withLock {
                $0 += 1
                return $0
            }
        }
        for _ in 0..<5 { #expect(try await authenticator.identity(of: "good", from: "x") == 1) }
        clock.advance(.seconds(1))
        #expect(try await authenticator.identity(of: "good", from: "x") == 2)
        authenticator.forgetAll()
        #expect(try await authenticator.identity(of: "good", from: "x") == 3)
    }

    @Test("wrong tokens use up an address, but lock out nobody who has a good one") func guessing() async throws {
        let clock = ManualClock()
        let authenticator = Authenticator<Int>(
            freshness: .seconds(1),
            failures: RateLimit(perSecond: 0.1, burst: 3, now: clock.now),
            now: clock.now
        ) { token in
            guard token == "good" else { throw Failure(.unauthenticated, "no") }
            return 1
        }
        var codes: [Failure.Code] = []
        for index in 0..<5 {
            do {
                _ = try await authenticator.identity(of: "bad-\(index)", from: "x")
            } catch let failure as Failure {
                codes.append(failure.code)
            }
        }
        #expect(codes == [.unauthenticated, .unauthenticated, .unauthenticated, .rateLimited, .rateLimited])
        #expect(try await authenticator.identity(of: "good", from: "x") == 1)
        #expect(try await authenticator.identity(of: "good", from: "y") == 1)
    }

    @Test("too many requests of one caller are told when to come back") func overHTTP() async throws {
        try await withScene(limits: RequestLimits(perSecond: 0.01, burst: 5)) { scene in
            for _ in 0..<5 { #expect(try await scene.call("GET", "/v1/whoami", as: .member).status == 200) }
            let refused = try await scene.call("GET", "/v1/whoami", as: .member)
            #expect(refused.status == 429)
            #expect(Int(refused.headers["retry-after"] ?? "") ?? 0 > 0)
            #expect(try await scene.call("GET", "/v1/whoami", as: .viewer).status == 200)
        }
    }

    @Test("a trusted proxy tells who calls, and nobody else does") func proxies() async throws {
        let limits = RequestLimits(anonymousPerSecond: 0.01, anonymousBurst: 2)
        func statuses(_ proxies: Set<String>, _ forwarded: [String]) async throws -> [Int] {
            var statuses: [Int] = []
            try await withScene(limits: limits, trustedProxies: proxies) { scene in
                for address in forwarded {
                    let answer = try await scene.call("GET", "/healthz", headers: ["X-Forwarded-For": address])
                    statuses.append(answer.status)
                }
            }
            return statuses
        }
        // What the caller wrote itself stands before what the proxy added.
        let forwarded = ["1.1.1.1, 9.9.9.9", "2.2.2.2, 9.9.9.9", "3.3.3.3, 9.9.9.9", "8.8.8.8", "8.8.8.8, 127.0.0.1"]
        #expect(try await statuses(["127.0.0.1"], forwarded) == [200, 200, 429, 200, 200])
        #expect(try await statuses([], forwarded) == [200, 200, 429, 429, 429])
    }

    @Test("a body may be slow, but not for ever") func pace() {
        #expect(BodyPace.allows(bytes: 0, elapsed: .seconds(30)))
        #expect(!BodyPace.allows(bytes: 1, elapsed: .seconds(31)))
        #expect(BodyPace.allows(bytes: 16_384 * 3600, elapsed: .seconds(3600)))
    }
}
