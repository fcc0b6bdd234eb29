public import Entry
public import Hub
public import Hummingbird
public import Wire

/// What protects the faces from too many requests: by user, and by address for requests without credentials.
public struct FaceLimits: Sendable {
    public var perSecond: Double
    public var burst: Double

    public init(perSecond: Double, burst: Double) { (self.perSecond, self.burst) = (perSecond, burst) }
}

/// Adds the faces that foreign clients know: each speaks its own specification to the letter.
///
/// - Parameter users: Checks users' tokens; shared with everybody, so that a revocation is forgotten everywhere at once.
public func addProtocolRoutes(
    to router: Router<AppContext>,
    repositories: Repositories,
    users: Authenticator<Principal>,
    limits: FaceLimits,
    hub: HubSettings = HubSettings(),
    now: @escaping MonotonicNow
) {
    addHubRoutes(to: router, repositories: repositories, users: users, limits: limits, settings: hub, now: now)
    addOCIRoutes(to: router, repositories: repositories, users: users, limits: limits, now: now)
}
