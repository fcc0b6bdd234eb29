/// Where a centre stands between the core of the network and its users.
public enum Tier: String, Sendable, Hashable, Codable, CaseIterable {
    /// A national or regional supercomputing or AI centre.
    case hub
    /// A regional AI centre or cloud.
    case region
    /// An edge room near its users.
    case edge
    /// One small machine.
    case device
}
