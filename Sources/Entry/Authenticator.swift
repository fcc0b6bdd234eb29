import Core
import Synchronization

/// Turns bearer tokens into identities, and remembers for a moment what it found.
///
/// A checked token is believed for `freshness` without asking again, so that thousands of requests a second do not
/// each read the database. A revocation is therefore effective at the latest `freshness` after it was committed, and
/// at once in this process when ``forgetAll()`` follows it. Only a keyed hash of each token is kept.
///
/// Wrong tokens are counted by address. Once an address has used up its wrong guesses, further ones are told to wait.
/// A good token always works: secrets are too long to be guessed, and nobody may lock out others behind the same
/// address.
public final class Authenticator<Identity: Sendable>: Sendable {
    /// 128 bits of SipHash under this process's random key.
    private struct Key: Hashable {
        let high: Int
        let low: Int

        init(_ token: String) {
            var (high, low) = (Hasher(), Hasher())
            high.combine(1)
            high.combine(token)
            low.combine(2)
            low.combine(token)
            (self.high, self.low) = (high.finalize(), low.finalize())
        }
    }

    private struct Entry {
        let identity: Identity
        let checkedAt: ContinuousClock.Instant
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        /// Rises with each ``forgetAll()``, so that a check that began before is not remembered after it.
        var generation = 0
    }

    private let freshness: Duration
    private let entriesMax: Int
    private let failures: RateLimit
    private let now: MonotonicNow
    private let authenticate: @Sendable (String) async throws -> Identity
    private let state = Mutex(State())

    /// - Parameters:
    ///   - freshness: How long a check is believed. Revocation must be effective within 2 s.
    ///   - entriesMax: More tokens than that are not remembered all at once.
    ///   - failures: The allowance of wrong tokens by address.
    ///   - authenticate: Throws ``Failure`` with `.unauthenticated` for a token that is not good.
    public init(
        freshness: Duration = .milliseconds(1500),
        entriesMax: Int = 4096,
        failures: RateLimit,
        now: @escaping MonotonicNow,
        authenticate: @escaping @Sendable (String) async throws -> Identity
    ) {
        self.freshness = freshness
        self.entriesMax = entriesMax
        self.failures = failures
        self.now = now
        self.authenticate = authenticate
    }

    /// Whose token this is.
    ///
    /// - Throws: ``Failure`` with `.unauthenticated`, or `.rateLimited` after too many wrong tokens from `address`.
    public func identity(of token: String, from address: String) async throws -> Identity {
        let key = Key(token)
        let began = now()
        let (known, generation) = state.withLock { ($0.entries[key], $0.generation) }
        if let known, began - known.checkedAt < freshness { return known.identity }
        do {
            let identity = try await authenticate(token)
            state.withLock { state in
                guard state.generation == generation else { return }
                if state.entries[key] == nil, state.entries.count >= entriesMax { state.entries.removeAll() }
                state.entries[key] = Entry(identity: identity, checkedAt: began)
            }
            return identity
        } catch let failure as Failure where failure.code == .unauthenticated {
            state.withLock { $0.entries[key] = nil }
            if let wait = failures.take(address) {
                throw Failure(.rateLimited, "Too many wrong tokens from this address; wait a minute.", retryAfter: wait)
            }
            throw failure
        }
    }

    /// Believes nothing any more; the next request of every token is checked. Call it after revoking rights.
    public func forgetAll() {
        state.withLock { state in
            state.entries.removeAll(keepingCapacity: true)
            state.generation += 1
        }
    }
}
