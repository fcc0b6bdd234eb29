public import Core
import Synchronization

/// A monotonic clock, handed in so that tests can turn it by hand.
public typealias MonotonicNow = @Sendable () -> ContinuousClock.Instant

/// Token buckets by key, such as a user's name or an address, in a table of bounded size.
///
/// A key starts with `burst` tokens and gains `perSecond` of them each second, up to `burst`.
public final class RateLimit: Sendable {
    private struct Bucket {
        var tokens: Double
        var at: ContinuousClock.Instant
    }

    private let perSecond: Double
    private let burst: Double
    private let keysMax: Int
    private let now: MonotonicNow
    private let buckets = Mutex<[String: Bucket]>([:])

    /// - Parameter keysMax: When more keys than that are known, the half that has the most tokens is forgotten:
    ///   forgetting a full bucket changes nothing, so a flood of new keys cannot free a busy one before many idle ones.
    public init(perSecond: Double, burst: Double, keysMax: Int = 10_000, now: @escaping MonotonicNow) {
        precondition(perSecond > 0 && burst >= 1 && keysMax >= 2, "a bucket must be able to hold and gain a token")
        self.perSecond = perSecond
        self.burst = burst
        self.keysMax = keysMax
        self.now = now
    }

    /// Takes a token.
    ///
    /// - Returns: `nil` when there was one, else how long until there will be.
    public func take(_ key: String) -> Duration? { look(key, cost: 1) }

    /// How long until the key has a token, without taking one; `nil` when it has.
    public func wait(_ key: String) -> Duration? { look(key, cost: 0) }

    /// Takes a token or throws `.rateLimited` with the time to wait.
    public func admit(_ key: String) throws(Failure) {
        if let wait = take(key) { throw Self.failure(wait) }
    }

    static func failure(_ wait: Duration) -> Failure {
        let seconds = Int(wait.seconds.rounded(.up))
        return Failure(.rateLimited, "Too many requests; try again in \(seconds) s.", retryAfter: wait)
    }

    /// How many keys are remembered.
    var count: Int { buckets.withLock { $0.count } }

    private func look(_ key: String, cost: Double) -> Duration? {
        let now = now()
        return buckets.withLock { buckets in
            var bucket = buckets[key] ?? Bucket(tokens: burst, at: now)
            bucket.tokens = tokens(bucket, now)
            bucket.at = now
            guard bucket.tokens >= 1 else {
                if buckets[key] != nil { buckets[key] = bucket }
                return .seconds((1 - bucket.tokens) / perSecond)
            }
            guard cost > 0 else { return nil }
            bucket.tokens -= cost
            if buckets[key] == nil, buckets.count >= keysMax { forgetHalf(&buckets, now) }
            buckets[key] = bucket
            return nil
        }
    }

    private func tokens(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        min(burst, bucket.tokens + max(0, (now - bucket.at).seconds) * perSecond)
    }

    private func forgetHalf(_ buckets: inout [String: Bucket], _ now: ContinuousClock.Instant) {
        let fullest = buckets.sorted { tokens($0.value, now) > tokens($1.value, now) }.prefix((buckets.count + 1) / 2)
        for (key, _) in fullest { buckets[key] = nil }
    }
}
