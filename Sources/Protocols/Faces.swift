public import Core
public import Entry
public import Hub
public import Hummingbird
public import Jobs
public import Wire

/// What protects the faces from too many requests: by user, and by address for requests without credentials.
public struct FaceLimits: Sendable {
    public var perSecond: Double
    public var burst: Double

    public init(perSecond: Double, burst: Double) { (self.perSecond, self.burst) = (perSecond, burst) }
}

/// Adds the faces that foreign clients know: each speaks its own specification to the letter.
///
/// - Parameters:
///   - users: Checks users' tokens; shared with everybody, so that a revocation is forgotten everywhere at once.
///   - clock: What time it is, for people.
public func addProtocolRoutes(
    to router: Router<AppContext>,
    repositories: Repositories,
    point: Point,
    users: Authenticator<Principal>,
    limits: FaceLimits,
    hub: HubSettings = HubSettings(),
    clock: @escaping @Sendable () -> Instant,
    now: @escaping MonotonicNow
) {
    addHubRoutes(
        to: router,
        repositories: repositories,
        point: point,
        users: users,
        limits: limits,
        settings: hub,
        clock: clock,
        now: now
    )
    addOCIRoutes(to: router, repositories: repositories, users: users, limits: limits, now: now)
}
